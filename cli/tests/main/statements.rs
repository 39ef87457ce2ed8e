//! Many statements: read once, and none changes another's output.

use crate::json::Json;
use crate::run::{OFFICE_PACKETS, read, scratch, wireq};
use std::path::Path;

/// A hundred ports, of which some occur.
fn queries() -> Vec<String> {
    let ports = [21, 22, 53, 80, 514, 993, 1900, 5004, 5353, 8080]
        .into_iter()
        .chain(20001..20091);
    ports
        .map(|port| format!("where dstport = {port} | count() | print count"))
        .collect()
}

#[test]
fn a_hundred_statements_read_a_capture_once() {
    let queries = queries();
    assert_eq!(queries.len(), 100);
    let together = wireq(&["--stats=json", &queries.join("\n"), "office.pcap"]);
    assert_eq!(together.status, 0);
    let stats = Json::parse(&together.stderr);
    let nodes = stats.get("nodes").list().iter();
    let sources: Vec<&Json> = nodes
        .filter(|node| *node.get("source") == Json::Bool(true))
        .collect();
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].get("in").number(), OFFICE_PACKETS);
    assert_eq!(stats.get("inputs").list().len(), 1);

    let alone = queries
        .iter()
        .map(|query| wireq(&[query, "office.pcap"]).results());
    let alone: String = alone.collect();
    assert_eq!(together.stdout, alone);
    assert_eq!(alone.lines().count(), 10);
}

const LABELLED: [(&str, &str); 12] = [
    ("all", "print len"),
    ("summary", "where dstport = 80"),
    (
        "web",
        "where dstport = 80 | uniq srcip dstip | print srcip dstip",
    ),
    ("senders", "print srcip count() sum(len) group by srcip"),
    ("first", "where dstport = 80 | head 3 | print ts srcip"),
    ("none", "where len > 100000 | print len"),
    (
        "bag",
        "(where dstport = 80) + (where dstport = 53) | print dstport",
    ),
    ("two", "print dstport | where dstport = 53 | print srcport"),
    ("pairs", "where dstport = 80 | uniq srcip dstip | count()"),
    ("project", "project srcip len | where len > 200"),
    ("having", "count() group by dstport having count > 20"),
    ("heads", "print frame.number | head 7"),
];

/// Runs the statements with these numbers, each with its own file.
fn run(numbers: &[usize], folder: &Path) -> Vec<String> {
    let mut arguments = Vec::new();
    for number in numbers {
        let (label, query) = LABELLED[*number];
        arguments.extend(["-e".to_owned(), format!("{label}: {query}")]);
        let file = folder.join(label).display().to_string();
        arguments.extend(["--out".to_owned(), format!("{label}={file}")]);
    }
    arguments.extend(["-r".to_owned(), "office.pcap".to_owned()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(wireq(&arguments).results(), "");
    let files = numbers.iter().map(|at| folder.join(LABELLED[*at].0));
    files.map(|file| read(&file)).collect()
}

#[test]
fn a_statement_more_or_less_changes_no_other() {
    let folder = scratch("more-or-less");
    let all: Vec<usize> = (0..LABELLED.len()).collect();
    let together = run(&all, &folder);
    for number in &all {
        assert_eq!(
            run(&[*number], &folder)[0],
            together[*number],
            "{number} alone"
        );
        let others: Vec<usize> = all.iter().copied().filter(|at| at != number).collect();
        let outputs = run(&others, &folder);
        for (at, output) in others.iter().zip(outputs) {
            assert_eq!(output, together[*at], "{at} without {number}");
        }
    }
    let empty = together.iter().filter(|output| output.is_empty()).count();
    assert_eq!(empty, 1, "only `none` gives nothing");
}

#[test]
fn the_order_of_statements_changes_no_file() {
    let folder = scratch("turned");
    let all: Vec<usize> = (0..LABELLED.len()).collect();
    let turned: Vec<usize> = all.iter().rev().copied().collect();
    let mut outputs = run(&turned, &folder);
    outputs.reverse();
    assert_eq!(outputs, run(&all, &folder));
}

#[test]
fn outputs_are_named_by_number_too() {
    let folder = scratch("numbered");
    let path = |name: &str| folder.join(name).display().to_string();
    let (first, third) = (format!("1={}", path("a")), format!("3={}", path("b")));
    let query = "print len\nprint srcport\nthird: count()";
    let outcome = wireq(&[query, "five.pcap", "--out", &first, "--out", &third]);
    assert_eq!(outcome.results(), "40001\n40002\n40004\n40005\n");
    assert_eq!(read(&folder.join("a")), "74\n125\n60\n54\n76\n");
    assert_eq!(read(&folder.join("b")), "5\n");
}

#[test]
fn two_statements_may_share_a_file() {
    let file = scratch("shared-file").join("both");
    let (a, b) = (
        format!("a={}", file.display()),
        format!("b={}", file.display()),
    );
    let query = "a: print len\nb: where dstport = 80 | print srcport";
    wireq(&[query, "five.pcap", "--out", &a, "--out", &b]).results();
    assert_eq!(read(&file), "74\n125\n40002\n60\n54\n40004\n76\n");
}
