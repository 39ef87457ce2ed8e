//! Several threads on one source.
//!
//! All threads do the same. A thread takes a turn; reads the stretch of the input that is its own,
//! if the source hands out such; waits until the turns before are through and finds the batches of
//! its turn; takes them through its own nodes of those that are ahead (see [`crate::frontier`]);
//! prepares them for those behind; and puts what all of that gave where it belongs in the order of
//! turns. Whoever puts down what is next in that order takes it up: it runs the nodes behind the
//! frontier and writes. So the order of rows is that of the input wherever it matters, a thread works
//! on what it has just read, and no thread is there only to divide or to gather.
//!
//! Turns taken and not yet gathered are bounded, and with them what waits. A failure, of the source
//! or of a node, is met where it stands in the order: all before it has happened, nothing behind it.
//!
//! | part | what |
//! |---|---|
//! | [`input`] | turns: who reads which stretch, and finds the batches in it |
//! | [`twins`] | the nodes that each thread has, and what they give |
//! | [`gather`] | what was given, put back into the order of turns |

mod gather;
mod input;
mod twins;

use self::gather::{Behind, Ring, Spare};
use self::input::Turns;
use self::twins::Twins;
use super::multiplexer::Outputs;
use super::output::Item;
use super::run::{Options, Runner};
use crate::frontier::Place;
use crate::operator::KeyedHash;
use crate::planted::is_planted;
use crate::schedule::graph::Graph;
use crate::{Error, InputMark, Pieces, Source, planted};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wireq_typesys::{Shape, Zone};

/// How long a thread waits before it looks whether the run was interrupted.
const WAIT: Duration = Duration::from_millis(50);

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
    /// Whether the source has threads beside these, which need the cores.
    source_has_threads: AtomicBool,
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
        let mut source = self.graph.nodes[rank].source.take();
        let whole = self.memory.is_some() || self.spills;
        let places = &self.places;
        self.graph.set_frontier(rank, |_, at| match places[at] {
            // Parts of a state take more together than the state does.
            Place::InParts if whole => Place::InOrder,
            place => place,
        });
        let any_order = !options.strict && !self.reads_identity && self.graph.takes_any_order(rank);
        if let Some(files) = source.as_mut().filter(|_| any_order)
            && let Some(unordered) = files.in_any_order(options.threads)
        {
            source = Some(unordered);
        }
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
            source_has_threads: AtomicBool::new(false),
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
}

impl Graph {
    /// Whether nothing is made of the order of a source's rows: see [`crate::frontier`].
    fn takes_any_order(&self, rank: usize) -> bool {
        if is_planted("any-order-for-all") {
            return true;
        }
        let (mut given, mut said) = (vec![false; self.nodes.len()], vec![false; self.nodes.len()]);
        given[rank] = true;
        // Readers have higher ranks than what they read from.
        for (at, node) in self.nodes.iter().enumerate().skip(rank) {
            let told = said[at] || given[at] && node.place == Place::InParts;
            if node.done || !given[at] && !said[at] {
                continue;
            }
            let writes = node.side_effect && (given[at] || node.reacts());
            if writes || given[at] && node.place == Place::InOrder {
                return false;
            }
            for reader in &node.readers {
                given[*reader] |= given[at] && !told;
                said[*reader] |= told;
            }
        }
        true
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
}

/// Makes the others end where a thread panics: they would wait for it.
struct StopsOnPanic<'t, 'a>(&'t Team<'a>);

impl Drop for StopsOnPanic<'_, '_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
