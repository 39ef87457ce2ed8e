//! Sources that have no end by themselves, and what may be asked for while a run lasts.

use super::multiplexer::{Outputs, Target};
use super::run::{Options, Runner};
use crate::Error;
use hashbrown::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What may be asked for from outside while a run lasts: each is done once, between two steps.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Show the account so far: [`Outputs::progress`].
    pub progress: Arc<AtomicBool>,
    /// Begin the files of outputs anew, since someone moved them away: [`Outputs::reopen`].
    pub reopen: Arc<AtomicBool>,
}

/// How long a source may wait for input where it is the only one, and where there are others.
const WAIT_ALONE: Duration = Duration::from_millis(50);
const WAIT_AMONG: Duration = Duration::from_millis(2);

impl Runner {
    /// Opens the sources that have no end. Gives their ranks.
    pub(super) fn open_live(&mut self, outputs: &mut dyn Outputs) -> Result<Vec<usize>, Error> {
        let (mut ranks, mut inputs) = (Vec::new(), Vec::new());
        for (rank, node) in self.graph.nodes.iter_mut().enumerate() {
            let Some(spec) = node.spec.clone().filter(|_| !node.done) else {
                continue;
            };
            if let Some(live) = &spec.live {
                node.source = Some((spec.open)()?);
                inputs.extend_from_slice(&live.inputs);
                ranks.push(rank);
            }
        }
        if !ranks.is_empty() {
            outputs.listening(&inputs)?;
        }
        Ok(ranks)
    }

    /// Reads sources that have no end, by turns. An interrupt is how they end: what they have by then
    /// is taken. Gives false: nothing is missing.
    pub(super) fn read_live(
        &mut self,
        mut ranks: Vec<usize>,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<bool, Error> {
        while !ranks.is_empty() {
            let wait = match ranks.len() {
                1 => WAIT_ALONE,
                _ => WAIT_AMONG,
            };
            let mut left = Vec::with_capacity(ranks.len());
            for rank in &ranks {
                self.attend(&options.signals, outputs)?;
                if self.read_one(*rank, wait, options, outputs)? {
                    left.push(*rank);
                }
            }
            ranks = left;
            if ranks.iter().all(|rank| self.is_idle(*rank)) {
                outputs.idle();
            }
        }
        Ok(false)
    }

    /// Takes an item of a source. Gives whether there may be more.
    fn read_one(
        &mut self,
        rank: usize,
        wait: Duration,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<bool, Error> {
        if self.graph.nodes[rank].done {
            return Ok(false);
        }
        let item = self.next(rank, wait, options)?;
        self.count_dropped(rank);
        match item {
            Some(item) => self.take(rank, item, options, outputs).map(|()| true),
            None => Ok(false),
        }
    }

    fn is_idle(&self, rank: usize) -> bool {
        let source = self.graph.nodes[rank].source.as_ref();
        source.is_none_or(|source| source.is_idle())
    }

    /// Takes what a source lost into its account.
    fn count_dropped(&mut self, rank: usize) {
        let node = &mut self.graph.nodes[rank];
        let dropped = node.source.as_mut().map_or(0, |source| source.dropped());
        node.out.account.rows_in += dropped;
        node.out.account.dropped += dropped;
    }

    /// Does what was asked for.
    pub(super) fn attend(
        &mut self,
        signals: &Signals,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        if signals.progress.swap(false, Ordering::Relaxed) {
            let report = self.report();
            outputs.progress(&report);
        }
        if signals.reopen.swap(false, Ordering::Relaxed) {
            self.reopen(outputs)?;
        }
        Ok(())
    }

    /// Ends files that someone moved away, and begins them anew.
    fn reopen(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let Runner {
            graph, multiplexer, ..
        } = self;
        let mut asked: HashMap<Target<'_>, bool> = HashMap::new();
        for node in graph.nodes.iter_mut().filter(|node| node.side_effect) {
            let targets: Vec<Target<'_>> = match (node.output_file.as_deref(), &node.writers[..]) {
                (Some(file), _) => vec![Target::File(file)],
                (None, []) => vec![Target::Number(node.target)],
                (None, writers) => {
                    let targets = writers.iter();
                    targets
                        .map(|writer| Target::Number(writer.target))
                        .collect()
                }
            };
            let mut any_moved = false;
            for target in targets {
                let moved = match asked.get(&target) {
                    Some(moved) => *moved,
                    None => {
                        let moved = outputs.is_moved(target);
                        if moved {
                            multiplexer
                                .end(target, outputs)
                                .map_err(|error| Error::file("write", "the output", error))?;
                            outputs.reopen(target)?;
                        }
                        moved
                    }
                };
                asked.insert(target, moved);
                any_moved |= moved;
            }
            if let Some(operator) = &mut node.operator {
                operator.reopen(any_moved)?;
            }
        }
        Ok(())
    }
}
