//! `pcre`: regular expressions in a payload.

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
    pub(super) fn occurrences<'a>(
        &'a self,
        payload: &'a [u8],
        from: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let start = if self.relative { from } else { 0 };
        let mut skip = Some(0);
        std::iter::from_fn(move || {
            let at = skip.filter(|at| start + at <= payload.len())?;
            let found = self.find(payload, from, at);
            skip = found.map(|(begin, _)| begin - start + 1);
            found.map(|(_, end)| end)
        })
    }
}
