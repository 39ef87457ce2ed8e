//! The order of the nodes of a plan.

use super::by_node::ByNode;
use super::{NodeId, Plan};
use petgraph::visit::{EdgeRef, IntoEdgeReferences};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a node stands among those that could come next. What stands in for others stands where the
/// first of them was written: the order of all others stays as it would be without it.
type Rank = (NodeId, bool, NodeId);

impl Plan {
    fn rank(&self, node: NodeId) -> Rank {
        let before = self.graph[node].before;
        (before.unwrap_or(node), before.is_none(), node)
    }

    /// All nodes, each behind its inputs; nodes written earlier first where that leaves a choice.
    pub fn order(&self) -> Vec<NodeId> {
        // Nodes are written behind their inputs, and rewrites let most of them stand where they are:
        // where nodes as they are written are in an order, that is the first one. Plans of thousands
        // of statements are put in order a dozen times.
        let mut ranks: Vec<Rank> = self.graph.node_indices().map(|n| self.rank(n)).collect();
        // In a few runs already, which a stable sort joins.
        ranks.sort();
        let written: Vec<NodeId> = ranks.into_iter().map(|(_, _, node)| node).collect();
        match self.is_order(&written) {
            true => written,
            false => self.searched_order(written),
        }
    }

    /// Pairs of sources that are there of which the first is read first, by the first.
    fn read_first(&self) -> Vec<(NodeId, NodeId)> {
        let is_there = |node: &NodeId| self.graph.contains_node(*node);
        let pairs = self.precedes.iter().copied();
        let mut pairs: Vec<_> = pairs
            .filter(|(first, later)| is_there(first) && is_there(later))
            .collect();
        pairs.sort_unstable();
        pairs
    }

    fn is_order(&self, nodes: &[NodeId]) -> bool {
        let mut places: ByNode<u32> = ByNode::new(self);
        for (node, place) in nodes.iter().zip(0..) {
            places.insert(*node, place);
        }
        let stands = |first: NodeId, later: NodeId| places[first] < places[later];
        let mut edges = self.graph.edge_references();
        let mut sources = self.read_first().into_iter();
        edges.all(|edge| stands(edge.source(), edge.target()))
            && sources.all(|(first, later)| stands(first, later))
    }

    /// The same where some node is written before what it reads from.
    fn searched_order(&self, nodes: Vec<NodeId>) -> Vec<NodeId> {
        let sources = self.read_first();
        let mut missing: ByNode<u32> = ByNode::new(self);
        let edges = self.graph.edge_references().map(|edge| edge.target());
        for later in edges.chain(sources.iter().map(|(_, later)| *later)) {
            *missing.get_or_insert_with(later, || 0) += 1;
        }
        let mut order = Vec::with_capacity(nodes.len());
        let first = nodes.into_iter().filter(|node| !missing.contains(*node));
        let mut ready: BinaryHeap<Reverse<Rank>> =
            first.map(|node| Reverse(self.rank(node))).collect();
        while let Some(Reverse((_, _, node))) = ready.pop() {
            order.push(node);
            let readers = self.graph.edges(node).map(|edge| edge.target());
            let from = sources.partition_point(|(first, _)| *first < node);
            let later = sources[from..].iter();
            let later = later.take_while(|(first, _)| *first == node);
            for next in readers.chain(later.map(|(_, later)| *later)) {
                let missing = missing.get_or_insert_with(next, || 0);
                *missing = missing.saturating_sub(1);
                if *missing == 0 {
                    ready.push(Reverse(self.rank(next)));
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use crate::Span;
    use crate::plan::{NodeId, Plan};
    use petgraph::Direction;

    /// A plan of nodes without inputs, for edges to be put between them.
    fn plan(nodes: usize) -> (Plan, Vec<NodeId>) {
        let mut plan = Plan::default();
        let nodes = (0..nodes).map(|_| plan.add_union(&[], Span::default()));
        let nodes = nodes.collect();
        (plan, nodes)
    }

    /// The order by definition: always the node of the lowest rank of those whose inputs are there.
    fn by_definition(plan: &Plan) -> Vec<NodeId> {
        let mut order: Vec<NodeId> = Vec::new();
        loop {
            let is_ready = |node: &NodeId| {
                let mut inputs = plan.graph.neighbors_directed(*node, Direction::Incoming);
                let mut precedes = plan.precedes.iter().filter(|(_, later)| later == node);
                !order.contains(node)
                    && inputs.all(|input| order.contains(&input))
                    && precedes.all(|(first, _)| order.contains(first))
            };
            let ready = plan.graph.node_indices().filter(is_ready);
            match ready.min_by_key(|node| plan.rank(*node)) {
                Some(next) => order.push(next),
                None => return order,
            }
        }
    }

    #[test]
    fn orders_are_the_first_ones_there_are() {
        for seed in 0..2000u64 {
            // Of all sizes, mostly in the order in which nodes are written, sometimes not.
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut below = |bound: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 33) as usize % bound
            };
            let count = 2 + below(12);
            let (mut plan, nodes) = plan(count);
            let mut behind: Vec<usize> = (0..count).collect();
            for _ in 0..below(3) {
                let (a, b) = (below(count), below(count));
                behind.swap(a, b);
            }
            for _ in 0..below(2 * count) {
                let (a, b) = (below(count), below(count));
                if a < b {
                    let (first, later) = (nodes[behind[a]], nodes[behind[b]]);
                    match below(5) {
                        0 => plan.precedes.push((first, later)),
                        _ => _ = plan.graph.add_edge(first, later, 0),
                    }
                }
            }
            for _ in 0..below(3) {
                let (node, before) = (nodes[below(count)], nodes[below(count)]);
                plan.graph[node].before = Some(before);
            }
            if below(3) == 0 {
                let removed = nodes[below(count)];
                plan.precedes
                    .retain(|(a, b)| *a != removed && *b != removed);
                plan.graph.remove_node(removed);
            }
            assert_eq!(plan.order(), by_definition(&plan), "seed {seed}");
        }
    }
}
