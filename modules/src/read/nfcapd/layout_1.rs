//! Records of layout 1: a common part, three extensions that all have, and those of a map.

use super::{EXTENSIONS_MAX, le16};
use crate::types::netflow::{END_PARTS, Layout, Place, Records, Row, START_PARTS};
use hashbrown::HashMap;
use std::sync::Arc;

/// The types of records.
const FLOW_OLD: u16 = 1;
const MAP: u16 = 2;
const FLOW: u16 = 10;
const RECORD_HEADER: usize = 4;
/// The most layouts that are kept at a time.
const KNOWN_MAX: usize = 256;
/// The most extensions of all maps together.
const MAPPED_MAX: usize = 1 << 20;

/// Flags of a record.
const IS_V6: u16 = 1;
const LONG_PACKETS: u16 = 2;
const LONG_BYTES: u16 = 4;

/// Optional extensions: their bytes, and the elements in them.
fn extension(id: u16) -> Option<(u16, &'static [(u64, u16, u16)])> {
    Some(match id {
        4 => (4, &[(10, 0, 2), (14, 2, 2)]),
        5 => (8, &[(10, 0, 4), (14, 4, 4)]),
        6 => (4, &[(16, 0, 2), (17, 2, 2)]),
        7 => (8, &[(16, 0, 4), (17, 4, 4)]),
        8 => (4, &[(55, 0, 1), (61, 1, 1), (9, 2, 1), (13, 3, 1)]),
        9 => (4, &[(15, 0, 4)]),
        10 => (16, &[(62, 0, 16)]),
        11 => (4, &[(18, 0, 4)]),
        12 => (16, &[(63, 0, 16)]),
        13 => (4, &[(58, 0, 2), (59, 2, 2)]),
        14 => (4, &[(24, 0, 4)]),
        15 => (8, &[(24, 0, 8)]),
        16 => (4, &[(23, 0, 4)]),
        17 => (8, &[(23, 0, 8)]),
        18 => (4, &[(3, 0, 4)]),
        19 => (8, &[(3, 0, 8)]),
        20 => (16, &[(56, 0, 8), (57, 8, 8)]),
        21 => (16, &[(80, 0, 8), (81, 8, 8)]),
        22 => (40, &[]),
        23 => (4, &[(130, 0, 4)]),
        24 => (16, &[(131, 0, 16)]),
        25 => (4, &[(38, 2, 1), (39, 3, 1)]),
        26 => (8, &[(128, 0, 4), (129, 4, 4)]),
        27 => (8, &[(258, 0, 8)]),
        37 => (
            20,
            &[(323, 0, 8), (148, 8, 4), (233, 14, 1), (33_002, 16, 2)],
        ),
        38 => (4, &[(227, 0, 2), (228, 2, 2)]),
        39 => (8, &[(225, 0, 4), (226, 4, 4)]),
        40 => (32, &[(281, 0, 16), (282, 16, 16)]),
        41 => (24, &[]),
        42 => (24, &[(40_000, 0, 24)]),
        43 => (72, &[(40_000, 0, 72)]),
        45 => (24, &[]),
        46 => (12, &[(230, 0, 1), (235, 4, 4), (234, 8, 4)]),
        47 => (8, &[(225, 0, 4), (226, 4, 4)]),
        48 => (8, &[(361, 0, 2), (362, 2, 2), (363, 4, 2), (364, 6, 2)]),
        _ => return None,
    })
}

/// What tells layouts apart: the type of the record, its flags, its map.
type Signature = (u16, u16, u16);

/// The maps of a file, and the layouts that follow from them.
#[derive(Default)]
pub(super) struct Framer {
    maps: HashMap<u16, Vec<u16>>,
    extensions: usize,
    known: Vec<Arc<Layout>>,
    numbers: HashMap<Signature, usize>,
    last: Option<(Signature, usize)>,
}

impl Framer {
    /// The layouts of a part: all that are known.
    pub(super) fn layouts(&self, records: &mut Records) {
        let missing = self.known.iter().skip(records.layouts.len());
        records.layouts.extend(missing.cloned());
    }

    /// Forgets what a part does not need.
    pub(super) fn begin(&mut self) {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
            self.numbers.clear();
            self.last = None;
        }
    }

    /// Takes in a map. False where it is damaged.
    fn map(&mut self, record: &[u8]) -> bool {
        let Some(id) = le16(record, 4) else {
            return false;
        };
        let ids = record.get(8..).unwrap_or(&[]).chunks_exact(2);
        let ids = ids.map(|id| u16::from_le_bytes([id[0], id[1]]));
        let ids: Vec<u16> = ids.take_while(|id| *id != 0).collect();
        if ids.len() > EXTENSIONS_MAX {
            return false;
        }
        if self.maps.get(&id) == Some(&ids) {
            return true;
        }
        let before = self.maps.remove(&id).map_or(0, |ids| ids.len() + 1);
        self.extensions -= before;
        if self.extensions + ids.len() + 1 > MAPPED_MAX {
            return false;
        }
        self.extensions += ids.len() + 1;
        self.maps.insert(id, ids);
        if before > 0 {
            // Layouts in use keep their numbers until the next part.
            self.numbers.retain(|(_, _, map), _| *map != id);
            self.last = None;
        }
        true
    }

    /// The number of a flow's layout; none where there is none, or the record is too short for it.
    fn flow(&mut self, record: &[u8]) -> Option<usize> {
        let kind = le16(record, 0)?;
        let flags = match kind {
            FLOW_OLD => u16::from(*record.get(4)?),
            _ => le16(record, 4)?,
        };
        let signature = (kind, flags, le16(record, 6)?);
        if let Some((last, number)) = self.last
            && last == signature
        {
            return Some(number);
        }
        let number = match self.numbers.get(&signature) {
            Some(number) => *number,
            None => {
                let layout = self.layout(signature)?;
                // What no record has is not kept: a part that is full of such would never have one.
                if layout.len_min > record.len() {
                    return None;
                }
                self.known.push(Arc::new(layout));
                let number = self.known.len() - 1;
                self.numbers.insert(signature, number);
                number
            }
        };
        self.last = Some((signature, number));
        Some(number)
    }

    fn layout(&self, (kind, flags, map): Signature) -> Option<Layout> {
        let map = self.maps.get(&map)?;
        let mut places = vec![
            Place::little(START_PARTS, 8, 12),
            Place::little(END_PARTS, 8, 12),
            Place::little(89, 20, 1),
            Place::little(6, 21, 1),
            Place::little(4, 22, 1),
            Place::little(5, 23, 1),
            Place::little(7, 24, 2),
            Place::little(11, 26, 2),
        ];
        let mut at = if kind == FLOW_OLD { 28 } else { 32 };
        let mut add = |key: u64, len: u16| {
            places.push(Place::little(key, at, len));
            at += u32::from(len);
        };
        let is = |flag: u16| flags & flag != 0;
        let (keys, len) = if is(IS_V6) {
            ([27, 28], 16)
        } else {
            ([8, 12], 4)
        };
        keys.into_iter().for_each(|key| add(key, len));
        add(2, if is(LONG_PACKETS) { 8 } else { 4 });
        add(1, if is(LONG_BYTES) { 8 } else { 4 });
        for id in map {
            // Nothing says how long one is that is not known.
            let Some((len, members)) = extension(*id) else {
                break;
            };
            for (key, start, len) in members {
                places.push(Place::little(*key, at + u32::from(*start), *len));
            }
            at += u32::from(len);
        }
        Some(Layout::of_places(places, at as usize))
    }

    /// Frames records from `at` on until there are `rows_max`. Gives where it stopped, and whether
    /// there was damage.
    pub(super) fn frame_records(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        records: &mut Records,
        rows_max: usize,
    ) -> (usize, bool) {
        while records.rows.len() < rows_max {
            let (Some(kind), Some(len)) = (le16(bytes, at), le16(bytes, at + 2)) else {
                break;
            };
            let len = usize::from(len);
            if len < RECORD_HEADER {
                return (at, true);
            }
            let Some(record) = bytes.get(at..at + len) else {
                break;
            };
            match kind {
                FLOW | FLOW_OLD => {
                    if self.known.len() >= KNOWN_MAX {
                        break;
                    }
                    let number = self.flow(record);
                    let fits = number.filter(|number| self.known[*number].len_min <= len);
                    let Some(number) = fits else {
                        return (at, true);
                    };
                    records.rows.push(Row {
                        start: at as u32,
                        len: len as u16,
                        layout: number as u16,
                        ..Row::default()
                    });
                }
                MAP if !self.map(record) => return (at, true),
                _ => {}
            }
            at += len;
        }
        (at, false)
    }
}
