//! The nodes that each thread has on its own, and what they give for a batch.

use super::gather::Product;
use super::input::Found;
use super::{Team, lock};
use crate::frontier::Place;
use crate::schedule::graph::{Graph, RunNode};
use crate::schedule::output::{Item, TextRows};
use crate::schedule::prepared::Rooms;
use crate::schedule::run::Runner;
use crate::{Account, Error, InputMark, Operator, Pieces};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use wireq_typesys::PartData;

/// What the threads have each on its own: the nodes that are ahead.
pub(super) type Twins = Vec<Mutex<Graph>>;

/// What a node that is ahead gave for a batch.
#[derive(Default)]
pub(super) struct Given {
    pub(super) rank: usize,
    pub(super) account: Account,
    pub(super) nanos: u64,
    pub(super) items: Vec<Item>,
    pub(super) text: TextRows,
    /// What was prepared for it, where it is behind the frontier.
    pub(super) prepared: Rooms,
}

impl Given {
    /// Empties it; buffers are kept.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.text.clear();
        self.prepared.clear();
    }
}

/// A batch behind the nodes that are ahead.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) given: Vec<Given>,
    pub(super) failed: Option<Error>,
    /// How far the source was read when this batch came.
    pub(super) mark: InputMark,
    pub(super) data: Option<Arc<PartData>>,
}

impl Runner {
    /// The nodes that are ahead, once for each thread. The first has the operators that there are.
    pub(super) fn twins(&mut self, threads: usize) -> Twins {
        let graph = &mut self.graph;
        let mut twins = vec![graph.twin(RunNode::lend)];
        twins.extend((1..threads).map(|_| graph.twin(RunNode::double)));
        twins.into_iter().map(Mutex::new).collect()
    }

    /// Takes the operators back, and merges the parts of states.
    pub(super) fn merge_parts(&mut self, twins: &Twins) -> Result<(), Error> {
        let (mut outcome, threads) = (Ok(()), twins.len());
        for twin in twins.iter() {
            let mut twin = lock(twin);
            for (node, twin) in self.graph.nodes.iter_mut().zip(&mut twin.nodes) {
                let Some(part) = twin.operator.take() else {
                    continue;
                };
                match &mut node.operator {
                    Some(own) if node.place == Place::InParts => {
                        own.share(threads);
                        outcome = outcome.and(own.merge(&*part).map(|_| ()));
                    }
                    Some(_) => {}
                    none => *none = Some(part),
                }
            }
        }
        outcome
    }
}

impl RunNode {
    /// What another thread has of a node; the operator is not made anew.
    fn lend(&mut self) -> RunNode {
        let operator = match self.place {
            Place::InOrder => self.to_prepare(),
            Place::Ahead | Place::InParts => self.operator.take(),
        };
        self.twin(operator)
    }

    /// Likewise, with an operator of its own.
    fn double(&mut self) -> RunNode {
        let operator = match self.place {
            Place::InOrder => self.to_prepare(),
            Place::Ahead | Place::InParts => self.make.as_ref().map(|make| make()),
        };
        self.twin(operator)
    }

    /// An operator that takes no rows, where such are prepared for the one that does.
    fn to_prepare(&self) -> Option<Box<dyn Operator>> {
        let make = self.make.as_ref().filter(|_| self.is_prepared);
        make.map(|make| make())
    }
}

impl Team<'_> {
    /// Takes batches through the nodes that are ahead.
    pub(super) fn run_ahead(&self, thread: usize, found: Found, spare: &mut Vec<Batch>) -> Product {
        let mut product = Product {
            thread,
            batches: Vec::with_capacity(found.items.len().max(1)),
            failed: found.failed,
            nanos: found.nanos,
            input: found.input,
        };
        let mut twin = lock(&self.twins[thread]);
        self.mark_done(&mut twin);
        if let (Some(pieces), Some(piece)) = (self.pieces, found.piece) {
            let mut batch = spare.pop().unwrap_or_default();
            batch.failed = twin.run_piece(self.rank, pieces, piece).err();
            twin.hand_out(&mut batch);
            product.batches.push(batch);
        }
        for (item, mark) in found.items {
            let mut batch = spare.pop().unwrap_or_default();
            batch.mark = mark;
            if let Item::Rows(part) = &item {
                batch.data = Some(Arc::clone(&part.data));
            }
            batch.failed = twin.run_batch(self.rank, item).err();
            let ends = batch.failed.is_some();
            twin.hand_out(&mut batch);
            product.batches.push(batch);
            if ends {
                break;
            }
        }
        product
    }

    /// Nodes that nobody reads from any more need not run.
    pub(super) fn mark_done(&self, twin: &mut Graph) {
        let known = twin.done_known;
        if self.done_count.load(Ordering::Relaxed) == known {
            return;
        }
        let done = lock(&self.done);
        for rank in &done[known..] {
            twin.nodes[*rank].done = true;
        }
        twin.done_known = done.len();
    }
}

impl Graph {
    /// Takes a batch through the nodes.
    pub(super) fn run_batch(&mut self, rank: usize, item: Item) -> Result<(), Error> {
        self.run_source(rank, item)?;
        self.act()
    }

    /// Takes a piece of what a node says through the nodes behind it.
    pub(super) fn run_piece(
        &mut self,
        rank: usize,
        pieces: &dyn Pieces,
        piece: usize,
    ) -> Result<(), Error> {
        let start = self.timed.then(Instant::now);
        let node = &mut self.nodes[rank];
        pieces.give(piece, &mut node.out);
        node.nanos += start.map_or(0, |start| start.elapsed().as_nanos() as u64);
        self.gave(rank);
        self.run_pending()?;
        self.act()
    }

    /// What another thread has of the nodes.
    pub(super) fn twin(&mut self, node: fn(&mut RunNode) -> RunNode) -> Graph {
        let nodes = self.nodes.iter_mut().map(node).collect();
        Graph::new(nodes, self.timed, Arc::clone(&self.zone))
    }

    /// Takes over what a node gave on another thread, for those of its readers that are not there.
    pub(super) fn take_up(&mut self, rank: usize, take: impl FnOnce(&mut RunNode)) {
        let node = &mut self.nodes[rank];
        if node.done {
            return;
        }
        take(node);
        if node.is_prepared {
            return;
        }
        node.acted = true;
        self.ran.push(rank);
        // What is routed is taken over branch by branch.
        if node.out.items.is_empty() {
            return;
        }
        node.spoke = true;
        for reader in self.nodes[rank].direct.clone() {
            if self.nodes[reader].place == Place::InOrder {
                self.pending.add(reader);
            }
        }
    }

    /// Moves what the nodes gave for a batch out, and makes ready for the next one.
    pub(super) fn hand_out(&mut self, batch: &mut Batch) {
        let mut spare = std::mem::take(&mut batch.given).into_iter().peekable();
        for rank in &self.ran {
            let node = &mut self.nodes[*rank];
            if node.place == Place::InOrder && !node.only_prepares {
                continue;
            }
            // Both are in the order of ranks.
            while spare.next_if(|given| given.rank < *rank).is_some() {}
            let used = spare.next_if(|given| given.rank == *rank);
            let mut given = used.unwrap_or_default();
            given.rank = *rank;
            given.account = std::mem::take(&mut node.out.account);
            given.nanos = std::mem::take(&mut node.nanos);
            if node.read_behind {
                std::mem::swap(&mut node.out.items, &mut given.items);
            }
            given.text.swap_rows(&mut node.out.text);
            std::mem::swap(&mut node.prepared, &mut given.prepared);
            node.out.clear();
            batch.given.push(given);
        }
        self.ran.clear();
    }
}
