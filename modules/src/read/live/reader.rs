//! The thread that takes packets out of the kernel's buffers.

use super::batch::{Batch, Batches};
use super::capture::{TIMEOUT_MS, link_type, said};
use super::merge::Merge;
use crate::types::packet::Frame;
use pcap::{Active, Capture, Packet};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wireq_engine::Lost;

/// Batches that may wait for the queries: 16 MiB of packets.
pub(super) const QUEUE_MAX: usize = 64;
/// A packet waits no longer than this for others to make a batch with.
const BATCH_TIME: Duration = Duration::from_millis(10);
/// How long to wait for packets before looking whether it is over.
const WAIT: Duration = Duration::from_millis(50);
/// What is in the kernel's buffer at the end is read for so long.
const DRAIN_MAX: Duration = Duration::from_millis(100);
/// Packets of an interface that are taken before the others have their turn.
const TURN_MAX: usize = 8192;
/// Counters of the kernel are asked for so often.
const COUNT_EVERY: Duration = Duration::from_millis(200);
/// A packet is there so long after its time, at the latest: what it may stay in the kernel, and as
/// much again for whoever has to run for it.
const DELAY: i64 = 2 * TIMEOUT_MS as i64 * 1_000_000;

/// What comes from the reader.
pub(super) enum Message {
    Packets(Batch),
    /// Nothing came for a while: no packet has an earlier time.
    Idle(i64),
}

/// What the reader and the queries know of each other.
#[derive(Default)]
pub(super) struct Shared {
    /// It is to end.
    pub(super) stop: AtomicBool,
    /// Batches in the queue.
    pub(super) waiting: AtomicUsize,
    /// Packets dropped since the queue was full.
    pub(super) dropped: AtomicU64,
    /// Of each interface, what was lost and why it ended.
    pub(super) interfaces: Mutex<Vec<Ends>>,
}

/// What there is to say of an interface at the end.
#[derive(Clone, Default)]
pub(super) struct Ends {
    pub(super) lost: Lost,
    pub(super) failure: Option<String>,
}

struct Input {
    capture: Capture<Active>,
    link_type: u16,
    /// Why it gives nothing more.
    failure: Option<String>,
    lost: Lost,
}

pub(super) struct Reader {
    inputs: Vec<Input>,
    /// None for a single interface.
    merge: Option<Merge>,
    batches: Batches,
    /// When the first packet of the batch came.
    begun: Option<Instant>,
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    counted: Instant,
    /// Since when nothing came.
    idle: Instant,
    /// Nobody takes what is read.
    gone: bool,
}

impl Reader {
    pub(super) fn new(
        captures: Vec<Capture<Active>>,
        queue: SyncSender<Message>,
        shared: Arc<Shared>,
    ) -> Reader {
        let input = |capture: Capture<Active>| Input {
            link_type: link_type(&capture),
            capture,
            failure: None,
            lost: Lost::default(),
        };
        let inputs: Vec<Input> = captures.into_iter().map(input).collect();
        Reader {
            merge: (inputs.len() > 1).then(|| Merge::new(inputs.len())),
            // Beyond those that wait, the queries hold a few.
            batches: Batches::new(inputs.len(), QUEUE_MAX + 8),
            inputs,
            begun: None,
            queue,
            shared,
            counted: Instant::now(),
            idle: Instant::now(),
            gone: false,
        }
    }

    /// Reads until it is told to end, or all interfaces went away.
    pub(super) fn run(mut self) {
        while !self.is_over() {
            self.wait();
            if self.read() {
                self.idle = Instant::now();
            }
            self.hand_on();
            if self.counted.elapsed() >= COUNT_EVERY {
                self.count();
            }
        }
        let end = Instant::now();
        while !self.gone && self.read() && end.elapsed() < DRAIN_MAX {}
        self.count();
        if let Some(merge) = &mut self.merge {
            (0..self.inputs.len()).for_each(|at| merge.is_complete(at, i64::MAX));
        }
        self.merge_on();
        self.send();
        self.count();
    }

    fn is_over(&self) -> bool {
        self.gone
            || self.shared.stop.load(Relaxed)
            || self.inputs.iter().all(|input| input.failure.is_some())
    }

    /// Waits for packets, or until those that are there have to go on.
    fn wait(&self) {
        let wait = match self.begun {
            Some(begun) => BATCH_TIME.saturating_sub(begun.elapsed()),
            None if self.merge.is_some() => BATCH_TIME,
            None => WAIT,
        };
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: wait.as_nanos() as i64,
        };
        let live = self.inputs.iter().filter(|input| input.failure.is_none());
        let mut polled: Vec<PollFd<'_>> = live
            .map(|input| PollFd::from_borrowed_fd(input.capture.as_fd(), PollFlags::IN))
            .collect();
        // What fails here fails where packets are read too.
        let _ = poll(&mut polled, Some(&wait));
    }

    /// Takes what the kernel has. Gives whether there was anything.
    fn read(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.inputs.len() {
            if self.inputs[at].failure.is_some() {
                continue;
            }
            let before = now();
            match self.read_one(at) {
                Ok(0) => {
                    if let Some(merge) = &mut self.merge {
                        merge.is_complete(at, before - DELAY);
                    }
                }
                Ok(_) => any = true,
                Err(error) => {
                    self.inputs[at].failure = Some(said(&error));
                    if let Some(merge) = &mut self.merge {
                        merge.is_complete(at, i64::MAX);
                    }
                }
            }
        }
        any
    }

    fn read_one(&mut self, at: usize) -> Result<usize, pcap::Error> {
        let Reader {
            inputs,
            merge,
            batches,
            begun,
            queue,
            shared,
            gone,
            ..
        } = self;
        let Input {
            capture,
            link_type,
            lost: _,
            failure: _,
        } = &mut inputs[at];
        let mut output = Output {
            batches,
            begun,
            queue,
            shared,
            gone,
        };
        capture.dispatch(Some(TURN_MAX), |packet: Packet<'_>| {
            let frame = frame(&packet, *link_type, at);
            match merge {
                Some(merge) => merge.push(at, frame, packet.data),
                None => output.put(at, frame, packet.data),
            }
        })
    }

    fn output(&mut self) -> Output<'_> {
        Output {
            batches: &mut self.batches,
            begun: &mut self.begun,
            queue: &self.queue,
            shared: &self.shared,
            gone: &mut self.gone,
        }
    }

    /// Puts packets that waited for those of other interfaces into batches.
    fn merge_on(&mut self) {
        while let Some((at, frame, bytes)) = self.merge.as_mut().and_then(Merge::next) {
            self.output().put(at, frame, &bytes);
        }
    }

    /// Hands the batch on where it waited long enough, or somebody waits for it.
    fn hand_on(&mut self) {
        self.merge_on();
        let waited = self
            .begun
            .is_some_and(|begun| begun.elapsed() >= BATCH_TIME);
        if waited || self.shared.waiting.load(Relaxed) == 0 {
            self.send();
        }
        if self.begun.is_none() && self.idle.elapsed() >= WAIT {
            let until = match &self.merge {
                Some(merge) => merge.complete(),
                None => now() - DELAY,
            };
            self.idle = Instant::now();
            // Where the queue is full there is no need to say that time goes on.
            self.output().hand(Message::Idle(until));
        }
    }

    fn send(&mut self) {
        self.output().send();
    }

    /// Notes what the kernel counted.
    fn count(&mut self) {
        self.counted = Instant::now();
        let mut interfaces = lock(&self.shared.interfaces);
        for (input, ends) in self.inputs.iter_mut().zip(interfaces.iter_mut()) {
            if let Ok(stats) = input.capture.stats() {
                // The counters are 32 bits wide and go on from 0.
                add(&mut input.lost.kernel, stats.dropped);
                add(&mut input.lost.interface, stats.if_dropped);
            }
            ends.lost.kernel = input.lost.kernel;
            ends.lost.interface = input.lost.interface;
            ends.failure.clone_from(&input.failure);
        }
    }
}

/// Brings a counter up to what a counter of 32 bits says, which may have gone over.
fn add(counter: &mut u64, low: u32) {
    *counter += u64::from(low.wrapping_sub(*counter as u32));
}

/// Where packets go.
struct Output<'a> {
    batches: &'a mut Batches,
    begun: &'a mut Option<Instant>,
    queue: &'a SyncSender<Message>,
    shared: &'a Shared,
    gone: &'a mut bool,
}

impl Output<'_> {
    fn put(&mut self, interface: usize, frame: Frame, bytes: &[u8]) {
        if self.batches.is_full_for(bytes.len()) {
            self.send();
        }
        self.batches.push(interface, frame, bytes);
        self.begun.get_or_insert_with(Instant::now);
    }

    /// Sends the batch, or drops it where too many wait.
    fn send(&mut self) {
        if self.batches.is_empty() {
            return;
        }
        *self.begun = None;
        let batch = self.batches.take();
        if let Some(Message::Packets(batch)) = self.hand(Message::Packets(batch)) {
            let count = batch.frames.len() as u64;
            self.shared.dropped.fetch_add(count, Relaxed);
            let mut interfaces = lock(&self.shared.interfaces);
            for ((packets, _), ends) in batch.shares.iter().zip(interfaces.iter_mut()) {
                ends.lost.overload += packets;
            }
        }
    }

    /// Puts a message into the queue, or gives it back.
    fn hand(&mut self, message: Message) -> Option<Message> {
        self.shared.waiting.fetch_add(1, Relaxed);
        let message = match self.queue.try_send(message) {
            Ok(()) => return None,
            Err(TrySendError::Full(message)) => message,
            Err(TrySendError::Disconnected(message)) => {
                *self.gone = true;
                message
            }
        };
        self.shared.waiting.fetch_sub(1, Relaxed);
        Some(message)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn frame(packet: &Packet<'_>, link_type: u16, interface: usize) -> Frame {
    let ts = packet.header.ts;
    Frame {
        // With nanoseconds asked for, the fraction is one of nanoseconds.
        ts: ts
            .tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(ts.tv_usec),
        len: packet.header.len,
        link_type,
        interface: interface as u16,
        ..Frame::default()
    }
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}
