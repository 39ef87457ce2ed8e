//! Comparisons of columns with constants.
//!
//! A comparison of a column with a constant runs over all rows of the column's own type; the
//! constant is read once for the kind of column that it meets. All else goes value by value.

use super::Truth;
use crate::planted::is_planted;
use std::net::IpAddr;
use wireq_typesys::{
    Bitmap, Column, CompareOp, Data, Kind, Literal, Prefix, Value, Zone, any, holds,
};

pub(super) fn compare_constant(
    column: &Column,
    op: CompareOp,
    literal: &Literal,
    read: &mut Option<(Kind, Option<Value>)>,
    selection: &Bitmap,
    zone: &Zone,
) -> Truth {
    let kind = column.kind();
    if read.as_ref().is_none_or(|(known, _)| *known != kind) {
        *read = Some((kind, literal.read(kind, zone)));
    }
    let known = column.valid.and(selection);
    let value = read.as_ref().and_then(|(_, value)| value.as_ref());
    let Some(value) = value else {
        return Truth {
            yes: Bitmap::EMPTY,
            known: Bitmap::EMPTY,
        };
    };
    let op = if op == CompareOp::Less && is_planted("less-is-less-or-equal") {
        CompareOp::LessOrEqual
    } else {
        op
    };
    if let Some(yes) = compare_typed(column, op, value) {
        return Truth {
            yes: yes.and(&known),
            known,
        };
    }
    if let (Data::List(lists, data), None) = (&column.data, column.names) {
        return by_value(&known, |row| {
            let (start, end) = lists[row];
            any(op, start as usize..end as usize, |op, at| {
                compare_literal(op, &data.value(at), literal, zone)
            })
        });
    }
    by_value(&known, |row| {
        compare_literal(op, &column.value(row), literal, zone)
    })
}

pub(super) fn by_value(rows: &Bitmap, mut test: impl FnMut(usize) -> Option<bool>) -> Truth {
    let mut truth = Truth {
        yes: Bitmap::EMPTY,
        known: Bitmap::EMPTY,
    };
    rows.for_each(|row| {
        if let Some(yes) = test(row) {
            truth.known.set(row);
            if yes {
                truth.yes.set(row);
            }
        }
    });
    truth
}

macro_rules! by_operator {
    ($values:expr, $op:expr, $constant:expr) => {{
        let constant = $constant;
        match $op {
            CompareOp::Equal => Bitmap::from_slice($values, |v| v == constant),
            CompareOp::NotEqual => Bitmap::from_slice($values, |v| v != constant),
            CompareOp::Less => Bitmap::from_slice($values, |v| v < constant),
            CompareOp::LessOrEqual => Bitmap::from_slice($values, |v| v <= constant),
            CompareOp::Greater => Bitmap::from_slice($values, |v| v > constant),
            CompareOp::GreaterOrEqual => Bitmap::from_slice($values, |v| v >= constant),
        }
    }};
}

/// Compares whole columns of a fixed-width type with a constant; none where this pair of types
/// goes value by value. Rows without a value give anything.
fn compare_typed(column: &Column, op: CompareOp, value: &Value) -> Option<Bitmap> {
    if let Some(integer) = value.as_integer() {
        return match &column.data {
            Data::U8(v) => Some(compare_integers(v, op, integer)),
            Data::U16(v) => Some(compare_integers(v, op, integer)),
            Data::U32(v) => Some(compare_integers(v, op, integer)),
            Data::U64(v) => Some(compare_integers(v, op, integer)),
            Data::I64(v) => Some(compare_integers(v, op, integer)),
            Data::I128(v) => Some(by_operator!(v, op, integer)),
            _ => None,
        };
    }
    match (&column.data, value) {
        (Data::Time(v), Value::Time(constant)) | (Data::Duration(v), Value::Duration(constant)) => {
            Some(by_operator!(v, op, *constant))
        }
        (Data::Address4(v), Value::Address(IpAddr::V4(v4))) => {
            Some(by_operator!(v, op, u32::from(*v4)))
        }
        // Every IPv4 address stands before every IPv6 address.
        (Data::Address4(v), Value::Address(IpAddr::V6(_))) => {
            Some(all_or_none(v.len(), op.accepts(std::cmp::Ordering::Less)))
        }
        (Data::Address4(v), Value::Prefix(prefix)) => {
            let inside = match prefix_mask(prefix) {
                Some((bits, mask)) => Bitmap::from_slice(v, |v| v & mask == bits),
                None => Bitmap::EMPTY,
            };
            membership(op, inside, v.len())
        }
        (Data::Address(v), Value::Address(constant)) => {
            Some(by_operator!(v, op, wireq_typesys::Address::from(*constant)))
        }
        (Data::Mac(v), Value::Mac(constant)) => Some(by_operator!(v, op, *constant)),
        _ => None,
    }
}

/// Bits and mask of an IPv4 prefix.
fn prefix_mask(prefix: &Prefix) -> Option<(u32, u32)> {
    let IpAddr::V4(v4) = prefix.address else {
        return None;
    };
    let bits = if is_planted("prefix-is-exact") {
        32
    } else {
        u32::from(prefix.bits)
    };
    Some((u32::from(v4), u32::MAX.checked_shl(32 - bits).unwrap_or(0)))
}

fn membership(op: CompareOp, inside: Bitmap, len: usize) -> Option<Bitmap> {
    match op {
        CompareOp::Equal => Some(inside),
        CompareOp::NotEqual => Some(Bitmap::first(len).minus(&inside)),
        _ => None,
    }
}

fn all_or_none(len: usize, all: bool) -> Bitmap {
    if all {
        Bitmap::first(len)
    } else {
        Bitmap::EMPTY
    }
}

fn compare_integers<T: Copy + PartialOrd + TryFrom<i128>>(
    values: &[T],
    op: CompareOp,
    constant: i128,
) -> Bitmap {
    match T::try_from(constant) {
        Ok(constant) => by_operator!(values, op, constant),
        // Beyond what the type can hold: all values stand on the same side.
        Err(_) => {
            let order = if constant < 0 {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Less
            };
            all_or_none(values.len(), op.accepts(order))
        }
    }
}

/// Compares a value with a constant; none where that is unknown.
pub fn compare_literal(
    op: CompareOp,
    value: &Value,
    literal: &Literal,
    zone: &Zone,
) -> Option<bool> {
    if let Value::List(values) = value {
        return any(op, values.iter(), |op, value| {
            compare_literal(op, value, literal, zone)
        });
    }
    // Beside a number that stands without quotes, text is read as a number.
    let kind = match value.kind()? {
        Kind::Text if literal.is_number() => Kind::Double,
        kind => kind,
    };
    let constant = literal.read(kind, zone)?;
    match (value, &constant) {
        (Value::Address(address), Value::Prefix(prefix)) => match op {
            CompareOp::Equal => Some(prefix.contains(*address)),
            CompareOp::NotEqual => Some(!prefix.contains(*address)),
            _ => None,
        },
        _ => holds(op, value, &constant, zone),
    }
}
