//! Functions that choose between values.

use super::extremes::common;
use super::support::*;
use wireq_typesys::{Kind, Value, equal};

const VALUE: FunctionParameter = one("VALUE", Kind::Dynamic, "The value.");

pub(super) static COALESCE: Function = Function {
    name: "coalesce",
    summary: "The first of the values that is there.",
    parameters: &[VALUE, any("MORE", Kind::Dynamic, "The values after it.")],
    strict: false,
    kind: |kinds| takes(&COALESCE, kinds, common(kinds)),
    call: |values, _| {
        let there = values.iter().find(|value| !value.is_absent());
        there.cloned().unwrap_or_default()
    },
    examples: &[
        ("coalesce(null, null, 'text')", "text"),
        ("coalesce(null)", ""),
    ],
};

pub(super) static IF_NULL: Function = Function {
    name: "ifnull",
    summary: "The value, or another one where it is absent.",
    parameters: &[VALUE, one("OTHER", Kind::Dynamic, "What stands for it.")],
    strict: false,
    kind: |kinds| takes(&IF_NULL, kinds, common(kinds)),
    call: COALESCE.call,
    examples: &[
        ("ifnull(null, 'default')", "default"),
        ("ifnull(1, 2)", "1"),
    ],
};

pub(super) static NULL_IF: Function = Function {
    name: "nullif",
    summary: "The value, absent where it is equal to another one.",
    parameters: &[VALUE, one("OTHER", Kind::Dynamic, "What counts as absent.")],
    strict: false,
    kind: |kinds| {
        let kind = kinds.first().copied().unwrap_or(Kind::Dynamic);
        takes(&NULL_IF, kinds, kind)
    },
    call: |values, zone| {
        let (value, other) = (argument(values, 0), argument(values, 1));
        match equal(value, other, zone) {
            Some(true) => Value::Absent,
            _ => value.clone(),
        }
    },
    examples: &[("nullif('-', '-')", ""), ("nullif(1, 2)", "1")],
};

pub(super) static IF: Function = Function {
    name: "if",
    summary: "One value where a condition is true, another one where it is false or unknown.",
    parameters: &[
        one("CONDITION", Kind::Bool, "What decides."),
        one("THEN", Kind::Dynamic, "The value where it is true."),
        one("ELSE", Kind::Dynamic, "The value where it is not."),
    ],
    strict: false,
    kind: |kinds| takes(&IF, kinds, common(kinds.get(1..).unwrap_or_default())),
    call: |values, _| {
        let is_true = matches!(argument(values, 0), Value::Bool(true));
        argument(values, if is_true { 1 } else { 2 }).clone()
    },
    examples: &[
        ("if(contains('abc', 'b'), 'yes', 'no')", "yes"),
        ("if(null, 1, 2)", "2"),
    ],
};

pub(super) static TYPE_OF: Function = Function {
    name: "typeof",
    summary: "The name of the kind of value that this is.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TYPE_OF, kinds, Kind::Text),
    call: |values, _| match argument(values, 0).kind() {
        Some(Kind::List(_)) => Value::text("list"),
        Some(kind) => Value::text(&kind.to_string()),
        None => Value::Absent,
    },
    examples: &[
        ("typeof(1)", "signed"),
        ("typeof('abc')", "text"),
        ("typeof(to_address('10.0.0.1'))", "address"),
    ],
};
