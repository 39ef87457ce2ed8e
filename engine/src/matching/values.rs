//! Tests of one field as sets of values, for those who reason about them.

use super::line::set_of;
use super::set::Set;
use crate::plan::expr::Expr;
use wireq_typesys::{FieldPath, Kind, Zone};

/// The values of a field for which a test holds; absence may be one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Set);

impl Values {
    /// The field that a test is about, and the values; none where it is not about one field, or
    /// the kind of that one has no order. Tests of times are left out: what their constants mean
    /// depends on the zone.
    pub fn of(test: &Expr, kind: &dyn Fn(&FieldPath) -> Kind) -> Option<(FieldPath, Values)> {
        let timeless = |field: &FieldPath| match kind(field) {
            Kind::Time => Kind::Dynamic,
            kind => kind,
        };
        let (field, set) = set_of(test, &timeless, &Zone::utc())?;
        Some((field, Values(set)))
    }

    /// Whether all of them are among others.
    pub fn is_within(&self, others: &Values) -> bool {
        self.0.is_within(&others.0)
    }

    /// Those that are in all of some.
    pub fn all<'v>(several: impl Iterator<Item = &'v Values>) -> Values {
        Values(Set::intersection(several.map(|values| &values.0)))
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}
