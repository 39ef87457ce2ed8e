//! Arithmetic on values.

use wireq_engine::plan::expr::ArithmeticOp;
use wireq_typesys::{Literal, Value};

/// The result of an operator; absent where it has none.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    use ArithmeticOp::{Add, Divide, DivideWhole, Modulo, Multiply, Subtract};
    use Value::{Duration, Time};
    match (op, left, right) {
        (_, Value::List(values), other) => {
            Value::List(values.iter().map(|v| arithmetic(op, v, other)).collect())
        }
        (_, other, Value::List(values)) => {
            Value::List(values.iter().map(|v| arithmetic(op, other, v)).collect())
        }
        (Add, Time(a), Duration(b)) | (Add, Duration(a), Time(b)) => {
            or_absent(a.checked_add(*b), Time)
        }
        (Subtract, Time(a), Duration(b)) => or_absent(a.checked_sub(*b), Time),
        (Subtract, Time(a), Time(b)) => or_absent(a.checked_sub(*b), Duration),
        (Add, Duration(a), Duration(b)) => or_absent(a.checked_add(*b), Duration),
        (Subtract, Duration(a), Duration(b)) => or_absent(a.checked_sub(*b), Duration),
        (Modulo, Duration(a), Duration(b)) => or_absent(a.checked_rem(*b), Duration),
        // How often one duration is in another.
        (Divide, Duration(a), Duration(b)) => quotient(*a as f64, *b as f64),
        (DivideWhole, Duration(a), Duration(b)) => {
            or_absent(i128::from(*a).checked_div((*b).into()), Value::Integer)
        }
        (Multiply, Duration(a), times) | (Multiply, times, Duration(a)) => scaled(*a, times, op),
        (Divide, Duration(a), times) => scaled(*a, times, op),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => numbers(op, &left, &right),
            _ => Value::Absent,
        },
    }
}

fn or_absent<T>(result: Option<T>, value: fn(T) -> Value) -> Value {
    result.map_or(Value::Absent, value)
}

/// A value as an integer or a double; text is read as one.
pub fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Integer(_) | Value::Double(_) => Some(value.clone()),
        Value::Bool(truth) => Some(Value::Integer((*truth).into())),
        Value::Named(number, _) => Some(Value::Integer((*number).into())),
        Value::Text(text) => match Literal::new(std::str::from_utf8(text).ok()?).natural() {
            Value::Text(_) => None,
            number => Some(number),
        },
        _ => None,
    }
}

fn numbers(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    match (op, left, right) {
        (ArithmeticOp::Divide, ..) => quotient(double(left), double(right)),
        (_, Value::Integer(a), Value::Integer(b)) => {
            or_absent(integers(op, *a, *b), Value::Integer)
        }
        _ => doubles(op, double(left), double(right)),
    }
}

fn integers(op: ArithmeticOp, a: i128, b: i128) -> Option<i128> {
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        ArithmeticOp::Multiply => a.checked_mul(b),
        ArithmeticOp::DivideWhole => a.checked_div(b),
        ArithmeticOp::Modulo => a.checked_rem(b),
        ArithmeticOp::Divide => unreachable!("gives a double"),
    }
}

fn doubles(op: ArithmeticOp, a: f64, b: f64) -> Value {
    match op {
        ArithmeticOp::Add => Value::Double(a + b),
        ArithmeticOp::Subtract => Value::Double(a - b),
        ArithmeticOp::Multiply => Value::Double(a * b),
        ArithmeticOp::Divide => quotient(a, b),
        _ if b == 0.0 => Value::Absent,
        ArithmeticOp::DivideWhole => Value::Double((a / b).trunc()),
        ArithmeticOp::Modulo => Value::Double(a % b),
    }
}

fn quotient(a: f64, b: f64) -> Value {
    if b == 0.0 {
        Value::Absent
    } else {
        Value::Double(a / b)
    }
}

fn double(number: &Value) -> f64 {
    match number {
        Value::Integer(integer) => *integer as f64,
        Value::Double(double) => *double,
        other => panic!("{other:?} is no number"),
    }
}

/// A duration so many times, or such a part of it, to the nearest nanosecond.
fn scaled(nanos: i64, times: &Value, op: ArithmeticOp) -> Value {
    let Some(times) = number(times) else {
        return Value::Absent;
    };
    match numbers(op, &Value::Integer(nanos.into()), &times) {
        Value::Integer(nanos) => or_absent(i64::try_from(nanos).ok(), Value::Duration),
        Value::Double(nanos) if nanos.abs() < 9.2e18 => Value::Duration(nanos.round() as i64),
        _ => Value::Absent,
    }
}
