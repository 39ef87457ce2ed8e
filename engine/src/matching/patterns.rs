//! Many byte patterns searched for at once.
//!
//! The interface is small so that another matcher can take its place: patterns with their numbers
//! and flags go in, texts are scanned, and every occurrence comes out as (row, pattern, end). Up to
//! some dozens of patterns Aho and Corasick's automaton finds all in one pass; above that they are
//! looked up by a few bytes of each.

use super::fingerprints::Fingerprints;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use hashbrown::HashMap;

/// A pattern: its bytes, and whether ASCII letters of either case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The bytes; empty ones are never found.
    pub bytes: Vec<u8>,
    /// Whether case is no matter.
    pub nocase: bool,
}

/// Up to this many patterns a table of transitions is built.
const FEW_MAX: usize = 48;

/// A matcher of patterns, which are numbered from 0 in the order given.
pub struct Patterns(Matcher);

enum Matcher {
    Few(Box<Few>),
    Many(Fingerprints),
}

struct Few {
    exact: Automaton,
    /// Over patterns and texts in lower case.
    folded: Automaton,
    text: Vec<u8>,
}

/// An automaton over different patterns; equal ones are found as one.
struct Automaton {
    machine: Option<AhoCorasick>,
    /// For each different pattern, the numbers of those given that it is.
    numbers: Vec<Vec<u32>>,
}

impl Patterns {
    /// Makes the matcher.
    ///
    /// # Errors
    /// Where the patterns are too many or too long for an automaton.
    pub fn new(patterns: &[Pattern]) -> Result<Patterns, String> {
        if patterns.len() > FEW_MAX {
            return Ok(Patterns(Matcher::Many(Fingerprints::new(patterns))));
        }
        let of = |nocase: bool| {
            let numbered = patterns.iter().zip(0u32..);
            let mine = numbered.filter(move |(pattern, _)| pattern.nocase == nocase);
            mine.map(move |(pattern, number)| {
                let bytes = match nocase {
                    true => pattern.bytes.to_ascii_lowercase(),
                    false => pattern.bytes.clone(),
                };
                (bytes, number)
            })
        };
        Ok(Patterns(Matcher::Few(Box::new(Few {
            exact: Automaton::new(of(false))?,
            folded: Automaton::new(of(true))?,
            text: Vec::new(),
        }))))
    }

    /// Scans texts, each with the number of its row, and calls `found` with the row, the number of a
    /// pattern and one past its last byte, for every occurrence.
    pub fn scan<'t>(
        &mut self,
        texts: impl Iterator<Item = (usize, &'t [u8])>,
        mut found: impl FnMut(usize, u32, usize),
    ) {
        for (row, text) in texts {
            match &mut self.0 {
                Matcher::Many(fingerprints) => {
                    fingerprints.scan(text, |number, end| found(row, number, end));
                }
                Matcher::Few(few) => few.scan(text, |number, end| found(row, number, end)),
            }
        }
    }
}

impl Few {
    fn scan(&mut self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        self.exact.scan(text, &mut found);
        if self.folded.machine.is_some() {
            self.text.clear();
            self.text.extend(text.iter().map(u8::to_ascii_lowercase));
            self.folded.scan(&self.text, found);
        }
    }
}

impl Automaton {
    fn new(patterns: impl Iterator<Item = (Vec<u8>, u32)>) -> Result<Automaton, String> {
        let mut different: Vec<Vec<u8>> = Vec::new();
        let mut numbers: Vec<Vec<u32>> = Vec::new();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        for (bytes, number) in patterns.filter(|(bytes, _)| !bytes.is_empty()) {
            let at = *known.entry(bytes).or_insert_with_key(|bytes| {
                different.push(bytes.clone());
                numbers.push(Vec::new());
                numbers.len() - 1
            });
            numbers[at].push(number);
        }
        let machine = match different.len() {
            0 => None,
            _ => {
                let machine = AhoCorasick::builder()
                    .kind(Some(AhoCorasickKind::DFA))
                    .build(&different);
                Some(machine.map_err(|error| error.to_string())?)
            }
        };
        Ok(Automaton { machine, numbers })
    }

    fn scan(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        let hits = self.machine.iter();
        for hit in hits.flat_map(|machine| machine.find_overlapping_iter(text)) {
            let numbers = self.numbers[hit.pattern().as_usize()].iter();
            numbers.for_each(|number| found(*number, hit.end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(patterns: &[Pattern], text: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for (pattern, number) in patterns.iter().zip(0..) {
            let len = pattern.bytes.len();
            for end in len.max(1)..=text.len() {
                let here = &text[end - len..end];
                let same = match pattern.nocase {
                    true => here.eq_ignore_ascii_case(&pattern.bytes),
                    false => here == pattern.bytes,
                };
                if same && len > 0 {
                    found.push((number, end));
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn letters(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(&b"aAbB\0 @`"[..]), len)
    }

    proptest! {
        #[test]
        fn every_occurrence_is_found(
            bytes in prop::collection::vec((letters(0..9), any::<bool>()), 0..120),
            texts in prop::collection::vec(letters(0..40), 1..4),
        ) {
            let pattern = |(bytes, nocase)| Pattern { bytes, nocase };
            let patterns: Vec<Pattern> = bytes.into_iter().map(pattern).collect();
            let many = Patterns(Matcher::Many(Fingerprints::new(&patterns)));
            for mut matcher in [Patterns::new(&patterns).unwrap(), many] {
                let mut found = vec![Vec::new(); texts.len()];
                let rows = texts.iter().map(Vec::as_slice).enumerate();
                matcher.scan(rows, |row, number, end| found[row].push((number, end)));
                for (text, mut found) in texts.iter().zip(found) {
                    found.sort_unstable();
                    prop_assert_eq!(found, naive(&patterns, text));
                }
            }
        }
    }
}
