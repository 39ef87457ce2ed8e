//! Rewrites: the same results with less work.
//!
//! Every rewrite runs on the plan, before operators are built, and can be switched off by name.

mod equals;
mod imply;
mod join_filters;
mod limit;
mod merge_group_bys;
mod normalize;
mod prefilter;
mod push_filters;
mod share_subgraphs;
mod table;
mod tally;
mod vector;

use crate::matching::Strategy;
use crate::plan::Plan;
pub use prefilter::common_test;

/// How plans are rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Names of rewrites that are off.
    pub off: Vec<String>,
    /// How many filters of one stream are matched at once, at least: fewer are faster one by one.
    pub vector_min: usize,
    /// How they are matched.
    pub strategy: Strategy,
    /// Whether many tests of one field are one look-up.
    pub vector: bool,
    /// Whether it is counted what each of many conditions alone would take.
    pub compared: bool,
    /// Whether memory is limited: then nothing is merged whose groups would have to wait as a whole.
    pub memory_limited: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Choices {
            off: Vec::new(),
            vector_min: 8,
            strategy: Strategy::Auto,
            vector: true,
            compared: false,
            memory_limited: false,
        }
    }
}

/// One rewrite.
pub struct Rewrite {
    /// The name, as in `--no-rewrite NAME`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    apply: fn(&mut Plan, &Choices),
}

/// All rewrites in the order in which they run.
pub static REWRITES: &[Rewrite] = &[
    // First: equal tests are then equal in form.
    Rewrite {
        name: "normalize",
        summary: "Tests in one form: cheap ones first, none that another one implies.",
        apply: |plan, _| normalize::apply(plan),
    },
    Rewrite {
        name: "share",
        summary: "Equal nodes on equal input become one, from the sources on.",
        apply: |plan, _| share_subgraphs::apply(plan),
    },
    // Behind `share`: equal inputs are one by then, and so are equal aggregates.
    Rewrite {
        name: "merge",
        summary: "Aggregates of the same groups are one, which computes what any of them asks for.",
        apply: merge_group_bys::apply,
    },
    // Behind `share`: what stands before several filters stays one node.
    Rewrite {
        name: "push",
        summary: "Filters stand before what need not be done for objects that they do not pass.",
        apply: |plan, _| push_filters::apply(plan),
    },
    // Behind `push`, which brings filters together.
    Rewrite {
        name: "chain",
        summary: "A filter behind a filter is one, and tries nothing that is known to hold.",
        apply: |plan, _| join_filters::apply(plan),
    },
    // Behind `chain`, which leaves one filter with all tests that stand in a row.
    Rewrite {
        name: "imply",
        summary: "A test that holds for all that comes is not tried, narrow filters read from wide ones.",
        apply: imply::apply,
    },
    // Behind `chain`: what stands at a source is then all that is asked of its objects.
    Rewrite {
        name: "prefilter",
        summary: "Sources that can leave out what no statement takes: interfaces, in the kernel.",
        apply: |plan, _| prefilter::apply(plan),
    },
    // Behind the others, which know filters, and not what becomes of them here.
    Rewrite {
        name: "vector",
        summary: "Many filters of one stream become one node that matches them at once.",
        apply: vector::apply,
    },
    // Behind `vector`, whose node says which filters pass a row.
    Rewrite {
        name: "tally",
        summary: "Equal aggregates without keys behind filters matched at once become one.",
        apply: tally::apply,
    },
    // Behind `tally`, which needs no keys for what it takes.
    Rewrite {
        name: "table",
        summary: "What is the same behind filters matched at once is done once, for rows that say whose they are.",
        apply: table::apply,
    },
    // Last: what stands next to one another by now stays so.
    Rewrite {
        name: "limit",
        summary: "What is sorted for its first objects keeps no others; groups before it give those alone.",
        apply: |plan, _| limit::apply(plan),
    },
];

impl Rewrite {
    /// Runs the rewrite unless it is off.
    pub fn run(&self, plan: &mut Plan, choices: &Choices) {
        if !choices.off.iter().any(|name| name == self.name) {
            (self.apply)(plan, choices);
        }
    }
}

/// Runs all rewrites but those that are off.
pub fn rewrite(plan: &mut Plan, choices: &Choices) {
    REWRITES
        .iter()
        .for_each(|rewrite| rewrite.run(plan, choices));
}
