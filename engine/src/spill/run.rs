//! One run: records in ascending order of keys, in a file.

use super::Layout;
use super::filter::Filter;
use crate::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// What is written and read at once.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The bytes.
    pub value: &'a [u8],
}

/// A run that is written.
pub(super) struct Run {
    file: File,
    /// The bytes of all records.
    bytes: u64,
    records: u64,
    index: Index,
    filter: Option<Filter>,
}

/// The keys of some records, one after the other, with the end of each and the place of its record.
#[derive(Default)]
struct Index {
    keys: Vec<u8>,
    places: Vec<(usize, u64)>,
}

impl Index {
    fn push(&mut self, key: &[u8], place: u64) {
        self.keys.extend_from_slice(key);
        self.places.push((self.keys.len(), place));
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.places[at - 1].0 };
        &self.keys[start..self.places[at].0]
    }

    /// How many entries stand before the first of which `is_before` does not hold.
    fn count(&self, is_before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.places.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.key(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Run {
    pub(super) fn len(&self) -> u64 {
        self.records
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn memory(&self) -> usize {
        let places = self.index.places.capacity() * size_of::<(usize, u64)>();
        let filter = self.filter.as_ref().map_or(0, Filter::memory);
        size_of::<Run>() + self.index.keys.capacity() + places + filter
    }

    /// The place of a record with no key behind which the first one from `key` on stands.
    pub(super) fn place_before(&self, key: &[u8]) -> u64 {
        // Records with one key may have begun before the entry that has it.
        let entries = self.index.count(|known| known < key);
        entries
            .checked_sub(1)
            .map_or(0, |at| self.index.places[at].1)
    }

    pub(super) fn contains(
        &self,
        key: &[u8],
        hash: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        if self.filter.as_ref().is_some_and(|filter| !filter.has(hash)) {
            return Ok(false);
        }
        let entries = self.index.count(|known| known <= key);
        let Some(at) = entries.checked_sub(1) else {
            return Ok(false);
        };
        let place = |at: usize| self.index.places.get(at).map_or(self.bytes, |(_, p)| *p);
        let len = (place(at + 1) - place(at)) as usize;
        buffer.resize(len.max(buffer.len()), 0);
        let bytes = &mut buffer[..len];
        self.read_at(bytes, place(at))?;
        let mut rest = &*bytes;
        while !rest.is_empty() {
            let (record, behind) = parse(rest).ok_or_else(damaged)?;
            if record.key >= key {
                return Ok(record.key == key);
            }
            rest = behind;
        }
        Ok(false)
    }

    pub(super) fn read_at(&self, bytes: &mut [u8], place: u64) -> Result<(), Error> {
        let read = self.file.read_exact_at(bytes, place);
        read.map_err(|error| Error::file("read", name(), error))
    }
}

/// What messages call a file without a name.
fn name() -> String {
    let folder = std::env::temp_dir();
    format!("a temporary file in {}", folder.display())
}

pub(super) fn damaged() -> Error {
    let what = "it holds something else than was written";
    Error::file("read", name(), io::Error::other(what))
}

/// Writes a run.
pub struct RunWriter {
    run: Run,
    layout: Layout,
    buffer: Vec<u8>,
    /// Where the next place of the index may be.
    next_entry: u64,
    last: Vec<u8>,
}

impl RunWriter {
    pub(super) fn new(layout: Layout, expected: usize) -> Result<RunWriter, Error> {
        let file = tempfile::tempfile().map_err(|error| Error::file("make", name(), error))?;
        Ok(RunWriter {
            run: Run {
                file,
                bytes: 0,
                records: 0,
                index: Index::default(),
                filter: layout.filter.then(|| Filter::new(expected)),
            },
            layout,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            next_entry: 0,
            last: Vec::new(),
        })
    }

    /// Writes a record; its key is no lower than that of the last one. Where keys are looked up by
    /// [`super::Runs::contains`] the value is the hash of the key: see [`RunWriter::push_hashed`].
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        debug_assert!(self.last.as_slice() <= key, "keys ascend");
        if cfg!(debug_assertions) {
            self.last.clear();
            self.last.extend_from_slice(key);
        }
        let place = self.run.bytes + self.buffer.len() as u64;
        if self.layout.index_bytes > 0 && place >= self.next_entry {
            self.run.index.push(key, place);
            self.next_entry = place + self.layout.index_bytes as u64;
        }
        if let (Some(filter), Ok(hash)) = (&mut self.run.filter, value.try_into()) {
            filter.add(u64::from_le_bytes(hash));
        }
        put_len(key.len(), &mut self.buffer);
        put_len(value.len(), &mut self.buffer);
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(value);
        self.run.records += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes a record that can be found by [`super::Runs::contains`].
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn push_hashed(&mut self, key: &[u8], hash: u64) -> Result<(), Error> {
        self.push(key, &hash.to_le_bytes())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = (&self.run.file).write_all(&self.buffer);
        written.map_err(|error| Error::file("write", name(), error))?;
        self.run.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run, Error> {
        self.flush()?;
        self.run.index.keys.shrink_to_fit();
        self.run.index.places.shrink_to_fit();
        Ok(self.run)
    }
}

/// Lengths take 7 bits a byte, the lowest first; the last byte has no eighth bit.
fn put_len(mut len: usize, out: &mut Vec<u8>) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

fn take_len(bytes: &mut &[u8]) -> Option<usize> {
    let mut len = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        len |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(len);
        }
    }
    None
}

/// The lengths of a record's key and value, and of what stands before them; none where these bytes
/// don't hold them.
pub(super) fn lengths(bytes: &[u8]) -> Option<(usize, usize, usize)> {
    let mut rest = bytes;
    let key = take_len(&mut rest)?;
    let value = take_len(&mut rest)?;
    Some((bytes.len() - rest.len(), key, value))
}

/// The record at the front of bytes and what stands behind it.
fn parse(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (head, key, value) = lengths(bytes)?;
    let (key, rest) = bytes[head..].split_at_checked(key)?;
    let (value, rest) = rest.split_at_checked(value)?;
    Some((Record { key, value }, rest))
}
