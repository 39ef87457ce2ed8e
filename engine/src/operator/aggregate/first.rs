//! Which groups come first in the order of what functions give.

use super::states::States;
use crate::at_once::at_once;
use crate::operator::groups::Groups;
use crate::plan::First;
use crate::planted::is_planted;
use fixedbitset::FixedBitSet;
use std::cmp::Ordering;
use wireq_typesys::{Column, Data, ROWS_MAX, Value, key};

/// For fewer groups than this for each that is wanted it is not worth the while.
const GROUPS_EACH: usize = 4;

/// Fewer groups are looked at by one thread before others are there.
const MANY: usize = 16 * 1024;

/// So few more than are wanted are not worth a look.
const FEW: usize = 16;

/// The numbers of the groups that come first, and of all that are equal to the last of them; none where
/// all may as well be given.
pub(super) fn wanted(
    first: &First,
    groups: &Groups,
    states: &States,
    threads: usize,
) -> Option<FixedBitSet> {
    if groups.len() / GROUPS_EACH <= first.count {
        return None;
    }
    // By their numbers, in the order of which states stand in memory.
    let mut all = FixedBitSet::with_capacity(groups.limit());
    groups.for_each_number(|number| all.insert(number as usize));
    let threads = match groups.len() {
        ..MANY => 1,
        _ => threads,
    };
    let each = groups.limit().div_ceil(threads);
    let from = (0..groups.limit()).step_by(each.max(1)).collect();
    let found = at_once(from, threads, |from: usize| {
        let numbers = from..(from + each).min(groups.limit());
        let numbers = numbers.filter(|number| all.contains(*number));
        rank_all(first, numbers, states)
    });
    let mut ranks = Ranks::new(first.count);
    found.into_iter().for_each(|found| ranks.merge(found));
    let mut wanted = FixedBitSet::with_capacity(groups.limit());
    ranks.finish().for_each(|number| wanted.insert(number));
    Some(wanted)
}

/// The first of the groups of some numbers.
fn rank_all(first: &First, numbers: impl Iterator<Item = usize>, states: &States) -> Ranks {
    let mut ranks = Ranks::new(first.count);
    let (mut rank, mut some) = (Vec::new(), Vec::with_capacity(ROWS_MAX));
    let mut numbers = numbers.peekable();
    while numbers.peek().is_some() {
        some.clear();
        some.extend(numbers.by_ref().take(ROWS_MAX).map(|number| number as u32));
        let plain = Plain::of(first, &ranks, states, &some);
        for (at, number) in some.iter().enumerate() {
            if plain.as_ref().is_some_and(|plain| plain.is_behind(at)) {
                continue;
            }
            rank.clear();
            for (at, order) in &*first.by {
                let start = rank.len();
                key::encode(&states.value(*at, *number), &mut rank);
                order.apply(&mut rank[start..]);
            }
            ranks.push(&rank, *number as usize);
        }
    }
    ranks
}

/// What the most important function gives for some groups, where that is whole numbers: most groups are
/// plainly behind the last of the first by these, and need no rank.
struct Plain {
    values: Column,
    descending: bool,
    last: i128,
}

impl Plain {
    fn of(first: &First, ranks: &Ranks, states: &States, numbers: &[u32]) -> Option<Plain> {
        let (function, order) = first.by.first()?;
        let (_, last) = ranks.last.as_ref()?;
        let last = states.value(*function, *last as u32);
        let Value::Integer(last) = last else {
            return None;
        };
        Some(Plain {
            values: states.column(*function, numbers)?,
            descending: order.descending,
            last,
        })
    }

    fn is_behind(&self, at: usize) -> bool {
        let value: i128 = match &self.values.data {
            Data::U64(values) => values[at].into(),
            Data::I64(values) => values[at].into(),
            _ => return false,
        };
        let behind = match self.descending {
            true => value < self.last,
            false => value > self.last,
        };
        behind && self.values.valid.get(at)
    }
}

/// The lowest of many ranks, with all that are equal to the last of them.
struct Ranks {
    count: usize,
    /// The rank of the last of the first so far, and a group that has it: what is above it is not wanted.
    last: Option<(Vec<u8>, usize)>,
    /// Those below it, or all while there is none.
    below: Vec<(Vec<u8>, usize)>,
    /// Those of that rank: there may be as many as there are groups, each of which came once.
    equal: Vec<usize>,
    /// When it is time to look which are the first again.
    full: usize,
}

impl Ranks {
    fn new(count: usize) -> Ranks {
        Ranks {
            count,
            last: None,
            below: Vec::new(),
            equal: Vec::new(),
            full: count.saturating_mul(2).max(FEW),
        }
    }

    fn push(&mut self, rank: &[u8], number: usize) {
        match self.last.as_ref().map(|(last, _)| rank.cmp(last)) {
            Some(Ordering::Greater) => return,
            Some(Ordering::Equal) => return self.equal.push(number),
            Some(Ordering::Less) | None => self.below.push((rank.to_vec(), number)),
        }
        if self.below.len() >= self.full {
            self.leave_first();
        }
    }

    /// Takes in what others found.
    fn merge(&mut self, others: Ranks) {
        for (rank, number) in &others.below {
            self.push(rank, *number);
        }
        if let Some((last, _)) = &others.last {
            others
                .equal
                .iter()
                .for_each(|number| self.push(last, *number));
        }
    }

    fn leave_first(&mut self) {
        let Some(at) = self.count.checked_sub(1) else {
            self.below.clear();
            return;
        };
        if at >= self.below.len() {
            return;
        }
        let (_, (last, number), _) = self.below.select_nth_unstable(at);
        let (last, number) = (last.clone(), *number);
        self.equal.clear();
        let equal = self.below.iter().filter(|(rank, _)| *rank == last);
        self.equal.extend(equal.map(|(_, number)| *number));
        self.below.retain(|(rank, _)| *rank < last);
        if is_planted("limit-loses-equal-groups") {
            self.equal.clear();
        }
        self.last = Some((last, number));
    }

    fn finish(mut self) -> impl Iterator<Item = usize> {
        self.leave_first();
        let below = self.below.into_iter().map(|(_, number)| number);
        below.chain(self.equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_and_their_equals_are_found(
            ranks in proptest::collection::vec(0u16..40, 0..2000),
            count in 0usize..30,
            parts in 1usize..4,
        ) {
            let mut found = Ranks::new(count);
            for part in 0..parts {
                let mut own = Ranks::new(count);
                for (number, rank) in ranks.iter().enumerate().filter(|(n, _)| n % parts == part) {
                    own.push(&rank.to_be_bytes(), number);
                    prop_assert!(own.below.len() <= own.full);
                }
                found.merge(own);
            }
            let mut found: Vec<usize> = found.finish().collect();
            found.sort_unstable();
            let mut sorted = ranks.clone();
            sorted.sort_unstable();
            let last = count.checked_sub(1).map(|at| sorted.get(at).copied().unwrap_or(u16::MAX));
            let wanted = |rank: &u16| last.is_some_and(|last| *rank <= last);
            let expected: Vec<usize> = (0..).zip(&ranks).filter(|(_, rank)| wanted(rank)).map(|(n, _)| n).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
