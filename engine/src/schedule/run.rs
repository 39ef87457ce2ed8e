//! The run: steps, ends, and what is no longer wanted.

use super::account::Report;
use super::done::{self, Taken, Trace};
use super::graph::{self, Graph, RunNode};
use super::live::Signals;
use super::memory::Memory;
use super::multiplexer::{Multiplexer, Outputs, Picked, Share};
use super::output::{Frame, Item};
use crate::frontier::Place;
use crate::physical;
use crate::plan::Plan;
use crate::rewrite::{Choices, rewrite};
use crate::snapshot::{Reader, Writer};
use crate::{Error, SourceContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wireq_typesys::{Names, PartData, ROWS_MAX, Zone};

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
    /// How many threads run what can be run on several: see [`crate::frontier`]. Results don't
    /// depend on it.
    pub threads: usize,
    /// The steps that one thread takes before there are others: what is small is through by then.
    pub alone: u64,
    /// For tests: holds threads up at chance, as of this seed, so that they meet in other orders.
    /// Results don't depend on it; 0 is never.
    pub shake: u64,
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
            threads: 1,
            alone: ALONE,
            shake: 0,
            spill_every: 0,
            resume_every: 0,
        }
    }
}

/// The usual number of steps before there are several threads: less than a millisecond.
const ALONE: u64 = 4;

/// Runs a plan to its end.
///
/// # Errors
/// Where a source, an operator or an output fails.
pub fn run(mut plan: Plan, options: &Options, outputs: &mut dyn Outputs) -> Result<Report, Error> {
    let choices = Choices {
        memory_limited: options.choices.memory_limited || options.memory_limit.is_some(),
        ..options.choices.clone()
    };
    rewrite(&mut plan, &choices);
    let plan = Arc::new(plan);
    let nodes = physical::build(&plan, &options.zone, options.seed);
    let places = nodes.iter().map(|node| node.place).collect();
    let start = Instant::now();
    let nodes = nodes
        .into_iter()
        .map(|node| RunNode::new(&plan, node, options));
    let nodes = nodes.collect();
    let mut runner = Runner {
        built: start.elapsed(),
        graph: Graph::new(nodes, options.timed, Arc::clone(&options.zone)),
        retired: Vec::new(),
        multiplexer: Multiplexer::default(),
        memory: options.memory_limit.map(Memory::new),
        spills: options.spill_every > 0,
        steps: 0,
        places,
        stops: plan.graph.node_weights().any(|node| node.kind.stops()),
        reads_identity: plan.reads_identity(),
        names: plan.names(),
    };
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

pub(super) struct Runner {
    pub(super) graph: Graph,
    /// Rows of sources that may be used again once nobody holds them.
    pub(super) retired: Vec<Arc<PartData>>,
    pub(super) multiplexer: Multiplexer,
    pub(super) memory: Option<Memory>,
    /// Whether operators move to files what they can, limit or not.
    pub(super) spills: bool,
    /// The steps so far.
    steps: u64,
    /// How long it took to make the operators: each thread needs some of its own.
    built: Duration,
    /// How nodes run while a source is read on several threads, by rank.
    pub(super) places: Vec<Place>,
    /// Whether any node may be done before its input ends.
    stops: bool,
    /// Whether anything tells objects apart by what they are.
    pub(super) reads_identity: bool,
    /// The tables of names that states may refer to.
    names: Vec<&'static Names>,
}

/// Parts kept for use again: more than one are in use only where an operator holds on to rows.
const RETIRED_MAX: usize = 4;

impl Runner {
    /// Operators that want no row at all are done before the first.
    fn stop_what_wants_nothing(&mut self) {
        for rank in 0..self.graph.nodes.len() {
            let node = &self.graph.nodes[rank];
            let operator = node.operator.as_deref();
            let nothing = operator.and_then(|operator| done::nothing(operator, node.inputs.len()));
            if let Some(nothing) = nothing {
                self.graph.finish_node(rank, nothing);
            }
        }
        self.graph
            .nodes
            .iter_mut()
            .for_each(|node| node.taken = None);
    }

    /// Reads the sources and ends the nodes. Gives whether that was interrupted.
    fn read(&mut self, options: &Options, outputs: &mut dyn Outputs) -> Result<bool, Error> {
        let interrupted = self.read_sources(options, outputs)?;
        self.end(options, outputs)?;
        Ok(interrupted)
    }

    /// Ends what is on the outputs.
    fn close(&mut self, outputs: &mut dyn Outputs, whole: bool) -> Result<(), Error> {
        let nodes = self.graph.nodes.iter().enumerate();
        let framed = nodes.filter(|(_, node)| whole && node.out.text.frame != Frame::default());
        let mut writers: Vec<Share<'_>> = framed.flat_map(graph::writers_of).collect();
        self.multiplexer
            .close(&mut writers, outputs)
            .map_err(|error| Error::file("write", "the output", error))
    }

    /// What became of everything so far.
    pub(super) fn report(&mut self) -> Report {
        // Rows that a branch does not get are counted here alone: there may be many branches, and
        // few of them have rows in a step.
        (0..self.graph.nodes.len()).for_each(|rank| self.graph.end_branches(rank));
        Report {
            accounts: self.graph.nodes.iter().map(RunNode::report).collect(),
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
        let is_live = !live.is_empty();
        for rank in 0..self.graph.nodes.len() {
            let node = &mut self.graph.nodes[rank];
            let Some(spec) = node.spec.clone().filter(|spec| spec.live.is_none()) else {
                continue;
            };
            if node.done {
                continue;
            }
            node.source = Some((spec.open)()?);
            if self.read_one_by_one(rank, !is_live, options, outputs)? {
                return Ok(true);
            }
            self.retired.clear();
            if options.interrupt.load(Ordering::Relaxed) {
                return Ok(true);
            }
        }
        self.read_live(live, options, outputs)
    }

    /// Reads a source to its end: on one thread, and where it is long and may be, on several. Gives
    /// whether that was interrupted.
    fn read_one_by_one(
        &mut self,
        rank: usize,
        may_share: bool,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<bool, Error> {
        let mut shares = may_share && options.threads > 1;
        if let Some(source) = &self.graph.nodes[rank].source
            && source.tells_of_columns()
            && (options.strict || self.stops)
        {
            shares = false;
        }
        let (mut first, mut alone) = (self.steps, options.alone);
        let start = Instant::now();
        // Matchers of many rules are not worth making again for a short input.
        let is_worth = |built: Duration| options.alone == 0 || start.elapsed() >= built;
        while !self.graph.nodes[rank].done {
            if options.interrupt.load(Ordering::Relaxed) {
                return Ok(true);
            }
            self.attend(&options.signals, outputs)?;
            let item = if shares && self.steps - first >= alone && is_worth(self.built) {
                let control = self.read_on_threads(rank, options, outputs)?;
                // What comes often is not worth that.
                (first, alone) = (self.steps, alone.max(1).saturating_mul(2));
                control
            } else {
                let start = self.graph.timed.then(Instant::now);
                let item = self.next(rank, Duration::ZERO, options)?;
                let took = start.map_or(0, |start| start.elapsed().as_nanos() as u64);
                self.graph.nodes[rank].nanos += took;
                item
            };
            let Some(item) = item else {
                break;
            };
            self.take(rank, item, options, outputs)?;
        }
        Ok(false)
    }

    /// The next item of a source.
    pub(super) fn next(
        &mut self,
        rank: usize,
        wait: Duration,
        options: &Options,
    ) -> Result<Option<Item>, Error> {
        let node = &mut self.graph.nodes[rank];
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
            reads: true,
            threads: options.threads,
            zone: &self.graph.zone,
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
        self.count_step(options)
    }

    /// Does what is due after so many steps.
    pub(super) fn count_step(&mut self, options: &Options) -> Result<(), Error> {
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
        for node in &mut self.graph.nodes {
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
        let data = match &item {
            Item::Rows(part) => Some(Arc::clone(&part.data)),
            Item::Control(..) => None,
        };
        self.graph.run_source(rank, item)?;
        self.end_step(outputs)?;
        if let Some(data) = data.filter(|_| self.retired.len() < RETIRED_MAX) {
            self.retired.push(data);
        }
        Ok(())
    }

    /// Side effects, text, and what the outputs say of it; then all is cleared for the next step,
    /// and what operators keep is held against the limit.
    pub(super) fn end_step(&mut self, outputs: &mut dyn Outputs) -> Result<(), Error> {
        self.graph.act()?;
        let mut ran = std::mem::take(&mut self.graph.ran);
        let nodes = ran.iter().map(|rank| (*rank, &self.graph.nodes[*rank]));
        let wrote: Vec<(usize, &RunNode)> = nodes
            .filter(|(_, node)| !node.out.text.is_empty())
            .collect();
        let picked: Vec<Vec<Picked>> = wrote.iter().map(|(_, node)| graph::pick(node)).collect();
        let shares = wrote.iter().zip(&picked);
        let mut shares: Vec<Share<'_>> = shares
            .flat_map(|(node, picked)| graph::shares(*node, picked))
            .collect();
        let closed = if shares.is_empty() {
            Vec::new()
        } else {
            self.multiplexer
                .write_step(&mut shares, outputs)
                .map_err(|error| Error::file("write", "the output", error))?
        };
        for (rank, target) in closed {
            if !self.graph.nodes[rank].done && self.graph.nodes[rank].close_output(target) {
                let ports = self.graph.nodes[rank].inputs.len();
                self.graph.finish_node(rank, vec![Taken::EVERYTHING; ports]);
            }
        }
        for rank in &ran {
            let node = &mut self.graph.nodes[*rank];
            node.out.clear();
            node.acted = false;
            node.taken = None;
            node.trace.as_mut().map(Trace::clear);
        }
        let within = self.check_memory(&ran);
        ran.clear();
        self.graph.ran = ran;
        within
    }
}
