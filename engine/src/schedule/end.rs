//! The end of the run: each node takes what is left for it, then says what it has to say.
//!
//! An operator that has much to say gives it piece by piece, and each piece is a step of its own
//! where that can't change the order of any output: then a million rows never stand in memory at
//! once. Where it could, all pieces are gathered first.

use super::graph::RunNode;
use super::multiplexer::Outputs;
use super::run::{Options, Runner};
use crate::Error;
use crate::planted::is_planted;

impl Runner {
    pub(super) fn end(
        &mut self,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        self.graph
            .nodes
            .iter_mut()
            .for_each(|node| node.spoke = false);
        for rank in 0..self.graph.nodes.len() {
            if self.graph.pending.take(rank) {
                self.graph.run_node(rank)?;
            }
            self.say_at_once(rank, options, outputs)?;
            self.speak(rank, outputs)?;
            let text = self.graph.nodes[rank].out.text.memory();
            self.check_waiting(rank, text)?;
            self.graph.gave(rank);
        }
        self.end_step(outputs)
    }

    /// Lets several threads say what a node has to say, where that is much and may be.
    fn say_at_once(
        &mut self,
        rank: usize,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        let whole = self.memory.is_some() || self.spills;
        // Objects that are made are numbered in their order.
        let may = !whole && !self.reads_identity;
        let in_turns = may && self.can_take_turns(rank) && !self.can_give_in_pieces(rank);
        let may = may && (options.threads > 1 || in_turns);
        let node = &mut self.graph.nodes[rank];
        let (Some(operator), true) = (&mut node.operator, may && !node.done) else {
            return Ok(());
        };
        let Some(pieces) = operator.finish_in_pieces() else {
            return Ok(());
        };
        if in_turns {
            // What was said before this node stands before it.
            self.end_step(outputs)?;
            return self.say_in_turns(rank, &*pieces, options, outputs);
        }
        if self.can_give_in_pieces(rank) {
            self.end_step(outputs)?;
            return self.say_on_threads(rank, &*pieces, options, outputs);
        }
        let out = &mut self.graph.nodes[rank].out;
        (0..pieces.len()).for_each(|piece| pieces.give(piece, out));
        Ok(())
    }

    /// Lets a node say what it has to say at the end.
    fn speak(&mut self, rank: usize, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let node = &mut self.graph.nodes[rank];
        if let (Some(operator), true) = (node.operator.as_mut(), node.done) {
            return operator.stop();
        }
        let mut in_pieces = None;
        loop {
            let node = &mut self.graph.nodes[rank];
            let (Some(operator), false) = (node.operator.as_mut(), node.done) else {
                return Ok(());
            };
            operator.finish(&mut node.out)?;
            if !operator.has_more() {
                return Ok(());
            }
            let in_pieces = match in_pieces {
                Some(known) => known,
                None => {
                    let can = self.can_give_in_pieces(rank);
                    if can {
                        // What was said before this node stands before it.
                        self.end_step(outputs)?;
                    }
                    *in_pieces.insert(can)
                }
            };
            if self.spills {
                self.spill_all()?;
            }
            if in_pieces {
                self.graph.gave(rank);
                self.graph.run_pending()?;
                self.end_step(outputs)?;
            } else {
                self.gather(rank)?;
            }
        }
    }

    /// Counts a piece that waits with others.
    fn gather(&mut self, rank: usize) -> Result<(), Error> {
        if self.memory.is_none() {
            return Ok(());
        }
        let last = self.graph.nodes[rank].out.rows().last();
        let bytes = last.map_or(0, |part| part.data.memory());
        self.check_waiting(rank, bytes)
    }

    /// Whether the nodes behind this one may run for each piece that it gives.
    ///
    /// All that is said at the end has one position. Among rows of one position, those of several
    /// inputs come in the order of the ports, and those on an output in the order of the statements.
    /// So what stands before must have said all, and what stands behind nothing yet.
    fn can_give_in_pieces(&self, rank: usize) -> bool {
        if !self.graph.pending.is_empty() || !self.may_write_now(rank) {
            return false;
        }
        if is_planted("pieces-whatever-the-order") {
            return true;
        }
        let behind = self.behind(rank);
        let mut ranks = (0..self.graph.nodes.len()).filter(|at| behind[*at]);
        ranks.all(|at| {
            self.is_next_port(at, rank, &behind) && self.is_next_writer(at, rank, &behind)
        })
    }

    /// Whether what was written so far may stand on the outputs before a node says anything. What is
    /// written for many statements may be of later ones than that of a node whose turn is to come.
    pub(super) fn may_write_now(&self, rank: usize) -> bool {
        let nodes = &self.graph.nodes;
        let has_spoken = |node: &RunNode| node.inputs.iter().any(|input| nodes[*input].spoke);
        let mut tables = nodes
            .iter()
            .filter(|node| node.writes_for_many() && has_spoken(node));
        tables.all(|table| {
            let mut later = nodes[rank..]
                .iter()
                .filter(|node| node.side_effect && !node.done);
            !later.any(|writer| writer.shares_output(table))
        })
    }

    /// Whether a node behind the one that gives has all rows of its lower ports, and none of its
    /// higher ones.
    fn is_next_port(&self, at: usize, rank: usize, behind: &[bool]) -> bool {
        let inputs = &self.graph.nodes[at].inputs;
        let is_mine = |input: &usize| *input == rank || behind[*input];
        let Some(port) = inputs.iter().position(is_mine) else {
            return false;
        };
        let (lower, higher) = (&inputs[..port], &inputs[port + 1..]);
        // What had its turn has said all: nothing waits for it.
        lower.iter().all(|input| *input < rank)
            && higher
                .iter()
                .all(|input| !is_mine(input) && !self.graph.nodes[*input].spoke)
    }

    /// Whether what a node behind the one that gives writes is the next on its output.
    fn is_next_writer(&self, at: usize, rank: usize, behind: &[bool]) -> bool {
        let node = &self.graph.nodes[at];
        if !node.side_effect || node.done {
            return true;
        }
        if node.writes_for_many() {
            return false;
        }
        let others = self
            .graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(other, writer)| {
                *other != at && writer.side_effect && !writer.done && writer.shares_output(node)
            });
        others.into_iter().all(|(other, writer)| {
            if behind[other] || writer.writes_for_many() {
                return false;
            }
            if (writer.statement, writer.written) < (node.statement, node.written) {
                other < rank
            } else {
                writer
                    .inputs
                    .iter()
                    .all(|input| !self.graph.nodes[*input].spoke)
            }
        })
    }

    /// The nodes behind one.
    pub(super) fn behind(&self, rank: usize) -> Vec<bool> {
        let mut behind = vec![false; self.graph.nodes.len()];
        // Readers have higher ranks.
        for at in rank..self.graph.nodes.len() {
            if at == rank || behind[at] {
                for reader in &self.graph.nodes[at].readers {
                    behind[*reader] = true;
                }
            }
        }
        behind
    }
}
