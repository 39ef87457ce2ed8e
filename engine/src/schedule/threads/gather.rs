//! What the threads came to, put back into the order of turns and taken through the nodes behind.

use super::input::BATCHES_MAX;
use super::twins::{Batch, Given};
use super::{Team, lock};
use crate::schedule::multiplexer::Outputs;
use crate::schedule::run::{Options, Runner};
use crate::{Error, InputAccount, InputMark};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wireq_typesys::PartData;

/// Batches kept for use again, for each thread.
const SPARE_MAX: usize = 8;

/// What a turn came to.
pub(super) struct Product {
    pub(super) thread: usize,
    pub(super) batches: Vec<Batch>,
    /// Why the source cannot be read on.
    pub(super) failed: Option<Error>,
    /// How long the source took, where that is measured.
    pub(super) nanos: u64,
    /// What the source had read, where somebody asks for the account.
    pub(super) input: Option<InputAccount>,
}

/// What waits to be gathered.
pub(super) struct Ring {
    /// From the next one in order on.
    pub(super) products: VecDeque<Option<Product>>,
    /// Turns gathered so far.
    pub(super) gathered: u64,
    /// Turns that may be under way.
    pub(super) reserved: u64,
    /// Whether a thread gathers.
    pub(super) busy: bool,
    /// Threads that sleep until there is room.
    pub(super) waiting: usize,
    /// By thread: what is in the cache of its core.
    pub(super) spare: Vec<Spare>,
}

/// What can be used again.
#[derive(Default)]
pub(super) struct Spare {
    /// Rows of the source.
    pub(super) retired: Vec<Arc<PartData>>,
    /// What nodes gave, emptied.
    pub(super) batches: Vec<Batch>,
}

impl Spare {
    /// Keeps batches for use again.
    pub(super) fn keep(&mut self, batches: Vec<Batch>) {
        for mut batch in batches {
            if self.batches.len() < SPARE_MAX {
                self.retired.extend(batch.data.take());
                self.batches.push(batch);
            }
        }
    }

    /// Takes over what is enough for a turn.
    pub(super) fn fill(&mut self, from: &mut Spare) {
        let wanted = BATCHES_MAX.saturating_sub(self.retired.len());
        let rest = from.retired.len().saturating_sub(wanted);
        self.retired.extend(from.retired.drain(rest..));
        let wanted = BATCHES_MAX.saturating_sub(self.batches.len());
        let rest = from.batches.len().saturating_sub(wanted);
        self.batches.extend(from.batches.drain(rest..));
    }
}

/// What is behind the frontier.
pub(super) struct Behind<'a> {
    pub(super) runner: &'a mut Runner,
    pub(super) outputs: &'a mut dyn Outputs,
    pub(super) outcome: Result<(), Error>,
    /// How far the source had been read with the last batch that was gathered.
    pub(super) mark: Option<InputMark>,
}

impl Runner {
    /// Takes up what the nodes that are ahead gave for a batch, and runs those behind.
    fn take_up(
        &mut self,
        rank: usize,
        batch: &mut Batch,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        for given in &mut batch.given {
            self.graph.take_up(given.rank, |node| {
                node.out.account.add(&given.account);
                node.nanos += given.nanos;
                std::mem::swap(&mut node.out.items, &mut given.items);
                node.out.text.swap_rows(&mut given.text);
                std::mem::swap(&mut node.prepared, &mut given.prepared);
            });
        }
        if let Some(failed) = batch.failed.take() {
            return Err(failed);
        }
        self.graph.run_pending()?;
        self.end_step(outputs)?;
        for given in &mut batch.given {
            // What is used again is of the thread that made it.
            let prepared = &mut self.graph.nodes[given.rank].prepared;
            std::mem::swap(prepared, &mut given.prepared);
        }
        batch.given.iter_mut().for_each(Given::clear);
        if self.graph.nodes[rank].spec.is_some() {
            self.count_step(options)?;
        }
        Ok(())
    }
}

impl Team<'_> {
    /// Puts a product where it belongs. Where nobody gathers and it is the next one, it is taken up.
    pub(super) fn put_down(&self, number: u64, product: Product) {
        let mut ring = lock(&self.ring);
        let at = (number - ring.gathered) as usize;
        if ring.products.len() <= at {
            ring.products.resize_with(at + 1, || None);
        }
        ring.products[at] = Some(product);
        if ring.busy {
            return;
        }
        ring.busy = true;
        let mut wakes = false;
        while let Some(product) = ring.products.front_mut().and_then(Option::take) {
            drop(ring);
            if std::mem::take(&mut wakes) {
                self.moved.notify_all();
            }
            let thread = product.thread;
            let batches = self.take_up(product);
            ring = lock(&self.ring);
            ring.products.pop_front();
            ring.gathered += 1;
            ring.spare[thread].keep(batches);
            wakes = ring.waiting > 0;
        }
        ring.busy = false;
        drop(ring);
        if wakes {
            self.moved.notify_all();
        }
    }

    /// Takes up what is next in the order. Gives the batches back, for use again.
    pub(super) fn take_up(&self, mut product: Product) -> Vec<Batch> {
        let mut behind = lock(&self.behind);
        let Behind {
            runner,
            outputs,
            outcome,
            mark,
        } = &mut *behind;
        if self.stops() {
            return Vec::new();
        }
        runner.graph.nodes[self.rank].nanos += product.nanos;
        for batch in &mut product.batches {
            let mut attended = Ok(());
            // The account is complete with what the source says of its inputs.
            if self.pieces.is_some() || product.input.is_some() || !self.asked() {
                let known = mark.as_ref().unwrap_or(&batch.mark);
                let input = product.input.take().map(|input| input.until(known));
                let node = &mut runner.graph.nodes[self.rank];
                node.input = input.or(node.input.take());
                attended = runner.attend(&self.options.signals, *outputs);
            }
            let taken =
                attended.and_then(|()| runner.take_up(self.rank, batch, self.options, *outputs));
            *mark = Some(std::mem::take(&mut batch.mark));
            self.tell_done(runner);
            if taken.is_err() || runner.graph.nodes[self.rank].done {
                *outcome = taken;
                self.stop();
                return Vec::new();
            }
        }
        if let Some(failed) = product.failed {
            *outcome = Err(failed);
            self.stop();
        }
        product.batches
    }

    pub(super) fn tell_done(&self, runner: &mut Runner) {
        if runner.graph.finished.is_empty() {
            return;
        }
        let mut done = lock(&self.done);
        done.append(&mut runner.graph.finished);
        self.done_count.store(done.len(), Ordering::Relaxed);
    }
}
