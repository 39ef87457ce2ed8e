//! What queries mean: plans as text.

mod support;

use support::{chain, compile_all, plan_over, show};
use wireq_engine::plan::NodeKind;

/// The condition behind `where`, as the plan has it.
fn condition(text: &str) -> String {
    let query = format!("pcapfile x | where {text}");
    let plan = compile_all(&[&query], &[])
        .unwrap_or_else(|faults| panic!("{}", show(&faults[0], &[&query])));
    let condition = plan.graph.node_weights().find_map(|node| match &node.kind {
        NodeKind::Filter(expr) => Some(expr.to_string()),
        _ => None,
    });
    condition.expect("there is a filter")
}

#[test]
fn binds_operators_in_order() {
    for (text, expected) in [
        (
            "len = 1 or len = 2 and len = 3",
            "(len = 1 or (len = 2 and len = 3))",
        ),
        ("not len = 1 and len = 2", "(not len = 1 and len = 2)"),
        ("not (len = 1 and len = 2)", "not (len = 1 and len = 2)"),
        (
            "!len = 1 && len = 2 || srcport",
            "((not len = 1 and len = 2) or srcport)",
        ),
        (
            "len = 1 and (len = 2 and (len = 3 and srcport))",
            "(len = 1 and len = 2 and len = 3 and srcport)",
        ),
        (
            "len = 1 or (len = 2 or len = 3)",
            "(len = 1 or len = 2 or len = 3)",
        ),
        ("(((len))) = 1", "len = 1"),
        ("len - 10 - 5 = 1", "((len - 10) - 5) = 1"),
        ("len + 2 * len / 4 = 1", "(len + ((2 * len) / 4)) = 1"),
        ("(len + 2) * len = 1", "((len + 2) * len) = 1"),
        ("len-10>len/2", "(len - 10) > (len / 2)"),
        ("-len*2 = -5", "((-1 * len) * 2) = -5"),
        ("5 - -len > 1", "(5 - (-1 * len)) > 1"),
        ("80 > dstport", "80 > dstport"),
        ("ipprotocol == TCP", "ipprotocol = TCP"),
        ("ipprotocol <> tcp", "ipprotocol != tcp"),
        (
            "srcip = 10.0.0.0/8 and dstip = fd00::/8",
            "(srcip = 10.0.0.0/8 and dstip = fd00::/8)",
        ),
        ("srcmac != 00:11:22:33:44:55", "srcmac != 00:11:22:33:44:55"),
        (
            "ts >= 2024-01-31T12:00:00-07:00",
            "ts >= 2024-01-31T12:00:00-07:00",
        ),
        (
            "payload = 'a b' and payload = \"\\\"\"",
            "(payload = \"a b\" and payload = \"\\\"\")",
        ),
        ("dstport in (80, 443)", "(dstport = 80 or dstport = 443)"),
        (
            "dstport not in (80,443) and len",
            "(not (dstport = 80 or dstport = 443) and len)",
        ),
        ("ipprotocol IN (tcp)", "ipprotocol = tcp"),
        ("srcport = dstport", "srcport = dstport"),
        ("ip.src = ts.sec", "ip.src = ts.sec"),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn tests_mean_known_and_true() {
    let plan =
        compile_all(&["pcapfile x | where not dstport = 80 or srcport"], &[]).expect("no fault");
    let found = plan
        .graph
        .node_weights()
        .find(|node| matches!(node.kind, NodeKind::Filter(_)));
    let Some(NodeKind::Filter(expr)) = found.map(|node| &node.kind) else {
        panic!("there is a filter")
    };
    let shown = format!("{expr:?}");
    assert!(shown.starts_with("Or([Not(Holds(Compare(Equal"), "{shown}");
    assert!(shown.contains("Holds(Exists(srcport"), "{shown}");
}

#[test]
fn lowers_stages() {
    for (text, expected) in [
        ("pcapfile x", "pcapfile x | print --summary"),
        ("pcapfile x | print", "pcapfile x | print"),
        (
            "pcapfile x | print srcip | head 2",
            "pcapfile x | print srcip | head 2",
        ),
        (
            "pcapfile x | print srcip | count",
            "pcapfile x | print srcip | aggregate count() | print --summary",
        ),
        (
            "pcapfile x y where len > 5",
            "pcapfile x y | where len > 5 | print --summary",
        ),
        (
            "pcapfile(x, y) | head(3)",
            "pcapfile x y | head 3 | print --summary",
        ),
        (
            "pcapfile x | uniq srcip, dstip len",
            "pcapfile x | uniq srcip dstip len | print --summary",
        ),
        (
            "pcapfile x | uniq srcip where len > 5",
            "pcapfile x | where len > 5 | uniq srcip | print --summary",
        ),
        (
            "pcapfile x | filter len > 5 | filter(len < 9)",
            "pcapfile x | where len > 5 | where len < 9 | print --summary",
        ),
        (
            "pcapfile x | (head 2)",
            "pcapfile x | head 2 | print --summary",
        ),
        (
            "pcapfile x | print -v -d ', ' srcip",
            "pcapfile x | print -v -d \", \" srcip",
        ),
        (
            "pcapfile 'a b' -- c\n  | head 1",
            "pcapfile \"a b\" | head 1 | print --summary",
        ),
        (
            "jsonfile x | where user = 'a' and in_bytes.foo > 5",
            "jsonfile x | where (user = \"a\" and in_bytes.foo > 5) | print --summary",
        ),
        (
            "pcapfile x | entropy payload | where entropy > 7",
            "pcapfile x | entropy payload | where entropy > 7 | print --summary",
        ),
    ] {
        assert_eq!(chain(text), expected, "{text}");
    }
}

#[test]
fn makes_one_aggregate_of_a_list_of_functions() {
    for (text, expected) in [
        ("count", "aggregate count() | print --summary"),
        ("count()", "aggregate count() | print --summary"),
        ("count() as n", "aggregate count() as n | print --summary"),
        (
            "sum len group by srcip",
            "aggregate sum(len) group by srcip | print --summary",
        ),
        (
            "count() sum(len), max(len) group by srcip, dstip srcip",
            "aggregate count() sum(len) max(len) group by srcip dstip | print --summary",
        ),
        (
            "print srcip count() sum(len) group by srcip",
            "aggregate count() sum(len) group by srcip | print srcip count sum",
        ),
        (
            "print sum(len) as total, sum(srcport) as ports",
            "aggregate sum(len) as total sum(srcport) as ports | print total ports",
        ),
        (
            "print sum(len) sum(len)",
            "aggregate sum(len) | print sum sum",
        ),
        (
            "print count() where len > 5 group by srcip",
            "where len > 5 | aggregate count() group by srcip | print count",
        ),
        (
            "print count() group by srcip having count() > 10",
            "aggregate count() group by srcip | where count > 10 | print count",
        ),
        (
            "print count() group by srcip having count() and count > 10",
            "aggregate count() group by srcip | where count > 10 | print count",
        ),
        (
            "print count() group by srcip having count()",
            "aggregate count() group by srcip | print count",
        ),
        (
            "print srcip group by srcip having sum(len) > 10",
            "aggregate sum(len) group by srcip | where sum > 10 | print srcip",
        ),
        (
            "print sum(len) as n group by srcip having sum(len) > 10",
            "aggregate sum(len) as n group by srcip | where n > 10 | print n",
        ),
        (
            "count() group by srcip\nhaving max(len) - min(len) > 5",
            "aggregate count() max(len) min(len) group by srcip | where (max - min) > 5 | print --summary",
        ),
    ] {
        assert_eq!(
            chain(&format!("pcapfile x | {text}")),
            format!("pcapfile x | {expected}"),
            "{text}"
        );
    }
}

#[test]
fn lowers_bags() {
    assert_eq!(
        plan_over("pcapfile x | (where len > 100) + (where dstport = 80)", &[]),
        "#1 pcapfile x  [2 readers]\n  #2 where len > 100\n    #3 union\n      #4 print --summary  [statement 1]\n  #5 where dstport = 80\n    -> #3\nstatements: 1, nodes: 5, with several readers: 1\n"
    );
    assert_eq!(
        plan_over("(pcapfile x | head 1)+(jsonfile y) | print foo", &[]),
        "#1 pcapfile x\n  #2 head 1\n    #3 union\n      #4 print foo  [statement 1]\n#5 jsonfile y\n  -> #3\nstatements: 1, nodes: 5, with several readers: 0\n"
    );
    assert_eq!(
        plan_over("(print srcip) + (print dstip)", &["a"]),
        "#1 pcapfile \"a\"  [2 readers]\n  #2 print srcip\n    #3 union  [statement 1]\n  #4 print dstip\n    -> #3\nstatements: 1, nodes: 4, with several readers: 1\n"
    );
}

#[test]
fn reads_files_once() {
    assert_eq!(
        plan_over("web: where dstport = 80; head 1; print len", &["a", "b"]),
        "#1 pcapfile \"a\" \"b\"  [3 readers]\n  #2 where dstport = 80\n    #3 print --summary  [web]\n  #4 head 1\n    #5 print --summary  [statement 2]\n  #6 print len  [statement 3]\nstatements: 3, nodes: 6, with several readers: 1\n"
    );
}

#[test]
fn puts_all_texts_into_one_plan() {
    let plan = compile_all(
        &[
            "pcapfile x | head 1",
            "",
            "pcapfile x | head 2\n\nb: pcapfile y",
        ],
        &[],
    )
    .expect("no fault");
    let names: Vec<Option<&str>> = plan
        .statements
        .iter()
        .map(|statement| statement.name.as_deref())
        .collect();
    assert_eq!(names, [None, None, Some("b")]);
    assert_eq!(plan.graph.node_count(), 7);
    let faults = compile_all(&["head", "pcapfile x | head a; head 1"], &[])
        .map(|_| ())
        .expect_err("faults");
    let codes: Vec<(usize, &str)> = faults
        .iter()
        .map(|fault| (fault.text, fault.diagnostic.code))
        .collect();
    assert_eq!(codes, [(0, "Q020"), (0, "Q032"), (1, "Q020"), (1, "Q032")]);
}
