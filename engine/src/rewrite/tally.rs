//! `tally`: equal aggregates without keys behind filters that are matched at once become one state.
//!
//! `where A | count()` and a thousand more like it: each row would be handed to the aggregate of each
//! filter that passes it, batch by batch. Where the filters are one node already, that says which of
//! them pass a row, and one operator keeps a group for each aggregate. What it says goes to the
//! statements as before.

use super::Choices;
use super::equals::Equals;
use crate::plan::{NodeId, NodeKind, Plan};

/// The branches of a match with the aggregates behind them that are equal: filter, aggregate.
type Equal = Vec<(NodeId, NodeId)>;

pub(super) fn apply(plan: &mut Plan, choices: &Choices) {
    let is_match = |node: &NodeId| matches!(plan.graph[*node].kind, NodeKind::Match(_));
    let matches: Vec<NodeId> = plan.order().into_iter().filter(is_match).collect();
    for matched in matches {
        for equal in equal_aggregates(plan, matched) {
            if equal.len() >= choices.vector_min.max(1) {
                plan.insert_tally(matched, &equal);
            }
        }
    }
}

fn equal_aggregates(plan: &Plan, matched: NodeId) -> Vec<Equal> {
    let mut equals = Equals::default();
    let mut found: Vec<Equal> = Vec::new();
    for (branch, _) in plan.outputs(matched) {
        if !matches!(plan.graph[branch].kind, NodeKind::Branch(_)) {
            continue;
        }
        for (reader, _) in plan.outputs(branch) {
            let kind = &plan.graph[reader].kind;
            if !can_be_one(kind) {
                continue;
            }
            let same = |at: usize| plan.graph[found[at][0].1].kind == *kind;
            match equals.find(found.len(), |hash| kind.hash_into(hash), same) {
                // Of two behind one filter, the other stays: a filter has one place.
                Some(at) if found[at].last().is_some_and(|last| last.0 == branch) => {}
                Some(at) => found[at].push((branch, reader)),
                None => found.push(vec![(branch, reader)]),
            }
        }
    }
    found
}

/// Whether an aggregate is one state of a fixed size.
fn can_be_one(kind: &NodeKind) -> bool {
    let NodeKind::Aggregate(aggregate) = kind else {
        return false;
    };
    aggregate.keys.is_empty() && aggregate.group.is_none() && !aggregate.has_members()
}
