//! Arithmetic on values.

use crate::plan::expr::ArithmeticOp;
use wireq_typesys::{Kind, Literal, Value};

/// Arithmetic on two values; absent where it has no result. With a list, for each of its values.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    use ArithmeticOp::{Add, Subtract};
    match (left, right) {
        (Value::List(values), other) => {
            Value::List(values.iter().map(|v| arithmetic(op, v, other)).collect())
        }
        (other, Value::List(values)) => {
            Value::List(values.iter().map(|v| arithmetic(op, other, v)).collect())
        }
        (Value::Time(a), Value::Time(b)) if op == Subtract => {
            a.checked_sub(*b).map_or(Value::Absent, Value::Duration)
        }
        (Value::Time(a), Value::Duration(b)) => {
            nanos(op, *a, *b).map_or(Value::Absent, Value::Time)
        }
        (Value::Duration(a), Value::Time(b)) if op == Add => {
            a.checked_add(*b).map_or(Value::Absent, Value::Time)
        }
        (Value::Duration(a), Value::Duration(b)) => durations(op, *a, *b),
        (Value::Duration(a), other) => scaled(op, *a, other),
        (other, Value::Duration(b)) if op == ArithmeticOp::Multiply => scaled(op, *b, other),
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => numbers(op, &a, &b),
            _ => Value::Absent,
        },
    }
}

/// Durations add up, and one holds another so many times.
fn durations(op: ArithmeticOp, a: i64, b: i64) -> Value {
    let (whole, other) = (Value::Integer(a.into()), Value::Integer(b.into()));
    match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => {
            nanos(op, a, b).map_or(Value::Absent, Value::Duration)
        }
        ArithmeticOp::Modulo => a.checked_rem(b).map_or(Value::Absent, Value::Duration),
        ArithmeticOp::Divide | ArithmeticOp::DivideWhole => numbers(op, &whole, &other),
        ArithmeticOp::Multiply => Value::Absent,
    }
}

/// A duration so many times, or a part of it.
fn scaled(op: ArithmeticOp, duration: i64, times: &Value) -> Value {
    let scales = matches!(op, ArithmeticOp::Multiply | ArithmeticOp::Divide);
    let Some(times) = number(times).filter(|_| scales) else {
        return Value::Absent;
    };
    let nanos = match numbers(op, &Value::Integer(duration.into()), &times) {
        Value::Integer(nanos) => i64::try_from(nanos).ok(),
        Value::Double(nanos) if nanos.abs() < 9.2e18 => Some(nanos.round() as i64),
        _ => None,
    };
    nanos.map_or(Value::Absent, Value::Duration)
}

fn nanos(op: ArithmeticOp, a: i64, b: i64) -> Option<i64> {
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        _ => None,
    }
}

/// A value as an integer or double; text is read as one.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Integer(_) | Value::Double(_) => Some(value.clone()),
        Value::Named(number, _) => Some(Value::Integer((*number).into())),
        Value::Bool(b) => Some(Value::Integer((*b).into())),
        Value::Text(text) => {
            let natural = Literal::new(std::str::from_utf8(text).ok()?).natural();
            matches!(natural, Value::Integer(_) | Value::Double(_)).then_some(natural)
        }
        _ => None,
    }
}

fn numbers(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    let double = |value: &Value| match value {
        Value::Integer(integer) => *integer as f64,
        Value::Double(double) => *double,
        _ => f64::NAN,
    };
    match (op, left, right) {
        (ArithmeticOp::Divide, ..) => match double(right) {
            0.0 => Value::Absent,
            divisor => Value::Double(double(left) / divisor),
        },
        (_, Value::Integer(a), Value::Integer(b)) => {
            integers(op, *a, *b).map_or(Value::Absent, Value::Integer)
        }
        _ => doubles(op, double(left), double(right)),
    }
}

fn integers(op: ArithmeticOp, a: i128, b: i128) -> Option<i128> {
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        ArithmeticOp::Multiply => a.checked_mul(b),
        ArithmeticOp::Divide => None,
        ArithmeticOp::DivideWhole => a.checked_div(b),
        ArithmeticOp::Modulo => a.checked_rem(b),
    }
}

fn doubles(op: ArithmeticOp, a: f64, b: f64) -> Value {
    Value::Double(match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        ArithmeticOp::Multiply => a * b,
        _ if b == 0.0 => return Value::Absent,
        ArithmeticOp::Divide => a / b,
        ArithmeticOp::DivideWhole => (a / b).trunc(),
        ArithmeticOp::Modulo => a % b,
    })
}

/// The kind of a result of arithmetic on these kinds.
pub fn arithmetic_kind(op: ArithmeticOp, left: Kind, right: Kind) -> Kind {
    use ArithmeticOp::{Divide, Subtract};
    let whole = |kind: Kind| kind.is_number() && kind != Kind::Double || kind == Kind::Bool;
    match (left, right) {
        (Kind::List(_), _) | (_, Kind::List(_)) => {
            arithmetic_kind(op, left.of_each(), right.of_each()).list()
        }
        (Kind::Dynamic | Kind::Text, _) | (_, Kind::Dynamic | Kind::Text) => Kind::Dynamic,
        (Kind::Time, Kind::Time) if op == Subtract => Kind::Duration,
        (Kind::Time, _) | (_, Kind::Time) => Kind::Time,
        (Kind::Duration, Kind::Duration) if op == Divide => Kind::Double,
        (Kind::Duration, _) | (_, Kind::Duration) => Kind::Duration,
        (a, b) if whole(a) && whole(b) && op != Divide => Kind::Signed,
        _ => Kind::Double,
    }
}
