//! The run: steps, ends, and what is no longer wanted.

use super::account::{NodeReport, Report};
use super::done::{self, Taken, Trace};
use super::live::Signals;
use super::memory::Memory;
use super::merge::{Run, sequence, take_first};
use super::multiplexer::{Multiplexer, Outputs, Share, Target};
use super::output::{Frame, Item, Output};
use crate::physical::{self, Body, Maker, PhysicalNode};
use crate::plan::Plan;
use crate::planted::is_planted;
use crate::rewrite::{Choices, rewrite};
use crate::snapshot::{Reader, Writer};
use crate::{Error, OnControl, Operator, Progress, Source, SourceContext, View};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wireq_typesys::{Bitmap, Names, Part, PartData, ROWS_MAX, Shape, Slot, Zone};

/// How to run.
#[derive(Clone)]
pub struct Options {
    /// The most rows in a batch, up to [`ROWS_MAX`]. Results don't depend on it.
    pub rows_max: usize,
    /// How the plan is rewritten. Results don't depend on it.
    pub choices: Choices,
    /// Whether to measure how long each node runs.
    pub timed: bool,
    /// The seed of hashes.
    pub seed: u64,
    /// The zone of times, and what counts as now.
    pub zone: Arc<Zone>,
    /// Whether damage in an input ends the run.
    pub strict: bool,
    /// Set from outside to end the run early: sources stop, aggregates give what they have.
    pub interrupt: Arc<AtomicBool>,
    /// What else may be asked for from outside while it runs.
    pub signals: Signals,
    /// The number of the output of each statement; 0 where there is none.
    pub targets: Vec<usize>,
    /// The most bytes that operators may keep in memory: above it they move to files what they can,
    /// and where none can the run ends with an error. Results don't depend on it.
    pub memory_limit: Option<usize>,
    /// After every so many steps, lets every operator move to files what it can, limit or not. Results
    /// don't depend on it; 0 is never.
    pub spill_every: u64,
    /// After every so many steps, saves the state of every operator and goes on with fresh ones
    /// that load it, as a resumed run does. Results don't depend on it; 0 is never.
    pub resume_every: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            rows_max: ROWS_MAX,
            choices: Choices::default(),
            timed: false,
            seed: 0,
            zone: Arc::new(Zone::utc()),
            strict: false,
            interrupt: Arc::new(AtomicBool::new(false)),
            signals: Signals::default(),
            targets: Vec::new(),
            memory_limit: None,
            spill_every: 0,
            resume_every: 0,
        }
    }
}

/// Runs a plan to its end.
///
/// # Errors
/// Where a source, an operator or an output fails.
pub fn run(mut plan: Plan, options: &Options, outputs: &mut dyn Outputs) -> Result<Report, Error> {
    rewrite(&mut plan, &options.choices);
    let nodes = physical::build(&plan, &options.zone, options.seed);
    let mut runner = Runner {
        nodes: nodes
            .into_iter()
            .map(|node| RunNode::new(node, options))
            .collect(),
        pending: Pending::default(),
        ran: Vec::new(),
        retired: Vec::new(),
        multiplexer: Multiplexer::default(),
        memory: options.memory_limit.map(Memory::new),
        spills: options.spill_every > 0,
        steps: 0,
        timed: options.timed,
        zone: Arc::clone(&options.zone),
        names: plan.names(),
    };
    runner
        .pending
        .bits
        .resize(runner.nodes.len().div_ceil(64), 0);
    runner.stop_what_wants_nothing();
    let outcome = runner.read(options, outputs);
    // What was written before a failure is a whole too.
    let closed = runner.close(outputs, outcome.is_ok());
    let interrupted = outcome?;
    closed?;
    Ok(Report {
        interrupted,
        ..runner.report()
    })
}

/// One node while it runs.
pub(super) struct RunNode {
    pub(super) name: String,
    /// None for sources.
    pub(super) operator: Option<Box<dyn Operator>>,
    make: Option<Maker>,
    pub(super) source: Option<Box<dyn Source>>,
    pub(super) spec: Option<crate::SourceSpec>,
    pub(super) statement: usize,
    pub(super) target: usize,
    pub(super) output_file: Option<String>,
    pub(super) side_effect: bool,
    on_control: OnControl,
    depth: usize,
    pub(super) inputs: Vec<usize>,
    pub(super) readers: Vec<usize>,
    /// Where each reader has rows of its own: by branch, its rank.
    pub(super) branches: Vec<usize>,
    bindings: Vec<(Arc<Shape>, Vec<Option<Slot>>)>,
    fills: Vec<(Arc<Shape>, Vec<usize>)>,
    pub(super) shape: Option<Arc<Shape>>,
    pub(super) out: Output,
    /// How long it ran, where that is measured.
    nanos: u64,
    /// Whether it gave anything, since the end began.
    pub(super) spoke: bool,
    /// It takes no more rows.
    pub(super) done: bool,
    /// What it took in this step, item by item, where that has to be known.
    pub(super) trace: Option<Trace>,
    /// Where it became done in this step: per port, what of this step was taken.
    pub(super) taken: Option<Vec<Taken>>,
}

impl RunNode {
    fn new(node: PhysicalNode, options: &Options) -> RunNode {
        let (operator, make, spec) = match node.body {
            Body::Operator(make) => (Some(make()), Some(make), None),
            Body::Source(spec) => (None, None, Some(spec)),
        };
        let mut out = Output {
            annotated: node.annotated,
            zone: Some(Arc::clone(&options.zone)),
            ..Output::default()
        };
        if let Some(operator) = &operator {
            out.text.frame = operator.frame();
        }
        RunNode {
            name: node.name,
            operator,
            make,
            source: None,
            spec,
            target: options.targets.get(node.statement).copied().unwrap_or(0),
            statement: node.statement,
            output_file: node.output_file,
            side_effect: node.side_effect,
            on_control: node.on_control,
            depth: node.depth,
            inputs: node.inputs,
            readers: node.readers,
            branches: node.branches,
            bindings: node.bindings,
            fills: node.fills,
            shape: node.shape,
            out,
            nanos: 0,
            spoke: false,
            done: false,
            trace: node.traced.then(Trace::default),
            taken: None,
        }
    }

    /// Where its text goes.
    pub(super) fn target(&self) -> Target<'_> {
        let file = self.output_file.as_deref();
        file.map_or(Target::Number(self.target), Target::File)
    }

    /// What came to a branch is what came to the node that it is a branch of.
    pub(super) fn end_branch(&mut self, rows_in: u64) {
        let account = &mut self.out.account;
        account.rows_in = rows_in;
        account.filtered = rows_in - account.passed;
    }

    fn report(&self) -> NodeReport {
        NodeReport {
            name: self.name.clone(),
            is_source: self.spec.is_some(),
            statement: self.statement,
            readers: self.readers.len(),
            account: self.out.account,
            nanos: self.nanos,
            input: match &self.source {
                Some(source) => Some(source.input_account()),
                None => self.operator.as_ref().and_then(|o| o.input_account()),
            },
        }
    }

    /// Fills the columns that are due behind this node, for the rows it gave.
    fn fill(&self, zone: &Zone) {
        for (shape, columns) in &self.fills {
            let mut rows = self
                .out
                .rows()
                .filter(|part| Arc::ptr_eq(&part.data.shape, shape))
                .peekable();
            let mut last: Option<&Arc<PartData>> = None;
            while let Some(part) = rows.next() {
                // Rows that come one by one are of one part mostly: all of it is filled at once.
                let before = last.replace(&part.data);
                if before.is_some_and(|before| Arc::ptr_eq(before, &part.data)) {
                    continue;
                }
                // The same rows may have come on several ways: fill for all of them at once.
                let mut selection = part.selection;
                let more_to_come = rows.peek().is_some();
                if more_to_come && !is_planted("fill-first-selection-only") {
                    for other in self
                        .out
                        .rows()
                        .filter(|other| Arc::ptr_eq(&other.data, &part.data))
                    {
                        selection = selection.or(&other.selection);
                    }
                }
                for column in columns {
                    part.data.fill(*column, &selection, zone);
                }
            }
        }
    }
}

/// The nodes that have input, by rank.
#[derive(Default)]
pub(super) struct Pending {
    bits: Vec<u64>,
}

impl Pending {
    fn add(&mut self, rank: usize) {
        self.bits[rank / 64] |= 1 << (rank % 64);
    }

    /// Whether no node has input.
    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// Whether a node has input; it is removed.
    pub(super) fn take(&mut self, rank: usize) -> bool {
        let (word, bit) = (&mut self.bits[rank / 64], 1 << (rank % 64));
        let has = *word & bit != 0;
        *word &= !bit;
        has
    }

    /// The lowest rank from `from` on, removed.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        let (first, bit) = (from / 64, from % 64);
        for word in first..self.bits.len() {
            let mask = if word == first {
                u64::MAX << bit
            } else {
                u64::MAX
            };
            let found = self.bits[word] & mask;
            if found != 0 {
                let at = found.trailing_zeros() as usize;
                self.bits[word] &= !(1 << at);
                return Some(word * 64 + at);
            }
        }
        None
    }
}

pub(super) struct Runner {
    pub(super) nodes: Vec<RunNode>,
    pub(super) pending: Pending,
    /// The nodes that ran in this step.
    ran: Vec<usize>,
    /// Rows of sources that may be used again once nobody holds them.
    pub(super) retired: Vec<Arc<PartData>>,
    pub(super) multiplexer: Multiplexer,
    pub(super) memory: Option<Memory>,
    /// Whether operators move to files what they can, limit or not.
    pub(super) spills: bool,
    timed: bool,
    /// The steps so far.
    steps: u64,
    pub(super) zone: Arc<Zone>,
    /// The tables of names that states may refer to.
    names: Vec<&'static Names>,
}

/// Parts kept for use again: more than one are in use only where an operator holds on to rows.
const RETIRED_MAX: usize = 4;

impl Runner {
    /// Operators that want no row at all are done before the first.
    fn stop_what_wants_nothing(&mut self) {
        for rank in 0..self.nodes.len() {
            let node = &self.nodes[rank];
            let operator = node.operator.as_deref();
            let nothing = operator.and_then(|operator| done::nothing(operator, node.inputs.len()));
            if let Some(nothing) = nothing {
                self.finish_node(rank, nothing);
            }
        }
        self.nodes.iter_mut().for_each(|node| node.taken = None);
    }

    /// Reads the sources and ends the nodes. Gives whether that was interrupted.
    fn read(&mut self, options: &Options, outputs: &mut dyn Outputs) -> Result<bool, Error> {
        let interrupted = self.read_sources(options, outputs)?;
        self.end(outputs)?;
        Ok(interrupted)
    }

    /// Ends what is on the outputs.
    fn close(&mut self, outputs: &mut dyn Outputs, whole: bool) -> Result<(), Error> {
        let mut writers: Vec<Share<'_>> = self.nodes.iter().enumerate().map(share).collect();
        writers.retain(|writer| whole && writer.text.frame != Frame::default());
        self.multiplexer
            .close(&mut writers, outputs)
            .map_err(|error| Error::file("write", "the output", error))
    }

    /// What became of everything so far.
    pub(super) fn report(&mut self) -> Report {
        // Rows that a branch does not get are counted here alone: there may be many branches, and
        // few of them have rows in a step.
        (0..self.nodes.len()).for_each(|rank| self.end_branches(rank));
        Report {
            accounts: self.nodes.iter().map(RunNode::report).collect(),
            interrupted: false,
        }
    }

    /// Reads the sources to their ends, one after another, then those that have none by turns. Gives
    /// whether that was interrupted.
    fn read_sources(
        &mut self,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<bool, Error> {
        let live = self.open_live(outputs)?;
        for rank in 0..self.nodes.len() {
            let node = &mut self.nodes[rank];
            let Some(spec) = node.spec.clone().filter(|spec| spec.live.is_none()) else {
                continue;
            };
            if node.done {
                continue;
            }
            node.source = Some((spec.open)()?);
            while !self.nodes[rank].done {
                if options.interrupt.load(Ordering::Relaxed) {
                    return Ok(true);
                }
                self.attend(&options.signals, outputs)?;
                let start = self.timed.then(Instant::now);
                let item = self.next(rank, Duration::ZERO, options)?;
                let took = start.map_or(0, |start| start.elapsed().as_nanos() as u64);
                self.nodes[rank].nanos += took;
                let Some(item) = item else {
                    break;
                };
                self.take(rank, item, options, outputs)?;
            }
            self.retired.clear();
            if options.interrupt.load(Ordering::Relaxed) {
                return Ok(true);
            }
        }
        self.read_live(live, options, outputs)
    }

    /// The next item of a source.
    pub(super) fn next(
        &mut self,
        rank: usize,
        wait: Duration,
        options: &Options,
    ) -> Result<Option<Item>, Error> {
        let node = &mut self.nodes[rank];
        let (Some(source), Some(shape)) = (&mut node.source, &node.shape) else {
            return Ok(None);
        };
        source.next(&mut SourceContext {
            shape,
            origin: rank as u32,
            rows_max: options.rows_max.clamp(1, ROWS_MAX),
            retired: &mut self.retired,
            strict: options.strict,
            interrupt: &options.interrupt,
            wait,
            zone: &self.zone,
        })
    }

    /// Runs an item of a source through all nodes, and does what is due after so many of them.
    pub(super) fn take(
        &mut self,
        rank: usize,
        item: Item,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        self.step(rank, item, outputs)?;
        self.steps += 1;
        let is_due = |every: u64| every > 0 && self.steps.is_multiple_of(every);
        let (spills, resumes) = (is_due(options.spill_every), is_due(options.resume_every));
        if spills {
            self.spill_all()?;
        }
        if resumes {
            self.resume()?;
        }
        Ok(())
    }

    /// Replaces every operator by a fresh one with the same state.
    fn resume(&mut self) -> Result<(), Error> {
        for node in &mut self.nodes {
            let (Some(operator), Some(make)) = (&mut node.operator, &node.make) else {
                continue;
            };
            let mut state = Writer::default();
            operator.save(&mut state);
            let state = state.into_bytes();
            let mut reader = Reader::new(&state, &self.names);
            *operator = make();
            operator.load(&mut reader)?;
            if !reader.is_at_end() {
                return Err(Error::Snapshot(format!(
                    "{}: more was saved than loaded",
                    node.name
                )));
            }
        }
        Ok(())
    }

    /// Runs one batch of a source through all nodes.
    fn step(&mut self, rank: usize, item: Item, outputs: &mut dyn Outputs) -> Result<(), Error> {
        let source = &mut self.nodes[rank];
        let data = match &item {
            Item::Rows(part) => {
                source.out.account.rows_in += part.count() as u64;
                source.out.account.passed += part.count() as u64;
                Some(Arc::clone(&part.data))
            }
            Item::Control(..) => None,
        };
        source.out.items.push(item);
        self.gave(rank);
        self.run_pending()?;
        self.end_step(outputs)?;
        if let Some(data) = data.filter(|_| self.retired.len() < RETIRED_MAX) {
            self.retired.push(data);
        }
        Ok(())
    }

    /// Runs the nodes that have input, and those that get some by that.
    pub(super) fn run_pending(&mut self) -> Result<(), Error> {
        // Readers have higher ranks than what they read from.
        let mut from = 0;
        while let Some(next) = self.pending.next(from) {
            self.run_node(next)?;
            self.gave(next);
            from = next + 1;
        }
        Ok(())
    }

    /// What a node gave is made ready for its readers.
    pub(super) fn gave(&mut self, rank: usize) {
        let node = &mut self.nodes[rank];
        self.ran.push(rank);
        if node.out.items.is_empty() {
            return;
        }
        node.spoke = true;
        node.fill(&self.zone);
        if node.branches.is_empty() {
            for reader in &node.readers {
                self.pending.add(*reader);
            }
        } else {
            self.route(rank);
        }
    }

    /// Takes into the accounts of the branches of a node what came to it so far.
    fn end_branches(&mut self, rank: usize) {
        let rows_in = self.nodes[rank].out.account.rows_in;
        for branch in self.nodes[rank].branches.clone() {
            if !self.nodes[branch].done {
                self.nodes[branch].end_branch(rows_in);
            }
        }
    }

    /// Hands what a node gave to its branches, each its own rows and all of them controls.
    fn route(&mut self, rank: usize) {
        let node = &mut self.nodes[rank];
        let items = std::mem::take(&mut node.out.items);
        let branches = std::mem::take(&mut node.branches);
        let mut routed = std::mem::take(&mut node.out.routed);
        let mut rows = routed.drain(..).peekable();
        let mut reached: Vec<usize> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            while let Some((branch, part, _)) = rows.next_if(|(_, _, before)| *before <= at) {
                let next = usize::from(is_planted("match-route-to-next"));
                let branch = branches[(branch as usize + next) % branches.len()];
                if self.nodes[branch].done {
                    continue;
                }
                let part = match item {
                    Item::Rows(all) if is_planted("branch-of-shared-rows") => all.clone(),
                    _ => part,
                };
                let out = &mut self.nodes[branch].out;
                out.account.passed += part.count() as u64;
                if out.items.is_empty() {
                    reached.push(branch);
                }
                out.items.push(Item::Rows(part));
            }
            let Item::Control(position, control) = item else {
                continue;
            };
            for branch in &branches {
                let node = &mut self.nodes[*branch];
                if node.done || control.depth() > node.depth {
                    continue;
                }
                if node.out.items.is_empty() {
                    reached.push(*branch);
                }
                node.out.control(*position, control.clone());
            }
        }
        drop(rows);
        for branch in reached {
            self.gave(branch);
        }
        let node = &mut self.nodes[rank];
        (node.out.items, node.branches, node.out.routed) = (items, branches, routed);
    }

    /// Hands a node what its inputs gave in this step.
    pub(super) fn run_node(&mut self, rank: usize) -> Result<(), Error> {
        if !self.timed {
            return self.hand_over(rank);
        }
        let start = Instant::now();
        let ran = self.hand_over(rank);
        self.nodes[rank].nanos += start.elapsed().as_nanos() as u64;
        ran
    }

    fn hand_over(&mut self, rank: usize) -> Result<(), Error> {
        let (before, rest) = self.nodes.split_at_mut(rank);
        let node = &mut rest[0];
        if node.done {
            return Ok(());
        }
        let Some(operator) = node.operator.as_mut() else {
            return Ok(());
        };
        let mut done = None;
        let inputs = node
            .inputs
            .iter()
            .map(|input| before[*input].out.items.as_slice());
        let (bindings, out) = (&node.bindings, &mut node.out);
        let (on_control, depth, trace) = (node.on_control, node.depth, &mut node.trace);
        let is_traced = trace.is_some();
        let mut take = |run: Run<'_>| {
            if done.is_some() {
                out.account.cut += run.rows() as u64;
                out.account.rows_in += run.rows() as u64;
                return Ok(());
            }
            match run {
                Run::Rows(port, parts) => {
                    let rows: usize = parts.iter().map(|part| part.count()).sum();
                    out.account.rows_in += rows as u64;
                    let progress =
                        with_views(bindings, parts, |views| operator.step(port, views, out))?;
                    if let Progress::Done { taken } = progress {
                        done = Some((port, done::position_of(parts, taken)));
                    }
                    if let Some(trace) = trace {
                        trace.note(done::position_of(parts, 1), port, true, &out.items);
                    }
                }
                Run::Control(port, position, control) => {
                    match on_control {
                        _ if control.depth() > depth => {}
                        OnControl::Forward => out.control(position, control.clone()),
                        OnControl::Consume => {}
                        OnControl::React => operator.control(position, control, out)?,
                    }
                    if let Some(trace) = trace {
                        trace.note(position, port, false, &out.items);
                    }
                }
            }
            Ok(())
        };
        if is_traced {
            sequence(inputs, &mut |run| match run {
                Run::Rows(port, parts) => {
                    for part in parts {
                        for row in part.selection.iter() {
                            let mut only = Bitmap::EMPTY;
                            only.set(row);
                            take(Run::Rows(port, &[&part.select(only)]))?;
                        }
                    }
                    Ok(())
                }
                control => take(control),
            })?;
        } else {
            sequence(inputs, &mut take)?;
        }
        if let Some((port, position)) = done {
            let taken = self.nodes[rank].taken_at(port, position);
            self.finish_node(rank, taken);
        }
        Ok(())
    }

    /// Side effects, text, and what the outputs say of it; then all is cleared for the next step,
    /// and what operators keep is held against the limit.
    pub(super) fn end_step(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        self.act()?;
        let mut ran = std::mem::take(&mut self.ran);
        let shares = ran.iter().map(|rank| share((*rank, &self.nodes[*rank])));
        let mut shares: Vec<Share<'_>> = shares.filter(|share| !share.text.is_empty()).collect();
        let closed = if shares.is_empty() {
            Vec::new()
        } else {
            self.multiplexer
                .write_step(&mut shares, outputs)
                .map_err(|error| Error::file("write", "the output", error))?
        };
        for rank in closed {
            if !self.nodes[rank].done {
                let ports = self.nodes[rank].inputs.len();
                self.finish_node(rank, vec![Taken::EVERYTHING; ports]);
            }
        }
        for rank in &ran {
            let node = &mut self.nodes[*rank];
            node.out.clear();
            node.taken = None;
            node.trace.as_mut().map(Trace::clear);
        }
        let within = self.check_memory(&ran);
        ran.clear();
        self.ran = ran;
        within
    }

    /// Lets operators with a side effect act on the rows that were taken.
    fn act(&mut self) -> Result<(), Error> {
        self.ran.sort_unstable();
        self.ran.dedup();
        for rank in &self.ran {
            let (before, rest) = self.nodes.split_at_mut(*rank);
            let node = &mut rest[0];
            // A node that was done before this step took nothing of it.
            let acts = node.side_effect && (!node.done || node.taken.is_some());
            let (true, Some(operator)) = (acts, node.operator.as_mut()) else {
                continue;
            };
            let start = self.timed.then(Instant::now);
            let rows = |taken: &Vec<Taken>| {
                let each = taken.iter().map(|taken| taken.rows);
                each.fold(0, usize::saturating_add)
            };
            let mut left = node.taken.as_ref().map_or(usize::MAX, rows);
            if is_planted("print-acts-after-done") {
                left = usize::MAX;
            }
            let inputs = node
                .inputs
                .iter()
                .map(|input| before[*input].out.items.as_slice());
            let (bindings, out) = (&node.bindings, &mut node.out);
            sequence(inputs, &mut |run| {
                let Run::Rows(_, parts) = run else {
                    return Ok(());
                };
                let rows: usize = parts.iter().map(|part| part.count()).sum();
                let taken = rows.min(left);
                left -= taken;
                if taken == rows {
                    return with_views(bindings, parts, |views| operator.act(views, out));
                }
                let first = take_first(parts, taken);
                let first: Vec<&Part> = first.iter().collect();
                with_views(bindings, &first, |views| operator.act(views, out))
            })?;
            if let Some(start) = start {
                node.nanos += start.elapsed().as_nanos() as u64;
            }
        }
        Ok(())
    }
}

/// The text of a node in a step.
fn share((rank, node): (usize, &RunNode)) -> Share<'_> {
    Share {
        node: rank,
        statement: node.statement,
        target: node.target(),
        text: &node.out.text,
    }
}

/// Shows parts to an operator with its columns bound. One part, the usual case, needs no list.
fn with_views<R>(
    bindings: &[(Arc<Shape>, Vec<Option<Slot>>)],
    parts: &[&Part],
    call: impl FnOnce(&[View<'_>]) -> R,
) -> R {
    let bind = |part: &Part| {
        bindings
            .iter()
            .find(|(shape, _)| Arc::ptr_eq(shape, &part.shape))
            .map_or(&[] as &[Option<Slot>], |(_, slots)| slots)
    };
    match parts {
        [only] => call(&[View {
            part: only,
            slots: bind(only),
        }]),
        several => {
            let views: Vec<View<'_>> = several
                .iter()
                .map(|part| View {
                    part,
                    slots: bind(part),
                })
                .collect();
            call(&views)
        }
    }
}
