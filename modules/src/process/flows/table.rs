//! The flows there are, by key, and in the order in which they were last seen.
//!
//! A flow takes a place in a slab, eight bytes in a hash table and a place in a queue: about 170 bytes
//! for IPv4, 150 without the queue. Queues are in the order of the last touch, so what is idle longest
//! stands first. A flow that is seen again keeps its place, which is put right when it comes first: a
//! packet writes to its flow alone, and a flow moves at most once for each time that it was seen.

use super::kept_key::KeptKey;
use super::key::{Key, KeyFields};
use hashbrown::HashTable;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::mem::{size_of, take};
use wireq_engine::operator::KeyedHash;

/// Queues that a flow can be in; each has a time after which its flows expire.
pub(super) const LISTS: usize = 2;

/// The flows of the first chunk; each further one has twice as many.
const CHUNK: usize = 64;
/// What stands for a flow that is in no queue.
const NOWHERE: u64 = u64::MAX;
/// Queues may have so many places that nobody is at any more, besides one for each flow.
const EMPTY_PLACES: usize = 64;

/// The most flows that a table can be asked to hold.
pub(super) const FLOWS_MAX: usize = (u32::MAX - 1) as usize;

/// A flow in the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry<S> {
    key: KeptKey,
    /// The clock when it was last seen.
    pub(super) touched: i64,
    /// Which touch of all that was.
    order: u64,
    /// What is known of it.
    pub(super) state: S,
}

impl<S> Entry<S> {
    pub(super) fn key(&self) -> Key<'_> {
        self.key.key()
    }

    /// Says that it was seen at a time, and with which touch of all.
    #[inline]
    pub(super) fn touch(&mut self, now: i64, order: u64) {
        (self.touched, self.order) = (now, order);
    }
}

/// A hash of 32 bits over all 64: the table takes its tags from the top and its places from below.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The chunk of a number, and its place there.
#[inline]
fn place(at: u32) -> (usize, usize) {
    // In front of the first chunk there would be as many as in it.
    let at = at as usize + CHUNK;
    let chunk = (at / CHUNK).ilog2() as usize;
    (chunk, at - (CHUNK << chunk))
}

/// A place in a queue: a touch of a flow, and its number.
type QueuePlace = Reverse<(u64, u32)>;

/// Flows by key.
pub(super) struct Table<S> {
    hash: KeyedHash,
    /// Hashes and numbers of entries. With the hash beside it, the table grows without a look at
    /// keys, and entries with other hashes are not looked at either.
    index: HashTable<(u32, u32)>,
    /// Entries by number. Chunks, since one vector that doubles would at times take three times
    /// what it holds; few and large ones, since large pages take up many entries.
    chunks: Vec<Vec<Entry<S>>>,
    /// How many entries the chunks hold.
    numbers: usize,
    /// By number: the touch that stands for the flow in its queue, which may not be the last one.
    queued: Vec<u64>,
    /// Whether nobody asked yet which flow was not seen for longest: where all are in one queue, there is
    /// none until then.
    waits: bool,
    /// Numbers that are free.
    free: Vec<u32>,
    queues: [BinaryHeap<QueuePlace>; LISTS],
    touches: u64,
    heap: usize,
}

impl<S: Default> Table<S> {
    pub(super) fn new(seed: u64) -> Table<S> {
        Table {
            hash: KeyedHash::new(seed),
            index: HashTable::new(),
            chunks: Vec::new(),
            numbers: 0,
            waits: false,
            queued: Vec::new(),
            free: Vec::new(),
            queues: Default::default(),
            touches: 0,
            heap: 0,
        }
    }

    /// A table of which nobody may ever ask what was not seen for longest; all its flows are in one queue.
    pub(super) fn with_one_queue(seed: u64) -> Table<S> {
        Table {
            waits: true,
            ..Table::new(seed)
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The hash of a key, which all that has to do with a key asks for.
    #[inline]
    pub(super) fn hash(&self, key: Key<'_>) -> u32 {
        let hash = match key {
            Key::Number(number) => self.hash.of_number(number),
            Key::Bytes(bytes) => self.hash.of(bytes),
        };
        hash as u32
    }

    /// The flow of a key.
    #[inline]
    pub(super) fn find(&self, hash: u32, key: Key<'_>) -> Option<u32> {
        let same = |(other, at): &(u32, u32)| *other == hash && self.entry(*at).key.is(key);
        let found = self.index.find(spread(hash), same);
        found.map(|(_, at)| *at)
    }

    /// The flow of a key, where it probably is this one.
    #[inline]
    pub(super) fn find_at(&self, at: Option<u32>, hash: u32, key: Key<'_>) -> Option<u32> {
        at.filter(|at| self.entry(*at).key.is(key))
            .or_else(|| self.find(hash, key))
    }

    #[inline]
    pub(super) fn entry(&self, at: u32) -> &Entry<S> {
        let (chunk, at) = place(at);
        &self.chunks[chunk][at]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, at: u32) -> &mut Entry<S> {
        let (chunk, at) = place(at);
        &mut self.chunks[chunk][at]
    }

    /// Adds a flow, the latest of its queue; there must be none of its key.
    pub(super) fn insert(
        &mut self,
        key: (u32, Key<'_>),
        state: S,
        touched: i64,
        list: usize,
    ) -> u32 {
        let touch = (touched, self.next_touch());
        self.insert_touched(key, state, touch, list)
    }

    /// Adds a flow that was seen last at a time, and with that touch.
    pub(super) fn insert_touched(
        &mut self,
        (hash, key): (u32, Key<'_>),
        state: S,
        (touched, order): (i64, u64),
        list: usize,
    ) -> u32 {
        let entry = Entry {
            key: KeptKey::new(key),
            touched,
            order,
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
        self.enqueue(at, list);
        let again = |(hash, _): &(u32, u32)| spread(*hash);
        self.index.insert_unique(spread(hash), (hash, at), again);
        at
    }

    fn push(&mut self, entry: Entry<S>) -> u32 {
        let at = self.numbers;
        self.numbers += 1;
        let (chunk, _) = place(at as u32);
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(CHUNK << chunk));
        }
        self.chunks[chunk].push(entry);
        if !self.waits {
            self.queued.push(NOWHERE);
        }
        at as u32
    }

    /// Takes the keys over in the form that they have by now.
    #[cold]
    pub(super) fn make_keys_anew(&mut self, fields: &KeyFields) {
        self.index.clear();
        self.heap = 0;
        for at in self.in_slab() {
            let entry = self.entry_mut(at);
            let key = take(&mut entry.key);
            entry.key = match key.key() {
                Key::Bytes(bytes) => KeptKey::new(fields.key(bytes)),
                number @ Key::Number(_) => KeptKey::new(number),
            };
            self.heap += self.entry(at).key.heap();
            let hash = self.hash(self.entry(at).key());
            let again = |(hash, _): &(u32, u32)| spread(*hash);
            self.index.insert_unique(spread(hash), (hash, at), again);
        }
    }

    /// All flows in the order in which they stand in memory: where none went, as they came.
    pub(super) fn in_slab(&self) -> Vec<u32> {
        let mut free = self.free.clone();
        free.sort_unstable();
        let mut free = free.into_iter().peekable();
        let all = 0..self.numbers as u32;
        all.filter(|at| free.next_if_eq(at).is_none()).collect()
    }

    /// Takes a flow out.
    pub(super) fn remove(&mut self, at: u32) -> Entry<S> {
        if !self.waits {
            self.queued[at as usize] = NOWHERE;
        }
        let entry = take(self.entry_mut(at));
        let hash = spread(self.hash(entry.key()));
        if let Ok(found) = self.index.find_entry(hash, |(_, other)| *other == at) {
            found.remove();
        }
        self.heap -= entry.key.heap();
        self.free.push(at);
        entry
    }

    /// Says that a flow of queue `from` was seen now: it is the latest one of queue `to`.
    #[inline]
    pub(super) fn touch(&mut self, at: u32, from: usize, to: usize, now: i64) {
        let order = self.next_touch();
        self.entry_mut(at).touch(now, order);
        if from != to {
            self.enqueue(at, to);
        }
    }

    /// Numbers of so many touches, one after the other: the one before the first.
    pub(super) fn touches(&mut self, count: usize) -> u64 {
        self.touches += count as u64;
        self.touches - count as u64
    }

    #[inline]
    fn next_touch(&mut self) -> u64 {
        self.touches += 1;
        self.touches
    }

    /// Puts a flow into a queue by its last touch; in another one it is no more.
    #[inline]
    fn enqueue(&mut self, at: u32, list: usize) {
        if self.waits {
            return;
        }
        let order = self.entry(at).order;
        self.queued[at as usize] = order;
        let most = 2 * self.index.len() + EMPTY_PLACES;
        let queue = &mut self.queues[list];
        queue.push(Reverse((order, at)));
        if queue.len() > most {
            queue.retain(|Reverse((order, at))| self.queued[*at as usize] == *order);
        }
    }

    /// Says that all flows were seen now: where time only begins.
    pub(super) fn touch_all(&mut self, now: i64) {
        let entries = self.chunks.iter_mut().flatten();
        entries.for_each(|entry| entry.touched = now);
    }

    /// The flow of a queue that was not seen for longest.
    pub(super) fn oldest(&mut self, list: usize) -> Option<u32> {
        if self.waits {
            self.waits = false;
            self.queued.resize(self.numbers, NOWHERE);
            let all = self.by_touch();
            all.into_iter().for_each(|at| self.enqueue(at, list));
        }
        loop {
            let mut first = self.queues[list].peek_mut()?;
            let Reverse((order, at)) = *first;
            if self.queued[at as usize] != order {
                PeekMut::pop(first);
                continue;
            }
            let (chunk, place) = place(at);
            let entry = &self.chunks[chunk][place];
            if entry.order == order {
                return Some(at);
            }
            self.queued[at as usize] = entry.order;
            *first = Reverse((entry.order, at));
        }
    }

    /// All flows, the one that was not seen for longest first.
    pub(super) fn by_touch(&self) -> Vec<u32> {
        let mut all = self.in_slab();
        all.sort_unstable_by_key(|at| self.entry(*at).order);
        all
    }

    /// Puts flows in the order of the time when they were last seen, where others were added that
    /// were seen before; `list` says which queue each is in.
    pub(super) fn sort(&mut self, list: impl Fn(&S) -> usize) {
        let mut all = self.by_touch();
        all.sort_by_key(|at| self.entry(*at).touched);
        self.queues.iter_mut().for_each(BinaryHeap::clear);
        for at in all {
            let order = self.next_touch();
            self.entry_mut(at).order = order;
            self.enqueue(at, list(&self.entry(at).state));
        }
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        // Of the last chunk the system has given what was written to.
        self.numbers * size_of::<Entry<S>>()
            + self.queued.capacity() * size_of::<u64>()
            + self.queues.iter().map(BinaryHeap::capacity).sum::<usize>() * size_of::<QueuePlace>()
            + self.index.capacity() * 10
            + self.free.capacity() * size_of::<u32>()
            + self.heap
    }
}

#[cfg(test)]
mod tests;
