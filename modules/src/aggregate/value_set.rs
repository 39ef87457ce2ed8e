//! A set of keys that grows without moving all of them at once.

use super::keys::Key;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash, RandomState};
use wireq_engine::spill::Members;
use wireq_typesys::allocated;

/// Distinct keys. Their hashes are seeded by the standard library: attackers choose what is in
/// packets.
#[derive(Clone, Default)]
pub(super) struct ValueSet {
    short: Shards<u128>,
    /// Most sets have none.
    long: Option<Box<Shards<Box<[u8]>>>>,
}

/// One table for few keys, so that a million small sets cost little; many for many, so that only a
/// part of them is moved at a time.
#[derive(Clone)]
enum Shards<T> {
    One(HashTable<T>),
    Many(Box<[HashTable<T>]>),
}

/// More keys than this are divided.
const ONE_MAX: usize = 4096;
const SHARDS: usize = 64;

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Shards::One(HashTable::new())
    }
}

impl<T: Hash + Eq> Shards<T> {
    fn tables(&self) -> &[HashTable<T>] {
        match self {
            Shards::One(table) => std::slice::from_ref(table),
            Shards::Many(tables) => tables,
        }
    }

    fn len(&self) -> usize {
        self.tables().iter().map(HashTable::len).sum()
    }

    fn memory(&self) -> usize {
        let tables = self.tables().iter();
        tables.map(HashTable::allocation_size).sum()
    }

    /// The table of a hash. Tables take their index from the low bits and their tags from the top
    /// seven, so these bits in between are free.
    fn table(&mut self, hash: u64) -> &mut HashTable<T> {
        match self {
            Shards::One(table) => table,
            Shards::Many(tables) => &mut tables[(hash >> 48) as usize % SHARDS],
        }
    }

    /// Adds what is not there; what more memory that takes is added to `memory`.
    fn insert(
        &mut self,
        hash: u64,
        is_same: impl FnMut(&T) -> bool,
        make: impl FnOnce() -> T,
        hasher: &RandomState,
        memory: &mut usize,
    ) -> bool {
        let table = self.table(hash);
        if table.find(hash, is_same).is_some() {
            return false;
        }
        if table.len() == table.capacity() {
            *memory -= table.allocation_size();
            table.reserve(1, |key| hasher.hash_one(key));
            *memory += table.allocation_size();
        }
        table.insert_unique(hash, make(), |key| hasher.hash_one(key));
        if let Shards::One(table) = self
            && table.len() > ONE_MAX
        {
            let table = std::mem::take(table);
            *memory -= table.allocation_size();
            *self = Shards::divided(table, hasher);
            *memory += self.memory();
        }
        true
    }

    fn divided(table: HashTable<T>, hasher: &RandomState) -> Shards<T> {
        let tables = std::iter::repeat_with(HashTable::new).take(SHARDS);
        let mut shards = Shards::Many(tables.collect());
        for key in table {
            let hash = hasher.hash_one(&key);
            let again = |key: &T| hasher.hash_one(key);
            shards.table(hash).insert_unique(hash, key, again);
        }
        shards
    }

    /// Takes all out, a piece for each table, which is dropped then: the next piece has room where it was.
    fn drain(self) -> Vec<Vec<T>> {
        let tables = match self {
            Shards::One(table) => vec![table],
            Shards::Many(tables) => tables.into_vec(),
        };
        let pieces = tables.into_iter().map(|table| table.into_iter().collect());
        pieces.collect()
    }
}

impl ValueSet {
    /// Adds a key; what more memory that takes is added to `memory`.
    #[inline]
    pub(super) fn add(&mut self, key: Key<'_>, hasher: &RandomState, memory: &mut usize) {
        match key {
            Key::Short(packed) => {
                let hash = hasher.hash_one(packed);
                self.short
                    .insert(hash, |own| *own == packed, || packed, hasher, memory);
            }
            Key::Long(bytes) => {
                let long = self.long.get_or_insert_default();
                let hash = hasher.hash_one(bytes);
                let added =
                    long.insert(hash, |own| **own == *bytes, || bytes.into(), hasher, memory);
                if added {
                    *memory += allocated(bytes.len());
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.short.len() + self.long.as_ref().map_or(0, |long| long.len())
    }

    /// How many bytes it takes, after a look at all of it.
    pub(super) fn memory(&self) -> usize {
        let long = self.long.as_ref().map_or(0, |long| {
            let boxed = long.tables().iter().flatten();
            let boxed = boxed.map(|bytes| allocated(bytes.len()));
            long.memory() + boxed.sum::<usize>()
        });
        self.short.memory() + long
    }

    /// All keys, in no order.
    pub(super) fn each(&self, mut each: impl FnMut(Key<'_>)) {
        let short = self.short.tables().iter().flatten();
        short.for_each(|packed| each(Key::Short(*packed)));
        let long = self.long.iter().flat_map(|long| long.tables()).flatten();
        long.for_each(|bytes| each(Key::Long(bytes)));
    }

    /// Takes all keys out, in ascending order.
    pub(super) fn take(&mut self) -> Members {
        let short = std::mem::take(&mut self.short).drain();
        let long = self.long.take().map(|long| long.drain());
        Members::new(short, long.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::Random;
    use std::collections::BTreeSet;

    #[test]
    fn is_a_set_that_knows_its_size() {
        let (hasher, mut random) = (RandomState::new(), Random(8));
        let (mut set, mut memory) = (ValueSet::default(), 0);
        let mut plain = BTreeSet::new();
        for step in 0..40_000 {
            let len = 3 + random.below(20) as usize;
            let mut bytes = vec![len as u8; len];
            bytes[..3].copy_from_slice(&(random.below(3000) as u32).to_be_bytes()[1..]);
            set.add(Key::new(&bytes), &hasher, &mut memory);
            plain.insert(bytes);
            if step % 1000 == 0 {
                assert_eq!((set.len(), memory), (plain.len(), set.memory()));
            }
        }
        let mut all = BTreeSet::new();
        set.each(|key| {
            assert!(all.insert(key.bytes(&mut [0; 16]).to_vec()));
        });
        assert_eq!(all, plain);
        let members = set.take();
        let mut sorted = Vec::new();
        let taken: Result<(), ()> = members.try_each(|bytes| {
            sorted.push(bytes.to_vec());
            Ok(())
        });
        assert_eq!(taken, Ok(()));
        assert_eq!(sorted, plain.into_iter().collect::<Vec<_>>());
        assert_eq!((set.len(), set.memory()), (0, 0));
    }
}
