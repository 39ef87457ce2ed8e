//! State that does not fit in memory: sorted runs of records in temporary files.
//!
//! A run is written once, in ascending order of keys, to a file without a name in the
//! folder for temporary files (`TMPDIR`), and read at offsets, so that reading changes nothing.
//! Several [`Runs`] are read as one by a [`Merge`], in the order of (key, run, place in the run).
//! Runs of one level are merged as soon as there are so many of them: a record is written again
//! once a level, and few files and buffers are open at a time.

mod filter;
mod members;
mod merge;
mod run;

pub use members::Members;
pub use merge::Merge;
pub use run::{Record, RunWriter};

use crate::Error;
use crate::planted::is_planted;
use merge::Cursor;
use run::{BUFFER_BYTES, Run};
use std::sync::Arc;

/// How runs are kept.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// So many runs of one level are merged into one of the next.
    pub fan_in: usize,
    /// How many bytes stand between two places of which the index knows the key; 0 where nothing is
    /// looked up.
    pub index_bytes: usize,
    /// Whether there is a filter that knows most keys that are not there.
    pub filter: bool,
}

/// Makes one record of two with one key, the second one later than the first, by changing the value
/// of the first. Gives whether it did: else both are kept.
pub type Combine<'a> = &'a mut dyn FnMut(&[u8], &mut Vec<u8>, &[u8]) -> Result<bool, Error>;

/// Keeps records with equal keys apart.
pub fn keep_all(_key: &[u8], _left: &mut Vec<u8>, _right: &[u8]) -> Result<bool, Error> {
    Ok(false)
}

/// Sorted runs, the earliest first.
pub struct Runs {
    layout: Layout,
    runs: Vec<Level>,
    /// Where records are read for a look-up.
    buffer: Vec<u8>,
}

struct Level {
    run: Arc<Run>,
    /// How often its records were merged.
    level: u32,
}

impl Runs {
    /// No runs yet.
    pub fn new(layout: Layout) -> Runs {
        Runs {
            layout,
            runs: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many records there are.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|level| level.run.len()).sum()
    }

    /// Begins a run of about `expected` records.
    ///
    /// # Errors
    /// Where no file can be made.
    pub fn begin(&self, expected: usize) -> Result<RunWriter, Error> {
        RunWriter::new(self.layout, expected)
    }

    /// Adds a run that is written to its end.
    ///
    /// # Errors
    /// Where a file can't be written or read.
    pub fn add(&mut self, writer: RunWriter, combine: Combine<'_>) -> Result<(), Error> {
        self.push(writer.finish()?, 0);
        while let Some(level) = self.full_level() {
            self.merge_level(level, combine)?;
        }
        Ok(())
    }

    fn push(&mut self, run: Run, level: u32) {
        if run.len() > 0 {
            let run = Arc::new(run);
            self.runs.push(Level { run, level });
        }
    }

    /// The level of the last runs, where there are enough of it.
    fn full_level(&self) -> Option<u32> {
        let last = self.runs.last()?.level;
        let same = self.runs.iter().rev().take_while(|run| run.level == last);
        (same.count() >= self.layout.fan_in.max(2)).then_some(last)
    }

    fn merge_level(&mut self, level: u32, combine: Combine<'_>) -> Result<(), Error> {
        let first = self.runs.partition_point(|run| run.level > level);
        let parts = self.runs.split_off(first);
        let expected: u64 = parts.iter().map(|part| part.run.len()).sum();
        let cursors = parts
            .iter()
            .map(|part| Cursor::new(&part.run, 0, BUFFER_BYTES));
        let mut merge = Merge::new(cursors.collect())?;
        drop(parts);
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        let mut writer = RunWriter::new(self.layout, expected)?;
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut any = false;
        while let Some(record) = merge.head() {
            let same = any && record.key == key;
            if !(same && combine(&key, &mut value, record.value)?) {
                if any {
                    writer.push(&key, &value)?;
                }
                key.clear();
                key.extend_from_slice(record.key);
                value.clear();
                value.extend_from_slice(record.value);
                any = true;
            }
            merge.advance()?;
        }
        if any {
            writer.push(&key, &value)?;
        }
        self.push(writer.finish()?, level + 1);
        Ok(())
    }

    /// All records in order.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn merge(&self) -> Result<Merge, Error> {
        Merge::new(self.cursors(|_| 0, BUFFER_BYTES))
    }

    /// The records from a key on, of which few are wanted.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn merge_from(&self, key: &[u8]) -> Result<Merge, Error> {
        let few = self.layout.index_bytes.clamp(512, BUFFER_BYTES);
        let mut merge = Merge::new(self.cursors(|run| run.place_before(key), few))?;
        while merge.head().is_some_and(|record| record.key < key) {
            merge.advance()?;
        }
        Ok(merge)
    }

    fn cursors(&self, from: impl Fn(&Run) -> u64, buffer_bytes: usize) -> Vec<Cursor> {
        let cursor = |level: &Level| Cursor::new(&level.run, from(&level.run), buffer_bytes);
        let lost = usize::from(is_planted("spill-first-run-lost") && self.runs.len() > 1);
        self.runs.iter().skip(lost).map(cursor).collect()
    }

    /// Whether there is a record with this key; `hash` is its hash, the same as when it was written.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn contains(&mut self, key: &[u8], hash: u64) -> Result<bool, Error> {
        // What came last is what comes again soonest.
        for level in self.runs.iter().rev() {
            if level.run.contains(key, hash, &mut self.buffer)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many bytes of memory indexes and filters take.
    pub fn memory(&self) -> usize {
        self.runs.iter().map(|level| level.run.memory()).sum()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests;
