//! Which parts of a text are a SELECT: what the scanner and the division into statements go by.
//!
//! A SELECT begins with that word where a query or a stage begins. Where it begins a query it goes
//! over line ends, up to `;`, an empty line, or a line that begins another statement; in brackets, up
//! to the closing one.

use crate::scan::{RawKind, is_space};
use wireq_engine::Span;

/// Where in a text the scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where a query may begin.
    Begin,
    /// Where a stage may begin that is not the first of its query.
    Stage,
    /// In a query that is no SELECT.
    Query,
    /// In a SELECT.
    Select {
        /// The brackets that are open in it.
        depth: usize,
        /// Whether the last word was `union` or `all`, so that another SELECT belongs to it.
        union: bool,
        /// Whether it goes over line ends.
        lines: bool,
    },
}

impl Place {
    /// The place behind a token.
    pub fn behind(self, kind: RawKind, text: &str, token: Span) -> Place {
        let word = match kind {
            RawKind::Run => &text[token.start..token.end],
            _ => "",
        };
        match (self, kind) {
            (_, RawKind::Semicolon) => Place::Begin,
            (Place::Select { .. }, _) => self.in_select(kind, text, token),
            (_, RawKind::LineEnd) => Place::Begin,
            (_, RawKind::Pipe) => Place::Stage,
            (Place::Begin | Place::Stage, RawKind::Open) => self,
            (Place::Begin | Place::Stage, _) if is(word, "select") => Place::Select {
                depth: 0,
                union: false,
                lines: self == Place::Begin,
            },
            (Place::Begin, _) if word.ends_with(':') => Place::Begin,
            _ if word.ends_with(":-") => Place::Begin,
            _ if word == "+" || is(word, "from") => Place::Stage,
            _ => Place::Query,
        }
    }

    /// The place behind a token of a SELECT.
    fn in_select(self, kind: RawKind, text: &str, token: Span) -> Place {
        let Place::Select {
            depth,
            union,
            lines,
        } = self
        else {
            return self;
        };
        let go_on = |depth, union| Place::Select {
            depth,
            union,
            lines,
        };
        match kind {
            RawKind::Open => go_on(depth + 1, union),
            RawKind::Close => match depth.checked_sub(1) {
                Some(depth) => go_on(depth, false),
                None => Place::Query,
            },
            RawKind::LineEnd if depth > 0 => self,
            RawKind::LineEnd if !lines || ends_at(&text[token.end..], union) => Place::Begin,
            RawKind::LineEnd => self,
            RawKind::Pipe if depth == 0 && !is_double(text, token) => Place::Stage,
            RawKind::Run => {
                let word = &text[token.start..token.end];
                go_on(depth, is(word, "union") || is(word, "all"))
            }
            _ => go_on(depth, false),
        }
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

/// Whether a `|` is one of `||`.
fn is_double(text: &str, token: Span) -> bool {
    text[..token.start].ends_with('|') || text[token.end..].starts_with('|')
}

/// Whether a SELECT ends before a line: an empty one, or one that begins another statement.
fn ends_at(rest: &str, union: bool) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    let line = line.trim_matches(is_space);
    let first = line.split(|c| is_space(c) || c == '(').next();
    let first = first.unwrap_or_default();
    let unquoted = line.split(['\'', '"']).next().unwrap_or_default();
    line.is_empty()
        || is(first, "select") && !union
        || first.len() > 1 && first.ends_with(':')
        || unquoted.contains(":-")
}
