//! `share`: equal nodes on equal input become one.
//!
//! Hash-consing from the roots: nodes are met behind their inputs, so inputs that could be one are
//! one already. Stateful nodes are shared too: equal operators that see the same rows have the
//! same state. Nodes with a side effect are not: two prints print twice. Nor are nodes that make up
//! objects where something tells objects apart by their identity. Sources are one from the start
//! where they can be: two that are equal are read in an order that differs from statement to
//! statement.

use crate::operator::operator_spec;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use hashbrown::HashMap;

/// Nodes that may be equal: the name of what they do and their inputs.
type Candidates = HashMap<(String, Vec<NodeId>), Vec<NodeId>>;

pub(super) fn apply(plan: &mut Plan) {
    let mut candidates = Candidates::new();
    let identity_matters = plan.reads_identity();
    for node in plan.order() {
        let kind = &plan.graph[node].kind;
        let makes_up =
            identity_matters && operator_spec(kind).is_some_and(|spec| !spec.gives.passes_rows());
        let is_source = matches!(kind, NodeKind::Source(..));
        if kind.has_side_effect() || makes_up || is_source {
            continue;
        }
        let inputs = plan.inputs(node);
        let text = if is_planted("share-ignores-arguments") {
            kind.name().to_owned()
        } else {
            kind.to_string()
        };
        let known = candidates.entry((text, inputs)).or_default();
        let equal = known.iter().find(|other| {
            plan.graph[**other].kind == *kind || is_planted("share-ignores-arguments")
        });
        match equal.copied() {
            Some(equal) => replace(plan, node, equal),
            None => known.push(node),
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
