//! `content`: bytes in a payload.

use super::Budget;
use super::any_case::AnyCase;
use memchr::{memchr, memchr2, memmem};
use std::fmt;

/// Bytes that a rule asks for, or against.
#[derive(Clone)]
pub struct Content {
    /// The bytes.
    pub bytes: Box<[u8]>,
    /// Whether they must not be there.
    pub negated: bool,
    /// Whether ASCII letters of either case are the same.
    pub any_case: bool,
    /// The first byte that they may begin at.
    pub offset: usize,
    /// The byte that they must end before or at: counted from `offset`, as rules say it, and from
    /// the begin of the payload once it is made ready.
    pub depth: Option<usize>,
    /// How far behind the end of the part before they begin at least.
    pub distance: Option<i32>,
    /// How far behind that, or behind `distance`, they end at most.
    pub within: Option<i32>,
    /// Whether they end where the payload does.
    pub at_end: bool,
    /// Whether the rule marks them as what to look for first.
    pub fast: bool,
    finder: Option<Finder>,
}

/// What the search for more than one byte is made ready with.
#[derive(Clone)]
enum Finder {
    Exact(Box<memmem::Finder<'static>>),
    AnyCase(Box<AnyCase>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({:?})", String::from_utf8_lossy(&self.bytes))
    }
}

impl Content {
    /// Bytes that may be anywhere.
    pub fn new(bytes: Vec<u8>, negated: bool) -> Content {
        Content {
            bytes: bytes.into(),
            negated,
            any_case: false,
            offset: 0,
            depth: None,
            distance: None,
            within: None,
            at_end: false,
            fast: false,
            finder: None,
        }
    }

    /// Makes ready to be looked for; nothing may be changed behind it.
    pub fn prepare(&mut self) {
        self.depth = self.depth.map(|depth| self.offset + depth);
        let has_letter = self.bytes.iter().any(u8::is_ascii_alphabetic);
        self.any_case &= has_letter;
        if self.bytes.len() > 1 {
            self.finder = Some(match self.any_case {
                false => Finder::Exact(Box::new(memmem::Finder::new(&self.bytes).into_owned())),
                true => Finder::AnyCase(Box::new(AnyCase::new(&self.bytes))),
            });
        }
    }

    /// Whether they are looked for from where the part before ended.
    pub fn is_relative(&self) -> bool {
        self.distance.is_some() || self.within.is_some()
    }

    /// Whether, from a later place, there are never more occurrences.
    pub(super) fn is_open(&self) -> bool {
        self.within.is_none()
    }

    /// Where they may be in a payload, where the part before ended at `from`: the first byte, and
    /// one past the last.
    fn range(&self, payload: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut end = payload.len();
        let mut start = self.offset;
        if self.is_relative() {
            let from = from as i64;
            let distance = i64::from(self.distance.unwrap_or(0));
            start = start.max(usize::try_from(from + distance).unwrap_or(0));
            if let Some(within) = self.within {
                let last = from + distance + i64::from(within);
                end = end.min(usize::try_from(last).unwrap_or(0));
            }
        }
        if let Some(depth) = self.depth {
            end = end.min(depth);
        }
        if self.at_end {
            if end < payload.len() {
                return None;
            }
            start = start.max(end.checked_sub(self.bytes.len())?);
        }
        (start <= end).then_some((start, end))
    }

    /// Where occurrences end, in order.
    pub(super) fn occurrences<'a>(&'a self, payload: &'a [u8], from: usize) -> Occurrences<'a> {
        Occurrences {
            content: self,
            payload,
            next: self.range(payload, from),
        }
    }

    /// Where they are first in bytes.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match (&self.finder, &*self.bytes) {
            (Some(Finder::Exact(finder)), _) => finder.find(bytes),
            (Some(Finder::AnyCase(finder)), _) => finder.find(bytes),
            (None, [byte]) if self.any_case => {
                memchr2(byte.to_ascii_lowercase(), byte.to_ascii_uppercase(), bytes)
            }
            (None, [byte]) => memchr(*byte, bytes),
            // Contents have bytes, and longer ones are made ready.
            (None, _) => None,
        }
    }
}

/// Where a content is in a payload.
pub(super) struct Occurrences<'a> {
    content: &'a Content,
    payload: &'a [u8],
    /// The first byte that the next may begin at, and one past the last that it may end at.
    next: Option<(usize, usize)>,
}

impl Occurrences<'_> {
    /// Where the next one ends. The bytes up to there are charged.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Option<usize> {
        let (start, end) = self.next.take()?;
        let text = self.payload.get(start..end)?;
        let len = self.content.bytes.len();
        let Some(at) = self.content.find(text) else {
            budget.charge(text.len());
            return None;
        };
        budget.charge(at + len);
        self.next = Some((start + at + 1, end));
        Some(start + at + len)
    }
}
