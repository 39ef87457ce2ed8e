//! Turns: who reads which stretch of the input, and finds the batches in it.

use super::gather::Spare;
use super::{Team, lock};
use crate::schedule::output::Item;
use crate::{Ahead, Error, InputAccount, InputMark, Source, SourceContext};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};
use wireq_typesys::{PartData, ROWS_MAX};

/// The batches of a turn: those of what was read for it, and no more where batches are small.
pub(super) const BATCHES_MAX: usize = 4;
/// Turns taken and not yet gathered, for each thread.
const TURNS_MAX: usize = 3;
/// How long a thread waits awake for a turn: finding the batches of one takes less, and going to sleep
/// and being woken takes more.
const AWAKE: Duration = Duration::from_micros(20);

/// The source, and whose turn it is.
pub(super) struct Turns {
    /// None while a thread finds the batches of its turn.
    pub(super) source: Option<Box<dyn Source>>,
    /// Turns taken so far.
    pub(super) taken: u64,
    /// Whose turn it is.
    pub(super) current: u64,
    /// Nothing more is to be read.
    pub(super) ended: bool,
    /// What is to be run on one thread, and all behind it.
    pub(super) left: Option<Item>,
    /// Threads that sleep, by what they wait for: see [`Team::turned`].
    pub(super) waiting: Vec<usize>,
}

/// What was found in a turn.
#[derive(Default)]
pub(super) struct Found {
    pub(super) items: Vec<(Item, InputMark)>,
    pub(super) failed: Option<Error>,
    pub(super) left: Option<Item>,
    pub(super) ended: bool,
    pub(super) nanos: u64,
    /// What the source has read, where somebody asks for the account.
    pub(super) input: Option<InputAccount>,
    /// The number of a piece of what a node says at its end.
    pub(super) piece: Option<usize>,
}

impl Team<'_> {
    /// Waits until it is another turn or the source is back: awake at first, where each thread has a core.
    pub(super) fn wait_for_turn<'t>(
        &'t self,
        mut turns: MutexGuard<'t, Turns>,
        place: usize,
    ) -> MutexGuard<'t, Turns> {
        let seen = self.changes.load(Ordering::Acquire);
        let changed = || self.changes.load(Ordering::Acquire) != seen || self.stops();
        if self.has_cores && !self.source_has_threads.load(Ordering::Relaxed) {
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
    pub(super) fn place_of(&self, turn: u64) -> usize {
        (turn % self.options.threads as u64) as usize
    }

    /// Wakes one of those who wait for the source, or all where nothing is left to wait for.
    pub(super) fn wake_for_source(&self, turns: MutexGuard<'_, Turns>) {
        let place = self.options.threads;
        let (waiting, ended) = (turns.waiting[place], turns.ended);
        drop(turns);
        match waiting {
            0 => {}
            _ if ended => self.turned[place].notify_all(),
            _ => self.turned[place].notify_one(),
        }
    }

    /// The next turn, with the stretch of the input to be read for it; none where nothing is left.
    pub(super) fn take_turn(
        &self,
        thread: usize,
        spare: &mut Spare,
    ) -> Option<(u64, Option<Box<dyn Ahead>>)> {
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
    pub(super) fn find(
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
        let has_threads = source.has_threads();
        self.source_has_threads
            .store(has_threads, Ordering::Relaxed);
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

    pub(super) fn next_batches(
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
                threads: self.options.threads,
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
}
