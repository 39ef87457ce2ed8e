//! Keys with how often each was there: what exact quantiles are read from.

use super::keys::{Key, Seen};
use std::collections::BTreeMap;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::{Value, allocated};

/// The values of a group. Short keys are gathered unsorted and now and then sorted in, so that
/// adding one is a push, and memory is bounded by the number of distinct values.
#[derive(Clone, Default)]
pub(super) struct Multiset {
    sorted: Vec<(u128, u64)>,
    fresh: Vec<u128>,
    long: BTreeMap<Box<[u8]>, u64>,
    /// What long keys take outside the nodes.
    long_bytes: usize,
    seen: Seen,
}

/// How many keys a node of the map has that is not full, and what a node takes: room for 11 keys and
/// counts.
const NODE_KEYS: usize = 7;
const NODE_BYTES: usize = allocated(11 * size_of::<(Box<[u8]>, u64)>() + 16);

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
        let nodes = self.long.len().div_ceil(NODE_KEYS) * NODE_BYTES;
        sorted + self.fresh.capacity() * size_of::<u128>() + nodes + self.long_bytes
    }

    fn add_long(&mut self, bytes: &[u8], count: u64) {
        match self.long.get_mut(bytes) {
            Some(own) => *own = own.saturating_add(count),
            None => {
                self.long.insert(bytes.into(), count);
                self.long_bytes += allocated(bytes.len());
            }
        }
    }

    /// Sorts the fresh keys in, from the last one on, so that no second table is needed.
    fn sort_in(&mut self) {
        self.fresh.sort_unstable();
        let mut sorted = self.sorted.iter().map(|(key, _)| *key).peekable();
        let is_new = |key: &u128| {
            while sorted.next_if(|own| own < key).is_some() {}
            sorted.peek() != Some(key)
        };
        let new = counted(&self.fresh).map(|(key, _)| key).filter(is_new);
        let (mut read, new) = (self.sorted.len(), new.count());
        self.sorted.reserve_exact(new);
        self.sorted.resize(read + new, (0, 0));
        let mut write = self.sorted.len();
        for (key, count) in counted(&self.fresh).rev() {
            while read > 0 && self.sorted[read - 1].0 > key {
                (read, write) = (read - 1, write - 1);
                self.sorted[write] = self.sorted[read];
            }
            if read > 0 && self.sorted[read - 1].0 == key {
                let own = &mut self.sorted[read - 1].1;
                *own = own.saturating_add(count);
            } else {
                write -= 1;
                self.sorted[write] = (key, count);
            }
        }
        self.fresh.clear();
    }

    /// The fresh keys in order.
    fn fresh_sorted(&self) -> Vec<u128> {
        let mut fresh = self.fresh.clone();
        fresh.sort_unstable();
        fresh
    }

    pub(super) fn merge(&mut self, other: &Multiset) {
        self.seen.add(other.seen);
        self.sort_in();
        let fresh = other.fresh_sorted();
        self.sorted = merged(&self.sorted, merged(&other.sorted, counted(&fresh))).collect();
        for (bytes, count) in &other.long {
            self.add_long(bytes, *count);
        }
    }

    /// The value at a rank from 1 that `rank` gives for the number of values.
    pub(super) fn at_rank(&self, rank: impl Fn(u64) -> u64) -> Value {
        let fresh = self.fresh_sorted();
        let counts = self.sorted.iter().map(|(_, count)| count);
        let counts = counts.chain(self.long.values());
        let mut left =
            rank(counts.fold(fresh.len() as u64, |sum, count| sum.saturating_add(*count)));
        let mut short = merged(&self.sorted, counted(&fresh)).peekable();
        let mut long = self.long.iter().peekable();
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
        let fresh = self.fresh_sorted();
        let short = || merged(&self.sorted, counted(&fresh));
        self.seen.save(out);
        out.number(short().count() as u64);
        for (packed, count) in short() {
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

/// The keys of an ascending run, each once with how often it is there.
fn counted(keys: &[u128]) -> impl DoubleEndedIterator<Item = (u128, u64)> {
    let same = keys.chunk_by(|a, b| a == b);
    same.map(|same| (same[0], same.len() as u64))
}

/// Two ascending runs as one.
fn merged<'a>(
    left: &'a [(u128, u64)],
    right: impl Iterator<Item = (u128, u64)> + 'a,
) -> impl Iterator<Item = (u128, u64)> + 'a {
    let mut left = left.iter().copied().peekable();
    let mut right = right.peekable();
    std::iter::from_fn(move || {
        let Some((key, _)) = right.peek().copied() else {
            return left.next();
        };
        match left.next_if(|(own, _)| *own <= key) {
            Some((own, count)) if own == key => {
                let (_, more) = right.next()?;
                Some((key, count.saturating_add(more)))
            }
            Some(lower) => Some(lower),
            None => right.next(),
        }
    })
}
