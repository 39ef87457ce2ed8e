//! Regular expressions that have no literals, many tried at once.
//!
//! One automaton has all of them: in one pass over a text it says which of them match. Its states are
//! made as texts ask for them, in a room that has a bound. Where texts make it throw states away again
//! and again it gives up, and expressions are tried one by one.

use super::naive::bytes_of;
use crate::View;
use crate::planted::is_planted;
use hashbrown::HashMap;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};
use wireq_typesys::{Bitmap, FieldPath};

/// A regular expression on bytes, with its flags in it, and the field of bytes or text that it is
/// about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression {
    /// The field.
    pub field: FieldPath,
    /// As text.
    pub text: String,
}

/// Fewer are as fast one by one.
const EXPRESSIONS_MIN: usize = 2;
/// What the program of an automaton may take, and its states.
const PROGRAM_BYTES_MAX: usize = 4 << 20;
const STATES_BYTES_MAX: usize = 8 << 20;
/// An automaton that was emptied so often gives up where a state is used for fewer bytes than that, and
/// after so many texts that made it give up it is not used any more.
const EMPTIED_MAX: usize = 16;
const STATE_USES_MIN: usize = 16;
const GIVEN_UP_MAX: u32 = 16;

/// Tests that are expressions, in groups.
#[derive(Default)]
pub(super) struct Expressions {
    groups: Vec<Group>,
    /// By test its group, and its number there.
    places: HashMap<u32, (usize, usize)>,
}

/// Expressions about one field, in one automaton.
struct Group {
    field: usize,
    automaton: DFA,
    cache: Cache,
    matching: PatternSet,
    /// The rows of the part at hand that were searched, and those among them of which nothing is known.
    searched: Bitmap,
    unknown: Bitmap,
    /// By expression, the rows that it matches.
    found: Vec<Bitmap>,
    given_up: u32,
}

/// What is known of some rows.
pub(super) struct Told {
    /// The rows for which a test holds.
    pub(super) passing: Bitmap,
    /// The rows that it has to be tried on.
    pub(super) left: Bitmap,
    /// How many rows were searched.
    pub(super) searched: u64,
}

impl Told {
    /// Nothing is known: the test has to be tried on all of some rows.
    pub(super) fn nothing(rows: Bitmap) -> Told {
        Told {
            passing: Bitmap::EMPTY,
            left: rows,
            searched: 0,
        }
    }
}

impl Expressions {
    /// Of tests: their numbers, the places of their fields in views, and the expressions.
    pub(super) fn new(tests: &[(u32, usize, Expression)]) -> Expressions {
        let mut all = Expressions::default();
        let mut fields: Vec<usize> = tests.iter().map(|(_, field, _)| *field).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            let mine = tests.iter().filter(|(_, of, _)| *of == field);
            let mine: Vec<(u32, &str)> = mine
                .map(|(test, _, expression)| (*test, expression.text.as_str()))
                .collect();
            all.add(field, &mine);
        }
        all
    }

    /// Adds a group, or two where one automaton would be too large.
    fn add(&mut self, field: usize, tests: &[(u32, &str)]) {
        if tests.len() < EXPRESSIONS_MIN {
            return;
        }
        match automaton(tests) {
            Some(automaton) => {
                let group = self.groups.len();
                let places = tests.iter().zip(0..);
                self.places
                    .extend(places.map(|((test, _), at)| (*test, (group, at))));
                self.groups.push(Group {
                    field,
                    cache: automaton.create_cache(),
                    automaton,
                    matching: PatternSet::new(tests.len()),
                    searched: Bitmap::EMPTY,
                    unknown: Bitmap::EMPTY,
                    found: vec![Bitmap::EMPTY; tests.len()],
                    given_up: 0,
                });
            }
            None => {
                let (first, second) = tests.split_at(tests.len() / 2);
                self.add(field, first);
                self.add(field, second);
            }
        }
    }

    /// How many groups there are, and the tests in them.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.groups.len(), self.places.len())
    }

    /// Another part is at hand.
    pub(super) fn clear(&mut self) {
        for group in &mut self.groups {
            if !group.searched.is_empty() {
                group.searched = Bitmap::EMPTY;
                group.unknown = Bitmap::EMPTY;
                group.found.fill(Bitmap::EMPTY);
            }
        }
    }

    /// The rows of `rows` for which a test holds; none where it is in no group.
    pub(super) fn select(&mut self, test: u32, view: View<'_>, rows: &Bitmap) -> Option<Told> {
        let (group, at) = *self.places.get(&test)?;
        let group = &mut self.groups[group];
        let fresh = rows.minus(&group.searched);
        if !fresh.is_empty() {
            group.search(view, &fresh);
        }
        let unknown = rows.and(&group.unknown);
        Some(Told {
            passing: group.found[at].and(rows).minus(&unknown),
            left: unknown,
            searched: fresh.count() as u64,
        })
    }
}

impl Group {
    fn search(&mut self, view: View<'_>, rows: &Bitmap) {
        self.searched = self.searched.or(rows);
        if self.given_up > GIVEN_UP_MAX {
            self.unknown = self.unknown.or(rows);
            return;
        }
        let column = view.column(self.field);
        rows.for_each(|row| {
            let Some(text) = bytes_of(column, row) else {
                return;
            };
            self.matching.clear();
            let (cache, input) = (&mut self.cache, Input::new(text));
            let done =
                self.automaton
                    .try_which_overlapping_matches(cache, &input, &mut self.matching);
            if done.is_err() {
                self.unknown.set(row);
                self.given_up += 1;
                return;
            }
            let next = usize::from(is_planted("match-next-expression"));
            for pattern in self.matching.iter() {
                let of = (pattern.as_usize() + next) % self.found.len();
                self.found[of].set(row);
            }
        });
    }
}

/// The automaton of some expressions; none where it would be too large.
fn automaton(tests: &[(u32, &str)]) -> Option<DFA> {
    let texts: Vec<&str> = tests.iter().map(|(_, text)| *text).collect();
    let program = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(PROGRAM_BYTES_MAX));
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let mut compiler = NFA::compiler();
    compiler.configure(program).syntax(syntax);
    let program = compiler.build_many(&texts).ok()?;
    let config = DFA::config()
        .match_kind(MatchKind::All)
        .cache_capacity(STATES_BYTES_MAX)
        .minimum_cache_clear_count(Some(EMPTIED_MAX))
        .minimum_bytes_per_state(Some(STATE_USES_MIN));
    let mut builder = DFA::builder();
    builder.configure(config).build_from_nfa(program).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::masks::part_of;
    use regex_automata::meta::Regex;
    use wireq_typesys::{Column, ColumnDef, Kind, Recipe, Slot, Value};

    /// The rows that each of some expressions matches, as the group says, and those left.
    fn matches(texts: &[&[u8]], expressions: &[String]) -> (Vec<Vec<usize>>, usize) {
        let field = FieldPath::new("payload");
        let numbered = expressions.iter().zip(0..);
        let tests: Vec<(u32, usize, Expression)> = numbered
            .map(|(text, number)| {
                let (field, text) = (field.clone(), text.clone());
                (number, 0, Expression { field, text })
            })
            .collect();
        let mut all = Expressions::new(&tests);
        let values = texts.iter().map(|text| Value::Bytes((*text).into()));
        let def = ColumnDef {
            path: field,
            kind: Kind::Bytes,
            recipe: Recipe::Given,
        };
        let part = part_of(def, Column::from_values(values));
        let slots = [Some(Slot::Base(0))];
        let view = View {
            part: &part,
            slots: &slots,
        };
        let rows = Bitmap::first(texts.len());
        let mut left = 0;
        let found = (0..expressions.len() as u32).map(|test| {
            let told = all.select(test, view, &rows).expect("it is in a group");
            left += told.left.count();
            told.passing.iter().collect()
        });
        (found.collect(), left)
    }

    #[test]
    fn all_that_match_are_found_in_one_pass() {
        let expressions: Vec<String> = (0..60)
            .map(|at| match at % 4 {
                0 => format!("[a-c]{{{}}}", at / 4 + 1),
                1 => format!("^[^a]{{{}}}b", at / 4),
                2 => format!("(?i)[x-z]{{{}}}$", at / 4 + 1),
                _ => format!("(a|b)*c{{{}}}", at / 4 + 1),
            })
            .collect();
        let texts: [&[u8]; 7] = [
            b"",
            b"abc",
            b"xxb",
            b"aabbccXYZ",
            b"ccccc",
            b"\xff\x00b",
            b"Zz",
        ];
        let (found, left) = matches(&texts, &expressions);
        assert_eq!(left, 0);
        for (expression, found) in expressions.iter().zip(found) {
            let syntax = syntax::Config::new().unicode(false).utf8(false);
            let regex = Regex::builder()
                .syntax(syntax)
                .build(expression)
                .expect("an expression");
            let expected: Vec<usize> = (0..texts.len())
                .filter(|at| regex.is_match(texts[*at]))
                .collect();
            assert_eq!(found, expected, "{expression}");
        }
    }

    #[test]
    fn texts_that_take_too_many_states_are_left() {
        // Which of the last letters were an a is another state each.
        let expressions: Vec<String> = (0..8).map(|at| format!("a[ab]{{{}}}c", 40 + at)).collect();
        let mut state = 7u64;
        let mut letter = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            b"ab"[(state >> 40) as usize % 2]
        };
        let long: Vec<u8> = (0..400_000).map(|_| letter()).collect();
        let texts: Vec<&[u8]> = (0..24)
            .map(|_| long.as_slice())
            .chain([&b"b"[..]])
            .collect();
        let (found, left) = matches(&texts, &expressions);
        assert!(found.iter().all(Vec::is_empty));
        assert!(left >= 8 * GIVEN_UP_MAX as usize, "{left}");
    }
}
