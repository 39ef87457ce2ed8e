//! TCP (RFC 9293).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::{be16, be32, u8s, u16s, u32s};
use super::values::Get::{Bits16, Header as In, U16, U32};
use super::values::{Values, bytes, flag, number};
use super::{Field, Frame, Layers, has, transport};
use wireq_typesys::{FieldDef, Kind};

pub(super) const PROTOCOL_NUMBER: u8 = 6;
const SEQUENCE: usize = 4;
const ACKNOWLEDGMENT: usize = 8;
const DATA_OFFSET: usize = 12;
const WINDOW: usize = 14;
const CHECKSUM: usize = 16;
const URGENT_POINTER: usize = 18;
const LEN_MIN: usize = 20;
const URG: u16 = 0x20;

/// Notes a header that was captured and whose data offset can be.
#[inline(always)]
pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let offset = bytes.get(at + DATA_OFFSET).map_or(0, |byte| byte >> 4);
    if at + LEN_MIN <= layers.end as usize && offset >= 5 {
        layers.has |= has::TCP;
    }
}

#[inline(always)]
fn at(frame: &Frame, offset: usize) -> Option<usize> {
    (frame.layers.has & has::TCP != 0).then_some(frame.layers.transport as usize + offset)
}

fn flags(bytes: &[u8], frame: &Frame) -> Option<u16> {
    Some(be16(bytes, at(frame, DATA_OFFSET)?)? & 0xfff)
}

/// The range of the payload in the block.
pub(super) fn payload(bytes: &[u8], frame: &Frame) -> Option<(u32, u32)> {
    let header_len = u32::from(bytes.get(at(frame, DATA_OFFSET)?)? >> 4) * 4;
    let start = frame.layers.transport + header_len;
    (start <= frame.layers.end).then_some((start, frame.layers.end))
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "tcp",
    source: "RFC 9293",
    found: &[By::Ip(PROTOCOL_NUMBER)],
    carries: Some(carries),
    fields: &[
        number("tcp.srcport", U16(0), "Port of the sender."),
        number("tcp.dstport", U16(2), "Port of the receiver."),
        number(
            "tcp.port",
            In(|h, v| {
                _ = h.u16(0).map(|n| v.number(n));
                _ = h.u16(2).map(|n| v.number(n))
            }),
            "Ports of sender and receiver.",
        ),
        number(
            "tcp.seq",
            U32(SEQUENCE),
            "Sequence number, as sent: relative numbers are off.",
        ),
        number(
            "tcp.ack",
            In(acknowledgment),
            "Acknowledgment number, as sent: relative numbers are off.",
        ),
        number("tcp.seq_raw", U32(SEQUENCE), "Sequence number, as sent."),
        number(
            "tcp.ack_raw",
            In(acknowledgment),
            "Acknowledgment number, as sent.",
        ),
        number(
            "tcp.hdr_len",
            In(|h, v| _ = h.u8(DATA_OFFSET).map(|n| v.number((n >> 4) * 4))),
            "Bytes of the header.",
        ),
        number(
            "tcp.len",
            In(length),
            "Bytes that the segment carries, as sent.",
        ),
        number(
            "tcp.flags",
            Bits16(DATA_OFFSET, 0xfff),
            "The twelve flag bits: 2 is SYN, 16 is ACK, 18 is both.",
        ),
        flag(
            "tcp.flags.res",
            Bits16(DATA_OFFSET, 0xe00),
            "Whether a reserved flag is set.",
        ),
        flag("tcp.flags.ae", Bits16(DATA_OFFSET, 0x100), "Accurate ECN.").or(&["tcp.flags.ns"]),
        flag(
            "tcp.flags.cwr",
            Bits16(DATA_OFFSET, 0x80),
            "The congestion window was reduced.",
        )
        .from("RFC 3168"),
        flag(
            "tcp.flags.ece",
            Bits16(DATA_OFFSET, 0x40),
            "Congestion was met.",
        )
        .from("RFC 3168")
        .or(&["tcp.flags.ecn"]),
        flag(
            "tcp.flags.urg",
            Bits16(DATA_OFFSET, 0x20),
            "The urgent pointer counts.",
        ),
        flag(
            "tcp.flags.ack",
            Bits16(DATA_OFFSET, 0x10),
            "The acknowledgment number counts.",
        ),
        flag(
            "tcp.flags.push",
            Bits16(DATA_OFFSET, 8),
            "What was received is to be handed on.",
        ),
        flag(
            "tcp.flags.reset",
            Bits16(DATA_OFFSET, 4),
            "The connection is broken off.",
        ),
        flag(
            "tcp.flags.syn",
            Bits16(DATA_OFFSET, 2),
            "A connection begins.",
        ),
        flag(
            "tcp.flags.fin",
            Bits16(DATA_OFFSET, 1),
            "The sender has no more to send.",
        ),
        number(
            "tcp.window_size_value",
            U16(WINDOW),
            "Window, as sent: not scaled.",
        ),
        number("tcp.checksum", U16(CHECKSUM), "Checksum."),
        flag(
            "tcp.checksum.ok",
            In(|h, v| transport::checksum_ok(h, v, PROTOCOL_NUMBER)),
            "Whether the checksum is right; absent where the segment was not captured whole.",
        ),
        number("tcp.urgent_pointer", U16(URGENT_POINTER), "Urgent pointer."),
        number(
            "tcp.option_kind",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n)))),
            "What options are.",
        ),
        number(
            "tcp.option_len",
            In(|h, v| {
                options(h, |_, _, length| {
                    if length > 1 {
                        v.number(length as u32)
                    }
                })
            }),
            "Bytes of options.",
        ),
        number(
            "tcp.options.mss_val",
            In(|h, v| option(h, 2, 4, |h, at| _ = h.u16(at + 2).map(|n| v.number(n)))),
            "The largest segment that the sender takes.",
        ),
        number(
            "tcp.options.wscale.shift",
            In(|h, v| option(h, 3, 3, |h, at| _ = h.u8(at + 2).map(|n| v.number(n)))),
            "By how many bits windows are shifted.",
        )
        .from("RFC 7323"),
        flag(
            "tcp.options.sack_perm",
            In(|h, v| option(h, 4, 2, |_, _| v.number(1u8))),
            "Selective acknowledgments are understood.",
        )
        .from("RFC 2018"),
        number(
            "tcp.options.sack_le",
            In(|h, v| blocks(h, v, 0)),
            "Where blocks that were received begin.",
        )
        .from("RFC 2018"),
        number(
            "tcp.options.sack_re",
            In(|h, v| blocks(h, v, 4)),
            "Where blocks that were received end.",
        )
        .from("RFC 2018"),
        number(
            "tcp.options.timestamp.tsval",
            In(|h, v| option(h, 8, 10, |h, at| _ = h.u32(at + 2).map(|n| v.number(n)))),
            "The sender's clock.",
        )
        .from("RFC 7323"),
        number(
            "tcp.options.timestamp.tsecr",
            In(|h, v| option(h, 8, 10, |h, at| _ = h.u32(at + 6).map(|n| v.number(n)))),
            "The other's clock, given back.",
        )
        .from("RFC 7323"),
        bytes(
            "tcp.payload",
            In(transport::carried),
            "The bytes that the segment carries, as captured.",
        ),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    match header.u8(DATA_OFFSET).map(|byte| byte >> 4) {
        Some(words) if words < 5 => Next::broken(DATA_OFFSET + 1),
        Some(words) => Next::last(usize::from(words) * 4),
        None if header.layer.quoted => Next::last(LEN_MIN),
        None => Next::broken(4),
    }
}

/// Where the header is shorter than it can be, only what comes before that is taken for it.
fn acknowledgment(header: &Header<'_>, values: &mut Values) {
    let is_header = header.u8(DATA_OFFSET).is_none_or(|byte| byte >> 4 >= 5);
    let number = header.u32(ACKNOWLEDGMENT).filter(|_| is_header);
    number.into_iter().for_each(|number| values.number(number));
}

/// What the IP header says that the segment carries; nothing of a fragment or quoted segment.
fn length(header: &Header<'_>, values: &mut Values) {
    if header.layer.quoted || transport::is_fragment(header) {
        return;
    }
    let own = header
        .u8(DATA_OFFSET)
        .map(|byte| usize::from(byte >> 4) * 4);
    let whole = transport::on_wire(header);
    if let (Some(own), Some(whole)) = (own, whole)
        && own <= whole
    {
        values.number((whole - own) as u32);
    }
}

/// The options: where each begins, and its length; one byte for those that are only a kind. One
/// that goes beyond the header is none.
fn options(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize, usize)) {
    let end = header
        .u8(DATA_OFFSET)
        .map_or(0, |byte| usize::from(byte >> 4) * 4);
    let mut at = LEN_MIN;
    while at < end {
        let Some(kind) = header.u8(at) else { return };
        let length = match kind {
            0 | 1 => 1,
            _ => usize::from(header.u8(at + 1).unwrap_or(0)),
        };
        if length == 0 || kind > 1 && length < 2 || at + length > end {
            return;
        }
        each(header, at, length);
        // The list ends, but for padding.
        let is_padding = kind == 0 && header.u8(at + 1) == Some(0);
        if kind == 0 && !is_padding {
            return;
        }
        at += length;
    }
}

/// The options of a kind, with the length that they must have.
fn option(header: &Header<'_>, wanted: u8, len: usize, mut each: impl FnMut(&Header<'_>, usize)) {
    options(header, |header, at, length| {
        if header.u8(at) == Some(wanted) && length == len {
            each(header, at);
        }
    });
}

/// Selective acknowledgments: beginnings or ends of blocks.
fn blocks(header: &Header<'_>, values: &mut Values, side: usize) {
    options(header, |header, at, length| {
        if header.u8(at) == Some(5) {
            let count = length.saturating_sub(2) / 8;
            let all = (0..count).filter_map(|n| header.u32(at + 2 + 8 * n + side));
            all.for_each(|number| values.number(number));
        }
    });
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "seq",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Sequence number, as sent.",
            source: "RFC 9293",
        },
        fill: |f, s, c| u32s(f, s, c, |bytes, frame| be32(bytes, at(frame, SEQUENCE)?)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "ack",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Acknowledgment number, as sent.",
            source: "RFC 9293",
        },
        fill: |f, s, c| {
            u32s(f, s, c, |bytes, frame| {
                be32(bytes, at(frame, ACKNOWLEDGMENT)?)
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "tcpflags",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "The twelve flag bits: 2 is SYN, 16 is ACK, 18 is both.",
            source: "RFC 9293",
        },
        fill: |f, s, c| u16s(f, s, c, flags),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "urg",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Whether the urgent flag is set: 0 or 1.",
            source: "RFC 9293",
        },
        fill: |f, s, c| {
            u8s(f, s, c, |bytes, frame| {
                flags(bytes, frame).map(|flags| u8::from(flags & URG != 0))
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "urgptr",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Urgent pointer.",
            source: "RFC 9293",
        },
        fill: |f, s, c| {
            u16s(f, s, c, |bytes, frame| {
                be16(bytes, at(frame, URGENT_POINTER)?)
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "tcpwindow",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Window, as sent: not scaled.",
            source: "RFC 9293",
        },
        fill: |f, s, c| u16s(f, s, c, |bytes, frame| be16(bytes, at(frame, WINDOW)?)),
        frame_only: false,
    },
];

#[cfg(test)]
mod tests {
    use super::super::load::field;

    fn segment(offset: u8) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([
            8, 0, 0x45, 0, 0, 44, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        bytes.extend([
            0x04,
            0xd2,
            0,
            80,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            2,
            offset << 4,
            0x38,
            1,
            2,
            0,
            0,
            0,
            9,
        ]);
        bytes.extend([1, 1, 1, 0]);
        bytes
    }

    #[test]
    fn options_end_with_the_header() {
        // Selective acknowledgments of 34 bytes in a header that has room for none.
        let mut bytes = segment(6);
        bytes.truncate(bytes.len() - 4);
        bytes.extend([1, 1, 5, 34]);
        bytes.extend([9; 40]);
        bytes[16..18].copy_from_slice(&84u16.to_be_bytes());
        assert_eq!(field(&bytes, "tcp.options.sack_le"), None);
        assert_eq!(field(&bytes, "tcp.options.sack_re"), None);
        // With room for one block there is one.
        bytes[46] = 9 << 4;
        let le = field(&bytes, "tcp.options.sack_le");
        assert_eq!(le, None, "its length goes on beyond");
        bytes[57] = 10;
        let le = field(&bytes, "tcp.options.sack_le");
        assert_eq!(le.as_deref(), Some("151587081"));
    }

    #[test]
    fn reads_the_header() {
        let bytes = segment(6);
        for (name, value) in [
            ("srcport", "1234"),
            ("dstport", "80"),
            ("seq", "1"),
            ("ack", "2"),
            ("tcpflags", "56"),
            ("urg", "1"),
            ("urgptr", "9"),
            ("tcpwindow", "258"),
        ] {
            assert_eq!(field(&bytes, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(
            field(&segment(5), "tcp.payload").as_deref(),
            Some("\\x01\\x01\\x01\\x00")
        );
        assert_eq!(field(&segment(4), "seq"), None);
        assert_eq!(field(&segment(4), "dstport").as_deref(), Some("80"));
        assert_eq!(field(&segment(15), "tcp.payload"), None);
        assert_eq!(field(&bytes[..53], "seq"), None);
    }
}
