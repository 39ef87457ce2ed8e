//! Tables: what is the same behind many filters of a match, once for all of them.

use super::stream::Stream;
use super::{Branch, Node, NodeId, NodeKind, Plan, hits_column};
use crate::{Gives, GroupKeys, Needs, OperatorSpec, Owner, StateClass};
use std::fmt;
use std::sync::Arc;
use wireq_typesys::{FieldPath, Kind};

/// Where what is the same behind many filters of a [`NodeKind::Match`] begins: the branches of the
/// table, which are numbered from 0, and what passes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The number of the filter of each branch; several branches may have the same.
    pub filters: Vec<usize>,
    /// The column that says which filters pass a row.
    pub hits: FieldPath,
    /// Whether a row is given for each branch that it belongs to, which is what keeps something
    /// needs; else it is given once, with all of them.
    pub spread: bool,
}

/// Where it ends, and branches differ again.
#[derive(Clone, Debug, PartialEq)]
pub struct Deal {
    /// How many branches there are.
    pub branches: usize,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table of {} branches", self.filters.len())?;
        match self.spread {
            true => f.write_str(", a row for each"),
            false => Ok(()),
        }
    }
}

/// The column that says which branches of a table a row belongs to.
pub(crate) fn table_column() -> FieldPath {
    FieldPath::new("\0table")
}

/// One branch of a table to be made.
pub(crate) struct Member {
    /// The branch of the match.
    pub(crate) branch: NodeId,
    /// What stands behind it, one behind the other, as behind the other members.
    pub(crate) chain: Vec<NodeId>,
}

impl Plan {
    /// Equal chains of nodes behind filters of a match become one. What reads from the last of them
    /// reads its own rows as before.
    pub(crate) fn insert_table(&mut self, matched: NodeId, members: &[Member]) {
        let Some(first) = members.first() else { return };
        let mut tests = Vec::with_capacity(members.len());
        for member in members {
            let NodeKind::Branch(branch) = &self.graph[member.branch].kind else {
                return;
            };
            tests.push(branch.clone());
        }
        let filters: Vec<usize> = tests.iter().map(|branch| branch.number).collect();
        let chain = first.chain.clone();
        // Rows are given branch by branch where something is kept of them.
        let needs_each = |node: &NodeId| needs_each(&self.graph[*node].kind);
        let spread_at = chain.iter().position(needs_each);
        let place = |plan: &Plan, level: usize| {
            let nodes = members.iter().map(|member| member.chain[level]);
            nodes.map(|node| plan.place(node)).min()
        };
        let mut kind = match spread_at {
            Some(0) => Kind::Unsigned,
            _ => Kind::List(&Kind::Unsigned),
        };
        let begin = Table {
            filters,
            hits: hits_column(),
            spread: spread_at == Some(0),
        };
        let mut last = self.add_level(matched, NodeKind::Table(begin), kind, (matched, chain[0]));
        self.graph[last].before = place(self, 0);
        for (level, node) in chain.iter().enumerate() {
            if level > 0 && spread_at == Some(level) {
                kind = Kind::Unsigned;
                let spread = NodeKind::Table(Table {
                    filters: (0..members.len()).collect(),
                    hits: table_column(),
                    spread: true,
                });
                last = self.add_level(last, spread, kind, (chain[level - 1], *node));
                self.graph[last].before = place(self, level);
            }
            let shared = self.shared(*node, level, members, kind);
            last = self.add_level(last, shared, kind, (*node, *node));
            self.graph[last].before = place(self, level);
        }
        self.take_out(matched, members, &tests, last);
    }

    /// Adds a node of a table behind another one. What it gives is what `like` gave, with the column of
    /// branches; it belongs to the statement of the other one.
    fn add_level(
        &mut self,
        input: NodeId,
        kind: NodeKind,
        holds: Kind,
        (like, of): (NodeId, NodeId),
    ) -> NodeId {
        let mut stream = Stream::clone(&self.graph[like].stream);
        stream.given.push((table_column(), holds));
        let (statement, span) = (self.graph[of].statement, self.graph[of].span);
        let node = self.graph.add_node(Node {
            kind,
            stream: Arc::new(stream),
            statement,
            span,
            before: None,
        });
        self.graph.add_edge(input, node, 0);
        node
    }

    /// What a node does, for all members of a table, where the column of branches holds this.
    fn shared(&self, node: NodeId, level: usize, members: &[Member], holds: Kind) -> NodeKind {
        match self.graph[node].kind.clone() {
            NodeKind::Aggregate(mut aggregate) => {
                aggregate.group = Some(GroupKeys {
                    column: table_column(),
                    around: Vec::new(),
                    keys: Vec::new(),
                    kinds: Vec::new(),
                });
                NodeKind::Aggregate(aggregate)
            }
            NodeKind::Operator(module, arguments, spec) => {
                let mut spec = Arc::unwrap_or_clone(spec);
                let input = self.inputs(node)[0];
                let mut fields = self.fields_needed(&spec, input);
                if spec.side_effect || spec.class != StateClass::Stateless {
                    let nodes = members.iter().map(|member| member.chain[level]);
                    let owners = nodes.map(|node| Owner {
                        statement: self.graph[node].statement,
                        place: self.place(node).index() as u32,
                    });
                    spec.table = Some(Arc::from_iter(owners));
                    if takes_first(&spec).is_some() && holds != Kind::Unsigned {
                        // A row goes on for those of its branches that take it.
                        spec.gives = Gives::Annotated(vec![(table_column(), holds)]);
                    }
                } else if spec.gives == Gives::Projected {
                    fields.push(table_column());
                }
                spec.needs = Needs::Fields(fields);
                NodeKind::Operator(module, arguments, Arc::new(spec))
            }
            kind => kind,
        }
    }

    /// Takes out what a table stands for. What behind it differs is dealt its rows.
    fn take_out(&mut self, matched: NodeId, members: &[Member], tests: &[Branch], last: NodeId) {
        let end = |member: &Member| member.chain[member.chain.len() - 1];
        let read = members
            .iter()
            .any(|member| !self.outputs(end(member)).is_empty());
        let dealt = read.then(|| {
            let deal = NodeKind::Deal(Deal {
                branches: members.len(),
            });
            let stream = self.graph[last].stream.clone();
            let (statement, span) = (self.graph[last].statement, self.graph[last].span);
            let node = self.graph.add_node(Node {
                kind: deal,
                stream,
                statement,
                span,
                before: self.graph[last].before,
            });
            self.graph.add_edge(last, node, 0);
            node
        });
        // Latest first: that is the order in which a graph finds edges at once.
        let mut latest: Vec<usize> = (0..members.len()).collect();
        latest.sort_unstable_by_key(|at| std::cmp::Reverse(members[*at].branch));
        let mut without_rows = Vec::with_capacity(members.len());
        for at in latest {
            let member = &members[at];
            if let Some(edge) = self.graph.find_edge(member.branch, member.chain[0]) {
                self.graph.remove_edge(edge);
            }
            let end = end(member);
            for node in &member.chain {
                if *node != end {
                    self.graph.remove_node(*node);
                }
            }
            match dealt {
                Some(deal) if !self.outputs(end).is_empty() => {
                    self.graph[end].kind = NodeKind::Branch(Branch {
                        number: at,
                        test: tests[at].test.clone(),
                    });
                    self.graph.add_edge(deal, end, 0);
                }
                _ => _ = self.graph.remove_node(end),
            }
            if self.outputs(member.branch).is_empty() {
                self.graph.remove_node(member.branch);
                without_rows.push(tests[at].number);
            }
        }
        self.tell(matched, &without_rows);
    }
}

/// Whether a node needs a row for each branch: it keeps something of what rows hold.
fn needs_each(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Aggregate(_) => true,
        NodeKind::Operator(_, _, spec) => {
            spec.class != StateClass::Stateless && takes_first(spec).is_none()
        }
        _ => false,
    }
}

/// How many objects an operator passes, the first ones, where that is all that it does.
pub(crate) fn takes_first(spec: &OperatorSpec) -> Option<u64> {
    let passes = spec.gives.passes_rows() && spec.stops && !spec.side_effect;
    spec.takes.filter(|_| passes)
}
