//! Tables of keys, divided by shard.

use super::hash::{Seeds, shard_of};
use super::keys::{Key, Large, Short, halves};
use super::slot::Slots;
use super::{KEY_ROOM, SHARDS};
use hashbrown::HashTable;
use wireq_typesys::key::{self, Layout};
use wireq_typesys::{Column, allocated};

/// Keys and their numbers.
pub(super) struct Table {
    /// One shard for up to [`FEW`] keys, then [`SHARDS`].
    pub(super) shards: Vec<Shard>,
    /// One more than the highest number.
    pub(super) limit: u32,
    pub(super) seeds: Seeds,
    /// Where keys are one number.
    pub(super) layout: Option<Layout>,
}

/// So many keys stand in one table.
const FEW: u32 = SHARDS as u32;

/// The keys of a shard, those of each length in a table of their own.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) tiny: Slots<2>,
    pub(super) short: Slots<4>,
    pub(super) medium: Slots<6>,
    pub(super) large: Slots<12>,
    pub(super) long: HashTable<(Box<[u8]>, u32)>,
    /// Numbers of forgotten keys, to be used again.
    free: Vec<u32>,
    next: u32,
    /// What keys in boxes take.
    boxed: usize,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        let numbers = self.tiny.len() + self.short.len();
        numbers + self.medium.len() + self.large.len() + self.long.len()
    }

    /// The number of a number or what is padded as one, the usual key.
    #[inline(always)]
    fn find_short(&self, hash: u64, key: &Short) -> Option<u32> {
        match key {
            [0, low] => self.tiny.find(hash, &[*low]),
            key => self.short.find(hash, key),
        }
    }

    pub(super) fn find(&self, hash: u64, key: &Key<'_>) -> Option<u32> {
        match key {
            Key::Tiny(key) => self.tiny.find(hash, &[*key]),
            Key::Short(key) => self.short.find(hash, key),
            Key::Medium(key) => self.medium.find(hash, key),
            Key::Large(key) => self.large.find(hash, key),
            Key::Long(key) => self.long.find(hash, |(k, _)| **k == **key).map(|(_, n)| *n),
        }
    }

    /// The number of a new key; `at` is the shard's own, where it is not the only one.
    #[inline(always)]
    pub(super) fn number_new(&mut self, at: Option<usize>) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            let next = self.next - 1;
            // The numbers below belong to the keys that stood in one table.
            match at {
                None => next,
                Some(at) => FEW + next * SHARDS as u32 + at as u32,
            }
        })
    }

    #[inline(always)]
    fn insert_short(&mut self, hash: u64, seeds: Seeds, key: &Short, number: u32) {
        match key {
            [0, low] => {
                let again = |key: &[u64; 1]| seeds.short(&[0, key[0]]);
                self.tiny.insert(hash, &[*low], number, again);
            }
            key => self.short.insert(hash, key, number, |key| seeds.short(key)),
        }
    }

    /// Adds a key with this hash that is not there.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64, seeds: Seeds, key: &Key<'_>, number: u32) {
        match key {
            Key::Tiny(low) => self.insert_short(hash, seeds, &[0, *low], number),
            Key::Short(key) => self.insert_short(hash, seeds, key, number),
            Key::Medium(key) => self
                .medium
                .insert(hash, key, number, |key| seeds.medium(key)),
            Key::Large(key) => self.large.insert(hash, key, number, |key| seeds.large(key)),
            Key::Long(key) => {
                let again = |(k, _): &(Box<[u8]>, u32)| seeds.long(k);
                self.boxed += allocated(key.len());
                self.long
                    .insert_unique(hash, ((*key).into(), number), again);
            }
        }
    }

    /// Forgets a key with this hash; its number is free.
    fn remove(&mut self, hash: u64, key: &Key<'_>) {
        let number = match key {
            Key::Tiny(key) => self.tiny.remove(hash, &[*key]),
            Key::Short(key) => self.short.remove(hash, key),
            Key::Medium(key) => self.medium.remove(hash, key),
            Key::Large(key) => self.large.remove(hash, key),
            Key::Long(key) => {
                let entry = self.long.find_entry(hash, |(k, _)| **k == **key).ok();
                entry.map(|entry| {
                    self.boxed = self.boxed.saturating_sub(allocated(key.len()));
                    entry.remove().0.1
                })
            }
        };
        self.free.extend(number);
    }

    pub(super) fn memory(&self) -> usize {
        let numbers = self.tiny.memory() + self.short.memory();
        let others = self.medium.memory() + self.large.memory() + self.long.allocation_size();
        numbers + others + self.boxed + self.free.capacity() * 4
    }

    fn without_keys(&self) -> Shard {
        Shard {
            free: self.free.clone(),
            next: self.next,
            ..Shard::default()
        }
    }

    /// All keys and their numbers, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = (u32, Key<'_>)> {
        let tiny = self.tiny.iter();
        let tiny = tiny.map(|slot| (slot.number, Key::Tiny(slot.words::<1>()[0])));
        let short = self.short.iter();
        let short = short.map(|slot| (slot.number, Key::Short(slot.words())));
        let medium = self.medium.iter();
        let medium = medium.map(|slot| (slot.number, Key::Medium(slot.words())));
        let large = self.large.iter();
        let large = large.map(|slot| (slot.number, Key::Large(slot.words())));
        let long = self.long.iter().map(|(key, n)| (*n, Key::Long(key)));
        tiny.chain(short).chain(medium).chain(large).chain(long)
    }

    /// The numbers of all keys, in no order.
    pub(super) fn for_each_number(&self, each: &mut impl FnMut(u32)) {
        self.tiny.iter().for_each(|slot| each(slot.number));
        self.short.iter().for_each(|slot| each(slot.number));
        self.medium.iter().for_each(|slot| each(slot.number));
        self.large.iter().for_each(|slot| each(slot.number));
        self.long.iter().for_each(|(_, number)| each(*number));
    }
}

impl Table {
    /// No keys yet; `seed` keys the hash.
    pub(super) fn new(seed: u64) -> Table {
        Table {
            shards: vec![Shard::default()],
            limit: 0,
            seeds: Seeds::new(seed),
            layout: None,
        }
    }

    #[inline(always)]
    pub(super) fn shard(&self, hash: u64) -> usize {
        shard_of(hash) & (self.shards.len() - 1)
    }

    /// How a key is kept.
    pub(super) fn key_of<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        match &self.layout {
            None => Key::of(bytes),
            Some(layout) => match layout.read(bytes) {
                Some(packed) => Key::number(halves(packed)),
                None => Key::without_place(bytes),
            },
        }
    }

    #[inline(always)]
    pub(super) fn number_short(&mut self, key: Short) -> (u32, bool) {
        let hash = self.seeds.short(&key);
        let shard = &self.shards[self.shard(hash)];
        match shard.find_short(hash, &key) {
            Some(number) => (number, false),
            None => (self.add_short(hash, key), true),
        }
    }

    pub(super) fn number(&mut self, key: Key<'_>) -> (u32, bool) {
        let hash = self.seeds.key(&key);
        match self.find_hashed(hash, &key) {
            Some(number) => (number, false),
            None => (self.add(hash, &key), true),
        }
    }

    /// The number of the key of a row that is not short: as it was packed, or else of its bytes.
    #[inline]
    pub(super) fn number_wide<'a>(
        &mut self,
        wide: Option<Large>,
        columns: impl Iterator<Item = Option<&'a Column>>,
        row: usize,
        bytes: &mut Vec<u8>,
    ) -> (u32, bool) {
        if let Some(key) = wide {
            return self.number(Key::wide(key));
        }
        bytes.clear();
        columns.for_each(|column| key::encode_row(column, row, bytes));
        let key = self.key_of(bytes);
        self.number(key)
    }

    pub(super) fn find(&self, key: &Key<'_>) -> Option<u32> {
        self.find_hashed(self.seeds.key(key), key)
    }

    fn find_hashed(&self, hash: u64, key: &Key<'_>) -> Option<u32> {
        self.shards[self.shard(hash)].find(hash, key)
    }

    /// Adds a key that is not there.
    fn add(&mut self, hash: u64, key: &Key<'_>) -> u32 {
        let seeds = self.seeds;
        let (shard, number) = self.make_room(hash);
        shard.insert(hash, seeds, key, number);
        number
    }

    /// Adds a short key, the usual one, that is not there.
    #[inline(always)]
    fn add_short(&mut self, hash: u64, key: Short) -> u32 {
        let seeds = self.seeds;
        let (shard, number) = self.make_room(hash);
        shard.insert_short(hash, seeds, &key, number);
        number
    }

    /// The shard of a hash, and the number of a new key in it.
    #[inline(always)]
    fn make_room(&mut self, hash: u64) -> (&mut Shard, u32) {
        if self.shards.len() == 1 && self.shards[0].len() >= FEW as usize {
            self.divide();
        }
        let (at, few) = (self.shard(hash), self.shards.len() == 1);
        let shard = &mut self.shards[at];
        let number = shard.number_new((!few).then_some(at));
        self.limit = self.limit.max(number + 1);
        (shard, number)
    }

    /// Divides the keys by shard.
    #[cold]
    pub(super) fn divide(&mut self) {
        let few = std::mem::take(&mut self.shards);
        self.shards.resize_with(SHARDS, Shard::default);
        for shard in few {
            for (number, key) in shard.keys() {
                let hash = self.seeds.key(&key);
                let at = self.shard(hash);
                self.shards[at].insert(hash, self.seeds, &key, number);
            }
            for number in shard.free {
                self.shards[number as usize % SHARDS].free.push(number);
            }
        }
    }

    /// Takes all keys out.
    pub(super) fn take_shards(&mut self) -> Vec<Shard> {
        self.limit = 0;
        std::mem::replace(&mut self.shards, vec![Shard::default()])
    }

    /// Forgets a key; its number may be given to another one.
    pub(super) fn remove(&mut self, key: &Key<'_>) {
        let hash = self.seeds.key(key);
        let at = self.shard(hash);
        self.shards[at].remove(hash, key);
    }

    /// Keeps keys by a layout from now on.
    #[cold]
    pub(super) fn adopt(&mut self, layout: Layout) {
        self.layout = Some(layout);
        let shards = std::mem::take(&mut self.shards);
        // Numbers that are free, and which are next, stay those of the shards that gave them.
        self.shards = shards.iter().map(Shard::without_keys).collect();
        for (number, key) in shards.iter().flat_map(Shard::keys) {
            let mut buffer = [0; KEY_ROOM];
            let key = self.key_of(key.bytes(None, &mut buffer));
            let hash = self.seeds.key(&key);
            let at = self.shard(hash);
            self.shards[at].insert(hash, self.seeds, &key, number);
        }
    }
}
