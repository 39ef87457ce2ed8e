//! Expressions over one object: three-valued truth, and values.

use super::filter;
use super::object::Object;
use wireq_engine::plan::expr::{ArithmeticOp, Expr};
use wireq_typesys::{CompareOp, Kind, Literal, Value, Zone, holds};

/// Whether an expression holds; none where that is unknown.
pub fn truth(expr: &Expr, object: &Object, zone: &Zone) -> Option<bool> {
    match expr {
        Expr::Compare(op, left, right) => compare(*op, left, right, object, zone),
        Expr::And(parts) => all(parts, object, zone),
        Expr::Or(parts) => any(parts, object, zone),
        Expr::Not(inner) => truth(inner, object, zone).map(|holds| !holds),
        Expr::Exists(path, _) => Some(!object.get(path, zone).is_absent()),
        Expr::Holds(inner) => Some(truth(inner, object, zone) == Some(true)),
        Expr::Passes(call) => Some(filter::passes(call.module, &call.arguments, object, zone)),
        _ => panic!("`{expr}` is a value and no test"),
    }
}

fn all(parts: &[Expr], object: &Object, zone: &Zone) -> Option<bool> {
    let truths: Vec<_> = parts.iter().map(|p| truth(p, object, zone)).collect();
    if truths.contains(&Some(false)) {
        return Some(false);
    }
    (!truths.contains(&None)).then_some(true)
}

fn any(parts: &[Expr], object: &Object, zone: &Zone) -> Option<bool> {
    let truths: Vec<_> = parts.iter().map(|p| truth(p, object, zone)).collect();
    if truths.contains(&Some(true)) {
        return Some(true);
    }
    (!truths.contains(&None)).then_some(false)
}

fn compare(op: CompareOp, left: &Expr, right: &Expr, object: &Object, zone: &Zone) -> Option<bool> {
    match (left, right) {
        (Expr::Literal(left, _), Expr::Literal(right, _)) => {
            holds(op, &left.natural(), &right.natural(), zone)
        }
        (_, Expr::Literal(literal, _)) => {
            compare_literal(op, &value(left, object, zone), literal, zone)
        }
        (Expr::Literal(literal, _), _) => {
            compare_literal(op.mirrored(), &value(right, object, zone), literal, zone)
        }
        _ => holds(
            op,
            &value(left, object, zone),
            &value(right, object, zone),
            zone,
        ),
    }
}

pub fn compare_literal(
    op: CompareOp,
    value: &Value,
    literal: &Literal,
    zone: &Zone,
) -> Option<bool> {
    let constant = match value.kind()? {
        Kind::Text if literal.is_number() => literal.natural(),
        kind => literal.read(kind, zone)?,
    };
    match (value, &constant, op) {
        (Value::Address(address), Value::Prefix(block), CompareOp::Equal) => {
            Some(block.contains(*address))
        }
        (Value::Address(address), Value::Prefix(block), CompareOp::NotEqual) => {
            Some(!block.contains(*address))
        }
        _ => holds(op, value, &constant, zone),
    }
}

/// The value of a field, a constant or arithmetic.
fn value(expr: &Expr, object: &Object, zone: &Zone) -> Value {
    match expr {
        Expr::Field(path, _) => object.get(path, zone),
        Expr::Literal(literal, _) => literal.natural(),
        Expr::Arithmetic(op, left, right) => {
            let (left, right) = operands(*op, left, right, object, zone);
            arithmetic(*op, &left, &right)
        }
        _ => panic!("`{expr}` is a test and no value"),
    }
}

/// Both operands; a constant that is added to or taken from a time is a duration.
fn operands(
    op: ArithmeticOp,
    left: &Expr,
    right: &Expr,
    object: &Object,
    zone: &Zone,
) -> (Value, Value) {
    let additive = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
    let beside = |expr: &Expr, other: Value| match (expr, other) {
        (Expr::Literal(literal, _), Value::Time(_)) if additive => {
            literal.read(Kind::Duration, zone).unwrap_or_default()
        }
        _ => value(expr, object, zone),
    };
    let (a, b) = (value(left, object, zone), value(right, object, zone));
    (beside(left, b), beside(right, a))
}

fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    use ArithmeticOp::{Add, Subtract};
    let nanos = match (op, left, right) {
        (Add, Value::Time(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Time),
        (Add, Value::Duration(a), Value::Time(b)) => a.checked_add(*b).map(Value::Time),
        (Add, Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration),
        (Subtract, Value::Time(a), Value::Time(b)) => a.checked_sub(*b).map(Value::Duration),
        (Subtract, Value::Time(a), Value::Duration(b)) => a.checked_sub(*b).map(Value::Time),
        (Subtract, Value::Duration(a), Value::Duration(b)) => {
            a.checked_sub(*b).map(Value::Duration)
        }
        _ => numbers(op, number(left), number(right)),
    };
    nanos.unwrap_or_default()
}

/// A value as a number, text read as one.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Integer(_) | Value::Double(_) => Some(value.clone()),
        Value::Named(number, _) => Some(Value::Integer((*number).into())),
        Value::Text(text) => match Literal::new(std::str::from_utf8(text).ok()?).natural() {
            Value::Text(_) => None,
            number => Some(number),
        },
        _ => None,
    }
}

fn numbers(op: ArithmeticOp, left: Option<Value>, right: Option<Value>) -> Option<Value> {
    let (left, right) = (left?, right?);
    match (op, &left, &right) {
        (ArithmeticOp::Add, Value::Integer(a), Value::Integer(b)) => {
            a.checked_add(*b).map(Value::Integer)
        }
        (ArithmeticOp::Subtract, Value::Integer(a), Value::Integer(b)) => {
            a.checked_sub(*b).map(Value::Integer)
        }
        (ArithmeticOp::Multiply, Value::Integer(a), Value::Integer(b)) => {
            a.checked_mul(*b).map(Value::Integer)
        }
        _ => doubles(op, double(&left), double(&right)).map(Value::Double),
    }
}

fn double(number: &Value) -> f64 {
    match number {
        Value::Integer(integer) => *integer as f64,
        Value::Double(double) => *double,
        other => panic!("{other:?} is no number"),
    }
}

fn doubles(op: ArithmeticOp, left: f64, right: f64) -> Option<f64> {
    match op {
        ArithmeticOp::Add => Some(left + right),
        ArithmeticOp::Subtract => Some(left - right),
        ArithmeticOp::Multiply => Some(left * right),
        ArithmeticOp::Divide => (right != 0.0).then(|| left / right),
        ArithmeticOp::DivideWhole | ArithmeticOp::Modulo => panic!("no query has {op:?} yet"),
    }
}
