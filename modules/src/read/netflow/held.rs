//! Sets of data that came before their template: held for a while, within a bound.

use super::fault::{Fault, Faults};
use super::template::DomainKey;
use crate::types::netflow::Header;
use hashbrown::HashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use wireq_typesys::Block;

/// The most bytes that are held, those of the lists included.
const BYTES_MAX: usize = 4 << 20;
/// How long a set is held, in nanoseconds.
const TIME_MAX: i64 = 600 * 1_000_000_000;
/// What a set takes beside its bytes.
const SET_SIZE: usize = 384;

/// A set that is held.
pub(super) struct HeldSet {
    /// The template that it waits for.
    pub(super) place: Place,
    pub(super) header: Header,
    pub(super) block: Arc<Block>,
}

type Place = (DomainKey, u16);

/// The sets that are held.
#[derive(Default)]
pub(super) struct Held {
    /// By number, in the order in which they came.
    sets: BTreeMap<u64, HeldSet>,
    /// The numbers of the sets that wait for a template.
    waiting: HashMap<Place, VecDeque<u64>>,
    next: u64,
    bytes: usize,
}

impl HeldSet {
    fn size(&self) -> usize {
        self.block.0.len() + SET_SIZE
    }
}

/// When a message came.
fn time(header: &Header) -> i64 {
    header.received.or(header.exported).unwrap_or(0)
}

impl Held {
    /// Holds a set; what is too much or too old goes.
    pub(super) fn add(&mut self, place: Place, header: Header, bytes: &[u8], faults: &mut Faults) {
        let set = HeldSet {
            place,
            header,
            block: Arc::new(Block(bytes.to_vec())),
        };
        let size = set.size();
        while let Some(first) = self.sets.first_entry() {
            let is_old = time(&header).saturating_sub(time(&first.get().header)) > TIME_MAX;
            if !is_old && self.bytes + size <= BYTES_MAX {
                break;
            }
            let first = first.remove();
            self.bytes -= first.size();
            self.let_go(first.place);
            faults.count(Fault::NoTemplate);
        }
        self.sets.insert(self.next, set);
        self.waiting.entry(place).or_default().push_back(self.next);
        self.next += 1;
        self.bytes += size;
    }

    /// Forgets the first number of those that wait for a template.
    fn let_go(&mut self, place: Place) {
        if let Some(numbers) = self.waiting.get_mut(&place) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.waiting.remove(&place);
            }
        }
    }

    /// The sets that waited for a template.
    pub(super) fn take(&mut self, place: Place) -> Vec<HeldSet> {
        let numbers = self.waiting.remove(&place).unwrap_or_default();
        let sets = numbers.iter().filter_map(|at| self.sets.remove(at));
        let sets: Vec<HeldSet> = sets.collect();
        self.bytes -= sets.iter().map(HeldSet::size).sum::<usize>();
        sets
    }

    /// The sets that are held, in the order in which they came.
    pub(super) fn each(&self) -> impl Iterator<Item = &HeldSet> {
        self.sets.values()
    }

    /// How many sets are held.
    pub(super) fn count(&self) -> u64 {
        self.sets.len() as u64
    }

    /// About how many bytes they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }
}
