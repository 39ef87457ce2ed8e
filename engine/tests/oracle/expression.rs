//! Expressions over one object: three-valued truth, and values.

use super::arithmetic::arithmetic;
use super::call::{self, call};
use super::filter;
use super::object::Object;
use wireq_engine::plan::expr::{ArithmeticOp, Expr};
use wireq_typesys::{CompareOp, FieldPath, Kind, Literal, Value, Zone, holds};

/// The values of some fields.
pub fn key_of(fields: &[FieldPath], object: &Object, zone: &Zone) -> Vec<Value> {
    fields.iter().map(|path| object.get(path, zone)).collect()
}

/// Whether an expression is known to hold.
pub fn is_true(expr: &Expr, object: &Object, zone: &Zone) -> bool {
    truth(expr, object, zone) == Some(true)
}

/// Whether an expression holds; none where that is unknown.
pub fn truth(expr: &Expr, object: &Object, zone: &Zone) -> Option<bool> {
    match expr {
        Expr::Compare(op, left, right) => compare(*op, left, right, object, zone),
        Expr::And(parts) => all(parts, object, zone),
        Expr::Or(parts) => any(parts, object, zone),
        Expr::Not(inner) => truth(inner, object, zone).map(|holds| !holds),
        Expr::Exists(path, _) => Some(!object.get(path, zone).is_absent()),
        Expr::Holds(inner) => Some(is_true(inner, object, zone)),
        Expr::Passes(call) => Some(filter::passes(call.module, &call.arguments, object, zone)),
        Expr::Bool(truth, _) => Some(*truth),
        Expr::Absent(_) => None,
        Expr::Truth(inner) => call::truth(&value(inner, object, zone)),
        Expr::IsAbsent(inner) => Some(value(inner, object, zone).is_absent()),
        Expr::Field(..)
        | Expr::Literal(..)
        | Expr::Arithmetic(..)
        | Expr::Call(..)
        | Expr::Case(..) => panic!("`{expr}` is a value and no test"),
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

/// A value beside a constant. Of a list any value may be the one.
pub fn compare_literal(
    op: CompareOp,
    value: &Value,
    literal: &Literal,
    zone: &Zone,
) -> Option<bool> {
    if let Value::List(values) = value {
        // Unequal is what no value is equal to.
        if op == CompareOp::NotEqual {
            return compare_literal(CompareOp::Equal, value, literal, zone).map(|yes| !yes);
        }
        let each = values.iter();
        let truths: Vec<_> = each
            .map(|v| compare_literal(op, v, literal, zone))
            .collect();
        let known = truths.iter().any(Option::is_some);
        return known.then(|| truths.contains(&Some(true)));
    }
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
        (Value::Address(_), Value::Prefix(_), _) => None,
        _ => holds(op, value, &constant, zone),
    }
}

/// The value of an expression. A test has one too: true or false, absent where it is unknown.
pub fn value(expr: &Expr, object: &Object, zone: &Zone) -> Value {
    match expr {
        Expr::Field(path, _) => object.get(path, zone),
        Expr::Literal(literal, _) => literal.natural(),
        Expr::Arithmetic(op, left, right) => {
            let (left, right) = operands(*op, left, right, object, zone);
            arithmetic(*op, &left, &right)
        }
        Expr::Call(function, arguments, _) => {
            let kind = |at| function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
            let numbered = arguments.iter().enumerate();
            let values = numbered.map(|(at, argument)| match (argument, kind(at)) {
                // In quotes is what a function gets, backslashes and all.
                (Expr::Literal(literal, _), Kind::Text | Kind::Bytes | Kind::Dynamic)
                    if literal.quoted =>
                {
                    Value::text(&literal.text)
                }
                (Expr::Literal(literal, _), kind) if kind != Kind::Dynamic => {
                    literal.read(kind, zone).unwrap_or_default()
                }
                _ => value(argument, object, zone),
            });
            call(function, values.collect(), zone)
        }
        Expr::Case(arms, otherwise) => {
            let mut arms = arms.iter();
            match arms.find(|(test, _)| is_true(test, object, zone)) {
                Some((_, result)) => value(result, object, zone),
                None => otherwise
                    .as_ref()
                    .map_or(Value::Absent, |o| value(o, object, zone)),
            }
        }
        Expr::Absent(_) => Value::Absent,
        test => truth(test, object, zone).map_or(Value::Absent, Value::Bool),
    }
}

/// Both operands; a constant that is added to or taken from a time or a duration is a duration.
fn operands(
    op: ArithmeticOp,
    left: &Expr,
    right: &Expr,
    object: &Object,
    zone: &Zone,
) -> (Value, Value) {
    let additive = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
    let beside = |expr: &Expr, other: Value| match (expr, other) {
        (Expr::Literal(literal, _), Value::Time(_) | Value::Duration(_)) if additive => {
            literal.read(Kind::Duration, zone).unwrap_or_default()
        }
        _ => value(expr, object, zone),
    };
    let (a, b) = (value(left, object, zone), value(right, object, zone));
    (beside(left, b), beside(right, a))
}
