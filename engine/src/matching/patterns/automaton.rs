//! All occurrences of many patterns in time that depends on the text alone, whatever it is.
//!
//! Aho and Corasick's automaton looks at each byte once. It is slower than looking at a part of the
//! places, and larger, and so it is for texts alone that would make these many. As a table of
//! transitions it is the fastest while it fits in cache; beyond, a double array takes over.

use super::Sought;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use daachorse::DoubleArrayAhoCorasick;
use hashbrown::HashMap;

/// Up to this many patterns a table of transitions is built.
const FEW_MAX: usize = 16;

/// The automata of all patterns.
pub(super) struct Automata {
    exact: Automaton,
    /// Over patterns and texts in lower case.
    folded: Automaton,
    text: Vec<u8>,
}

/// An automaton over different patterns; equal ones are found as one.
struct Automaton {
    machine: Machine,
    /// For each different pattern, the numbers of those given that it is.
    numbers: Vec<Vec<u32>>,
}

enum Machine {
    None,
    Few(AhoCorasick),
    Many(DoubleArrayAhoCorasick<u32>),
}

impl Automata {
    pub(super) fn new(all: &[Sought]) -> Result<Automata, String> {
        let of = |nocase: bool| {
            let numbered = all.iter().map(|sought| &sought.pattern).zip(0u32..);
            let mine = numbered.filter(move |(pattern, _)| pattern.nocase == nocase);
            mine.map(move |(pattern, number)| {
                let bytes = match nocase {
                    true => pattern.bytes.to_ascii_lowercase(),
                    false => pattern.bytes.clone(),
                };
                (bytes, number)
            })
        };
        Ok(Automata {
            exact: Automaton::new(of(false))?,
            folded: Automaton::new(of(true))?,
            text: Vec::new(),
        })
    }

    /// Calls `found` with the number of a pattern and one past its last byte, for every occurrence,
    /// wherever it is.
    pub(super) fn scan(&mut self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        self.exact.scan(text, &mut found);
        if !matches!(self.folded.machine, Machine::None) {
            self.text.clear();
            self.text.extend(text.iter().map(u8::to_ascii_lowercase));
            self.folded.scan(&self.text, &mut found);
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
            0 => Machine::None,
            1..=FEW_MAX => {
                let machine = AhoCorasick::builder()
                    .kind(Some(AhoCorasickKind::DFA))
                    .build(&different);
                Machine::Few(machine.map_err(|error| error.to_string())?)
            }
            _ => {
                let machine = DoubleArrayAhoCorasick::new(&different);
                Machine::Many(machine.map_err(|error| error.to_string())?)
            }
        };
        Ok(Automaton { machine, numbers })
    }

    fn scan(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        let mut each = |at: usize, end: usize| {
            self.numbers[at]
                .iter()
                .for_each(|number| found(*number, end));
        };
        match &self.machine {
            Machine::None => {}
            Machine::Few(machine) => {
                for hit in machine.find_overlapping_iter(text) {
                    each(hit.pattern().as_usize(), hit.end());
                }
            }
            Machine::Many(machine) => {
                for hit in machine.find_overlapping_iter(text) {
                    each(hit.value() as usize, hit.end());
                }
            }
        }
    }
}
