//! Several threads on one source.
//!
//! All threads do the same. A thread takes a turn; reads the stretch of the input that is its own,
//! if the source hands out such; waits until the turns before are through and finds the batches of
//! its turn; takes them through its own nodes of those that are ahead (see [`crate::frontier`]);
//! and puts what they gave where it belongs in the order of turns. Whoever puts down what is next
//! in that order takes it up: it runs the nodes behind the frontier and writes. So the order of rows
//! is that of the input wherever it matters, a thread works on what it has just read, and no thread
//! is there only to divide or to gather.
//!
//! Turns taken and not yet gathered are bounded, and with them what waits. A failure, of the source
//! or of a node, is met where it stands in the order: all before it has happened, nothing behind it.

use super::graph::{Graph, RunNode};
use super::multiplexer::Outputs;
use super::output::{Item, TextRows};
use super::run::{Options, Runner};
use crate::frontier::Place;
use crate::operator::KeyedHash;
use crate::{
    Account, Ahead, Error, InputAccount, InputMark, Pieces, Source, SourceContext, planted,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wireq_typesys::{PartData, ROWS_MAX, Shape, Zone};

/// The batches of a turn: those of what was read for it, and no more where batches are small.
const BATCHES_MAX: usize = 4;
/// Turns taken and not yet gathered, for each thread.
const TURNS_MAX: usize = 3;
/// How long a thread waits awake for a turn: finding the batches of one takes less, and going to sleep
/// and being woken takes more.
const AWAKE: Duration = Duration::from_micros(20);
/// How long a thread waits before it looks whether the run was interrupted.
const WAIT: Duration = Duration::from_millis(50);
/// Batches kept for use again, for each thread.
const SPARE_MAX: usize = 8;

/// What the threads have each on its own: the nodes that are ahead.
type Twins = Vec<Mutex<Graph>>;

/// What a node that is ahead gave for a batch.
#[derive(Default)]
struct Given {
    rank: usize,
    account: Account,
    nanos: u64,
    items: Vec<Item>,
    text: TextRows,
}

impl Given {
    /// Empties it; buffers are kept.
    fn clear(&mut self) {
        self.items.clear();
        self.text.clear();
    }
}

/// A batch behind the nodes that are ahead.
#[derive(Default)]
struct Batch {
    given: Vec<Given>,
    failed: Option<Error>,
    /// How far the source was read when this batch came.
    mark: InputMark,
    data: Option<Arc<PartData>>,
}

/// What a turn came to.
struct Product {
    thread: usize,
    batches: Vec<Batch>,
    /// Why the source cannot be read on.
    failed: Option<Error>,
    /// How long the source took, where that is measured.
    nanos: u64,
    /// What the source had read, where somebody asks for the account.
    input: Option<InputAccount>,
}

/// The source, and whose turn it is.
struct Turns {
    /// None while a thread finds the batches of its turn.
    source: Option<Box<dyn Source>>,
    /// Turns taken so far.
    taken: u64,
    /// Whose turn it is.
    current: u64,
    /// Nothing more is to be read.
    ended: bool,
    /// What is to be run on one thread, and all behind it.
    left: Option<Item>,
    /// Threads that sleep, by what they wait for: see [`Team::turned`].
    waiting: Vec<usize>,
}

/// What waits to be gathered.
struct Ring {
    /// From the next one in order on.
    products: VecDeque<Option<Product>>,
    /// Turns gathered so far.
    gathered: u64,
    /// Turns that may be under way.
    reserved: u64,
    /// Whether a thread gathers.
    busy: bool,
    /// Threads that sleep until there is room.
    waiting: usize,
    /// By thread: what is in the cache of its core.
    spare: Vec<Spare>,
}

/// What can be used again.
#[derive(Default)]
struct Spare {
    /// Rows of the source.
    retired: Vec<Arc<PartData>>,
    /// What nodes gave, emptied.
    batches: Vec<Batch>,
}

impl Spare {
    /// Keeps batches for use again.
    fn keep(&mut self, batches: Vec<Batch>) {
        for mut batch in batches {
            if self.batches.len() < SPARE_MAX {
                self.retired.extend(batch.data.take());
                self.batches.push(batch);
            }
        }
    }

    /// Takes over what is enough for a turn.
    fn fill(&mut self, from: &mut Spare) {
        let wanted = BATCHES_MAX.saturating_sub(self.retired.len());
        let rest = from.retired.len().saturating_sub(wanted);
        self.retired.extend(from.retired.drain(rest..));
        let wanted = BATCHES_MAX.saturating_sub(self.batches.len());
        let rest = from.batches.len().saturating_sub(wanted);
        self.batches.extend(from.batches.drain(rest..));
    }
}

/// What is behind the frontier.
struct Behind<'a> {
    runner: &'a mut Runner,
    outputs: &'a mut dyn Outputs,
    outcome: Result<(), Error>,
    /// How far the source had been read with the last batch that was gathered.
    mark: Option<InputMark>,
}

struct Team<'a> {
    /// The source, or the node that says something at its end.
    rank: usize,
    /// What that node says; none for sources.
    pieces: Option<&'a dyn Pieces>,
    shape: Option<Arc<Shape>>,
    zone: Arc<Zone>,
    options: &'a Options,
    twins: &'a Twins,
    turns: Mutex<Turns>,
    /// What changes: for each thread that there is, the turns of a number come round; the last one, that
    /// the source is back. Who has the next turn is woken, and not all that wait for later ones.
    turned: Vec<Condvar>,
    /// How often that was so.
    changes: AtomicUsize,
    /// Whether each thread has a core, so that one may wait awake.
    has_cores: bool,
    /// Threads besides the first.
    others: AtomicUsize,
    ring: Mutex<Ring>,
    /// There is room for further turns.
    moved: Condvar,
    behind: Mutex<Behind<'a>>,
    /// Nodes that are done by now, for those that are ahead.
    done: Mutex<Vec<usize>>,
    done_count: AtomicUsize,
    /// Tells the source to give up waiting: the run was interrupted, or nothing is wanted any more.
    halt: AtomicBool,
    /// Nothing is wanted any more.
    stop: AtomicBool,
}

/// A thread that panicked leaves nothing half done that others read: they stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runner {
    /// Reads a source to its end on several threads, or until it gives a control: then that is given,
    /// to go on with on one thread.
    pub(super) fn read_on_threads(
        &mut self,
        rank: usize,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<Option<Item>, Error> {
        let source = self.graph.nodes[rank].source.take();
        let whole = self.memory.is_some() || self.spills;
        let places = &self.places;
        self.graph.set_frontier(rank, |_, at| match places[at] {
            // Parts of a state take more together than the state does.
            Place::InParts if whole => Place::InOrder,
            place => place,
        });
        let (turns, mark, outcome) = self.run_on_threads(rank, source, None, options, outputs);
        let node = &mut self.graph.nodes[rank];
        node.source = turns.source;
        if node.done {
            // What was read ahead of that was not wanted.
            node.mark = mark;
        }
        outcome?;
        Ok(turns.left)
    }

    /// Lets several threads say what a node has to say at its end.
    pub(super) fn say_on_threads(
        &mut self,
        rank: usize,
        pieces: &dyn Pieces,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> Result<(), Error> {
        self.graph.set_frontier(rank, |nodes, at| {
            let node = &nodes[at];
            let is_ahead = |input: &usize| *input >= rank && nodes[*input].place == Place::Ahead;
            let behind = !node.inputs.is_empty() && node.inputs.iter().all(is_ahead);
            if at == rank || behind && at > rank && node.goes_ahead {
                Place::Ahead
            } else {
                Place::InOrder
            }
        });
        let (_, _, outcome) = self.run_on_threads(rank, None, Some(pieces), options, outputs);
        outcome
    }

    fn run_on_threads(
        &mut self,
        rank: usize,
        source: Option<Box<dyn Source>>,
        pieces: Option<&dyn Pieces>,
        options: &Options,
        outputs: &mut dyn Outputs,
    ) -> (Turns, Option<InputMark>, Result<(), Error>) {
        let twins = self.twins(options.threads);
        let team = Team {
            rank,
            pieces,
            shape: self.graph.nodes[rank].shape.clone(),
            zone: Arc::clone(&self.graph.zone),
            options,
            twins: &twins,
            turns: Mutex::new(Turns {
                source,
                taken: 0,
                current: 0,
                ended: false,
                left: None,
                waiting: vec![0; options.threads + 1],
            }),
            changes: AtomicUsize::new(0),
            has_cores: std::thread::available_parallelism()
                .is_ok_and(|cores| options.threads <= cores.get()),
            others: AtomicUsize::new(0),
            turned: (0..=options.threads).map(|_| Condvar::new()).collect(),
            ring: Mutex::new(Ring {
                products: VecDeque::new(),
                gathered: 0,
                reserved: 0,
                busy: false,
                waiting: 0,
                spare: (0..options.threads).map(|_| Spare::default()).collect(),
            }),
            moved: Condvar::new(),
            done: Mutex::new(Vec::new()),
            done_count: AtomicUsize::new(0),
            halt: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            behind: Mutex::new(Behind {
                runner: self,
                outputs,
                outcome: Ok(()),
                mark: None,
            }),
        };
        let planted = planted::current();
        std::thread::scope(|scope| {
            for thread in 1..options.threads {
                let team = &team;
                let work = move || {
                    planted::inherit(planted);
                    team.work(thread);
                };
                let name = format!("wireq-{thread}");
                // Where the system has no more threads, those that there are do the work.
                let spawned = std::thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, work);
                if spawned.is_ok() {
                    team.others.fetch_add(1, Ordering::Relaxed);
                }
            }
            team.work(0);
        });
        let Team { turns, behind, .. } = team;
        let turns = turns.into_inner().unwrap_or_else(PoisonError::into_inner);
        let behind = behind.into_inner().unwrap_or_else(PoisonError::into_inner);
        let merged = behind.runner.merge_parts(&twins);
        (turns, behind.mark, behind.outcome.and(merged))
    }

    /// The nodes that are ahead, once for each thread. The first has the operators that there are.
    fn twins(&mut self, threads: usize) -> Twins {
        let graph = &mut self.graph;
        let mut twins = vec![graph.twin(RunNode::lend)];
        twins.extend((1..threads).map(|_| graph.twin(RunNode::double)));
        twins.into_iter().map(Mutex::new).collect()
    }

    /// Takes the operators back, and merges the parts of states.
    fn merge_parts(&mut self, twins: &Twins) -> Result<(), Error> {
        let mut outcome = Ok(());
        for twin in twins.iter() {
            let mut twin = lock(twin);
            for (node, twin) in self.graph.nodes.iter_mut().zip(&mut twin.nodes) {
                let Some(part) = twin.operator.take() else {
                    continue;
                };
                match &mut node.operator {
                    Some(own) if node.place == Place::InParts => {
                        outcome = outcome.and(own.merge(&*part).map(|_| ()));
                    }
                    Some(_) => {}
                    none => *none = Some(part),
                }
            }
        }
        outcome
    }

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
            });
        }
        if let Some(failed) = batch.failed.take() {
            return Err(failed);
        }
        self.graph.run_pending()?;
        self.end_step(outputs)?;
        batch.given.iter_mut().for_each(Given::clear);
        if self.graph.nodes[rank].spec.is_some() {
            self.count_step(options)?;
        }
        Ok(())
    }
}

impl RunNode {
    /// What another thread has of a node; the operator is not made anew.
    fn lend(&mut self) -> RunNode {
        let operator = match self.place {
            Place::InOrder => None,
            Place::Ahead | Place::InParts => self.operator.take(),
        };
        self.twin(operator)
    }

    /// Likewise, with an operator of its own.
    fn double(&mut self) -> RunNode {
        let operator = match self.place {
            Place::InOrder => None,
            Place::Ahead | Place::InParts => self.make.as_ref().map(|make| make()),
        };
        self.twin(operator)
    }
}

impl Team<'_> {
    /// What a thread does until nothing is left.
    fn work(&self, thread: usize) {
        let stops = StopsOnPanic(self);
        let mut spare = Spare::default();
        while let Some((number, mut stretch)) = self.take_turn(thread, &mut spare) {
            self.shake(number, 0);
            if let Some(stretch) = &mut stretch {
                stretch.read();
            }
            let Some(found) = self.find(number, stretch, &mut spare.retired) else {
                break;
            };
            let product = self.run_ahead(thread, found, &mut spare.batches);
            self.shake(number, 1);
            self.put_down(number, product);
        }
        std::mem::forget(stops);
    }

    /// Whether somebody asks for the account.
    fn asked(&self) -> bool {
        self.options.signals.progress.load(Ordering::Relaxed)
    }

    /// Holds a thread up, where tests ask for that.
    fn shake(&self, number: u64, place: u64) {
        if self.options.shake == 0 {
            return;
        }
        let chance =
            KeyedHash::new(self.options.shake).of(&[number, place].map(u64::to_le_bytes).concat());
        if chance.is_multiple_of(4) {
            std::thread::sleep(Duration::from_micros(chance >> 8 & 0xff));
        }
    }

    /// Waits for a change, and looks whether the run is to end.
    fn wait<'g, T>(&self, changed: &Condvar, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
        let waited = changed.wait_timeout(guard, WAIT);
        if self.options.interrupt.load(Ordering::Relaxed) {
            self.halt.store(true, Ordering::Relaxed);
        }
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until it is another turn or the source is back: awake at first, where each thread has a core.
    fn wait_for_turn<'t>(
        &'t self,
        mut turns: MutexGuard<'t, Turns>,
        place: usize,
    ) -> MutexGuard<'t, Turns> {
        let seen = self.changes.load(Ordering::Acquire);
        let changed = || self.changes.load(Ordering::Acquire) != seen || self.stops();
        if self.has_cores {
            drop(turns);
            let start = Instant::now();
            while !changed() && start.elapsed() < AWAKE {
                std::hint::spin_loop();
            }
            turns = lock(&self.turns);
            if changed() {
                return turns;
            }
        }
        turns.waiting[place] += 1;
        turns = self.wait(&self.turned[place], turns);
        turns.waiting[place] -= 1;
        turns
    }

    /// Where those wait who wait for a turn: at most one, since no thread has two turns.
    fn place_of(&self, turn: u64) -> usize {
        (turn % self.options.threads as u64) as usize
    }

    /// Wakes one of those who wait for the source, or all where nothing is left to wait for.
    fn wake_for_source(&self, turns: MutexGuard<'_, Turns>) {
        let place = self.options.threads;
        let (waiting, ended) = (turns.waiting[place], turns.ended);
        drop(turns);
        match waiting {
            0 => {}
            _ if ended => self.turned[place].notify_all(),
            _ => self.turned[place].notify_one(),
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Makes all threads end.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.halt.store(true, Ordering::Relaxed);
        // Who is about to wait has looked before, or sees it.
        drop(lock(&self.turns));
        self.turned.iter().for_each(Condvar::notify_all);
        drop(lock(&self.ring));
        self.moved.notify_all();
    }

    /// The next turn, with the stretch of the input to be read for it; none where nothing is left.
    fn take_turn(&self, thread: usize, spare: &mut Spare) -> Option<(u64, Option<Box<dyn Ahead>>)> {
        let turns_max = (TURNS_MAX * self.options.threads) as u64;
        let mut ring = lock(&self.ring);
        while ring.reserved >= ring.gathered + turns_max {
            if self.stops() {
                return None;
            }
            ring.waiting += 1;
            ring = self.wait(&self.moved, ring);
            ring.waiting -= 1;
        }
        ring.reserved += 1;
        spare.fill(&mut ring.spare[thread]);
        drop(ring);
        let mut turns = lock(&self.turns);
        if let Some(pieces) = self.pieces {
            let left = turns.taken < pieces.len() as u64 && !self.stops();
            turns.taken += u64::from(left);
            return left.then(|| (turns.taken - 1, None));
        }
        loop {
            if self.options.interrupt.load(Ordering::Relaxed) {
                // Who waits for input is to give up.
                self.halt.store(true, Ordering::Relaxed);
                turns.ended = true;
            }
            if turns.ended || self.stops() {
                return None;
            }
            if let Some(source) = &mut turns.source {
                let stretch = source.ahead(thread);
                turns.taken += 1;
                let turn = turns.taken - 1;
                // It was looked at and is there for the next one.
                self.wake_for_source(turns);
                return Some((turn, stretch));
            }
            turns = self.wait_for_turn(turns, self.options.threads);
        }
    }

    /// Finds the batches of a turn once those before have been found; none where all is to end.
    fn find(
        &self,
        number: u64,
        stretch: Option<Box<dyn Ahead>>,
        retired: &mut Vec<Arc<PartData>>,
    ) -> Option<Found> {
        if self.pieces.is_some() {
            return Some(Found {
                piece: Some(number as usize),
                ..Found::default()
            });
        }
        let mut turns = lock(&self.turns);
        let mut source = loop {
            if self.stops() {
                return None;
            }
            if turns.current == number
                && let Some(source) = turns.source.take()
            {
                break source;
            }
            turns = self.wait_for_turn(turns, self.place_of(number));
        };
        let reads = !turns.ended;
        drop(turns);
        if let Some(stretch) = stretch {
            source.give_back(stretch);
        }
        let mut found = Found::default();
        if reads {
            self.next_batches(&mut *source, retired, &mut found);
        }
        // Only who has the source can ask it.
        found.input = self.asked().then(|| source.input_account());
        let mut turns = lock(&self.turns);
        turns.source = Some(source);
        turns.current += 1;
        turns.ended |= found.ended;
        turns.left = turns.left.take().or(found.left.take());
        self.changes.fetch_add(1, Ordering::Release);
        let next = self.place_of(turns.current);
        if turns.waiting[next] > 0 {
            self.turned[next].notify_one();
        }
        self.wake_for_source(turns);
        Some(found)
    }

    fn next_batches(
        &self,
        source: &mut dyn Source,
        retired: &mut Vec<Arc<PartData>>,
        found: &mut Found,
    ) {
        let Some(shape) = &self.shape else { return };
        let start = self.options.timed.then(Instant::now);
        while found.items.len() < BATCHES_MAX && !found.ended {
            let reads = found.items.is_empty();
            // What is there goes on before more is waited for.
            if !reads && !source.gives_what_is_there() {
                break;
            }
            let next = source.next(&mut SourceContext {
                shape,
                origin: self.rank as u32,
                rows_max: self.options.rows_max.clamp(1, ROWS_MAX),
                retired,
                strict: self.options.strict,
                interrupt: match self.others.load(Ordering::Relaxed) {
                    // Nobody else would see an interrupt.
                    0 => &self.options.interrupt,
                    _ => &self.halt,
                },
                wait: Duration::ZERO,
                reads,
                zone: &self.zone,
            });
            match next {
                Ok(Some(Item::Rows(part))) => {
                    found.items.push((Item::Rows(part), source.mark()));
                }
                Ok(Some(control)) => {
                    found.left = Some(control);
                    found.ended = true;
                }
                Ok(None) => {
                    found.ended = !source.waits();
                    break;
                }
                Err(error) => {
                    found.failed = Some(error);
                    found.ended = true;
                }
            }
        }
        found.nanos = start.map_or(0, |start| start.elapsed().as_nanos() as u64);
    }

    /// Takes batches through the nodes that are ahead.
    fn run_ahead(&self, thread: usize, found: Found, spare: &mut Vec<Batch>) -> Product {
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
    fn mark_done(&self, twin: &mut Graph) {
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

    /// Puts a product where it belongs. Where nobody gathers and it is the next one, it is taken up.
    fn put_down(&self, number: u64, product: Product) {
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
    fn take_up(&self, mut product: Product) -> Vec<Batch> {
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

    fn tell_done(&self, runner: &mut Runner) {
        if runner.graph.finished.is_empty() {
            return;
        }
        let mut done = lock(&self.done);
        done.append(&mut runner.graph.finished);
        self.done_count.store(done.len(), Ordering::Relaxed);
    }
}

/// What was found in a turn.
#[derive(Default)]
struct Found {
    items: Vec<(Item, InputMark)>,
    failed: Option<Error>,
    left: Option<Item>,
    ended: bool,
    nanos: u64,
    /// What the source has read, where somebody asks for the account.
    input: Option<InputAccount>,
    /// The number of a piece of what a node says at its end.
    piece: Option<usize>,
}

impl Graph {
    /// Takes a batch through the nodes.
    fn run_batch(&mut self, rank: usize, item: Item) -> Result<(), Error> {
        self.run_source(rank, item)?;
        self.act()
    }

    /// Takes a piece of what a node says through the nodes behind it.
    fn run_piece(&mut self, rank: usize, pieces: &dyn Pieces, piece: usize) -> Result<(), Error> {
        let start = self.timed.then(Instant::now);
        let node = &mut self.nodes[rank];
        pieces.give(piece, &mut node.out);
        node.nanos += start.map_or(0, |start| start.elapsed().as_nanos() as u64);
        self.gave(rank);
        self.run_pending()?;
        self.act()
    }

    /// What another thread has of the nodes.
    fn twin(&mut self, node: fn(&mut RunNode) -> RunNode) -> Graph {
        let nodes = self.nodes.iter_mut().map(node).collect();
        Graph::new(nodes, self.timed, Arc::clone(&self.zone))
    }

    /// Takes over what a node gave on another thread, for those of its readers that are not there.
    fn take_up(&mut self, rank: usize, take: impl FnOnce(&mut RunNode)) {
        let node = &mut self.nodes[rank];
        if node.done {
            return;
        }
        take(node);
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
    fn hand_out(&mut self, batch: &mut Batch) {
        let mut spare = std::mem::take(&mut batch.given).into_iter().peekable();
        for rank in &self.ran {
            let node = &mut self.nodes[*rank];
            if node.place == Place::InOrder {
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
            node.out.clear();
            batch.given.push(given);
        }
        self.ran.clear();
    }
}

/// Makes the others end where a thread panics: they would wait for it.
struct StopsOnPanic<'t, 'a>(&'t Team<'a>);

impl Drop for StopsOnPanic<'_, '_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
