//! The flows there are, by key, and in the order in which they were last seen.
//!
//! A flow takes a place in a slab, eight bytes in a hash table and two links of a list: about 140
//! bytes for IPv4. Lists are in the order of the last touch, so what is idle longest stands first
//! and expiry costs nothing for flows that live on, however many they are.

use super::bytes::KeyBytes;
use hashbrown::HashTable;
use std::mem::{size_of, take};
use wireq_engine::operator::KeyedHash;

/// Lists that a flow can be in; each has a time after which its flows expire.
pub(super) const LISTS: usize = 2;

const CHUNK: usize = 1024;
const NONE: u32 = u32::MAX;

/// The most flows that a table can be asked to hold.
pub(super) const FLOWS_MAX: usize = (u32::MAX - 1) as usize;

/// A flow in the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry<S> {
    key: KeyBytes,
    /// The clock when it was last seen.
    pub(super) touched: i64,
    /// What is known of it.
    pub(super) state: S,
}

impl<S> Entry<S> {
    pub(super) fn key(&self) -> &[u8] {
        self.key.bytes()
    }
}

/// A hash of 32 bits over all 64: the table takes its tags from the top and its places from below.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The neighbours of a flow in its list.
#[derive(Clone, Copy)]
struct Links {
    before: u32,
    behind: u32,
}

const UNLINKED: Links = Links {
    before: NONE,
    behind: NONE,
};

/// Flows by key.
pub(super) struct Table<S> {
    hash: KeyedHash,
    /// Hashes and numbers of entries. With the hash beside it, the table grows without a look at
    /// keys, and entries with other hashes are not looked at either.
    index: HashTable<(u32, u32)>,
    /// Entries by number. Chunks, since one vector that doubles would at times take three times
    /// what it holds.
    chunks: Vec<Vec<Entry<S>>>,
    links: Vec<Links>,
    /// Numbers that are free.
    free: Vec<u32>,
    /// The first and the last of each list.
    ends: [Links; LISTS],
    heap: usize,
}

impl<S: Default> Table<S> {
    pub(super) fn new(seed: u64) -> Table<S> {
        Table {
            hash: KeyedHash::new(seed),
            index: HashTable::new(),
            chunks: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            ends: [UNLINKED; LISTS],
            heap: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The hash of a key, which all that has to do with a key asks for.
    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u32 {
        self.hash.of(key) as u32
    }

    /// The flow of a key.
    #[inline]
    pub(super) fn find(&self, hash: u32, key: &[u8]) -> Option<u32> {
        let same = |(other, at): &(u32, u32)| *other == hash && self.entry(*at).key.is(key);
        let found = self.index.find(spread(hash), same);
        found.map(|(_, at)| *at)
    }

    /// The flow of a key, where it probably is this one.
    #[inline]
    pub(super) fn find_at(&self, at: Option<u32>, hash: u32, key: &[u8]) -> Option<u32> {
        at.filter(|at| self.entry(*at).key.is(key))
            .or_else(|| self.find(hash, key))
    }

    #[inline]
    pub(super) fn entry(&self, at: u32) -> &Entry<S> {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, at: u32) -> &mut Entry<S> {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    /// Adds a flow, the latest of its list; there must be none of its key.
    pub(super) fn insert(
        &mut self,
        (hash, key): (u32, &[u8]),
        state: S,
        touched: i64,
        list: usize,
    ) -> u32 {
        let entry = Entry {
            key: KeyBytes::new(key),
            touched,
            state,
        };
        self.heap += entry.key.heap();
        let at = match self.free.pop() {
            Some(at) => {
                *self.entry_mut(at) = entry;
                at
            }
            None => self.push(entry),
        };
        self.link(at, list);
        let again = |(hash, _): &(u32, u32)| spread(*hash);
        self.index.insert_unique(spread(hash), (hash, at), again);
        at
    }

    fn push(&mut self, entry: Entry<S>) -> u32 {
        let at = self.links.len();
        match self.chunks.last_mut().filter(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.push(entry),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        self.links.push(UNLINKED);
        at as u32
    }

    /// Takes a flow out; `list` is the one that it is in.
    pub(super) fn remove(&mut self, at: u32, list: usize) -> Entry<S> {
        self.unlink(at, list);
        let entry = take(self.entry_mut(at));
        let hash = spread(self.hash(entry.key()));
        if let Ok(found) = self.index.find_entry(hash, |(_, other)| *other == at) {
            found.remove();
        }
        self.heap -= entry.key.heap();
        self.free.push(at);
        entry
    }

    /// Says that a flow of list `from` was seen now: it is the latest one of list `to`.
    #[inline]
    pub(super) fn touch(&mut self, at: u32, from: usize, to: usize, now: i64) {
        self.entry_mut(at).touched = now;
        if from != to || self.ends[to].before != at {
            self.unlink(at, from);
            self.link(at, to);
        }
    }

    /// Says that all flows were seen now: where time only begins.
    pub(super) fn touch_all(&mut self, now: i64) {
        let entries = self.chunks.iter_mut().flatten();
        entries.for_each(|entry| entry.touched = now);
    }

    /// The flow of a list that was not seen for longest.
    #[inline]
    pub(super) fn oldest(&self, list: usize) -> Option<u32> {
        let first = self.ends[list].behind;
        (first != NONE).then_some(first)
    }

    /// The flows of a list, the one that was not seen for longest first.
    pub(super) fn list(&self, list: usize) -> impl Iterator<Item = u32> + '_ {
        let next = |at: &u32| Some(self.links[*at as usize].behind).filter(|at| *at != NONE);
        std::iter::successors(self.oldest(list), next)
    }

    /// Puts the flows of a list in the order of their last touch, where others were added to it.
    pub(super) fn sort(&mut self, list: usize) {
        let mut order: Vec<u32> = self.list(list).collect();
        order.sort_by_key(|at| self.entry(*at).touched);
        self.ends[list] = UNLINKED;
        order.into_iter().for_each(|at| self.link(at, list));
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Entry<S>>()
            + self.links.capacity() * size_of::<Links>()
            + self.index.capacity() * 10
            + self.free.capacity() * size_of::<u32>()
            + self.heap
    }

    /// The list's ends are the neighbours of a flow that is there in thought: behind it stands the
    /// first, before it the last.
    fn set_behind(&mut self, at: u32, list: usize, behind: u32) {
        match self.links.get_mut(at as usize) {
            Some(links) => links.behind = behind,
            None => self.ends[list].behind = behind,
        }
    }

    fn set_before(&mut self, at: u32, list: usize, before: u32) {
        match self.links.get_mut(at as usize) {
            Some(links) => links.before = before,
            None => self.ends[list].before = before,
        }
    }

    #[inline]
    fn unlink(&mut self, at: u32, list: usize) {
        let Links { before, behind } = self.links[at as usize];
        self.set_behind(before, list, behind);
        self.set_before(behind, list, before);
    }

    #[inline]
    fn link(&mut self, at: u32, list: usize) {
        let last = self.ends[list].before;
        self.links[at as usize] = Links {
            before: last,
            behind: NONE,
        };
        self.set_behind(last, list, at);
        self.ends[list].before = at;
    }
}

#[cfg(test)]
mod tests;
