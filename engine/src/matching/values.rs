//! Tests of one field as sets of values, for those who reason about them.

use super::line::set_of;
use super::set::{Key, Set};
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

    /// Whether absence is one of them.
    pub fn with_absence(&self) -> bool {
        self.0.absent
    }

    /// Those of a field of integers, as ranges with both ends in.
    pub fn integers(&self) -> Vec<(i128, i128)> {
        let integer = |key: &Key| match key.high {
            true => i128::MAX,
            false => (key.low ^ (1 << 127)) as i128,
        };
        let ranges = self.0.ranges.iter().filter(|(low, _)| !low.high);
        ranges
            .map(|(low, high)| (integer(low), integer(high)))
            .collect()
    }

    /// Those of a field of addresses that are of one version of IP, as ranges with both ends in.
    pub fn addresses(&self, v6: bool) -> Vec<(u128, u128)> {
        let last = if v6 { u128::MAX } else { u32::MAX.into() };
        let ends = [0, last].map(|low| Key { high: v6, low });
        let within = |(low, high): &(Key, Key)| {
            let (from, to) = ((*low).max(ends[0]), (*high).min(ends[1]));
            (from <= to).then_some((from.low, to.low))
        };
        self.0.ranges.iter().filter_map(within).collect()
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}
