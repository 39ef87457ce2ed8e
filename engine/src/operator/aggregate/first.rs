//! Which groups come first in the order of what functions give.

use super::states::States;
use crate::operator::groups::Groups;
use crate::plan::First;
use crate::planted::is_planted;
use wireq_typesys::key;

/// Numbers of groups.
#[derive(Default)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    fn new(limit: usize) -> Numbers {
        Numbers(vec![0; limit.div_ceil(64)])
    }

    fn add(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] >> (number % 64) & 1 != 0
    }

    /// In ascending order, in which states stand.
    fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.0.iter().enumerate();
        words.flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let lowest = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (lowest < 64).then_some(at as u32 * 64 + lowest)
            })
        })
    }
}

/// For fewer groups than this for each that is wanted it is not worth the while.
const GROUPS_EACH: usize = 4;

/// So few more than are wanted are not worth a look.
const FEW: usize = 16;

/// The numbers of the groups that come first, and of all that are equal to the last of them; none where
/// all may as well be given.
pub(super) fn wanted(first: &First, groups: &Groups, states: &States) -> Option<Numbers> {
    if groups.len() / GROUPS_EACH <= first.count {
        return None;
    }
    let mut all = Numbers::new(groups.limit());
    groups.for_each_number(|number| all.add(number));
    let mut ranks = Ranks::new(first.count);
    let mut rank = Vec::new();
    for number in all.iter() {
        rank.clear();
        for (at, order) in &*first.by {
            let start = rank.len();
            key::encode(&states.value(*at, number), &mut rank);
            order.apply(&mut rank[start..]);
        }
        ranks.push(&rank, number);
    }
    let mut wanted = Numbers::new(groups.limit());
    ranks.finish().for_each(|number| wanted.add(number));
    Some(wanted)
}

/// The lowest of many ranks, with all that are equal to the last of them.
struct Ranks {
    count: usize,
    kept: Vec<(Vec<u8>, u32)>,
    /// The rank of the last of the first so far: what is above it is not wanted.
    last: Option<Vec<u8>>,
    /// When it is time to look which are the first again.
    full: usize,
}

impl Ranks {
    fn new(count: usize) -> Ranks {
        Ranks {
            count,
            kept: Vec::new(),
            last: None,
            full: count.saturating_mul(2).max(FEW),
        }
    }

    fn push(&mut self, rank: &[u8], number: u32) {
        if self.last.as_ref().is_some_and(|last| rank > &**last) {
            return;
        }
        self.kept.push((rank.to_vec(), number));
        if self.kept.len() >= self.full {
            self.leave_first();
            self.full = self.full.max(2 * self.kept.len());
        }
    }

    fn leave_first(&mut self) {
        let Some(at) = self.count.checked_sub(1) else {
            self.kept.clear();
            return;
        };
        if at < self.kept.len() {
            let (_, last, _) = self.kept.select_nth_unstable(at);
            let last = last.0.clone();
            match is_planted("limit-loses-equal-groups") {
                true => self.kept.truncate(self.count),
                false => self.kept.retain(|(rank, _)| *rank <= last),
            }
            self.last = Some(last);
        }
    }

    fn finish(mut self) -> impl Iterator<Item = u32> {
        self.leave_first();
        self.kept.into_iter().map(|(_, number)| number)
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
        ) {
            let mut found = Ranks::new(count);
            for (number, rank) in ranks.iter().enumerate() {
                found.push(&rank.to_be_bytes(), number as u32);
            }
            let mut found: Vec<u32> = found.finish().collect();
            found.sort_unstable();
            let mut sorted = ranks.clone();
            sorted.sort_unstable();
            let last = count.checked_sub(1).map(|at| sorted.get(at).copied().unwrap_or(u16::MAX));
            let wanted = |rank: &u16| last.is_some_and(|last| *rank <= last);
            let expected: Vec<u32> = (0u32..).zip(&ranks).filter(|(_, rank)| wanted(rank)).map(|(n, _)| n).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn numbers_come_in_order() {
        let mut numbers = Numbers::new(200);
        for number in [0, 63, 64, 199, 130] {
            numbers.add(number);
        }
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [0, 63, 64, 130, 199]);
        assert!(numbers.has(130) && !numbers.has(131));
    }
}
