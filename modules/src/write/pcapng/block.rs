//! Blocks: made, and those that were read taken apart.

use super::{Made, PACKET_AT, SIMPLE_PACKET_AT, any_number, any_short, order, types};
use crate::write::capture::Packet;

/// What stands before the body of a block, and behind it.
const HEAD_LEN: usize = 8;
const TAIL_LEN: usize = 4;
/// The least block.
const BLOCK_MIN: usize = HEAD_LEN + TAIL_LEN;

/// Codes of options.
mod code {
    pub(super) const NAME: u16 = 2;
    pub(super) const DESCRIPTION: u16 = 3;
    pub(super) const TSRESOL: u16 = 9;
    pub(super) const DROP_COUNT: u16 = 4;
}

/// The order of bytes in a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) big_endian: bool,
}

impl Order {
    /// The order that a section header tells.
    pub(super) fn of_section(header: &[u8]) -> Option<Order> {
        let big_endian = order(header.get(HEAD_LEN..)?)?;
        Some(Order { big_endian })
    }

    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self.big_endian {
            true => u64::from_be_bytes(bytes),
            false => u64::from_le_bytes(bytes),
        }
    }

    fn put16(self, number: u16, out: &mut Vec<u8>) {
        out.extend(match self.big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        });
    }

    fn put32(self, number: u32, out: &mut Vec<u8>) {
        out.extend(self.four(number));
    }

    fn four(self, number: u32) -> [u8; 4] {
        match self.big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    /// Writes an option, filled up.
    fn put_option(self, code: u16, value: &[u8], out: &mut Vec<u8>) {
        // A longer text than an option can hold loses its end.
        let value = &value[..value.len().min(u16::MAX.into())];
        self.put16(code, out);
        self.put16(value.len() as u16, out);
        out.extend_from_slice(value);
        fill(out, value.len());
    }
}

/// Fills up what has this length to a multiple of 4.
fn fill(out: &mut Vec<u8>, len: usize) {
    out.resize(out.len() + len.wrapping_neg() % 4, 0);
}

/// Writes a block around its body.
fn block(order: Order, kind: u32, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    order.put32(kind, out);
    order.put32(0, out);
    body(out);
    let len = out.len() - start;
    fill(out, len);
    let len = order.four((out.len() - start + TAIL_LEN) as u32);
    out[start + 4..start + 8].copy_from_slice(&len);
    out.extend(len);
}

/// Writes a section header.
pub(super) fn section(order: Order, out: &mut Vec<u8>) {
    block(order, types::SECTION, out, |out| {
        order.put32(0x1a2b_3c4d, out);
        order.put16(1, out);
        order.put16(0, out);
        out.extend([0xff; 8]);
    });
}

/// The block of an interface.
pub(super) fn interface(order: Order, made: &Made) -> Vec<u8> {
    let mut out = Vec::new();
    block(order, types::INTERFACE, &mut out, |out| {
        order.put16(made.link_type as u16, out);
        order.put16(0, out);
        order.put32(made.snaplen, out);
        let start = out.len();
        for (code, text) in [
            (code::NAME, &made.name),
            (code::DESCRIPTION, &made.description),
        ] {
            if !text.is_empty() {
                order.put_option(code, text, out);
            }
        }
        if made.nanos {
            order.put_option(code::TSRESOL, &[9], out);
        }
        if out.len() > start {
            order.put32(0, out);
        }
    });
    out
}

/// Writes an Enhanced Packet Block.
pub(super) fn enhanced(
    order: Order,
    number: u32,
    ticks: u64,
    packet: &Packet<'_>,
    options: &[u8],
    out: &mut Vec<u8>,
) {
    block(order, types::ENHANCED, out, |out| {
        for field in [
            number,
            (ticks >> 32) as u32,
            ticks as u32,
            packet.bytes.len() as u32,
            packet.len,
        ] {
            order.put32(field, out);
        }
        out.extend_from_slice(packet.bytes);
        fill(out, packet.bytes.len());
        out.extend_from_slice(options);
    });
}

/// Writes a Simple Packet Block, which has no time.
pub(super) fn simple(order: Order, packet: &Packet<'_>, out: &mut Vec<u8>) {
    block(order, types::SIMPLE, out, |out| {
        order.put32(packet.len, out);
        out.extend_from_slice(packet.bytes);
        fill(out, packet.bytes.len());
    });
}

/// The first of some blocks, and those behind it; `order` is theirs, and becomes that of a section
/// that begins here.
pub(super) fn split<'a>(bytes: &'a [u8], order: &mut Order) -> Option<(&'a [u8], &'a [u8])> {
    if bytes.starts_with(&types::SECTION.to_be_bytes()) {
        *order = Order::of_section(bytes)?;
    }
    let len = any_number(bytes, 4, order.big_endian) as usize;
    let padded = len.next_multiple_of(4);
    (len >= BLOCK_MIN).then(|| bytes.split_at_checked(padded))?
}

/// Writes a block that was read. What it says of its length may have been wrong.
pub(super) fn copy(read: &[u8], order: Order, out: &mut Vec<u8>) {
    let len = read.len();
    let lengths = [4, len.saturating_sub(TAIL_LEN)];
    let lengths = lengths.map(|at| any_number(read, at, order.big_endian) as usize);
    if len.is_multiple_of(4) && lengths == [len, len] {
        out.extend_from_slice(read);
        return;
    }
    let body = read.get(HEAD_LEN..len.saturating_sub(TAIL_LEN));
    block(order, any_number(read, 0, order.big_endian), out, |out| {
        out.extend_from_slice(body.unwrap_or(&[]));
    });
}

/// A block that a packet was read from.
pub(super) struct Block<'a> {
    pub(super) order: Order,
    pub(super) kind: u32,
    bytes: &'a [u8],
}

impl<'a> Block<'a> {
    /// The block that these bytes are, if they are one of a packet.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Block<'a>> {
        let orders = [false, true].map(|big_endian| Order { big_endian });
        orders.into_iter().find_map(|order| {
            let kind = any_number(bytes, 0, order.big_endian);
            let least = match kind {
                types::ENHANCED | types::OLD => PACKET_AT + TAIL_LEN,
                types::SIMPLE => SIMPLE_PACKET_AT + TAIL_LEN,
                _ => return None,
            };
            (bytes.len() >= least).then_some(Block { order, kind, bytes })
        })
    }

    fn number(&self, at: usize) -> u32 {
        any_number(self.bytes, at, self.order.big_endian)
    }

    /// The number of its interface in the section that it was read from.
    pub(super) fn interface(&self) -> u32 {
        match self.kind {
            types::SIMPLE => 0,
            types::OLD => any_short(self.bytes, 8, self.order.big_endian).into(),
            _ => self.number(8),
        }
    }

    /// The bytes that its packet had on the wire.
    pub(super) fn len(&self) -> u32 {
        match self.kind {
            types::SIMPLE => self.number(8),
            _ => self.number(24),
        }
    }

    pub(super) fn ticks(&self) -> u64 {
        u64::from(self.number(12)) << 32 | u64::from(self.number(16))
    }

    /// The packet, which has so many bytes.
    pub(super) fn packet(&self, len: usize) -> Option<&'a [u8]> {
        let at = match self.kind {
            types::SIMPLE => SIMPLE_PACKET_AT,
            _ if self.number(20) as usize != len => return None,
            _ => PACKET_AT,
        };
        self.bytes.get(at..at + len)
    }

    /// The options behind the packet.
    pub(super) fn options(&self) -> Vec<u8> {
        if self.kind == types::SIMPLE {
            return Vec::new();
        }
        let start = (PACKET_AT + self.number(20) as usize).next_multiple_of(4);
        let end = self.bytes.len() - TAIL_LEN;
        let options = self.bytes.get(start..end).unwrap_or(&[]);
        let drops = any_short(self.bytes, 10, self.order.big_endian);
        let mut all = Vec::new();
        // All ones where it is not known.
        if self.kind == types::OLD && drops != u16::MAX {
            let mut value = Vec::new();
            let halves = match self.order.big_endian {
                true => [0, drops.into()],
                false => [drops.into(), 0],
            };
            for half in halves {
                self.order.put32(half, &mut value);
            }
            self.order.put_option(code::DROP_COUNT, &value, &mut all);
            if options.is_empty() {
                self.order.put32(0, &mut all);
            }
        }
        all.extend_from_slice(options);
        all
    }

    /// Writes the block, for an interface of this number.
    pub(super) fn copy(&self, number: u32, out: &mut Vec<u8>) {
        let start = out.len();
        copy(self.bytes, self.order, out);
        if number == self.interface() {
            return;
        }
        let number = self.order.four(number);
        match (self.kind, self.order.big_endian) {
            (types::SIMPLE, _) => {}
            (types::OLD, true) => out[start + 8..start + 10].copy_from_slice(&number[2..]),
            (types::OLD, false) => out[start + 8..start + 10].copy_from_slice(&number[..2]),
            _ => out[start + 8..start + 12].copy_from_slice(&number),
        }
    }
}
