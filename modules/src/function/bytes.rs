//! Functions of bytes by their places, and numbers in them.

use super::encodings::{BYTES, of_bytes};
use super::support::*;
use wireq_typesys::{Kind, Value};

const OFFSET: FunctionParameter = one(
    "OFFSET",
    Kind::Signed,
    "The place of the first byte, from 0.",
);
const LENGTH: FunctionParameter = one("LENGTH", Kind::Signed, "How many bytes, from 1 to 8.");

pub(super) static BYTE: Function = Function {
    name: "byte",
    summary: "The byte at a place, as a number; absent where there is none.",
    parameters: &[BYTES, OFFSET],
    strict: true,
    kind: |kinds| takes(&BYTE, kinds, Kind::Unsigned),
    call: |values, _| number(values, 1, false).unwrap_or_default(),
    examples: &[("byte('Hello', 0)", "72"), ("byte('Hello', 5)", "")],
};

pub(super) static UINT_BE: Function = Function {
    name: "uint_be",
    summary: "The bytes at a place as an unsigned number, the most significant first, as in most protocols.",
    parameters: &[BYTES, OFFSET, LENGTH],
    strict: true,
    kind: |kinds| takes(&UINT_BE, kinds, Kind::Unsigned),
    call: |values, _| number(values, integer(values, 2).unwrap_or(0), false).unwrap_or_default(),
    examples: &[
        ("uint_be(unhex('0001bb'), 1, 2)", "443"),
        ("uint_be(unhex('0001bb'), 2, 2)", ""),
    ],
};

pub(super) static UINT_LE: Function = Function {
    name: "uint_le",
    summary: "The bytes at a place as an unsigned number, the least significant first.",
    parameters: &[BYTES, OFFSET, LENGTH],
    strict: true,
    kind: |kinds| takes(&UINT_LE, kinds, Kind::Unsigned),
    call: |values, _| number(values, integer(values, 2).unwrap_or(0), true).unwrap_or_default(),
    examples: &[
        ("uint_le(unhex('00bb01'), 1, 2)", "443"),
        ("uint_le('x', 0, 9)", ""),
    ],
};

fn number(values: &[Value], length: i128, little: bool) -> Option<Value> {
    let text = text(values, 0)?;
    let offset = usize::try_from(integer(values, 1)?).ok()?;
    let length = usize::try_from(length).ok();
    let length = length.filter(|length| (1..=8).contains(length))?;
    let bytes = text.bytes().get(offset..offset.checked_add(length)?)?;
    let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    let number = match little {
        true => bytes.iter().rev().fold(0, push),
        false => bytes.iter().fold(0, push),
    };
    Some(Value::Integer(number.into()))
}

pub(super) static SLICE: Function = Function {
    name: "slice",
    summary: "The bytes from a place on, as many as asked for; fewer where there are not so many.",
    parameters: &[
        BYTES,
        OFFSET,
        optional("LENGTH", Kind::Signed, "How many bytes; all unless given."),
    ],
    strict: true,
    kind: |kinds| takes_text(&SLICE, kinds),
    call: |values, _| slice(values).unwrap_or_default(),
    examples: &[
        ("slice('Hello', 1, 3)", "ell"),
        ("slice(unhex('00ff41'), 1)", r"\xffA"),
    ],
};

fn slice(values: &[Value]) -> Option<Value> {
    let text = text(values, 0)?;
    let bytes = text.bytes();
    let offset = usize::try_from(integer(values, 1)?).ok()?.min(bytes.len());
    let length = integer_or(values, 2, i128::MAX)?;
    let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
    let length = length.min(bytes.len() - offset);
    Some(text.give(&bytes[offset..offset + length]))
}

pub(super) static BYTE_ENTROPY: Function = Function {
    name: "byte_entropy",
    summary: "How many bits of information a byte has, by how often each value occurs: 0 to 8.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&BYTE_ENTROPY, kinds, Kind::Double),
    call: |values, _| of_bytes(values, |bytes| Value::Double(entropy(bytes))),
    examples: &[("byte_entropy('aaaa')", "0"), ("byte_entropy('abcd')", "2")],
};

fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u64; 256];
    bytes
        .iter()
        .for_each(|byte| counts[usize::from(*byte)] += 1);
    let all = bytes.len() as f64;
    let used = counts.iter().filter(|count| **count > 0);
    let share = |count: &u64| *count as f64 / all;
    used.map(|count| share(count) * (1.0 / share(count)).log2())
        .sum()
}
