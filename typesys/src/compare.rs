//! Equality and order across kinds.

use crate::{Literal, Value, Zone, key};
use std::cmp::Ordering;

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named after what they are")]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl CompareOp {
    /// Whether the operator accepts this order of left and right.
    #[inline(always)]
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            CompareOp::Equal => order == Ordering::Equal,
            CompareOp::NotEqual => order != Ordering::Equal,
            CompareOp::Less => order == Ordering::Less,
            CompareOp::LessOrEqual => order != Ordering::Greater,
            CompareOp::Greater => order == Ordering::Greater,
            CompareOp::GreaterOrEqual => order != Ordering::Less,
        }
    }

    /// The operator that says the same with left and right exchanged.
    pub fn mirrored(self) -> CompareOp {
        match self {
            CompareOp::Less => CompareOp::Greater,
            CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
            CompareOp::Greater => CompareOp::Less,
            CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
            same => same,
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Equal => "=",
            CompareOp::NotEqual => "!=",
            CompareOp::Less => "<",
            CompareOp::LessOrEqual => "<=",
            CompareOp::Greater => ">",
            CompareOp::GreaterOrEqual => ">=",
        }
    }
}

/// The total order: absent, bool, numbers (by value; NaN last), time, duration, addresses (v4
/// before v6), prefixes, MAC, bytes and text, lists, objects.
pub fn total_order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Named(a, _), Value::Named(b, _)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Address(a), Value::Address(b)) => a.cmp(b),
        (Value::Bytes(a) | Value::Text(a), Value::Bytes(b) | Value::Text(b)) => a.cmp(b),
        _ => {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            key::encode(left, &mut a);
            key::encode(right, &mut b);
            a.cmp(&b)
        }
    }
}

/// How two values stand to each other in a test: text beside another kind is read as that kind;
/// what cannot be read, and absence, is unknown (none). Unlike kinds are unequal, in the total
/// order. NaN is unequal to everything and in no order.
pub fn compare(left: &Value, right: &Value, zone: &Zone) -> Option<Ordering> {
    match (left, right) {
        (Value::Absent, _) | (_, Value::Absent) => None,
        (Value::Text(_), Value::Text(_) | Value::Bytes(_)) | (Value::Bytes(_), Value::Text(_)) => {
            Some(total_order(left, right))
        }
        (Value::Text(text), other) => Some(total_order(&read_as(text, other, zone)?, other)),
        (other, Value::Text(text)) => Some(total_order(other, &read_as(text, other, zone)?)),
        _ => Some(total_order(left, right)),
    }
}

/// Text read as a value of the kind of `other`.
fn read_as(text: &[u8], other: &Value, zone: &Zone) -> Option<Value> {
    let literal = Literal::new(std::str::from_utf8(text).ok()?);
    literal.read(other.kind()?, zone)
}

/// Whether a comparison of two values holds; none where that is unknown. A list stands for each of
/// its values: see [`any`].
pub fn holds(op: CompareOp, left: &Value, right: &Value, zone: &Zone) -> Option<bool> {
    match (left, right) {
        (Value::List(values), other) => {
            return any(op, values.iter(), |op, value| holds(op, value, other, zone));
        }
        (other, Value::List(values)) => {
            return any(op, values.iter(), |op, value| holds(op, other, value, zone));
        }
        _ => {}
    }
    let nan = |value: &Value| matches!(value, Value::Double(d) if d.is_nan());
    let order = compare(left, right, zone)?;
    if nan(left) || nan(right) {
        return Some(op == CompareOp::NotEqual);
    }
    Some(op.accepts(order))
}

/// Whether a comparison holds for the values of a list: for any of them, as in Wireshark. That a
/// list is unequal to something is that nothing in it is equal: `ip.addr != 10.0.0.1` is what
/// `not ip.addr = 10.0.0.1` is. None where it is unknown for all values.
pub fn any<T>(
    op: CompareOp,
    values: impl Iterator<Item = T>,
    mut test: impl FnMut(CompareOp, T) -> Option<bool>,
) -> Option<bool> {
    let (asked, found) = match op {
        CompareOp::NotEqual => (CompareOp::Equal, false),
        op => (op, true),
    };
    let mut known = false;
    for value in values {
        match test(asked, value) {
            Some(true) => return Some(found),
            Some(false) => known = true,
            None => {}
        }
    }
    known.then_some(!found)
}

/// Whether two values are equal; none where that is unknown.
pub fn equal(left: &Value, right: &Value, zone: &Zone) -> Option<bool> {
    holds(CompareOp::Equal, left, right, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mac, Prefix};

    fn ladder() -> Vec<Value> {
        let v4 = "10.0.0.1".parse().unwrap();
        vec![
            Value::Absent,
            Value::Bool(false),
            Value::Bool(true),
            Value::Double(f64::NEG_INFINITY),
            Value::Double(-1e300),
            Value::Integer(i128::MIN),
            Value::Integer(-70000),
            Value::Integer(-256),
            Value::Integer(-255),
            Value::Double(-1.5),
            Value::Integer(-1),
            Value::Double(-0.5),
            Value::Integer(0),
            Value::Double(5e-324),
            Value::Double(0.5),
            Value::Integer(1),
            Value::Double(1.5),
            Value::Integer(255),
            Value::Integer(256),
            Value::Integer((1 << 53) + 1),
            Value::Integer(i128::MAX),
            Value::Double(1e300),
            Value::Double(f64::INFINITY),
            Value::Double(f64::NAN),
            Value::Time(-1),
            Value::Time(1),
            Value::Duration(-1),
            Value::Duration(5),
            Value::Address(v4),
            Value::Address("255.0.0.0".parse().unwrap()),
            Value::Address("::".parse().unwrap()),
            Value::Prefix(Prefix::new(v4, 8).unwrap()),
            Value::Prefix(Prefix::new(v4, 9).unwrap()),
            Value::Mac(Mac([0, 0, 0, 0, 0, 1])),
            Value::text(""),
            Value::Bytes(b"\0".as_slice().into()),
            Value::text("a"),
            Value::text("a\0b"),
            Value::text("ab"),
            Value::List([].into()),
            Value::List([Value::text("a"), Value::Integer(1)].into()),
            Value::List([Value::text("ab")].into()),
        ]
    }

    #[test]
    fn orders_every_kind() {
        let ladder = ladder();
        for (i, a) in ladder.iter().enumerate() {
            for (j, b) in ladder.iter().enumerate() {
                assert_eq!(total_order(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_list_is_compared_by_its_values() {
        let zone = Zone::utc();
        let list = |values: &[i128]| {
            let values = values.iter().map(|n| Value::Integer(*n));
            Value::List(values.collect())
        };
        let (seven, two) = (Value::Integer(7), list(&[7, 9]));
        for (op, left, right, expected) in [
            (CompareOp::Equal, &two, &seven, Some(true)),
            (CompareOp::Equal, &seven, &two, Some(true)),
            (CompareOp::NotEqual, &two, &seven, Some(false)),
            (CompareOp::NotEqual, &two, &Value::Integer(8), Some(true)),
            (CompareOp::Greater, &two, &Value::Integer(8), Some(true)),
            (CompareOp::Greater, &Value::Integer(8), &two, Some(true)),
            (CompareOp::Greater, &two, &Value::Integer(9), Some(false)),
            (CompareOp::Equal, &two, &list(&[1, 9]), Some(true)),
            (CompareOp::NotEqual, &two, &list(&[1, 9]), Some(false)),
            (CompareOp::Equal, &two, &list(&[]), None),
            (CompareOp::Equal, &two, &Value::text("x"), None),
        ] {
            assert_eq!(
                holds(op, left, right, &zone),
                expected,
                "{left:?} {op:?} {right:?}"
            );
        }
    }

    #[test]
    fn equal_numbers_are_equal_across_kinds() {
        let zone = Zone::utc();
        for (a, b) in [
            (Value::Integer(80), Value::Double(80.0)),
            (Value::Double(0.0), Value::Double(-0.0)),
            (
                Value::Integer(1 << 100),
                Value::Double((1u128 << 100) as f64),
            ),
            (Value::text("80"), Value::Integer(80)),
            (
                Value::text("10.0.0.1"),
                Value::Address("10.0.0.1".parse().unwrap()),
            ),
        ] {
            assert_eq!(equal(&a, &b, &zone), Some(true), "{a:?} {b:?}");
        }
        assert_eq!(equal(&Value::text("x"), &Value::Integer(80), &zone), None);
        assert_eq!(
            equal(&Value::Mac(Mac([0; 6])), &Value::Integer(0), &zone),
            Some(false)
        );
        let nan = Value::Double(f64::NAN);
        assert_eq!(equal(&nan, &nan, &zone), Some(false));
        assert_eq!(
            holds(CompareOp::Less, &Value::Integer(1), &nan, &zone),
            Some(false)
        );
    }
}
