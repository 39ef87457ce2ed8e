//! `prefilter`: sources leave out what no statement takes.
//!
//! Where all that reads from a source is filters, an object that passes none of them has no effect:
//! a source that can tell needs not bring it. It may bring more than that, since the filters stay.
//! Not where something counts objects that are left out, such as the number of a frame.

use crate::module::Prefilter;
use crate::operator::operator_spec;
use crate::plan::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan};
use hashbrown::HashSet;

pub(super) fn apply(plan: &mut Plan) {
    for source in plan.order() {
        let NodeKind::Source(_, arguments, spec) = &plan.graph[source].kind else {
            continue;
        };
        let Some(prefilter) = spec.prefilter.as_ref().filter(|p| p.takes.is_none()) else {
            continue;
        };
        if is_counted(plan, source, prefilter) {
            continue;
        }
        let test = common_test(plan, source);
        let Some(narrowed) = test.and_then(|test| (prefilter.narrow)(arguments, &test)) else {
            continue;
        };
        if let NodeKind::Source(_, _, spec) = &mut plan.graph[source].kind {
            *spec = narrowed;
        }
    }
}

/// What every object of a source that has an effect passes: one of the filters that read from it.
/// None where something else reads from it.
pub fn common_test(plan: &Plan, source: NodeId) -> Option<Expr> {
    let mut tests: Vec<Expr> = Vec::new();
    for (reader, _) in plan.outputs(source) {
        match &plan.graph[reader].kind {
            NodeKind::Filter(test) => tests.push(test.clone()),
            _ => return None,
        }
    }
    match tests.len() {
        0 | 1 => tests.pop(),
        _ => Some(Expr::Or(tests)),
    }
}

/// Whether anything behind a source reads a field that counts what is left out, be it of an object
/// that others carry.
fn is_counted(plan: &Plan, source: NodeId, prefilter: &Prefilter) -> bool {
    let mut known: HashSet<NodeId> = HashSet::new();
    let mut open = vec![source];
    while let Some(node) = open.pop() {
        for (reader, _) in plan.outputs(node) {
            let Some(spec) = operator_spec(&plan.graph[reader].kind) else {
                return true;
            };
            let mut needs = plan.fields_needed(&spec, node).into_iter();
            if needs.any(|field| counts(field.as_str(), prefilter)) {
                return true;
            }
            if known.insert(reader) {
                open.push(reader);
            }
        }
    }
    false
}

/// Whether a name is that of a field that counts, with what stands before it in the names of
/// fields of other objects, or a conversion of it.
fn counts(name: &str, prefilter: &Prefilter) -> bool {
    let mut counting = prefilter.counting.iter();
    counting.any(|field| {
        let mut places = name.match_indices(field);
        places.any(|(at, _)| {
            let (before, behind) = (&name[..at], &name[at + field.len()..]);
            (before.is_empty() || before.ends_with('.'))
                && (behind.is_empty() || behind.starts_with('.'))
        })
    })
}
