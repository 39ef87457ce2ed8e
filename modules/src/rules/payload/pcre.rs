//! `pcre`: regular expressions in a payload.

use super::Budget;
use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use std::fmt;
use std::sync::Arc;

/// An expression may ask for the end of a line in so many places.
pub const LINE_ENDS_MAX: usize = 16;

/// An expression that a payload has to match, or must not.
#[derive(Clone)]
pub struct Pcre {
    /// The expression, translated.
    pub regex: Arc<Regex>,
    /// How many groups the expression has, each of which is a line end that a match does not take.
    pub line_ends: usize,
    /// As the rule has it, with slashes and flags.
    pub text: Arc<[u8]>,
    /// Whether it must not match.
    pub negated: bool,
    /// Whether the text it is about begins where the part before ended.
    pub relative: bool,
}

impl fmt::Debug for Pcre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pcre({})", self.text.escape_ascii())
    }
}

impl Pcre {
    /// The first match that begins `skip` bytes or more behind the begin of the text: where it
    /// begins and ends in the payload.
    pub fn find(&self, payload: &[u8], from: usize, skip: usize) -> Option<(usize, usize)> {
        let start = if self.relative { from } else { 0 };
        let text = payload.get(start..)?;
        let input = Input::new(text)
            .range(skip.min(text.len())..)
            .anchored(Anchored::No);
        let (begin, end) = self.search(&input)?;
        Some((start + begin, start + end))
    }

    fn search(&self, input: &Input<'_>) -> Option<(usize, usize)> {
        if self.line_ends == 0 {
            let found = self.regex.search(input)?;
            return Some((found.start(), found.end()));
        }
        let mut slots = [None; 2 * (LINE_ENDS_MAX + 1)];
        let slots = &mut slots[..2 * (self.line_ends + 1).min(LINE_ENDS_MAX + 1)];
        self.regex.search_slots(input, slots)?;
        let mut slots = slots.iter().map(|slot| slot.map(|at| at.get()));
        let (begin, end) = (slots.next()??, slots.next()??);
        // The group of the line end that was met, if any was, ends with the match.
        let line_end = slots.step_by(2).flatten().min();
        Some((begin, line_end.map_or(end, |at| at.min(end))))
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
