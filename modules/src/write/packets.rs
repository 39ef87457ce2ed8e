//! Rows as packets that a capture can hold.

use super::capture::{Packet, holds_time};
use super::capture_files::Format;
use wireq_engine::View;
use wireq_typesys::{Bitmap, Column, Data, Value, key};

/// The fields that a packet is written from.
pub(super) const FIELDS: [&str; 6] = ["ts", "packet", "linktype", "len", "snaplen", "tsresol"];
/// Those behind them that pcapng has besides.
pub(super) const BLOCK_FIELDS: [&str; 4] = [
    "frame.block",
    "frame.interface_block",
    "frame.interface_name",
    "frame.interface_description",
];
/// Those behind these that [`flow_hash`] reads.
pub(super) const FLOW_FIELDS: [&str; 3] = ["srcip", "dstip", "ipprotocol"];

/// The columns of a view that packets are written from.
pub(super) struct Columns<'a> {
    format: Format,
    ts: Option<&'a Column>,
    packet: Option<&'a Column>,
    link_type: Option<&'a Column>,
    len: Option<&'a Column>,
    snaplen: Option<&'a Column>,
    tsresol: Option<&'a Column>,
    blocks: [Option<&'a Column>; 4],
}

impl<'a> Columns<'a> {
    pub(super) fn of(view: View<'a>, format: Format) -> Columns<'a> {
        let [ts, packet, link_type, len, snaplen, tsresol] =
            [0, 1, 2, 3, 4, 5].map(|at| view.column(at));
        let blocks = match format {
            Format::Pcapng => [6, 7, 8, 9].map(|at| view.column(at)),
            Format::Pcap => [None; 4],
        };
        Columns {
            format,
            ts,
            packet,
            link_type,
            len,
            snaplen,
            tsresol,
            blocks,
        }
    }

    /// The packet that a row is, if it is one that a capture can hold.
    #[inline]
    pub(super) fn packet(&self, row: usize) -> Option<Packet<'a>> {
        let ts = time(self.ts, row);
        let bytes = bytes(self.packet, row)?;
        let block = bytes_or_none(self.blocks[0], row);
        let is_held = match self.format {
            Format::Pcap => ts.is_some_and(holds_time),
            // A block that was read is written whatever it says.
            Format::Pcapng => ts.is_some_and(|ts| ts >= 0) || !block.is_empty(),
        };
        if !is_held {
            return None;
        }
        let captured = u32::try_from(bytes.len()).ok()?;
        let unlimited = match self.format {
            Format::Pcap => captured,
            Format::Pcapng => 0,
        };
        Some(Packet {
            ts,
            len: number(self.len, row).unwrap_or(captured),
            bytes,
            link_type: u16::try_from(number(self.link_type, row)?).ok()?.into(),
            snaplen: number(self.snaplen, row).unwrap_or(unlimited),
            nanos: number(self.tsresol, row).is_some_and(|digits| digits > 6),
            block,
            interface_block: bytes_or_none(self.blocks[1], row),
            name: bytes_or_none(self.blocks[2], row),
            description: bytes_or_none(self.blocks[3], row),
        })
    }
}

fn time(column: Option<&Column>, row: usize) -> Option<i64> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::Time(times) => times.get(row).copied(),
        _ => match column.value(row) {
            Value::Time(ts) => Some(ts),
            _ => None,
        },
    }
}

#[inline]
fn number(column: Option<&Column>, row: usize) -> Option<u32> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::U8(numbers) => numbers.get(row).map(|number| (*number).into()),
        Data::U16(numbers) => numbers.get(row).map(|number| (*number).into()),
        Data::U32(numbers) => numbers.get(row).copied(),
        _ => column.value(row).as_integer()?.try_into().ok(),
    }
}

#[inline]
fn bytes(column: Option<&Column>, row: usize) -> Option<&[u8]> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::Bytes(slices) | Data::Text(slices) => Some(slices.get(row)),
        Data::Dynamic(values) => values.get(row)?.as_bytes(),
        _ => None,
    }
}

#[inline]
fn bytes_or_none(column: Option<&Column>, row: usize) -> &[u8] {
    bytes(column, row).unwrap_or(&[])
}

/// The rows that are packets.
pub(super) fn packets(view: View<'_>, format: Format) -> Bitmap {
    let columns = Columns::of(view, format);
    let mut rows = Bitmap::EMPTY;
    view.part.selection.for_each(|row| {
        if columns.packet(row).is_some() {
            rows.set(row);
        }
    });
    rows
}

/// A hash of the addresses, in whatever order, and the protocol of a packet. It is the same in every
/// run, so that files of several runs belong together.
pub(super) fn flow_hash(view: View<'_>, format: Format, row: usize, key: &mut Vec<u8>) -> u64 {
    let [srcip, dstip, protocol] = match format {
        Format::Pcap => [6, 7, 8],
        Format::Pcapng => [10, 11, 12],
    };
    key.clear();
    key::encode_row(view.column(srcip), row, key);
    let middle = key.len();
    key::encode_row(view.column(dstip), row, key);
    let end = key.len();
    if key[..middle] > key[middle..end] {
        key.rotate_left(middle);
    }
    key::encode_row(view.column(protocol), row, key);
    // FNV-1a, then the end of MurmurHash3, since the low bits alone choose the file.
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}
