//! Something for each node, found by the node's number.

use super::{NodeId, Plan};
use std::ops::Index;

/// Something for each of some nodes. Their numbers have few gaps: a list holds it without a search.
pub(crate) struct ByNode<T>(Vec<Option<T>>);

impl<T> ByNode<T> {
    /// Nothing yet for any node of a plan.
    pub(crate) fn new(plan: &Plan) -> ByNode<T> {
        let count = plan.graph.node_indices().next_back();
        let count = count.map_or(0, |last| last.index() + 1);
        ByNode((0..count).map(|_| None).collect())
    }

    /// Takes in what there is for a node, in the place of what there was.
    pub(crate) fn insert(&mut self, node: NodeId, value: T) {
        self.0[node.index()] = Some(value);
    }

    /// What there is for a node; where there was nothing, what `make` gives from now on.
    pub(crate) fn get_or_insert_with(&mut self, node: NodeId, make: impl FnOnce() -> T) -> &mut T {
        self.0[node.index()].get_or_insert_with(make)
    }

    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.get(node).is_some()
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&T> {
        self.0.get(node.index())?.as_ref()
    }

    pub(crate) fn remove(&mut self, node: NodeId) -> Option<T> {
        self.0.get_mut(node.index())?.take()
    }

    /// All there is, by the numbers of the nodes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &T)> {
        let known = self.0.iter().enumerate();
        known.filter_map(|(at, value)| Some((NodeId::new(at), value.as_ref()?)))
    }
}

impl<T> Index<NodeId> for ByNode<T> {
    type Output = T;

    /// What there is for a node that has something.
    fn index(&self, node: NodeId) -> &T {
        match self.get(node) {
            Some(value) => value,
            None => panic!("nothing is known of node {}", node.index()),
        }
    }
}
