//! Keys and which of them was touched longest ago.
//!
//! The rows of a part are numbered at once, and then touched one by one: a key may go and come back
//! within a part. Numbers of keys that went are given free at the end of it, by [`Recent::sweep`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use wireq_engine::operator::Groups;
use wireq_typesys::{Column, key};

/// When a key was touched: the time, and how many touches there were before.
type Stamp = (i64, u64);

/// Keys by number, with the stamp of each one's latest touch.
pub(super) struct Recent {
    groups: Groups,
    keys: Vec<Known>,
    /// An entry for each live key, with the stamp that it had when it was put there; the oldest is
    /// on top.
    queue: BinaryHeap<Reverse<(Stamp, u32)>>,
    touches: u64,
    /// Numbers of keys that went since the last sweep.
    gone: Vec<u32>,
    live: usize,
    memory: usize,
    numbers: Vec<u32>,
}

#[derive(Default)]
struct Known {
    key: Box<[u8]>,
    stamp: Stamp,
    live: bool,
}

/// About what a key takes beside its bytes, which stand in the table and in the list of keys.
const ENTRY: usize = 120;

impl Recent {
    /// No keys yet; `seed` keys the hash.
    pub(super) fn new(seed: u64) -> Recent {
        Recent {
            groups: Groups::new(seed),
            keys: Vec::new(),
            queue: BinaryHeap::new(),
            touches: 0,
            gone: Vec::new(),
            live: 0,
            memory: 0,
            numbers: Vec::new(),
        }
    }

    /// The number of each row's key. All of them must be touched before the next sweep.
    pub(super) fn number_rows<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>> + Clone,
        rows: &[u16],
    ) -> Vec<u32> {
        let mut numbers = std::mem::take(&mut self.numbers);
        let mut new = Vec::new();
        self.groups
            .number_rows(columns.clone(), rows, &mut numbers, |at| new.push(at));
        for at in new {
            let mut key = Vec::new();
            for column in columns.clone() {
                key::encode_row(column, usize::from(rows[at]), &mut key);
            }
            self.know(numbers[at], key.into());
        }
        numbers
    }

    /// Takes back the numbers of the rows, for their buffer.
    pub(super) fn reuse(&mut self, numbers: Vec<u32>) {
        self.numbers = numbers;
    }

    fn know(&mut self, number: u32, key: Box<[u8]>) {
        if self.keys.len() < self.groups.limit() {
            self.keys.resize_with(self.groups.limit(), Known::default);
        }
        self.memory += ENTRY + 2 * key.len();
        self.keys[number as usize] = Known {
            key,
            ..Known::default()
        };
    }

    /// One more than the highest number.
    pub(super) fn limit(&self) -> usize {
        self.groups.limit()
    }

    /// How many keys there are that did not go.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// About how many bytes the keys take.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Touches a key; says whether it is new or comes back. Its time never steps back.
    pub(super) fn touch(&mut self, number: u32, time: i64) -> bool {
        self.touches += 1;
        let known = &mut self.keys[number as usize];
        if known.live {
            known.stamp = (known.stamp.0.max(time), self.touches);
            return false;
        }
        (known.stamp, known.live) = ((time, self.touches), true);
        self.queue.push(Reverse((known.stamp, number)));
        self.live += 1;
        true
    }

    /// The time of the key that was touched longest ago.
    pub(super) fn oldest(&mut self) -> Option<i64> {
        loop {
            let mut top = self.queue.peek_mut()?;
            let Reverse((stamp, number)) = *top;
            let latest = self.keys[number as usize].stamp;
            if stamp == latest {
                return Some(stamp.0);
            }
            // It was touched since: its place is further down.
            *top = Reverse((latest, number));
        }
    }

    /// Lets the key go that was touched longest ago.
    pub(super) fn forget_oldest(&mut self) {
        if self.oldest().is_some()
            && let Some(Reverse((_, number))) = self.queue.pop()
        {
            self.keys[number as usize].live = false;
            self.gone.push(number);
            self.live -= 1;
        }
    }

    /// Forgets the keys that went and did not come back: their numbers may be given to others.
    pub(super) fn sweep(&mut self) {
        for number in self.gone.drain(..) {
            let known = &mut self.keys[number as usize];
            if known.live || known.key.is_empty() {
                continue;
            }
            let key = std::mem::take(&mut known.key);
            self.memory -= ENTRY + 2 * key.len();
            self.groups.remove(&key);
        }
    }

    /// All keys with number and time, the one touched longest ago first.
    pub(super) fn in_order(&self) -> Vec<(&[u8], u32, i64)> {
        let mut all: Vec<(Stamp, &[u8], u32)> = Vec::with_capacity(self.live);
        for (number, known) in self.keys.iter().enumerate().filter(|(_, k)| k.live) {
            all.push((known.stamp, &known.key, number as u32));
        }
        all.sort_unstable();
        let own = |(stamp, key, number): (Stamp, _, _)| (key, number, stamp.0);
        all.into_iter().map(own).collect()
    }

    /// Touches a key of another state: its number, and whether it is new or comes back.
    pub(super) fn adopt(&mut self, key: &[u8], time: i64) -> (u32, bool) {
        let (number, is_new) = self.groups.number_key(key);
        if is_new {
            self.know(number, key.into());
        }
        (number, self.touch(number, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a plain list of keys, the one touched longest ago first.
    #[test]
    fn forgets_what_a_plain_list_forgets() {
        let mut state = 3u64;
        let mut random = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let mut recent = Recent::new(7);
        let mut plain: Vec<(i64, Vec<u8>)> = Vec::new();
        for step in 0..20_000 {
            let key = vec![b'k', random(60) as u8];
            let time = step / 50 + random(30) as i64;
            recent.adopt(&key, time);
            let before = plain.iter().position(|(_, known)| *known == key);
            let before = before.map_or(time, |at| plain.remove(at).0);
            let time = time.max(before);
            let at = plain.partition_point(|(known, _)| *known <= time);
            plain.insert(at, (time, key));
            if random(3) == 0 || plain.len() > 40 {
                recent.forget_oldest();
                plain.remove(0);
            }
            if random(5) == 0 {
                recent.sweep();
            }
            assert_eq!(recent.len(), plain.len());
            assert_eq!(recent.oldest(), plain.first().map(|(time, _)| *time));
        }
        recent.sweep();
        let found: Vec<(i64, Vec<u8>)> = recent
            .in_order()
            .into_iter()
            .map(|(key, _, time)| (time, key.to_vec()))
            .collect();
        assert_eq!(found, plain);
        assert_eq!(recent.memory(), plain.len() * (ENTRY + 4));
        while recent.len() > 0 {
            recent.forget_oldest();
        }
        recent.sweep();
        assert_eq!((recent.memory(), recent.oldest()), (0, None));
    }
}
