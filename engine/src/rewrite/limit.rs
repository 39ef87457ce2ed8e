//! `limit`: what is sorted for its first objects alone keeps no others.
//!
//! Where groups are what is sorted, by what functions give, those that cannot be among the first are
//! not given at all: half a million of them need be neither put in order nor made objects for a top
//! ten. Equal ones at the end of the first are all given: which of them comes first is for the sort
//! to say.

use crate::plan::expr::Expr;
use crate::plan::{Aggregate, Calculation, First, NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use crate::{GroupKeys, OperatorSpec, Order};
use std::sync::Arc;
use wireq_typesys::FieldPath;

/// The most objects that are worth a look at each of all.
const FIRST_MAX: u64 = 1 << 16;

pub(super) fn apply(plan: &mut Plan) {
    for node in plan.order() {
        let NodeKind::Operator(module, arguments, spec) = &plan.graph[node].kind else {
            continue;
        };
        let Some(sorted) = &spec.sorted else { continue };
        let Some(count) = taken_behind(plan, node, spec.group.as_ref()) else {
            continue;
        };
        let count = count
            .min(FIRST_MAX + 1)
            .saturating_sub(is_planted("limit-one-less").into());
        if count > FIRST_MAX {
            continue;
        }
        let first = OperatorSpec {
            expressions: spec.expressions.clone(),
            group: spec.group.clone(),
            first: Some(count as usize),
            ..(sorted.first)(count as usize)
        };
        let by = match spec.group {
            None => sorted.fields.clone(),
            Some(_) => Vec::new(),
        };
        plan.graph[node].kind = NodeKind::Operator(module, arguments.clone(), Arc::new(first));
        limit_groups(plan, node, by, count as usize);
    }
}

/// How many objects those behind a node take at most, the first ones, where all of them say so.
/// Those that keep a state for each group take them of each.
fn taken_behind(plan: &Plan, node: NodeId, group: Option<&GroupKeys>) -> Option<u64> {
    let readers = plan.outputs(node);
    let mut most = None;
    for (reader, _) in readers {
        most = Some(taken_by(plan, reader, group)?.max(most.unwrap_or(0)));
    }
    most
}

fn taken_by(plan: &Plan, node: NodeId, group: Option<&GroupKeys>) -> Option<u64> {
    match &plan.graph[node].kind {
        NodeKind::Compute(_) => taken_behind(plan, node, group),
        NodeKind::Operator(_, _, spec) => {
            // What goes by other groups takes the first of each, and so it is in a table.
            let by_others = spec.group.is_some() && spec.group.as_ref() != group;
            if by_others || spec.table.is_some() {
                return None;
            }
            match (spec.takes, spec.skips, spec.passes_all) {
                (Some(count), ..) => Some(count),
                (_, Some(skipped), _) => {
                    Some(taken_behind(plan, node, group)?.saturating_add(skipped))
                }
                (_, _, true) => taken_behind(plan, node, group),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Goes from a sort to the groups that it sorts, if it does, past what gives each object on.
fn limit_groups(plan: &mut Plan, sort: NodeId, mut by: Vec<(FieldPath, Order)>, count: usize) {
    let mut at = sort;
    while !by.is_empty() {
        let [input] = plan.inputs(at)[..] else { return };
        if plan.outputs(input).len() != 1 {
            return;
        }
        match &mut plan.graph[input].kind {
            NodeKind::Compute(list) => keep_leading(&mut by, |field| before_compute(list, field)),
            NodeKind::Operator(_, _, spec) if spec.passes_all => {
                let given: Vec<&FieldPath> = spec.gives.columns().iter().map(|(c, _)| c).collect();
                keep_leading(&mut by, |field| {
                    let is_given = given.iter().any(|column| field.is_of(column));
                    (!is_given).then(|| field.clone())
                });
            }
            NodeKind::Aggregate(aggregate) => {
                aggregate.first = first_of(aggregate, &by, count);
                return;
            }
            _ => return,
        }
        at = input;
    }
}

/// Replaces fields by what they are elsewhere, up to the first that is nothing there.
fn keep_leading(
    by: &mut Vec<(FieldPath, Order)>,
    replaced: impl Fn(&FieldPath) -> Option<FieldPath>,
) {
    let fields = std::mem::take(by).into_iter();
    by.extend(fields.map_while(|(field, order)| Some((replaced(&field)?, order))));
}

/// What a field is before columns were calculated: one that is only another's name.
fn before_compute(list: &[Calculation], field: &FieldPath) -> Option<FieldPath> {
    match list.iter().rev().find(|column| field.is_of(&column.name)) {
        None => Some(field.clone()),
        Some(column) if column.name == *field => match &column.expr {
            Expr::Field(path, _) => Some(path.clone()),
            _ => None,
        },
        Some(_) => None,
    }
}

/// What groups come first, if that is a matter of functions. A field of the objects of the same name
/// is hidden.
fn first_of(aggregate: &Aggregate, by: &[(FieldPath, Order)], count: usize) -> Option<First> {
    if aggregate.group.is_some() || aggregate.keys.is_empty() {
        return None;
    }
    let functions = &aggregate.functions;
    let of = |(field, order): &(FieldPath, Order)| {
        let at = functions.iter().rposition(|f| f.name == *field)?;
        Some((at, *order))
    };
    let by: Arc<[(usize, Order)]> = by.iter().map_while(of).collect();
    (!by.is_empty()).then_some(First { count, by })
}
