//! `substr`: passes objects with one of some patterns in a field.

use super::stateless;
use super::texts::Texts;
use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::matching::{Content, Demand};
use wireq_engine::schedule::output::Output;
use wireq_engine::{Build, Example, Module, OperatorSpec};
use wireq_typesys::{Bitmap, FieldPath, Part, unescape};

const NAME: &str = "substr";

/// The most often that an object passes: what a step gives stays within a bound.
const PLACES_MAX: usize = 256;

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Passes objects whose field contains any of the patterns.",
    details: "An object passes once, however often a pattern occurs; with --each, which the \
              condition of a verb with `from` implies, once for each place where one does. Bytes and text are searched as \
              they are, other kinds in their text form; of a list any value may be the one. In \
              patterns `\\xhh`, `\\n`, `\\r`, `\\t`, `\\f` and `\\0` stand for bytes, a backslash \
              before another character for that character. Objects without the field do not pass, \
              with -n neither.",
    parameters: &[
        Parameter {
            name: "--each",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Pass an object once for each place where a pattern occurs, as SMACQ did, at most \
                      256 times; places may overlap.",
        },
        Parameter {
            name: "-i",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Take ASCII letters of either case for the same; by default case matters.",
        },
        Parameter {
            name: "-m",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "All patterns must occur; by default one.",
        },
        Parameter {
            name: "-n",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Pass objects that have the field and would not pass without -n.",
        },
        Parameter {
            name: "--offset",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Search from this byte on; 0 by default.",
        },
        Parameter {
            name: "--depth",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Search so many bytes from the offset on; all by default.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "Where to search.",
        },
        Parameter {
            name: "PATTERN",
            takes: Takes::Text,
            count: Count::Some,
            summary: "What to search for.",
        },
    ],
    examples: &[
        Example {
            title: "web requests",
            query: "substr payload \"GET /\" \"POST /\" | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "bytes at a place",
            query: "substr --offset 2 --depth 2 payload \\x01\\x00 | print dstport",
            input: "five.pcap",
            output: "53\n",
        },
        Example {
            title: "both patterns, in either case",
            query: "substr -m -i payload EXAMPLE user-agent | print dstport",
            input: "five.pcap",
            output: "80\n",
        },
        Example {
            title: "one row for each place",
            query: "substr --each payload test example | print dstport",
            input: "five.pcap",
            output: "80\n80\n53\n53\n",
        },
        Example {
            title: "payloads without a pattern",
            query: "substr -n payload HTTP | print dstport",
            input: "five.pcap",
            output: "443\n80\n53\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let needs: Vec<FieldPath> = arguments.fields().into_iter().take(1).collect();
    let window = Window::new(arguments);
    let patterns = arguments
        .words()
        .iter()
        .skip(1)
        .map(|word| pattern(word, window))
        .collect::<Result<Vec<_>, _>>()?;
    let all = arguments.flag("-m");
    let matcher = Matcher::new(&patterns, all, arguments.flag("-i"));
    let matcher = Arc::new(matcher.map_err(too_many)?);
    let inverted = arguments.flag("-n");
    if arguments.flag("--each") && !inverted {
        let occurrences = Occurrences::new(&patterns, arguments.flag("-i")).map_err(too_many)?;
        let occurrences = Arc::new(occurrences);
        return Ok(OperatorSpec::stateless(needs, move |context| {
            let (matcher, zone) = (Arc::clone(&matcher), Arc::clone(&context.zone));
            let occurrences = Arc::clone(&occurrences);
            let mut texts = Texts { form: Vec::new() };
            stateless::rows(move |view, out| {
                let Some(column) = view.column(0) else {
                    out.account.filtered += view.part.count() as u64;
                    return;
                };
                let rows = view.part.selection;
                let candidates = match all {
                    true => texts.select(column, &rows, false, &zone, |text| {
                        matcher.is_in(window.of(text))
                    }),
                    false => rows,
                };
                let mut passing = Bitmap::EMPTY;
                let mut counts: Vec<(usize, usize)> = Vec::new();
                texts.visit(column, &candidates, &zone, |row, text| {
                    let found = occurrences.count(window.of(text));
                    match counts.last_mut() {
                        Some((last, count)) if *last == row => *count += found,
                        _ if found > 0 => counts.push((row, found)),
                        _ => {}
                    }
                    if found > 0 {
                        passing.set(row);
                    }
                    false
                });
                out.account.filtered += (rows.count() - passing.count()) as u64;
                pass_each(view.part, &passing, &counts, out);
            })
        }));
    }
    let demand = needs.first().filter(|_| !inverted);
    let demand = demand.map(|field| demand_of(field, &patterns, window, arguments));
    let spec = OperatorSpec::stateless(needs, move |context| {
        let (matcher, zone) = (Arc::clone(&matcher), Arc::clone(&context.zone));
        let mut texts = Texts { form: Vec::new() };
        stateless::filter(move |view| {
            view.column(0).map_or(Bitmap::EMPTY, |column| {
                texts.select(column, &view.part.selection, inverted, &zone, |text| {
                    matcher.is_in(window.of(text))
                })
            })
        })
    });
    Ok(OperatorSpec {
        demand: demand.map(Arc::new),
        ..spec
    })
}

/// What has to be in the field: any of the patterns, or all.
fn demand_of(
    field: &FieldPath,
    patterns: &[Vec<u8>],
    window: Window,
    arguments: &Arguments,
) -> Demand {
    let content = |pattern: &Vec<u8>| {
        let mut content = Content::new(field, pattern.clone());
        content.pattern.nocase = arguments.flag("-i");
        content.offset = window.offset;
        content.depth = (window.depth < usize::MAX).then_some(window.depth);
        content
    };
    let contents = patterns.iter().map(content);
    Demand {
        all: match arguments.flag("-m") {
            true => contents.map(|content| vec![content]).collect(),
            false => vec![contents.collect()],
        },
        tells: true,
        expression: None,
    }
}

/// Passes each row so often as its count says, one behind the other.
fn pass_each(part: &Part, passing: &Bitmap, counts: &[(usize, usize)], out: &mut Output) {
    let mut from = 0;
    for &(row, count) in counts.iter().filter(|(_, count)| *count > 1) {
        out.pass(part, passing.range(from, row + 1));
        for _ in 1..count.min(PLACES_MAX) {
            out.repeat(part, passing.range(row, row + 1));
        }
        from = row + 1;
    }
    out.pass(part, passing.range(from, part.data.len()));
}

fn pattern(word: &Word, window: Window) -> Result<Vec<u8>, ArgumentError> {
    let pattern = unescape(word.text.as_bytes());
    if pattern.is_empty() {
        return Err(ArgumentError {
            help: Some("write at least one character".into()),
            ..ArgumentError::at(NAME, word, "is an empty pattern, which is in everything")
        });
    }
    if pattern.len() > window.depth {
        let message = format!(
            "has {} bytes, of which none can be found within a depth of {}",
            pattern.len(),
            window.depth
        );
        return Err(ArgumentError {
            help: Some(
                "--depth counts the bytes that are searched, with the pattern in them".into(),
            ),
            ..ArgumentError::at(NAME, word, message)
        });
    }
    Ok(pattern)
}

fn too_many(error: aho_corasick::BuildError) -> ArgumentError {
    ArgumentError {
        module: NAME.into(),
        argument: "PATTERN".into(),
        message: format!("cannot be searched for: {error}"),
        help: Some("give fewer or shorter patterns".into()),
        span: None,
    }
}

/// The bytes that are searched.
#[derive(Clone, Copy)]
struct Window {
    offset: usize,
    depth: usize,
}

impl Window {
    fn new(arguments: &Arguments) -> Window {
        // The flags were checked to be numbers; one beyond the address space is as good as endless.
        let value = |flag| {
            let number: u64 = arguments.value(flag)?.text.parse().ok()?;
            Some(usize::try_from(number).unwrap_or(usize::MAX))
        };
        Window {
            offset: value("--offset").unwrap_or(0),
            depth: value("--depth").unwrap_or(usize::MAX),
        }
    }

    fn of(self, text: &[u8]) -> &[u8] {
        let rest = text.get(self.offset..).unwrap_or_default();
        &rest[..rest.len().min(self.depth)]
    }
}

/// What finds the patterns.
enum Matcher {
    One(Box<Finder<'static>>),
    Any(AhoCorasick),
    All(Vec<Matcher>),
}

impl Matcher {
    fn new(
        patterns: &[Vec<u8>],
        all: bool,
        any_case: bool,
    ) -> Result<Matcher, aho_corasick::BuildError> {
        if all && patterns.len() > 1 {
            let each = patterns
                .chunks(1)
                .map(|pattern| Matcher::new(pattern, false, any_case));
            return each.collect::<Result<_, _>>().map(Matcher::All);
        }
        if let ([pattern], false) = (patterns, any_case) {
            return Ok(Matcher::One(Box::new(Finder::new(pattern).into_owned())));
        }
        AhoCorasick::builder()
            .ascii_case_insensitive(any_case)
            .build(patterns)
            .map(Matcher::Any)
    }

    fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Matcher::One(finder) => finder.find(text).is_some(),
            Matcher::Any(automaton) => automaton.is_match(text),
            Matcher::All(matchers) => matchers.iter().all(|matcher| matcher.is_in(text)),
        }
    }
}

/// What counts the places where patterns occur, by their first bytes: none hides another.
struct Occurrences(AhoCorasick);

impl Occurrences {
    fn new(patterns: &[Vec<u8>], any_case: bool) -> Result<Occurrences, aho_corasick::BuildError> {
        // A pattern that is given twice is one.
        let fold = |pattern: &Vec<u8>| match any_case {
            true => pattern.to_ascii_lowercase(),
            false => pattern.clone(),
        };
        let patterns: BTreeSet<Vec<u8>> = patterns.iter().map(fold).collect();
        AhoCorasick::builder()
            .ascii_case_insensitive(any_case)
            .build(patterns)
            .map(Occurrences)
    }

    fn count(&self, text: &[u8]) -> usize {
        self.0.find_overlapping_iter(text).take(PLACES_MAX).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let mut state = 11u64;
        let mut random = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        for _ in 0..2000 {
            let mut bytes = |most: u64| -> Vec<u8> {
                (0..1 + random(most))
                    .map(|_| b"aAb"[random(3) as usize])
                    .collect()
            };
            let text = bytes(20);
            let patterns: Vec<Vec<u8>> = (0..1 + bytes(4).len() % 4).map(|_| bytes(3)).collect();
            for (all, any_case) in [(false, false), (false, true), (true, false), (true, true)] {
                let matcher = Matcher::new(&patterns, all, any_case).expect("few patterns");
                let found = |pattern: &Vec<u8>| {
                    text.windows(pattern.len()).any(|at| match any_case {
                        true => at.eq_ignore_ascii_case(pattern),
                        false => at == pattern.as_slice(),
                    })
                };
                let expected = match all {
                    true => patterns.iter().all(found),
                    false => patterns.iter().any(found),
                };
                assert_eq!(matcher.is_in(&text), expected, "{patterns:?} in {text:?}");
            }
        }
    }

    #[test]
    fn counts_every_place_up_to_a_bound() {
        let count = |patterns: &[&str], any_case, text: &[u8]| {
            let patterns: Vec<Vec<u8>> = patterns.iter().map(|p| p.as_bytes().to_vec()).collect();
            Occurrences::new(&patterns, any_case)
                .expect("few patterns")
                .count(text)
        };
        assert_eq!(count(&["aa"], false, b"aaaa"), 3);
        assert_eq!(count(&["a", "aa", "a"], false, b"aaA"), 3);
        assert_eq!(count(&["a", "A"], true, b"aaA"), 3);
        assert_eq!(count(&["b"], false, b"aaA"), 0);
        assert_eq!(count(&["a"], false, &[b'a'; 1000]), PLACES_MAX);
    }

    #[test]
    fn windows_never_reach_beyond_the_text() {
        let text = b"abcdef";
        for (offset, depth, expected) in [
            (0, usize::MAX, "abcdef"),
            (2, 3, "cde"),
            (4, 3, "ef"),
            (6, 1, ""),
            (7, 1, ""),
            (usize::MAX, usize::MAX, ""),
        ] {
            assert_eq!(Window { offset, depth }.of(text), expected.as_bytes());
        }
    }
}
