//! Stretches of a file that several threads read, each into a block of its own.
//!
//! Each block has room before the stretch: what the block before ends with, the begin of a record,
//! is put there, and the rows of both are in one block without the stretch being copied.

use super::blocks::{BLOCK_LEN, Pool};
use std::any::Any;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use wireq_engine::Ahead;
use wireq_typesys::Block;

/// A stretch begins where a page of memory does. Large allocations begin 16 bytes behind one, and what is
/// copied from the page cache to there is copied at a third of the speed: each load waits for the store 16
/// bytes before, which has the same place in another page.
const PAGE: usize = 4096;
/// The room before a stretch, up to a page of which may not be there. Records that are longer are moved to
/// a block that holds them.
const ROOM_MAX: usize = 64 * 1024;
pub(super) const ROOM: usize = ROOM_MAX - PAGE;
/// What a stretch holds: with the room, a block of the pool.
const STRETCH_LEN: usize = BLOCK_LEN - ROOM_MAX;
/// Stretches handed out or waiting: where batches are small, one thread finds them slower than
/// others read.
pub(super) const STRETCHES_MAX: usize = 64;

/// A stretch of a file.
pub(super) struct Stretch {
    file: Arc<File>,
    /// Where it is in the file.
    pub(super) offset: u64,
    pub(super) block: Arc<Block>,
    /// Where it began in the block, and where what is left of it is.
    begin: usize,
    pub(super) at: usize,
    pub(super) end: usize,
    failed: Option<io::Error>,
    /// Who reads it.
    pub(super) thread: usize,
}

impl Ahead for Stretch {
    fn read(&mut self) {
        let Some(block) = Arc::get_mut(&mut self.block) else {
            self.failed = Some(io::Error::other("a block is still in use"));
            return;
        };
        let (mut offset, wanted) = (self.offset, self.at + STRETCH_LEN);
        while self.end < wanted {
            match self.file.read_at(&mut block.0[self.end..wanted], offset) {
                Ok(0) => return,
                Ok(count) => {
                    self.end += count;
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
            }
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A file, in stretches and from where these end.
pub(super) struct Stretches {
    file: Arc<File>,
    /// How long the file was when it was opened; none where there are no more stretches.
    len: u64,
    /// All before this was read or taken.
    taken: u64,
    /// Where the next stretch begins.
    next: u64,
    /// How many are handed out.
    out: usize,
    /// Those that are back and not used up.
    back: VecDeque<Stretch>,
    /// Why it cannot be read on behind the stretch given last.
    failed: Option<io::Error>,
}

/// What comes next of a file.
pub(super) enum Next {
    /// A stretch.
    Stretch(Stretch),
    /// A stretch that is not back yet, or is not to be read now.
    Waits,
    /// What [`Stretches::read`] reads: there are no more stretches.
    Rest,
}

impl Stretches {
    pub(super) fn new(file: File, len: u64) -> Stretches {
        Stretches {
            file: Arc::new(file),
            len,
            taken: 0,
            next: 0,
            out: 0,
            back: VecDeque::new(),
            failed: None,
        }
    }

    /// The next stretch, to be read; none at the end.
    pub(super) fn hand_out(&mut self, thread: usize, pool: &mut Pool) -> Option<Stretch> {
        if self.next >= self.len || self.out + self.back.len() >= STRETCHES_MAX {
            return None;
        }
        let offset = self.next;
        self.next += STRETCH_LEN as u64;
        self.out += 1;
        let block = pool.take(BLOCK_LEN, thread);
        let begin = ROOM_MAX - (block.0.as_ptr().addr() + ROOM_MAX) % PAGE;
        Some(Stretch {
            file: Arc::clone(&self.file),
            offset,
            block,
            begin,
            at: begin,
            end: begin,
            failed: None,
            thread,
        })
    }

    /// Takes a stretch back that was read; gives it where it is none that is waited for.
    pub(super) fn give_back(&mut self, stretch: Stretch) -> Option<Stretch> {
        if !Arc::ptr_eq(&stretch.file, &self.file) || self.len == 0 {
            return Some(stretch);
        }
        self.out -= 1;
        self.back.push_back(stretch);
        None
    }

    /// How many are handed out, and how many are back and not used up.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.out, self.back.len())
    }

    /// The file, to be read at any place.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// The first bytes of the file; what fails is told by whoever reads it.
    pub(super) fn peek(&self, room: &mut [u8]) -> usize {
        self.file.read_at(room, 0).unwrap_or(0)
    }

    /// What comes next. Where no stretch is handed out, it is read here if that may be: blocks are the
    /// same, and with them batches, whoever reads.
    pub(super) fn next(&mut self, reads: bool, pool: &mut Pool) -> io::Result<Next> {
        if self.back.is_empty() {
            if let Some(failed) = self.failed.take() {
                return Err(failed);
            }
            if self.out > 0 || !reads {
                return Ok(Next::Waits);
            }
            if let Some(mut stretch) = self.hand_out(0, pool) {
                stretch.read();
                self.give_back(stretch);
            }
        }
        let Some(mut stretch) = self.back.pop_front() else {
            return Ok(Next::Rest);
        };
        if let Some(failed) = stretch.failed.take() {
            if stretch.at == stretch.end {
                return Err(failed);
            }
            // What was read before comes first.
            self.failed = Some(failed);
        }
        self.taken = stretch.offset + (stretch.end - stretch.at) as u64;
        if stretch.end - stretch.begin < STRETCH_LEN {
            // The end of what can be read, wherever it is by now: no stretch behind it is of use.
            self.len = 0;
            self.out = 0;
            self.back.clear();
        }
        Ok(Next::Stretch(stretch))
    }

    /// Takes back what is left of a stretch.
    pub(super) fn put_back(&mut self, stretch: Stretch) {
        self.taken = stretch.offset;
        self.back.push_front(stretch);
    }

    /// Reads behind all that was taken.
    pub(super) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(room, self.taken)?;
        self.taken += count as u64;
        self.next = self.next.max(self.taken);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with so many bytes, of which those from a place on cannot be read.
    fn failing(len: usize, from: usize, handed: usize) -> (usize, Option<io::ErrorKind>) {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(len as u64).expect("it grows");
        let (mut pool, mut found) = (Pool::default(), 0);
        let mut stretches = Stretches::new(file, len as u64);
        let all: Vec<Stretch> = (0..handed)
            .filter_map(|_| stretches.hand_out(0, &mut pool))
            .collect();
        for mut stretch in all {
            stretch.read();
            let offset = stretch.offset as usize;
            if from < offset + STRETCH_LEN {
                stretch.end = stretch.at + from.saturating_sub(offset);
                stretch.failed = Some(io::Error::from(io::ErrorKind::TimedOut));
            }
            assert!(stretches.give_back(stretch).is_none());
        }
        loop {
            match stretches.next(true, &mut pool) {
                Ok(Next::Stretch(mut stretch)) if stretch.end - stretch.at > 1000 => {
                    // The reader takes a part of it, and what is left then.
                    stretch.at += 1000;
                    stretch.offset += 1000;
                    found += 1000;
                    stretches.put_back(stretch);
                }
                Ok(Next::Stretch(stretch)) => found += stretch.end - stretch.at,
                Ok(Next::Rest | Next::Waits) => return (found, None),
                Err(error) => return (found, Some(error.kind())),
            }
        }
    }

    #[test]
    fn what_was_read_before_a_failure_is_given() {
        let failed = Some(io::ErrorKind::TimedOut);
        let len = 5 * STRETCH_LEN / 2;
        assert_eq!(failing(len, len, 3), (len, failed), "behind the last byte");
        for from in [
            2 * STRETCH_LEN + 12_345,
            2 * STRETCH_LEN,
            STRETCH_LEN + 1,
            7,
            0,
        ] {
            assert_eq!(failing(len, from, 3), (from, failed), "{from}");
        }
        assert_eq!(failing(len, 7 * STRETCH_LEN, 3), (len, None));
    }
}
