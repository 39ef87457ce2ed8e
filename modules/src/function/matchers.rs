//! Patterns made ready to match: those met last are kept, so that a constant one is made once.

use super::support::BYTES_MAX;
use super::wildcards::{Piece, pieces};
use crate::{literals, regexes};
use memchr::memmem::Finder;
use regex_automata::meta::{Cache, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;
use regex_automata::{Input, Span};
use std::cell::Cell;
use wireq_engine::matching::Demand;
use wireq_typesys::FieldPath;

/// How many patterns are kept in each thread.
const KEPT_MAX: usize = 8;

/// A pattern as it is written, and what it is to match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Pattern<'a> {
    pub(super) text: &'a [u8],
    pub(super) syntax: Syntax<'a>,
    /// Whether characters are code points; else they are bytes.
    pub(super) utf8: bool,
}

/// What a pattern means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax<'a> {
    /// `%` is any text, `_` one character; the escape, unless empty, takes that from the next.
    Like { escape: &'a [u8] },
    /// A regular expression.
    Regex(Flags),
}

/// How a regular expression is read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) any_case: bool,
    /// Whether `.` is a line end too.
    pub(super) dot_newline: bool,
    /// Whether the pattern is no expression but the text itself.
    pub(super) literal: bool,
    /// Whether the whole text must match.
    pub(super) whole: bool,
}

/// A pattern that is ready.
pub(super) enum Matcher {
    /// The text begins with the first part, ends with the last, and has the others between, in order.
    Parts {
        first: Vec<u8>,
        middle: Vec<Finder<'static>>,
        /// None where the first part is the whole text.
        last: Option<Vec<u8>>,
    },
    Regex(Box<Compiled>),
}

/// An expression with what a search needs.
pub(super) struct Compiled {
    regex: Regex,
    cache: Cache,
    captures: Captures,
}

struct Kept {
    text: Vec<u8>,
    escape: Option<Vec<u8>>,
    flags: Flags,
    utf8: bool,
    /// None where the pattern is not one.
    matcher: Option<Matcher>,
}

impl Kept {
    fn is(&self, pattern: Pattern<'_>) -> bool {
        let syntax = match &self.escape {
            Some(escape) => Syntax::Like { escape },
            None => Syntax::Regex(self.flags),
        };
        let (text, utf8) = (&self.text, self.utf8);
        pattern == Pattern { text, syntax, utf8 }
    }

    fn new(pattern: Pattern<'_>) -> Kept {
        let (escape, flags) = match pattern.syntax {
            Syntax::Like { escape } => (Some(escape.to_vec()), Flags::default()),
            Syntax::Regex(flags) => (None, flags),
        };
        Kept {
            text: pattern.text.to_vec(),
            escape,
            flags,
            utf8: pattern.utf8,
            matcher: Matcher::new(pattern),
        }
    }
}

thread_local! {
    /// Used last comes first.
    static KEPT: Cell<Vec<Kept>> = const { Cell::new(Vec::new()) };
}

/// What `with` does with a pattern that is ready; none where it is no pattern.
pub(super) fn with_matcher<T>(
    pattern: Pattern<'_>,
    with: impl FnOnce(&mut Matcher) -> Option<T>,
) -> Option<T> {
    let mut kept = KEPT.take();
    match kept.iter().position(|kept| kept.is(pattern)) {
        Some(0) => {}
        Some(at) => kept[..=at].rotate_right(1),
        None => {
            kept.truncate(KEPT_MAX - 1);
            kept.insert(0, Kept::new(pattern));
        }
    }
    let result = kept[0].matcher.as_mut().and_then(with);
    KEPT.set(kept);
    result
}

impl Matcher {
    fn new(pattern: Pattern<'_>) -> Option<Matcher> {
        // A pattern this long is no pattern that someone wrote.
        if pattern.text.len() > BYTES_MAX {
            return None;
        }
        match pattern.syntax {
            Syntax::Like { escape } => like(pattern, escape),
            Syntax::Regex(flags) => regex(pattern, flags),
        }
    }

    /// Whether the pattern is found in a text; one of `like` matches the whole of it.
    pub(super) fn is_in(&mut self, text: &[u8]) -> bool {
        match self {
            Matcher::Regex(regex) => {
                let input = Input::new(text).earliest(true);
                let half = regex.regex.search_half_with(&mut regex.cache, &input);
                half.is_some()
            }
            Matcher::Parts {
                first,
                middle,
                last: None,
            } => middle.is_empty() && text == *first,
            Matcher::Parts {
                first,
                middle,
                last: Some(last),
            } => {
                let rest = text.strip_prefix(first.as_slice());
                let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_slice()))
                else {
                    return false;
                };
                // Where each is found first, most is left for those behind it.
                middle.iter().all(|part| match part.find(rest) {
                    Some(at) => {
                        rest = rest.get(at + part.needle().len()..).unwrap_or_default();
                        true
                    }
                    None => false,
                })
            }
        }
    }
}

impl Matcher {
    /// How many groups an expression has, the whole match among them.
    pub(super) fn groups(&self) -> usize {
        match self {
            Matcher::Regex(compiled) => compiled.regex.captures_len(),
            Matcher::Parts { .. } => 0,
        }
    }

    /// Where an expression matches first, with its groups where they are asked for; none where
    /// the pattern is no expression.
    #[allow(
        clippy::option_option,
        reason = "what is wrong differs from what is not there"
    )]
    pub(super) fn find(
        &mut self,
        input: &Input<'_>,
        with_groups: bool,
    ) -> Option<Option<(Span, &Captures)>> {
        let Matcher::Regex(compiled) = self else {
            return None;
        };
        let Compiled {
            regex,
            cache,
            captures,
        } = &mut **compiled;
        let found = if with_groups {
            regex.search_captures_with(cache, input, captures);
            captures.get_match()
        } else {
            regex.search_with(cache, input)
        };
        Some(found.map(|found| (found.span(), &*captures)))
    }
}

fn like(pattern: Pattern<'_>, escape: &[u8]) -> Option<Matcher> {
    let pieces = pieces(pattern.text, escape, pattern.utf8)?;
    if pieces.iter().any(|piece| matches!(piece, Piece::One)) {
        return like_regex(&pieces, pattern.utf8);
    }
    let mut parts = vec![Vec::new()];
    for piece in pieces {
        match (piece, parts.last_mut()) {
            (Piece::Text(text), Some(part)) => part.extend_from_slice(text),
            _ => parts.push(Vec::new()),
        }
    }
    let mut parts = parts.into_iter();
    let first = parts.next()?;
    let last = parts.next_back();
    let middle = parts.filter(|part| !part.is_empty());
    Some(Matcher::Parts {
        first,
        middle: middle.map(|part| Finder::new(&part).into_owned()).collect(),
        last,
    })
}

fn like_regex(pieces: &[Piece<'_>], utf8: bool) -> Option<Matcher> {
    let mut text = String::from(r"\A");
    for piece in pieces {
        match piece {
            Piece::Any => text.push_str(".*"),
            Piece::One => text.push('.'),
            Piece::Text(part) => text.push_str(&literal(part, utf8)),
        }
    }
    text.push_str(r"\z");
    let flags = Flags {
        dot_newline: true,
        ..Flags::default()
    };
    compile(&text, flags, utf8)
}

/// The expression that matches a text and nothing else.
fn literal(text: &[u8], utf8: bool) -> String {
    let hex = |code: u32| format!("\\x{{{code:x}}}");
    match std::str::from_utf8(text) {
        Ok(text) if utf8 => text.chars().map(|c| hex(c.into())).collect(),
        // One by one: in byte mode each is a byte.
        _ => text.iter().map(|byte| hex((*byte).into())).collect(),
    }
}

fn regex(pattern: Pattern<'_>, flags: Flags) -> Option<Matcher> {
    let mut text = match std::str::from_utf8(pattern.text) {
        _ if flags.literal => literal(pattern.text, pattern.utf8),
        Ok(text) if pattern.utf8 => regexes::with_ascii_classes(text),
        text => text.ok()?.to_owned(),
    };
    if flags.whole {
        text = whole(&text);
    }
    compile(&text, flags, pattern.utf8)
}

fn whole(text: &str) -> String {
    format!(r"\A(?:{text})\z")
}

/// What has to be in a field for an expression to match it; `utf8`: whether characters are code
/// points in all of it that is UTF-8.
pub(super) fn demand_of(text: &str, flags: Flags, utf8: bool, field: &FieldPath) -> Option<Demand> {
    let mut text = match utf8 {
        true => regexes::with_ascii_classes(text),
        false => text.to_owned(),
    };
    if flags.whole {
        text = whole(&text);
    }
    literals::demand_of(&text, syntax(flags, utf8), field)
}

/// The same for an expression on bytes that has no literals.
pub(super) fn without(text: &str, flags: Flags, field: &FieldPath) -> Option<Demand> {
    let text = match flags.whole {
        true => whole(text),
        false => text.to_owned(),
    };
    let letters = match (flags.any_case, flags.dot_newline) {
        (true, true) => "(?is)",
        (true, false) => "(?i)",
        (false, true) => "(?s)",
        (false, false) => "",
    };
    literals::without(&text, letters, field)
}

fn syntax(flags: Flags, utf8: bool) -> syntax::Config {
    syntax::Config::new()
        .unicode(utf8)
        .utf8(false)
        .case_insensitive(flags.any_case)
        .dot_matches_new_line(flags.dot_newline)
}

fn compile(text: &str, flags: Flags, utf8: bool) -> Option<Matcher> {
    let regex = regexes::builder(syntax(flags, utf8), utf8)
        .build(text)
        .ok()?;
    Some(Matcher::Regex(Box::new(Compiled {
        cache: regex.create_cache(),
        captures: regex.create_captures(),
        regex,
    })))
}
