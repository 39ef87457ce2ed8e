//! The limit of memory: what operators keep, and which of them have to move it to files.

use super::run::Runner;
use crate::{Error, Operator};

/// What the operators keep, as they said last.
pub(super) struct Memory {
    limit: usize,
    /// By rank.
    kept: Vec<usize>,
    total: usize,
    /// What was given and waits for the end of the step, and what of it the last node gave.
    waiting: usize,
    last: (usize, usize),
}

impl Memory {
    pub(super) fn new(limit: usize) -> Memory {
        Memory {
            limit,
            kept: Vec::new(),
            total: 0,
            waiting: 0,
            last: (0, 0),
        }
    }

    fn note(&mut self, rank: usize, bytes: usize) {
        if rank >= self.kept.len() {
            self.kept.resize(rank + 1, 0);
        }
        let before = std::mem::replace(&mut self.kept[rank], bytes);
        self.total = self.total.saturating_sub(before).saturating_add(bytes);
    }

    fn is_exceeded(&self) -> bool {
        self.total.saturating_add(self.waiting) > self.limit
    }

    /// The node that keeps most, of those that `is_in`.
    fn largest(&self, is_in: impl Fn(usize) -> bool) -> Option<usize> {
        let ranks = (0..self.kept.len()).filter(|rank| self.kept[*rank] > 0 && is_in(*rank));
        // Of equal ones the first, whatever an iterator makes of them.
        ranks.rev().max_by_key(|rank| self.kept[*rank])
    }
}

impl Runner {
    /// Asks the operators that ran what they keep; where all together keep too much, some have to
    /// move it to files.
    ///
    /// # Errors
    /// Where that is not enough, or a file can't be written.
    pub(super) fn check_memory(&mut self, ran: &[usize]) -> Result<(), Error> {
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        for rank in ran {
            let operator = self.graph.nodes[*rank].operator.as_deref();
            memory.note(*rank, operator.map_or(0, Operator::memory));
        }
        memory.waiting = 0;
        memory.last = (0, 0);
        self.relieve()
    }

    /// Counts what a node gave and what waits for the end of the step.
    ///
    /// # Errors
    /// As of [`Runner::check_memory`].
    pub(super) fn check_waiting(&mut self, rank: usize, bytes: usize) -> Result<(), Error> {
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        let operator = self.graph.nodes[rank].operator.as_deref();
        memory.note(rank, operator.map_or(0, Operator::memory));
        memory.waiting = memory.waiting.saturating_add(bytes);
        let before = if memory.last.0 == rank {
            memory.last.1
        } else {
            0
        };
        memory.last = (rank, before.saturating_add(bytes));
        self.relieve()
    }

    /// Lets operators move what they keep to files, the one that keeps most first.
    fn relieve(&mut self) -> Result<(), Error> {
        let mut asked = Vec::new();
        while let Some(memory) = self.memory.as_mut().filter(|memory| memory.is_exceeded()) {
            let Some(rank) = memory.largest(|rank| !asked.contains(&rank)) else {
                return Err(self.out_of_memory());
            };
            asked.push(rank);
            if let Some(operator) = &mut self.graph.nodes[rank].operator
                && operator.spill()?
            {
                memory.note(rank, operator.memory());
            }
        }
        Ok(())
    }

    /// Lets every operator move to files what it can.
    pub(super) fn spill_all(&mut self) -> Result<(), Error> {
        let operators = self.graph.nodes.iter_mut();
        for operator in operators.filter_map(|node| node.operator.as_mut()) {
            operator.spill()?;
        }
        Ok(())
    }

    fn out_of_memory(&self) -> Error {
        let (mut rank, mut used, mut verb, mut limit) = (0, 0, "keeps", 0);
        if let Some(memory) = &self.memory {
            limit = memory.limit;
            rank = memory.largest(|_| true).unwrap_or(0);
            used = memory.kept.get(rank).copied().unwrap_or(0);
            if memory.last.1 > used {
                (rank, used) = memory.last;
                verb = "gives";
            }
        }
        let node = &self.graph.nodes[rank];
        let name = node.name.to_string();
        let module = name.split(' ').next().unwrap_or_default();
        Error::Memory {
            module: module.to_owned(),
            node: name,
            statement: node.statement + 1,
            verb,
            used,
            limit,
        }
    }
}
