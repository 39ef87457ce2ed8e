//! Rows as packets that a capture can hold.

use super::capture::{Packet, holds_time};
use wireq_engine::View;
use wireq_typesys::{Bitmap, Data, Value, key};

/// The fields that a packet is written from.
pub(super) const FIELDS: [&str; 6] = ["ts", "packet", "linktype", "len", "snaplen", "tsresol"];

/// Those behind them that [`flow_hash`] reads.
pub(super) const FLOW_FIELDS: [&str; 3] = ["srcip", "dstip", "ipprotocol"];

/// The places of the fields in views.
mod field {
    pub(super) const TS: usize = 0;
    pub(super) const PACKET: usize = 1;
    pub(super) const LINK_TYPE: usize = 2;
    pub(super) const LEN: usize = 3;
    pub(super) const SNAPLEN: usize = 4;
    pub(super) const TSRESOL: usize = 5;
    pub(super) const SRCIP: usize = 6;
    pub(super) const DSTIP: usize = 7;
    pub(super) const PROTOCOL: usize = 8;
}

/// The packet that a row is, if it is one that a capture can hold.
pub(super) fn with_packet<R>(
    view: View<'_>,
    row: usize,
    act: impl FnOnce(&Packet<'_>) -> R,
) -> Option<R> {
    let number = |at: usize| -> Option<u32> {
        let integer = view.value(at, row).as_integer()?;
        integer.try_into().ok()
    };
    let ts = match view.value(field::TS, row) {
        Value::Time(ts) if holds_time(ts) => ts,
        _ => return None,
    };
    let link_type = number(field::LINK_TYPE)?;
    let kept;
    let column = view
        .column(field::PACKET)
        .filter(|column| column.valid.get(row))?;
    let bytes = match &column.data {
        Data::Bytes(slices) | Data::Text(slices) => slices.get(row),
        _ => {
            kept = column.value(row);
            kept.as_bytes()?
        }
    };
    let captured = u32::try_from(bytes.len()).ok()?;
    Some(act(&Packet {
        ts,
        len: number(field::LEN).unwrap_or(captured),
        bytes,
        link_type,
        snaplen: number(field::SNAPLEN).unwrap_or(captured),
        nanos: number(field::TSRESOL).is_some_and(|digits| digits > 6),
    }))
}

/// The rows that are packets.
pub(super) fn packets(view: View<'_>) -> Bitmap {
    let mut rows = Bitmap::EMPTY;
    view.part.selection.for_each(|row| {
        if with_packet(view, row, |_| ()).is_some() {
            rows.set(row);
        }
    });
    rows
}

/// A hash of the addresses, in whatever order, and the protocol of a packet. It is the same in every
/// run, so that files of several runs belong together.
pub(super) fn flow_hash(view: View<'_>, row: usize, key: &mut Vec<u8>) -> u64 {
    key.clear();
    key::encode_row(view.column(field::SRCIP), row, key);
    let middle = key.len();
    key::encode_row(view.column(field::DSTIP), row, key);
    let end = key.len();
    if key[..middle] > key[middle..end] {
        key.rotate_left(middle);
    }
    key::encode_row(view.column(field::PROTOCOL), row, key);
    // FNV-1a, then the end of MurmurHash3, since the low bits alone choose the file.
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}
