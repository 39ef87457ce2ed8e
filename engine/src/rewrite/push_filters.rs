//! `push`: filters stand before what need not be done for objects that they do not pass.
//!
//! A filter changes places with the node before it where that gives or attaches something to each
//! object on its own, and the filter reads nothing of what is attached. Not with a node that others
//! read from too: what is shared stays shared.

use crate::operator::operator_spec;
use crate::plan::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use crate::{Needs, OnControl, OperatorSpec, StateClass};

pub(super) fn apply(plan: &mut Plan) {
    for filter in plan.order() {
        let mut at = filter;
        while let Some(before) = push(plan, at) {
            at = before;
        }
    }
}

/// Lets a filter change places with the node before it, if it can. Gives the place where it is.
fn push(plan: &mut Plan, filter: NodeId) -> Option<NodeId> {
    let NodeKind::Filter(test) = &plan.graph[filter].kind else {
        return None;
    };
    let [before] = plan.inputs(filter)[..] else {
        return None;
    };
    let [input] = plan.inputs(before)[..] else {
        return None;
    };
    // A cheap test before a filter module, or before what attaches; filters among themselves are
    // one another's like.
    if matches!(
        plan.graph[before].kind,
        NodeKind::Filter(_) | NodeKind::Union
    ) || plan.outputs(before).len() != 1
    {
        return None;
    }
    let spec = operator_spec(&plan.graph[before].kind)?;
    if !is_for_each(&spec) || reads_given(test, &spec) {
        return None;
    }
    let stream = plan.graph[input].stream.clone();
    let (kind, span, statement) = {
        let node = &plan.graph[before];
        (node.kind.clone(), node.span, node.statement)
    };
    let moved = &plan.graph[filter];
    let (test, own_span, own_statement) = (moved.kind.clone(), moved.span, moved.statement);
    // The nodes keep their places in the graph, and with them the order of all others.
    let node = &mut plan.graph[filter];
    (node.kind, node.span, node.statement) = (kind, span, statement);
    let node = &mut plan.graph[before];
    (node.kind, node.span, node.statement) = (test, own_span, own_statement);
    node.stream = stream;
    Some(before)
}

/// Whether an operator does what it does for each object on its own.
fn is_for_each(spec: &OperatorSpec) -> bool {
    spec.class == StateClass::Stateless
        && !spec.side_effect
        && !spec.stops
        && spec.gives.passes_rows()
        && spec.on_control == OnControl::Forward
        && spec.output_file.is_none()
        && spec.objects.is_empty()
        && matches!(spec.needs, Needs::Fields(_))
}

fn reads_given(test: &Expr, spec: &OperatorSpec) -> bool {
    let fields = test.fields();
    let mut given = spec.gives.columns().iter();
    let reads = given.any(|(column, _)| fields.iter().any(|field| field.is_of(column)));
    reads && !is_planted("push-through-what-it-reads")
}
