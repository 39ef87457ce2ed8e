//! Functions that match the patterns of SQL.

use super::matchers::{Pattern, Syntax, with_matcher};
use super::support::*;
use super::text::{TEXT, write_lower};
use super::wildcards::{Piece, pieces};
use crate::literals::TEXT_MAX;
use std::cell::Cell;
use wireq_engine::matching::{self, Content, Demand};
use wireq_typesys::{FieldPath, Kind, Value};

const PATTERN: FunctionParameter = one(
    "PATTERN",
    Kind::Text,
    "The pattern: % stands for any text, _ for any one character.",
);
const ESCAPE: FunctionParameter = optional(
    "ESCAPE",
    Kind::Text,
    "The character after which %, _ and itself stand for themselves.",
);

pub(super) static LIKE: Function = Function {
    name: "like",
    summary: "Whether the whole text is as a pattern has it.",
    parameters: &[
        TEXT.with_demand(|field, kind, values| demand(field, kind, values, false)),
        PATTERN,
        ESCAPE,
    ],
    strict: true,
    kind: |kinds| takes(&LIKE, kinds, Kind::Bool),
    call: |values, _| like(values, false).unwrap_or_default(),
    examples: &[
        ("like('index.html', '%.html')", "true"),
        ("like('größe', 'gr__e')", "true"),
        ("like('a%c', 'a$%c', '$')", "true"),
    ],
};

pub(super) static LIKE_ESCAPE: Function = Function {
    name: "like_escape",
    examples: &[
        ("like_escape('a%c', 'a$%c', '$')", "true"),
        ("like_escape('abc', 'a$%c', '$')", "false"),
    ],
    ..LIKE
};

pub(super) static ILIKE: Function = Function {
    name: "ilike",
    summary: "Whether the whole text is as a pattern has it, letters in either case.",
    parameters: &[
        TEXT.with_demand(|field, kind, values| demand(field, kind, values, true)),
        PATTERN,
        ESCAPE,
    ],
    strict: true,
    kind: |kinds| takes(&ILIKE, kinds, Kind::Bool),
    call: |values, _| like(values, true).unwrap_or_default(),
    examples: &[
        ("ilike('INDEX.HTML', '%.html')", "true"),
        ("ilike('Größe', 'GRÖ%')", "true"),
    ],
};

pub(super) static ILIKE_ESCAPE: Function = Function {
    name: "ilike_escape",
    examples: &[
        ("ilike_escape('A%c', 'a$%C', '$')", "true"),
        ("ilike_escape('abc', 'A$%C', '$')", "false"),
    ],
    ..ILIKE
};

fn like(values: &[Value], any_case: bool) -> Option<Value> {
    let (text, pattern) = (text(values, 0)?, text(values, 1)?);
    let escape = match values.get(2) {
        Some(_) => Some(self::text(values, 2)?),
        None => None,
    };
    let escape = escape.as_ref().map_or(&[][..], |escape| escape.bytes());
    let characters =
        std::str::from_utf8(escape).map_or(escape.len(), |escape| escape.chars().count());
    if characters > 1 {
        return None;
    }
    let utf8 = text.is_utf8() && pattern.is_utf8();
    let matches = |text: &[u8], pattern: &[u8]| {
        let pattern = Pattern {
            text: pattern,
            syntax: Syntax::Like { escape },
            utf8,
        };
        with_matcher(pattern, |matcher| Some(matcher.is_in(text)))
    };
    let matches = match any_case {
        false => matches(text.bytes(), pattern.bytes()),
        true => {
            // Letters may take more or fewer bytes in lower case.
            let end = Cell::new(0);
            let write = |out: &mut Vec<u8>| {
                write_lower(&text, out);
                end.set(out.len());
                write_lower(&pattern, out);
            };
            with_written(write, |lower| {
                let (text, pattern) = lower.split_at_checked(end.get())?;
                matches(text, pattern)
            })
        }
    };
    matches.map(Value::Bool)
}

/// A part of a pattern between wildcards.
struct Part {
    bytes: Vec<u8>,
    /// How many bytes are before it at least.
    from: usize,
    /// Whether that is how many there are.
    pinned: bool,
}

/// What has to be in a field: the parts of the pattern.
fn demand(field: &FieldPath, kind: Kind, values: &[Value], any_case: bool) -> Option<Demand> {
    let pattern = text(values, 1)?;
    let escape = match values.get(2) {
        Some(_) => Some(text(values, 2)?),
        None => None,
    };
    let escape = escape.as_ref().map_or(&[][..], |escape| escape.bytes());
    let utf8 = kind == Kind::Text && pattern.is_utf8();
    if pattern.bytes().len() > TEXT_MAX || escape.len() > 1 {
        return None;
    }
    let pieces = pieces(pattern.bytes(), escape, utf8)?;
    let mut parts: Vec<Part> = Vec::new();
    let (mut from, mut pinned, mut joins, mut is_simple) = (0, true, false, true);
    for piece in &pieces {
        match (piece, parts.last_mut()) {
            (Piece::Text(bytes), Some(part)) if joins => part.bytes.extend_from_slice(bytes),
            (Piece::Text(bytes), _) => parts.push(Part {
                bytes: bytes.to_vec(),
                from,
                pinned,
            }),
            _ => {}
        }
        match piece {
            Piece::Text(bytes) => from += bytes.len(),
            Piece::One => {
                from += 1;
                // A character may be several bytes.
                pinned &= !utf8;
                is_simple = false;
            }
            Piece::Any => pinned = false,
        }
        joins = matches!(piece, Piece::Text(_));
    }
    let tells = is_simple && parts.len() == 1;
    let last = parts.len().checked_sub(1).filter(|_| joins);
    let content = |(at, part): (usize, Part)| Content {
        offset: part.from,
        depth: part.pinned.then_some(part.bytes.len()),
        at_end: last == Some(at),
        ..Content::new(field, part.bytes)
    };
    let contents = parts.into_iter().enumerate().map(content);
    let (contents, tells) = match any_case {
        false => (contents.collect(), tells),
        true => {
            let is_text = kind == Kind::Text;
            let exact: Vec<Content> = contents.collect();
            let folded: Vec<Content> = exact.iter().filter_map(|one| fold(one, is_text)).collect();
            let same = folded.len() == exact.len() && !is_text;
            let same = same && exact.iter().all(|one| one.pattern.bytes.is_ascii());
            (folded, tells && same)
        }
    };
    (!contents.is_empty()).then(|| Demand {
        all: contents
            .into_iter()
            .map(|content: Content| vec![content])
            .collect(),
        tells,
        expression: None,
    })
}

/// A content in either case: as much of it as no other letters become in lower case. In text letters
/// may take more or fewer bytes then, and so nothing is known of its place.
fn fold(content: &Content, is_text: bool) -> Option<Content> {
    // The signs of kelvin and of I with a dot are k and i in lower case.
    let is_alone = |byte: &u8| byte.is_ascii() && !(is_text && b"kKiI".contains(byte));
    let bytes = &content.pattern.bytes;
    let runs = bytes.split(|byte| !is_alone(byte));
    let run = runs
        .max_by_key(|run| run.len())
        .filter(|run| !run.is_empty())?;
    let whole = run.len() == bytes.len() && !is_text;
    let pattern = matching::Pattern {
        bytes: run.to_vec(),
        nocase: true,
    };
    Some(match whole {
        true => Content {
            pattern,
            ..content.clone()
        },
        false => Content {
            pattern,
            ..Content::new(&content.field, Vec::new())
        },
    })
}
