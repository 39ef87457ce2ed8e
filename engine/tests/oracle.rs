//! Random query sets, run by a plain interpreter and by the engine: both must say the same, byte
//! for byte.
//!
//! `WIREQ_SEED` and `WIREQ_SETS` choose the sets.

use wireq_engine::rewrite::{REWRITES, Rewrite};

mod golden;
mod harness;

/// Which modules must occur in a run of some length, and so be checked by it.
const MODULES: [&str; 57] = [
    "pcapfile",
    "where",
    "uniq",
    "head",
    "skip",
    "project",
    "print",
    "aggregate",
    "union",
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "stddev",
    "first",
    "final",
    "distinct",
    "list",
    "median",
    "quantile",
    "compute",
    "group",
    "join",
    "last",
    "sort",
    "tail",
    "top",
    "sample",
    "div",
    "const",
    "rename",
    "expr",
    "private",
    "streamalias",
    "take",
    "delta",
    "derivative",
    "deskew",
    "clock",
    "iplookup",
    "mask",
    "equals",
    "substr",
    "match",
    "uniqobj",
    "countobj",
    "pdf",
    "entropy",
    "histogram",
    "cumdist",
    "fifodelay",
    "changes",
    "active",
    "flow",
    "flowid",
    "dfa",
];

/// What must occur in copies of a pipeline for each key.
const GROUPED: [&str; 7] = [
    "aggregate",
    "clock",
    "group",
    "head",
    "last",
    "sort",
    "uniq",
];

#[test]
fn random_query_sets_agree_with_the_oracle() {
    let seed = harness::number_from_environment("WIREQ_SEED", 1);
    let sets = harness::number_from_environment("WIREQ_SETS", 300) as usize;
    let census = match harness::run_sets(seed, sets) {
        Ok(census) => census,
        Err(mismatch) => panic!("{}", mismatch.report()),
    };
    println!("{sets} sets from seed {seed}\n{census}");
    assert!(
        sets < 100 || census.with_rows * 2 >= census.statements,
        "at least half of the statements have rows"
    );
    for module in MODULES {
        let counts = [&census.modules, &census.operators];
        let count: usize = counts.iter().filter_map(|counts| counts.get(module)).sum();
        assert!(
            sets < 300 || count >= 5,
            "{module} occurs only {count} times"
        );
    }
    // Files have no kernel that leaves packets out: see modules/tests/prefilter.rs.
    let of_files = |rewrite: &&Rewrite| rewrite.name != "prefilter";
    for rewrite in REWRITES.iter().filter(of_files) {
        let count = census.rewrites.get(rewrite.name).copied().unwrap_or(0);
        assert!(
            sets < 300 || count >= 5,
            "{} changes only {count} plans",
            rewrite.name
        );
    }
    for stateful in GROUPED {
        let count = census.grouped.get(stateful).copied().unwrap_or(0);
        assert!(
            sets < 300 || count >= 3,
            "{stateful} stands in groups only {count} times"
        );
    }
}

#[test]
fn accounts_add_up_while_a_run_lasts() {
    let query = "where dstport = 80 | count() | print count\n\
                 where dstport = 53 | head 1 | print srcip\n\
                 where srcport = 443 | print srcip\n\
                 where len > 100 | uniq srcip | print srcip";
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/captures/office.pcap"
    );
    let checker = harness::check::Checker::new();
    match checker.check_progress(query, file) {
        Ok(shown) => assert!(shown > 100, "shown only {shown} times"),
        Err((node, account)) => panic!("{node}: {account} does not add up"),
    }
}
