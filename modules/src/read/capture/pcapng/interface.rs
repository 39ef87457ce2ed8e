//! The interfaces of a section.

use super::block::{any_number, any_short};
use super::time::Units;
use crate::types::packet::{Frames, Interface, Record};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use wireq_typesys::Block;

/// Interfaces that one section may describe: what is kept of them is bounded.
const INTERFACES_MAX: usize = 65_536;
/// Bytes of descriptions that are kept of one section; those of later ones are not.
const DESCRIPTIONS_MAX: usize = 16 * 1024 * 1024;

/// Codes of the options of Interface Description Blocks.
mod code {
    pub const END: u16 = 0;
    pub const NAME: u16 = 2;
    pub const DESCRIPTION: u16 = 3;
    pub const TSRESOL: u16 = 9;
    pub const TSOFFSET: u16 = 14;
}

/// Where options begin in the block, and what stands behind them.
const OPTIONS_AT: usize = 16;
const BEHIND_OPTIONS: usize = 4;

/// The interfaces of a section.
#[derive(Default)]
pub(super) struct Interfaces {
    known: Vec<Known>,
    /// Bytes kept of descriptions.
    kept: usize,
}

/// An interface.
pub(super) struct Known {
    pub(super) link_type: u16,
    pub(super) snaplen: u32,
    pub(super) units: Units,
    section: u32,
    number: u32,
    block: Arc<Block>,
    name: Option<(u32, u32)>,
    description: Option<(u32, u32)>,
    /// What frames refer to, by the kind of their records.
    shared: [OnceCell<Arc<Interface>>; 3],
    /// Where that was last among the interfaces of a part.
    places: [Cell<u16>; 3],
    big_endian: bool,
}

/// The kind of record that a frame is read from.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Enhanced,
    Old,
    Simple,
}

/// There are more interfaces than can be kept.
pub(super) struct TooMany;

/// What the options of a block say of an interface.
struct Described {
    units: Units,
    name: Option<(u32, u32)>,
    description: Option<(u32, u32)>,
}

impl Units {
    /// The units of the interface that a block describes.
    pub(crate) fn of_interface(block: &[u8], big_endian: bool) -> Units {
        describe(block, big_endian).units
    }
}

fn describe(block: &[u8], big_endian: bool) -> Described {
    let end = block.len().saturating_sub(BEHIND_OPTIONS);
    let (mut at, mut resolution, mut offset) = (OPTIONS_AT, 6, 0);
    let (mut name, mut description) = (None, None);
    while at + 4 <= end {
        let option = any_short(block, at, big_endian);
        let len = usize::from(any_short(block, at + 2, big_endian));
        let start = at + 4;
        let Some(value) = block[..end].get(start..start + len) else {
            break;
        };
        let place = Some((start as u32, len as u32));
        match (option, value) {
            (code::END, _) => break,
            (code::NAME, _) => name = name.or(place),
            (code::DESCRIPTION, _) => description = description.or(place),
            (code::TSRESOL, [first, ..]) => resolution = *first,
            (code::TSOFFSET, [_, _, _, _, _, _, _, _, ..]) => {
                let value = value.first_chunk().copied().unwrap_or_default();
                offset = match big_endian {
                    true => i64::from_be_bytes(value),
                    false => i64::from_le_bytes(value),
                };
            }
            _ => {}
        }
        at = start + len.next_multiple_of(4);
    }
    Described {
        units: Units::new(resolution, offset),
        name,
        description,
    }
}

impl Interfaces {
    /// A section without interfaces begins.
    pub(super) fn begin_section(&mut self) {
        self.known.clear();
        self.kept = 0;
    }

    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> Option<&Known> {
        self.known.get(number as usize)
    }

    /// Adds the interface that a block describes.
    pub(super) fn add(
        &mut self,
        block: &[u8],
        big_endian: bool,
        section: u32,
    ) -> Result<(), TooMany> {
        if self.known.len() >= INTERFACES_MAX {
            return Err(TooMany);
        }
        let described = describe(block, big_endian);
        let mut known = Known {
            link_type: any_short(block, 8, big_endian),
            snaplen: any_number(block, 12, big_endian),
            units: described.units,
            section,
            number: self.known.len() as u32,
            block: Arc::default(),
            name: described.name,
            description: described.description,
            shared: Default::default(),
            places: Default::default(),
            big_endian,
        };
        self.kept += block.len();
        if self.kept <= DESCRIPTIONS_MAX {
            known.block = Arc::new(Block(block.to_vec()));
        } else {
            (known.name, known.description) = (None, None);
        }
        self.known.push(known);
        Ok(())
    }
}

impl Known {
    /// The number of the interface in a part, for a frame of this kind of record.
    #[inline(always)]
    pub(super) fn place(&self, frames: &mut Frames, kind: Kind) -> u16 {
        let place = self.places[kind as usize].get();
        if let (Some(known), Some(there)) = (
            self.shared[kind as usize].get(),
            frames.interfaces.get(usize::from(place)),
        ) && Arc::ptr_eq(known, there)
        {
            return place;
        }
        self.new_place(frames, kind)
    }

    #[cold]
    fn new_place(&self, frames: &mut Frames, kind: Kind) -> u16 {
        let shared = self.shared[kind as usize].get_or_init(|| {
            Arc::new(Interface {
                link_type: self.link_type,
                snaplen: self.snaplen,
                tsresol: self.units.digits(),
                record: self.record(kind),
                section: self.section,
                number: Some(self.number),
                block: Arc::clone(&self.block),
                name: self.name,
                description: self.description,
            })
        });
        // A part has fewer frames than there are numbers.
        let place = frames.interfaces.len() as u16;
        frames.interfaces.push(Arc::clone(shared));
        self.places[kind as usize].set(place);
        place
    }

    fn record(&self, kind: Kind) -> Record {
        let big_endian = self.big_endian;
        match kind {
            Kind::Enhanced => Record::Enhanced { big_endian },
            Kind::Old => Record::Old { big_endian },
            Kind::Simple => Record::Simple { big_endian },
        }
    }
}
