//! Sets of data that came before their template: held for a while, within a bound.

use super::fault::{Fault, Faults};
use super::template::DomainKey;
use crate::types::netflow::Header;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use wireq_typesys::Block;

/// The most bytes that are held, those of the lists included.
const BYTES_MAX: usize = 4 << 20;
/// How long a set is held, in nanoseconds.
const TIME_MAX: i64 = 600 * 1_000_000_000;
/// What a set takes beside its bytes.
const SET_SIZE: usize = 256;

/// A set that is held.
pub(super) struct HeldSet {
    pub(super) header: Header,
    pub(super) block: Arc<Block>,
    time: i64,
}

type Place = (DomainKey, u16);

/// The sets that are held.
#[derive(Default)]
pub(super) struct Held {
    sets: HashMap<Place, VecDeque<HeldSet>>,
    /// The templates that sets wait for, in the order in which the sets came; some of them may have
    /// found theirs.
    order: VecDeque<(Place, i64)>,
    bytes: usize,
    count: u64,
}

impl Held {
    /// Holds a set; what is too much or too old goes.
    pub(super) fn add(&mut self, place: Place, header: Header, bytes: &[u8], faults: &mut Faults) {
        let size = bytes.len() + SET_SIZE;
        let time = header.received.or(header.exported).unwrap_or(0);
        while let Some((first, since)) = self.order.front().copied() {
            let is_old = time.saturating_sub(since) > TIME_MAX;
            if !is_old && self.bytes + size <= BYTES_MAX && self.order.len() < BYTES_MAX / SET_SIZE
            {
                break;
            }
            self.order.pop_front();
            self.drop_first(first, since, faults);
        }
        self.order.push_back((place, time));
        self.bytes += size;
        self.count += 1;
        let block = Arc::new(Block(bytes.to_vec()));
        let set = HeldSet {
            header,
            block,
            time,
        };
        self.sets.entry(place).or_default().push_back(set);
    }

    fn drop_first(&mut self, place: Place, since: i64, faults: &mut Faults) {
        let Some(sets) = self.sets.get_mut(&place) else {
            return;
        };
        if sets.front().is_none_or(|set| set.time != since) {
            return;
        }
        if let Some(set) = sets.pop_front() {
            self.bytes -= set.block.0.len() + SET_SIZE;
            self.count -= 1;
            faults.count(Fault::NoTemplate);
        }
        if sets.is_empty() {
            self.sets.remove(&place);
        }
    }

    /// The sets that waited for a template.
    pub(super) fn take(&mut self, place: Place) -> VecDeque<HeldSet> {
        let sets = self.sets.remove(&place).unwrap_or_default();
        let bytes = sets.iter().map(|set| set.block.0.len() + SET_SIZE);
        self.bytes -= bytes.sum::<usize>();
        self.count -= sets.len() as u64;
        sets
    }

    /// The sets that are held.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Place, &HeldSet)> {
        let mut all: Vec<(&Place, &VecDeque<HeldSet>)> = self.sets.iter().collect();
        all.sort_by_key(|(place, _)| **place);
        let sets = all.into_iter();
        sets.flat_map(|(place, sets)| sets.iter().map(move |set| (place, set)))
    }

    /// How many sets are held.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// About how many bytes they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }
}
