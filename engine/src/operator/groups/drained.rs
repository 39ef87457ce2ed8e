//! Keys taken out in order.

use super::keys::Key;
use super::slot::Slot;
use super::table::Shard;
use super::{Groups, KEY_ROOM, at_once};
use std::vec::IntoIter;
use wireq_typesys::allocated;
use wireq_typesys::key::Layout;

impl Groups {
    /// Takes all keys out, with their numbers, in ascending order of key. Little more memory is taken
    /// on the way than the keys took: tables are dropped one by one.
    pub fn drain(&mut self) -> Drained {
        self.drain_wanted(self.len(), |_| true)
    }

    /// Likewise; gives only those of which the number is wanted, about `expected` of them.
    pub fn drain_wanted(&mut self, expected: usize, wanted: impl Fn(u32) -> bool) -> Drained {
        let shards = self.table.take_shards();
        let room = |len: fn(&Shard) -> usize| {
            let all: usize = shards.iter().map(len).sum();
            all.min(expected)
        };
        let mut tiny = Vec::with_capacity(room(|shard| shard.tiny.len()));
        let mut short = Vec::with_capacity(room(|shard| shard.short.len()));
        let mut medium = Vec::with_capacity(room(|shard| shard.medium.len()));
        let mut large = Vec::with_capacity(room(|shard| shard.large.len()));
        let mut long = Vec::with_capacity(room(|shard| shard.long.len()));
        for shard in shards {
            tiny.extend(shard.tiny.into_iter().filter(|slot| wanted(slot.number)));
            short.extend(shard.short.into_iter().filter(|slot| wanted(slot.number)));
            medium.extend(shard.medium.into_iter().filter(|slot| wanted(slot.number)));
            large.extend(shard.large.into_iter().filter(|slot| wanted(slot.number)));
            long.extend(shard.long.into_iter().filter(|(_, n)| wanted(*n)));
        }
        let threads = self.threads as usize;
        at_once::sort(&mut tiny, threads);
        at_once::sort(&mut short, threads);
        at_once::sort(&mut medium, threads);
        at_once::sort(&mut large, threads);
        at_once::sort(&mut long, threads);
        let boxed = long.iter().map(|(key, _)| allocated(key.len())).sum();
        let mut drained = Drained {
            layout: self.table.layout.clone(),
            tiny: tiny.into_iter(),
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
}

/// Keys on their own with their numbers, as [`Groups::drain`] gives them.
pub struct Drained {
    layout: Option<Layout>,
    tiny: IntoIter<Slot<2>>,
    short: IntoIter<Slot<4>>,
    medium: IntoIter<Slot<6>>,
    large: IntoIter<Slot<12>>,
    long: IntoIter<(Box<[u8]>, u32)>,
    /// So many tiny and then short keys stand before all others: where addresses are of both versions, those
    /// of IPv4.
    first: usize,
    /// What keys in boxes take.
    boxed: usize,
}

impl Drained {
    fn count_first(&mut self) {
        let layout = self.layout.as_ref();
        let lowest = self.heads().into_iter().skip(2).flatten();
        let Some(lowest) = lowest.min_by(|a, b| a.order(b, layout)) else {
            self.first = self.tiny.len() + self.short.len();
            return;
        };
        let before = |key: Key<'_>| key.order(&lowest, layout).is_lt();
        let tiny = self.tiny.as_slice();
        let short = self.short.as_slice();
        self.first = tiny.partition_point(|slot| before(tiny_of(slot)))
            + short.partition_point(|slot| before(Key::Short(slot.words())));
    }

    /// The lowest key of each length.
    fn heads(&self) -> [Option<Key<'_>>; 5] {
        let medium = self.medium.as_slice().first();
        let large = self.large.as_slice().first();
        let long = self.long.as_slice().first();
        [
            self.tiny.as_slice().first().map(tiny_of),
            self.short
                .as_slice()
                .first()
                .map(|slot| Key::Short(slot.words())),
            medium.map(|slot| Key::Medium(slot.words())),
            large.map(|slot| Key::Large(slot.words())),
            long.map(|(bytes, _)| Key::Long(bytes)),
        ]
    }

    /// Appends the bytes of the next key and gives its number; none at the end.
    #[inline]
    pub fn next(&mut self, key: &mut Vec<u8>) -> Option<u32> {
        if self.first == 0 {
            return self.next_of_any(key);
        }
        self.first -= 1;
        // What is tiny comes before what is short.
        let (lowest, number) = match self.tiny.next() {
            Some(slot) => (tiny_of(&slot), slot.number),
            None => {
                let slot = self.short.next()?;
                (Key::Short(slot.words()), slot.number)
            }
        };
        key.extend_from_slice(lowest.bytes(self.layout.as_ref(), &mut [0; KEY_ROOM]));
        Some(number)
    }

    fn next_of_any(&mut self, key: &mut Vec<u8>) -> Option<u32> {
        let layout = self.layout.as_ref();
        let order = |a: &Key<'_>, b: &Key<'_>| a.order(b, layout);
        let lowest = self.heads().into_iter().flatten().min_by(order)?;
        key.extend_from_slice(lowest.bytes(layout, &mut [0; KEY_ROOM]));
        match lowest {
            Key::Tiny(_) => self.tiny.next().map(|slot| slot.number),
            Key::Short(_) => self.short.next().map(|slot| slot.number),
            Key::Medium(_) => self.medium.next().map(|slot| slot.number),
            Key::Large(_) => self.large.next().map(|slot| slot.number),
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
        let numbers = self.tiny.len() + self.short.len();
        numbers + self.medium.len() + self.large.len() + self.long.len()
    }

    /// About how many bytes the keys take.
    pub fn memory(&self) -> usize {
        self.tiny.len() * size_of::<Slot<2>>()
            + self.short.len() * size_of::<Slot<4>>()
            + self.medium.len() * size_of::<Slot<6>>()
            + self.large.len() * size_of::<Slot<12>>()
            + self.long.len() * size_of::<(Box<[u8]>, u32)>()
            + self.boxed
    }
}

fn tiny_of(slot: &Slot<2>) -> Key<'static> {
    let [low] = slot.words();
    Key::Tiny(low)
}
