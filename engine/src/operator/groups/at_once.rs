//! What several threads do at once with many keys: shards have nothing to do with each other, and neither
//! have the lower half of an order and the upper one.

use super::hash::Seeds;
use super::{Groups, SHARDS, Shard};
use crate::at_once::at_once;

/// Fewer keys are not worth the threads.
const MANY: usize = 16 * 1024;

impl Groups {
    /// Says how many threads may take over or sort keys at once. What comes of it is the same.
    pub fn share(&mut self, threads: usize) {
        self.threads = threads.min(SHARDS) as u32;
    }

    /// [`Groups::absorb`] on several threads, where both have the same layout; none where that is not worth it.
    pub(super) fn absorb_at_once(&mut self, others: &Groups) -> Option<Vec<(u32, u32)>> {
        let threads = self.threads as usize;
        if threads < 2 || others.len() < MANY {
            return None;
        }
        if self.table.shards.len() == 1 {
            self.table.divide();
        }
        let seeds = self.table.seeds;
        let mine = self.table.shards.iter_mut();
        let shards = mine.zip(&others.table.shards).enumerate().collect();
        let absorbed = at_once(shards, threads, |(at, (mine, theirs))| {
            mine.absorb(at, theirs, seeds)
        });
        let pairs = absorbed.concat();
        let highest = pairs.iter().map(|(mine, _)| mine + 1).max();
        self.table.limit = self.table.limit.max(highest.unwrap_or(0));
        Some(pairs)
    }
}

impl Shard {
    /// Takes over the keys of the same shard of others. Gives for each its number here and there.
    fn absorb(&mut self, at: usize, others: &Shard, seeds: Seeds) -> Vec<(u32, u32)> {
        let pairs = others.keys().map(|(theirs, key)| {
            let hash = seeds.key(&key);
            let mine = self.find(hash, &key).unwrap_or_else(|| {
                let number = self.number_new(Some(at));
                self.insert(hash, seeds, &key, number);
                number
            });
            (mine, theirs)
        });
        pairs.collect()
    }
}

/// Sorts on several threads.
pub(super) fn sort<T: Ord + Send>(all: &mut [T], threads: usize) {
    if threads < 2 || all.len() < MANY {
        return all.sort_unstable();
    }
    let middle = all.len() * (threads / 2) / threads;
    let (below, _, above) = all.select_nth_unstable(middle);
    let halves = vec![(below, threads / 2), (above, threads - threads / 2)];
    at_once(halves, 2, |(half, threads)| sort(half, threads));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::groups::KEY_ROOM;
    use std::collections::{BTreeMap, BTreeSet};

    /// Keys of all lengths, no one of which is the beginning of another.
    fn key(number: u32) -> Vec<u8> {
        let len = 1 + number % 13;
        let rest = number.to_be_bytes().repeat(len as usize);
        std::iter::once(len as u8).chain(rest).collect()
    }

    fn groups(numbers: impl Iterator<Item = u32>) -> Groups {
        let mut groups = Groups::new(3);
        numbers.for_each(|number| _ = groups.number_key(&key(number)));
        groups
    }

    #[test]
    fn keys_are_taken_over_and_sorted_as_by_one_thread() {
        let others = groups(20_000..60_000);
        for (few, threads) in [(30_000, 2), (30_000, 7), (0, 3), (20, 64)] {
            let (mut taken, mut numbers) = (BTreeMap::new(), BTreeSet::new());
            let (mut one, mut several) = (groups(0..few), groups(0..few));
            several.share(threads);
            // Numbers of keys that were forgotten are given again.
            for forgotten in (0..few).step_by(3) {
                one.remove(&key(forgotten));
                several.remove(&key(forgotten));
            }
            one.absorb(&others);
            let pairs = several.absorb(&others);
            assert_eq!((pairs.len(), several.len()), (others.len(), one.len()));
            for (mine, theirs) in (20_000..60_000).map(|number| {
                let key = key(number);
                (several.find(&key), others.find(&key))
            }) {
                let (mine, theirs) = (mine.expect("it is there"), theirs.expect("it was there"));
                assert!(
                    (mine as usize) < several.limit(),
                    "{few} keys, {threads} threads"
                );
                taken.insert(theirs, mine);
            }
            assert!(
                pairs
                    .iter()
                    .all(|(mine, theirs)| taken.remove(theirs) == Some(*mine))
            );
            // Which numbers they are depends on who came first, and the order of keys does not.
            let (mut one, mut several) = (one.drain(), several.drain());
            let (mut left, mut right) = (Vec::with_capacity(KEY_ROOM), Vec::new());
            while one.next(&mut left).is_some() {
                let number = several.next(&mut right).expect("as many");
                assert!(
                    left == right && numbers.insert(number),
                    "{few} keys, {threads} threads"
                );
                left.clear();
                right.clear();
            }
            assert!(several.next(&mut right).is_none());
        }
    }
}
