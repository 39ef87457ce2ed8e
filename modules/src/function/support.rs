//! What the declarations and the calls of functions have in common.

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use wireq_typesys::{Kind, Literal, Prefix, Value, Zone, write_value};

pub(super) use super::texts::Text;
pub(super) use wireq_engine::{FunctionParameter, ScalarFunction as Function, Times};

/// The most bytes that a function makes of fewer: what would be longer is absent.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// A parameter that is given exactly once.
pub(super) const fn one(
    name: &'static str,
    kind: Kind,
    summary: &'static str,
) -> FunctionParameter {
    FunctionParameter {
        name,
        kind,
        times: Times::One,
        summary,
        demand: None,
    }
}

/// A parameter that may be left out.
pub(super) const fn optional(
    name: &'static str,
    kind: Kind,
    summary: &'static str,
) -> FunctionParameter {
    FunctionParameter {
        times: Times::Optional,
        ..one(name, kind, summary)
    }
}

/// A parameter that may be given any number of times.
pub(super) const fn any(
    name: &'static str,
    kind: Kind,
    summary: &'static str,
) -> FunctionParameter {
    FunctionParameter {
        times: Times::Any,
        ..one(name, kind, summary)
    }
}

/// `gives`, unless a kind is none that the function's parameter takes.
pub(super) fn takes(function: &Function, kinds: &[Kind], gives: Kind) -> Result<Kind, String> {
    for (at, kind) in kinds.iter().enumerate() {
        let Some(parameter) = function.parameter(at) else {
            continue;
        };
        if !fits(parameter.kind, *kind) {
            let (name, wanted) = (parameter.name, describe(parameter.kind));
            return Err(format!("{name} must be {wanted}, not {}", describe(*kind)));
        }
    }
    Ok(gives)
}

/// As [`takes`]; gives the kind of text that the first argument is.
pub(super) fn takes_text(function: &Function, kinds: &[Kind]) -> Result<Kind, String> {
    let gives = match kinds.first() {
        Some(Kind::Bytes) => Kind::Bytes,
        Some(Kind::Dynamic) => Kind::Dynamic,
        _ => Kind::Text,
    };
    takes(function, kinds, gives)
}

/// As [`takes`]; gives the kind of number that the first argument is.
pub(super) fn takes_number(function: &Function, kinds: &[Kind]) -> Result<Kind, String> {
    let gives = match kinds.first() {
        Some(kind @ (Kind::Signed | Kind::Unsigned | Kind::Double)) => *kind,
        Some(Kind::Named(_)) => Kind::Unsigned,
        _ => Kind::Dynamic,
    };
    takes(function, kinds, gives)
}

/// Whether a parameter takes a kind. Text is read as what is wanted; so may be any value.
fn fits(wanted: Kind, kind: Kind) -> bool {
    match wanted {
        _ if kind == Kind::Dynamic || kind == Kind::Text => true,
        Kind::Dynamic => true,
        Kind::Signed | Kind::Unsigned | Kind::Double => kind.is_number(),
        Kind::Text => matches!(kind, Kind::Bytes | Kind::Named(_)),
        Kind::Prefix => matches!(kind, Kind::Prefix | Kind::Address),
        wanted => kind == wanted,
    }
}

/// What values of a kind are, in a message.
pub(super) fn describe(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false",
        Kind::Signed | Kind::Unsigned | Kind::Double => "a number",
        Kind::Time => "a time",
        Kind::Duration => "a duration",
        Kind::Address => "an address",
        Kind::Prefix => "an address block",
        Kind::Mac => "a hardware address",
        Kind::Bytes => "bytes",
        Kind::Text => "text",
        Kind::Object => "an object",
        kind => return kind.to_string(),
    }
    .to_owned()
}

/// The argument of a number; absent where it was not given.
pub(super) fn argument(values: &[Value], at: usize) -> &Value {
    values.get(at).unwrap_or(&Value::Absent)
}

/// An argument as a double.
pub(super) fn double(values: &[Value], at: usize) -> Option<f64> {
    match argument(values, at) {
        Value::Double(double) => Some(*double),
        value => value.as_integer().map(|integer| integer as f64),
    }
}

/// An argument as an integer; doubles only where they are whole.
pub(super) fn integer(values: &[Value], at: usize) -> Option<i128> {
    match argument(values, at) {
        Value::Double(double) => whole(*double),
        value => value.as_integer(),
    }
}

/// A double as the integer that it is.
pub(super) fn whole(double: f64) -> Option<i128> {
    // Beyond 2^127 a double is no integer of ours.
    (double.fract() == 0.0 && double.abs() < 1.7e38).then_some(double as i128)
}

/// An argument that may be left out: `default` then, absent where it can't be an integer.
pub(super) fn integer_or(values: &[Value], at: usize, default: i128) -> Option<i128> {
    match values.get(at) {
        Some(_) => integer(values, at),
        None => Some(default),
    }
}

/// An argument as a time.
pub(super) fn time(values: &[Value], at: usize) -> Option<i64> {
    match argument(values, at) {
        Value::Time(nanos) => Some(*nanos),
        _ => None,
    }
}

/// An argument as an address.
pub(super) fn address(values: &[Value], at: usize) -> Option<IpAddr> {
    match argument(values, at) {
        Value::Address(address) => Some(*address),
        _ => None,
    }
}

/// An argument as a block; an address is the block of itself.
pub(super) fn prefix(values: &[Value], at: usize) -> Option<Prefix> {
    match argument(values, at) {
        Value::Prefix(prefix) => Some(*prefix),
        Value::Address(address) => Prefix::new(*address, if address.is_ipv4() { 32 } else { 128 }),
        _ => None,
    }
}

/// An argument as text, or as bytes.
pub(super) fn text(values: &[Value], at: usize) -> Option<Text<'_>> {
    Text::of(argument(values, at))
}

thread_local! {
    /// Where results are written whose length is not known before.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bytes that `write` writes, in one allocation; none where it gives up.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<Arc<[u8]>> {
    let mut out = SCRATCH.take();
    out.clear();
    let bytes = write(&mut out).map(|()| Arc::from(out.as_slice()));
    // What a long text needed once is not kept.
    out.shrink_to(BYTES_MAX);
    SCRATCH.set(out);
    bytes
}

/// What `read` makes of the bytes that `write` writes.
pub(super) fn with_written<T>(
    write: impl FnOnce(&mut Vec<u8>),
    read: impl FnOnce(&[u8]) -> T,
) -> T {
    let mut out = SCRATCH.take();
    out.clear();
    write(&mut out);
    let result = read(&out);
    out.shrink_to(BYTES_MAX);
    SCRATCH.set(out);
    result
}

/// As [`written`], as text.
pub(super) fn written_text(write: impl FnOnce(&mut Vec<u8>)) -> Value {
    let bytes = written(|out| {
        write(out);
        Some(())
    });
    bytes.map_or(Value::Absent, Value::Text)
}

/// Writes a value as it stands in a text: bytes as they are, other kinds in their text form.
pub(super) fn write_raw(value: &Value, zone: &Zone, out: &mut Vec<u8>) {
    match value.as_bytes() {
        Some(bytes) => out.extend_from_slice(bytes),
        None => write_value(value, zone, out),
    }
}

/// Text read as another kind.
pub(super) fn read(text: &[u8], kind: Kind, zone: &Zone) -> Option<Value> {
    let literal = Literal::new(std::str::from_utf8(text).ok()?.trim());
    literal.read(kind, zone)
}
