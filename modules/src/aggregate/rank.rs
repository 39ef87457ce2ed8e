//! The value at a rank: exact, or about.

use super::ddsketch::DdSketch;
use super::keys::{Keys, Seen, with_numbers_read};
use super::multiset::Multiset;
use super::numeric::{Class, Statistic};
use std::any::Any;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, Error};
use wireq_typesys::{Column, Value};

/// A share of all values from 0 to 1, as a fraction: 0.07 of 100 values are 7, which no double is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) of: u64,
}

impl Share {
    /// A decimal number from 0 to 1 of up to 18 places.
    pub(super) fn read(text: &str) -> Option<Share> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.len() + places.len();
        let is_number = [whole, places]
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        if digits == 0 || digits > 18 || !is_number {
            return None;
        }
        let of = 10u64.pow(places.len() as u32);
        let part = format!("{whole}{places}").parse().ok()?;
        (part <= of).then_some(Share { part, of })
    }

    /// The rank of the first value at or below which there is this share of `count` values.
    fn rank(self, count: u64) -> u64 {
        let rank = (u128::from(count) * u128::from(self.part)).div_ceil(self.of.into());
        u64::try_from(rank).unwrap_or(count).max(1)
    }
}

/// The exact quantile of each group.
pub(super) struct Ranked {
    share: Share,
    groups: Vec<Multiset>,
    keys: Keys,
    /// What the groups take beyond their size.
    beyond: usize,
}

impl Ranked {
    pub(super) fn new(share: Share) -> Ranked {
        Ranked {
            share,
            groups: Vec::new(),
            keys: Keys::default(),
            beyond: 0,
        }
    }

    fn set(&mut self, group: u32, set: Multiset) {
        self.beyond += set.memory();
        let before = std::mem::replace(&mut self.groups[group as usize], set);
        self.beyond -= before.memory();
    }
}

impl Accumulator for Ranked {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.groups.len());
        self.groups.resize_with(groups, Multiset::default);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let read = with_numbers_read(column);
        let column = read.as_ref().unwrap_or(column);
        let (sets, beyond) = (&mut self.groups, &mut self.beyond);
        self.keys.each(column, rows, |at, key| {
            sets[groups[at] as usize].add(key, Seen::of(column, rows[at].into()), beyond);
        });
    }

    fn value(&self, group: u32) -> Value {
        self.groups[group as usize].at_rank(|count| self.share.rank(count))
    }

    fn clear(&mut self, group: u32) {
        self.set(group, Multiset::default());
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Ranked>() {
            let set = &mut self.groups[group as usize];
            self.beyond -= set.memory();
            set.merge(&other.groups[from as usize]);
            self.beyond += set.memory();
        }
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Multiset>() + self.beyond
    }

    fn save(&self, group: u32, out: &mut Writer) {
        self.groups[group as usize].save(out);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        self.set(group, Multiset::load(from)?);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// About the quantile of one group.
#[derive(Clone, Default)]
pub(super) struct Sketch(DdSketch);

impl Statistic for Sketch {
    type Setting = Share;
    const TIMES: bool = false;

    fn add_whole(&mut self, number: i128) {
        self.0.add(number as f64);
    }

    fn add_double(&mut self, double: f64) {
        self.0.add(double);
    }

    fn merge(&mut self, other: &Sketch) {
        self.0.merge(&other.0);
    }

    fn value(&self, class: Class, share: Share) -> Value {
        match (self.0.at_rank(|count| share.rank(count)), class) {
            (None, _) => Value::Absent,
            (Some(double), Class::Number) => Value::Double(double),
            (Some(nanos), _) => Value::Duration(nanos.round() as i64),
        }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }

    fn save(&self, out: &mut Writer) {
        self.0.save(out);
    }

    fn load(from: &mut Reader<'_>) -> Result<Sketch, Error> {
        Ok(Sketch(DdSketch::load(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::{Check, Random, anything, classed, numbers};
    use crate::aggregate::numeric::{Numeric, number_in};
    use wireq_typesys::total_order;

    const SHARES: [Share; 5] = [
        Share { part: 0, of: 1 },
        Share { part: 7, of: 100 },
        Share { part: 1, of: 2 },
        Share { part: 95, of: 100 },
        Share { part: 1, of: 1 },
    ];

    /// The definition, value by value; of equal ones the integer and the text if any is one.
    fn naive(values: &[Value], share: Share) -> Value {
        let read = |value: &Value| match value {
            Value::Text(text) => number_in(text).unwrap_or_else(|| value.clone()),
            other => other.clone(),
        };
        let values: Vec<Value> = values.iter().map(read).collect();
        let integers = values
            .iter()
            .any(|value| matches!(value, Value::Integer(_)));
        let texts = values.iter().any(|value| matches!(value, Value::Text(_)));
        let mut values: Vec<Value> = values.into_iter().filter(|v| !v.is_absent()).collect();
        values.sort_by(total_order);
        let count = values.len() as u64;
        let at_or_below = |value: &Value| {
            values
                .iter()
                .filter(|other| total_order(other, value).is_le())
                .count() as u64
        };
        let reaches = |value: &&Value| at_or_below(value) * share.of >= count * share.part;
        match values.iter().find(reaches).cloned().unwrap_or_default() {
            Value::Double(d) if integers && d.fract() == 0.0 && d.abs() < 1e38 => {
                Value::Integer(d as i128)
            }
            Value::Double(0.0) => Value::Double(0.0),
            Value::Bytes(bytes) if texts => Value::Text(bytes),
            other => other,
        }
    }

    #[test]
    fn shares_are_read_exactly() {
        let read = |text| Share::read(text).map(|share| (share.part, share.of));
        for (text, expected) in [
            ("0.95", Some((95, 100))),
            ("1", Some((1, 1))),
            ("1.00", Some((100, 100))),
            (".5", Some((5, 10))),
            ("0.", Some((0, 1))),
            ("0", Some((0, 1))),
            ("0.123456789012345678", None),
            ("1.01", None),
            ("-0.5", None),
            ("+0.5", None),
            ("1e-1", None),
            (".", None),
            ("", None),
            ("nan", None),
            ("0.\u{661}", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(Share { part: 7, of: 100 }.rank(100), 7);
        assert_eq!(Share { part: 0, of: 1 }.rank(9), 1);
        assert_eq!(Share { part: 1, of: 1 }.rank(u64::MAX), u64::MAX);
    }

    #[test]
    fn is_the_definition_whatever_the_order() {
        for share in SHARES {
            let check = Check::new(move || Box::new(Ranked::new(share)));
            check.commutative(anything, |values| naive(values, share));
        }
    }

    #[test]
    fn many_values_are_sorted_in() {
        let mut random = Random(4);
        let mut set = Multiset::default();
        let mut values: Vec<u64> = (0..20_000).map(|_| random.below(3000)).collect();
        let column = |value: u64| Column::from_values([Value::Integer(value.into())]);
        let (mut keys, mut memory) = (Keys::default(), 0);
        for value in &values {
            keys.each(&column(*value), &[0], |_, key| {
                set.add(key, Seen::default(), &mut memory)
            });
        }
        assert_eq!(memory, set.memory());
        assert!(memory > 3000 * 32 && memory < 10_000 * 32, "{memory}");
        values.sort_unstable();
        for rank in [1, 2, 777, 10_000, 20_000] {
            let value = set.at_rank(|count| {
                assert_eq!(count, 20_000);
                rank
            });
            assert_eq!(value.as_integer(), Some(values[rank as usize - 1].into()));
        }
    }

    #[test]
    fn the_sketch_is_near_and_merges_in_any_order() {
        for share in SHARES {
            let check = || Check::new(move || Box::new(Numeric::<Sketch>::new(share)));
            check().commutative(numbers, |values| check().of(values));
            let mut random = Random(6);
            for _ in 0..300 {
                let values = numbers(&mut random);
                let times = |value: &Value| matches!(value, Value::Time(_));
                let values: Vec<Value> = values.into_iter().filter(|v| !times(v)).collect();
                let (class, own) = classed(&values);
                let as_double = |value: Value| match value {
                    Value::Double(double) => Some(double),
                    Value::Duration(nanos) => Some(nanos as f64),
                    other => other.as_integer().map(|integer| integer as f64),
                };
                let exact = as_double(naive(&own, share));
                let about = as_double(check().of(&values));
                let slack = if class == Class::Duration { 0.5 } else { 0.0 };
                let near = match (exact, about) {
                    (Some(exact), Some(about)) => {
                        (about - exact).abs() <= exact.abs() * 0.01 + slack
                    }
                    (exact, about) => exact == about,
                };
                assert!(near, "{exact:?} {about:?} {share:?} {values:?}");
            }
        }
    }
}
