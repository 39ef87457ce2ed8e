//! Machines divided by key, merged, saved and loaded; machines and watermarks.

use super::plan;
use super::support::Random;
use std::sync::Arc;
use wireq_engine::operator::operator_spec;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Operator, OperatorSpec, StateClass, Verdict, View};
use wireq_typesys::{
    Column, ColumnDef, FieldPath, Kind, Part, PartData, Position, Positions, Recipe, Shape, Slot,
    Value, Zone,
};

/// An operator of a query, and the fields that it reads; rows hold their values.
struct Stand {
    spec: Arc<OperatorSpec>,
    fields: Vec<FieldPath>,
}

impl Stand {
    fn new(query: &str) -> Stand {
        let plan = plan(query).expect("the query compiles");
        let order = plan.order();
        let spec = operator_spec(&plan.graph[order[1]].kind).expect("an operator");
        let fields = plan.fields_needed(&spec, order[0]);
        Stand { spec, fields }
    }

    fn make(&self) -> Box<dyn Operator> {
        (self.spec.make)(&Context {
            kinds: vec![Kind::Dynamic; self.fields.len()],
            fields: self.fields.clone(),
            live: Vec::new(),
            carried: Vec::new(),
            shape: None,
            origin: 1,
            zone: Arc::new(Zone::utc()),
            seed: 9,
            matching: Default::default(),
        })
    }

    /// Hands one row over; whether it is given.
    fn take(&self, operator: &mut dyn Operator, row: &[Value]) -> bool {
        let column = |path: &FieldPath| ColumnDef {
            path: path.clone(),
            kind: Kind::Dynamic,
            recipe: Recipe::Given,
        };
        let shape = Shape {
            record_type: None,
            base: self.fields.iter().map(column).collect(),
            extra: Vec::new(),
            summary: Vec::new(),
        };
        let columns = row.iter().map(|value| Column::from_values([value.clone()]));
        let positions = Positions::All(Position::START);
        let columns = columns.collect();
        let data = PartData::from_columns(Arc::new(shape), columns, 1, positions, 0);
        let slots: Vec<_> = (0..row.len())
            .map(|at| Some(Slot::Base(at as u16)))
            .collect();
        let view = View {
            part: &Part::new(Arc::new(data)),
            slots: &slots,
        };
        let mut out = Output::default();
        operator
            .step(0, &[view], &mut out)
            .expect("the step succeeds");
        out.rows().count() > 0
    }
}

/// Machines in which only objects of one address have to do with each other.
const KEYED: [&str; 3] = [
    "dfa -e 'START a true' -e 'a STOP srcip = previous.srcip and len != previous.len'",
    "dfa -e 'START a len' -e 'a b srcip = previous.srcip' -e 'b b len < previous.len and previous.srcip = srcip' \
     -e 'b STOP previous.previous.len = len and srcip = previous.srcip' -e 'b START srcip = previous.srcip and len = 4'",
    "dfa -e 'START a true' -e 'START STOP len = 2' -e 'a STOP dstip = previous.dstip and srcip = previous.srcip'",
];

fn value(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Absent,
        1 => Value::Double(random.below(4) as f64),
        2 => Value::Mac(wireq_typesys::Mac([random.below(2) as u8; 6])),
        3 => Value::Bytes(b"a".as_slice().into()),
        _ => Value::Integer(random.below(5) as i128),
    }
}

/// Rows of some addresses on one side, rows of all others on the other: each side gives what the whole
/// gives of its rows, and merged, saved and loaded they go on as the whole does.
#[test]
fn keyed_machines_are_divided_by_key() {
    let mut random = Random(3);
    let mut given = 0;
    for query in KEYED {
        let stand = Stand::new(query);
        assert_eq!(stand.spec.class, StateClass::Keyed, "{query}");
        let key = stand
            .fields
            .iter()
            .position(|field| field.as_str() == "srcip");
        let key = key.expect("the machine reads the address");
        for _ in 0..150 {
            let count = random.below(60);
            let mut row = || stand.fields.iter().map(|_| value(&mut random)).collect();
            let rows: Vec<Vec<Value>> = (0..count).map(|_| row()).collect();
            let salt = random.next();
            let side = |row: &[Value]| {
                let mut bytes = Vec::new();
                wireq_typesys::key::encode(&row[key], &mut bytes);
                let hash =
                    |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                (bytes.iter().fold(salt, hash) >> 17 & 1) as usize
            };
            let cut = random.below(count + 1);
            let mut whole = stand.make();
            let expected: Vec<bool> = rows
                .iter()
                .map(|row| stand.take(&mut *whole, row))
                .collect();
            let mut parts = [stand.make(), stand.make()];
            let take = |row: &Vec<Value>| stand.take(&mut *parts[side(row)], row);
            let mut out: Vec<bool> = rows[..cut].iter().map(take).collect();
            let [mut merged, right] = parts;
            assert_eq!(
                merged.merge(&*right).expect("no key is on both sides"),
                Verdict::All
            );
            let mut saved = Writer::default();
            merged.save(&mut saved);
            let mut resumed = stand.make();
            let saved = saved.into_bytes();
            resumed
                .load(&mut Reader::new(&saved, &[]))
                .expect("what was saved can be loaded");
            out.extend(rows[cut..].iter().map(|row| stand.take(&mut *resumed, row)));
            assert_eq!(out, expected, "{query} merged at {cut}: {rows:?}");
            given += expected.iter().filter(|given| **given).count();
        }
    }
    assert!(given > 1000);
}

#[test]
fn a_watermark_drops_machines() {
    let stand = Stand::new("dfa -t 5s -e 'START a len' -e 'a STOP len = previous.len'");
    let row = |seconds: i64| [Value::Integer(60), Value::Time(seconds * 1_000_000_000)];
    for (mark, given) in [(15, true), (16, false)] {
        let mut operator = stand.make();
        assert!(!stand.take(&mut *operator, &row(10)));
        let mark = Control::Watermark(mark * 1_000_000_000);
        let control = operator.control(Position::START, &mark, &mut Output::default());
        control.expect("the control succeeds");
        assert_eq!(stand.take(&mut *operator, &row(12)), given);
    }
}

#[test]
fn machines_are_keyed_only_where_all_objects_that_meet_are_equal() {
    for (class, query) in [
        (StateClass::Stateless, "dfa -e 'START STOP len'"),
        (StateClass::Serial, "dfa -e 'START a len' -e 'a STOP len'"),
        (
            StateClass::Serial,
            "dfa -e 'START a len' -e 'a STOP srcip = previous.dstip'",
        ),
        (
            StateClass::Serial,
            "dfa -e 'START a len' -e 'a b len = previous.len' -e 'b STOP ttl = previous.ttl'",
        ),
        (
            StateClass::Serial,
            "dfa -e 'START a len' -e 'a STOP len = previous.len or ttl = previous.ttl'",
        ),
        (
            StateClass::Serial,
            "dfa -e 'START a len' -e 'a START ttl' -e 'a STOP len = previous.len'",
        ),
        (
            StateClass::Serial,
            "dfa -t 1 -e 'START a len' -e 'a STOP len = previous.len'",
        ),
        (
            StateClass::Serial,
            "dfa --max 5 -e 'START a len' -e 'a STOP len = previous.len'",
        ),
        (
            StateClass::Keyed,
            "dfa -e 'START a len' -e 'a STOP len = previous.len and ttl = 2'",
        ),
    ] {
        assert_eq!(Stand::new(query).spec.class, class, "{query}");
    }
}
