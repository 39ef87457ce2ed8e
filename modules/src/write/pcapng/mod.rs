//! pcapng, as it is written: blocks that were read stand as they stood, for others some are made.
//!
//! Source: draft-ietf-opsawg-pcapng.

mod block;

use super::capture::Packet;
use crate::read::capture::{Units, any_number, any_short, order, types};
use crate::types::packet::{Beside, NO_TIME};
use block::{Block, Order};
use hashbrown::HashMap;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// The most interfaces of a section, and the most bytes of their blocks: then another one begins.
const INTERFACES_MAX: usize = 65_536;
const HEAD_MAX: usize = 16 << 20;
/// Where a section header has the length of its section.
pub(super) const LENGTH_AT: usize = 16;
/// A length that is not told.
const NO_LENGTH: u64 = u64::MAX;
/// Where an Enhanced Packet Block, and an obsolete one, has its packet; a Simple one.
const PACKET_AT: usize = 28;
const SIMPLE_PACKET_AT: usize = 12;

/// The section that is being written.
#[derive(Default)]
pub(super) struct Section {
    order: Order,
    /// Its header, and the blocks of its interfaces: what another file of it begins with. Nothing
    /// where none was begun.
    head: Vec<u8>,
    interfaces: Vec<Interface>,
    /// Their numbers, by their blocks as they are written.
    numbers: HashMap<Box<[u8]>, u32>,
    /// Those of packets that had a block, by where the descriptions stand that were read.
    places: HashMap<Place, u32>,
    /// The last of these, which mostly is that of the next packet.
    last: Option<(Place, u32)>,
    /// The interface that was made last, and of what.
    made: Option<(Made, u32)>,
    /// Whether interfaces have the numbers that they had where they were read, as far as is known.
    aligned: bool,
    /// Where a section was begun since that was asked last.
    begun: Option<Begun>,
}

/// A section that was begun.
pub(super) struct Begun {
    /// Where in what is written.
    pub(super) at: usize,
    pub(super) header_len: usize,
    /// The length that was told where it was read, and the bytes that tell it: it is not known yet
    /// whether that is so.
    pub(super) claim: Option<(u64, [u8; 8])>,
}

/// An interface of the section: where its block is in the head, what its times count, and its link
/// type.
struct Interface {
    start: usize,
    end: usize,
    units: Units,
    link_type: u16,
}

/// Where a description of an interface stands, its address and its length, and the number that the
/// interface had.
type Place = (usize, usize, u32);

/// What is said of an interface that no block describes.
#[derive(Clone, Default, PartialEq, Eq)]
struct Made {
    link_type: u32,
    snaplen: u32,
    nanos: bool,
    name: Vec<u8>,
    description: Vec<u8>,
}

impl Section {
    /// What another file of the section begins with: its header, without a length, and its
    /// interfaces. Nothing where none was begun.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The section that was begun since this was asked last.
    pub(super) fn begun(&mut self) -> Option<Begun> {
        self.begun.take()
    }

    /// Begins a section where there is none: a capture has one, if nothing else.
    pub(super) fn begin_any(&mut self, out: &mut Vec<u8>) {
        if self.head.is_empty() {
            self.begin_own(self.order, out);
        }
    }

    /// Forgets where descriptions stand: other ones may stand there from now on.
    pub(super) fn forget_places(&mut self) {
        self.places.clear();
        self.last = None;
    }

    /// Begins a section whose header was read.
    fn begin(&mut self, header: &[u8], order: Order, out: &mut Vec<u8>) {
        *self = Section {
            order,
            aligned: true,
            ..Section::default()
        };
        let start = out.len();
        block::copy(header, order, out);
        let mut claim = None;
        if let Some(length) = out[start..].get_mut(LENGTH_AT..LENGTH_AT + 8) {
            let bytes = <[u8; 8]>::try_from(&*length).unwrap_or_default();
            length.fill(0xff);
            claim = Some((order.u64(bytes), bytes)).filter(|(length, _)| *length != NO_LENGTH);
        }
        self.head.extend_from_slice(&out[start..]);
        self.begun = Some(Begun {
            at: start,
            header_len: self.head.len(),
            claim,
        });
    }

    /// Begins a section of our own.
    fn begin_own(&mut self, order: Order, out: &mut Vec<u8>) {
        let mut header = Vec::new();
        block::section(order, &mut header);
        self.begin(&header, order, out);
        self.aligned = false;
    }

    /// Begins a section unless there is one of this order of bytes with room for another interface.
    fn ready(&mut self, order: Order, out: &mut Vec<u8>) {
        let has_room = self.interfaces.len() < INTERFACES_MAX && self.head.len() < HEAD_MAX;
        if self.head.is_empty() || self.order != order || !has_room {
            self.begin_own(order, out);
        }
    }

    /// Adds an interface by its block; its number.
    fn add_interface(&mut self, description: &[u8], out: &mut Vec<u8>) -> u32 {
        let start = self.head.len();
        block::copy(description, self.order, &mut self.head);
        self.note_interface(start);
        out.extend_from_slice(&self.head[start..]);
        self.interfaces.len() as u32 - 1
    }

    fn note_interface(&mut self, start: usize) {
        let number = self.interfaces.len() as u32;
        let end = self.head.len();
        let key = self.head[start..].into();
        let block = &self.head[start..end];
        self.interfaces.push(Interface {
            start,
            end,
            units: Units::of_interface(block, self.order.big_endian),
            link_type: any_short(block, 8, self.order.big_endian),
        });
        self.numbers.entry(key).or_insert(number);
    }

    /// The number of the interface that a block describes, which mostly is the one it had. The
    /// section may be another one then.
    fn interface(&mut self, description: &[u8], read: u32, out: &mut Vec<u8>) -> u32 {
        let place = (description.as_ptr() as usize, description.len(), read);
        if let Some((last, number)) = self.last
            && last == place
        {
            return number;
        }
        let known = self.places.get(&place).copied();
        let number = match known.or_else(|| self.known_interface(description, read)) {
            Some(number) => number,
            None => {
                self.aligned = false;
                self.ready(self.order, out);
                self.add_interface(description, out)
            }
        };
        if known.is_none() {
            self.places.insert(place, number);
        }
        self.last = Some((place, number));
        number
    }

    fn known_interface(&self, description: &[u8], number: u32) -> Option<u32> {
        let is_there = |block: &[u8]| {
            let known = self.interfaces.get(number as usize);
            known.is_some_and(|known| self.head[known.start..known.end] == *block)
        };
        if is_there(description) {
            return Some(number);
        }
        // What a block said of its length may have been put right where it was written.
        let mut written = Vec::with_capacity(description.len());
        block::copy(description, self.order, &mut written);
        if is_there(&written) {
            return Some(number);
        }
        self.numbers.get(&*written).copied()
    }

    /// The number of an interface for a packet that no block was read of, or that changed.
    fn made_interface(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> u32 {
        let nanos = packet.nanos || packet.needs_nanos();
        if let Some((made, number)) = &self.made
            && made.link_type == packet.link_type
            && made.snaplen == packet.snaplen
            && made.nanos == nanos
            && made.name == packet.name
            && made.description == packet.description
        {
            return *number;
        }
        let made = Made {
            link_type: packet.link_type,
            snaplen: packet.snaplen,
            nanos,
            name: packet.name.into(),
            description: packet.description.into(),
        };
        let description = block::interface(self.order, &made);
        let number = match self.numbers.get(&*description) {
            Some(number) => *number,
            None => {
                self.aligned = false;
                self.ready(self.order, out);
                self.add_interface(&description, out)
            }
        };
        self.made = Some((made, number));
        number
    }

    /// Writes what stood between packets.
    pub(super) fn beside(&mut self, beside: &Beside, out: &mut Vec<u8>) {
        let mut order = Order {
            big_endian: beside.big_endian,
        };
        let mut rest = beside.bytes.as_slice();
        while let Some((block, behind)) = block::split(rest, &mut order) {
            rest = behind;
            let kind = any_number(block, 0, order.big_endian);
            if kind == types::SECTION {
                self.begin(block, order, out);
                continue;
            }
            self.ready(order, out);
            match kind {
                types::INTERFACE => {
                    self.add_interface(block, out);
                }
                // They tell of interfaces by number.
                types::STATISTICS if !self.aligned => {}
                _ => block::copy(block, order, out),
            }
        }
    }

    /// Writes a packet.
    pub(super) fn put(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        if let Some(read) = Block::of(packet.block) {
            self.put_read(packet, &read, out);
            return;
        }
        self.ready(self.order, out);
        let number = self.made_interface(packet, out);
        self.write(packet, number, &[], out);
    }

    /// Writes a packet that has a block, which stays as it is unless the packet changed.
    fn put_read(&mut self, packet: &Packet<'_>, read: &Block<'_>, out: &mut Vec<u8>) {
        if self.head.is_empty() || self.order != read.order {
            self.begin_own(read.order, out);
        }
        let described = !packet.interface_block.is_empty();
        let mut number = match described {
            true => self.interface(packet.interface_block, read.interface(), out),
            false => self.made_interface(packet, out),
        };
        // An old block has 16 bits for the number, and a simple one none.
        let most = match read.kind {
            types::SIMPLE => 0,
            types::OLD => u32::from(u16::MAX),
            _ => u32::MAX,
        };
        if number > most {
            self.begin_own(read.order, out);
            number = match described {
                true => self.add_interface(packet.interface_block, out),
                false => self.made_interface(packet, out),
            };
        }
        if described && self.is_unchanged(packet, read, number) {
            read.copy(number, out);
            return;
        }
        let number = self.made_interface(packet, out);
        self.write(packet, number, &read.options(), out);
    }

    /// Whether a packet is what its block says, for the interface of this number.
    fn is_unchanged(&self, packet: &Packet<'_>, read: &Block<'_>, number: u32) -> bool {
        let Some(interface) = self.interfaces.get(number as usize) else {
            return false;
        };
        let time = match read.kind {
            types::SIMPLE => None,
            _ => interface.units.time(read.ticks()),
        };
        // As readers have it.
        let time = time.filter(|time| *time != NO_TIME);
        time == packet.ts
            && read.len() == packet.len
            && u32::from(interface.link_type) == packet.link_type
            && read.packet(packet.bytes.len()) == Some(packet.bytes)
    }

    /// Writes a block for a packet.
    fn write(&mut self, packet: &Packet<'_>, number: u32, options: &[u8], out: &mut Vec<u8>) {
        let units = self
            .interfaces
            .get(number as usize)
            .map(|known| known.units);
        let ticks = packet.ts.and_then(|ts| units?.ticks(ts));
        // Times from before 1970 cannot be told either.
        let Some(ticks) = ticks else {
            let packet = simple_packet(packet);
            if self.made_interface(&packet, out) != 0 {
                self.begin_own(self.order, out);
                self.made_interface(&packet, out);
            }
            block::simple(self.order, &packet, out);
            return;
        };
        block::enhanced(self.order, number, ticks, packet, options, out);
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.order.big_endian.into());
        out.number(self.aligned.into());
        out.bytes(&self.head);
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Section, Error> {
        let order = Order {
            big_endian: from.number()? != 0,
        };
        let mut section = Section {
            order,
            aligned: from.number()? != 0,
            ..Section::default()
        };
        let head = from.bytes()?;
        let (mut rest, mut unused) = (head, order);
        while let Some((block, behind)) = block::split(rest, &mut unused) {
            rest = behind;
            let start = section.head.len();
            section.head.extend_from_slice(block);
            if any_number(block, 0, order.big_endian) == types::INTERFACE {
                section.note_interface(start);
            }
        }
        Ok(section)
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        2 * self.head.len() + self.interfaces.len() * (size_of::<Interface>() + 32)
    }
}

/// A packet as a Simple Packet Block can tell it: how much of it was kept follows from its length and
/// the snaplen of its interface.
fn simple_packet<'a>(packet: &Packet<'a>) -> Packet<'a> {
    let kept = packet.bytes.len() as u32;
    let len = packet.len.max(kept);
    let told = match packet.snaplen {
        0 => len,
        snaplen => len.min(snaplen),
    };
    Packet {
        len,
        snaplen: if told == kept { packet.snaplen } else { kept },
        ..*packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Packets of several interfaces by turns: their descriptions, which may be long, are compared
    /// once and not for each packet.
    #[test]
    fn interfaces_by_turns_are_found_by_their_places() {
        const LEN: usize = 4 << 20;
        let describe = |letter: u8| {
            let len = (LEN as u32).to_le_bytes();
            let mut block = vec![letter; LEN];
            block[..4].copy_from_slice(&types::INTERFACE.to_le_bytes());
            block[4..8].copy_from_slice(&len);
            block[LEN - 4..].copy_from_slice(&len);
            block
        };
        let descriptions = [describe(b'a'), describe(b'b')];
        let (mut section, mut out) = (Section::default(), Vec::new());
        section.begin_any(&mut out);
        let begun = Instant::now();
        for _ in 0..4000 {
            for (number, description) in (0..).zip(&descriptions) {
                assert_eq!(section.interface(description, number, &mut out), number);
            }
        }
        assert!(
            begun.elapsed() < Duration::from_millis(500),
            "{:?}",
            begun.elapsed()
        );
        // Others may stand there later.
        section.forget_places();
        assert_eq!(section.interface(&descriptions[0], 1, &mut out), 0);
    }
}
