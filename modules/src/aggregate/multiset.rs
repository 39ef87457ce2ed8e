//! Keys with how often each was there: what exact quantiles are read from.

use super::keys::{Key, Seen};
use std::collections::BTreeMap;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Value;

/// The values of a group. Short keys are gathered unsorted and now and then sorted in, so that
/// adding one is a push, and memory is bounded by the number of distinct values.
#[derive(Clone, Default)]
pub(super) struct Multiset {
    sorted: Vec<(u128, u64)>,
    fresh: Vec<u128>,
    long: BTreeMap<Box<[u8]>, u64>,
    /// What long keys take.
    long_bytes: usize,
    seen: Seen,
}

/// What a long key takes in the map beside its bytes: itself, its count, and what an allocation and
/// a node that is not full cost.
const LONG_BYTES: usize = 72;

/// Fresh keys are sorted in when there are this many and half as many as sorted ones.
const FRESH_MIN: usize = 256;

impl Multiset {
    /// Adds a key; what more memory that takes is added to `memory`.
    #[inline]
    pub(super) fn add(&mut self, key: Key<'_>, seen: Seen, memory: &mut usize) {
        self.seen.add(seen);
        match key {
            Key::Short(packed) if self.fresh.len() < self.fresh.capacity() => {
                self.fresh.push(packed);
            }
            other => {
                *memory -= self.memory();
                match other {
                    Key::Short(packed) => self.add_short(packed),
                    Key::Long(bytes) => self.add_long(bytes, 1),
                }
                *memory += self.memory();
            }
        }
    }

    /// Adds a short key where there is no room for it: before more is made, what is fresh may be
    /// sorted in.
    fn add_short(&mut self, packed: u128) {
        if self.fresh.len() >= FRESH_MIN && self.fresh.len() >= self.sorted.len() / 2 {
            self.sort_in();
        }
        self.fresh.push(packed);
    }

    /// About how many bytes it takes beyond its own size.
    pub(super) fn memory(&self) -> usize {
        let sorted = self.sorted.capacity() * size_of::<(u128, u64)>();
        sorted + self.fresh.capacity() * size_of::<u128>() + self.long_bytes
    }

    fn add_long(&mut self, bytes: &[u8], count: u64) {
        match self.long.get_mut(bytes) {
            Some(own) => *own = own.saturating_add(count),
            None => {
                self.long.insert(bytes.into(), count);
                self.long_bytes += bytes.len() + LONG_BYTES;
            }
        }
    }

    fn sort_in(&mut self) {
        self.sorted = self.all_short();
        self.fresh.clear();
    }

    /// The short keys with the fresh ones among them.
    fn all_short(&self) -> Vec<(u128, u64)> {
        let mut fresh = self.fresh.clone();
        fresh.sort_unstable();
        merged(
            &self.sorted,
            fresh
                .chunk_by(|a, b| a == b)
                .map(|same| (same[0], same.len() as u64)),
        )
    }

    pub(super) fn merge(&mut self, other: &Multiset) {
        self.seen.add(other.seen);
        self.sort_in();
        self.sorted = merged(&self.sorted, other.all_short().into_iter());
        for (bytes, count) in &other.long {
            self.add_long(bytes, *count);
        }
    }

    /// The value at a rank from 1 that `rank` gives for the number of values.
    pub(super) fn at_rank(&self, rank: impl Fn(u64) -> u64) -> Value {
        let short = self.all_short();
        let counts = short
            .iter()
            .map(|(_, count)| count)
            .chain(self.long.values());
        let mut left = rank(counts.fold(0, |sum, count| sum.saturating_add(*count)));
        let (mut short, mut long) = (short.iter().peekable(), self.long.iter().peekable());
        loop {
            let next_long = long
                .peek()
                .map(|(bytes, count)| (Key::Long(bytes), **count));
            let next_short = short
                .peek()
                .map(|(packed, count)| (Key::Short(*packed), *count));
            let (key, count) = match (next_short, next_long) {
                (None, None) => return Value::Absent,
                (Some(short_one), long_one)
                    if long_one.is_none_or(|(key, _)| short_one.0.cmp(&key).is_lt()) =>
                {
                    short.next();
                    short_one
                }
                (_, Some(long_one)) => {
                    long.next();
                    long_one
                }
                (Some(short_one), None) => short_one,
            };
            if left <= count {
                return self.seen.restored(key.value());
            }
            left -= count;
        }
    }

    pub(super) fn save(&self, out: &mut Writer) {
        let short = self.all_short();
        self.seen.save(out);
        out.number(short.len() as u64);
        for (packed, count) in short {
            out.bytes(Key::Short(packed).bytes(&mut [0; 16]));
            out.number(count);
        }
        out.number(self.long.len() as u64);
        for (bytes, count) in &self.long {
            out.bytes(bytes);
            out.number(*count);
        }
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Multiset, Error> {
        let mut set = Multiset {
            seen: Seen::load(from)?,
            ..Multiset::default()
        };
        for _ in 0..from.number()? {
            let Key::Short(packed) = Key::new(from.bytes()?) else {
                return Err(Error::Snapshot("a key is too long".into()));
            };
            if set.sorted.last().is_some_and(|(last, _)| *last >= packed) {
                return Err(Error::Snapshot("keys are out of order".into()));
            }
            set.sorted.push((packed, from.number()?));
        }
        for _ in 0..from.number()? {
            let (bytes, count) = (from.bytes()?, from.number()?);
            set.add_long(bytes, count);
        }
        Ok(set)
    }
}

/// Two ascending runs as one.
fn merged(left: &[(u128, u64)], right: impl Iterator<Item = (u128, u64)>) -> Vec<(u128, u64)> {
    let mut all = Vec::with_capacity(left.len() + right.size_hint().0);
    let mut left = left.iter().copied().peekable();
    for (key, count) in right {
        while let Some(lower) = left.next_if(|(own, _)| *own < key) {
            all.push(lower);
        }
        let own = left
            .next_if(|(own, _)| *own == key)
            .map_or(0, |(_, own)| own);
        all.push((key, count.saturating_add(own)));
    }
    all.extend(left);
    all
}
