//! Numbers for keys: the heart of grouping and of uniqueness.

use hashbrown::HashTable;
use std::cmp::Ordering;
use std::iter::Peekable;
use std::vec::IntoIter;
use wireq_typesys::{Column, allocated, key, key::Packer};

/// Logical shards of keyed state. Bounds, evictions and sketches are kept per shard, and the
/// shard of a key depends on the seed alone, never on the number of threads.
pub const SHARDS: usize = 64;

/// Gives each distinct key a number, from keys of columns. Few keys stand in one table, so that a
/// million small sets cost little; more are divided by shard. Keys of up to 31 bytes (an IPv6 address, a 5-tuple) stand in the table itself,
/// longer ones in boxes. The hash is keyed, since attackers choose what is in packets.
pub struct Groups {
    table: Table,
    packer: Packer,
    bytes: Vec<u8>,
    limit: u32,
}

/// Keys and their numbers.
struct Table {
    /// One shard for up to [`FEW`] keys, then [`SHARDS`].
    shards: Vec<Shard>,
    seeds: Seeds,
}

/// So many keys stand in one table.
const FEW: u32 = SHARDS as u32;

/// A key as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key<'a> {
    /// Up to 15 bytes: padded with zeros, the length last.
    Short(Short),
    /// Up to 31 bytes, likewise.
    Medium(Medium),
    Long(&'a [u8]),
}

type Short = [u64; 2];
type Medium = [u64; 4];

const SHORT_MAX: usize = 15;
const MEDIUM_MAX: usize = 31;

/// A key and its number, as [`Groups::sorted`] gives them.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    key: Key<'a>,
    /// The number.
    pub number: u32,
}

impl Numbered<'_> {
    /// The bytes of the key; `buffer` is where they are put together.
    pub fn bytes<'b>(&'b self, buffer: &'b mut [u8; 32]) -> &'b [u8] {
        match &self.key {
            Key::Short(words) => unpack(words, buffer),
            Key::Medium(words) => unpack(words, buffer),
            Key::Long(bytes) => bytes,
        }
    }

    fn cmp(&self, other: &Numbered<'_>) -> Ordering {
        match (&self.key, &other.key) {
            // Padded keys compare as their bytes do: no key is the beginning of another.
            (Key::Short(a), Key::Short(b)) => a.cmp(b),
            (Key::Medium(a), Key::Medium(b)) => a.cmp(b),
            _ => self.bytes(&mut [0; 32]).cmp(other.bytes(&mut [0; 32])),
        }
    }
}

fn pack<const WORDS: usize>(bytes: &[u8]) -> [u64; WORDS] {
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    padded[WORDS * 8 - 1] = bytes.len() as u8;
    let mut words = [0; WORDS];
    for (word, chunk) in words.iter_mut().zip(padded.chunks_exact(8)) {
        *word = u64::from_be_bytes(chunk.try_into().expect("chunks of eight"));
    }
    words
}

fn unpack<'b>(words: &[u64], buffer: &'b mut [u8; 32]) -> &'b [u8] {
    for (chunk, word) in buffer.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    let len = usize::from(buffer[words.len() * 8 - 1]);
    &buffer[..len.min(MEDIUM_MAX)]
}

impl Key<'_> {
    fn of(bytes: &[u8]) -> Key<'_> {
        if bytes.len() <= SHORT_MAX {
            Key::Short(pack(bytes))
        } else if bytes.len() <= MEDIUM_MAX {
            Key::Medium(pack(bytes))
        } else {
            Key::Long(bytes)
        }
    }
}

/// What keys the hash.
#[derive(Clone, Copy)]
struct Seeds(u64, u64);

impl Seeds {
    fn new(seed: u64) -> Seeds {
        let mix = |n: u64| fold(seed ^ n, MULTIPLIER ^ n);
        Seeds(mix(0x243f_6a88_85a3_08d3), mix(0x1319_8a2e_0370_7344))
    }

    #[inline(always)]
    fn short(self, key: &Short) -> u64 {
        fold(fold(key[0] ^ self.0, key[1] ^ self.1) ^ self.0, MULTIPLIER)
    }

    #[inline(always)]
    fn medium(self, key: &Medium) -> u64 {
        let first = fold(key[0] ^ self.0, key[1] ^ self.1);
        fold(fold(key[2] ^ first, key[3] ^ self.1) ^ self.0, MULTIPLIER)
    }

    fn long(self, bytes: &[u8]) -> u64 {
        let mut hash = self.0 ^ bytes.len() as u64;
        for chunk in bytes.chunks(MEDIUM_MAX) {
            hash = self.medium(&pack(chunk)).wrapping_add(fold(hash, self.1));
        }
        fold(hash ^ self.1, MULTIPLIER)
    }

    fn key(self, key: &Key<'_>) -> u64 {
        match key {
            Key::Short(key) => self.short(key),
            Key::Medium(key) => self.medium(key),
            Key::Long(bytes) => self.long(bytes),
        }
    }
}

/// The hash of [`Groups`] for tables that keep more beside a key than a number: equal keys have
/// equal hashes, and which keys collide depends on the seed.
#[derive(Clone, Copy)]
pub struct KeyedHash(Seeds);

impl KeyedHash {
    /// The hash of a seed.
    pub fn new(seed: u64) -> KeyedHash {
        KeyedHash(Seeds::new(seed))
    }

    /// The hash of a key.
    #[inline]
    pub fn of(self, key: &[u8]) -> u64 {
        self.0.key(&Key::of(key))
    }
}

/// 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Two 64-bit words multiplied and folded: source wyhash, foldhash.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The shard of a hash. The map takes its index from the low bits and its tags from the top
/// seven, so these bits in between are free.
#[inline(always)]
fn shard_of(hash: u64) -> usize {
    (hash >> 48) as usize % SHARDS
}

#[derive(Default)]
struct Shard {
    short: HashTable<(Short, u32)>,
    medium: HashTable<(Medium, u32)>,
    long: HashTable<(Box<[u8]>, u32)>,
    /// Numbers of forgotten keys, to be used again.
    free: Vec<u32>,
    next: u32,
    /// What keys in boxes take.
    boxed: usize,
}

impl Shard {
    fn len(&self) -> usize {
        self.short.len() + self.medium.len() + self.long.len()
    }

    fn insert(&mut self, seeds: Seeds, key: &Key<'_>, number: u32) {
        match key {
            Key::Short(key) => {
                let hash = seeds.short(key);
                let again = |(k, _): &(Short, u32)| seeds.short(k);
                self.short.insert_unique(hash, (*key, number), again);
            }
            Key::Medium(key) => {
                let hash = seeds.medium(key);
                let again = |(k, _): &(Medium, u32)| seeds.medium(k);
                self.medium.insert_unique(hash, (*key, number), again);
            }
            Key::Long(key) => {
                let hash = seeds.long(key);
                let again = |(k, _): &(Box<[u8]>, u32)| seeds.long(k);
                self.boxed += allocated(key.len());
                self.long
                    .insert_unique(hash, ((*key).into(), number), again);
            }
        }
    }

    fn memory(&self) -> usize {
        self.short.allocation_size()
            + self.medium.allocation_size()
            + self.long.allocation_size()
            + self.boxed
            + self.free.capacity() * 4
    }
}

impl Table {
    #[inline(always)]
    fn shard(&self, hash: u64) -> usize {
        shard_of(hash) & (self.shards.len() - 1)
    }

    #[inline(always)]
    fn number_short(&mut self, key: Short) -> (u32, bool) {
        let hash = self.seeds.short(&key);
        let shard = &self.shards[self.shard(hash)];
        match shard.short.find(hash, |(k, _)| *k == key) {
            Some((_, number)) => (*number, false),
            None => (self.add(hash, &Key::Short(key)), true),
        }
    }

    fn number(&mut self, key: Key<'_>) -> (u32, bool) {
        match self.find(&key) {
            Some(number) => (number, false),
            None => (self.add(self.seeds.key(&key), &key), true),
        }
    }

    fn find(&self, key: &Key<'_>) -> Option<u32> {
        let hash = self.seeds.key(key);
        let shard = &self.shards[self.shard(hash)];
        match key {
            Key::Short(key) => shard.short.find(hash, |(k, _)| k == key).map(|(_, n)| *n),
            Key::Medium(key) => shard.medium.find(hash, |(k, _)| k == key).map(|(_, n)| *n),
            Key::Long(key) => shard
                .long
                .find(hash, |(k, _)| **k == **key)
                .map(|(_, n)| *n),
        }
    }

    /// Adds a key that is not there.
    #[cold]
    fn add(&mut self, hash: u64, key: &Key<'_>) -> u32 {
        if self.shards.len() == 1 && self.shards[0].len() >= FEW as usize {
            self.divide();
        }
        let (at, few) = (self.shard(hash), self.shards.len() == 1);
        let shard = &mut self.shards[at];
        let number = shard.free.pop().unwrap_or_else(|| {
            shard.next += 1;
            let next = shard.next - 1;
            // The numbers below belong to the keys that stood in one table.
            if few {
                next
            } else {
                FEW + next * SHARDS as u32 + at as u32
            }
        });
        shard.insert(self.seeds, key, number);
        number
    }

    /// Divides the keys by shard.
    fn divide(&mut self) {
        let few = std::mem::take(&mut self.shards);
        self.shards.resize_with(SHARDS, Shard::default);
        for shard in few {
            for (number, key) in shard.keys() {
                let at = self.shard(self.seeds.key(&key));
                self.shards[at].insert(self.seeds, &key, number);
            }
            for number in shard.free {
                self.shards[number as usize % SHARDS].free.push(number);
            }
        }
    }

    fn remove(&mut self, key: &Key<'_>) {
        let hash = self.seeds.key(key);
        let at = self.shard(hash);
        let shard = &mut self.shards[at];
        let number = match key {
            Key::Short(key) => {
                let entry = shard.short.find_entry(hash, |(k, _)| k == key).ok();
                entry.map(|entry| entry.remove().0.1)
            }
            Key::Medium(key) => {
                let entry = shard.medium.find_entry(hash, |(k, _)| k == key).ok();
                entry.map(|entry| entry.remove().0.1)
            }
            Key::Long(key) => {
                let entry = shard.long.find_entry(hash, |(k, _)| **k == **key).ok();
                entry.map(|entry| {
                    shard.boxed = shard.boxed.saturating_sub(allocated(key.len()));
                    entry.remove().0.1
                })
            }
        };
        shard.free.extend(number);
    }
}

impl Shard {
    fn keys(&self) -> impl Iterator<Item = (u32, Key<'_>)> {
        let short = self.short.iter().map(|(key, n)| (*n, Key::Short(*key)));
        let medium = self.medium.iter().map(|(key, n)| (*n, Key::Medium(*key)));
        let long = self.long.iter().map(|(key, n)| (*n, Key::Long(key)));
        short.chain(medium).chain(long)
    }
}

impl Groups {
    /// No keys yet; `seed` keys the hash.
    pub fn new(seed: u64) -> Groups {
        Groups {
            table: Table {
                shards: vec![Shard::default()],
                seeds: Seeds::new(seed),
            },
            packer: Packer::default(),
            bytes: Vec::new(),
            limit: 0,
        }
    }

    /// The number of each row's key, written to `numbers`; rows with a new key are told to
    /// `each_new` by their place in `rows`.
    pub fn number_rows<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>> + Clone,
        rows: &[u16],
        numbers: &mut Vec<u32>,
        mut each_new: impl FnMut(usize),
    ) {
        numbers.clear();
        let packed = self.packer.pack(columns.clone(), rows);
        for (at, packed) in packed.iter().enumerate() {
            let (number, new) = if *packed != 0 {
                let key = [(packed >> 64) as u64, *packed as u64];
                self.table.number_short(key)
            } else {
                self.bytes.clear();
                for column in columns.clone() {
                    key::encode_row(column, usize::from(rows[at]), &mut self.bytes);
                }
                self.table.number(Key::of(&self.bytes))
            };
            if new {
                self.limit = self.limit.max(number + 1);
                each_new(at);
            }
            numbers.push(number);
        }
    }

    /// The number of one key, and whether it is new.
    pub fn number_key(&mut self, key: &[u8]) -> (u32, bool) {
        let (number, new) = self.table.number(Key::of(key));
        self.limit = self.limit.max(number + 1);
        (number, new)
    }

    /// The number of a key that is there.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(&Key::of(key))
    }

    /// One more than the highest number.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.shards.iter().map(Shard::len).sum()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All keys with their numbers, in ascending order of key.
    pub fn sorted(&self) -> Vec<Numbered<'_>> {
        let mut all: Vec<Numbered<'_>> = Vec::with_capacity(self.len());
        for shard in &self.table.shards {
            all.extend(shard.keys().map(|(number, key)| Numbered { key, number }));
        }
        all.sort_unstable_by(Numbered::cmp);
        all
    }

    /// All keys on their own with their numbers, in ascending order of key.
    pub fn owned(&self) -> Vec<(Vec<u8>, u32)> {
        let own = |group: &Numbered<'_>| (group.bytes(&mut [0; 32]).to_vec(), group.number);
        self.sorted().iter().map(own).collect()
    }

    /// Takes all keys out, with their numbers, in ascending order of key. Little more memory is taken
    /// on the way than the keys took: tables are dropped one by one.
    pub fn drain(&mut self) -> Drained {
        let shards = std::mem::replace(&mut self.table.shards, vec![Shard::default()]);
        self.limit = 0;
        let count = |len: fn(&Shard) -> usize| shards.iter().map(len).sum();
        let boxed = count(|shard| shard.boxed);
        let mut short = Vec::with_capacity(count(|shard| shard.short.len()));
        let mut medium = Vec::with_capacity(count(|shard| shard.medium.len()));
        let mut long = Vec::with_capacity(count(|shard| shard.long.len()));
        for shard in shards {
            short.extend(shard.short);
            medium.extend(shard.medium);
            long.extend(shard.long);
        }
        short.sort_unstable();
        medium.sort_unstable();
        long.sort_unstable();
        Drained {
            short: short.into_iter().peekable(),
            medium: medium.into_iter().peekable(),
            long: long.into_iter().peekable(),
            boxed,
            buffer: [0; 32],
        }
    }

    /// About how many bytes the keys take.
    pub fn memory(&self) -> usize {
        let shards = &self.table.shards;
        shards.capacity() * size_of::<Shard>() + shards.iter().map(Shard::memory).sum::<usize>()
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.table.shards.clear();
        self.table.shards.push(Shard::default());
        self.limit = 0;
    }

    /// Forgets a key; its number may be given to another one.
    pub fn remove(&mut self, key: &[u8]) {
        self.table.remove(&Key::of(key));
    }
}

/// Keys on their own with their numbers, as [`Groups::drain`] gives them.
pub struct Drained {
    short: Peekable<IntoIter<(Short, u32)>>,
    medium: Peekable<IntoIter<(Medium, u32)>>,
    long: Peekable<IntoIter<(Box<[u8]>, u32)>>,
    /// What keys in boxes take.
    boxed: usize,
    /// Where the bytes of the next key are put together.
    buffer: [u8; 32],
}

impl Drained {
    /// Appends the bytes of the next key and gives its number; none at the end.
    pub fn next(&mut self, key: &mut Vec<u8>) -> Option<u32> {
        let mut other = [0; 32];
        let short = self.short.peek();
        let short = short.map(|(words, _)| unpack(words, &mut self.buffer));
        let medium = self
            .medium
            .peek()
            .map(|(words, _)| unpack(words, &mut other));
        let long = self.long.peek().map(|(bytes, _)| &**bytes);
        let lowest = [short, medium, long].into_iter().flatten().min()?;
        key.extend_from_slice(lowest);
        if short == Some(lowest) {
            return self.short.next().map(|(_, number)| number);
        }
        if medium == Some(lowest) {
            return self.medium.next().map(|(_, number)| number);
        }
        let (bytes, number) = self.long.next()?;
        self.boxed = self.boxed.saturating_sub(allocated(bytes.len()));
        Some(number)
    }

    /// Whether there are no more.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.short.len() + self.medium.len() + self.long.len()
    }

    /// About how many bytes the keys take.
    pub fn memory(&self) -> usize {
        self.short.len() * size_of::<(Short, u32)>()
            + self.medium.len() * size_of::<(Medium, u32)>()
            + self.long.len() * size_of::<(Box<[u8]>, u32)>()
            + self.boxed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn numbers_keys_as_a_plain_map_does() {
        let mut groups = Groups::new(5);
        let mut plain: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        let mut seed = 3u64;
        for step in 0..30_000u64 {
            seed = fold(seed ^ step, 0x2545_f491_4f6c_dd1d);
            // No key is the beginning of another: the first byte tells the length.
            let len = 1 + (seed % 40) as u8;
            let rest = (1..len).map(|at| (seed >> (at % 7)) as u8 & 3);
            let key: Vec<u8> = std::iter::once(len).chain(rest).collect();
            if step % 5 == 4 {
                groups.remove(&key);
                plain.remove(&key);
                continue;
            }
            let (number, new) = groups.number_key(&key);
            assert_eq!(new, !plain.contains_key(&key));
            assert_eq!(*plain.entry(key).or_insert(number), number);
        }
        let sorted: Vec<(Vec<u8>, u32)> = groups
            .sorted()
            .iter()
            .map(|n| (n.bytes(&mut [0; 32]).to_vec(), n.number))
            .collect();
        assert_eq!(sorted, plain.into_iter().collect::<Vec<_>>());
        let mut numbers: Vec<u32> = sorted.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), groups.len());
        let mut drained = groups.drain();
        let (mut key, mut all) = (Vec::new(), Vec::new());
        while let Some(number) = drained.next(&mut key) {
            all.push((std::mem::take(&mut key), number));
        }
        assert_eq!(all, sorted);
        assert_eq!(
            (groups.len(), groups.limit(), groups.sorted().len()),
            (0, 0, 0)
        );
    }
}
