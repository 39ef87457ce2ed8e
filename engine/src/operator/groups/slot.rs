//! Keys as they stand in tables.

use hashbrown::HashTable;
use std::cmp::Ordering;

/// A key of so many halves of words and its number, in as many bytes as these have: beside words of eight
/// bytes four would be free in each slot.
#[derive(Clone, Copy)]
pub(super) struct Slot<const HALVES: usize> {
    key: [u32; HALVES],
    pub(super) number: u32,
}

#[inline(always)]
fn split<const WORDS: usize, const HALVES: usize>(words: &[u64; WORDS]) -> [u32; HALVES] {
    const { assert!(HALVES == 2 * WORDS, "a word has two halves") };
    std::array::from_fn(|at| (words[at / 2] >> (32 * (at % 2))) as u32)
}

impl<const HALVES: usize> Slot<HALVES> {
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        u64::from(self.key[2 * at]) | u64::from(self.key[2 * at + 1]) << 32
    }

    /// The words of the key.
    #[inline(always)]
    pub(super) fn words<const WORDS: usize>(&self) -> [u64; WORDS] {
        const { assert!(HALVES == 2 * WORDS, "a word has two halves") };
        std::array::from_fn(|at| self.word(at))
    }
}

/// By key: no two slots have the same.
impl<const HALVES: usize> Ord for Slot<HALVES> {
    fn cmp(&self, other: &Self) -> Ordering {
        let words = (0..HALVES / 2).map(|at| self.word(at).cmp(&other.word(at)));
        words.fold(Ordering::Equal, Ordering::then)
    }
}

impl<const HALVES: usize> PartialOrd for Slot<HALVES> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const HALVES: usize> PartialEq for Slot<HALVES> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<const HALVES: usize> Eq for Slot<HALVES> {}

/// A table of keys of one length.
#[derive(Default)]
pub(super) struct Slots<const HALVES: usize>(HashTable<Slot<HALVES>>);

impl<const HALVES: usize> Slots<HALVES> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of a key.
    #[inline(always)]
    pub(super) fn find<const WORDS: usize>(&self, hash: u64, key: &[u64; WORDS]) -> Option<u32> {
        let key = split(key);
        let slot = self.0.find(hash, |slot| slot.key == key)?;
        Some(slot.number)
    }

    /// Adds a key that is not there; `again` gives hashes.
    #[inline(always)]
    pub(super) fn insert<const WORDS: usize>(
        &mut self,
        hash: u64,
        key: &[u64; WORDS],
        number: u32,
        again: impl Fn(&[u64; WORDS]) -> u64,
    ) {
        let key = split(key);
        let again = |slot: &Slot<HALVES>| again(&slot.words());
        self.0.insert_unique(hash, Slot { key, number }, again);
    }

    /// Forgets a key, and gives the number that it had.
    pub(super) fn remove<const WORDS: usize>(
        &mut self,
        hash: u64,
        key: &[u64; WORDS],
    ) -> Option<u32> {
        let key = split(key);
        let entry = self.0.find_entry(hash, |slot| slot.key == key).ok()?;
        Some(entry.remove().0.number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot<HALVES>> {
        self.0.iter()
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Slot<HALVES>> {
        self.0.into_iter()
    }

    pub(super) fn memory(&self) -> usize {
        self.0.allocation_size()
    }
}
