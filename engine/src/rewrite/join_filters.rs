//! `chain`: a filter behind a filter is one filter of both tests.
//!
//! Where others read from the first one too, it stays, and the second loses the tests that the
//! first has passed already, or that follow from those.

use super::normalize::{normalized, values_of};
use crate::plan::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;

pub(super) fn apply(plan: &mut Plan) {
    for node in plan.order() {
        let NodeKind::Filter(test) = plan.graph[node].kind.clone() else {
            continue;
        };
        let Some((before, first)) = filter_before(plan, node) else {
            continue;
        };
        let stream = plan.graph[node].stream.clone();
        if plan.outputs(before).len() > 1 {
            let left = without_implied(test, first, plan, node);
            plan.graph[node].kind = NodeKind::Filter(left);
            continue;
        }
        let both = match is_planted("chain-drops-first") {
            true => test,
            false => normalized(Expr::And(vec![first, test]), &stream),
        };
        plan.graph[node].kind = NodeKind::Filter(both);
        let inputs = plan.inputs(before);
        plan.graph.remove_node(before);
        for input in inputs {
            plan.graph.add_edge(input, node, 0);
        }
    }
}

fn filter_before(plan: &Plan, node: NodeId) -> Option<(NodeId, Expr)> {
    let [before] = plan.inputs(node)[..] else {
        return None;
    };
    match &plan.graph[before].kind {
        NodeKind::Filter(test) => Some((before, test.clone())),
        _ => None,
    }
}

/// What of a test is left to try where another one holds.
fn without_implied(test: Expr, holds: Expr, plan: &Plan, node: NodeId) -> Expr {
    let stream = &plan.graph[node].stream;
    let holds = holds.conjuncts();
    let known: Vec<_> = holds.iter().map(|test| values_of(test, stream)).collect();
    let mut tests = test.conjuncts();
    tests.retain(|test| {
        let values = values_of(test, stream);
        let follows = known.iter().flatten().any(|(field, known)| match &values {
            Some((of, values)) if field == of => match is_planted("imply-the-wrong-way") {
                true => values.is_within(known),
                false => known.is_within(values),
            },
            _ => false,
        });
        !follows && !holds.contains(test)
    });
    normalized(Expr::And(tests), stream)
}
