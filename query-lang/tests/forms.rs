//! The from form, definitions, modules as conditions: the plans that they give.

mod support;

use proptest::prelude::*;
use support::{chain, compile_all, plan_over, show};
use wireq_engine::plan::explain::explain;

#[test]
fn from_is_another_order_of_stages() {
    for (text, expected) in [
        ("print srcip from pcapfile x", "pcapfile x | print srcip"),
        (
            "print srcip, dstip from (uniq srcip, dstip from pcapfile(\"x\")) where len > 5",
            "pcapfile \"x\" | uniq srcip dstip | where len > 5 | print srcip dstip",
        ),
        (
            "print srcip from uniq srcip from pcapfile x where len > 5",
            "pcapfile x | where len > 5 | uniq srcip | print srcip",
        ),
        (
            "print (srcport len) from top(-n 3 dstport) from pcapfile(x)",
            "pcapfile x | top -n 3 dstport | print srcport len",
        ),
        (
            "print count from sum(len) as count from pcapfile(x) group by srcip",
            "pcapfile x | aggregate sum(len) as count group by srcip | print count",
        ),
        (
            "print srcip, count() from (pcapfile(x) where len > 5) where len < 9 group by srcip having count > 3",
            "pcapfile x | where len > 5 | where len < 9 | aggregate count() group by srcip | where count > 3 | print srcip count",
        ),
        (
            "print srcip, count from pcapfile(x) group by srcip having count() and count > 10",
            "pcapfile x | aggregate count() group by srcip | where count > 10 | print srcip count",
        ),
        (
            "count() from pcapfile x group by srcip | where count > 3 | print count from uniq count",
            "pcapfile x | aggregate count() group by srcip | where count > 3 | uniq count | print count",
        ),
        (
            "pcapfile x | print srcip from uniq srcip from where len > 5",
            "pcapfile x | where len > 5 | uniq srcip | print srcip",
        ),
        (
            "where len > 5 from pcapfile x where len < 9",
            "pcapfile x | where len < 9 | where len > 5 | print --summary",
        ),
        (
            "print srcip from filter(\"len > 5 or srcport\") from pcapfile x",
            "pcapfile x | where (len > 5 or srcport) | print srcip",
        ),
        (
            "print srcip where len > 5 from pcapfile x",
            "pcapfile x | where len > 5 | print srcip",
        ),
        (
            "(print srcip, count()) from pcapfile x group by srcip",
            "pcapfile x | aggregate count() group by srcip | print srcip count",
        ),
        (
            "(where len > 5 | count() | print count) from pcapfile x group by srcip",
            "pcapfile x | where len > 5 | aggregate count() group by srcip | print count",
        ),
        (
            "print srcip\nfrom pcapfile x\nwhere len > 5\n| head 2",
            "pcapfile x | where len > 5 | print srcip | head 2",
        ),
    ] {
        assert_eq!(chain(text), expected, "{text}");
    }
}

#[test]
fn bags_need_no_brackets() {
    let bracketed = plan_over("((pcapfile a) + (pcapfile b)) | print srcip", &[]);
    for text in [
        "print srcip from (pcapfile(a) + pcapfile(b))",
        "print srcip from pcapfile(a)+pcapfile(b)",
        "print srcip from pcapfile a + pcapfile b",
        "pcapfile a + pcapfile b | print srcip",
        "(pcapfile(a))+pcapfile(b) | print srcip",
        "A :- pcapfile a; B :- pcapfile b; print srcip from (A + B)",
        "A :- pcapfile a; B :- pcapfile b; A + B() | print srcip",
    ] {
        assert_eq!(plan_over(text, &[]), bracketed, "{text}");
    }
    assert_eq!(
        plan_over("print srcip + print dstip from pcapfile x", &[]),
        plan_over("pcapfile x | (print srcip) + (print dstip)", &[])
    );
}

#[test]
fn puts_definitions_in_place() {
    for (text, expected) in [
        ("P :- pcapfile x\nP", "pcapfile x | print --summary"),
        ("P :- pcapfile x; P()", "pcapfile x | print --summary"),
        (
            "P:-pcapfile x; print srcip from P",
            "pcapfile x | print srcip",
        ),
        (
            "P :- pcapfile x; S :- where len > 5; P | S | head 1",
            "pcapfile x | where len > 5 | head 1 | print --summary",
        ),
        (
            "U :- uniq srcip; pcapfile x | U where len > 5",
            "pcapfile x | where len > 5 | uniq srcip | print --summary",
        ),
        (
            "P :-\n  pcapfile x\n  | where len > 5\nQ :- P | uniq srcip; Q",
            "pcapfile x | where len > 5 | uniq srcip | print --summary",
        ),
        (
            "All :- pcapfile x | print srcip; All",
            "pcapfile x | print srcip",
        ),
        (
            "A :- pcapfile x; B :- A; A :- pcapfile y; B",
            "pcapfile x | print --summary",
        ),
        (
            "A :- pcapfile x; A :- A | head 1; A :- A | head 2; A",
            "pcapfile x | head 1 | head 2 | print --summary",
        ),
        (
            "print :- print -v srcip; pcapfile x | print | print len",
            "pcapfile x | print -v srcip | print len",
        ),
        (
            "count :- sum len; pcapfile x | print srcip, count() group by srcip",
            "pcapfile x | aggregate sum(len) as count group by srcip | print srcip count",
        ),
        (
            "C :- count() group by srcip; pcapfile x | C | print count",
            "pcapfile x | aggregate count() group by srcip | print count",
        ),
        (
            "C :- where len > 5 | count(); C from pcapfile x group by srcip",
            "pcapfile x | where len > 5 | aggregate count() group by srcip | print --summary",
        ),
        (
            "S :- where len > 5; pcapfile x | where srcport and S() and dstport",
            "pcapfile x | where (srcport and len > 5 and dstport) | print --summary",
        ),
        (
            "S :- where len > 5 | where len < 9; pcapfile x | where not S() or S()",
            "pcapfile x | where (not (len > 5 and len < 9) or (len > 5 and len < 9)) | print --summary",
        ),
        (
            "S :- where len > 5; T :- S; pcapfile x | where T() or srcport",
            "pcapfile x | where (len > 5 or srcport) | print --summary",
        ),
        (
            "L :- mask(srcip, 10.0.0.0/8) | where len > 5; pcapfile x | where srcport and L() and dstport",
            "pcapfile x | where srcport | mask srcip 10.0.0.0/8 | where (len > 5 and dstport) | print --summary",
        ),
        (
            "Top(k, n) :- top -n n k; Top(k) :- Top(k, 3); pcapfile x | Top(len, 5) | Top len",
            "pcapfile x | top -n 5 len | top -n 3 len | print --summary",
        ),
        (
            "Big(n) :- where len > n; pcapfile x | where Big(5) or not Big('9')",
            "pcapfile x | where (len > 5 or not len > \"9\") | print --summary",
        ),
        (
            "By(k) :- print k, sum(len) as n group by k having k = 'k'; pcapfile x | By(payload)",
            "pcapfile x | aggregate sum(len) as n group by payload | where payload = \"k\" | print payload n",
        ),
        (
            "pcapfile x | where mask(srcip, 10.0.0.0/8) and len > 5 and srcport",
            "pcapfile x | mask srcip 10.0.0.0/8 | where (len > 5 and srcport) | print --summary",
        ),
        (
            "pcapfile x | where mask(srcip, 10.0.0.0/8)",
            "pcapfile x | mask srcip 10.0.0.0/8 | print --summary",
        ),
        (
            "pcapfile x | count() group by srcip having mask(srcip, 10.0.0.0/8) and count > 5",
            "pcapfile x | aggregate count() group by srcip | mask srcip 10.0.0.0/8 | where count > 5 | print --summary",
        ),
        (
            "pcapfile x | print srcip as a, dstip, len as b where len > 5",
            "pcapfile x | where len > 5 | rename srcip a len b | print a dstip b",
        ),
        (
            "print srcip as a, count() from pcapfile x group by srcip",
            "pcapfile x | aggregate count() group by srcip | rename srcip a | print a count",
        ),
        (
            "pcapfile x | filter(len) | filter('len > 5') | filter \"payload = \\\"a\\\"\"",
            "pcapfile x | where len | where len > 5 | where payload = \"a\" | print --summary",
        ),
    ] {
        assert_eq!(chain(text), expected, "{text}");
    }
}

#[test]
fn definitions_have_no_output_of_their_own() {
    let plan =
        compile_all(&["P :- pcapfile x | print; W :- where len > 5"], &[]).expect("no fault");
    assert_eq!((plan.statements.len(), plan.graph.node_count()), (0, 0));
    let twice = "P :- pcapfile x | where len > 5; P | head 1; a: P | head 2";
    let mut plan = compile_all(&[twice], &[]).expect("no fault");
    wireq_engine::rewrite::rewrite(&mut plan, &Default::default());
    assert_eq!(
        explain(&plan),
        "#1 pcapfile x\n  #2 where len > 5  [2 readers]\n    #3 head 1\n      #4 print --summary  [statement 1]\n    #5 head 2\n      #6 print --summary  [a]\nstatements: 2, nodes: 6, with several readers: 1\n"
    );
}

#[test]
fn definitions_of_one_text_are_seen_in_later_ones() {
    let texts = [
        "P :- pcapfile x",
        "W :- where lenn > 5\n",
        "P | head 2",
        "P | W",
    ];
    let faults = compile_all(&texts, &[]).map(|_| ()).expect_err("faults");
    let shown: String = faults.iter().map(|fault| show(fault, &texts)).collect();
    let places: Vec<usize> = faults.iter().map(|fault| fault.text).collect();
    assert_eq!(places, [1, 3], "{shown}");
    assert!(
        shown.starts_with("Q010 at [lenn]") && shown.contains("Q042 at [W]"),
        "{shown}"
    );
    assert!(compile_all(&["P | head 1", "P :- pcapfile x"], &[]).is_err());
    assert!(compile_all(&["P :- pcapfile x | W", "W :- where len > 5; P | W"], &[]).is_err());
}

#[test]
fn definitions_go_with_files() {
    assert_eq!(
        plan_over("P :- pcapfile x; W :- where len > 5; W | print len", &["a"]),
        plan_over("where len > 5 | print len", &["a"])
    );
}

const VERBS: [&str; 9] = [
    "print srcip, len",
    "uniq(srcip dstip)",
    "head 3",
    "count()",
    "print srcip as a, count() as n",
    "sum(len) as n, max(len)",
    "(print srcip + print dstip)",
    "(where len > 5 | head 2)",
    "filter(\"len > 5 or srcport\")",
];

const CLAUSES: [&str; 4] = [
    "",
    " where len > 5 and mask(srcip, 10.0.0.0/8)",
    " where not srcport or len in (1, 2)",
    " where Web() or len",
];

proptest! {
    /// Verbs behind one another with `from` and with `|`, and with each verb in a definition.
    #[test]
    fn both_forms_give_the_same_plan(
        verbs in prop::collection::vec(prop::sample::select(VERBS.to_vec()), 1..6),
        clause in prop::sample::select(CLAUSES.to_vec()),
        grouped in any::<bool>(),
    ) {
        let innermost = verbs[verbs.len() - 1];
        let group = match grouped && innermost.contains("count()") {
            true => " group by srcip dstip having count() > 3",
            false => "",
        };
        let definition = "Web :- where dstport = 80; ";
        let from = format!("{definition}{} from pcapfile(x){clause}{group}", verbs.join(" from "));
        let mut pipe = format!("{definition}pcapfile(x)");
        let mut defined = format!("{definition}P :- pcapfile(x); ");
        let mut names = vec!["P".to_owned()];
        // The condition stands before the verb, as a bag has no clauses in the pipe form.
        if !clause.is_empty() {
            pipe += &format!(" |{clause}");
            defined += &format!("C :-{clause}; ");
            names.push("C".to_owned());
        }
        for (at, verb) in verbs.iter().rev().enumerate() {
            let group = if at == 0 { group } else { "" };
            pipe += &format!(" | {verb}{group}");
            defined += &format!("V{at} :- {verb}{group}; ");
            names.push(format!("V{at}"));
        }
        let plan = |text: &str| compile_all(&[text], &[]).map(|plan| explain(&plan)).ok();
        prop_assert!(plan(&from).is_some(), "{}", from);
        prop_assert_eq!(plan(&from), plan(&pipe), "{}\n{}", from, pipe);
        prop_assert_eq!(plan(&from), plan(&(defined + &names.join(" | "))));
    }
}
