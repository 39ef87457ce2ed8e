//! Numbers for keys: the heart of grouping and of uniqueness.

mod at_once;

use hashbrown::HashTable;
use std::cmp::Ordering;
use std::vec::IntoIter;
pub use wireq_typesys::key::KEY_ROOM;
use wireq_typesys::key::{self, Layout, NO_PLACE, Packer};
use wireq_typesys::{Column, allocated};

/// Logical shards of keyed state. Bounds, evictions and sketches are kept per shard, and the
/// shard of a key depends on the seed alone, never on the number of threads.
pub const SHARDS: usize = 64;

/// Gives each distinct key a number, from keys of columns. Few keys stand in one table, so that a
/// million small sets cost little; more are divided by shard. Keys of columns of fixed width (a 5-tuple of
/// IPv4) are one number: see [`Layout`]. Those and other keys of up to 47 bytes (an IPv6 address, a 5-tuple) stand in
/// the table itself, longer ones in boxes. The hash is keyed, since attackers choose what is in packets.
pub struct Groups {
    table: Table,
    /// Whether it is known whether keys have a layout.
    decided: bool,
    packer: Packer,
    /// The keys of rows as numbers, and where among them those are that have none.
    packed: Vec<u128>,
    without: Vec<u16>,
    bytes: Vec<u8>,
    limit: u32,
    /// How many threads may take over or sort keys.
    threads: u32,
}

/// Keys and their numbers.
struct Table {
    /// One shard for up to [`FEW`] keys, then [`SHARDS`].
    shards: Vec<Shard>,
    seeds: Seeds,
    /// Where keys are one number.
    layout: Option<Layout>,
}

/// So many keys stand in one table.
const FEW: u32 = SHARDS as u32;

/// A key as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key<'a> {
    /// Where there is a layout: what has a number in it. Else up to 15 bytes: padded with zeros, the length
    /// last.
    Short(Short),
    /// Up to 23 bytes, padded likewise.
    Medium(Medium),
    /// Up to 47 bytes, padded likewise.
    Large(Large),
    Long(&'a [u8]),
}

type Short = [u64; 2];
type Medium = [u64; 3];
type Large = [u64; 6];

const SHORT_MAX: usize = 15;
const MEDIUM_MAX: usize = 23;
const LARGE_MAX: usize = KEY_ROOM - 1;

/// A key and its number, as [`Groups::sorted`] gives them.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    key: Key<'a>,
    layout: Option<&'a Layout>,
    /// The number.
    pub number: u32,
}

impl Numbered<'_> {
    /// The bytes of the key; `buffer` is where they are put together.
    pub fn bytes<'b>(&'b self, buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
        self.key.bytes(self.layout, buffer)
    }

    fn cmp(&self, other: &Numbered<'_>) -> Ordering {
        self.key.order(&other.key, self.layout)
    }
}

/// Halves of a number.
#[inline(always)]
fn halves(packed: u128) -> Short {
    [(packed >> 64) as u64, packed as u64]
}

fn whole([high, low]: Short) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn pack<const WORDS: usize>(bytes: &[u8]) -> [u64; WORDS] {
    let mut padded = [0; KEY_ROOM];
    padded[..bytes.len()].copy_from_slice(bytes);
    padded[WORDS * 8 - 1] = bytes.len() as u8;
    let mut words = [0; WORDS];
    for (word, chunk) in words.iter_mut().zip(padded.chunks_exact(8)) {
        *word = u64::from_be_bytes(chunk.try_into().expect("chunks of eight"));
    }
    words
}

fn unpack<'b>(words: &[u64], buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
    for (chunk, word) in buffer.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    let len = usize::from(buffer[words.len() * 8 - 1]);
    &buffer[..len.min(LARGE_MAX)]
}

impl Key<'_> {
    fn bytes<'b>(&'b self, layout: Option<&Layout>, buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
        match (self, layout) {
            (Key::Short(words), Some(layout)) => layout.write(whole(*words), buffer),
            (Key::Short(words), None) => unpack(words, buffer),
            (Key::Medium(words), _) => unpack(words, buffer),
            (Key::Large(words), _) => unpack(words, buffer),
            (Key::Long(bytes), _) => bytes,
        }
    }

    /// The order of the bytes.
    fn order(&self, other: &Key<'_>, layout: Option<&Layout>) -> Ordering {
        match (self, other) {
            // Numbers and padded keys compare as their bytes do: no key is the beginning of another.
            (Key::Short(a), Key::Short(b)) => a.cmp(b),
            (Key::Medium(a), Key::Medium(b)) => a.cmp(b),
            (Key::Large(a), Key::Large(b)) => a.cmp(b),
            _ => self
                .bytes(layout, &mut [0; KEY_ROOM])
                .cmp(other.bytes(layout, &mut [0; KEY_ROOM])),
        }
    }

    /// A key without a layout.
    fn of(bytes: &[u8]) -> Key<'_> {
        if bytes.len() <= SHORT_MAX {
            Key::Short(pack(bytes))
        } else {
            Key::without_place(bytes)
        }
    }

    /// A key that is not short.
    fn without_place(bytes: &[u8]) -> Key<'_> {
        if bytes.len() <= MEDIUM_MAX {
            Key::Medium(pack(bytes))
        } else if bytes.len() <= LARGE_MAX {
            Key::Large(pack(bytes))
        } else {
            Key::Long(bytes)
        }
    }

    /// What [`Packed::next_wide`] gives.
    ///
    /// [`Packed::next_wide`]: wireq_typesys::key::Packed::next_wide
    #[inline(always)]
    fn wide(words: Large) -> Key<'static> {
        let len = words[5] & 0xff;
        match len as usize {
            ..=MEDIUM_MAX => Key::Medium([words[0], words[1], words[2] | len]),
            _ => Key::Large(words),
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
        fold(fold(key[2] ^ first, self.1) ^ self.0, MULTIPLIER)
    }

    #[inline(always)]
    fn large(self, key: &Large) -> u64 {
        let first = fold(key[0] ^ self.0, key[1] ^ self.1);
        let second = fold(key[2] ^ first, key[3] ^ self.1);
        fold(fold(key[4] ^ second, key[5] ^ self.0) ^ self.1, MULTIPLIER)
    }

    fn long(self, bytes: &[u8]) -> u64 {
        let mut hash = self.0 ^ bytes.len() as u64;
        for chunk in bytes.chunks(LARGE_MAX) {
            hash = self.large(&pack(chunk)).wrapping_add(fold(hash, self.1));
        }
        fold(hash ^ self.1, MULTIPLIER)
    }

    fn key(self, key: &Key<'_>) -> u64 {
        match key {
            Key::Short(key) => self.short(key),
            Key::Medium(key) => self.medium(key),
            Key::Large(key) => self.large(key),
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

    /// The hash of a key of one number: see [`Layout`].
    #[inline]
    pub fn of_number(self, key: u128) -> u64 {
        self.0.short(&halves(key))
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
    large: HashTable<(Large, u32)>,
    long: HashTable<(Box<[u8]>, u32)>,
    /// Numbers of forgotten keys, to be used again.
    free: Vec<u32>,
    next: u32,
    /// What keys in boxes take.
    boxed: usize,
}

impl Shard {
    fn len(&self) -> usize {
        self.short.len() + self.medium.len() + self.large.len() + self.long.len()
    }

    fn find(&self, hash: u64, key: &Key<'_>) -> Option<u32> {
        match key {
            Key::Short(key) => self.short.find(hash, |(k, _)| k == key).map(|(_, n)| *n),
            Key::Medium(key) => self.medium.find(hash, |(k, _)| k == key).map(|(_, n)| *n),
            Key::Large(key) => self.large.find(hash, |(k, _)| k == key).map(|(_, n)| *n),
            Key::Long(key) => self.long.find(hash, |(k, _)| **k == **key).map(|(_, n)| *n),
        }
    }

    /// The number of a new key; `at` is the shard's own, where it is not the only one.
    #[inline(always)]
    fn number_new(&mut self, at: Option<usize>) -> u32 {
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

    /// Adds a key with this hash that is not there.
    #[inline(always)]
    fn insert(&mut self, hash: u64, seeds: Seeds, key: &Key<'_>, number: u32) {
        match key {
            Key::Short(key) => {
                let again = |(k, _): &(Short, u32)| seeds.short(k);
                self.short.insert_unique(hash, (*key, number), again);
            }
            Key::Medium(key) => {
                let again = |(k, _): &(Medium, u32)| seeds.medium(k);
                self.medium.insert_unique(hash, (*key, number), again);
            }
            Key::Large(key) => {
                let again = |(k, _): &(Large, u32)| seeds.large(k);
                self.large.insert_unique(hash, (*key, number), again);
            }
            Key::Long(key) => {
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
            + self.large.allocation_size()
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

    /// How a key is kept.
    fn key_of<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        match &self.layout {
            None => Key::of(bytes),
            Some(layout) => match layout.read(bytes) {
                Some(packed) => Key::Short(halves(packed)),
                None => Key::without_place(bytes),
            },
        }
    }

    #[inline(always)]
    fn number_short(&mut self, key: Short) -> (u32, bool) {
        let hash = self.seeds.short(&key);
        let shard = &self.shards[self.shard(hash)];
        // Words, since what was just written in two halves is slow to read as one.
        match shard
            .short
            .find(hash, |(k, _)| (k[0] ^ key[0]) | (k[1] ^ key[1]) == 0)
        {
            Some((_, number)) => (*number, false),
            None => (self.add_short(hash, key), true),
        }
    }

    fn number(&mut self, key: Key<'_>) -> (u32, bool) {
        let hash = self.seeds.key(&key);
        match self.find_hashed(hash, &key) {
            Some(number) => (number, false),
            None => (self.add(hash, &key), true),
        }
    }

    /// The number of the key of a row that is not short: as it was packed, or else of its bytes.
    #[inline]
    fn number_wide<'a>(
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

    fn find(&self, key: &Key<'_>) -> Option<u32> {
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
        let again = |(k, _): &(Short, u32)| seeds.short(k);
        shard.short.insert_unique(hash, (key, number), again);
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
        (shard, number)
    }

    /// Divides the keys by shard.
    #[cold]
    fn divide(&mut self) {
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
            Key::Large(key) => {
                let entry = shard.large.find_entry(hash, |(k, _)| k == key).ok();
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

impl Table {
    /// Keeps keys by a layout from now on.
    #[cold]
    fn adopt(&mut self, layout: Layout) {
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

impl Shard {
    fn without_keys(&self) -> Shard {
        Shard {
            free: self.free.clone(),
            next: self.next,
            ..Shard::default()
        }
    }

    fn keys(&self) -> impl Iterator<Item = (u32, Key<'_>)> {
        let short = self.short.iter().map(|(key, n)| (*n, Key::Short(*key)));
        let medium = self.medium.iter().map(|(key, n)| (*n, Key::Medium(*key)));
        let large = self.large.iter().map(|(key, n)| (*n, Key::Large(*key)));
        let long = self.long.iter().map(|(key, n)| (*n, Key::Long(key)));
        short.chain(medium).chain(large).chain(long)
    }
}

impl Groups {
    /// No keys yet; `seed` keys the hash.
    pub fn new(seed: u64) -> Groups {
        Groups {
            table: Table {
                shards: vec![Shard::default()],
                seeds: Seeds::new(seed),
                layout: None,
            },
            decided: false,
            packer: Packer::default(),
            packed: Vec::new(),
            without: Vec::new(),
            bytes: Vec::new(),
            limit: 0,
            threads: 1,
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
        self.decide(columns.clone());
        let Some(layout) = &self.table.layout else {
            return self.number_packed(columns, rows, numbers, each_new);
        };
        layout.pack(columns.clone(), rows, &mut self.packed, &mut self.without);
        let without: Vec<u16> = self
            .without
            .iter()
            .map(|at| rows[usize::from(*at)])
            .collect();
        let mut others = match without[..] {
            [] => None,
            _ => Some(self.packer.pack(columns.clone(), &without)),
        };
        let mut place = 0;
        for (at, packed) in self.packed.iter().enumerate() {
            let (number, new) = if *packed != NO_PLACE {
                self.table.number_short(halves(*packed))
            } else {
                place += 1;
                let wide = others.as_mut().and_then(|keys| keys.next_wide(place - 1));
                let row = usize::from(rows[at]);
                self.table
                    .number_wide(wide, columns.clone(), row, &mut self.bytes)
            };
            if new {
                self.limit = self.limit.max(number + 1);
                each_new(at);
            }
            numbers.push(number);
        }
    }

    /// Sees whether keys can have a layout, where columns are there that say so.
    fn decide<'a>(&mut self, columns: impl Iterator<Item = Option<&'a Column>> + Clone) {
        if self.decided || columns.clone().any(|column| column.is_none()) {
            return;
        }
        self.decided = true;
        if let Some(layout) = Layout::of(columns.flatten()) {
            self.table.adopt(layout);
        }
    }

    /// The numbers of rows whose keys have no layout.
    fn number_packed<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>> + Clone,
        rows: &[u16],
        numbers: &mut Vec<u32>,
        mut each_new: impl FnMut(usize),
    ) {
        let mut packed = self.packer.pack(columns.clone(), rows);
        for (at, short) in packed.short.iter().enumerate() {
            let (number, new) = if *short != 0 {
                self.table.number_short(halves(*short))
            } else {
                let (wide, row) = (packed.next_wide(at), usize::from(rows[at]));
                self.table
                    .number_wide(wide, columns.clone(), row, &mut self.bytes)
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
        let key = self.table.key_of(key);
        let (number, new) = self.table.number(key);
        self.limit = self.limit.max(number + 1);
        (number, new)
    }

    /// Takes over the keys of others, which were hashed with the same seed; in no order. Gives for each
    /// its number here and there.
    pub fn absorb(&mut self, others: &Groups) -> Vec<(u32, u32)> {
        let mut pairs = Vec::with_capacity(others.len());
        if self.is_empty() && !self.decided {
            (self.decided, self.table.layout) = (others.decided, others.table.layout.clone());
        }
        let alike = self.table.layout == others.table.layout;
        if alike && let Some(pairs) = self.absorb_at_once(others) {
            return pairs;
        }
        for shard in &others.table.shards {
            for (theirs, key) in shard.keys() {
                let (mine, _) = match key {
                    Key::Short(key) if alike => self.table.number_short(key),
                    key if alike => self.table.number(key),
                    key => {
                        let mut buffer = [0; KEY_ROOM];
                        let bytes = key.bytes(others.table.layout.as_ref(), &mut buffer);
                        let key = self.table.key_of(bytes);
                        self.table.number(key)
                    }
                };
                self.limit = self.limit.max(mine + 1);
                pairs.push((mine, theirs));
            }
        }
        pairs
    }

    /// The number of a key that is there.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(&self.table.key_of(key))
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
        let layout = self.table.layout.as_ref();
        let numbered = |(number, key)| Numbered {
            key,
            layout,
            number,
        };
        let keys = self.table.shards.iter().flat_map(Shard::keys);
        // Apart they compare without their bytes; what is in two runs takes a look at each then.
        let (mut all, mut others): (Vec<_>, Vec<_>) = keys
            .map(numbered)
            .partition(|key| matches!(key.key, Key::Short(_)));
        all.sort_unstable_by(Numbered::cmp);
        if !others.is_empty() {
            others.sort_unstable_by(Numbered::cmp);
            all.append(&mut others);
            all.sort_by(Numbered::cmp);
        }
        all
    }

    /// All keys on their own with their numbers, in ascending order of key.
    pub fn owned(&self) -> Vec<(Vec<u8>, u32)> {
        let own = |group: &Numbered<'_>| (group.bytes(&mut [0; KEY_ROOM]).to_vec(), group.number);
        self.sorted().iter().map(own).collect()
    }

    /// The numbers of all keys, in no order.
    pub fn for_each_number(&self, mut each: impl FnMut(u32)) {
        for shard in &self.table.shards {
            shard.short.iter().for_each(|(_, number)| each(*number));
            shard.medium.iter().for_each(|(_, number)| each(*number));
            shard.large.iter().for_each(|(_, number)| each(*number));
            shard.long.iter().for_each(|(_, number)| each(*number));
        }
    }

    /// Takes all keys out, with their numbers, in ascending order of key. Little more memory is taken
    /// on the way than the keys took: tables are dropped one by one.
    pub fn drain(&mut self) -> Drained {
        self.drain_wanted(self.len(), |_| true)
    }

    /// Likewise; gives only those of which the number is wanted, about `expected` of them.
    pub fn drain_wanted(&mut self, expected: usize, wanted: impl Fn(u32) -> bool) -> Drained {
        let shards = std::mem::replace(&mut self.table.shards, vec![Shard::default()]);
        self.limit = 0;
        let room = |len: fn(&Shard) -> usize| {
            let all: usize = shards.iter().map(len).sum();
            all.min(expected)
        };
        let mut short = Vec::with_capacity(room(|shard| shard.short.len()));
        let mut medium = Vec::with_capacity(room(|shard| shard.medium.len()));
        let mut large = Vec::with_capacity(room(|shard| shard.large.len()));
        let mut long = Vec::with_capacity(room(|shard| shard.long.len()));
        for shard in shards {
            short.extend(shard.short.into_iter().filter(|(_, n)| wanted(*n)));
            medium.extend(shard.medium.into_iter().filter(|(_, n)| wanted(*n)));
            large.extend(shard.large.into_iter().filter(|(_, n)| wanted(*n)));
            long.extend(shard.long.into_iter().filter(|(_, n)| wanted(*n)));
        }
        let threads = self.threads as usize;
        at_once::sort(&mut short, threads);
        at_once::sort(&mut medium, threads);
        at_once::sort(&mut large, threads);
        at_once::sort(&mut long, threads);
        let boxed = long.iter().map(|(key, _)| allocated(key.len())).sum();
        let mut drained = Drained {
            layout: self.table.layout.clone(),
            short: short.into_iter(),
            medium: medium.into_iter(),
            large: large.into_iter(),
            long: long.into_iter(),
            first: 0,
            boxed,
        };
        drained.count_first();
        drained
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
        let key = self.table.key_of(key);
        self.table.remove(&key);
    }
}

/// Keys on their own with their numbers, as [`Groups::drain`] gives them.
pub struct Drained {
    layout: Option<Layout>,
    short: IntoIter<(Short, u32)>,
    medium: IntoIter<(Medium, u32)>,
    large: IntoIter<(Large, u32)>,
    long: IntoIter<(Box<[u8]>, u32)>,
    /// So many short keys stand before all others: where addresses are of both versions, those of IPv4.
    first: usize,
    /// What keys in boxes take.
    boxed: usize,
}

impl Drained {
    fn count_first(&mut self) {
        let layout = self.layout.as_ref();
        let others = [
            self.medium
                .as_slice()
                .first()
                .map(|(key, _)| Key::Medium(*key)),
            self.large
                .as_slice()
                .first()
                .map(|(key, _)| Key::Large(*key)),
            self.long.as_slice().first().map(|(key, _)| Key::Long(key)),
        ];
        let lowest = others.into_iter().flatten();
        let lowest = lowest.min_by(|a, b| a.order(b, layout));
        let short = self.short.as_slice();
        self.first = lowest.map_or(short.len(), |lowest| {
            short.partition_point(|(key, _)| Key::Short(*key).order(&lowest, layout).is_lt())
        });
    }

    /// Appends the bytes of the next key and gives its number; none at the end.
    #[inline]
    pub fn next(&mut self, key: &mut Vec<u8>) -> Option<u32> {
        let short = self.short.as_slice().first();
        if let Some((words, number)) = short
            && self.first > 0
        {
            self.first -= 1;
            key.extend_from_slice(
                Key::Short(*words).bytes(self.layout.as_ref(), &mut [0; KEY_ROOM]),
            );
            let number = *number;
            self.short.next();
            return Some(number);
        }
        self.next_of_any(key)
    }

    fn next_of_any(&mut self, key: &mut Vec<u8>) -> Option<u32> {
        let layout = self.layout.as_ref();
        let short = self.short.as_slice().first();
        let medium = self.medium.as_slice().first();
        let large = self.large.as_slice().first();
        let long = self.long.as_slice().first();
        let heads = [
            short.map(|(words, _)| Key::Short(*words)),
            medium.map(|(words, _)| Key::Medium(*words)),
            large.map(|(words, _)| Key::Large(*words)),
            long.map(|(bytes, _)| Key::Long(bytes)),
        ];
        let order = |a: &Key<'_>, b: &Key<'_>| a.order(b, layout);
        let lowest = heads.into_iter().flatten().min_by(order)?;
        key.extend_from_slice(lowest.bytes(layout, &mut [0; KEY_ROOM]));
        match lowest {
            Key::Short(_) => self.short.next().map(|(_, number)| number),
            Key::Medium(_) => self.medium.next().map(|(_, number)| number),
            Key::Large(_) => self.large.next().map(|(_, number)| number),
            Key::Long(_) => {
                let (bytes, number) = self.long.next()?;
                self.boxed = self.boxed.saturating_sub(allocated(bytes.len()));
                Some(number)
            }
        }
    }

    /// Whether there are no more.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.short.len() + self.medium.len() + self.large.len() + self.long.len()
    }

    /// About how many bytes the keys take.
    pub fn memory(&self) -> usize {
        self.short.len() * size_of::<(Short, u32)>()
            + self.medium.len() * size_of::<(Medium, u32)>()
            + self.large.len() * size_of::<(Large, u32)>()
            + self.long.len() * size_of::<(Box<[u8]>, u32)>()
            + self.boxed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Keys that differ in their high bits alone: multiplied by an odd constant, as hashes without a
    /// secret do, all of them have the same low bits and so the same place in a table.
    #[test]
    fn keys_that_collide_elsewhere_are_spread() {
        const KEYS: u64 = 1 << 16;
        let keys = (0..KEYS).map(|number| (number << 32).to_le_bytes());
        let elsewhere =
            |key: &[u8; 8]| u64::from_le_bytes(*key).wrapping_mul(0x517c_c1b7_2722_0a95);
        assert!(keys.clone().all(|key| elsewhere(&key) as u32 == 0));
        for seed in [0, 1, u64::MAX] {
            let hash = KeyedHash::new(seed);
            let mut places = vec![false; KEYS as usize];
            let mut shards = [0u64; SHARDS];
            for key in keys.clone() {
                let hash = hash.of(&key);
                places[hash as u16 as usize] = true;
                shards[shard_of(hash)] += 1;
            }
            // Thrown at random, 1 - 1/e of the places are met.
            let met = places.iter().filter(|met| **met).count() as u64;
            assert!(met * 100 > KEYS * 62, "{met} of {KEYS} places");
            let most = shards.into_iter().max().unwrap_or(0);
            assert!(most < KEYS / SHARDS as u64 * 5 / 4, "{most} in one shard");
        }
    }

    #[test]
    fn which_keys_collide_depends_on_the_seed() {
        let key = |number: u32| number.to_be_bytes().repeat(1 + number as usize % 12);
        let place = |hash: KeyedHash, number| hash.of(&key(number)) % 1024;
        let (known, other) = (KeyedHash::new(1), KeyedHash::new(2));
        let chosen: Vec<u32> = (0..300_000)
            .filter(|number| place(known, *number) == 7)
            .collect();
        assert!(chosen.len() > 200);
        let mut spread = [0; 1024];
        for number in &chosen {
            spread[place(other, *number) as usize] += 1;
        }
        assert!(spread.iter().all(|count| *count < 10), "{spread:?}");
    }

    #[test]
    fn keys_of_others_get_numbers_as_one_by_one() {
        let key = |number: u32| number.to_be_bytes().repeat(1 + number as usize % 12);
        let (mut own, mut others) = (Groups::new(3), Groups::new(3));
        (0..900).for_each(|n| _ = own.number_key(&key(n)));
        (600..2000).for_each(|n| _ = others.number_key(&key(n)));
        let pairs = own.absorb(&others);
        assert_eq!((pairs.len(), own.len()), (1400, 2000));
        for n in 600..2000 {
            let both = (own.find(&key(n)), others.find(&key(n)));
            let pair = pairs.iter().find(|pair| Some(pair.1) == both.1);
            assert_eq!(pair.map(|pair| pair.0), both.0);
            assert!((both.0.unwrap_or(u32::MAX) as usize) < own.limit());
        }
    }

    #[test]
    fn numbers_keys_as_a_plain_map_does() {
        let mut groups = Groups::new(5);
        let mut plain: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        let mut seed = 3u64;
        for step in 0..30_000u64 {
            seed = fold(seed ^ step, 0x2545_f491_4f6c_dd1d);
            // No key is the beginning of another: the first byte tells the length.
            let len = 1 + (seed % 60) as u8;
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
            .map(|n| (n.bytes(&mut [0; KEY_ROOM]).to_vec(), n.number))
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
