//! `vector`: many filters of one stream become one node that matches them at once.
//!
//! Not behind a side effect: what acts and what stands before an operator that may be done takes
//! its rows one by one, and filters are part of that.

use super::Choices;
use crate::matching::{Matching, Strategy};
use crate::plan::{NodeId, NodeKind, Plan};

pub(super) fn apply(plan: &mut Plan, choices: &Choices) {
    // What operators match that have conditions of their own.
    plan.matching = Matching {
        strategy: choices.strategy,
        vector: choices.vector,
        compared: choices.compared,
    };
    if choices.strategy == Strategy::Auto && !choices.vector {
        return;
    }
    let least = match choices.strategy {
        Strategy::Auto => choices.vector_min.max(1),
        // One that was asked for is used wherever it can be.
        _ => 1,
    };
    let acting = plan.acting();
    let order = plan.order();
    for node in order.iter().filter(|node| !acting.contains(**node)) {
        let outputs = plan.outputs(*node).into_iter();
        let is_filter =
            |(reader, _): &(NodeId, u16)| matches!(plan.graph[*reader].kind, NodeKind::Filter(_));
        let filters: Vec<NodeId> = outputs
            .filter(is_filter)
            .map(|(reader, _)| reader)
            .collect();
        if filters.len() >= least {
            plan.insert_match(*node, &filters, choices.strategy, choices.vector);
        }
    }
}
