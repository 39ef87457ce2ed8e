//! Files that are opened before it is their turn, where several threads read.
//!
//! While the last stretches of one file are on their way through the query, threads read those of the
//! next ones, and compressed files are unpacked side by side. What is read so is bounded, and given in
//! the order of the files.

use super::format::kind_of;
use crate::read::blocks::{Blocks, Pool};
use crate::read::packed::{self, Means, Packed};
use crate::read::stretch::{STRETCHES_MAX, Stretch};
use std::collections::VecDeque;
use std::fs;
use std::io;

/// How many files are looked at before their turn.
const FILES_MAX: usize = 32;
/// Files that are smaller are read when it is their turn: that takes less than passing turns on.
const SMALL: u64 = 64 * 1024;

/// The next files.
#[derive(Default)]
pub(super) struct Upcoming {
    files: VecDeque<(String, Ready)>,
    /// How many of them are being unpacked.
    packed: usize,
}

/// How far a file is.
pub(super) enum Ready {
    /// It is opened when it is its turn: it is small, or no file.
    Waits,
    /// It is open, and stretches of it may be handed out.
    File(io::Result<Blocks>),
    /// It is being unpacked.
    Packed(io::Result<Packed>),
}

impl Ready {
    fn open(path: &str, pool: &mut Pool, means: &Means) -> Ready {
        let may_be = |data: fs::Metadata| data.is_file() && data.len() >= SMALL;
        if path == "-" || !fs::metadata(path).is_ok_and(may_be) {
            return Ready::Waits;
        }
        match Blocks::open(path, pool) {
            Ok(input) => {
                let begin = input.peek(packed::MAGIC_LEN);
                if kind_of(&begin).is_none() && packed::is_packed(&begin) {
                    Ready::Packed(Packed::new(input.into_source(), means, true))
                } else {
                    Ready::File(Ok(input))
                }
            }
            failed => Ready::File(failed),
        }
    }

    fn blocks(&self) -> Option<&Blocks> {
        match self {
            Ready::File(Ok(input)) => Some(input),
            _ => None,
        }
    }

    fn blocks_mut(&mut self) -> Option<&mut Blocks> {
        match self {
            Ready::File(Ok(input)) => Some(input),
            _ => None,
        }
    }
}

impl Upcoming {
    /// The file whose turn it is.
    pub(super) fn next(
        &mut self,
        paths: &mut impl Iterator<Item = String>,
    ) -> Option<(String, Ready)> {
        let Some(next) = self.files.pop_front() else {
            return paths.next().map(|path| (path, Ready::Waits));
        };
        self.packed -= usize::from(matches!(next.1, Ready::Packed(_)));
        Some(next)
    }

    /// Whether the begin of the file whose turn it is, is read by another thread.
    pub(super) fn is_elsewhere(&self) -> bool {
        let first = self.files.front().and_then(|(_, ready)| ready.blocks());
        first.is_some_and(|input| matches!(input.stretches(), (1.., 0)))
    }

    /// The next stretch of these files, to be read; `held` are those of other files that are handed out
    /// or wait.
    pub(super) fn hand_out(
        &mut self,
        thread: usize,
        mut held: usize,
        paths: &mut impl Iterator<Item = String>,
        pool: &mut Pool,
        means: &Means,
    ) -> Option<Stretch> {
        let mut at = 0;
        loop {
            if at == self.files.len() {
                if at == FILES_MAX || self.packed >= means.threads {
                    return None;
                }
                let path = paths.next()?;
                let ready = Ready::open(&path, pool, means);
                self.packed += usize::from(matches!(ready, Ready::Packed(_)));
                self.files.push_back((path, ready));
            }
            if let Some(input) = self.files[at].1.blocks_mut() {
                let (out, back) = input.stretches();
                held += out + back;
                if held >= STRETCHES_MAX {
                    return None;
                }
                let stretch = input.hand_out(thread, pool);
                if stretch.is_some() {
                    return stretch;
                }
            }
            at += 1;
        }
    }

    /// Takes a stretch back that was read; gives it where it is none of these files.
    pub(super) fn give_back(&mut self, stretch: Stretch) -> Option<Stretch> {
        let inputs = self.files.iter_mut();
        let mut inputs = inputs.filter_map(|(_, ready)| ready.blocks_mut());
        let mut left = Some(stretch);
        while let Some(stretch) = left.take() {
            let Some(input) = inputs.next() else {
                return Some(stretch);
            };
            left = input.give_back(stretch);
        }
        None
    }
}
