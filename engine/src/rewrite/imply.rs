//! `imply`: what follows from a test that was passed on the way is not tried again.
//!
//! | what | how |
//! |---|---|
//! | a filter somewhere behind another one | it loses the tests that the other has passed, or that follow from those |
//! | filters of one stream | one reads what another passes, where all that the other tries follows from its own tests: `10.1.0.0/16` from `10.0.0.0/8` |
//!
//! Between the two there may be whatever passes objects on: a test of a field that was attached since
//! then says nothing of it. A union has several ways to it, and what is made or kept is not what was
//! tested. Filters of which as many read one stream as are matched at once stay where they are: a
//! look-up finds all blocks that an address is in.

use super::Choices;
use super::normalize::{Known, normalized};
use crate::module::Gives;
use crate::operator::operator_spec;
use crate::plan::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use wireq_typesys::FieldPath;

/// So many nodes before a filter are looked at: pipelines that people write are shorter, and what is
/// left then is only tried twice.
const NODES_MAX: usize = 64;

/// Filters of one stream of which there are more are not compared, each with each.
const SIBLINGS_MAX: usize = 32;

pub(super) fn apply(plan: &mut Plan, choices: &Choices) {
    let acting = plan.acting();
    for node in plan.order() {
        let filters = filters_of(plan, node);
        // Those behind a side effect take their rows one by one, each as it was written.
        if is_few(filters.len(), choices) && !acting.contains(node) {
            feed(plan, node, &filters);
        }
    }
    for node in plan.order() {
        drop_implied(plan, node);
    }
}

/// Whether filters of one stream will not be matched at once, and are to be compared.
fn is_few(filters: usize, choices: &Choices) -> bool {
    let matches = choices.vector && !choices.off.iter().any(|name| name == "vector");
    let most = match matches {
        true => choices.vector_min.saturating_sub(1),
        false => SIBLINGS_MAX,
    };
    (2..=most.min(SIBLINGS_MAX)).contains(&filters)
}

fn filters_of(plan: &Plan, node: NodeId) -> Vec<NodeId> {
    let readers = plan.outputs(node).into_iter().map(|(reader, _)| reader);
    readers
        .filter(|reader| matches!(plan.graph[*reader].kind, NodeKind::Filter(_)))
        .collect()
}

/// Lets filters of one stream read from others of them.
fn feed(plan: &mut Plan, node: NodeId, filters: &[NodeId]) {
    let stream = &plan.graph[node].stream;
    let tests = |filter: &NodeId| match &plan.graph[*filter].kind {
        NodeKind::Filter(test) => test.clone().conjuncts(),
        _ => Vec::new(),
    };
    let tests: Vec<Vec<Expr>> = filters.iter().map(tests).collect();
    let known: Vec<Known> = tests
        .iter()
        .map(|tests| Known::new(tests.clone(), stream))
        .collect();
    let implies = |at: usize, other: usize| {
        let mut others = tests[other].iter();
        at != other && others.all(|test| known[at].implies(test, stream))
    };
    // By filter, those that pass all that it passes.
    let wider = |at: usize| (0..filters.len()).filter(move |other| implies(at, *other));
    let wider: Vec<Vec<usize>> = (0..filters.len()).map(|at| wider(at).collect()).collect();
    // Of two that pass the same the first is the wider one.
    let is_behind = |at: usize, other: usize| {
        wider[at].contains(&other) && (other < at || !wider[other].contains(&at))
    };
    let mut moves = Vec::new();
    for at in 0..filters.len() {
        let before = (0..filters.len()).filter(|other| is_behind(at, *other));
        // The narrowest of them: it is itself behind most.
        let depth = |other: &usize| (0..filters.len()).filter(|o| is_behind(*other, *o)).count();
        if let Some(narrowest) =
            before.max_by_key(|other| (depth(other), std::cmp::Reverse(*other)))
        {
            moves.push(match is_planted("feed-the-wide-from-the-narrow") {
                true => (filters[at], filters[narrowest]),
                false => (filters[narrowest], filters[at]),
            });
        }
    }
    plan.feed(node, &moves);
}

/// Takes tests off a filter that hold for all that comes.
fn drop_implied(plan: &mut Plan, node: NodeId) {
    let NodeKind::Filter(test) = &plan.graph[node].kind else {
        return;
    };
    let holds = tests_before(plan, node);
    if holds.is_empty() {
        return;
    }
    let stream = &plan.graph[node].stream;
    let known = Known::new(holds, stream);
    let mut tests = test.clone().conjuncts();
    let count = tests.len();
    tests.retain(|test| !known.implies(test, stream));
    if tests.len() < count {
        match normalized(Expr::And(tests), stream) {
            Expr::Bool(true, _) => plan.splice(node),
            test => plan.graph[node].kind = NodeKind::Filter(test),
        }
    }
}

/// What all objects that come to a node have passed.
fn tests_before(plan: &Plan, node: NodeId) -> Vec<Expr> {
    let mut attached: Vec<FieldPath> = Vec::new();
    let mut tests = Vec::new();
    let mut at = node;
    for _ in 0..NODES_MAX {
        let [before] = plan.inputs(at)[..] else {
            break;
        };
        at = before;
        let kind = &plan.graph[at].kind;
        if let NodeKind::Filter(test) = kind {
            let same = |test: &Expr| {
                let fields = test.fields();
                let is_new = |name: &FieldPath| fields.iter().any(|field| field.is_of(name));
                // A module that reads whatever there is names no fields.
                let is_of_these = !attached.is_empty() && fields.is_empty();
                !is_of_these && !attached.iter().any(is_new)
                    || is_planted("imply-of-what-is-attached")
            };
            tests.extend(test.clone().conjuncts().into_iter().filter(same));
            continue;
        }
        match operator_spec(kind) {
            Some(spec) if spec.objects.is_empty() => match &spec.gives {
                Gives::Same => {}
                Gives::Annotated(columns) => {
                    attached.extend(columns.iter().map(|(name, _)| name.clone()));
                }
                _ => break,
            },
            _ => break,
        }
    }
    tests
}
