//! `share`: equal nodes on equal input become one.
//!
//! Hash-consing from the roots: nodes are met behind their inputs, so inputs that could be one are
//! one already. Stateful nodes are shared too: equal operators that see the same rows have the
//! same state. Nodes with a side effect are not: two prints print twice. Nor are nodes that make up
//! objects where something tells objects apart by their identity. Sources are one from the start
//! where they can be: two that are equal are read in an order that differs from statement to
//! statement.

use super::equals::Equals;
use crate::operator::operator_spec;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use std::hash::Hash;

pub(super) fn apply(plan: &mut Plan) {
    let mut equals = Equals::default();
    let identity_matters = plan.reads_identity();
    let ignores_arguments = is_planted("share-ignores-arguments");
    for node in plan.order() {
        let kind = &plan.graph[node].kind;
        let makes_up = || operator_spec(kind).is_some_and(|spec| !spec.gives.passes_rows());
        let is_source = matches!(kind, NodeKind::Source(..));
        if kind.has_side_effect() || is_source || identity_matters && makes_up() {
            continue;
        }
        let inputs = plan.inputs(node);
        let hash = |hash: &mut _| {
            inputs.hash(hash);
            match ignores_arguments {
                true => kind.name().hash(hash),
                false => kind.hash_into(hash),
            }
        };
        let same = |other: usize| {
            let other = NodeId::new(other);
            let other_kind = &plan.graph[other].kind;
            let same = match ignores_arguments {
                true => other_kind.name() == kind.name(),
                false => other_kind == kind,
            };
            same && plan.inputs(other) == inputs
        };
        if let Some(equal) = equals.find(node.index(), hash, same) {
            replace(plan, node, NodeId::new(equal));
        }
    }
}

/// Lets the readers of `node` read from `equal`.
fn replace(plan: &mut Plan, node: NodeId, equal: NodeId) {
    for (reader, port) in plan.outputs(node) {
        plan.graph.add_edge(equal, reader, port);
    }
    plan.graph.remove_node(node);
}
