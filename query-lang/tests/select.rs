//! SELECT: `select.txt` holds queries and the plans that they give.
//!
//! `UPDATE=1 cargo test` writes the plans anew; read the difference before you keep it.

mod support;

use std::fmt::Write;
use std::path::Path;
use support::{chain, compile_all, plan_over};

#[test]
fn selects_have_these_plans() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/select.txt");
    let expected = std::fs::read_to_string(&path).expect("the file is there");
    let (comment, cases) = expected
        .split_once("\n---\n")
        .expect("a comment comes first");
    let mut actual = comment.to_owned();
    for case in cases.split("\n---\n") {
        let (query, _) = case.split_once("\n=>").expect("each case has an arrow");
        let _ = write!(actual, "\n---\n{query}\n=>\n{}", plan(query).trim_end());
    }
    actual.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, actual).expect("the file can be written");
    } else {
        assert_eq!(actual, expected);
    }
}

fn plan(query: &str) -> String {
    let tree = plan_over(query, &[]);
    let is_chain = !tree.contains("-> #") && tree.contains("statements: 1,");
    if is_chain { chain(query) } else { tree }
}

/// What is the same in SQL and in a pipe is the same plan.
#[test]
fn selects_are_what_pipes_are() {
    for (select, pipe) in [
        (
            "select len, srcip from pcapfile(x) limit 3",
            "pcapfile x | project len srcip | head 3",
        ),
        (
            "select distinct len from pcapfile(x)",
            "pcapfile x | project len | uniq len",
        ),
        (
            "select * from pcapfile(x) order by len, srcip desc nulls first offset 2",
            "pcapfile x | sort --order 'asc-last:desc-first' len srcip | skip 2",
        ),
        (
            "select len + 1 as n from pcapfile(x)",
            "pcapfile x | project [ len + 1 ] as n",
        ),
    ] {
        let plan = |text: &str| {
            let mut plan = compile_all(&[text], &[]).expect("no fault");
            wireq_engine::rewrite::rewrite(&mut plan, &Default::default());
            wireq_engine::plan::explain::explain(&plan)
                .replace('"', "")
                .replace(" --rows", "")
        };
        assert_eq!(plan(select), plan(pipe), "{select}");
    }
}
