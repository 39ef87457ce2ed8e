//! Functions of floating-point numbers.

use super::numbers::X;
use super::support::*;
use wireq_typesys::{Kind, Value};

/// What a function of doubles gives.
fn of_double(values: &[Value], function: fn(f64) -> f64) -> Value {
    double(values, 0).map_or(Value::Absent, |x| Value::Double(function(x)))
}

fn test_double(values: &[Value], test: fn(f64) -> bool) -> Value {
    double(values, 0).map_or(Value::Absent, |x| Value::Bool(test(x)))
}

pub(super) static SQRT: Function = Function {
    name: "sqrt",
    summary: "The square root.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&SQRT, kinds, Kind::Double),
    call: |values, _| of_double(values, f64::sqrt),
    examples: &[
        ("sqrt(9)", "3"),
        ("sqrt(2)", "1.4142135623730951"),
        ("sqrt(-1)", "NaN"),
    ],
};

pub(super) static EXP: Function = Function {
    name: "exp",
    summary: "e to the power of the number.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&EXP, kinds, Kind::Double),
    call: |values, _| of_double(values, f64::exp),
    examples: &[("exp(0)", "1"), ("exp(1000)", "inf")],
};

pub(super) static LN: Function = Function {
    name: "ln",
    summary: "The natural logarithm.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&LN, kinds, Kind::Double),
    call: |values, _| of_double(values, f64::ln),
    examples: &[("ln(1)", "0"), ("ln(0)", "-inf"), ("ln(-1)", "NaN")],
};

pub(super) static LOG: Function = Function {
    name: "log",
    summary: "The logarithm to base 10; with two numbers, of the second to the base of the first.",
    parameters: &[
        one(
            "X",
            Kind::Double,
            "The number; the base where two are given.",
        ),
        optional("Y", Kind::Double, "The number, where a base is given."),
    ],
    strict: true,
    kind: |kinds| takes(&LOG, kinds, Kind::Double),
    call: |values, _| match (double(values, 0), double(values, 1)) {
        (Some(base), Some(x)) => Value::Double(x.log10() / base.log10()),
        (Some(x), None) if values.len() == 1 => Value::Double(x.log10()),
        _ => Value::Absent,
    },
    examples: &[("log(1000)", "3"), ("log(2, 64)", "6")],
};

pub(super) static LOG10: Function = Function {
    name: "log10",
    summary: "The logarithm to base 10.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&LOG10, kinds, Kind::Double),
    call: |values, _| of_double(values, f64::log10),
    examples: &[("log10(100)", "2"), ("log10(0)", "-inf")],
};

pub(super) static LOG2: Function = Function {
    name: "log2",
    summary: "The logarithm to base 2.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&LOG2, kinds, Kind::Double),
    call: |values, _| of_double(values, f64::log2),
    examples: &[("log2(8)", "3"), ("log2(0.5)", "-1")],
};

pub(super) static POW: Function = Function {
    name: "pow",
    summary: "The first number to the power of the second, as a double.",
    parameters: &[X, one("Y", Kind::Double, "The exponent.")],
    strict: true,
    kind: |kinds| takes(&POW, kinds, Kind::Double),
    call: |values, _| match (double(values, 0), double(values, 1)) {
        (Some(x), Some(y)) => Value::Double(x.powf(y)),
        _ => Value::Absent,
    },
    examples: &[("pow(2, 10)", "1024"), ("pow(4, 0.5)", "2")],
};

pub(super) static POWER: Function = Function {
    name: "power",
    examples: &[("power(2, 3)", "8"), ("power(2, -1)", "0.5")],
    ..POW
};

pub(super) static PI: Function = Function {
    name: "pi",
    summary: "The ratio of a circle's circumference to its diameter.",
    parameters: &[],
    strict: true,
    kind: |kinds| takes(&PI, kinds, Kind::Double),
    call: |_, _| Value::Double(std::f64::consts::PI),
    examples: &[("pi()", "3.141592653589793"), ("round(pi(), 2)", "3.14")],
};

pub(super) static IS_NAN: Function = Function {
    name: "isnan",
    summary: "Whether a double is not a number.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&IS_NAN, kinds, Kind::Bool),
    call: |values, _| test_double(values, f64::is_nan),
    examples: &[("isnan(sqrt(-1))", "true"), ("isnan(1)", "false")],
};

pub(super) static IS_INF: Function = Function {
    name: "isinf",
    summary: "Whether a double is infinite.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&IS_INF, kinds, Kind::Bool),
    call: |values, _| test_double(values, f64::is_infinite),
    examples: &[("isinf(ln(0))", "true"), ("isinf(1)", "false")],
};

pub(super) static IS_FINITE: Function = Function {
    name: "isfinite",
    summary: "Whether a double is a number and not infinite.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&IS_FINITE, kinds, Kind::Bool),
    call: |values, _| test_double(values, f64::is_finite),
    examples: &[("isfinite(5.5)", "true"), ("isfinite(ln(0))", "false")],
};
