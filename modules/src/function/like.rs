//! Functions that match the patterns of SQL.

use super::matchers::{Pattern, Syntax, with_matcher};
use super::support::*;
use super::text::{TEXT, write_lower};
use std::cell::Cell;
use wireq_typesys::{Kind, Value};

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
    parameters: &[TEXT, PATTERN, ESCAPE],
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
    parameters: &[TEXT, PATTERN, ESCAPE],
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
