//! Calls of scalar functions: arguments as the kinds that a function takes.

use super::arithmetic::number;
use wireq_engine::ScalarFunction;
use wireq_typesys::{Kind, Literal, Value, Zone, write_value};

/// Calls a function.
pub fn call(function: &ScalarFunction, arguments: Vec<Value>, zone: &Zone) -> Value {
    // Of a list, a function that takes none takes each value.
    let is_each = |(at, value): (usize, &Value)| {
        (function.takes_each(at) && matches!(value, Value::List(_))).then_some(at)
    };
    if let Some(at) = arguments.iter().enumerate().find_map(is_each) {
        let Value::List(each) = &arguments[at] else {
            unreachable!("found above")
        };
        let called = each.iter().map(|value| {
            let mut arguments = arguments.clone();
            arguments[at] = value.clone();
            call(function, arguments, zone)
        });
        return Value::List(called.collect());
    }
    let kind = |at| function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
    let numbered = arguments.iter().enumerate();
    let values: Vec<Value> = numbered
        .map(|(at, value)| as_kind(value, kind(at), zone))
        .collect();
    if function.strict && values.iter().any(Value::is_absent) {
        return Value::Absent;
    }
    (function.call)(&values, zone)
}

/// A value as a kind; absent where it can't be read as that.
pub fn as_kind(value: &Value, kind: Kind, zone: &Zone) -> Value {
    let is_number = matches!(
        value,
        Value::Integer(_) | Value::Double(_) | Value::Named(..) | Value::Bool(_)
    );
    match kind {
        _ if value.is_absent() => Value::Absent,
        Kind::Dynamic | Kind::Object | Kind::List(_) => value.clone(),
        Kind::Bytes | Kind::Text => match value {
            Value::Bytes(_) | Value::Text(_) => value.clone(),
            other => Value::Text(text_of(other, zone).into()),
        },
        Kind::Bool if is_number => truth(value).map_or(Value::Absent, Value::Bool),
        Kind::Signed | Kind::Unsigned if is_number => match number(value) {
            // Halves go to the even number.
            Some(Value::Double(double)) if double.abs() < 1.7e38 => {
                Value::Integer(double.round_ties_even() as i128)
            }
            Some(Value::Integer(integer)) => Value::Integer(integer),
            _ => Value::Absent,
        },
        // Whole numbers stay whole.
        Kind::Double if is_number => number(value).unwrap_or_default(),
        // A block stands for the addresses in it.
        Kind::Address if matches!(value, Value::Prefix(_)) => value.clone(),
        kind if value.kind() == Some(kind) => value.clone(),
        kind => {
            let text = String::from_utf8(text_of(value, zone)).ok();
            let read = text.and_then(|text| Literal::new(text.trim()).read(kind, zone));
            read.unwrap_or_default()
        }
    }
}

/// A value as truth: true, or a number other than 0; none where it is neither true nor false.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Integer(integer) => Some(*integer != 0),
        Value::Named(number, _) => Some(*number != 0),
        Value::List(values) => {
            let truths: Vec<bool> = values.iter().filter_map(truth).collect();
            (!truths.is_empty()).then(|| truths.contains(&true))
        }
        Value::Double(double) => Some(*double != 0.0),
        Value::Text(text) | Value::Bytes(text) => match text.trim_ascii() {
            b"true" | b"1" => Some(true),
            b"false" | b"0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn text_of(value: &Value, zone: &Zone) -> Vec<u8> {
    let mut text = Vec::new();
    match value {
        Value::Text(bytes) | Value::Bytes(bytes) => text.extend_from_slice(bytes),
        other => write_value(other, zone, &mut text),
    }
    text
}
