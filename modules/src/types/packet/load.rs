//! Loads from bytes, and the loops that fill columns with them.

use super::{Frame, Frames};
use wireq_typesys::{Address, Bitmap, Column, Kind};

/// The two bytes at `at` as a number in network order.
#[inline(always)]
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// The four bytes at `at` as a number in network order.
#[inline(always)]
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// `N` bytes at `at`.
#[inline(always)]
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

macro_rules! fill_with {
    ($($name:ident, $refill:ident, $type:ty;)*) => { $(
        /// Fills a column with what `get` finds in the block for each selected frame.
        #[inline(always)]
        pub(super) fn $name(
            frames: &Frames,
            selection: &Bitmap,
            column: &mut Column,
            get: impl Fn(&[u8], &Frame) -> Option<$type>,
        ) {
            let bytes = frames.block.0.as_slice();
            let (values, valid) = column.$refill(frames.rows.len());
            selection.for_each(|row| {
                if let (Some(frame), Some(value)) = (frames.rows.get(row), values.get_mut(row)) {
                    if let Some(found) = get(bytes, frame) {
                        *value = found;
                        valid.set(row);
                    }
                }
            });
        }
    )* };
}

fill_with! {
    u8s, refill_u8, u8;
    u16s, refill_u16, u16;
    u32s, refill_u32, u32;
    u64s, refill_u64, u64;
    times, refill_time, i64;
    macs, refill_mac, wireq_typesys::Mac;
    v4_addresses, refill_address4, u32;
    addresses, refill_address, Address;
}

/// Fills a column of bytes: `get` gives the range in the block.
pub(super) fn slices(
    frames: &Frames,
    selection: &Bitmap,
    column: &mut Column,
    get: impl Fn(&[u8], &Frame) -> Option<(u32, u32)>,
) {
    let bytes = frames.block.0.as_slice();
    let (values, valid) = column.refill_slices(frames.rows.len(), &frames.block, Kind::Bytes);
    selection.for_each(|row| {
        if let Some((start, end)) = frames.rows.get(row).and_then(|frame| get(bytes, frame)) {
            values[row] = (0, start, end.saturating_sub(start));
            valid.set(row);
        }
    });
}

/// The text of a field of a frame; none where it is absent.
#[cfg(test)]
pub(super) fn field(bytes: &[u8], name: &str) -> Option<String> {
    field_of_link(bytes, super::LINKTYPE_ETHERNET, name)
}

/// The text of a field of a frame of a link type.
#[cfg(test)]
pub(super) fn field_of_link(bytes: &[u8], link_type: u16, name: &str) -> Option<String> {
    use std::sync::Arc;
    use wireq_typesys::{Block, RecordType, Zone, write_column_text};
    let block = Arc::new(Block(bytes.to_vec()));
    let mut frames = Frames {
        layers: true,
        ..Frames::default()
    };
    frames.reset(&block, 1);
    let len = bytes.len() as u32;
    let frame = Frame {
        caplen: len,
        len,
        link_type,
        ..Frame::default()
    };
    frames.push(&block.0, frame);
    let (number, _) = super::Packet.resolve(name).expect("a field of packets");
    let mut column = Column::default();
    super::Packet.fill(&frames, number, &Bitmap::first(1), &mut column);
    let mut out = Vec::new();
    write_column_text(&column, 0, &Zone::utc(), &mut out)
        .then(|| String::from_utf8(out).expect("text is UTF-8"))
}

/// A frame of Ethernet.
#[cfg(test)]
pub(super) fn in_ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A packet of IPv4 from 10.0.0.`host`.
#[cfg(test)]
pub(super) fn ipv4(protocol: u8, host: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, host, 10, 0, 1, 1]);
    bytes.extend(payload);
    bytes
}

/// A frame of Ethernet and IPv4 with a datagram to a port.
#[cfg(test)]
pub(super) fn in_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x30, 0x39];
    datagram.extend(port.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    in_ethernet(0x0800, &ipv4(17, 1, &datagram))
}
