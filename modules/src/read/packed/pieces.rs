//! Compressed files that several threads unpack: pieces that can be unpacked each by itself.
//!
//! What is given is what one decoder gives that reads the file from front to back. Where a piece turns out not
//! to be one, or is damaged, or what comes next is no piece, such a decoder goes on from there: what it
//! gives and what it says of damage is then the same whatever the number of threads.

use super::cut::{Cut, Cutter, Piece};
use super::lz4;
use super::walk::{Marked, Packing, Peeked, decoder};
use super::{CHUNK_LEN, Chunk, Chunks, Means};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What may be unpacked before its turn, in all pieces together: a block of `xz -6` on two threads.
const AHEAD_MAX: usize = 32 * 1024 * 1024;

/// A file of which pieces are unpacked by several threads.
pub(super) struct Pieces {
    file: Arc<File>,
    packing: Packing,
    cutter: Cutter,
    /// Those that were begun, in the order of the file.
    begun: VecDeque<Begun>,
    /// How many of them there may be, and how many chunks may wait of each.
    begun_max: usize,
    chunks_max: usize,
    /// What comes behind them, where that is no piece.
    behind: Option<Behind>,
    chunk: Vec<u8>,
    at: usize,
    /// How much was given of the first one, and of all.
    given: u64,
    given_of_all: u64,
    /// The contents of the frame of lz4 that the first one is of, where it is cut.
    sum: Option<lz4::Sum>,
    /// What goes on by itself to the end.
    rest: Option<Marked<Box<dyn Read>>>,
    jobs: Option<Sender<Job>>,
    stop: Arc<AtomicBool>,
    /// Nobody reads any more what is unpacked.
    gone: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    means: Means,
}

/// A piece that a thread unpacks, or will.
struct Begun {
    frame: lz4::Place,
    /// Where another decoder begins if this comes to nothing, and whether all before it was given then.
    from: Option<u64>,
    said: Receiver<Said>,
}

#[derive(Clone, Copy)]
enum Behind {
    /// Nothing.
    End,
    /// What is there from here on is for one decoder.
    Alone(u64),
    /// What was not given yet is, of which one has to read all.
    Anew,
}

/// What a thread is to unpack.
struct Job {
    piece: Piece,
    say: SyncSender<Said>,
}

enum Said {
    Chunk(Vec<u8>),
    /// That was all of it.
    Done,
    Failed,
}

/// A stretch of a file, read without moving anybody's place in it.
struct Window {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Chunks for Window {}

impl Read for Window {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let len = room.len().min(left);
        let count = self.file.read_at(&mut room[..len], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Pieces {
    /// Begins with a file; none where it is no more than one piece, or no threads are free.
    pub(super) fn new(
        file: &Arc<File>,
        packing: Packing,
        means: &Means,
        gone: &Arc<AtomicBool>,
    ) -> Option<Pieces> {
        let free = means.free();
        if free < 2 {
            return None;
        }
        let cutter = Cutter::new(file, packing)?;
        let threads = free.min(cutter.threads_max());
        if threads < 2 {
            return None;
        }
        let mut pieces = Pieces {
            file: Arc::clone(file),
            packing,
            cutter,
            begun: VecDeque::new(),
            begun_max: threads + 1,
            chunks_max: AHEAD_MAX / (threads - 1) / CHUNK_LEN,
            behind: None,
            chunk: Vec::new(),
            at: 0,
            given: 0,
            given_of_all: 0,
            sum: None,
            rest: None,
            jobs: None,
            stop: Arc::new(AtomicBool::new(false)),
            gone: Arc::clone(gone),
            threads: Vec::new(),
            means: means.clone(),
        };
        let (jobs, taken) = channel();
        pieces.jobs = Some(jobs);
        pieces.begin();
        if pieces.begun.len() < 2 {
            return None;
        }
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..threads {
            let worker = Worker {
                file: Arc::clone(file),
                packing,
                stop: Arc::clone(&pieces.stop),
                means: means.clone(),
            };
            let taken = Arc::clone(&taken);
            let work = move || {
                loop {
                    let job = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    worker.unpack(job);
                }
            };
            let thread = std::thread::Builder::new().name("unpack".to_owned());
            // Where the system has no more threads, those that there are do the work.
            pieces.threads.extend(thread.spawn(work));
        }
        (!pieces.threads.is_empty()).then_some(pieces)
    }

    /// Hands out further pieces.
    fn begin(&mut self) {
        while self.begun.len() < self.begun_max && self.behind.is_none() {
            match self.cutter.next(&self.file) {
                Cut::Piece(mut piece) => {
                    let frame = std::mem::take(&mut piece.frame);
                    let (say, said) = sync_channel(self.chunks_max);
                    let from = piece.stands_alone.then_some(piece.bytes.start);
                    if let Some(jobs) = &self.jobs {
                        // Where nobody takes it, nothing is said of it.
                        let _ = jobs.send(Job { piece, say });
                    }
                    self.begun.push_back(Begun { frame, from, said });
                }
                Cut::End => self.behind = Some(Behind::End),
                Cut::Alone(at) => self.behind = Some(Behind::Alone(at)),
                Cut::Anew => self.behind = Some(Behind::Anew),
            }
        }
    }

    /// Goes on with one decoder from a place of the file on, without so many bytes that were given.
    fn go_on_alone(&mut self, from: u64, without: u64) -> io::Result<()> {
        self.begun.clear();
        self.behind = Some(Behind::End);
        let window = Window {
            file: Arc::clone(&self.file),
            at: from,
            end: u64::MAX,
        };
        let input = Peeked::new(Box::new(window), &self.gone);
        let mut rest = Marked {
            inner: decoder(self.packing, input, 0),
            damage: self.packing.damage(),
        };
        io::copy(&mut (&mut rest).take(without), &mut io::sink())?;
        self.rest = Some(rest);
        Ok(())
    }

    /// The next chunk of the pieces; none where there are no more of them.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while self.rest.is_none() {
            let Some(first) = self.begun.front_mut() else {
                match self.behind {
                    Some(Behind::Alone(at)) => self.go_on_alone(at, 0)?,
                    Some(Behind::Anew) => self.go_on_alone(0, self.given_of_all)?,
                    Some(Behind::End) | None => break,
                }
                continue;
            };
            match std::mem::take(&mut first.frame) {
                lz4::Place::Begin => self.sum = Some(lz4::Sum::default()),
                lz4::Place::End(said) if self.sum.take().is_some_and(|sum| !sum.is(&said)) => {
                    self.go_on_alone(0, self.given_of_all)?;
                    continue;
                }
                _ => {}
            }
            match first.said.recv() {
                Ok(Said::Chunk(chunk)) => {
                    if let Some(sum) = &mut self.sum {
                        sum.add(&chunk);
                    }
                    self.given += chunk.len() as u64;
                    self.given_of_all += chunk.len() as u64;
                    return Ok(Some(chunk));
                }
                Ok(Said::Done) => {
                    self.begun.pop_front();
                    self.given = 0;
                    self.begin();
                }
                Ok(Said::Failed) | Err(_) => match first.from {
                    Some(from) => self.go_on_alone(from, self.given)?,
                    None => self.go_on_alone(0, self.given_of_all)?,
                },
            }
        }
        Ok(None)
    }
}

impl Chunks for Pieces {
    fn chunk(&mut self, means: &Means) -> Chunk {
        if self.at < self.chunk.len() {
            let left = self.chunk.split_off(self.at);
            return Chunk::of(Ok(left));
        }
        match self.next() {
            Ok(Some(chunk)) => Chunk::of(Ok(chunk)),
            Ok(None) => match &mut self.rest {
                Some(rest) => means.read(rest),
                None => means.read(&mut io::empty()),
            },
            Err(error) => Chunk::of(Err(error)),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            self.at = 0;
            self.means.put(std::mem::take(&mut self.chunk));
            match (self.next()?, &mut self.rest) {
                (Some(chunk), _) => self.chunk = chunk,
                (None, Some(rest)) => return rest.read(room),
                (None, None) => return Ok(0),
            }
        }
        let chunk = &self.chunk[self.at..];
        let len = chunk.len().min(room.len());
        room[..len].copy_from_slice(&chunk[..len]);
        self.at += len;
        Ok(len)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Who waits for room finds that nobody listens, and who waits for work that there is none.
        self.begun.clear();
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // What it panics at is caught there.
            let _ = thread.join();
        }
    }
}

struct Worker {
    file: Arc<File>,
    packing: Packing,
    stop: Arc<AtomicBool>,
    means: Means,
}

impl Worker {
    fn unpack(&self, job: Job) {
        let Job { piece, say } = job;
        let window = Window {
            file: Arc::clone(&self.file),
            at: piece.bytes.start,
            end: piece.bytes.end,
        };
        let before = match &piece.block {
            Some(block) => block.stream(&self.file),
            None => piece.before,
        };
        let (before, behind) = (io::Cursor::new(before), io::Cursor::new(piece.behind));
        let source = before.chain(window).chain(behind);
        let unpack = || {
            let input = Peeked::new(Box::new(source), &self.stop);
            let mut decoder = decoder(self.packing, input, piece.unpacked_at);
            loop {
                let Chunk {
                    bytes,
                    ended,
                    failed,
                } = self.means.read(&mut decoder);
                if !bytes.is_empty() {
                    say.send(Said::Chunk(bytes)).ok()?;
                }
                if failed.is_some() {
                    return None;
                }
                if ended {
                    return Some(());
                }
            }
        };
        // Decoders are others' code: whoever goes on meets the same panic, and tells of it.
        let outcome = catch_unwind(AssertUnwindSafe(unpack));
        let end = match outcome {
            Ok(Some(())) => Said::Done,
            Ok(None) | Err(_) => Said::Failed,
        };
        // Nobody may be left to hear it.
        let _ = say.send(end);
    }
}

#[cfg(test)]
mod tests;
