//! NetFlow without templates: versions 1, 5 and 7.
//!
//! Source: Cisco, "NetFlow Services Solutions Guide", appendix "NetFlow export datagram formats".

use super::batch::Batch;
use super::decoder::Message;
use super::fault::{Fault, Faults};
use crate::types::netflow::{Header, Layout, Place, Row};
use std::sync::{Arc, LazyLock};

/// What a version's messages look like.
pub(super) struct Version {
    number: u8,
    pub(super) header_len: usize,
    pub(super) record_len: usize,
    layout: fn() -> &'static Arc<Layout>,
}

pub(super) static V1: Version = Version {
    number: 1,
    header_len: 16,
    record_len: 52,
    layout: || &V1_LAYOUT,
};
pub(super) static V5: Version = Version {
    number: 5,
    header_len: 24,
    record_len: 48,
    layout: || &V5_LAYOUT,
};
pub(super) static V7: Version = Version {
    number: 7,
    header_len: 24,
    record_len: 52,
    layout: || &V7_LAYOUT,
};

/// What all three begin a record with: addresses, interfaces, counts, times, ports.
const COMMON: [Place; 11] = [
    Place::new(8, 0, 4),
    Place::new(12, 4, 4),
    Place::new(15, 8, 4),
    Place::new(10, 12, 2),
    Place::new(14, 14, 2),
    Place::new(2, 16, 4),
    Place::new(1, 20, 4),
    Place::new(22, 24, 4),
    Place::new(21, 28, 4),
    Place::new(7, 32, 2),
    Place::new(11, 34, 2),
];

/// What versions 5 and 7 have behind that.
const ROUTED: [Place; 7] = [
    Place::new(6, 37, 1),
    Place::new(4, 38, 1),
    Place::new(5, 39, 1),
    Place::new(16, 40, 2),
    Place::new(17, 42, 2),
    Place::new(9, 44, 1),
    Place::new(13, 45, 1),
];

static V1_LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    let rest = [
        Place::new(4, 38, 1),
        Place::new(5, 39, 1),
        Place::new(6, 40, 1),
    ];
    Arc::new(Layout::of_places([&COMMON[..], &rest].concat(), 52))
});
static V5_LAYOUT: LazyLock<Arc<Layout>> =
    LazyLock::new(|| Arc::new(Layout::of_places([&COMMON[..], &ROUTED].concat(), 48)));
static V7_LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    // The router that the switch took a short cut past.
    let rest = [Place::new(43, 48, 4)];
    Arc::new(Layout::of_places(
        [&COMMON[..], &ROUTED, &rest].concat(),
        52,
    ))
});

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// The records that a header announces; none where it is cut.
pub(super) fn announced(bytes: &[u8]) -> Option<usize> {
    let count = bytes.get(2..4)?;
    Some(usize::from(u16::from_be_bytes([count[0], count[1]])))
}

/// What came of a message: its sequence number and records.
pub(super) struct Decoded {
    /// Bytes that are the message's.
    pub(super) used: usize,
    pub(super) sequence: Option<u32>,
    pub(super) engine: u16,
    pub(super) records: u32,
}

/// Decodes a message.
pub(super) fn decode(
    version: &Version,
    message: &Message<'_>,
    faults: &mut Faults,
    batch: &mut Batch,
) -> Decoded {
    let bytes = message.bytes;
    let mut decoded = Decoded {
        used: bytes.len(),
        sequence: None,
        engine: 0,
        records: 0,
    };
    let (Some(head), Some(count)) = (bytes.get(..version.header_len), announced(bytes)) else {
        faults.count(Fault::ShortHeader);
        return decoded;
    };
    let sequence = be32(head, 16).filter(|_| version.number != 1);
    let seconds = be32(head, 8).map_or(0, i64::from);
    let nanoseconds = be32(head, 12).map_or(0, i64::from);
    let is_v5 = version.number == 5;
    // The upper two bits say how samples are taken.
    let interval = u32::from(head.get(23).copied().unwrap_or(0))
        | u32::from(head.get(22).copied().unwrap_or(0) & 0x3f) << 8;
    let header = Header {
        version: version.number,
        exported: Some(seconds * 1_000_000_000 + nanoseconds),
        received: message.received,
        uptime: be32(head, 4),
        boot: None,
        router: message.router,
        domain: None,
        sequence,
        engine: is_v5.then(|| (head[20], head[21])),
        sampling: Some(interval).filter(|interval| is_v5 && *interval > 0),
    };
    let whole = (bytes.len() - version.header_len) / version.record_len;
    if whole < count {
        faults.count(Fault::ShortMessage);
    }
    let records = whole.min(count);
    let (block, header_number) = (batch.block(message.block), batch.header(header));
    let layout = batch.layout((version.layout)());
    let first = message.start + version.header_len;
    for record in 0..records {
        batch.push(Row {
            start: (first + record * version.record_len) as u32,
            len: version.record_len as u16,
            block,
            layout,
            header: header_number,
        });
    }
    decoded.used = if whole < count {
        bytes.len()
    } else {
        version.header_len + records * version.record_len
    };
    decoded.sequence = sequence;
    decoded.engine = header
        .engine
        .map_or(0, |(kind, id)| u16::from(kind) << 8 | u16::from(id));
    // What is counted is what was sent.
    decoded.records = count as u32;
    decoded
}
