//! Radiotap (radiotap.org) and PPI (CACE), which stand before IEEE 802.11 frames.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Header as In, U8};
use super::values::{double, number};

const WLAN: u16 = 105;
/// Alignment and length of the fields in the order of their bits.
const FIELDS: [(usize, usize); 15] = [
    (8, 8),
    (1, 1),
    (1, 1),
    (2, 4),
    (2, 2),
    (1, 1),
    (1, 1),
    (2, 2),
    (2, 2),
    (2, 2),
    (1, 1),
    (1, 1),
    (1, 1),
    (1, 1),
    (2, 2),
];
const FLAGS: usize = 1;
const RATE: usize = 2;
const CHANNEL: usize = 3;
const MORE: u32 = 1 << 31;
/// The flag that says that the frame ends with its check sequence.
const FCS: u8 = 0x10;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "radiotap",
    source: "radiotap.org",
    found: &[By::Link(127)],
    carries: Some(carries),
    fields: &[
        number("radiotap.version", U8(0), "The version: 0."),
        number(
            "radiotap.length",
            In(|h, v| _ = h.le16(2).map(|n| v.number(n))),
            "Bytes of the header.",
        ),
        number(
            "radiotap.present.word",
            In(|h, v| words(h, |word| v.number(word))),
            "Which fields there are.",
        ),
        number(
            "radiotap.flags",
            In(|h, v| _ = field(h, FLAGS).and_then(|at| h.u8(at)).map(|n| v.number(n))),
            "Flags.",
        ),
        double(
            "radiotap.datarate",
            In(|h, v| {
                let rate = field(h, RATE).and_then(|at| h.u8(at));
                _ = rate.map(|halves| v.double(f64::from(halves) / 2.0))
            }),
            "The rate in Mb/s.",
        ),
        number(
            "radiotap.channel.freq",
            In(|h, v| {
                _ = field(h, CHANNEL)
                    .and_then(|at| h.le16(at))
                    .map(|n| v.number(n))
            }),
            "The frequency in MHz.",
        ),
    ],
};

pub(super) static PPI: Protocol = Protocol {
    name: "ppi",
    source: "CACE PPI",
    found: &[By::Link(192)],
    carries: Some(|header| match (header.le16(2), header.le32(4)) {
        (Some(length), Some(link)) => {
            let by = u16::try_from(link).map_or(By::Nothing, By::Link);
            Next::behind(length.into(), by)
        }
        _ => Next::last(8),
    }),
    fields: &[
        number("ppi.version", U8(0), "The version: 0."),
        number("ppi.flags", U8(1), "Flags."),
        number(
            "ppi.length",
            In(|h, v| _ = h.le16(2).map(|n| v.number(n))),
            "Bytes of the header.",
        ),
        number(
            "ppi.dlt",
            In(|h, v| _ = h.le32(4).map(|n| v.number(n))),
            "The link type of the frame.",
        ),
    ],
};

fn words(header: &Header<'_>, mut each: impl FnMut(u32)) {
    let end = header.le16(2).map_or(0, usize::from);
    // Other versions have other fields.
    let mut at = if header.u8(0) == Some(0) { 4 } else { end };
    while let Some(word) = header.le32(at).filter(|_| at + 4 <= end) {
        each(word);
        if word & MORE == 0 {
            return;
        }
        at += 4;
    }
}

/// Where a field of the first set is.
fn field(header: &Header<'_>, wanted: usize) -> Option<usize> {
    let present = header.le32(4).filter(|_| header.u8(0) == Some(0))?;
    let mut count = 0usize;
    words(header, |_| count += 1);
    let mut at = 4 + 4 * count;
    for (bit, (alignment, length)) in FIELDS.iter().enumerate() {
        if present >> bit & 1 == 0 {
            continue;
        }
        at = at.next_multiple_of(*alignment);
        if bit == wanted {
            return (at + length <= usize::from(header.le16(2)?)).then_some(at);
        }
        at += length;
    }
    None
}

fn carries(header: &Header<'_>) -> Next {
    let length = header.le16(2).map_or(8, usize::from);
    let flags = field(header, FLAGS)
        .and_then(|at| header.u8(at))
        .unwrap_or(0);
    let next = Next::behind(length, By::Link(WLAN));
    // The check sequence is no part of the frame, where all of it was captured.
    let is_whole = header.frame.caplen >= header.frame.len;
    if flags & FCS != 0 && is_whole {
        return next.of(header.bytes.len().saturating_sub(4));
    }
    next
}
