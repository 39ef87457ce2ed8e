//! Functions that find and cut out parts of texts.

use super::support::*;
use super::text::{TEXT, count};
use memchr::memmem;
use wireq_engine::matching::{Content, Demand};
use wireq_typesys::{FieldPath, Kind, Value};

pub(super) static SUBSTRING: Function = Function {
    name: "substring",
    summary: "The characters from a place on, as many as asked for; of bytes, bytes.",
    parameters: &[
        TEXT,
        one(
            "START",
            Kind::Signed,
            "The place of the first, from 1; below 0: from the end.",
        ),
        optional(
            "LENGTH",
            Kind::Signed,
            "How many; below 0 those before the place. All unless given.",
        ),
    ],
    strict: true,
    kind: |kinds| takes_text(&SUBSTRING, kinds),
    call: |values, _| substring(values).unwrap_or_default(),
    examples: &[
        ("substring('Hello', 2, 2)", "el"),
        ("substring('Hello', -3)", "llo"),
        ("substring('größe', 3, 2)", "öß"),
    ],
};

pub(super) static SUBSTR: Function = Function {
    name: "substr",
    examples: &[
        ("substr('Hello', 2)", "ello"),
        ("substr('Hello', 2, 2)", "el"),
    ],
    ..SUBSTRING
};

fn substring(values: &[Value]) -> Option<Value> {
    let (text, start) = (text(values, 0)?, integer(values, 1)?);
    let start = match start {
        0.. => start - 1,
        _ => start.saturating_add(text.length() as i128),
    };
    let end = start.saturating_add(integer_or(values, 2, i128::MAX)?);
    Some(text.between(start.min(end), start.max(end)))
}

const COUNT: FunctionParameter = one(
    "COUNT",
    Kind::Signed,
    "How many characters; below 0: all but so many.",
);

pub(super) static LEFT: Function = Function {
    name: "left",
    summary: "The first characters.",
    parameters: &[TEXT, COUNT],
    strict: true,
    kind: |kinds| takes_text(&LEFT, kinds),
    call: |values, _| ends(values, true).unwrap_or_default(),
    examples: &[("left('Hello', 2)", "He"), ("left('Hello', -2)", "Hel")],
};

pub(super) static RIGHT: Function = Function {
    name: "right",
    summary: "The last characters.",
    parameters: &[TEXT, COUNT],
    strict: true,
    kind: |kinds| takes_text(&RIGHT, kinds),
    call: |values, _| ends(values, false).unwrap_or_default(),
    examples: &[("right('Hello', 3)", "llo"), ("right('Hello', -2)", "llo")],
};

fn ends(values: &[Value], left: bool) -> Option<Value> {
    let (text, count) = (text(values, 0)?, integer(values, 1)?);
    // Ones that count from the other end need the length.
    if left && count >= 0 {
        return Some(text.between(0, count));
    }
    let length = text.length() as i128;
    Some(match left {
        true => text.between(0, length.saturating_add(count)),
        false if count < 0 => text.between(count.saturating_neg(), length),
        false => text.between(length.saturating_sub(count), length),
    })
}

const PART: FunctionParameter = one("PART", Kind::Text, "What is looked for.");

pub(super) static POSITION: Function = Function {
    name: "position",
    summary: "The place of the first occurrence of a part, from 1; 0 where there is none.",
    parameters: &[TEXT, PART],
    strict: true,
    kind: |kinds| takes(&POSITION, kinds, Kind::Unsigned),
    call: |values, _| position(values).unwrap_or_default(),
    examples: &[
        ("position('Hello', 'l')", "3"),
        ("position('Hello', 'x')", "0"),
    ],
};

pub(super) static STRPOS: Function = Function {
    name: "strpos",
    examples: &[
        ("strpos('test test', 'es')", "2"),
        ("strpos('größe', 'e')", "5"),
    ],
    ..POSITION
};

pub(super) static INSTR: Function = Function {
    name: "instr",
    examples: &[("instr('test test', 'es')", "2"), ("instr('abc', '')", "1")],
    ..POSITION
};

fn position(values: &[Value]) -> Option<Value> {
    let (text, part) = (text(values, 0)?, text(values, 1)?);
    let found = memmem::find(text.bytes(), part.bytes());
    Some(count(found.map_or(0, |at| text.length_before(at) + 1)))
}

/// What a test of a text and a part gives.
fn test(values: &[Value], test: fn(&[u8], &[u8]) -> bool) -> Value {
    let texts = text(values, 0).zip(text(values, 1));
    texts.map_or(Value::Absent, |(text, part)| {
        Value::Bool(test(text.bytes(), part.bytes()))
    })
}

/// A part that has to be in a field: at its beginning, at its end, or anywhere.
fn part(field: &FieldPath, values: &[Value], first: bool, at_end: bool) -> Option<Demand> {
    let bytes = values.get(1)?.as_bytes().filter(|part| !part.is_empty())?;
    let content = Content {
        depth: first.then_some(bytes.len()),
        at_end,
        ..Content::new(field, bytes.to_vec())
    };
    Some(Demand {
        all: vec![vec![content]],
        tells: true,
        expression: None,
    })
}

pub(super) static STARTS_WITH: Function = Function {
    name: "starts_with",
    summary: "Whether a text begins with a part.",
    parameters: &[
        TEXT.with_demand(|field, _, values| part(field, values, true, false)),
        PART,
    ],
    strict: true,
    kind: |kinds| takes(&STARTS_WITH, kinds, Kind::Bool),
    call: |values, _| test(values, <[u8]>::starts_with),
    examples: &[
        ("starts_with('abc', 'a')", "true"),
        ("starts_with('abc', 'b')", "false"),
    ],
};

pub(super) static ENDS_WITH: Function = Function {
    name: "ends_with",
    summary: "Whether a text ends with a part.",
    parameters: &[
        TEXT.with_demand(|field, _, values| part(field, values, false, true)),
        PART,
    ],
    strict: true,
    kind: |kinds| takes(&ENDS_WITH, kinds, Kind::Bool),
    call: |values, _| test(values, <[u8]>::ends_with),
    examples: &[
        ("ends_with('abc', 'bc')", "true"),
        ("ends_with('abc', 'b')", "false"),
    ],
};

pub(super) static CONTAINS: Function = Function {
    name: "contains",
    summary: "Whether a text has a part anywhere.",
    parameters: &[
        TEXT.with_demand(|field, _, values| part(field, values, false, false)),
        PART,
    ],
    strict: true,
    kind: |kinds| takes(&CONTAINS, kinds, Kind::Bool),
    call: |values, _| test(values, |text, part| memmem::find(text, part).is_some()),
    examples: &[
        ("contains('abc', 'b')", "true"),
        ("contains('abc', 'x')", "false"),
    ],
};

pub(super) static SPLIT_PART: Function = Function {
    name: "split_part",
    summary: "One of the parts between separators; empty where there are not so many.",
    parameters: &[
        TEXT,
        one(
            "SEPARATOR",
            Kind::Text,
            "What stands between parts; if empty, each character is one.",
        ),
        one(
            "INDEX",
            Kind::Signed,
            "Which part, from 1; below 0: from the end.",
        ),
    ],
    strict: true,
    kind: |kinds| takes_text(&SPLIT_PART, kinds),
    call: |values, _| split_part(values).unwrap_or_default(),
    examples: &[
        ("split_part('www.example.com', '.', 2)", "example"),
        ("split_part('www.example.com', '.', -1)", "com"),
        ("split_part('a;b', ';', 3)", ""),
    ],
};

fn split_part(values: &[Value]) -> Option<Value> {
    let (text, separator) = (text(values, 0)?, text(values, 1)?);
    let index = integer(values, 2)?;
    if separator.bytes().is_empty() {
        let start = match index {
            1.. => index - 1,
            0 => return Some(text.give(b"")),
            _ => index.saturating_add(text.length() as i128),
        };
        return Some(text.between(start, start.saturating_add(1)));
    }
    let finder = memmem::Finder::new(separator.bytes());
    let separators = || finder.find_iter(text.bytes());
    let index = match index {
        1.. => index - 1,
        0 => -1,
        // Counted from the front: separators that overlap are found from there.
        _ => index.saturating_add(separators().count() as i128 + 1),
    };
    let Ok(index) = usize::try_from(index) else {
        return Some(text.give(b""));
    };
    let mut ends = separators().chain([text.bytes().len()]);
    let start = match index.checked_sub(1) {
        None => Some(0),
        Some(before) => ends.nth(before).map(|at| at + separator.bytes().len()),
    };
    let part = start.zip(ends.next());
    let bytes = part.and_then(|(start, end)| text.bytes().get(start..end));
    Some(text.give(bytes.unwrap_or_default()))
}
