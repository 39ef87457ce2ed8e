//! ICMP (RFC 792).

use super::layers::{By, Protocol};
use super::load::u8s;
use super::values::Get::U8;
use super::values::number;
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
    carries: None,
    fields: &[
        number(
            "icmp.type",
            U8(0),
            "What ICMP messages are: 8 asks for an echo, 0 is one.",
        ),
        number("icmp.code", U8(1), "More on the types of ICMP messages."),
    ],
};

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
