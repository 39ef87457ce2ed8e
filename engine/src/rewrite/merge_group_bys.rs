//! `merge`: aggregates of the same groups of the same objects become one.
//!
//! There is one table of groups then, and a function that several of them have is computed once. Each
//! reads its own columns of what that one gives, under its own names: a column may hide a field of the
//! objects, which others still see.
//!
//! Not where something tells objects apart by their identity: those of several would be one. Nor,
//! with a limit of memory, those that have keys: what one node gives to several that write to one output
//! has to wait as a whole, each of them for the one before it, and of groups that may be more than the
//! limit. One that threads can take in parts stays apart from one that they can't.

use super::Choices;
use crate::frontier::Place;
use crate::module::GroupKeys;
use crate::physical;
use crate::plan::{Aggregate, NodeId, NodeKind, Plan};
use crate::planted::is_planted;
use hashbrown::HashMap;
use wireq_typesys::FieldPath;

/// What has to be the same: the input, the keys, what becomes of objects without any.
type Groups = (NodeId, Vec<FieldPath>, bool);

pub(super) fn apply(plan: &mut Plan, choices: &Choices) {
    if plan.reads_identity() {
        return;
    }
    let mut groups: HashMap<Groups, Vec<NodeId>> = HashMap::new();
    let order = plan.order();
    for node in &order {
        if let (NodeKind::Aggregate(aggregate), [input]) =
            (&plan.graph[*node].kind, &plan.inputs(*node)[..])
        {
            // One object can wait, whatever the limit.
            let gives_one = aggregate.keys.is_empty() && aggregate.group.is_none();
            if choices.memory_limited && !gives_one {
                continue;
            }
            let keys = match is_planted("merge-any-keys") {
                true => Vec::new(),
                false => aggregate.keys.clone(),
            };
            let known = groups.entry((*input, keys, aggregate.all));
            known.or_default().push(*node);
        }
    }
    groups.retain(|_, nodes| nodes.len() > 1);
    if groups.is_empty() {
        return;
    }
    let places = physical::places(plan).into_iter().map(|(place, _)| place);
    let places: HashMap<NodeId, Place> = order.into_iter().zip(places).collect();
    let mut sets: Vec<Vec<NodeId>> = Vec::new();
    for (_, nodes) in groups {
        sets.extend(alike(plan, nodes, &places));
    }
    // Nodes are numbered as they are added: always in the same order.
    sets.sort();
    for set in sets.iter().filter(|set| set.len() > 1) {
        plan.merge_aggregates(set);
    }
}

/// Divides aggregates by the groups around them and by where they run.
fn alike(plan: &Plan, nodes: Vec<NodeId>, places: &HashMap<NodeId, Place>) -> Vec<Vec<NodeId>> {
    let mut sets: Vec<((Option<&GroupKeys>, bool), Vec<NodeId>)> = Vec::new();
    for node in nodes {
        if let NodeKind::Aggregate(Aggregate { group, .. }) = &plan.graph[node].kind {
            let alike = (group.as_ref(), places.get(&node) == Some(&Place::InParts));
            match sets.iter_mut().find(|(known, _)| *known == alike) {
                Some((_, set)) => set.push(node),
                None => sets.push((alike, vec![node])),
            }
        }
    }
    sets.into_iter().map(|(_, set)| set).collect()
}
