//! `equals` passes what `where FIELD = A or FIELD = B ...` passes, whatever the kind of the column.

mod support;

use std::sync::Arc;
use support::Random;
use wireq_engine::evaluate::compare_literal;
use wireq_engine::operator::operator_spec;
use wireq_engine::schedule::output::Output;
use wireq_engine::{Context, View};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::{
    Bitmap, Column, ColumnDef, CompareOp, Data, FieldPath, Kind, Literal, Mac, Names, Part,
    PartData, Position, Positions, Recipe, Shape, Slot, Value, Zone,
};

static NAMES: Names = Names {
    name: "test",
    entries: &[(1, "one"), (2, "two"), (300, "many")],
};

const CONSTANTS: &[&str] = &[
    "0",
    "1",
    "1.0",
    "0x2",
    "2.5",
    "-1",
    "300",
    "1e3",
    "70000",
    "18446744073709551616",
    "-0",
    "1e300",
    "one",
    "MANY",
    "true",
    "a",
    "a\\x00b",
    "\"1\"",
    "\"1.0\"",
    "5s",
    "0.0.0.1",
    "0.0.0.2/31",
    "10.0.0.0/8",
    "::/64",
    "::1",
    "0.0.0.0/0",
    "00:00:00:00:00:01",
    "1970-01-01T00:00:01Z",
    "+7",
];

fn pick<'a, T: ?Sized>(random: &mut Random, of: &[&'a T]) -> &'a T {
    of[random.below(of.len())]
}

fn small(random: &mut Random) -> u64 {
    [0, 1, 2, 3, 300, 1000, 70000, u64::MAX][random.below(8)]
}

fn value(random: &mut Random, kind: usize) -> Value {
    let n = small(random);
    match kind {
        0 => Value::Bool(n % 2 == 1),
        1 => Value::Integer(i128::from(n) - 1),
        2 => Value::Named(n, &NAMES),
        3 => Value::Double([0.0, -0.0, 1.0, 2.5, 1e300, f64::NAN, 1000.0][n as usize % 7]),
        4 => Value::Time((n % 4) as i64 * 1_000_000_000),
        5 => Value::Duration((n % 8) as i64 * 1_000_000_000),
        6 => Value::Address(std::net::Ipv4Addr::from(n as u32 % 5).into()),
        7 => Value::Address(std::net::Ipv6Addr::from(u128::from(n)).into()),
        8 => Value::Mac(Mac([0, 0, 0, 0, 0, n as u8])),
        9 => Value::Bytes(pick(random, &["1", "a", "a\0b", ""]).as_bytes().into()),
        10 => Value::text(pick(
            random,
            &["1", "01", "1.0", "a", "a\0b", "", "-1", "+7", "0x2", "x"],
        )),
        11 => Value::List(
            (0..n % 3)
                .map(|at| value(random, at as usize * 5 + 1))
                .collect(),
        ),
        _ => Value::Absent,
    }
}

/// A column whose values are of one kind, or of several.
fn column(random: &mut Random, len: usize) -> Column {
    let valid: Bitmap = (0..len).filter(|_| random.below(5) > 0).collect();
    let numbers: Vec<u64> = (0..len).map(|_| small(random)).collect();
    let data = match random.below(20) {
        0 => Data::U8(numbers.iter().map(|n| *n as u8).collect()),
        1 => Data::U16(numbers.iter().map(|n| *n as u16).collect()),
        2 => Data::U32(numbers.iter().map(|n| *n as u32).collect()),
        3 => Data::U64(numbers),
        4 => Data::I64(numbers.iter().map(|n| *n as i64 - 1).collect()),
        5 => Data::Address4(numbers.iter().map(|n| *n as u32).collect()),
        6 => {
            let values = (0..len).map(|_| {
                let kind = random.below(13);
                value(random, kind)
            });
            return Column::from_values(values.collect::<Vec<_>>());
        }
        kind => {
            let values = (0..len).map(|_| match random.below(6) {
                0 => Value::Absent,
                _ => value(random, (kind - 7) % 12),
            });
            return Column::from_values(values.collect::<Vec<_>>());
        }
    };
    let names = matches!(data, Data::U8(_) | Data::U16(_)) && random.below(2) == 0;
    Column {
        data,
        valid,
        names: names.then_some(&NAMES),
    }
}

fn literal(constant: &str) -> Literal {
    match constant.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(quoted) => Literal::quoted(quoted),
        None => Literal::new(constant),
    }
}

#[test]
fn equals_passes_what_comparisons_pass() {
    let zone = Arc::new(Zone::utc());
    let mut random = Random(8);
    for _ in 0..300 {
        let count = 1 + random.below(20);
        let constants: Vec<&str> = (0..count).map(|_| pick(&mut random, CONSTANTS)).collect();
        let text = format!("equals srcip {}", constants.join(" "));
        let texts = [Text {
            name: "query".into(),
            text: text.clone(),
        }];
        let files = Some(Files {
            module: "pcapfile",
            flags: Vec::new(),
            paths: vec!["none.pcap".into()],
        });
        let options = wireq_query_lang::Options {
            files,
            ..wireq_query_lang::Options::new(&zone)
        };
        let plan = compile(&texts, &wireq_modules::registry(), &options)
            .unwrap_or_else(|_| panic!("{text} compiles"));
        let spec = operator_spec(&plan.graph[plan.order()[1]].kind).expect("an operator");
        let path = FieldPath::new("srcip");
        let mut operator = (spec.make)(&Context {
            fields: vec![path.clone()],
            kinds: vec![Kind::Dynamic],
            live: Vec::new(),
            carried: Vec::new(),
            shape: None,
            origin: 1,
            zone: Arc::clone(&zone),
            seed: 1,
            matching: Default::default(),
        });
        let literals: Vec<Literal> = constants.iter().map(|constant| literal(constant)).collect();
        for _ in 0..10 {
            let len = random.below(150);
            let column = column(&mut random, len);
            let expected: Vec<usize> = (0..len)
                .filter(|row| {
                    let value = column.value(*row);
                    literals.iter().any(|literal| {
                        compare_literal(CompareOp::Equal, &value, literal, &zone) == Some(true)
                    })
                })
                .collect();
            let shape = Arc::new(Shape {
                record_type: None,
                base: vec![ColumnDef {
                    path: path.clone(),
                    kind: Kind::Dynamic,
                    recipe: Recipe::Given,
                }],
                extra: Vec::new(),
                summary: Vec::new(),
            });
            let positions = Positions::Run(Position::START);
            let shown = format!("{column:?}");
            let data = PartData::from_columns(shape, vec![column], len, positions, 0);
            let part = Part::new(Arc::new(data));
            let view = View {
                part: &part,
                slots: &[Some(Slot::Base(0))],
            };
            let mut out = Output::default();
            operator
                .step(0, &[view], &mut out)
                .expect("the step succeeds");
            let passed: Vec<usize> = out.rows().flat_map(|part| part.selection.iter()).collect();
            assert_eq!(passed, expected, "{text} on {shown}");
            assert_eq!(out.account.passed + out.account.filtered, len as u64);
        }
    }
}
