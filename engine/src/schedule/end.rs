//! The end of the run: each node takes what is left for it, then says what it has to say.
//!
//! An operator that has much to say gives it piece by piece, and each piece is a step of its own
//! where that can't change the order of any output: then a million rows never stand in memory at
//! once. Where it could, all pieces are gathered first.

use super::multiplexer::Outputs;
use super::run::Runner;
use crate::Error;

impl Runner {
    pub(super) fn end(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        for rank in 0..self.nodes.len() {
            if self.pending.take(rank) {
                self.run_node(rank)?;
            }
            self.speak(rank, outputs)?;
            let text = self.nodes[rank].out.text.memory();
            self.check_waiting(rank, text)?;
            self.gave(rank);
        }
        self.end_step(outputs)
    }

    /// Lets a node say what it has to say at the end.
    fn speak(&mut self, rank: usize, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let mut in_pieces = None;
        loop {
            let node = &mut self.nodes[rank];
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
                self.gave(rank);
                self.run_pending()?;
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
        let last = self.nodes[rank].out.rows().last();
        let bytes = last.map_or(0, |part| part.data.memory());
        self.check_waiting(rank, bytes)
    }

    /// Whether the nodes behind this one may run for each piece that it gives.
    ///
    /// Rows of several inputs are one sequence, so no node behind it may have another input. On an
    /// output, rows of one position stand in the order of the statements: what writes behind this
    /// node must be the only one there, or stand behind what has said all and before what has said
    /// nothing.
    fn can_give_in_pieces(&self, rank: usize) -> bool {
        if !self.pending.is_empty() {
            return false;
        }
        let behind = self.behind(rank);
        let mut ranks = (0..self.nodes.len()).filter(|at| behind[*at]);
        if !ranks.all(|at| self.nodes[at].inputs.len() == 1) {
            return false;
        }
        let writers: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].side_effect && !self.nodes[*at].done)
            .collect();
        let order = |at: usize| (self.nodes[at].statement, at);
        let mine = writers.iter().filter(|at| behind[**at]);
        mine.into_iter().all(|mine| {
            let target = self.nodes[*mine].target();
            let others = writers
                .iter()
                .filter(|other| *other != mine && self.nodes[**other].target() == target);
            others.into_iter().all(|other| {
                let stands_before = order(*other) < order(*mine);
                let has_said_all = *other < rank && !behind[*other];
                let has_said_nothing = self.nodes[*other].out.text.is_empty();
                !behind[*other]
                    && if stands_before {
                        has_said_all
                    } else {
                        has_said_nothing
                    }
            })
        })
    }

    /// The nodes behind one.
    fn behind(&self, rank: usize) -> Vec<bool> {
        let mut behind = vec![false; self.nodes.len()];
        // Readers have higher ranks.
        for at in rank..self.nodes.len() {
            if at == rank || behind[at] {
                for reader in &self.nodes[at].readers {
                    behind[*reader] = true;
                }
            }
        }
        behind
    }
}
