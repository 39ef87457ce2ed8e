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

/// The bytes that test code puts into a frame of its own.
#[cfg(test)]
pub(super) fn one_frame(bytes: &[u8]) -> Frames {
    use std::sync::Arc;
    use wireq_typesys::Block;
    let block = Arc::new(Block(bytes.to_vec()));
    let mut frames = Frames {
        layers: true,
        ..Frames::default()
    };
    frames.reset(&block, 1);
    let len = bytes.len() as u32;
    frames.push(
        &block.0,
        Frame {
            ts: 0,
            start: 0,
            caplen: len,
            len,
            link_type: super::LINKTYPE_ETHERNET,
            ..Frame::default()
        },
    );
    frames
}

/// The text of a field of a frame; none where it is absent.
#[cfg(test)]
pub(super) fn field(bytes: &[u8], name: &str) -> Option<String> {
    use wireq_typesys::{RecordType, Zone, write_column_text};
    let frames = one_frame(bytes);
    let number = super::Packet.field(name).expect("a field of packets");
    let mut column = Column::default();
    super::Packet.fill(&frames, number, &Bitmap::first(1), &mut column);
    let mut out = Vec::new();
    write_column_text(&column, 0, &Zone::utc(), &mut out)
        .then(|| String::from_utf8(out).expect("text is UTF-8"))
}
