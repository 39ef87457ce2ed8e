//! Functions of numbers.

use super::support::*;
use wireq_typesys::{Kind, Value};

pub(super) const X: FunctionParameter = one("X", Kind::Double, "The number.");

/// What a function of doubles gives; integers stay as they are.
fn of_fraction(values: &[Value], function: fn(f64) -> f64) -> Value {
    match argument(values, 0) {
        Value::Double(x) => Value::Double(function(*x)),
        value => value.as_integer().map_or(Value::Absent, Value::Integer),
    }
}

pub(super) static ABS: Function = Function {
    name: "abs",
    summary: "The number without its sign.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes_number(&ABS, kinds),
    call: |values, _| match argument(values, 0) {
        Value::Double(x) => Value::Double(x.abs()),
        value => {
            let integer = value.as_integer().and_then(i128::checked_abs);
            integer.map_or(Value::Absent, Value::Integer)
        }
    },
    examples: &[("abs(-5)", "5"), ("abs(2.5)", "2.5")],
};

pub(super) static SIGN: Function = Function {
    name: "sign",
    summary: "-1, 0 or 1 for a number below, at or above 0; 0 where it is not a number.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&SIGN, kinds, Kind::Signed),
    call: |values, _| match argument(values, 0) {
        Value::Double(x) => Value::Integer((*x > 0.0) as i128 - (*x < 0.0) as i128),
        value => {
            let integer = value.as_integer().map(i128::signum);
            integer.map_or(Value::Absent, Value::Integer)
        }
    },
    examples: &[("sign(-349)", "-1"), ("sign(0.0)", "0"), ("sign(2.5)", "1")],
};

pub(super) static CEIL: Function = Function {
    name: "ceil",
    summary: "The number rounded up to a whole one.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes_number(&CEIL, kinds),
    call: |values, _| of_fraction(values, f64::ceil),
    examples: &[("ceil(17.4)", "18"), ("ceil(-17.4)", "-17")],
};

pub(super) static CEILING: Function = Function {
    name: "ceiling",
    examples: &[("ceiling(17.4)", "18"), ("ceiling(4)", "4")],
    ..CEIL
};

pub(super) static FLOOR: Function = Function {
    name: "floor",
    summary: "The number rounded down to a whole one.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes_number(&FLOOR, kinds),
    call: |values, _| of_fraction(values, f64::floor),
    examples: &[("floor(17.4)", "17"), ("floor(-17.4)", "-18")],
};

pub(super) static TRUNC: Function = Function {
    name: "trunc",
    summary: "The number without its fraction.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes_number(&TRUNC, kinds),
    call: |values, _| of_fraction(values, f64::trunc),
    examples: &[("trunc(17.9)", "17"), ("trunc(-17.9)", "-17")],
};

pub(super) static ROUND: Function = Function {
    name: "round",
    summary: "The number rounded to so many decimal places, halves away from 0.",
    parameters: &[
        X,
        optional(
            "PLACES",
            Kind::Signed,
            "How many decimal places stay, 0 unless given; below 0: places before the point.",
        ),
    ],
    strict: true,
    kind: |kinds| takes_number(&ROUND, kinds),
    call: |values, _| round(values).unwrap_or_default(),
    examples: &[
        ("round(42.4332, 2)", "42.43"),
        ("round(2.5)", "3"),
        ("round(1250, -2)", "1300"),
    ],
};

fn round(values: &[Value]) -> Option<Value> {
    let places = integer_or(values, 1, 0)?.clamp(-400, 400) as i32;
    let unit = 10f64.powi(places.abs());
    let x = match argument(values, 0) {
        Value::Double(x) => *x,
        value => return round_integer(value.as_integer()?, places),
    };
    Some(Value::Double(if places < 0 {
        let rounded = (x / unit).round() * unit;
        if rounded.is_finite() { rounded } else { 0.0 }
    } else {
        let rounded = (x * unit).round() / unit;
        if rounded.is_finite() { rounded } else { x }
    }))
}

fn round_integer(x: i128, places: i32) -> Option<Value> {
    if places >= 0 {
        return Some(Value::Integer(x));
    }
    // What is rounded to more places than it has is 0.
    let Some(unit) = 10i128.checked_pow(places.unsigned_abs()) else {
        return Some(Value::Integer(0));
    };
    let rest = x % unit;
    let up = if rest.unsigned_abs() * 2 >= unit.unsigned_abs() {
        unit * rest.signum()
    } else {
        0
    };
    (x - rest).checked_add(up).map(Value::Integer)
}

pub(super) static MOD: Function = Function {
    name: "mod",
    summary: "What is left of the first number divided by the second; it has the sign of the first.",
    parameters: &[
        X,
        one("Y", Kind::Double, "The divisor; nothing is divided by 0."),
    ],
    strict: true,
    kind: |kinds| takes(&MOD, kinds, common_number(kinds)),
    call: |values, _| remainder(values).unwrap_or_default(),
    examples: &[
        ("mod(10, 3)", "1"),
        ("mod(-5, 3)", "-2"),
        ("mod(5.5, 2)", "1.5"),
        ("mod(5, 0)", ""),
        ("mod(5, 0.0)", ""),
    ],
};

fn remainder(values: &[Value]) -> Option<Value> {
    let (x, y) = (argument(values, 0), argument(values, 1));
    if let (Some(x), Some(y)) = (x.as_integer(), y.as_integer()) {
        return x.checked_rem(y).map(Value::Integer);
    }
    let by = double(values, 1)?;
    (by != 0.0).then_some(Value::Double(double(values, 0)? % by))
}

/// The kind of number that arithmetic with numbers of these kinds gives.
fn common_number(kinds: &[Kind]) -> Kind {
    let is = |wanted: Kind| kinds.contains(&wanted);
    match () {
        () if is(Kind::Text) || is(Kind::Dynamic) => Kind::Dynamic,
        () if is(Kind::Double) => Kind::Double,
        () => Kind::Signed,
    }
}

pub(super) static FORMAT_BYTES: Function = Function {
    name: "format_bytes",
    summary: "A number of bytes as people read it, in multiples of 1024.",
    parameters: &[X],
    strict: true,
    kind: |kinds| takes(&FORMAT_BYTES, kinds, Kind::Text),
    call: |values, _| integer(values, 0).map_or(Value::Absent, format_bytes),
    examples: &[
        ("format_bytes(16000)", "15.6 KiB"),
        ("format_bytes(1)", "1 byte"),
        ("format_bytes(-5000000000)", "-4.6 GiB"),
    ],
};

fn format_bytes(bytes: i128) -> Value {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let sign = if bytes < 0 { "-" } else { "" };
    let size = bytes.unsigned_abs();
    let power = (size.checked_ilog2().unwrap_or(0) / 10).min(UNITS.len() as u32);
    let unit = 1u128 << (10 * power);
    // Cut, not rounded: 1023.99 KiB are not 1024.
    let (whole, tenth) = (size / unit, size % unit * 10 / unit);
    Value::text(&match UNITS.get((power as usize).wrapping_sub(1)) {
        Some(name) => format!("{sign}{whole}.{tenth} {name}"),
        None if size == 1 => format!("{sign}1 byte"),
        None => format!("{sign}{size} bytes"),
    })
}
