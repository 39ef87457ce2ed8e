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
pub(super) const FILES_MAX: usize = 32;
/// Files that are smaller are read when it is their turn: that takes less than passing turns on.
pub(super) const SMALL: u64 = 64 * 1024;

/// A file that was named, and its place among all that were.
pub(super) struct Named {
    pub(super) path: String,
    pub(super) place: usize,
}

/// The next files.
#[derive(Default)]
pub(super) struct Upcoming {
    files: VecDeque<(Named, Ready)>,
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

/// What a file is, as far as that is worth knowing before its turn.
pub(super) enum Kind {
    /// It is small, or no file.
    Small,
    /// It is not packed, or cannot be opened.
    Plain(io::Result<Blocks>),
    Packed(Blocks),
}

impl Kind {
    pub(super) fn of(path: &str, pool: &mut Pool) -> Kind {
        let may_be = |data: fs::Metadata| data.is_file() && data.len() >= SMALL;
        if path == "-" || !fs::metadata(path).is_ok_and(may_be) {
            return Kind::Small;
        }
        match Blocks::open(path, pool) {
            Ok(input) => {
                let begin = input.peek(packed::MAGIC_LEN);
                if kind_of(&begin).is_none() && packed::is_packed(&begin) {
                    Kind::Packed(input)
                } else {
                    Kind::Plain(Ok(input))
                }
            }
            failed => Kind::Plain(failed),
        }
    }
}

impl Ready {
    pub(super) fn new(kind: Kind, means: &Means) -> Ready {
        match kind {
            Kind::Small => Ready::Waits,
            Kind::Plain(input) => Ready::File(input),
            Kind::Packed(input) => Ready::Packed(Packed::new(input.into_source(), means, true)),
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
    pub(super) fn next(&mut self, paths: &mut VecDeque<Named>) -> Option<(Named, Ready)> {
        let Some(next) = self.files.pop_front() else {
            return paths.pop_front().map(|named| (named, Ready::Waits));
        };
        self.packed -= usize::from(matches!(next.1, Ready::Packed(_)));
        Some(next)
    }

    /// Puts a file behind the others.
    pub(super) fn push(&mut self, named: Named, ready: Ready) {
        self.packed += usize::from(matches!(ready, Ready::Packed(_)));
        self.files.push_back((named, ready));
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether some of them are being unpacked.
    pub(super) fn is_packed(&self) -> bool {
        self.packed > 0
    }

    /// Whether reading the file whose turn it is does not wait for it to be unpacked.
    pub(super) fn is_ready(&self) -> bool {
        match self.files.front() {
            Some((_, Ready::Packed(Ok(packed)))) => packed.is_ready(),
            _ => true,
        }
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
        paths: &mut VecDeque<Named>,
        pool: &mut Pool,
        means: &Means,
    ) -> Option<Stretch> {
        let mut at = 0;
        loop {
            if at == self.files.len() {
                if at == FILES_MAX || self.packed >= means.threads {
                    return None;
                }
                let named = paths.pop_front()?;
                let ready = Ready::new(Kind::of(&named.path, pool), means);
                self.push(named, ready);
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
