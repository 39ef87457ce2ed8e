//! `pcre`: regular expressions in a payload.

use super::Budget;
use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use std::fmt;
use std::sync::Arc;

/// An expression that a payload has to match, or must not.
#[derive(Clone)]
pub struct Pcre {
    /// The expression, translated.
    pub regex: Arc<Regex>,
    /// As the rule has it, with slashes and flags.
    pub text: Arc<str>,
    /// Whether it must not match.
    pub negated: bool,
    /// Whether the text it is about begins where the part before ended.
    pub relative: bool,
}

impl fmt::Debug for Pcre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pcre({})", self.text)
    }
}

impl Pcre {
    /// The first match that begins `skip` bytes or more behind the begin of the text: where it
    /// begins and ends in the payload.
    pub(super) fn find(&self, payload: &[u8], from: usize, skip: usize) -> Option<(usize, usize)> {
        let start = if self.relative { from } else { 0 };
        let text = payload.get(start..)?;
        let input = Input::new(text)
            .range(skip.min(text.len())..)
            .anchored(Anchored::No);
        let found = self.regex.search(&input)?;
        Some((start + found.start(), start + found.end()))
    }

    /// Where matches end, by where they begin: one for each begin.
    pub(super) fn occurrences<'a>(&'a self, payload: &'a [u8], from: usize) -> Matches<'a> {
        Matches {
            pcre: self,
            payload,
            from,
            skip: Some(0),
        }
    }
}

/// Where an expression matches in a payload.
pub(super) struct Matches<'a> {
    pcre: &'a Pcre,
    payload: &'a [u8],
    /// Where the part before ended.
    from: usize,
    /// How far behind the begin of the text the next one begins at least.
    skip: Option<usize>,
}

impl Matches<'_> {
    /// Where the next one ends. All bytes behind are charged: an expression may look at them all to
    /// know that a match goes no further.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Option<usize> {
        let start = if self.pcre.relative { self.from } else { 0 };
        let skip = self.skip.take()?;
        let behind = self.payload.len().checked_sub(start + skip)?;
        budget.charge(behind);
        let (begin, end) = self.pcre.find(self.payload, self.from, skip)?;
        self.skip = Some(begin - start + 1);
        Some(end)
    }
}
