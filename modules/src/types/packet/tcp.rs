//! TCP (RFC 9293).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::{be16, be32, slices, u8s, u16s, u32s};
use super::values::Get::{Bits16, U16, U32};
use super::values::number;
use super::{Field, Frame, Layers, has};
use wireq_typesys::{FieldDef, Kind};

pub(super) const PROTOCOL_NUMBER: u8 = 6;
const SEQUENCE: usize = 4;
const ACKNOWLEDGMENT: usize = 8;
const DATA_OFFSET: usize = 12;
const WINDOW: usize = 14;
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
        number("tcp.srcport", U16(0), "Ports of senders."),
        number("tcp.dstport", U16(2), "Ports of receivers."),
        number("tcp.seq_raw", U32(SEQUENCE), "Sequence numbers, as sent."),
        number(
            "tcp.ack_raw",
            U32(ACKNOWLEDGMENT),
            "Acknowledgment numbers, as sent.",
        ),
        number(
            "tcp.flags",
            Bits16(DATA_OFFSET, 0xfff),
            "The twelve flag bits.",
        ),
        number("tcp.window_size_value", U16(WINDOW), "Windows, as sent."),
        number(
            "tcp.urgent_pointer",
            U16(URGENT_POINTER),
            "Urgent pointers.",
        ),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    let words = header.u8(DATA_OFFSET).map_or(5, |byte| byte >> 4);
    Next::last(usize::from(words.max(5)) * 4)
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
    Field {
        def: FieldDef {
            name: "tcp.payload",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "The bytes that the segment carries, as captured.",
            source: "RFC 9293",
        },
        fill: |f, s, c| slices(f, s, c, payload),
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
            ("tcp.payload", ""),
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
