//! ICMP (RFC 792).

use super::checksum;
use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::u8s;
use super::transport;
use super::values::Get::{Header as In, U8, U16};
use super::values::{Values, address, flag, number};
use super::{Field, Frame, has};
use wireq_typesys::{FieldDef, Kind};

pub(super) const PROTOCOL_NUMBER: u8 = 1;
/// Type and code.
pub(super) const LEN_MIN: usize = 2;

fn byte(bytes: &[u8], frame: &Frame, offset: usize) -> Option<u8> {
    if frame.layers.has & has::ICMP == 0 {
        return None;
    }
    bytes.get(frame.layers.transport as usize + offset).copied()
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "icmp",
    source: "RFC 792",
    found: &[By::Ip(PROTOCOL_NUMBER)],
    carries: Some(carries),
    fields: &[
        number(
            "icmp.type",
            U8(0),
            "What a message is: 8 asks for an echo, 0 is one.",
        ),
        number("icmp.code", U8(1), "More on the type of a message."),
        number("icmp.checksum", U16(2), "Checksum."),
        flag(
            "icmp.checksum.ok",
            In(checksum_ok),
            "Whether the checksum is right; absent where the message was not captured whole.",
        ),
        number(
            "icmp.ident",
            In(|h, v| h.of(&NUMBERED, |h| _ = h.u16(4).map(|n| v.number(n)))),
            "The number of who asks.",
        ),
        number(
            "icmp.seq",
            In(|h, v| h.of(&ASKING, |h| _ = h.u16(6).map(|n| v.number(n)))),
            "The number of the question.",
        ),
        number(
            "icmp.seq_le",
            In(|h, v| h.of(&ASKING, |h| _ = h.le16(6).map(|n| v.number(n)))),
            "The number of the question, as some write it: the lower byte first.",
        ),
        number(
            "icmp.mtu",
            In(|h, v| {
                h.of(&[3], |h| {
                    if h.u8(1) == Some(4) {
                        _ = h.u16(6).map(|n| v.number(n))
                    }
                })
            }),
            "The longest packet that passes.",
        )
        .from("RFC 1191"),
        address(
            "icmp.redir_gw",
            In(|h, v| h.of(&[5], |h| _ = h.u32(4).map(|a| v.v4(a)))),
            "The router to take.",
        ),
    ],
};

/// Messages that ask or answer, and so have a number.
const ASKING: [u8; 8] = [0, 8, 13, 14, 15, 16, 17, 18];
/// Those, and extended echoes (RFC 8335), whose sequence number is shorter.
const NUMBERED: [u8; 10] = [0, 8, 13, 14, 15, 16, 17, 18, 42, 43];
/// Errors, which quote what they are about.
const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];

fn checksum_ok(header: &Header<'_>, values: &mut Values) {
    let whole = transport::sent(header).and_then(|whole| header.bytes.get(..whole));
    if let Some(bytes) = whole.filter(|_| !header.layer.quoted) {
        values.number(checksum::is_right(&[bytes]));
    }
}

fn carries(header: &Header<'_>) -> Next {
    match header.u8(0) {
        Some(kind) if ERRORS.contains(&kind) => {
            Next::behind(8, By::Ethertype(super::ipv4::ETHERTYPE)).quoting()
        }
        _ => Next::last(8),
    }
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "icmptype",
            aliases: &[],
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
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "More on the type of an ICMP message.",
            source: "RFC 792",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| byte(bytes, frame, 1)),
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
    }
}
