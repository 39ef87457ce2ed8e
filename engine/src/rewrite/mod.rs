//! Rewrites: the same results with less work.
//!
//! Every rewrite runs on the plan, before operators are built, and can be switched off by name.

mod share_subgraphs;

use crate::plan::Plan;

/// One rewrite.
pub struct Rewrite {
    /// The name, as in `--no-rewrite NAME`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    apply: fn(&mut Plan),
}

/// All rewrites in the order in which they run.
pub static REWRITES: &[Rewrite] = &[Rewrite {
    name: "share",
    summary: "Equal nodes on equal input become one, from the sources on.",
    apply: share_subgraphs::apply,
}];

/// Runs all rewrites but those named.
pub fn rewrite(plan: &mut Plan, off: &[String]) {
    for rewrite in REWRITES {
        if !off.iter().any(|name| name == rewrite.name) {
            (rewrite.apply)(plan);
        }
    }
}
