//! `wireq rules`, and that a rule as a query gives the packets that the rule is about.

use crate::run::{captures, wireq};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

fn lines(arguments: &[&str]) -> BTreeSet<String> {
    let outcome = wireq(arguments);
    // A capture may be damaged: what can be read of it is read.
    let ran = matches!(outcome.status, 0 | 4);
    assert!(ran, "{arguments:?}: {}", outcome.stderr);
    outcome.stdout.lines().map(str::to_owned).collect()
}

/// The numbers of rules with the queries that they are.
fn queries(arguments: &[&str]) -> Vec<(String, String)> {
    let as_rules = wireq(&[&["rules", "show", "--as-rule"], arguments].concat());
    let as_queries = wireq(&[&["rules", "show"], arguments].concat());
    let sid = |rule: &str| {
        let (_, behind) = rule.rsplit_once(" sid:").expect("a number");
        let end = behind.find(';').expect("an end");
        behind[..end].to_owned()
    };
    let sids = as_rules.stdout.lines().map(sid);
    let queries = as_queries.stdout.lines().map(str::to_owned);
    let found: Vec<(String, String)> = sids.zip(queries).collect();
    assert_eq!(found.len(), as_queries.stdout.lines().count());
    found
}

/// What rules say of a capture has to be what their queries, each on its own, say of it. Gives how
/// many pairs of packet and rule there are.
fn compare(capture: &str, files: &[&str], flags: &[&str]) -> usize {
    let module = format!(
        "rules --skip-unsupported {} {} | print sid frame.number",
        flags.join(" "),
        files.join(" ")
    );
    let expected = lines(&[&module, capture]);
    let mut found = BTreeSet::new();
    let all = queries(&[flags, files].concat());
    // A statement for each, told apart by its label.
    for chunk in all.chunks(100) {
        let mut text = String::new();
        for (sid, query) in chunk {
            let _ = writeln!(text, "r{sid}: {query} | print frame.number");
        }
        for line in lines(&["--tag", "-e", &text, "-r", capture]) {
            found.insert(line.trim_start_matches('r').to_owned());
        }
    }
    assert_eq!(found, expected, "{capture}");
    expected.len()
}

#[test]
fn a_rule_as_a_query_gives_its_packets() {
    for (capture, least) in [
        ("five.pcap", 7),
        ("office.pcap", 500),
        ("ipv6.pcap", 200),
        ("hostile.pcap", 90),
        ("vlan.pcap", 100),
    ] {
        let files = ["../rules/web.rules", "../rules/office.rules"];
        let pairs = compare(capture, &files, &[]);
        assert!(pairs >= least, "{capture}: {pairs}");
    }
}

fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("WIREQ_SHARED").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let shared = named.unwrap_or_else(beside);
    if shared.join("data/rules").exists() {
        return Some(shared);
    }
    eprintln!(
        "OUTSIDE TESTS SKIPPED: no test material at {}; set WIREQ_SHARED",
        shared.display()
    );
    None
}

#[test]
fn rules_of_others_give_what_their_queries_give() {
    let Some(shared) = shared() else { return };
    // A seeded sample: every so many-th rule; the sweep takes more.
    let sweep = std::env::var_os("WIREQ_SWEEP").is_some();
    let every = if sweep { 1 } else { 4 };
    let folder = std::env::temp_dir().join(format!("wireq-rules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let sample = folder.join("sample.rules");
    let mut text = Vec::new();
    let bytes = std::fs::read(shared.join("data/rules/snort-gpl.rules")).expect("rules");
    let lines = bytes.split(|byte| *byte == b'\n').step_by(every);
    lines.for_each(|line| text.extend([line, b"\n"].concat()));
    std::fs::write(&sample, text).expect("a file");
    let sample = sample.to_str().expect("a path");
    let flags = [
        "--packet-only",
        "--var",
        "HOME_NET=any",
        "--var",
        "EXTERNAL_NET=any",
        "--var",
        "HTTP_PORTS=any",
    ];
    let office = captures().join("office.pcap");
    let mut paths = vec![office.to_str().expect("a path").to_owned()];
    let mut others: Vec<PathBuf> = std::fs::read_dir(shared.join("data/captures"))
        .expect("captures")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pcap")
        })
        .filter(|path| path.metadata().is_ok_and(|data| data.len() > 20_000))
        .collect();
    others.sort();
    let others = others.iter().step_by(if sweep { 4 } else { 100 });
    paths.extend(others.filter_map(|path| Some(path.to_str()?.to_owned())));
    let mut pairs = 0;
    for path in &paths {
        pairs += compare(path, &[sample], &flags);
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(pairs >= 10, "{pairs} pairs of {} captures", paths.len());
}

#[test]
fn check_counts_keywords() {
    let outcome = wireq(&["rules", "check", "../rules/mixed.rules"]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let counts = |name: &str| {
        let line = outcome.stdout.lines().find(|line| line.starts_with(name));
        let words = line.unwrap_or_default().split_whitespace().skip(1);
        words.map(str::to_owned).collect::<Vec<String>>()
    };
    assert!(outcome.stdout.starts_with("rules: 1 understood, 7 not\n"));
    assert_eq!(counts("content "), ["5", "0"]);
    assert_eq!(counts("pcre "), ["2", "1"]);
    assert_eq!(counts("http.uri "), ["0", "1"]);
    let json = wireq(&["rules", "check", "--json", "../rules/mixed.rules"]).stdout;
    for part in [
        "{\"understood\":1,\"refused\":7,\"keywords\":{",
        "\"flow\":{\"understood\":0,\"refused\":1}",
        "\"file\":\"../rules/mixed.rules\",\"line\":2,\"column\":60,\"what\":\"flow\"",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
    let list = wireq(&["rules", "check", "--list", "../rules/mixed.rules"]).stdout;
    let alike = list
        .lines()
        .all(|line| line.starts_with("../rules/mixed.rules:"));
    assert!(alike && list.lines().count() == 11, "{list}");
}

#[test]
fn what_of_rules_is_not_there_is_a_fault() {
    for (arguments, status, part) in [
        (
            &["rules", "show", "--sid", "99", "../rules/web.rules"][..],
            2,
            "there is no rule 99",
        ),
        (
            &["rules", "show", "--sid", "10", "../rules/mixed.rules"],
            2,
            "`flow` needs the state",
        ),
        (&["rules", "check", "../rules/none.rules"], 5, "none.rules"),
        (
            &["rules", "check", "--var", "X", "../rules/web.rules"],
            2,
            "NAME=VALUE",
        ),
        (&["rules", "check"], 2, "FILE"),
        (&["rules"], 2, "check"),
    ] {
        let outcome = wireq(arguments);
        assert_eq!(outcome.status, status, "{arguments:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(part),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn how_much_of_the_rules_of_others_is_understood() {
    let Some(shared) = shared() else { return };
    let check = |flags: &[&str], name: &str| {
        let path = shared.join("data/rules").join(name);
        let path = path.to_str().expect("a path");
        let outcome = wireq(&[&["rules", "check"], flags, &[path]].concat());
        outcome.stdout.lines().next().unwrap_or_default().to_owned()
    };
    for (flags, name, expected) in [
        (
            &[][..],
            "snort-gpl.rules",
            "rules: 381 understood, 2484 not",
        ),
        (
            &["--packet-only"],
            "snort-gpl.rules",
            "rules: 2862 understood, 3 not",
        ),
        (
            &[],
            "et-open-part.rules",
            "rules: 113 understood, 12552 not",
        ),
        (
            &["--packet-only"],
            "et-open-part.rules",
            "rules: 12253 understood, 412 not",
        ),
    ] {
        assert_eq!(check(flags, name), expected, "{flags:?} {name}");
    }
}

const WAYS: [(&str, &str); 8] = [
    ("auto", "off"),
    ("naive", "off"),
    ("snort", "on"),
    ("snort", "off"),
    ("counting", "on"),
    ("counting", "off"),
    ("dataflow", "on"),
    ("dataflow", "off"),
];

#[test]
fn rules_say_the_same_by_each_strategy() {
    let query = "rules ../rules/web.rules ../rules/office.rules | print ts sid srcip dstip len";
    for (capture, least) in [("five.pcap", 7), ("office.pcap", 500), ("ipv6.pcap", 200)] {
        let expected = wireq(&[query, capture]).stdout;
        assert!(expected.lines().count() >= least, "{capture}");
        for (strategy, vector) in WAYS {
            let flags = ["--strategy", strategy, "--vector", vector];
            let found = wireq(&[&flags[..], &[query, capture]].concat());
            assert_eq!(found.stdout, expected, "{strategy} {vector} {capture}");
        }
    }
}

/// What `explain --analyze` says of the tests.
fn figures(flags: &[&str], queries: &[&str]) -> String {
    let mut arguments = vec!["explain", "--analyze", "-r", "five.pcap"];
    arguments.extend(flags);
    queries
        .iter()
        .for_each(|query| arguments.extend(["-e", query]));
    let outcome = wireq(&arguments);
    let lines = outcome.stdout.lines();
    let found = lines.filter_map(|line| line.split_once(" tests on "));
    found
        .map(|(before, behind)| {
            let tests = before.rsplit_once(' ').map_or(before, |(_, tests)| tests);
            format!("{tests} tests on {behind}\n")
        })
        .collect()
}

#[test]
fn explain_counts_what_was_tried() {
    // Four different tests of three fields, five in all. Of five packets two are to port 80: each condition
    // alone tries three tests on each packet, and two on the two. Counting tries each different test on each
    // packet; the others go on with the two, and two of them try port 80 twice.
    let queries = [
        "where dstport = 80 and len > 74 | count()",
        "where dstport = 80 and ttl > 1 | count()",
        "where dstport = 53 | count()",
    ];
    let of = |strategy, vector| figures(&["--strategy", strategy, "--vector", vector], &queries);
    for (strategy, vector, expected) in [
        ("naive", "off", [5.0, 3.80, 0.0, 2.80, 4.00]),
        ("counting", "off", [4.0, 4.00, 0.0, 3.00, 3.00]),
        ("counting", "on", [3.0, 3.00, 21.1, 2.00, 2.00]),
        ("dataflow", "off", [4.0, 2.80, 26.3, 1.80, 3.00]),
        ("dataflow", "on", [3.0, 1.80, 52.6, 0.80, 2.00]),
        ("snort", "off", [4.0, 3.80, 0.0, 2.80, 3.00]),
    ] {
        let [tests, tried, short, p, counting] = expected;
        let expected = format!(
            "{tests} tests on 5 rows: {tried:.2} tried a row, 3.80 by each condition alone, {short:.1} % short-circuited; at most 2 in one, so p {p:.2}, \
             counting takes less above {counting:.2}\n"
        );
        assert_eq!(of(strategy, vector), expected, "{strategy} {vector}");
    }
    assert_eq!(figures(&[], &["print len"]), "");
}

#[test]
fn stats_have_what_was_tried() {
    let query = "rules ../rules/web.rules | count()";
    let flags = ["--strategy=counting", "--vector=off"];
    // Every test on every packet, however many there are.
    let text = wireq(&[&flags[..], &["--stats", query, "five.pcap"]].concat());
    let line = "rules ../rules/web.rules: 12 tests on 5 rows: 12.00 tried a row, 11.00 by each condition alone, 0.0 % short-circuited; at most 5 in one";
    assert!(text.stderr.contains(line), "{}", text.stderr);
    let json = wireq(&[&flags[..], &["--stats=json", query, "five.pcap"]].concat());
    let object = "\"matching\":{\"tests\":12,\"rows\":5,\"depth\":5,\"tried\":60,\"alone_per_row\":11.0000,\"short_circuited\":0.0000,\"fanout\":1.4490,\"fanout_of_counting\":1.4490}";
    assert!(json.stderr.contains(object), "{}", json.stderr);
}
