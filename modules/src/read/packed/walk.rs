//! From packed bytes to the files in them.

use super::members::{Bzip2, Gzip, Members};
use super::pieces::Pieces;
use super::tar::untar;
use super::zip::unzip;
use super::{Chunk, Chunks, Corrupt, MAGIC_LEN, Means, Sink, go_on};
use super::{lz4, xz, zstd};
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How things are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Lz4,
    Bzip2,
    Xz,
    Zip,
    Tar,
}

/// Packings within each other: more are nobody's backup.
const DEPTH_MAX: usize = 4;
const TAR_MAGIC_AT: usize = 257;
const BUFFER_LEN: usize = 64 * 1024;

/// How something is packed that begins so.
pub(super) fn packing(begin: &[u8]) -> Option<Packing> {
    match begin {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(Packing::Lz4),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, 0x41 | 0x72, ..] => Some(Packing::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Packing::Zip),
        _ => {
            let magic = begin.get(TAR_MAGIC_AT..TAR_MAGIC_AT + 5);
            (magic == Some(b"ustar")).then_some(Packing::Tar)
        }
    }
}

impl Packing {
    /// What is said where it is damaged.
    pub(super) fn damage(self) -> &'static str {
        match self {
            Packing::Gzip => "the gzip data is damaged",
            Packing::Zstd => "the zstd data is damaged",
            Packing::Lz4 => "the lz4 data is damaged",
            Packing::Bzip2 => "the bzip2 data is damaged",
            Packing::Xz => "the xz data is damaged",
            Packing::Zip => "the zip archive is damaged",
            Packing::Tar => "the tar archive is damaged",
        }
    }
}

pub(super) fn corrupt(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Corrupt(reason))
}

/// Marks errors of a decoder as damage of what it reads. Those of the system that come through it
/// stay what they are.
pub(super) struct Marked<R> {
    pub(super) inner: R,
    pub(super) damage: &'static str,
}

impl<R: Read> Chunks for Marked<R> {}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.inner
            .read(room)
            .map_err(|error| mark(error, self.damage))
    }
}

fn mark(error: io::Error, damage: &'static str) -> io::Error {
    match error.kind() {
        _ if super::damage(&error).is_some() || error.raw_os_error().is_some() => error,
        io::ErrorKind::Interrupted => error,
        _ => corrupt(damage),
    }
}

/// A reader whose next bytes can be seen before they are read.
pub(super) struct Peeked<'a> {
    inner: Box<dyn Chunks + 'a>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// What comes behind the bytes seen so far.
    failed: Option<io::Error>,
    /// Nobody reads any more.
    stop: Arc<AtomicBool>,
}

impl<'a> Peeked<'a> {
    pub(super) fn new(inner: Box<dyn Chunks + 'a>, stop: &Arc<AtomicBool>) -> Peeked<'a> {
        Peeked {
            inner,
            buffer: vec![0; BUFFER_LEN],
            at: 0,
            end: 0,
            failed: None,
            stop: Arc::clone(stop),
        }
    }

    /// The next bytes, `len` of them unless there are fewer. `len` is less than the buffer has. An
    /// error behind some bytes is told when these were read.
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if self.at + len > self.buffer.len() {
            self.buffer.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
        }
        while self.end - self.at < len && self.failed.is_none() {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.at == self.end => return Err(error),
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(&self.buffer[self.at..self.end.min(self.at + len)])
    }

    /// Passes over a skippable frame, as zstd and lz4 have them; false where none comes next.
    pub(super) fn pass_skippable(&mut self) -> io::Result<bool> {
        let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] = *self.peek(8)? else {
            return Ok(false);
        };
        let len = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
        if io::copy(&mut self.take(len), &mut io::sink())? < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(true)
    }
}

impl BufRead for Peeked<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            go_on(&self.stop)?;
            (self.at, self.end) = (0, 0);
            self.end = self.inner.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.end);
    }
}

impl Chunks for Peeked<'_> {
    fn chunk(&mut self, means: &Means) -> Chunk {
        if self.at < self.end || self.failed.is_some() {
            let seen = self.fill_buf().map(<[u8]>::to_vec);
            self.at = self.end;
            return Chunk::of(seen);
        }
        match go_on(&self.stop) {
            Ok(()) => self.inner.chunk(means),
            Err(error) => Chunk::of(Err(error)),
        }
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let len = bytes.len().min(room.len());
        room[..len].copy_from_slice(&bytes[..len]);
        self.consume(len);
        Ok(len)
    }
}

/// Gives the sink all files in what a source has.
pub(super) fn walk_all(source: &mut dyn Chunks, sink: &mut Sink) -> io::Result<()> {
    walk(source, None, 0, sink)
}

/// Gives the sink the files in one that may be packed; `name` is its name in an archive.
pub(super) fn walk(
    source: &mut dyn Chunks,
    name: Option<String>,
    depth: usize,
    sink: &mut Sink,
) -> io::Result<()> {
    let mut input = Peeked::new(Box::new(source), &sink.stop);
    let begin = input.peek(MAGIC_LEN);
    let packing = match begin {
        Ok(begin) => packing(begin).filter(|_| depth < DEPTH_MAX),
        Err(error) => {
            // Something is there that cannot be read: it is to be heard of under its name.
            sink.begin(name)?;
            return Err(error);
        }
    };
    let Some(packing) = packing else {
        sink.begin(name)?;
        return sink.copy(&mut input);
    };
    let damage = packing.damage();
    let file = sink.file.take().filter(|_| depth == 0);
    match packing {
        Packing::Zip => unzip(&mut { input }, &name, depth, damage, sink),
        Packing::Tar => untar(&mut { input }, &name, depth, damage, sink),
        _ => match file.and_then(|file| Pieces::new(&file, packing, &sink.means, &sink.stop)) {
            Some(mut pieces) => walk(&mut pieces, name, depth + 1, sink),
            None => {
                let inner = decoder(packing, input, 0);
                walk(&mut Marked { inner, damage }, name, depth + 1, sink)
            }
        },
    }
}

/// What unpacks an input that is compressed; so much of the file's contents stands before it.
pub(super) fn decoder<'a>(
    packing: Packing,
    input: Peeked<'a>,
    unpacked_at: u64,
) -> Box<dyn Read + 'a> {
    match packing {
        Packing::Gzip => Box::new(Members::<Gzip>::new(input)),
        Packing::Bzip2 => Box::new(Members::<Bzip2>::new(input)),
        Packing::Lz4 => Box::new(lz4::Frames::new(input)),
        Packing::Xz => Box::new(xz::Blocks::new(input, unpacked_at)),
        Packing::Zstd => Box::new(zstd::Frames::new(input)),
        // Archives are taken apart otherwise.
        Packing::Zip | Packing::Tar => Box::new(input),
    }
}

/// The name of a file in an archive that may itself be in one.
pub(super) fn within(archive: &Option<String>, name: &str) -> String {
    match archive {
        Some(archive) => format!("{archive}/{name}"),
        None => name.to_owned(),
    }
}
