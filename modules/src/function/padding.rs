//! Functions that make longer texts of short ones.

use super::support::*;
use super::text::TEXT;
use wireq_typesys::{Kind, Value};

pub(super) static REPEAT: Function = Function {
    name: "repeat",
    summary: "The text so many times; absent where that is more than 1 MiB.",
    parameters: &[
        TEXT,
        one("COUNT", Kind::Signed, "How often; below 1 not at all."),
    ],
    strict: true,
    kind: |kinds| takes_text(&REPEAT, kinds),
    call: |values, _| repeat(values).unwrap_or_default(),
    examples: &[("repeat('ab', 3)", "ababab"), ("repeat('ab', 0)", "")],
};

fn repeat(values: &[Value]) -> Option<Value> {
    let (text, count) = (text(values, 0)?, integer(values, 1)?);
    let count = if text.bytes().is_empty() {
        0
    } else {
        count.max(0)
    };
    let length = count.checked_mul(text.bytes().len() as i128)?;
    if length > BYTES_MAX as i128 {
        return None;
    }
    Some(text.give_shared(text.bytes().repeat(count as usize).into()))
}

const WIDTH: FunctionParameter = one(
    "WIDTH",
    Kind::Signed,
    "How many characters the result has; the text is cut to them.",
);
const PAD: FunctionParameter = one("PAD", Kind::Text, "What fills up.");

pub(super) static LPAD: Function = Function {
    name: "lpad",
    summary: "The text filled up on the left; absent where that is more than 1 MiB.",
    parameters: &[TEXT, WIDTH, PAD],
    strict: true,
    kind: |kinds| takes_text(&LPAD, kinds),
    call: |values, _| pad(values, true).unwrap_or_default(),
    examples: &[
        ("lpad('hi', 5, 'xy')", "xyxhi"),
        ("lpad('hello', 2, 'x')", "he"),
    ],
};

pub(super) static RPAD: Function = Function {
    name: "rpad",
    summary: "The text filled up on the right; absent where that is more than 1 MiB.",
    parameters: &[TEXT, WIDTH, PAD],
    strict: true,
    kind: |kinds| takes_text(&RPAD, kinds),
    call: |values, _| pad(values, false).unwrap_or_default(),
    examples: &[
        ("rpad('hi', 5, 'xy')", "hixyx"),
        ("rpad('hello', 2, 'x')", "he"),
    ],
};

fn pad(values: &[Value], left: bool) -> Option<Value> {
    let (text, width, pad) = (text(values, 0)?, integer(values, 1)?, text(values, 2)?);
    let missing = width.saturating_sub(text.length() as i128);
    if missing <= 0 {
        return Some(text.between(0, width));
    }
    if pad.bytes().is_empty() || missing > BYTES_MAX as i128 {
        return None;
    }
    let (missing, length) = (missing as usize, pad.length());
    let rest = pad.between(0, (missing % length) as i128);
    let filling = (missing / length).checked_mul(pad.bytes().len())?;
    if filling > BYTES_MAX {
        return None;
    }
    let bytes = written(|out| {
        if !left {
            out.extend_from_slice(text.bytes());
        }
        (0..missing / length).for_each(|_| out.extend_from_slice(pad.bytes()));
        out.extend_from_slice(rest.as_bytes()?);
        if left {
            out.extend_from_slice(text.bytes());
        }
        (out.len() <= BYTES_MAX).then_some(())
    });
    Some(text.give_shared(bytes?))
}
