//! What two objects' times have to do with each other: `new.b.ts - a.ts > 10s`.
//!
//! Such a test says which kept objects can fulfil it at all, by their time, and from when on none that
//! comes can.

use super::condition::Source;
use super::store::Term;
use crate::plan::expr::{ArithmeticOp, Expr};
use std::ops::RangeInclusive;
use wireq_typesys::{CompareOp, FieldPath, Kind, Literal, Value, Zone};

/// A test of the time of a candidate beside that of an object found before.
pub(super) struct Span {
    /// The number of the candidate's value.
    pub(super) column: usize,
    pub(super) term: Term,
    /// Whether the other's is the time that watermarks speak of.
    pub(super) of_mark: bool,
    /// How the candidate's time lies to the other's.
    op: CompareOp,
    /// What is added to the other's.
    nanos: i128,
}

/// Where a field comes from, if it is a time, and whether watermarks speak of it.
pub(super) type Time<'a> = dyn Fn(&FieldPath) -> Option<(Source, bool)> + 'a;

/// A sum of times and a duration.
#[derive(Default)]
struct Sum {
    candidate: Option<usize>,
    found: Option<(Term, bool)>,
    /// Whether the candidate's is added, and the other's.
    added: (bool, bool),
    nanos: i128,
}

impl Span {
    /// Of a test that compares two times. `time` says where a field comes from, if it is a time, and
    /// whether watermarks speak of it.
    pub(super) fn of(test: &Expr, time: &Time<'_>, zone: &Zone) -> Option<Span> {
        let (op, left, right) = match test {
            Expr::Holds(test) => return Span::of(test, time, zone),
            Expr::Compare(op, left, right) => (*op, left, right),
            _ => return None,
        };
        let mut sum = Sum::default();
        sum.compare(left, right, time, zone)?;
        let (column, (term, of_mark)) = (sum.candidate?, sum.found?);
        // candidate - other + nanos OP 0, or with all signs turned.
        let (op, nanos) = match sum.added {
            (true, false) => (op, sum.nanos.checked_neg()?),
            (false, true) => (op.mirrored(), sum.nanos),
            _ => return None,
        };
        (op != CompareOp::NotEqual).then_some(Span {
            column,
            term,
            of_mark,
            op,
            nanos,
        })
    }

    /// The times of candidates that may fulfil it beside an object of this time.
    pub(super) fn beside(&self, other: i64) -> RangeInclusive<i64> {
        let at = i128::from(other) + self.nanos;
        let limited = |at: i128| at.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        // What is beyond all times is limited to the last: candidates more than need be.
        match self.op {
            CompareOp::Less | CompareOp::LessOrEqual => i64::MIN..=limited(at),
            CompareOp::Greater | CompareOp::GreaterOrEqual => limited(at)..=i64::MAX,
            CompareOp::Equal | CompareOp::NotEqual => limited(at)..=limited(at),
        }
    }

    /// Whether it says how early a candidate may be at most.
    pub(super) fn is_least(&self) -> bool {
        use CompareOp::{Equal, Greater, GreaterOrEqual};
        matches!(self.op, Greater | GreaterOrEqual | Equal)
    }

    /// Whether it says how late a candidate may be at most.
    pub(super) fn is_most(&self) -> bool {
        matches!(self.op, CompareOp::Less | CompareOp::LessOrEqual)
    }

    /// Once no other object comes that is before `mark`: a candidate before this time fulfils it with
    /// none that comes, where it says how early one may be, and with all, where it says how late.
    pub(super) fn settled(&self, mark: i64) -> Option<i64> {
        i64::try_from(i128::from(mark) + self.nanos).ok()
    }
}

impl Sum {
    /// Adds an expression, or takes it off; whether it is a time or a duration, by the rules of
    /// arithmetic. None where it is no sum of times and durations.
    fn add(&mut self, expr: &Expr, adds: bool, time: &Time<'_>, zone: &Zone) -> Option<Kind> {
        match expr {
            Expr::Field(path, _) => {
                match time(path)? {
                    (Source::Candidate(column), _) if self.candidate.is_none() => {
                        (self.candidate, self.added.0) = (Some(column), adds);
                    }
                    (Source::Found(term), of_mark) if self.found.is_none() => {
                        (self.found, self.added.1) = (Some((term, of_mark)), adds);
                    }
                    _ => return None,
                }
                Some(Kind::Time)
            }
            Expr::Arithmetic(op @ (ArithmeticOp::Add | ArithmeticOp::Subtract), left, right) => {
                let is_sum = *op == ArithmeticOp::Add;
                let (left, right) = match (&**left, &**right) {
                    (Expr::Literal(..), Expr::Literal(..)) => return None,
                    (left, Expr::Literal(literal, _)) => {
                        let left = self.add(left, adds, time, zone)?;
                        (left, self.constant(literal, adds == is_sum, zone)?)
                    }
                    (Expr::Literal(literal, _), right) => {
                        let left = self.constant(literal, adds, zone)?;
                        (left, self.add(right, adds == is_sum, time, zone)?)
                    }
                    (left, right) => {
                        let left = self.add(left, adds, time, zone)?;
                        (left, self.add(right, adds == is_sum, time, zone)?)
                    }
                };
                match (left, right) {
                    (Kind::Time, Kind::Time) if !is_sum => Some(Kind::Duration),
                    (Kind::Time, Kind::Duration) => Some(Kind::Time),
                    (Kind::Duration, Kind::Time) if is_sum => Some(Kind::Time),
                    (Kind::Duration, Kind::Duration) => Some(Kind::Duration),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn constant(&mut self, literal: &Literal, adds: bool, zone: &Zone) -> Option<Kind> {
        let Some(Value::Duration(nanos)) = literal.read(Kind::Duration, zone) else {
            return None;
        };
        self.nanos += i128::from(nanos) * if adds { 1 } else { -1 };
        Some(Kind::Duration)
    }

    /// Adds both sides of a comparison, the right one taken off.
    fn compare(&mut self, left: &Expr, right: &Expr, time: &Time<'_>, zone: &Zone) -> Option<()> {
        let (left, right) = match (left, right) {
            (Expr::Literal(literal, _), right) => {
                let right = self.add(right, false, time, zone)?;
                (self.constant(literal, true, zone)?, right)
            }
            (left, Expr::Literal(literal, _)) => {
                let left = self.add(left, true, time, zone)?;
                (left, self.constant(literal, false, zone)?)
            }
            (left, right) => {
                let left = self.add(left, true, time, zone)?;
                (left, self.add(right, false, time, zone)?)
            }
        };
        (left == right).then_some(())
    }
}
