//! Functions of the bits of integers. Negative ones have endless leading ones.

use super::support::*;
use wireq_typesys::{Kind, Value};

const A: FunctionParameter = one("A", Kind::Signed, "An integer.");
const B: FunctionParameter = one("B", Kind::Signed, "An integer.");
const COUNT: FunctionParameter = one("COUNT", Kind::Signed, "By how many bits; not below 0.");

fn of_two(values: &[Value], function: fn(i128, i128) -> Option<i128>) -> Value {
    let result = integer(values, 0).zip(integer(values, 1));
    let result = result.and_then(|(a, b)| function(a, b));
    result.map_or(Value::Absent, Value::Integer)
}

pub(super) static BAND: Function = Function {
    name: "band",
    summary: "The bits that both integers have.",
    parameters: &[A, B],
    strict: true,
    kind: |kinds| takes(&BAND, kinds, Kind::Signed),
    call: |values, _| of_two(values, |a, b| Some(a & b)),
    examples: &[("band(91, 15)", "11"), ("band(0x18, 0x10)", "16")],
};

pub(super) static BOR: Function = Function {
    name: "bor",
    summary: "The bits that either integer has.",
    parameters: &[A, B],
    strict: true,
    kind: |kinds| takes(&BOR, kinds, Kind::Signed),
    call: |values, _| of_two(values, |a, b| Some(a | b)),
    examples: &[("bor(32, 3)", "35"), ("bor(-8, 1)", "-7")],
};

pub(super) static BXOR: Function = Function {
    name: "bxor",
    summary: "The bits that one of the integers has and the other has not.",
    parameters: &[A, B],
    strict: true,
    kind: |kinds| takes(&BXOR, kinds, Kind::Signed),
    call: |values, _| of_two(values, |a, b| Some(a ^ b)),
    examples: &[("bxor(17, 5)", "20"), ("bxor(5, 5)", "0")],
};

pub(super) static SHL: Function = Function {
    name: "shl",
    summary: "The integer with its bits moved up; absent where bits would be lost.",
    parameters: &[A, COUNT],
    strict: true,
    kind: |kinds| takes(&SHL, kinds, Kind::Signed),
    call: |values, _| of_two(values, shift_left),
    examples: &[
        ("shl(1, 4)", "16"),
        ("shl(1, 127)", ""),
        ("shl(-1, 2)", "-4"),
    ],
};

pub(super) static SHR: Function = Function {
    name: "shr",
    summary: "The integer with its bits moved down; those below the first are lost.",
    parameters: &[A, COUNT],
    strict: true,
    kind: |kinds| takes(&SHR, kinds, Kind::Signed),
    call: |values, _| of_two(values, shift_right),
    examples: &[
        ("shr(64, 2)", "16"),
        ("shr(-8, 1)", "-4"),
        ("shr(1, 200)", "0"),
    ],
};

fn shift_left(a: i128, count: i128) -> Option<i128> {
    let count = u32::try_from(count).ok()?;
    let shifted = a.checked_shl(count)?;
    (shifted >> count == a).then_some(shifted)
}

fn shift_right(a: i128, count: i128) -> Option<i128> {
    let count = u128::try_from(count).ok()?;
    Some(a >> count.min(127) as u32)
}

pub(super) static BIT_COUNT: Function = Function {
    name: "bit_count",
    summary: "How many bits of an integer are set; a negative one has 64 bits.",
    parameters: &[A],
    strict: true,
    kind: |kinds| takes(&BIT_COUNT, kinds, Kind::Unsigned),
    call: |values, _| {
        let count = integer(values, 0).and_then(|a| match a {
            0.. => Some(a.count_ones()),
            _ => i64::try_from(a).ok().map(i64::count_ones),
        });
        count.map_or(Value::Absent, |count| Value::Integer(count.into()))
    },
    examples: &[("bit_count(31)", "5"), ("bit_count(-1)", "64")],
};
