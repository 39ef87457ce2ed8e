//! `chain`: a filter behind a filter is one filter of both tests.
//!
//! Where others read from the first one too, it stays, and the second loses the tests that the
//! first has passed already, or that follow from those.

use super::normalize::{Known, normalized};
use crate::plan::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;

pub(super) fn apply(plan: &mut Plan) {
    for node in plan.order() {
        if is_last(plan, node) {
            join(plan, node);
        }
    }
}

/// Whether a node is a filter that no other one takes the tests of.
fn is_last(plan: &Plan, node: NodeId) -> bool {
    let is_filter = |node: NodeId| matches!(plan.graph[node].kind, NodeKind::Filter(_));
    let is_taken = match plan.outputs(node)[..] {
        [(reader, _)] => is_filter(reader) && plan.inputs(reader).len() == 1,
        _ => false,
    };
    is_filter(node) && !is_taken
}

/// Joins a filter with all those before it that nobody else reads from: however many they are, their
/// tests are brought to normal form once.
fn join(plan: &mut Plan, node: NodeId) {
    let mut next = filter_before(plan, node);
    if next.is_none() {
        return;
    }
    let NodeKind::Filter(test) = plan.graph[node].kind.clone() else {
        return;
    };
    let (mut tests, mut first, mut joined) = (vec![test], node, Vec::new());
    let holds = loop {
        match next {
            Some((before, test)) if plan.outputs(before).len() > 1 => break Some(test),
            Some((before, test)) => {
                joined.push(before);
                tests.push(test);
                first = before;
                next = filter_before(plan, first);
            }
            None => break None,
        }
    };
    if is_planted("chain-drops-first") {
        tests.truncate(1);
    }
    tests.reverse();
    let test = match holds {
        Some(holds) => without_implied(tests, holds, plan, node),
        None => normalized(Expr::And(tests), &plan.graph[node].stream),
    };
    plan.graph[node].kind = NodeKind::Filter(test);
    if first == node {
        return;
    }
    let inputs = plan.inputs(first);
    joined.into_iter().for_each(|before| {
        plan.graph.remove_node(before);
    });
    for input in inputs {
        plan.graph.add_edge(input, node, 0);
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

/// What of some tests is left to try where another one holds.
fn without_implied(tests: Vec<Expr>, holds: Expr, plan: &Plan, node: NodeId) -> Expr {
    let stream = &plan.graph[node].stream;
    let holds = Known::new(holds.conjuncts(), stream);
    let mut tests = Expr::And(tests).conjuncts();
    tests.retain(|test| !holds.implies(test, stream));
    normalized(Expr::And(tests), stream)
}
