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

/// A test of one field: the values for which it is true, and those for which it is false. In
/// neither are those for which it is unknown.
struct Truth {
    yes: Set,
    no: Set,
}

impl Truth {
    fn known(yes: Set) -> Truth {
        let no = yes.complement();
        Truth { yes, no }
    }
}

/// The field that a test is about and the values for which it holds, where it is a test of one
/// field whose kind has a line. `kind` knows kinds of fields.
pub(super) fn set_of(
    test: &Expr,
    kind: &dyn Fn(&FieldPath) -> Kind,
    zone: &Zone,
) -> Option<(FieldPath, Set)> {
    let mut fields = test.fields();
    let field = fields.pop().filter(|_| fields.is_empty())?;
    let kind = kind(&field);
    Line::of(kind)?;
    Some((field, truth(test, kind, zone)?.yes))
}

fn truth(test: &Expr, kind: Kind, zone: &Zone) -> Option<Truth> {
    Some(match test {
        Expr::Compare(op, left, right) => {
            let (op, literal) = match (&**left, &**right) {
                (Expr::Field(..), Expr::Literal(literal, _)) => (*op, literal),
                (Expr::Literal(literal, _), Expr::Field(..)) => (op.mirrored(), literal),
                _ => return None,
            };
            let yes = Line::compare(kind, op, literal, zone)?;
            let no = yes.other_values();
            Truth { yes, no }
        }
        Expr::Field(..) | Expr::Exists(..) => Truth::known(Set::present()),
        Expr::IsAbsent(inner) if matches!(**inner, Expr::Field(..)) => Truth::known(Set::absent()),
        Expr::Bool(value, _) => Truth::known(if *value { Set::all() } else { Set::none() }),
        Expr::And(parts) => {
            let parts = truths(parts, kind, zone)?;
            Truth {
                yes: Set::intersection(parts.iter().map(|part| &part.yes)),
                no: Set::union(parts.iter().map(|part| &part.no)),
            }
        }
        Expr::Or(parts) => {
            let parts = truths(parts, kind, zone)?;
            Truth {
                yes: Set::union(parts.iter().map(|part| &part.yes)),
                no: Set::intersection(parts.iter().map(|part| &part.no)),
            }
        }
        Expr::Not(inner) => {
            let Truth { yes, no } = truth(inner, kind, zone)?;
            Truth { yes: no, no: yes }
        }
        Expr::Holds(inner) => Truth::known(truth(inner, kind, zone)?.yes),
        _ => return None,
    })
}

fn truths(parts: &[Expr], kind: Kind, zone: &Zone) -> Option<Vec<Truth>> {
    parts.iter().map(|part| truth(part, kind, zone)).collect()
}
