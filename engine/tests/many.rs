//! Queries of thousands of tests are made ready. What grew as the cube of their number would take
//! minutes here, and be stopped as a test that hangs.

use std::sync::Arc;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_engine::rewrite::{Choices, rewrite};
use wireq_query_lang::{Options, Text, compile};
use wireq_typesys::Zone;

const TESTS: usize = 5_000;

/// The plan of a query, rewritten.
fn rewritten(query: String) -> Plan {
    let texts = [Text {
        name: "query".into(),
        text: query,
    }];
    let registry = wireq_modules::registry();
    let zone = Arc::new(Zone::utc());
    let mut plan = match compile(&texts, &registry, &Options::new(&zone)) {
        Ok(plan) => plan,
        Err(faults) => panic!("{:?}", faults[0].diagnostic),
    };
    rewrite(&mut plan, &Choices::default());
    plan
}

/// The tests of each filter.
fn filters(plan: &Plan) -> Vec<Vec<Expr>> {
    let test = |kind: &NodeKind| match kind {
        NodeKind::Filter(test) => Some(test.clone().conjuncts()),
        _ => None,
    };
    plan.graph
        .node_weights()
        .filter_map(|node| test(&node.kind))
        .collect()
}

/// Tests that none of the others implies, joined by a word.
fn tests(joined_by: &str) -> String {
    let tests: Vec<String> = (0..TESTS)
        .map(|port| format!("srcport != {port}"))
        .collect();
    tests.join(joined_by)
}

#[test]
fn a_conjunction_of_thousands() {
    let source = "pcapfile x.pcap | where";
    let all = filters(&rewritten(format!(
        "{source} {} | print len",
        tests(" and ")
    )));
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [TESTS]);

    // The same with one that implies all but the last, which it contradicts together with another.
    let more = format!("{source} {} and srcport > 4000", tests(" and "));
    let all = filters(&rewritten(format!("{more} | print len")));
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [TESTS - 4000]);
    let all = filters(&rewritten(format!("{more} and srcport < 4002 | print len")));
    assert!(matches!(all[..], [ref only] if matches!(only[..], [Expr::Bool(false, _)])));
}

#[test]
fn a_chain_of_thousands() {
    let all = format!("pcapfile x.pcap | where {} | print len", tests(" | where "));
    let all = filters(&rewritten(all));
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [TESTS]);
}

#[test]
fn a_chain_of_thousands_behind_a_filter_that_others_read() {
    let shared = "pcapfile x.pcap | where srcport > 4000";
    let all = format!(
        "{shared} | print srcport\n{shared} | where {} | print len",
        tests(" | where ")
    );
    let mut counts: Vec<usize> = filters(&rewritten(all)).iter().map(Vec::len).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, TESTS - 4001]);
}
