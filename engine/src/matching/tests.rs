//! The index against conditions tried one by one.

use super::*;
use crate::function::{Function, FunctionParameter, Times};
use crate::plan::expr::ArithmeticOp;
use crate::{Context, Span, View};
use proptest::prelude::*;
use proptest::strategy::Strategy as Values;
use std::net::IpAddr;
use std::sync::Arc;
use wireq_typesys::{
    Address, Bitmap, Block, Column, ColumnDef, CompareOp, Data, Kind, Literal, Mac, Names, Part,
    PartData, Position, Positions, Recipe, Shape, Slices, Slot, Value, Zone,
};

static PROTOCOLS: Names = Names {
    name: "protocol",
    entries: &[(6, "tcp"), (17, "udp")],
};

static BAND: Function = Function {
    name: "band",
    summary: "",
    parameters: &[
        FunctionParameter {
            name: "A",
            kind: Kind::Signed,
            times: Times::One,
            summary: "",
            demand: None,
        },
        FunctionParameter {
            name: "B",
            kind: Kind::Signed,
            times: Times::One,
            summary: "",
            demand: None,
        },
    ],
    strict: true,
    kind: |_| Ok(Kind::Signed),
    call: |values, _| match values {
        [Value::Integer(a), Value::Integer(b)] => Value::Integer(a & b),
        _ => Value::Absent,
    },
    examples: &[],
};

/// Fields, their kinds, and constants that are met with some luck.
const FIELDS: &[(&str, Kind, &[&str])] = &[
    (
        "flags",
        Kind::Unsigned,
        &["0", "2", "16", "18", "255", "256", "-1"],
    ),
    (
        "port",
        Kind::Unsigned,
        &["0", "25", "80", "443", "1e3", "65535", "65536"],
    ),
    (
        "number",
        Kind::Unsigned,
        &["0", "80", "4294967295", "7.5", "99999999999999999999"],
    ),
    (
        "signed",
        Kind::Signed,
        &["-1", "0", "-9223372036854775808", "5"],
    ),
    (
        "protocol",
        Kind::Named(&PROTOCOLS),
        &["tcp", "udp", "6", "1"],
    ),
    (
        "address",
        Kind::Address,
        &[
            "10.0.0.1",
            "10.0.0.0/8",
            "10.1.0.0/16",
            "0.0.0.0/0",
            "fd00::/8",
            "fd00::1",
            "::/0",
        ],
    ),
    (
        "mixed",
        Kind::Address,
        &[
            "10.0.0.1",
            "10.0.0.0/8",
            "255.255.255.255",
            "fd00::/8",
            "fd00::1",
            "::",
        ],
    ),
    ("time", Kind::Time, &["5", "0", "2"]),
    (
        "mac",
        Kind::Mac,
        &["00:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"],
    ),
    ("text", Kind::Text, &["a", "ab", "7"]),
    ("payload", Kind::Bytes, &["ab", "aba"]),
    ("untyped", Kind::Dynamic, &["7", "a", "10.0.0.1"]),
];

fn span() -> Span {
    Span::default()
}

fn field(at: usize) -> Expr {
    Expr::Field(FIELDS[at].0.into(), span())
}

fn literal(text: &str) -> Expr {
    Expr::Literal(Literal::new(text), span())
}

fn any_op() -> impl Values<Value = CompareOp> {
    prop::sample::select(vec![
        CompareOp::Equal,
        CompareOp::NotEqual,
        CompareOp::Less,
        CompareOp::LessOrEqual,
        CompareOp::Greater,
        CompareOp::GreaterOrEqual,
    ])
}

fn comparison() -> impl Values<Value = Expr> {
    let compare = |op, a, b| Expr::Compare(op, Box::new(a), Box::new(b));
    (0..FIELDS.len(), 0..10usize, any_op(), 0..10u8).prop_map(move |(at, constant, op, form)| {
        let constants = FIELDS[at].2;
        let constant = literal(constants[constant % constants.len()]);
        let other = (at + 1) % FIELDS.len();
        match form {
            0 => compare(op, constant, field(at)),
            1 => compare(op, field(at), field(other)),
            2 => Expr::Exists(FIELDS[at].0.into(), span()),
            3 => Expr::IsAbsent(Box::new(field(at))),
            4 => {
                let masked = Expr::Call(&BAND, vec![field(0), literal("18")], span());
                compare(op, masked, literal("2"))
            }
            5 => {
                let sum = Box::new(literal("1"));
                let sum = Expr::Arithmetic(ArithmeticOp::Add, Box::new(field(at % 2)), sum);
                compare(op, sum, literal("81"))
            }
            _ => compare(op, field(at), constant),
        }
    })
}

fn any_test() -> impl Values<Value = Expr> {
    let leaf = prop_oneof![
        20 => comparison(),
        1 => any::<bool>().prop_map(|value| Expr::Bool(value, span())),
        1 => Just(Expr::Absent(span())),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| Expr::Not(Box::new(test))),
            inner.clone().prop_map(|test| Expr::Holds(Box::new(test))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
            prop::collection::vec(inner, 1..4).prop_map(Expr::Or),
        ]
    })
}

/// A list of constants of one field: what `in` becomes.
fn in_list() -> impl Values<Value = Expr> {
    (0..7usize, prop::collection::vec(0..10usize, 1..6)).prop_map(|(at, constants)| {
        let compare = |constant: &usize| {
            let constant = literal(FIELDS[at].2[constant % FIELDS[at].2.len()]);
            Expr::Compare(CompareOp::Equal, Box::new(field(at)), Box::new(constant))
        };
        Expr::Holds(Box::new(Expr::Or(constants.iter().map(compare).collect())))
    })
}

fn any_content() -> impl Values<Value = Content> {
    let bytes = prop::collection::vec(prop::sample::select(&b"abA"[..]), 0..4);
    let depth = prop::option::of(0..8usize);
    let flags = (any::<bool>(), prop::bool::weighted(0.2), any::<bool>());
    (bytes, 0..4usize, depth, flags).prop_map(|(bytes, offset, depth, flags)| Content {
        field: if flags.2 { "payload" } else { "text" }.into(),
        pattern: Pattern {
            bytes,
            nocase: flags.0,
        },
        offset,
        depth,
        at_end: flags.1,
    })
}

fn any_condition() -> impl Values<Value = Condition> {
    let tests = prop::collection::vec(prop_oneof![4 => any_test(), 1 => in_list()], 0..4);
    let contents = prop_oneof![3 => Just(Vec::new()).boxed(), 2 => prop::collection::vec(any_content(), 1..3).boxed()];
    (tests, contents).prop_map(|(tests, contents)| Condition { tests, contents })
}

/// Choices for one row: a number for each field.
type Row = Vec<u16>;

fn slices(rows: &[Row], at: usize) -> Slices {
    let texts = ["", "a", "7", "ab", "xaba", "AbabA", "bbbabbb", "aaaaaaaab"];
    let mut slices = Slices::default();
    let mut bytes = Vec::new();
    for row in rows {
        let text = texts[usize::from(row[at]) % texts.len()];
        slices.rows.push((0, bytes.len() as u32, text.len() as u32));
        bytes.extend_from_slice(text.as_bytes());
    }
    slices.blocks = vec![Arc::new(Block(bytes))];
    slices
}

/// The column of a field. `odd` makes some columns of a kind that the plan does not know of.
fn column(rows: &[Row], at: usize, odd: bool) -> Column {
    let pick = |row: &Row| usize::from(row[at]);
    let v4 = [
        0x0a00_0001,
        0x0a01_0000,
        0x0aff_ffff,
        0x0900_0000,
        0,
        u32::MAX,
    ];
    let v6 = [0u128, 0xfd << 120 | 1, u128::MAX];
    let values = rows.iter();
    let data = match FIELDS[at].0 {
        "flags" if odd => Data::U16(values.map(|row| row[at] % 300).collect()),
        "flags" => Data::U8(
            values
                .map(|row| [0, 2, 16, 18, 255][pick(row) % 5])
                .collect(),
        ),
        "port" => Data::U16(
            values
                .map(|row| [0, 25, 80, 443, 1000, 65535, 81][pick(row) % 7])
                .collect(),
        ),
        "number" => Data::U32(
            values
                .map(|row| [0, 80, u32::MAX, 8][pick(row) % 4])
                .collect(),
        ),
        "signed" => Data::I64(
            values
                .map(|row| [-1, 0, i64::MIN, 5][pick(row) % 4])
                .collect(),
        ),
        "protocol" => Data::U8(values.map(|row| [6, 17, 1][pick(row) % 3]).collect()),
        "address" if odd => {
            let addresses = rows
                .iter()
                .map(|row| IpAddr::V4(v4[pick(row) % 6].into()).into());
            Data::Address(addresses.collect())
        }
        "address" => Data::Address4(values.map(|row| v4[pick(row) % 6]).collect()),
        "mixed" => Data::Address(
            values
                .map(|row| match pick(row) % 9 {
                    at @ 0..6 => IpAddr::V4(v4[at].into()).into(),
                    at => Address {
                        v6: true,
                        bits: v6[at - 6],
                    },
                })
                .collect(),
        ),
        "time" if odd => Data::Text(slices(rows, at)),
        "time" => Data::Time(
            values
                .map(|row| (pick(row) % 3) as i64 * 2_500_000_000)
                .collect(),
        ),
        "mac" => Data::Mac(
            values
                .map(|row| Mac([0, 0, 0, 0, 0, (row[at] % 3) as u8]))
                .collect(),
        ),
        "payload" => Data::Bytes(slices(rows, at)),
        "text" => Data::Text(slices(rows, at)),
        _ => Data::Dynamic(
            values
                .map(|row| match pick(row) % 3 {
                    0 => Value::Integer(7),
                    1 => Value::text("a"),
                    _ => Value::Address(IpAddr::V4(v4[0].into())),
                })
                .collect(),
        ),
    };
    Column {
        data,
        valid: Bitmap::from_fn(rows.len(), |row| rows[row][at] % 11 != 10),
        names: match FIELDS[at].1 {
            Kind::Named(names) => Some(names),
            _ => None,
        },
    }
}

fn context(conditions: &[Condition]) -> Context {
    let fields = Condition::fields(conditions);
    let kind = |field: &FieldPath| {
        let known = FIELDS.iter().find(|(name, ..)| field.as_str() == *name);
        known.map_or(Kind::Dynamic, |(_, kind, _)| *kind)
    };
    Context {
        kinds: fields.iter().map(kind).collect(),
        fields,
        live: Vec::new(),
        carried: Vec::new(),
        shape: None,
        origin: 0,
        zone: Arc::new(Zone::utc()),
        seed: 0,
        matching: Default::default(),
    }
}

fn part(rows: &[Row], odd: bool) -> Part {
    let def = |(name, kind, _): &(&str, Kind, &[&str])| ColumnDef {
        path: (*name).into(),
        kind: *kind,
        recipe: Recipe::Given,
    };
    let shape = Arc::new(Shape {
        record_type: None,
        base: FIELDS.iter().map(def).collect(),
        extra: Vec::new(),
        summary: Vec::new(),
    });
    let columns = (0..FIELDS.len()).map(|at| column(rows, at, odd)).collect();
    let positions = Positions::Run(Position::START);
    let data = PartData::from_columns(shape, columns, rows.len(), positions, 0);
    Part::new(Arc::new(data))
}

fn slots(context: &Context, missing: Option<usize>) -> Vec<Option<Slot>> {
    let slot = |(at, field): (usize, &FieldPath)| {
        let place = FIELDS
            .iter()
            .position(|(name, ..)| field.as_str() == *name)?;
        (missing != Some(at)).then_some(Slot::Base(place as u16))
    };
    context.fields.iter().enumerate().map(slot).collect()
}

fn rows_of(hits: &Hits) -> Vec<Vec<u32>> {
    (0..hits.offsets.len() - 1)
        .map(|row| hits.of(row).to_vec())
        .collect()
}

fn any_rows() -> impl Values<Value = Vec<Row>> {
    let row = prop::collection::vec(0..22u16, FIELDS.len());
    prop::collection::vec(row, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Several parts, so that what was remembered, counted and chosen anew is used too; some with
    /// columns that the plan does not expect, some without a column, some rows not selected.
    #[test]
    fn every_strategy_finds_what_conditions_say_one_by_one(
        conditions in prop::collection::vec(any_condition(), 1..30),
        parts in prop::collection::vec((any_rows(), prop::bool::weighted(0.15), any::<u64>(), 0..30usize), 1..5),
    ) {
        let context = context(&conditions);
        let mut naive = Naive::new(&conditions, &context);
        let matchers = super::Strategy::ALL.iter().flat_map(|(name, strategy)| {
            let make = |vector| strategy.matcher(conditions.clone().into(), vector, &context);
            [(name, true, make(true)), (name, false, make(false))]
        });
        let mut matchers: Vec<_> = matchers.collect();
        let zone = Zone::utc();
        for (rows, odd, chosen, missing) in parts {
            let mut part = part(&rows, odd);
            part.selection = (0..rows.len()).filter(|row| chosen >> (row % 64) & 3 != 0).collect();
            let slots = slots(&context, Some(missing));
            let view = View { part: &part, slots: &slots };
            let mut expected = Hits::default();
            naive.select(view, &zone, &mut expected);
            for (name, vector, matcher) in &mut matchers {
                let mut found = Hits::default();
                matcher.select(view, &zone, &mut found);
                prop_assert_eq!(rows_of(&found), rows_of(&expected), "{} {}", name, vector);
            }
        }
    }
}
