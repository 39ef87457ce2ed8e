//! `table`: what is the same behind filters that are matched at once is done once.
//!
//! `where A | print srcip` and a thousand more like it: each row would be handed to the print of each
//! filter that passes it, batch by batch, and a batch has rows for most of a thousand filters. Where
//! the filters are one node already, that says which of them pass a row, and the rows carry these
//! numbers through all that keeps nothing. What keeps something gets a row for each branch, with the
//! branch as its first key; what passes the first rows counts them for each branch, and a row goes on
//! with the numbers of those that take it. A print writes a row for the statements whose it is; where
//! branches differ again, each gets its own rows.
//!
//! Not where groups complete before the end: that would be a search among the groups of all branches.
//! Not where it matters when one branch is done and others are not: what is done reads no further,
//! hears of no time, and what stands before it writes nothing.

use super::Choices;
use super::equals::Equals;
use crate::plan::by_node::ByNode;
use crate::plan::{Member, NodeId, NodeKind, Plan, takes_first};
use crate::{Gives, Needs, OnControl, OperatorSpec, StateClass};
use hashbrown::HashSet;
use petgraph::Direction;

pub(super) fn apply(plan: &mut Plan, choices: &Choices) {
    let is_match = |node: &NodeId| matches!(plan.graph[*node].kind, NodeKind::Match(_));
    let matches: Vec<NodeId> = plan.order().into_iter().filter(is_match).collect();
    if matches.is_empty() {
        return;
    }
    let suffixes = Suffixes::new(plan);
    let tables: Vec<(NodeId, Vec<Vec<Member>>)> = matches
        .into_iter()
        .map(|matched| {
            (
                matched,
                suffixes.tables(plan, matched, choices.vector_min.max(1)),
            )
        })
        .collect();
    for (matched, tables) in tables {
        for members in tables {
            plan.insert_table(matched, &members);
        }
    }
}

/// What may stand in tables.
struct Suffixes {
    /// By statement, whether it does nothing but give rows and write them to its output.
    only_prints: Vec<bool>,
    /// The nodes that have a side effect, and all behind them.
    acting: ByNode<()>,
    behind: ByNode<Behind>,
    /// Whether anything tells objects apart by what they are.
    reads_identity: bool,
}

/// What there is among a node and all behind it.
struct Behind {
    /// What may be done before its input ends.
    stops: bool,
    /// What goes by what is said between rows.
    hears: bool,
}

impl Suffixes {
    fn new(plan: &Plan) -> Suffixes {
        let mut only_prints = vec![true; plan.statements.len()];
        for node in plan.graph.node_weights() {
            if let NodeKind::Operator(_, _, spec) = &node.kind
                && spec.side_effect
                && (!spec.only_writes || spec.output_file.is_some())
            {
                only_prints[node.statement] = false;
            }
        }
        let order = plan.order();
        let next_to = |node: &NodeId, direction| plan.graph.neighbors_directed(*node, direction);
        let mut acting: ByNode<()> = ByNode::new(plan);
        for node in &order {
            let mut inputs = next_to(node, Direction::Incoming);
            let acts = plan.graph[*node].kind.has_side_effect();
            if acts || inputs.any(|input| acting.contains(input)) {
                acting.insert(*node, ());
            }
        }
        let mut behind: ByNode<Behind> = ByNode::new(plan);
        for node in order.iter().rev() {
            let kind = &plan.graph[*node].kind;
            let (mut stops, mut hears) = (kind.stops(), hears(kind));
            for reader in next_to(node, Direction::Outgoing) {
                stops |= behind[reader].stops;
                hears |= behind[reader].hears;
            }
            behind.insert(*node, Behind { stops, hears });
        }
        Suffixes {
            only_prints,
            acting,
            behind,
            reads_identity: plan.reads_identity(),
        }
    }

    /// The tables behind a match: those of the longest chains first, and a chain stands in one only.
    fn tables(&self, plan: &Plan, matched: NodeId, least: usize) -> Vec<Vec<Member>> {
        let before = before(plan, matched);
        let is_group = |node: &NodeId| matches!(plan.graph[*node].kind, NodeKind::Group(_));
        // Objects that are in a group already stay in it.
        if before.iter().any(is_group) {
            return Vec::new();
        }
        let closes = before.iter().any(|node| closes(&plan.graph[*node].kind));
        let may_keep = !closes && !self.reads_identity;
        let mut chains: Vec<(NodeId, Vec<NodeId>)> = Vec::new();
        for (branch, _) in plan.outputs(matched) {
            if !matches!(plan.graph[branch].kind, NodeKind::Branch(_)) {
                continue;
            }
            for (reader, _) in plan.outputs(branch) {
                let chain = self.chain(plan, reader, may_keep);
                if !chain.is_empty() {
                    chains.push((branch, chain));
                }
            }
        }
        let longest = chains.iter().map(|(_, chain)| chain.len()).max();
        let mut tables = Vec::new();
        for len in (1..=longest.unwrap_or(0)).rev() {
            for group in equal(plan, &chains, len) {
                let of = |at: &usize| &plan.graph[chains[*at].1[len - 1]].kind;
                let pays = group.len() >= least && group.first().map(of).is_some_and(pays);
                if !pays {
                    continue;
                }
                let mut members: Vec<Member> = Vec::with_capacity(group.len());
                for at in group {
                    let (branch, mut chain) = (chains[at].0, std::mem::take(&mut chains[at].1));
                    chain.truncate(len);
                    members.push(Member { branch, chain });
                }
                // Rows of one position come in the order of the statements.
                members.sort_by_key(|member| {
                    let last = member.chain[len - 1];
                    (plan.graph[last].statement, plan.place(last), last)
                });
                tables.push(members);
            }
        }
        tables
    }

    /// The nodes behind a branch that may stand in a table, one behind the other.
    fn chain(&self, plan: &Plan, reader: NodeId, may_keep: bool) -> Vec<NodeId> {
        let mut chain = Vec::new();
        let mut next = Some(reader);
        // Whether there is a node that keeps more for as long as rows come.
        let mut grows = false;
        while let Some(node) = next {
            let kind = &plan.graph[node].kind;
            if plan.inputs(node).len() != 1 {
                break;
            }
            let readers = plan.outputs(node);
            let may = if writes_rows(kind) {
                readers.is_empty() || self.may_pass_on(plan, node)
            } else if passes_first(kind) {
                may_keep && !grows && self.may_be_done(node)
            } else {
                keeps_nothing(kind) || may_keep && can_be_divided(kind)
            };
            if !may {
                break;
            }
            grows |= passes_and_keeps(kind);
            chain.push(node);
            next = match readers[..] {
                [(reader, _)] => Some(reader),
                _ => None,
            };
        }
        chain
    }

    /// Whether what a print passes on may stand in a table: nothing behind it says which rows it
    /// writes, and where nobody reads its output any more there is nothing else that is to be done.
    fn may_pass_on(&self, plan: &Plan, print: NodeId) -> bool {
        !self.behind[print].stops && self.only_prints[plan.graph[print].statement]
    }

    /// Whether nobody can tell when a node is done.
    fn may_be_done(&self, node: NodeId) -> bool {
        !self.acting.contains(node) && !self.behind[node].hears
    }
}

/// The chains that are equal up to a length, by their numbers.
fn equal(plan: &Plan, chains: &[(NodeId, Vec<NodeId>)], len: usize) -> Vec<Vec<usize>> {
    let mut equals = Equals::default();
    let mut found: Vec<Vec<usize>> = Vec::new();
    let kind = |node: &NodeId| &plan.graph[*node].kind;
    for (at, (_, chain)) in chains.iter().enumerate() {
        let Some(chain) = chain.get(..len) else {
            continue;
        };
        let hash = |hash: &mut _| chain.iter().for_each(|node| kind(node).hash_into(hash));
        let same = |number: usize| {
            let other = &chains[found[number][0]].1[..len];
            let mut pairs = chain.iter().zip(other);
            pairs.all(|(a, b)| kind(a) == kind(b))
        };
        match equals.find(found.len(), hash, same) {
            Some(number) => found[number].push(at),
            None => found.push(vec![at]),
        }
    }
    found
}

/// Whether it is worth having a table that ends with a node: with what keeps nothing, rows would be
/// handed to each branch behind it as before.
fn pays(last: &NodeKind) -> bool {
    writes_rows(last) || can_be_divided(last)
}

/// Whether a node writes each row as text that follows from the row.
fn writes_rows(kind: &NodeKind) -> bool {
    let NodeKind::Operator(_, _, spec) = kind else {
        return false;
    };
    spec.side_effect
        && spec.only_writes
        && spec.gives == Gives::Same
        && spec.class == StateClass::Stateless
        && spec.group.is_none()
        && !spec.stops
}

/// Whether a node does with a row what follows from that row alone, and gives no other.
fn keeps_nothing(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Filter(_) | NodeKind::Compute(_) => true,
        NodeKind::Operator(_, _, spec) => {
            let rows = match spec.gives {
                Gives::Same | Gives::Annotated(_) => true,
                Gives::Projected => matches!(spec.needs, Needs::Fields(_)),
                Gives::Retained(_) | Gives::Made(_) => false,
            };
            rows && spec.class == StateClass::Stateless
                && spec.on_control != OnControl::React
                && !spec.stops
                && is_plain(spec)
        }
        _ => false,
    }
}

/// Whether a node passes the first rows and does nothing else.
fn passes_first(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Operator(_, _, spec) => {
            takes_first(spec).is_some() && spec.gives == Gives::Same && is_plain(spec)
        }
        _ => false,
    }
}

/// Whether a node keeps something of each row that it passes.
fn passes_and_keeps(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Operator(_, _, spec) => {
            spec.class != StateClass::Stateless && spec.gives.passes_rows() && spec.takes.is_none()
        }
        _ => false,
    }
}

/// Whether a node goes by what is said between rows, of time or of groups: those that can be divided
/// are asked for what they have at the end alone.
fn hears(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Operator(_, _, spec) => {
            let reacts = spec.on_control == OnControl::React;
            spec.group.is_some() || reacts && spec.divided.is_none()
        }
        NodeKind::Join(_) => true,
        _ => false,
    }
}

/// Whether a node can have the branch as a key.
fn can_be_divided(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Aggregate(aggregate) => {
            // Without keys there may be one group though no row came.
            let has_groups = !aggregate.keys.is_empty() || !aggregate.all;
            aggregate.group.is_none() && aggregate.first.is_none() && has_groups
        }
        NodeKind::Operator(_, _, spec) => {
            let fields = matches!(spec.needs, Needs::Fields(_));
            spec.divided.is_some() && fields && !spec.stops && is_plain(spec)
        }
        _ => false,
    }
}

fn is_plain(spec: &OperatorSpec) -> bool {
    !spec.side_effect
        && !spec.reads_identity
        && spec.objects.is_empty()
        && spec.group.is_none()
        && spec.record_type.is_none()
}

/// Whether a node says that groups are complete.
fn closes(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Operator(_, _, spec) => !spec.closes.is_empty(),
        _ => false,
    }
}

/// All nodes before one.
fn before(plan: &Plan, node: NodeId) -> HashSet<NodeId> {
    let mut before = HashSet::new();
    let mut open = plan.inputs(node);
    while let Some(node) = open.pop() {
        if before.insert(node) {
            open.extend(plan.inputs(node));
        }
    }
    before
}
