//! Numbers for keys: the heart of grouping and of uniqueness.
//!
//! | part | what |
//! |---|---|
//! | [`keys`] | a key as it is compared and ordered |
//! | [`hash`] | hashes of keys |
//! | [`slot`] | a key as it stands in a table |
//! | [`table`] | tables of keys, divided by shard |
//! | [`drained`] | keys taken out in order |
//! | [`at_once`] | what several threads do at once |

mod at_once;
mod drained;
mod hash;
mod keys;
mod slot;
mod table;
#[cfg(test)]
mod tests;

pub use self::drained::Drained;
pub use self::hash::KeyedHash;
pub use self::keys::Numbered;
use self::keys::halves;
use self::table::{Shard, Table};
use wireq_typesys::Column;
pub use wireq_typesys::key::KEY_ROOM;
use wireq_typesys::key::{Layout, NO_PLACE, Packer};

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
    /// How many threads may take over or sort keys.
    threads: u32,
}

impl Groups {
    /// No keys yet; `seed` keys the hash.
    pub fn new(seed: u64) -> Groups {
        Groups {
            table: Table::new(seed),
            decided: false,
            packer: Packer::default(),
            packed: Vec::new(),
            without: Vec::new(),
            bytes: Vec::new(),
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
                each_new(at);
            }
            numbers.push(number);
        }
    }

    /// The number of one key, and whether it is new.
    pub fn number_key(&mut self, key: &[u8]) -> (u32, bool) {
        let key = self.table.key_of(key);
        self.table.number(key)
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
                    key if alike => self.table.number(key),
                    key => {
                        let mut buffer = [0; KEY_ROOM];
                        let bytes = key.bytes(others.table.layout.as_ref(), &mut buffer);
                        let key = self.table.key_of(bytes);
                        self.table.number(key)
                    }
                };
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
        self.table.limit as usize
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
        let numbered = |(number, key)| Numbered::new(key, layout, number);
        let keys = self.table.shards.iter().flat_map(Shard::keys);
        // Apart they compare without their bytes; what is in two runs takes a look at each then.
        let (mut all, mut others): (Vec<_>, Vec<_>) =
            keys.map(numbered).partition(Numbered::is_number);
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
            shard.for_each_number(&mut each);
        }
    }

    /// About how many bytes the keys take.
    pub fn memory(&self) -> usize {
        let shards = &self.table.shards;
        shards.capacity() * size_of::<Shard>() + shards.iter().map(Shard::memory).sum::<usize>()
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.table.take_shards();
    }

    /// Forgets a key; its number may be given to another one.
    pub fn remove(&mut self, key: &[u8]) {
        let key = self.table.key_of(key);
        self.table.remove(&key);
    }
}
