//! Functions that make values of one kind of values of another: what `CAST(x AS kind)` calls.

use super::support::*;
use wireq_typesys::{Kind, Value, Zone};

const VALUE: FunctionParameter = one("VALUE", Kind::Dynamic, "The value.");

pub(super) static TO_INT: Function = Function {
    name: "to_int",
    summary: "The value as an integer: doubles are rounded, halves to the even one, those of texts away from 0.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_INT, kinds, Kind::Signed),
    call: |values, _| {
        let integer = to_int(argument(values, 0));
        integer.map_or(Value::Absent, Value::Integer)
    },
    examples: &[
        ("to_int('42')", "42"),
        ("to_int(2.5)", "2"),
        ("to_int('2.5')", "3"),
        ("to_int('abc')", ""),
    ],
};

fn to_int(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(b) => Some(i128::from(*b)),
        Value::Double(double) => whole(double.round_ties_even()),
        // Rounded down, as the conversion .int has it.
        Value::Time(nanos) | Value::Duration(nanos) => Some(nanos.div_euclid(1_000_000_000).into()),
        Value::Text(text) | Value::Bytes(text) => match read_number(text)? {
            Value::Double(double) => whole(double.round()),
            number => number.as_integer(),
        },
        value => value.as_integer(),
    }
}

fn read_number(text: &[u8]) -> Option<Value> {
    read(text, Kind::Double, &Zone::utc())
}

pub(super) static TO_DOUBLE: Function = Function {
    name: "to_double",
    summary: "The value as a floating-point number; times and durations in seconds.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_DOUBLE, kinds, Kind::Double),
    call: |values, _| to_double(argument(values, 0)).map_or(Value::Absent, Value::Double),
    examples: &[
        ("to_double('1e3')", "1000"),
        ("to_double('-inf')", "-inf"),
        ("to_double('abc')", ""),
    ],
};

fn to_double(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Double(double) => Some(*double),
        // In parts: whole seconds are exact.
        Value::Time(nanos) | Value::Duration(nanos) => Some(seconds(*nanos)),
        // Not as a literal is read, so that infinities are read too.
        Value::Text(text) | Value::Bytes(text) => {
            let text = std::str::from_utf8(text).ok()?.trim();
            text.parse().ok()
        }
        value => value.as_integer().map(|integer| integer as f64),
    }
}

/// Nanoseconds in seconds; whole seconds are exact.
pub(super) fn seconds(nanos: i64) -> f64 {
    nanos.div_euclid(1_000_000_000) as f64 + nanos.rem_euclid(1_000_000_000) as f64 / 1e9
}

pub(super) static TO_BOOL: Function = Function {
    name: "to_bool",
    summary: "The value as true or false: numbers but 0 are true; texts are read, as in true, t, yes, y and 1.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_BOOL, kinds, Kind::Bool),
    call: |values, _| to_bool(argument(values, 0)).map_or(Value::Absent, Value::Bool),
    examples: &[
        ("to_bool('Yes')", "true"),
        ("to_bool(0)", "false"),
        ("to_bool('x')", ""),
    ],
};

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Double(double) => Some(*double != 0.0),
        Value::Text(text) | Value::Bytes(text) => {
            let is = |word: &&str| word.as_bytes().eq_ignore_ascii_case(text);
            let yes = ["true", "t", "yes", "y", "1"].iter().any(&is);
            let no = ["false", "f", "no", "n", "0"].iter().any(is);
            (yes || no).then_some(yes)
        }
        value => value.as_integer().map(|integer| integer != 0),
    }
}

pub(super) static TO_TEXT: Function = Function {
    name: "to_text",
    summary: "The value as it is printed; bytes become the text that they are.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_TEXT, kinds, Kind::Text),
    call: |values, zone| match argument(values, 0) {
        Value::Text(text) | Value::Bytes(text) => Value::Text(text.clone()),
        value => written_text(|out| write_raw(value, zone, out)),
    },
    examples: &[
        ("to_text(80)", "80"),
        ("length(to_text(to_address('10.0.0.1')))", "8"),
    ],
};

pub(super) static TO_BYTES: Function = Function {
    name: "to_bytes",
    summary: "The bytes of a text, an address or a hardware address.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_BYTES, kinds, Kind::Bytes),
    call: |values, _| match argument(values, 0) {
        Value::Text(bytes) | Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
        Value::Mac(mac) => Value::Bytes(mac.0.into()),
        Value::Address(std::net::IpAddr::V4(v4)) => Value::Bytes(v4.octets().into()),
        Value::Address(std::net::IpAddr::V6(v6)) => Value::Bytes(v6.octets().into()),
        _ => Value::Absent,
    },
    examples: &[
        ("length(to_bytes('é'))", "2"),
        ("hex(to_bytes(to_address('10.0.0.1')))", "0A000001"),
    ],
};

/// What a text or number is read as; values of the kind itself stay.
fn to_kind(values: &[Value], zone: &Zone, kind: Kind) -> Value {
    match argument(values, 0) {
        value if value.kind() == Some(kind) => value.clone(),
        Value::Text(text) | Value::Bytes(text) => read(text, kind, zone)
            .filter(|value| value.kind() == Some(kind))
            .unwrap_or_default(),
        _ => Value::Absent,
    }
}

pub(super) static TO_TIME: Function = Function {
    name: "to_time",
    summary: "The value as a time: texts are read as constants are, numbers are seconds since 1970.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_TIME, kinds, Kind::Time),
    call: |values, zone| match nanos(argument(values, 0)) {
        Some(nanos) => Value::Time(nanos),
        None => to_kind(values, zone, Kind::Time),
    },
    examples: &[
        ("epoch(to_time('2000-03-25T12:13:29.5Z'))", "953986409.5"),
        ("epoch_ms(to_time(1.5))", "1500"),
        ("to_time('abc')", ""),
    ],
};

pub(super) static TO_DURATION: Function = Function {
    name: "to_duration",
    summary: "The value as a duration: texts such as 1h30m are read, numbers are seconds.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_DURATION, kinds, Kind::Duration),
    call: |values, zone| match nanos(argument(values, 0)) {
        Some(nanos) => Value::Duration(nanos),
        None => to_kind(values, zone, Kind::Duration),
    },
    examples: &[
        ("to_duration('1h30m')", "5400"),
        ("to_duration(2.5)", "2.500000"),
    ],
};

/// Seconds in nanoseconds, where the value is a number.
pub(super) fn nanos(value: &Value) -> Option<i64> {
    match value {
        Value::Double(seconds) => {
            let nanos = (seconds * 1e9).round();
            (nanos.abs() < 9.2e18).then_some(nanos as i64)
        }
        value => i64::try_from(value.as_integer()?.checked_mul(1_000_000_000)?).ok(),
    }
}

pub(super) static TO_ADDRESS: Function = Function {
    name: "to_address",
    summary: "A text as an IPv4 or IPv6 address; of a block its first.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_ADDRESS, kinds, Kind::Address),
    call: |values, zone| match argument(values, 0) {
        Value::Prefix(prefix) => Value::Address(prefix.address),
        _ => to_kind(values, zone, Kind::Address),
    },
    examples: &[
        ("to_address('2001:DB8::1')", "2001:db8::1"),
        ("to_address('10.0.0')", ""),
    ],
};

pub(super) static TO_PREFIX: Function = Function {
    name: "to_prefix",
    summary: "A text as an address block; an address is the block of itself.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_PREFIX, kinds, Kind::Prefix),
    call: |values, zone| match prefix(values, 0) {
        Some(prefix) => Value::Prefix(prefix),
        None => to_kind(values, zone, Kind::Prefix),
    },
    examples: &[
        ("to_prefix('10.1.2.3/8')", "10.0.0.0/8"),
        ("to_prefix('10.0.0.0/33')", ""),
    ],
};

pub(super) static TO_MAC: Function = Function {
    name: "to_mac",
    summary: "A text, or six bytes, as a hardware address.",
    parameters: &[VALUE],
    strict: true,
    kind: |kinds| takes(&TO_MAC, kinds, Kind::Mac),
    call: |values, zone| match argument(values, 0) {
        Value::Bytes(bytes) if bytes.len() == 6 => <[u8; 6]>::try_from(&**bytes)
            .map_or(Value::Absent, |bytes| Value::Mac(wireq_typesys::Mac(bytes))),
        _ => to_kind(values, zone, Kind::Mac),
    },
    examples: &[
        ("to_mac('00-1A-2b-3C-4d-5e')", "00:1a:2b:3c:4d:5e"),
        ("to_mac(unhex('001a2b3c4d5e'))", "00:1a:2b:3c:4d:5e"),
    ],
};
