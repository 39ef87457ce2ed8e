//! ICMP (RFC 792).

use super::load::{slices, u8s};
use super::{Field, Frame, has};
use wireq_typesys::{FieldDef, Kind};

pub(super) const PROTOCOL: u8 = 1;
/// Type and code.
pub(super) const LEN_MIN: usize = 2;

/// The number of ICMPv6 (RFC 4443).
pub(super) const PROTOCOL_V6: u8 = 58;
/// Type, code, checksum, and what depends on the type.
const LEN: u32 = 8;

/// Where the message begins, of ICMP or of ICMPv6.
fn message(frame: &Frame) -> Option<u32> {
    let layers = &frame.layers;
    let of_v6 = layers.has & has::IPV6 != 0 && layers.protocol == PROTOCOL_V6;
    (layers.has & has::ICMP != 0 || of_v6).then_some(layers.transport)
}

fn byte_v6(bytes: &[u8], frame: &Frame, offset: u32) -> Option<u8> {
    let at = message(frame).filter(|_| frame.layers.has & has::IPV6 != 0)? + offset;
    let byte = bytes.get(at as usize).copied();
    byte.filter(|_| at < frame.layers.end)
}

fn payload(_: &[u8], frame: &Frame) -> Option<(u32, u32)> {
    let start = message(frame)? + LEN;
    (start <= frame.layers.end).then_some((start, frame.layers.end))
}

fn byte(bytes: &[u8], frame: &Frame, offset: usize) -> Option<u8> {
    if frame.layers.has & has::ICMP == 0 {
        return None;
    }
    bytes.get(frame.layers.transport as usize + offset).copied()
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "icmptype",
            aliases: &["icmp.type"],
            kind: Kind::Unsigned,
            summary: "What an ICMP message is: 8 asks for an echo, 0 is one.",
            source: "RFC 792",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| byte(bytes, frame, 0)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmpcode",
            aliases: &["icmp.code"],
            kind: Kind::Unsigned,
            summary: "More on the type of an ICMP message.",
            source: "RFC 792",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| byte(bytes, frame, 1)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmpv6.type",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "What an ICMPv6 message is: 128 asks for an echo, 129 is one.",
            source: "RFC 4443",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| byte_v6(bytes, frame, 0)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmpv6.code",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "More on the type of an ICMPv6 message.",
            source: "RFC 4443",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| byte_v6(bytes, frame, 1)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmp.payload",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "What was captured behind the first 8 bytes of an ICMP or ICMPv6 message.",
            source: "RFC 792, RFC 4443",
        },
        fill: |f, s, c| slices(f, s, c, payload),
        frame_only: false,
    },
];

#[cfg(test)]
mod tests {
    use super::super::load::field;

    #[test]
    fn reads_type_and_code() {
        let mut bytes = vec![0; 12];
        bytes.extend([
            8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 3, 13,
        ]);
        assert_eq!(field(&bytes, "icmptype").as_deref(), Some("3"));
        assert_eq!(field(&bytes, "icmpcode").as_deref(), Some("13"));
        assert_eq!(field(&bytes[..35], "icmptype"), None);
        assert_eq!(field(&bytes, "srcport"), None);
        assert_eq!(field(&bytes, "icmp.payload"), None);
        bytes[17] = 32;
        bytes.extend([0, 0, 0, 0, 0, 0, b'a', b'b', b'c', b'd', 0, 0]);
        assert_eq!(field(&bytes, "icmp.payload").as_deref(), Some("abcd"));
        assert_eq!(field(&bytes, "icmpv6.type"), None);
    }

    #[test]
    fn reads_icmpv6() {
        let mut bytes = vec![0; 12];
        bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 10, 58, 63]);
        bytes.extend([0xfd; 32]);
        bytes.extend([128, 7, 0, 0, 0, 0, 0, 0, b'x', b'y', b'z']);
        assert_eq!(field(&bytes, "icmpv6.type").as_deref(), Some("128"));
        assert_eq!(field(&bytes, "icmpv6.code").as_deref(), Some("7"));
        assert_eq!(field(&bytes, "icmp.payload").as_deref(), Some("xy"));
        assert_eq!(field(&bytes, "icmptype"), None);
        assert_eq!(field(&bytes[..55], "icmpv6.type").as_deref(), Some("128"));
        assert_eq!(field(&bytes[..55], "icmpv6.code"), None);
        assert_eq!(field(&bytes[..54], "icmpv6.type"), None);
    }
}
