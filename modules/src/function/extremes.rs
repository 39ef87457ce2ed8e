//! The greatest and least of some values, of any kinds.

use super::support::*;
use std::cmp::Ordering;
use wireq_typesys::{Kind, Value, total_order};

const FIRST: FunctionParameter = one("VALUE", Kind::Dynamic, "One of the values.");
const MORE: FunctionParameter = any("MORE", Kind::Dynamic, "The other values.");

pub(super) static GREATEST: Function = Function {
    name: "greatest",
    summary: "The greatest of the values that are there.",
    parameters: &[FIRST, MORE],
    strict: false,
    kind: |kinds| takes(&GREATEST, kinds, common(kinds)),
    call: |values, _| extreme(values, Ordering::Greater),
    examples: &[
        ("greatest(42, 84, 7)", "84"),
        ("greatest('b', 'a')", "b"),
        ("greatest(1, null, 2.5)", "2.5"),
    ],
};

pub(super) static LEAST: Function = Function {
    name: "least",
    summary: "The least of the values that are there.",
    parameters: &[FIRST, MORE],
    strict: false,
    kind: |kinds| takes(&LEAST, kinds, common(kinds)),
    call: |values, _| extreme(values, Ordering::Less),
    examples: &[
        ("least(42, 84, 7)", "7"),
        ("least('b', 'a')", "a"),
        ("least(null, null)", ""),
    ],
};

/// The kind that any of some values has, of which some may be absent.
pub(super) fn common(kinds: &[Kind]) -> Kind {
    let integers = |kind: &Kind| matches!(kind, Kind::Signed | Kind::Unsigned);
    match kinds {
        [first, rest @ ..] if rest.iter().all(|kind| kind == first) => *first,
        [_, ..] if kinds.iter().all(integers) => Kind::Signed,
        _ => Kind::Dynamic,
    }
}

fn extreme(values: &[Value], wanted: Ordering) -> Value {
    let mut best = &Value::Absent;
    for value in values.iter().filter(|value| !value.is_absent()) {
        if best.is_absent() || total_order(value, best) == wanted {
            best = value;
        }
    }
    best.clone()
}
