//! Tests of one field as sets of its values.

use super::set::{Key, Set};
use crate::plan::expr::Expr;
use std::net::IpAddr;
use wireq_typesys::{Address, CompareOp, FieldPath, Kind, Literal, Prefix, Value, Zone};

/// What values of a kind stand on: kinds of one line compare by their keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line {
    Integer(Kind),
    Time,
    Duration,
    Address,
    Mac,
}

impl Line {
    /// The line of a kind; none where tests of it are made value by value.
    pub(super) fn of(kind: Kind) -> Option<Line> {
        match kind {
            // Constants of both are read alike, those of names by the names.
            Kind::Signed | Kind::Unsigned => Some(Line::Integer(Kind::Unsigned)),
            Kind::Named(_) => Some(Line::Integer(kind)),
            Kind::Time => Some(Line::Time),
            Kind::Duration => Some(Line::Duration),
            Kind::Address => Some(Line::Address),
            Kind::Mac => Some(Line::Mac),
            _ => None,
        }
    }

    /// The values that stand so to a constant; none where that can't be said.
    fn compare(kind: Kind, op: CompareOp, literal: &Literal, zone: &Zone) -> Option<Set> {
        let line = Line::of(kind)?;
        let value = literal.read(kind, zone)?;
        let key = match (line, &value) {
            (Line::Integer(_), Value::Integer(integer)) => Key::of_integer(*integer),
            (Line::Integer(_), Value::Named(number, _)) => Key::of_integer((*number).into()),
            (Line::Time, Value::Time(nanos)) | (Line::Duration, Value::Duration(nanos)) => {
                Key::of_integer((*nanos).into())
            }
            (Line::Address, Value::Address(address)) => of_address((*address).into()),
            (Line::Address, Value::Prefix(prefix)) => return of_prefix(op, prefix),
            (Line::Mac, Value::Mac(mac)) => Key {
                high: false,
                low: of_mac(&mac.0).into(),
            },
            _ => return None,
        };
        Some(Set::of_order(|order| op.accepts(order), key))
    }
}

pub(super) fn of_address(address: Address) -> Key {
    Key {
        high: address.v6,
        low: address.bits,
    }
}

pub(super) fn of_mac(bytes: &[u8; 6]) -> u64 {
    bytes
        .iter()
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn of_prefix(op: CompareOp, prefix: &Prefix) -> Option<Set> {
    let (width, first) = match prefix.address {
        IpAddr::V4(_) => (32, of_address(prefix.address.into())),
        IpAddr::V6(_) => (128, of_address(prefix.address.into())),
    };
    let free = width - u32::from(prefix.bits);
    let hosts = 1u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let last = Key {
        low: first.low | hosts,
        ..first
    };
    let inside = Set::range(first, last);
    match op {
        CompareOp::Equal => Some(inside),
        CompareOp::NotEqual => Some(inside.other_values()),
        _ => None,
    }
}

/// The field that a test is about and the values for which it holds, where it is a test of one
/// field whose kind has a line. `kind` knows kinds of fields.
pub(super) fn set_of(
    test: &Expr,
    kind: &dyn Fn(&FieldPath) -> Kind,
    zone: &Zone,
) -> Option<(FieldPath, Set)> {
    let field = test.only_field()?;
    let kind = kind(&field);
    Line::of(kind)?;
    Some((field, yes(test, kind, zone)?))
}

/// The values for which a test of one field is true.
fn yes(test: &Expr, kind: Kind, zone: &Zone) -> Option<Set> {
    match test {
        Expr::Compare(op, left, right) => compare(*op, (left, right), kind, zone),
        Expr::And(parts) => Some(Set::intersection(sets(parts, yes, kind, zone)?.iter())),
        Expr::Or(parts) => Some(Set::union(sets(parts, yes, kind, zone)?.iter())),
        Expr::Not(inner) => no(inner, kind, zone),
        Expr::Holds(inner) => yes(inner, kind, zone),
        test => known(test),
    }
}

/// The values for which it is false. In neither are those for which it is unknown.
fn no(test: &Expr, kind: Kind, zone: &Zone) -> Option<Set> {
    match test {
        Expr::Compare(op, left, right) => {
            Some(compare(*op, (left, right), kind, zone)?.other_values())
        }
        Expr::And(parts) => Some(Set::union(sets(parts, no, kind, zone)?.iter())),
        Expr::Or(parts) => Some(Set::intersection(sets(parts, no, kind, zone)?.iter())),
        Expr::Not(inner) => yes(inner, kind, zone),
        Expr::Holds(inner) => Some(yes(inner, kind, zone)?.complement()),
        test => Some(known(test)?.complement()),
    }
}

/// The values for which a test is true that is never unknown.
fn known(test: &Expr) -> Option<Set> {
    match test {
        Expr::Field(..) | Expr::Exists(..) => Some(Set::present()),
        Expr::IsAbsent(inner) if matches!(**inner, Expr::Field(..)) => Some(Set::absent()),
        Expr::Bool(true, _) => Some(Set::all()),
        Expr::Bool(false, _) => Some(Set::none()),
        _ => None,
    }
}

fn compare(op: CompareOp, sides: (&Expr, &Expr), kind: Kind, zone: &Zone) -> Option<Set> {
    match sides {
        (Expr::Field(..), Expr::Literal(literal, _)) => Line::compare(kind, op, literal, zone),
        (Expr::Literal(literal, _), Expr::Field(..)) => {
            Line::compare(kind, op.mirrored(), literal, zone)
        }
        _ => None,
    }
}

type SetOf = fn(&Expr, Kind, &Zone) -> Option<Set>;

fn sets(parts: &[Expr], of: SetOf, kind: Kind, zone: &Zone) -> Option<Vec<Set>> {
    parts.iter().map(|part| of(part, kind, zone)).collect()
}
