//! Runs read as one.

use super::run::{Record, Run, damaged, lengths};
use crate::Error;
use std::ops::Range;
use std::sync::Arc;

/// How far a run has been read.
pub(super) struct Cursor {
    run: Arc<Run>,
    /// What was read of it and where that ends.
    buffer: Vec<u8>,
    /// How much is read at once.
    buffer_bytes: usize,
    end: u64,
    /// Where the record behind the current one begins in the buffer.
    next: usize,
    /// The current record; none at the end.
    record: Option<(Range<usize>, Range<usize>)>,
}

impl Cursor {
    pub(super) fn new(run: &Arc<Run>, place: u64, buffer_bytes: usize) -> Cursor {
        Cursor {
            run: Arc::clone(run),
            buffer: Vec::new(),
            buffer_bytes,
            end: place,
            next: 0,
            record: None,
        }
    }

    fn key(&self) -> &[u8] {
        let key = self.record.as_ref().map(|(key, _)| key.clone());
        key.map_or(&[], |key| &self.buffer[key])
    }

    /// Reads more, so that at least `needed` bytes stand behind `next`, if there are as many.
    fn fill(&mut self, needed: usize) -> Result<(), Error> {
        let kept = self.buffer.len() - self.next;
        if kept >= needed {
            return Ok(());
        }
        self.buffer.copy_within(self.next.., 0);
        self.next = 0;
        let left = usize::try_from(self.run.bytes() - self.end).unwrap_or(usize::MAX);
        let more = needed.max(self.buffer_bytes).saturating_sub(kept).min(left);
        self.buffer.resize(kept + more, 0);
        // A long record must not leave its buffer to all that follow.
        if self.buffer.capacity() > 2 * self.buffer_bytes.max(kept + more) {
            self.buffer.shrink_to(self.buffer_bytes);
        }
        self.run.read_at(&mut self.buffer[kept..], self.end)?;
        self.end += more as u64;
        Ok(())
    }

    /// Goes to the next record; gives whether there is one.
    fn advance(&mut self) -> Result<bool, Error> {
        const LENGTHS_MAX: usize = 20;
        self.record = None;
        self.fill(LENGTHS_MAX)?;
        if self.next == self.buffer.len() {
            return Ok(false);
        }
        let (head, key, value) = lengths(&self.buffer[self.next..]).ok_or_else(damaged)?;
        let len = head.checked_add(key).and_then(|len| len.checked_add(value));
        let len = len.ok_or_else(damaged)?;
        self.fill(len)?;
        if self.buffer.len() - self.next < len {
            return Err(damaged());
        }
        let start = self.next + head;
        self.record = Some((start..start + key, start + key..start + key + value));
        self.next += len;
        Ok(true)
    }
}

/// The records of several runs, in the order of (key, run, place in the run).
pub struct Merge {
    cursors: Vec<Cursor>,
    /// A heap of those that have a record, the lowest first.
    heap: Vec<usize>,
}

impl Merge {
    pub(super) fn new(cursors: Vec<Cursor>) -> Result<Merge, Error> {
        let mut merge = Merge {
            heap: Vec::with_capacity(cursors.len()),
            cursors,
        };
        for at in 0..merge.cursors.len() {
            if merge.cursors[at].advance()? {
                merge.heap.push(at);
            }
        }
        for place in (0..merge.heap.len() / 2).rev() {
            merge.sink(place);
        }
        Ok(merge)
    }

    /// The current record; none at the end.
    pub fn head(&self) -> Option<Record<'_>> {
        let cursor = &self.cursors[*self.heap.first()?];
        let (key, value) = cursor.record.clone()?;
        Some(Record {
            key: &cursor.buffer[key],
            value: &cursor.buffer[value],
        })
    }

    /// Goes to the next record.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn advance(&mut self) -> Result<(), Error> {
        let Some(first) = self.heap.first().copied() else {
            return Ok(());
        };
        if !self.cursors[first].advance()? {
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    fn is_before(&self, left: usize, right: usize) -> bool {
        let order = self.cursors[left].key().cmp(self.cursors[right].key());
        order.then(left.cmp(&right)).is_lt()
    }

    /// Moves an entry down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        loop {
            let mut lowest = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.heap.len() && self.is_before(self.heap[child], self.heap[lowest]) {
                    lowest = child;
                }
            }
            if lowest == place {
                return;
            }
            self.heap.swap(place, lowest);
            place = lowest;
        }
    }

    /// How many bytes of memory the buffers take.
    pub fn memory(&self) -> usize {
        let buffers = self.cursors.iter().map(|cursor| cursor.buffer.capacity());
        buffers.sum::<usize>() + self.cursors.len() * size_of::<Cursor>()
    }
}
