//! The account adds up.

use crate::json::Json;
use crate::run::{OFFICE_PACKETS, wireq};

const QUERIES: [&str; 14] = [
    "count()",
    "where dstport = 80",
    "where dstport = 80 | uniq srcip dstip | print srcip dstip",
    "where not dstport = 80 | head 10",
    "print len | head 3",
    "head 0 | count()",
    "print srcip count() sum(len) group by srcip",
    "print vlan srcport count() group by vlan, srcport having count > 1",
    "project srcip vlan | uniq srcip vlan | head 5 | print srcip",
    "(where dstport = 80) + (where dstport = 53) | count()",
    "(head 2) + (where vlan | print vlan) | uniq ts",
    "count() group by srcip, dstport | count() as ports group by srcip | head 2",
    "where dstport = 80 | print len\nwhere dstport = 80 | count()\nhead 5 | print ts",
    "where len > 100000 | count()",
];

/// Where the rows that came into a node went.
const WENT: [&str; 6] = [
    "passed", "filtered", "absorbed", "evicted", "dropped", "cut",
];

fn stats(arguments: &[&str]) -> Json {
    let outcome = wireq(&[&["--stats=json"], arguments].concat());
    assert_eq!(outcome.status, 0);
    Json::parse(&outcome.stderr)
}

fn check(node: &Json, query: &str) {
    let went: u64 = WENT.iter().map(|name| node.get(name).number()).sum();
    assert_eq!(node.get("in").number(), went, "{query}: {node:?}");
}

#[test]
fn what_came_in_went_somewhere() {
    let mut nodes = 0;
    for query in QUERIES {
        for mode in [
            "--batch=1",
            "--batch=3",
            "--batch=2048",
            "--no-rewrite=share",
        ] {
            let stats = stats(&[mode, query, "office.pcap"]);
            let list = stats.get("nodes").list();
            list.iter().for_each(|node| check(node, query));
            nodes += list.len();
        }
    }
    assert!(nodes > 100, "{nodes}");
}

/// The nodes whose name begins so.
fn named<'a>(stats: &'a Json, begin: &str) -> Vec<&'a Json> {
    let is_it = |node: &&Json| match node.get("node") {
        Json::Text(name) => name.starts_with(begin),
        _ => false,
    };
    stats.get("nodes").list().iter().filter(is_it).collect()
}

#[test]
fn each_count_is_right() {
    let stats = stats(&["where dstport = 80 | count()", "five.pcap"]);
    let filter = named(&stats, "where")[0];
    let counts = ["in", "passed", "filtered"].map(|name| filter.get(name).number());
    assert_eq!(counts, [5, 2, 3]);
    let aggregate = named(&stats, "aggregate")[0];
    let counts = ["in", "absorbed", "emitted"].map(|name| aggregate.get(name).number());
    assert_eq!(counts, [2, 2, 1]);
    assert_eq!(*stats.get("interrupted"), Json::Bool(false));
}

#[test]
fn objects_without_a_key_are_filtered() {
    let stats = stats(&["count() group by vlan", "five.pcap"]);
    let aggregate = named(&stats, "aggregate")[0];
    let counts = ["in", "filtered", "absorbed"].map(|name| aggregate.get(name).number());
    assert_eq!(counts, [5, 4, 1]);
}

#[test]
fn damage_is_in_the_account() {
    let stats = stats(&["-q", "count()", "cut.pcap", "five.pcap"]);
    let inputs = stats.get("inputs").list();
    assert_eq!(inputs.len(), 2);
    assert_eq!(inputs[0].get("records").number(), 4);
    assert_eq!(inputs[0].get("bytes_used").number(), 401);
    let skipped = &inputs[0].get("skipped").list()[0];
    assert_eq!(
        (
            skipped.get("offset").number(),
            skipped.get("bytes").number()
        ),
        (401, 54)
    );
    assert_eq!(inputs[1].get("skipped").list(), []);
    assert_eq!(inputs[1].get("bytes_used").number(), 493);
}

#[test]
fn text_has_a_line_for_each_node() {
    let outcome = wireq(&["--stats", "where dstport = 80 | count()", "office.pcap"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "68\n"));
    let text = outcome.stderr;
    let mut lines = text.lines();
    assert!(
        lines.next().is_some_and(|line| line.ends_with("  node")),
        "{text}"
    );
    let source = lines.next().expect("the source");
    let first: Option<&str> = source.split_whitespace().next();
    assert_eq!(first, Some(OFFICE_PACKETS.to_string().as_str()), "{text}");
    assert!(text.contains("office.pcap: 421 records, "), "{text}");
}
