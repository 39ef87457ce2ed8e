//! What was found for rows of the same classes.

use hashbrown::HashTable;

/// What the classes of a row say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Where the conditions that hold begin among the ids, and how many they are.
    pub(super) holds: (u32, u32),
    /// Likewise for those that hold if tests of other forms do.
    pub(super) waits: (u32, u32),
    /// The group of contents that conditions wait for.
    pub(super) group: u32,
}

/// The most rows of different classes remembered, and the most conditions with them, those of the
/// part at hand aside: at the limit all is forgotten, as what traffic repeats is soon there again.
const ENTRIES_MAX: usize = 1 << 16;
const IDS_MAX: usize = 1 << 21;

/// Where fewer than one row in so many was met before, remembering costs more than it saves: then
/// nothing is remembered for so many parts.
const WORTH: u32 = 8;
const OFF_PARTS: u32 = 256;

/// Findings by classes. The classes of a row are packed into words.
#[derive(Default)]
pub(super) struct Memo {
    /// How many rows were looked up and found since the memo was last empty.
    looked_up: u32,
    met: u32,
    /// For so many parts more nothing is remembered.
    off: u32,
    words: usize,
    table: HashTable<u32>,
    keys: Vec<u64>,
    found: Vec<Found>,
    ids: Vec<u32>,
}

impl Memo {
    pub(super) fn new(words: usize) -> Memo {
        Memo {
            words,
            ..Memo::default()
        }
    }

    /// What is known of a row of these classes.
    #[inline]
    pub(super) fn get(&mut self, key: &[u64]) -> Option<Found> {
        if self.off > 0 {
            return None;
        }
        self.looked_up += 1;
        let at = self.table.find(hash(key), |at| self.key(*at) == key)?;
        self.met += 1;
        self.found.get(*at as usize).copied()
    }

    #[inline(always)]
    fn key(&self, at: u32) -> &[u64] {
        let start = at as usize * self.words;
        &self.keys[start..start + self.words]
    }

    /// Remembers what was found.
    pub(super) fn put(&mut self, key: &[u64], holds: &[u32], waits: &[u32], group: u32) -> Found {
        let mut keep = |ids: &[u32]| {
            let start = self.ids.len() as u32;
            self.ids.extend_from_slice(ids);
            (start, ids.len() as u32)
        };
        let found = Found {
            holds: keep(holds),
            waits: keep(waits),
            group,
        };
        if self.off > 0 {
            return found;
        }
        let at = self.found.len() as u32;
        self.keys.extend_from_slice(key);
        self.found.push(found);
        let (keys, words) = (&self.keys, self.words);
        let rehash = |at: &u32| hash(&keys[*at as usize * words..(*at as usize + 1) * words]);
        self.table.insert_unique(hash(key), at, rehash);
        found
    }

    /// Makes room for so many rows: what was found before stays only where there is room.
    pub(super) fn make_room(&mut self, rows: usize) {
        if self.off > 0 {
            self.off -= 1;
            // What was found for the part before is not asked for any more.
            self.clear();
        } else if self.found.len() + rows > ENTRIES_MAX || self.ids.len() > IDS_MAX {
            if self.met < self.looked_up / WORTH {
                self.off = OFF_PARTS;
            }
            self.clear();
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.keys.clear();
        self.found.clear();
        self.ids.clear();
        (self.looked_up, self.met) = (0, 0);
    }

    /// The ids that stand at a place.
    #[inline]
    pub(super) fn ids(&self, (start, len): (u32, u32)) -> &[u32] {
        &self.ids[start as usize..(start + len) as usize]
    }
}

/// Classes of traffic collide by chance only: an attacker who makes them collide makes a longer
/// chain of at most [`ENTRIES_MAX`] classes, which are few numbers that he does not choose.
#[inline(always)]
fn hash(key: &[u64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |all: u64, word: &u64| {
        let wide = u128::from(all ^ word) * u128::from(FACTOR);
        (wide as u64) ^ (wide >> 64) as u64
    };
    key.iter().fold(FACTOR, mix)
}
