//! States of operators: parts of the input merged give what the whole gives, in every grouping; a
//! state saved and loaded goes on as if nothing had been, and so does one of which a part is in files.

use std::cell::Cell;
use std::sync::Arc;
use wireq_engine::operator::operator_spec;
use wireq_engine::plan::{NodeId, NodeKind};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Gives, Operator, OperatorSpec, StateClass, Verdict, View};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::{
    Column, ColumnDef, FieldPath, Kind, Part, PartData, Position, Positions, Recipe, Shape, Slot,
    Value, Zone, write_value,
};

/// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % limit
    }
}

/// An operator of a query, and how to make and feed it.
struct Stand {
    name: String,
    spec: Arc<OperatorSpec>,
    fields: Vec<FieldPath>,
    shape: Arc<Shape>,
    /// The shape of rows that it makes up.
    given: Option<Arc<Shape>>,
    /// Whether it is asked to keep a field that it does not need itself.
    keeps: bool,
    /// How many inputs there are: all are given the same rows.
    ports: usize,
    /// Whether it moves what it can to files now and then.
    spills: Cell<bool>,
}

type Row = Vec<Value>;

impl Stand {
    /// The operator of the first stage of a query.
    fn new(query: &str) -> Stand {
        let zone = Zone::utc();
        let texts = [Text {
            name: "query".into(),
            text: query.into(),
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
            .unwrap_or_else(|_| panic!("{query} compiles"));
        let order = plan.order();
        let is_join = |node: &&NodeId| matches!(plan.graph[**node].kind, NodeKind::Join(_));
        let node = *order.iter().find(is_join).unwrap_or(&order[1]);
        let inputs = plan.inputs(node);
        let spec = operator_spec(&plan.graph[node].kind).expect("the node is an operator");
        let mut fields = plan.fields_needed(&spec, inputs[0]);
        // What operators that keep rows are asked to keep.
        let live = FieldPath::new("len");
        let given = match &spec.gives {
            Gives::Retained(own) => Some(kept_shape(&plan.graph[node].kind, &live, own)),
            Gives::Made(columns) => Some(shape(
                columns
                    .iter()
                    .map(|(path, kind)| given_column(path, *kind))
                    .collect(),
            )),
            _ => None,
        };
        let keeps = matches!(spec.gives, Gives::Retained(_));
        if keeps {
            fields.push(live);
        }
        let columns = fields
            .iter()
            .map(|path| given_column(path, Kind::Dynamic))
            .collect();
        Stand {
            name: query.into(),
            spec,
            fields,
            shape: shape(columns),
            given,
            keeps,
            ports: inputs.len(),
            spills: Cell::new(false),
        }
    }

    fn make(&self) -> Box<dyn Operator> {
        let own = self.fields.len() - usize::from(self.keeps);
        (self.spec.make)(&Context {
            kinds: vec![Kind::Dynamic; own],
            fields: self.fields[..own].to_vec(),
            live: self.fields[own..].to_vec(),
            carried: Vec::new(),
            shape: self.given.clone(),
            origin: 1,
            zone: Arc::new(Zone::utc()),
            seed: 9,
            matching: Default::default(),
        })
    }

    /// Hands rows over in random batches; what comes out is added to `out`, a text a row.
    fn feed(
        &self,
        operator: &mut dyn Operator,
        rows: &[Row],
        first: usize,
        random: &mut Random,
        out: &mut Vec<String>,
    ) {
        let mut at = 0;
        while at < rows.len() {
            // Inputs are one sequence: a row comes at all of them before the next one does.
            let count = match self.ports {
                1 => (1 + random.below(7) as usize).min(rows.len() - at),
                _ => 1,
            };
            let batch = &rows[at..at + count];
            let columns = (0..self.fields.len())
                .map(|field| Column::from_values(batch.iter().map(|row| row[field].clone())));
            let data = PartData::from_columns(
                Arc::clone(&self.shape),
                columns.collect(),
                count,
                Positions::Run(Position::new(0, (first + at) as u32)),
                0,
            );
            let part = Part::new(Arc::new(data));
            let slots: Vec<Option<Slot>> = (0..self.fields.len())
                .map(|at| Some(Slot::Base(at as u16)))
                .collect();
            let mut output = Output::default();
            let view = View {
                part: &part,
                slots: &slots,
            };
            for port in 0..self.ports {
                let step = operator.step(port, &[view], &mut output);
                step.expect("the step succeeds");
            }
            collect(&output, out);
            at += count;
            if self.spills.get() && random.below(3) == 0 {
                operator.spill().expect("files can be written");
            }
        }
    }

    fn finish(&self, operator: &mut dyn Operator, out: &mut Vec<String>) {
        let mut output = Output::default();
        operator.finish(&mut output).expect("the end succeeds");
        while operator.has_more() {
            operator.finish(&mut output).expect("the end succeeds");
        }
        collect(&output, out);
    }

    /// A part of the input on its own: the operator, and what it gave or offered.
    fn part(
        &self,
        rows: &[Row],
        first: usize,
        random: &mut Random,
    ) -> (Box<dyn Operator>, Vec<String>) {
        let mut operator = self.make();
        operator.partial();
        let mut out = Vec::new();
        self.feed(&mut *operator, rows, first, random, &mut out);
        (operator, out)
    }
}

fn given_column(path: &FieldPath, kind: Kind) -> ColumnDef {
    ColumnDef {
        path: path.clone(),
        kind,
        recipe: Recipe::Given,
    }
}

fn shape(base: Vec<ColumnDef>) -> Arc<Shape> {
    Arc::new(Shape {
        record_type: None,
        base,
        extra: Vec::new(),
        summary: Vec::new(),
    })
}

/// What is kept of an object, and the operator's own columns.
fn kept_shape(kind: &NodeKind, live: &FieldPath, own: &[(FieldPath, Kind)]) -> Arc<Shape> {
    let keys = match kind {
        NodeKind::Aggregate(aggregate) => aggregate.keys.as_slice(),
        _ => &[],
    };
    let own = own.iter().map(|(path, _)| path);
    let paths = std::iter::once(live).chain(keys).chain(own);
    shape(
        paths
            .map(|path| given_column(path, Kind::Dynamic))
            .collect(),
    )
}

fn collect(output: &Output, out: &mut Vec<String>) {
    for part in output.rows() {
        for row in part.selection.iter() {
            let (position, identity) = (part.data.position(row), part.data.identity(row));
            // What an operator makes up is numbered over its whole run, of which this is a part.
            let identity = (identity.0 == 0).then_some(identity);
            let mut text = format!("{position:?} {identity:?}").into_bytes();
            for at in 0..part.shape.base.len() {
                text.push(b'\t');
                let value = part
                    .column(Slot::Base(at as u16))
                    .map_or(Value::Absent, |column| column.value(row));
                write_value(&value, &Zone::utc(), &mut text);
            }
            out.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

fn value(random: &mut Random) -> Value {
    match random.below(13) {
        0 => Value::Absent,
        1 => Value::Double(random.below(4) as f64 / 4.0),
        2 => Value::text(["a", "b\0", ""][random.below(3) as usize]),
        3 => Value::Bytes(b"a".as_slice().into()),
        4 => Value::Duration(random.below(3) as i64),
        12 => Value::Time(random.below(40) as i64 * 1_000_000_000),
        5 => Value::Address(std::net::Ipv4Addr::from(random.below(3) as u32).into()),
        6 => Value::Address(std::net::Ipv6Addr::from(u128::from(random.below(3)) << 64).into()),
        7 => Value::Double([1e300, -1e300, 0.1, f64::INFINITY][random.below(4) as usize]),
        _ => Value::Integer(i128::from(random.below(5)) - 1),
    }
}

fn rows(stand: &Stand, random: &mut Random) -> Vec<Row> {
    if stand.name.starts_with("flow") && random.below(3) > 0 {
        return packets(stand, random);
    }
    let count = random.below(60);
    (0..count)
        .map(|_| stand.fields.iter().map(|_| value(random)).collect())
        .collect()
}

fn standing(offered: Vec<String>, verdict: Verdict) -> Vec<String> {
    match verdict {
        Verdict::All => offered,
        Verdict::Each(stands) => {
            assert_eq!(stands.len(), offered.len(), "a verdict on each row offered");
            offered
                .into_iter()
                .zip(stands)
                .filter(|(_, stands)| *stands)
                .map(|(row, _)| row)
                .collect()
        }
    }
}

const QUERIES: &[&str] = &[
    "uniq srcip",
    "uniq srcip dstport",
    "head 3",
    "head 1000",
    "skip 3",
    "skip 1000",
    "count()",
    "count(dstport)",
    "count() group by srcip",
    "count() sum(ttl) group by srcip dstport",
    "sum(ttl) min(ipid) max(seq)",
    "min(ipid) max(ack) group by srcip",
    "where srcip = 0.0.0.1 | count()",
    "project srcip dstport",
    "equals srcip 1 a 0.0.0.1 \"0\" 0.0.0.0/31 1e300",
    "iplookup srcip 0.0.0.0/31 ::/0",
    "iplookup -a -f net srcip 0.0.0.0/31 ::/0",
    "mask srcip !0.0.0.0/31",
    "match -v srcip ^[0-9]",
    "rename srcip a a b",
    "substr -i srcip A 0",
    "uniqobj",
    "top srcip",
    "top -n 2 srcip dstport",
    "sample 1",
    "sample 3",
    "sample 1000",
    "const -t address 0.0.0.1",
    "div -d 2 srcip",
    "during 1970-01-01T00:00:02Z 25",
    "during --ordered - 20",
    "during --ordered 2 30",
    "avg(ttl)",
    "print srcip avg(ttl) stddev(seq) group by srcip",
    "stddev(-s ttl)",
    "first(ipid)",
    "final(ipid)",
    "first(ttl) final(seq) group by srcip",
    "distinct(srcip)",
    "distinct(-a srcip)",
    "distinct(ttl) list(seq) group by srcip",
    "list(-n 3 ttl)",
    "median(srcip)",
    "quantile(0.95, srcip)",
    "quantile(-a 0.9 ttl) group by srcip",
    "median(-a ttl)",
    "median(ttl) count() group by srcip dstport",
    "last srcip",
    "last srcip dstport",
    "sort srcip",
    "sort -r srcip",
    "sort dstport len srcip",
    "sort --order desc-first:asc-last:desc dstport vlan srcip",
    "tail 0",
    "tail 1",
    "tail 5",
    "tail 1000",
    "pdf -c ttl",
    "pdf -c ttl --max 7",
    "entropy -f ttl",
    "histogram srcip",
    "histogram srcip dstport",
    "histogram -w 2 srcip ttl",
    "histogram --max 2 -w 0.5 ttl",
    "cumdist srcip",
    "cumdist --max 2 srcip",
];

/// Where only objects of one key have to do with each other: the first field is the key. Parts of
/// the input that share no key can be merged.
const KEYED: &[&str] = &[
    "changes -i srcip ttl seq",
    "changes -t 0.9 -i srcip ttl seq",
    "changes -a -t 0.1 --histup 0.5 -i srcip ttl",
    "changes --base 2 --max 3 -i srcip seq",
    "(where true) a, b where a.srcip = b.srcip",
    "(where true) a, b where a.srcip = b.srcip and a.len <= b.len",
];

/// What takes one row at a time: parts of the input cannot be merged.
const SERIAL: &[&str] = &[
    "(where true) a until (new.a), b where a.srcip = b.srcip",
    "(where true) a, b, c where a.srcip = b.srcip and b.len < c.len",
    "(where true) a until (new.b.len < a.len), b where a.srcip = b.dstip",
    "active srcip",
    "active -t 10s --max 2 srcip dstport",
    "fifodelay -t 10s",
    "fifodelay -t 20s -o ttl --max 3",
    "clock -t 3s ts",
    "window --late 2s 3s",
    "window --of 5s --late 0 2s",
    "delta seq",
    "derivative seq ts",
    "deskew -b 1 -e 2 -s ttl len",
    "dfa -e 'START a srcip' -e 'a b len >= previous.len' -e 'b STOP srcip = previous.previous.srcip'",
    "dfa --max 3 -e 'START a srcip' -e 'a STOP srcip = previous.srcip and len != previous.len'",
    "dfa -t 9s -e 'START a len' -e 'a a srcip = previous.len' -e 'a STOP previous.previous'",
    "dfa -t 20s --max 2 -e 'START a true' -e 'a STOP srcip < previous.srcip or not previous.len = len'",
    "last -t 10s srcip",
    "pcapwrite",
    "sort -b 7 srcip",
    "sort -r -b 2 len",
    "flowid srcip",
    "flowid -r -t 5s srcip dstip",
    "flowid -t 2s --max 2 dstport",
];

/// What is divided by keys: with a field by which equal keys stay together.
const DIVIDED: &[(&str, &str)] = &[
    ("flow", "ipprotocol"),
    ("flow -i 3s -a 10s -l 1s", "ipprotocol"),
    ("flow -i 8s -b ttl srcip dstip vlan", "vlan"),
    ("flow -i 5s -a 6s dstport", "dstport"),
];

/// What else is divided by keys, but for its bound.
const BOUNDED: &[&str] = &["flow --max 2", "flow -i 3s -l 1s --max 3"];

fn all_queries() -> impl Iterator<Item = &'static &'static str> {
    let divided = DIVIDED.iter().map(|(query, _)| query);
    let keyed = KEYED.iter().chain(BOUNDED);
    QUERIES.iter().chain(keyed).chain(SERIAL).chain(divided)
}

#[test]
fn serial_states_refuse_to_be_merged() {
    for query in all_queries() {
        let stand = Stand::new(query);
        let serial = SERIAL.contains(query);
        assert_eq!(stand.spec.class == StateClass::Serial, serial, "{query}");
        if serial {
            let right = stand.make();
            assert!(stand.make().merge(&*right).is_err(), "{query}");
        }
    }
}

#[test]
fn merged_parts_give_what_the_whole_gives() {
    let mut random = Random(1);
    for query in QUERIES {
        let stand = Stand::new(query);
        for _ in 0..200 {
            let rows = rows(&stand, &mut random);
            stand.spills.set(false);
            let (mut whole, mut expected) = stand.part(&rows, 0, &mut random);
            stand.finish(&mut *whole, &mut expected);
            stand.spills.set(random.below(2) == 0);

            let mut cuts = [0, 0].map(|_| random.below(rows.len() as u64 + 1) as usize);
            cuts.sort_unstable();
            let (mut a, mut out) = stand.part(&rows[..cuts[0]], 0, &mut random);
            let (mut b, b_out) = stand.part(&rows[cuts[0]..cuts[1]], cuts[0], &mut random);
            let (c, c_out) = stand.part(&rows[cuts[1]..], cuts[1], &mut random);
            if random.below(2) == 0 {
                let verdict = a.merge(&*b).expect("equal operators merge");
                out.extend(standing(b_out, verdict));
                let verdict = a.merge(&*c).expect("equal operators merge");
                out.extend(standing(c_out, verdict));
            } else {
                let verdict = b.merge(&*c).expect("equal operators merge");
                let mut right = b_out;
                right.extend(standing(c_out, verdict));
                let verdict = a.merge(&*b).expect("equal operators merge");
                out.extend(standing(right, verdict));
            }
            stand.finish(&mut *a, &mut out);
            assert_eq!(out, expected, "{} cut at {cuts:?} of {rows:?}", stand.name);
        }
    }
}

/// Whether the key of a row belongs to the second of two parts of all keys.
fn is_second(row: &Row, salt: u64) -> bool {
    let mut key = Vec::new();
    wireq_typesys::key::encode(&row[0], &mut key);
    let hash = key.iter().fold(salt, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash >> 17 & 1 == 1
}

/// Rows of some keys on one side, rows of all others on the other: each gives for its rows what the
/// whole gives for them, and merged they go on as the whole does. Bounds are left out: they
/// concern all keys.
#[test]
fn keyed_states_merge_by_key() {
    let mut random = Random(6);
    for query in KEYED.iter().filter(|query| !query.contains("--max")) {
        let stand = Stand::new(query);
        assert_eq!(stand.spec.class, StateClass::Keyed, "{query}");
        for _ in 0..100 {
            let rows = rows(&stand, &mut random);
            let salt = random.below(1 << 40);
            let at = random.below(rows.len() as u64 + 1) as usize;
            let (mut whole, mut expected) = (stand.make(), Vec::new());
            stand.feed(&mut *whole, &rows, 0, &mut random, &mut expected);
            let (mut parts, mut out) = ([stand.make(), stand.make()], Vec::new());
            for (place, row) in rows[..at].iter().enumerate() {
                let part = &mut parts[usize::from(is_second(row, salt))];
                let row = std::slice::from_ref(row);
                stand.feed(&mut **part, row, place, &mut random, &mut out);
            }
            let [mut merged, right] = parts;
            let verdict = merged.merge(&*right).expect("no key is on both sides");
            assert_eq!(verdict, Verdict::All);
            stand.feed(&mut *merged, &rows[at..], at, &mut random, &mut out);
            assert_eq!(out, expected, "{query} merged at {at}");
        }
    }
}

/// Parts of an operator of the ordered class that are merged into one that saw the beginning give
/// what that one would have given, had it seen all.
#[test]
fn parts_merge_into_one_that_knows_the_beginning() {
    let mut random = Random(5);
    for query in QUERIES {
        let stand = Stand::new(query);
        if stand.spec.class != StateClass::Ordered || stand.given.is_some() {
            continue;
        }
        for _ in 0..100 {
            let rows = rows(&stand, &mut random);
            stand.spills.set(false);
            let (mut whole, mut expected) = (stand.make(), Vec::new());
            stand.feed(&mut *whole, &rows, 0, &mut random, &mut expected);
            stand.spills.set(random.below(2) == 0);
            let mut cuts = [0, 0].map(|_| random.below(rows.len() as u64 + 1) as usize);
            cuts.sort_unstable();
            let (mut left, mut out) = (stand.make(), Vec::new());
            stand.feed(&mut *left, &rows[..cuts[0]], 0, &mut random, &mut out);
            let (mut middle, mut offered) =
                stand.part(&rows[cuts[0]..cuts[1]], cuts[0], &mut random);
            let (last, last_offered) = stand.part(&rows[cuts[1]..], cuts[1], &mut random);
            if random.below(2) == 0 {
                let verdict = middle.merge(&*last).expect("equal operators merge");
                offered.extend(standing(last_offered, verdict));
                let verdict = left.merge(&*middle).expect("equal operators merge");
                out.extend(standing(offered, verdict));
            } else {
                let verdict = left.merge(&*middle).expect("equal operators merge");
                out.extend(standing(offered, verdict));
                let verdict = left.merge(&*last).expect("equal operators merge");
                out.extend(standing(last_offered, verdict));
            }
            assert_eq!(out, expected, "{query} cut at {cuts:?}");
        }
    }
}

#[test]
fn commutative_states_merge_in_any_order() {
    let mut random = Random(2);
    for query in QUERIES {
        let stand = Stand::new(query);
        // The last object, which an aggregate keeps, is not commutative: leave it out.
        if stand.spec.class != StateClass::Commutative || stand.given.is_none() {
            continue;
        }
        for _ in 0..100 {
            let rows = rows(&stand, &mut random);
            let at = random.below(rows.len() as u64 + 1) as usize;
            stand.spills.set(random.below(2) == 0);
            let without_kept = |rows: Vec<String>| -> Vec<String> {
                rows.iter()
                    .map(|row| row.splitn(3, '\t').nth(2).unwrap_or("").to_owned())
                    .collect()
            };
            let (mut a, _) = stand.part(&rows[..at], 0, &mut random);
            let (b, _) = stand.part(&rows[at..], at, &mut random);
            let (mut later, _) = stand.part(&rows[at..], at, &mut random);
            let (earlier, _) = stand.part(&rows[..at], 0, &mut random);
            a.merge(&*b).expect("equal operators merge");
            later.merge(&*earlier).expect("equal operators merge");
            let (mut left, mut right) = (Vec::new(), Vec::new());
            stand.finish(&mut *a, &mut left);
            stand.finish(&mut *later, &mut right);
            assert_eq!(without_kept(left), without_kept(right), "{query}");
        }
    }
}

/// Rows with keys of one byte, times that mostly rise, and TCP flags.
fn packets(stand: &Stand, random: &mut Random) -> Vec<Row> {
    let mut clock = 0;
    let count = random.below(80);
    let row = |_| {
        clock += random.below(3) as i64;
        let back = random.below(12) as i64;
        let time = clock - if back > 9 { 4 * (back - 9) } else { 0 };
        let mut field = |path: &FieldPath| match path.as_str() {
            "ts" => Value::Time(time * 1_000_000_000),
            "tcpflags" => Value::Integer([2, 18, 16, 17, 4][random.below(5) as usize]),
            _ => Value::Integer(random.below(2).into()),
        };
        stand.fields.iter().map(&mut field).collect()
    };
    (0..count).map(row).collect()
}

/// Rows come to one of several operators by their keys; the others are told the time. Together
/// they give what one gives to which all come, also when they become one on the way.
#[test]
fn keys_divided_give_what_all_together_give() {
    let mut random = Random(6);
    for (query, field) in DIVIDED {
        let stand = Stand::new(query);
        assert_eq!(stand.spec.class, StateClass::Keyed, "{query}");
        let by = stand.fields.iter().position(|path| path.as_str() == *field);
        let by = by.expect("the field is one that the operator reads");
        let time = stand.fields.iter().position(|path| path.as_str() == "ts");
        let time = time.expect("flows have times");
        for _ in 0..100 {
            let rows = packets(&stand, &mut random);
            let (mut whole, mut expected) = (stand.make(), Vec::new());
            stand.feed(&mut *whole, &rows, 0, &mut random, &mut expected);
            stand.finish(&mut *whole, &mut expected);

            let merged_at = random.below(rows.len() as u64 + 1) as usize;
            let mut parts = vec![stand.make(), stand.make()];
            let mut out = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                if at == merged_at {
                    merge_all(&mut parts);
                }
                let mine = row[by].as_integer().unwrap_or(0) as usize % parts.len();
                for (part, operator) in parts.iter_mut().enumerate() {
                    if part == mine {
                        let row = std::slice::from_ref(row);
                        stand.feed(&mut **operator, row, at, &mut random, &mut out);
                    } else if let Value::Time(time) = row[time] {
                        let mut output = Output::default();
                        operator
                            .control(
                                Position::new(0, at as u32),
                                &Control::Watermark(time),
                                &mut output,
                            )
                            .expect("the control is taken");
                        collect(&output, &mut out);
                    }
                }
            }
            merge_all(&mut parts);
            stand.finish(&mut *parts[0], &mut out);
            assert_eq!(
                by_position(out),
                by_position(expected),
                "{query} merged at {merged_at} of {rows:?}"
            );
        }
    }
}

fn merge_all(parts: &mut Vec<Box<dyn Operator>>) {
    for right in parts.split_off(1) {
        parts[0].merge(&*right).expect("no key is in both");
    }
}

/// Rows without their identities, in an order that does not depend on who gave them.
fn by_position(rows: Vec<String>) -> Vec<String> {
    let without_identity = |row: &String| {
        let (place, columns) = row.split_once('\t').unwrap_or((row, ""));
        let position = place.split(' ').next().unwrap_or("");
        format!("{position}\t{columns}")
    };
    let mut rows: Vec<String> = rows.iter().map(without_identity).collect();
    rows.sort();
    rows
}

#[test]
fn parts_with_a_key_in_common_are_not_merged() {
    let mut random = Random(7);
    let stand = Stand::new("flow");
    let rows = vec![vec![Value::Integer(1); stand.fields.len()]];
    let (mut left, _) = stand.part(&rows, 0, &mut random);
    let (right, _) = stand.part(&rows, 1, &mut random);
    assert!(left.merge(&*right).is_err());
}

#[test]
fn saved_states_go_on() {
    let mut random = Random(3);
    for query in all_queries() {
        let stand = Stand::new(query);
        for _ in 0..200 {
            let rows = rows(&stand, &mut random);
            stand.spills.set(false);
            let (mut whole, mut expected) = stand.part(&rows, 0, &mut random);
            stand.finish(&mut *whole, &mut expected);
            stand.spills.set(random.below(2) == 0);

            let at = random.below(rows.len() as u64 + 1) as usize;
            let (first, mut out) = stand.part(&rows[..at], 0, &mut random);
            let mut saved = Writer::default();
            first.save(&mut saved);
            let saved = saved.into_bytes();
            let mut operator = stand.make();
            let mut reader = Reader::new(&saved, &[]);
            operator
                .load(&mut reader)
                .expect("what was saved can be loaded");
            assert!(reader.is_at_end(), "{query}: all that was saved is loaded");
            stand.feed(&mut *operator, &rows[at..], at, &mut random, &mut out);
            stand.finish(&mut *operator, &mut out);
            assert_eq!(out, expected, "{query} saved at {at}");
        }
    }
}

#[test]
fn damaged_snapshots_are_refused_or_loaded_but_never_panic() {
    let mut random = Random(4);
    for query in all_queries() {
        let stand = Stand::new(query);
        for _ in 0..100 {
            stand.spills.set(random.below(2) == 0);
            let rows = rows(&stand, &mut random);
            let (operator, _) = stand.part(&rows, 0, &mut random);
            let mut saved = Writer::default();
            operator.save(&mut saved);
            let mut saved = saved.into_bytes();
            if saved.is_empty() {
                continue;
            }
            for _ in 0..1 + random.below(4) {
                let at = random.below(saved.len() as u64) as usize;
                saved[at] = random.below(256) as u8;
            }
            saved.truncate(random.below(saved.len() as u64 + 1) as usize);
            let mut operator = stand.make();
            if operator.load(&mut Reader::new(&saved, &[])).is_ok() {
                stand.feed(&mut *operator, &rows, 0, &mut random, &mut Vec::new());
                stand.finish(&mut *operator, &mut Vec::new());
            }
        }
    }
}

#[test]
fn kept_objects_are_those_that_came() {
    let mut random = Random(5);
    for (query, first) in [("tail 1000", 0), ("tail 20", 30), ("sort -r dstport", 0)] {
        let stand = Stand::new(query);
        // The field that is kept comes last; all others are absent.
        let mut rows = vec![vec![Value::Absent; stand.fields.len()]; 50];
        let special = [
            Value::Double(-0.0),
            Value::Double(1e18),
            Value::Bytes(b"\0".as_slice().into()),
        ];
        for (at, row) in rows.iter_mut().enumerate() {
            let kept = special.get(at % 7).cloned();
            *row.last_mut().expect("there is a field") = kept.unwrap_or_else(|| value(&mut random));
        }
        let (mut operator, mut given) = stand.part(&rows, 0, &mut random);
        stand.finish(&mut *operator, &mut given);
        let kept = rows.iter().enumerate().skip(first);
        let mut expected: Vec<String> = kept
            .map(|(at, row)| {
                let mut text = format!("{:?} {:?}\t", Position::END, Some((0, at))).into_bytes();
                write_value(&row[row.len() - 1], &Zone::utc(), &mut text);
                String::from_utf8_lossy(&text).into_owned()
            })
            .collect();
        if query.starts_with("sort -r") {
            expected.reverse();
        }
        assert_eq!(given, expected, "{query}");
    }
}
