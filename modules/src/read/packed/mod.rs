//! Compressed files and archives, recognized by content: what is in them, on a thread of its own.
//!
//! gzip (bgzip among it), zstd with skippable frames (its seekable form), lz4, bzip2, xz, zip and tar,
//! one within the other. To add one: a line in [`walk::packing`] and one in [`walk::decoder`].
//!
//! Where there are several threads, those of a source's files whose turn it is not yet are unpacked as well, so
//! far; and of a file that is unpacked alone, pieces, where the format has such.

mod bits;
mod cut;
mod lz4;
mod members;
mod pieces;
mod tar;
mod walk;
mod xz;
mod zip;
mod zstd;

use super::blocks::{Source, Stream};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many bytes show whether something is packed, and how.
pub(super) const MAGIC_LEN: usize = 512;

/// Whether a file that begins so is packed.
pub(super) fn is_packed(begin: &[u8]) -> bool {
    walk::packing(begin).is_some()
}

/// Chunks that wait between the threads, where a file is read by now and where others are before it, and how
/// large they are.
const CHUNKS: usize = 4;
const CHUNKS_AHEAD: usize = 64;
const CHUNK_LEN: usize = 128 * 1024;
/// How long a read waits before it looks whether the run was interrupted.
const WAIT: Duration = Duration::from_millis(100);

/// What the unpacking thread says.
enum Message {
    /// A file begins: its name where it is one of an archive.
    Begin(Option<String>),
    Data(Vec<u8>),
    /// The file that began cannot be had; others can.
    Unusable(&'static str),
    /// Nothing more can be had, of this file or any other.
    Damage(&'static str),
    /// The file below cannot be read.
    Failed(io::Error),
}

/// Packed data that is damaged, as an error of reading.
#[derive(Debug)]
pub(super) struct Corrupt(pub(super) &'static str);

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Corrupt {}

/// The reason why data could not be unpacked, where that is what an error says.
pub(super) fn damage(error: &io::Error) -> Option<&'static str> {
    let corrupt = error.get_ref()?.downcast_ref::<Corrupt>()?;
    Some(corrupt.0)
}

/// What the packed files of a source are unpacked with.
#[derive(Clone, Default)]
pub(super) struct Means {
    /// How many threads there are.
    pub(super) threads: usize,
    /// How many files are being unpacked.
    unpacked: Arc<AtomicUsize>,
    /// Chunks to be used again.
    chunks: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Up to a chunk of what a decoder gives.
struct Chunk {
    bytes: Vec<u8>,
    /// There is no more.
    ended: bool,
    /// What came behind these bytes.
    failed: Option<io::Error>,
}

/// Something that can be read in chunks: without a copy, where it has them.
trait Chunks: Read {
    fn chunk(&mut self, means: &Means) -> Chunk {
        means.read(self)
    }
}

impl<C: Chunks + ?Sized> Chunks for &mut C {
    fn chunk(&mut self, means: &Means) -> Chunk {
        (**self).chunk(means)
    }
}

impl<R: Read> Chunks for io::Take<R> {}
impl<A: Read, B: Read> Chunks for io::Chain<A, B> {}

impl Chunk {
    fn of(read: io::Result<Vec<u8>>) -> Chunk {
        let (bytes, failed) = match read {
            Ok(bytes) => (bytes, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Chunk {
            bytes,
            ended: false,
            failed,
        }
    }
}

/// A file that is being unpacked, for as long as it is.
struct Unpacked(Arc<AtomicUsize>);

impl Drop for Unpacked {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Means {
    /// Notes that one more file is being unpacked.
    fn begin(&self) -> Unpacked {
        self.unpacked.fetch_add(1, Ordering::Relaxed);
        Unpacked(Arc::clone(&self.unpacked))
    }

    /// How many threads there are for one of the files that are being unpacked, where each other has one.
    fn free(&self) -> usize {
        let unpacked = self.unpacked.load(Ordering::Relaxed);
        (self.threads + 1).saturating_sub(unpacked)
    }

    /// Reads a chunk.
    fn read<R: Read + ?Sized>(&self, from: &mut R) -> Chunk {
        let mut bytes = self.take();
        bytes.resize(CHUNK_LEN, 0);
        let (mut len, mut failed) = (0, None);
        while len < CHUNK_LEN {
            match from.read(&mut bytes[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        bytes.truncate(len);
        Chunk {
            bytes,
            ended: len < CHUNK_LEN,
            failed,
        }
    }

    fn take(&self) -> Vec<u8> {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.pop().unwrap_or_default()
    }

    fn put(&self, chunk: Vec<u8>) {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if chunks.len() < CHUNKS_AHEAD && chunk.capacity() > 0 {
            chunks.push(chunk);
        }
    }
}

/// The files in a packed one.
pub(super) struct Packed {
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the reading thread knows.
struct Shared {
    /// None once nobody unpacks any more.
    messages: Option<Receiver<Message>>,
    /// The next message, where somebody looked whether there is one.
    seen: Option<Message>,
    means: Means,
    chunk: Vec<u8>,
    at: usize,
    /// The next file, once its begin was seen.
    next: Option<Option<String>>,
    ended: bool,
}

impl Packed {
    /// Begins to unpack: further where others are read before.
    pub(super) fn new(source: Source, means: &Means, ahead: bool) -> io::Result<Packed> {
        let (send, messages) = sync_channel(if ahead { CHUNKS_AHEAD } else { CHUNKS });
        let stop = Arc::new(AtomicBool::new(false));
        let unpacked = means.begin();
        let mut sink = Sink {
            send,
            file: source.whole_file(),
            means: means.clone(),
            stop: Arc::clone(&stop),
        };
        let mut source = Interruptible {
            source,
            stop: Arc::clone(&stop),
        };
        let unpack = move || {
            let _unpacked = unpacked;
            // Decoders are others' code: where one panics on hostile bytes these are damage.
            let walk = AssertUnwindSafe(|| walk::walk_all(&mut source, &mut sink));
            let message = match catch_unwind(walk) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => match damage(&error) {
                    Some(reason) => Message::Damage(reason),
                    None => Message::Failed(error),
                },
                Err(_) => Message::Damage("it cannot be unpacked"),
            };
            // Nobody may be left to hear it.
            let _ = sink.send.send(message);
        };
        let thread = std::thread::Builder::new()
            .name("unpack".to_owned())
            .spawn(unpack)?;
        let shared = Shared {
            messages: Some(messages),
            seen: None,
            means: means.clone(),
            chunk: Vec::new(),
            at: 0,
            next: None,
            ended: false,
        };
        Ok(Packed {
            shared: Arc::new(Mutex::new(shared)),
            stop,
            thread: Some(thread),
        })
    }

    /// Whether nobody unpacks any more: what is left of it waits to be read.
    pub(super) fn is_unpacked(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Whether the next read, or the next file, is not waited for.
    pub(super) fn is_ready(&self) -> bool {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = shared.at < shared.chunk.len() || shared.next.is_some();
        if is_left || shared.ended || shared.seen.is_some() {
            return true;
        }
        match shared.messages.as_ref().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => false,
            Some(Ok(message)) => {
                shared.seen = Some(message);
                true
            }
            // There is nothing to wait for.
            Some(Err(TryRecvError::Disconnected)) | None => true,
        }
    }

    /// The next file; its name where it is one of an archive. What was not read of the one before is
    /// passed over.
    pub(super) fn next_file(
        &mut self,
        interrupt: &AtomicBool,
    ) -> io::Result<Option<(Option<String>, Box<dyn Stream>)>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        while shared.next.is_none() {
            shared.at = shared.chunk.len();
            if !shared.advance(interrupt)? && shared.next.is_none() {
                return Ok(None);
            }
        }
        let name = shared.next.take().flatten();
        let stream = Contents {
            shared: Arc::clone(&self.shared),
            at: 0,
            failed: None,
        };
        Ok(Some((name, Box::new(stream))))
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that waits to say something finds that nobody hears it.
        shared.messages = None;
        drop(shared);
        if let Some(thread) = self.thread.take() {
            // What it panics at is caught there.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Waits for the next chunk of the file; false where there is none.
    fn advance(&mut self, interrupt: &AtomicBool) -> io::Result<bool> {
        if self.ended || self.next.is_some() {
            return Ok(false);
        }
        let message = loop {
            if let Some(message) = self.seen.take() {
                break message;
            }
            let Some(messages) = &self.messages else {
                return Ok(false);
            };
            match messages.recv_timeout(WAIT) {
                Ok(message) => break message,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return Ok(false);
                }
                Err(RecvTimeoutError::Timeout) if interrupt.load(Ordering::Relaxed) => {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        match message {
            Message::Begin(name) => {
                self.next = Some(name);
                Ok(false)
            }
            Message::Data(chunk) => {
                let used = std::mem::replace(&mut self.chunk, chunk);
                self.at = 0;
                self.means.put(used);
                Ok(true)
            }
            Message::Unusable(reason) => Err(walk::corrupt(reason)),
            Message::Damage(reason) => {
                self.ended = true;
                Err(walk::corrupt(reason))
            }
            Message::Failed(error) => {
                self.ended = true;
                Err(error)
            }
        }
    }
}

/// The contents of one file.
struct Contents {
    shared: Arc<Mutex<Shared>>,
    /// How much was read.
    at: u64,
    /// What comes behind that.
    failed: Option<io::Error>,
}

impl Stream for Contents {
    /// To the next multiple of a chunk, however it comes.
    fn step(&self) -> usize {
        CHUNK_LEN - (self.at % CHUNK_LEN as u64) as usize
    }

    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (wanted, mut len) = (room.len().min(self.step()), 0);
        while len < wanted {
            if shared.at >= shared.chunk.len() {
                match shared.advance(interrupt) {
                    Ok(true) => continue,
                    Ok(false) => break,
                    Err(error) if len == 0 => return Err(error),
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                }
            }
            let chunk = &shared.chunk[shared.at..];
            let count = chunk.len().min(wanted - len);
            room[len..len + count].copy_from_slice(&chunk[..count]);
            shared.at += count;
            len += count;
        }
        self.at += len as u64;
        Ok(len)
    }
}

/// The file below, as the unpacking thread reads it.
struct Interruptible {
    source: Source,
    stop: Arc<AtomicBool>,
}

impl Chunks for Interruptible {}

impl Read for Interruptible {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        go_on(&self.stop)?;
        self.source.read(room, &self.stop).map_err(|error| {
            // What decoders would only try again is no interruption for them.
            if error.kind() == io::ErrorKind::Interrupted {
                gone()
            } else {
                error
            }
        })
    }
}

fn gone() -> io::Error {
    io::Error::other("nobody reads any more")
}

/// An error where nobody reads any more. It is asked wherever bytes pass, since few of them may
/// unpack to more than anybody can wait for.
pub(super) fn go_on(stop: &AtomicBool) -> io::Result<()> {
    match stop.load(Ordering::Relaxed) {
        true => Err(gone()),
        false => Ok(()),
    }
}

/// Where the unpacking thread puts what it finds.
pub(super) struct Sink {
    send: SyncSender<Message>,
    /// The file that is unpacked from its begin on, where it can be read anywhere.
    pub(super) file: Option<Arc<File>>,
    pub(super) means: Means,
    pub(super) stop: Arc<AtomicBool>,
}

impl Sink {
    fn say(&mut self, message: Message) -> io::Result<()> {
        self.send.send(message).map_err(|_| gone())
    }

    /// A file begins.
    fn begin(&mut self, name: Option<String>) -> io::Result<()> {
        self.say(Message::Begin(name))
    }

    /// A file that is there, and why it cannot be had.
    fn unusable(&mut self, name: String, reason: &'static str) -> io::Result<()> {
        self.begin(Some(name))?;
        self.say(Message::Unusable(reason))
    }

    /// Passes on all of a file. What came before an error is passed on too.
    fn copy(&mut self, from: &mut dyn Chunks) -> io::Result<()> {
        loop {
            let Chunk {
                bytes,
                ended,
                failed,
            } = from.chunk(&self.means);
            if !bytes.is_empty() {
                self.say(Message::Data(bytes))?;
            }
            match failed {
                Some(error) => return Err(error),
                None if ended => return Ok(()),
                None => {}
            }
        }
    }
}
