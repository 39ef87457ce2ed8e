//! Sets of values of one field, as ranges of keys.

use std::cmp::Ordering;

/// A value on the line of all values of a field, in their order. Of addresses, `high` says IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) high: bool,
    pub(super) low: u128,
}

impl Key {
    pub(super) const MIN: Key = Key {
        high: false,
        low: 0,
    };
    pub(super) const MAX: Key = Key {
        high: true,
        low: u128::MAX,
    };

    /// The key of an integer: the sign is turned, so that negative ones stand first.
    pub(super) fn of_integer(integer: i128) -> Key {
        Key {
            high: false,
            low: (integer as u128) ^ (1 << 127),
        }
    }

    /// The next higher key.
    pub(super) fn next(self) -> Option<Key> {
        match self.low.checked_add(1) {
            Some(low) => Some(Key { low, ..self }),
            None if self.high => None,
            None => Some(Key { high: true, low: 0 }),
        }
    }

    /// The next lower key.
    pub(super) fn previous(self) -> Option<Key> {
        match self.low.checked_sub(1) {
            Some(low) => Some(Key { low, ..self }),
            None if !self.high => None,
            None => Some(Key {
                high: false,
                low: u128::MAX,
            }),
        }
    }
}

/// Some values of a field, and whether absence is one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Set {
    /// Ranges with both ends in, in order; between two of them there is at least one key.
    pub(super) ranges: Vec<(Key, Key)>,
    pub(super) absent: bool,
}

impl Set {
    /// No value, nor absence.
    pub(super) fn none() -> Set {
        Set {
            ranges: Vec::new(),
            absent: false,
        }
    }

    /// Every value.
    pub(super) fn present() -> Set {
        Set {
            ranges: vec![(Key::MIN, Key::MAX)],
            absent: false,
        }
    }

    /// Absence alone.
    pub(super) fn absent() -> Set {
        Set {
            ranges: Vec::new(),
            absent: true,
        }
    }

    /// Every value, and absence.
    pub(super) fn all() -> Set {
        Set {
            absent: true,
            ..Set::present()
        }
    }

    /// The values from one to another, both in.
    pub(super) fn range(from: Key, to: Key) -> Set {
        Set {
            ranges: vec![(from, to)],
            absent: false,
        }
    }

    /// The values that stand so to a constant.
    pub(super) fn of_order(accepts: impl Fn(Ordering) -> bool, constant: Key) -> Set {
        let below = constant.previous().map(|below| (Key::MIN, below));
        let above = constant.next().map(|above| (above, Key::MAX));
        let mut set = Set::none();
        for (order, range) in [
            (Ordering::Less, below),
            (Ordering::Equal, Some((constant, constant))),
            (Ordering::Greater, above),
        ] {
            let Some((from, to)) = range.filter(|_| accepts(order)) else {
                continue;
            };
            match set.ranges.last_mut() {
                Some((_, end)) if end.next() == Some(from) => *end = to,
                _ => set.ranges.push((from, to)),
            }
        }
        set
    }

    pub(super) fn is_none(&self) -> bool {
        self.ranges.is_empty() && !self.absent
    }

    /// What is not in the set: values, and absence where that is not in it.
    pub(super) fn complement(&self) -> Set {
        Set {
            ranges: self.gaps(),
            absent: !self.absent,
        }
    }

    /// The values, without absence, that are not in the set.
    pub(super) fn other_values(&self) -> Set {
        Set {
            ranges: self.gaps(),
            absent: false,
        }
    }

    fn gaps(&self) -> Vec<(Key, Key)> {
        let mut gaps = Vec::new();
        let mut from = Some(Key::MIN);
        for (low, high) in &self.ranges {
            if let (Some(start), Some(end)) = (from, low.previous())
                && start <= end
            {
                gaps.push((start, end));
            }
            from = high.next();
        }
        gaps.extend(from.map(|start| (start, Key::MAX)));
        gaps
    }

    /// What is in either.
    pub(super) fn or(&self, other: &Set) -> Set {
        Set::union([self, other].into_iter())
    }

    /// What is in any of some sets: one sort, however many they are.
    pub(super) fn union<'s>(sets: impl Iterator<Item = &'s Set>) -> Set {
        let mut all = Set::none();
        for set in sets {
            all.ranges.extend(&set.ranges);
            all.absent |= set.absent;
        }
        all.join();
        all
    }

    /// What is in all of some sets: what is in no gap of any.
    pub(super) fn intersection<'s>(sets: impl Iterator<Item = &'s Set>) -> Set {
        let mut outside = Set::none();
        for set in sets {
            outside.ranges.extend(set.gaps());
            outside.absent |= !set.absent;
        }
        outside.join();
        outside.complement()
    }

    /// Puts ranges in order, and joins those with no key between them.
    fn join(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|(low, high), (_, end)| {
            let joins = end.next().is_none_or(|next| *low <= next);
            if joins {
                *end = (*end).max(*high);
            }
            joins
        });
    }

    /// Whether all that is in it is in another one.
    pub(super) fn is_within(&self, other: &Set) -> bool {
        let mut others = other.ranges.iter().peekable();
        (other.absent || !self.absent)
            && self.ranges.iter().all(|(low, high)| {
                while others.next_if(|(_, end)| end < low).is_some() {}
                others
                    .peek()
                    .is_some_and(|(start, end)| start <= low && high <= end)
            })
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Set) -> Set {
        let (mut a, mut b) = (self.ranges.as_slice(), other.ranges.as_slice());
        let mut ranges = Vec::new();
        while let ([(a0, a1), a_rest @ ..], [(b0, b1), b_rest @ ..]) = (a, b) {
            let (low, high) = (*a0.max(b0), *a1.min(b1));
            if low <= high {
                ranges.push((low, high));
            }
            if a1 <= b1 {
                a = a_rest;
            } else {
                b = b_rest;
            }
        }
        Set {
            ranges,
            absent: self.absent && other.absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(at: u8) -> Key {
        // Ends of the line and the step between its halves are among the keys.
        match at {
            0 => Key::MIN,
            1..=99 => Key {
                high: false,
                low: at.into(),
            },
            100 => Key {
                high: false,
                low: u128::MAX,
            },
            254 => Key {
                high: true,
                low: u128::MAX - 1,
            },
            255 => Key::MAX,
            _ => Key {
                high: true,
                low: u128::from(at) - 101,
            },
        }
    }

    fn has(set: &Set, at: u8) -> bool {
        let key = key(at);
        set.ranges
            .iter()
            .any(|(low, high)| *low <= key && key <= *high)
    }

    fn any_set() -> impl Strategy<Value = Set> {
        let ranges = prop::collection::vec((any::<u8>(), any::<u8>()), 0..5);
        (ranges, any::<bool>()).prop_map(|(ranges, absent)| {
            let each = ranges.into_iter().map(|(a, b)| {
                let (low, high) = (a.min(b), a.max(b));
                Set::range(key(low), key(high))
            });
            Set {
                absent,
                ..each.fold(Set::none(), |all, one| all.or(&one))
            }
        })
    }

    proptest! {
        #[test]
        fn sets_are_sets(a in any_set(), b in any_set()) {
            let (or, and) = (a.or(&b), a.and(&b));
            let (not, other) = (a.complement(), a.other_values());
            for at in 0..=255 {
                prop_assert_eq!(has(&or, at), has(&a, at) || has(&b, at));
                prop_assert_eq!(has(&and, at), has(&a, at) && has(&b, at));
                prop_assert_eq!(has(&not, at), !has(&a, at));
                prop_assert_eq!(has(&other, at), !has(&a, at));
            }
            prop_assert_eq!(or.absent, a.absent || b.absent);
            prop_assert_eq!(and.absent, a.absent && b.absent);
            prop_assert_eq!(not.absent, !a.absent);
            prop_assert!(!other.absent);
            prop_assert_eq!(not.complement(), a);
        }

        #[test]
        fn many_sets_are_joined_and_cut_at_once(
            sets in prop::collection::vec(any_set(), 0..6), other in any_set(),
        ) {
            let union = Set::union(sets.iter());
            let intersection = Set::intersection(sets.iter());
            prop_assert_eq!(&union, &sets.iter().fold(Set::none(), |all, one| all.or(one)));
            prop_assert_eq!(&intersection, &sets.iter().fold(Set::all(), |all, one| all.and(one)));
            for at in 0..=255 {
                prop_assert_eq!(has(&union, at), sets.iter().any(|set| has(set, at)));
                prop_assert_eq!(has(&intersection, at), sets.iter().all(|set| has(set, at)));
            }
            for (a, b) in [(&union, &other), (&other, &union), (&intersection, &union)] {
                prop_assert_eq!(a.is_within(b), a.and(b) == *a);
            }
            prop_assert!(other.is_within(&other.or(&union)));
        }

        #[test]
        fn orders_are_ranges(constant in any::<u8>(), mask in 0..8u8) {
            let accepts = |order: Ordering| match order {
                Ordering::Less => mask & 1 != 0,
                Ordering::Equal => mask & 2 != 0,
                Ordering::Greater => mask & 4 != 0,
            };
            let set = Set::of_order(accepts, key(constant));
            for at in 0..=255 {
                prop_assert_eq!(has(&set, at), accepts(key(at).cmp(&key(constant))));
            }
        }
    }
}
