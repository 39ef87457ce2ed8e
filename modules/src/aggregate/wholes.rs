//! Sums of integers, one a group: eight bytes each while these suffice.

use std::collections::BTreeMap;
use wireq_typesys::Bitmap;

/// Sums of integers by the numbers of groups, in 128 bits; where one would overflow, the limit of these. A
/// group that no integer was added to has none.
#[derive(Default)]
pub(super) struct Wholes {
    /// Sums, and [`NONE`] and [`BEYOND`] for others: a row of a large table touches one place.
    sums: Vec<i64>,
    /// Sums of groups that need more.
    beyond: BTreeMap<u32, i128>,
}

/// What stands for no sum.
const NONE: i64 = i64::MIN;
/// What stands for a sum beside this list.
const BEYOND: i64 = NONE + 1;

impl Wholes {
    /// Makes room for group numbers below `groups`.
    #[inline]
    pub(super) fn grow(&mut self, groups: usize) {
        self.sums.resize(groups.max(self.sums.len()), NONE);
    }

    /// Adds a number to a group that there is room for.
    #[inline(always)]
    pub(super) fn add(&mut self, group: u32, number: impl Into<i128>) {
        let number = number.into();
        let place = &mut self.sums[group as usize];
        let old = if *place == NONE { 0 } else { *place };
        let sum = i64::try_from(number).ok().and_then(|n| old.checked_add(n));
        match sum {
            Some(sum) if old > BEYOND && sum > BEYOND => *place = sum,
            _ => self.add_beyond(group, number),
        }
    }

    #[cold]
    fn add_beyond(&mut self, group: u32, number: i128) {
        let old = self.get(group).unwrap_or(0);
        self.set(group, old.saturating_add(number));
    }

    /// Sets the sum of a group that there is room for.
    pub(super) fn set(&mut self, group: u32, sum: i128) {
        self.beyond.remove(&group);
        self.sums[group as usize] = match i64::try_from(sum) {
            Ok(sum) if sum > BEYOND => sum,
            _ => {
                self.beyond.insert(group, sum);
                BEYOND
            }
        };
    }

    /// The sum of a group.
    #[inline]
    pub(super) fn get(&self, group: u32) -> Option<i128> {
        match self.sums.get(group as usize).copied() {
            None | Some(NONE) => None,
            Some(BEYOND) => self.beyond.get(&group).copied(),
            Some(sum) => Some(sum.into()),
        }
    }

    /// For how many groups there is room.
    pub(super) fn groups(&self) -> usize {
        self.sums.len()
    }

    /// The sums of groups, 0 where there is none, and which have one; none where one of them needs more.
    pub(super) fn column(&self, groups: &[u32]) -> Option<(Vec<i64>, Bitmap)> {
        let mut sums: Vec<i64> = groups.iter().map(|at| self.sums[*at as usize]).collect();
        if sums.contains(&BEYOND) {
            return None;
        }
        let valid = Bitmap::from_slice(&sums, |sum| sum != NONE);
        for sum in &mut sums {
            *sum = if *sum == NONE { 0 } else { *sum };
        }
        Some((sums, valid))
    }

    /// Forgets a group.
    pub(super) fn clear(&mut self, group: u32) {
        if let Some(sum) = self.sums.get_mut(group as usize) {
            *sum = NONE;
            self.beyond.remove(&group);
        }
    }

    /// About how many bytes all sums take.
    pub(super) fn memory(&self) -> usize {
        // Nodes of the tree are at least half full.
        self.sums.capacity() * size_of::<i64>() + self.beyond.len() * 2 * size_of::<(u32, i128)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::Random;

    #[test]
    fn sums_are_those_of_128_bits() {
        let mut random = Random(5);
        let limits = [i64::MIN, i64::MIN + 1, i64::MIN + 2, i64::MAX].map(i128::from);
        let more = [
            i64::MAX.into(),
            i128::from(u64::MAX),
            -1,
            0,
            1,
            i128::MAX,
            i128::MIN,
        ];
        let numbers: Vec<i128> = limits.into_iter().chain(more).collect();
        let (mut sums, mut plain) = (Wholes::default(), BTreeMap::<u32, i128>::new());
        sums.grow(20);
        for _ in 0..100_000 {
            let group = random.below(20) as u32;
            match random.below(30) {
                0 => {
                    sums.clear(group);
                    plain.remove(&group);
                }
                1 => {
                    let sum = i128::from(random.next() as i64) + i128::from(random.next() as i64);
                    sums.set(group, sum);
                    plain.insert(group, sum);
                }
                _ => {
                    let number = numbers[random.below(numbers.len() as u64) as usize];
                    sums.add(group, number);
                    let sum = plain.entry(group).or_default();
                    *sum = sum.saturating_add(number);
                }
            }
            assert_eq!(sums.get(group), plain.get(&group).copied());
            let fits = |sum: &i128| i64::try_from(*sum).is_ok_and(|sum| sum > BEYOND);
            assert_eq!(
                sums.beyond.len(),
                plain.values().filter(|sum| !fits(sum)).count()
            );
        }
        assert_eq!(sums.get(99), None);
    }
}
