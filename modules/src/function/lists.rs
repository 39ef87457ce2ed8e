//! Functions of lists.

use super::support::*;
use wireq_engine::evaluate::compare_literal;
use wireq_typesys::{CompareOp, Kind, Literal, Value, equal};

/// The values of a list; a value that is none is a list of itself.
fn values_of(value: &Value) -> &[Value] {
    match value {
        Value::List(values) => values,
        value => std::slice::from_ref(value),
    }
}

pub(super) static COUNT: Function = Function {
    name: "count",
    summary: "How many values a list has; 1 for what is no list.",
    parameters: &[one("LIST", Kind::Dynamic, "The list.")],
    strict: true,
    kind: |kinds| takes(&COUNT, kinds, Kind::Unsigned),
    call: |values, _| Value::Integer(values_of(argument(values, 0)).len() as i128),
    examples: &[("count('one')", "1"), ("count('')", "1")],
};

pub(super) static ALL: Function = Function {
    name: "all",
    summary: "Whether all values of a list are true. `all(LIST) > 5` is that all of them are.",
    parameters: &[one("LIST", Kind::Dynamic, "The list.")],
    strict: true,
    kind: |kinds| takes(&ALL, kinds, Kind::Bool),
    call: |values, _| {
        let is_true = |value: &Value| match value {
            Value::Bool(truth) => *truth,
            Value::Double(number) => *number != 0.0,
            value => value.as_integer().is_some_and(|number| number != 0),
        };
        Value::Bool(values_of(argument(values, 0)).iter().all(is_true))
    },
    examples: &[("all(1)", "true"), ("all(0)", "false")],
};

pub(super) static ALL_EQUAL: Function = Function {
    name: "all_equal",
    summary: "Whether all values of a list are equal to a value, or in a block of addresses.",
    parameters: &[
        one("LIST", Kind::Dynamic, "The list."),
        one("VALUE", Kind::Dynamic, "What they are compared with."),
    ],
    strict: true,
    kind: |kinds| takes(&ALL_EQUAL, kinds, Kind::Bool),
    call: |values, zone| {
        let other = argument(values, 1);
        // A text is read as the kind of each value, as a constant beside it would be.
        let literal = match other {
            Value::Text(text) => std::str::from_utf8(text).ok().map(Literal::quoted),
            _ => None,
        };
        let is_equal = |value: &Value| match &literal {
            Some(literal) => compare_literal(CompareOp::Equal, value, literal, zone),
            None => equal(value, other, zone),
        };
        Value::Bool(
            values_of(argument(values, 0))
                .iter()
                .all(|v| is_equal(v) == Some(true)),
        )
    },
    examples: &[
        ("all_equal('x', 'x')", "true"),
        ("all_equal(1, 2)", "false"),
    ],
};
