//! What one node says at the end to several that read from it.
//!
//! All of them together would take it as a whole, where they write to one output: all rows of a
//! statement stand before those of the next one. So each of them hears it in a turn of its own, piece
//! by piece, and what it writes is through before the next one begins.

use super::multiplexer::Outputs;
use super::run::{Options, Runner};
use crate::{Error, Pieces};

/// Where there are more readers, they take it as a whole: whether they can take turns is found by
/// looking at each of them.
const READERS_MAX: usize = 64;

impl Runner {
    /// Lets a node say the same to each of its readers, one after the other.
    pub(super) fn say_in_turns(
        &mut self,
        rank: usize,
        pieces: &dyn Pieces,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        // Nothing is routed, so that all readers have all rows.
        let readers = std::mem::take(&mut self.graph.nodes[rank].readers);
        let emitted = self.graph.nodes[rank].out.account.emitted;
        let mut most = emitted;
        let mut said = Ok(());
        for reader in readers.iter() {
            if self.graph.nodes[*reader].done || said.is_err() {
                continue;
            }
            let node = &mut self.graph.nodes[rank];
            node.readers = vec![*reader];
            node.direct = vec![*reader];
            // It is the same again.
            node.out.account.emitted = emitted;
            said = match options.threads {
                0 | 1 => self.say(rank, pieces, outputs),
                _ => self.say_on_threads(rank, pieces, options, outputs),
            };
            let node = &mut self.graph.nodes[rank];
            most = most.max(node.out.account.emitted);
            // A reader that has enough speaks for itself.
            (node.done, node.taken) = (false, None);
        }
        self.graph.nodes[rank].out.account.emitted = most;
        let node = &mut self.graph.nodes[rank];
        (node.direct, node.readers) = (readers.clone(), readers);
        said
    }

    fn say(
        &mut self,
        rank: usize,
        pieces: &dyn Pieces,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        for piece in 0..pieces.len() {
            if self.graph.nodes[rank].done {
                break;
            }
            pieces.give(piece, &mut self.graph.nodes[rank].out);
            self.graph.gave(rank);
            self.graph.run_pending()?;
            self.end_step(outputs)?;
        }
        Ok(())
    }

    /// Whether the readers of a node may take turns: whatever stands behind one of them has all that
    /// stands before its rows when its turn comes, and nothing that stands behind them.
    pub(super) fn can_take_turns(&self, rank: usize) -> bool {
        let node = &self.graph.nodes[rank];
        let readers = &node.readers;
        let several = (2..=READERS_MAX).contains(&readers.len());
        let routes = !node.branches.is_empty();
        // Where it counts what was taken of each row, that is of all readers together.
        if !several || routes || node.trace.is_some() || !self.graph.pending.is_empty() {
            return false;
        }
        if !self.may_write_now(rank) {
            return false;
        }
        let mut turn = Turn {
            runner: self,
            rank,
            earlier: vec![false; self.graph.nodes.len()],
            mine: Vec::new(),
        };
        readers.iter().all(|reader| {
            turn.mine = self.behind(*reader);
            turn.mine[*reader] = true;
            let can = turn.can_be_taken();
            for (earlier, mine) in turn.earlier.iter_mut().zip(&turn.mine) {
                *earlier |= mine;
            }
            can
        })
    }
}

/// The turn of one reader.
struct Turn<'a> {
    runner: &'a Runner,
    /// The node that speaks.
    rank: usize,
    /// What stands behind readers that had their turns, and these.
    earlier: Vec<bool>,
    /// What stands behind this one, and itself.
    mine: Vec<bool>,
}

impl Turn<'_> {
    fn can_be_taken(&self) -> bool {
        let mut all = (self.rank..self.mine.len()).filter(|at| self.mine[*at]);
        all.all(|at| self.is_next_port(at) && self.is_next_writer(at))
    }

    fn is_mine(&self, input: usize) -> bool {
        input == self.rank || self.mine[input]
    }

    /// Whether a node has said anything at the end when the turn begins.
    fn spoke(&self, at: usize) -> bool {
        self.earlier[at] || self.runner.graph.nodes[at].spoke
    }

    /// Whether a node has said all when the turn begins: it had its own, or it keeps nothing and all
    /// before it have.
    fn is_through(&self, mut at: usize) -> bool {
        // A loop: pipelines may be longer than the thread's stack is deep.
        while at > self.rank {
            let node = &self.runner.graph.nodes[at];
            let keeps_nothing = self.earlier[at] && !self.mine[at] && node.goes_ahead;
            match node.inputs[..] {
                [input] if keeps_nothing => at = input,
                _ => return false,
            }
        }
        true
    }

    fn is_next_port(&self, at: usize) -> bool {
        let inputs = &self.runner.graph.nodes[at].inputs;
        let Some(port) = inputs.iter().position(|input| self.is_mine(*input)) else {
            return false;
        };
        let (lower, higher) = (&inputs[..port], &inputs[port + 1..]);
        lower.iter().all(|input| self.is_through(*input))
            && higher
                .iter()
                .all(|input| !self.is_mine(*input) && !self.spoke(*input))
    }

    fn is_next_writer(&self, at: usize) -> bool {
        let nodes = &self.runner.graph.nodes;
        let node = &nodes[at];
        if !node.side_effect || node.done {
            return true;
        }
        if node.writes_for_many() {
            return false;
        }
        let others = nodes.iter().enumerate().filter(|(other, writer)| {
            let writes = writer.side_effect && !writer.done;
            *other != at && writes && writer.shares_output(node)
        });
        others.into_iter().all(|(other, writer)| {
            if self.mine[other] || writer.writes_for_many() {
                false
            } else if (writer.statement, writer.written) < (node.statement, node.written) {
                self.is_through(other)
            } else {
                writer.inputs.iter().all(|input| !self.spoke(*input))
            }
        })
    }
}
