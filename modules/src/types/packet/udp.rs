//! UDP (RFC 768).

use super::header::Header;
use super::layers::{By, Next, Protocol, STACK};
use super::load::{be16, slices, u16s};
use super::values::Get::U16;
use super::values::number;
use super::{Field, Frame, has};
use wireq_typesys::{FieldDef, Kind};

pub(super) const PROTOCOL_NUMBER: u8 = 17;
const LENGTH: usize = 4;
pub(super) const LEN: usize = 8;

fn length(bytes: &[u8], frame: &Frame) -> Option<u16> {
    if frame.layers.has & has::UDP == 0 {
        return None;
    }
    be16(bytes, frame.layers.transport as usize + LENGTH)
}

/// The range of the payload in the block. A length too small to be one (0 in undivided segments) is
/// that of the packet.
pub(super) fn payload(bytes: &[u8], frame: &Frame) -> Option<(u32, u32)> {
    let length = u32::from(length(bytes, frame)?);
    let start = frame.layers.transport + LEN as u32;
    let end = if length >= LEN as u32 {
        frame.layers.end.min(frame.layers.transport + length)
    } else {
        frame.layers.end
    };
    Some((start, end))
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "udp",
    source: "RFC 768",
    found: &[By::Ip(PROTOCOL_NUMBER)],
    carries: Some(carries),
    fields: &[
        number("udp.srcport", U16(0), "Ports of senders."),
        number("udp.dstport", U16(2), "Ports of receivers."),
    ],
};

/// What a port says is carried: that of the receiver before that of the sender.
fn carries(header: &Header<'_>) -> Next {
    let ports = [header.u16(2), header.u16(0)].into_iter().flatten();
    let by = ports.map(By::UdpPort).find(|by| STACK.knows(*by));
    let next = Next::behind(LEN, by.unwrap_or(By::Nothing));
    match header.u16(LENGTH) {
        Some(length) if usize::from(length) >= LEN => next.of(length.into()),
        _ => next,
    }
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "udp.length",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Bytes of header and payload, as sent.",
            source: "RFC 768",
        },
        fill: |f, s, c| u16s(f, s, c, length),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "udp.payload",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "The bytes that the datagram carries, as captured.",
            source: "RFC 768",
        },
        fill: |f, s, c| slices(f, s, c, payload),
        frame_only: false,
    },
];

#[cfg(test)]
mod tests {
    use super::super::load::field;

    #[test]
    fn the_length_ends_the_payload() {
        let datagram = |length: u8| {
            let mut bytes = vec![0; 12];
            bytes.extend([
                8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
            ]);
            bytes.extend([0, 1, 0, 2, 0, length, 0, 0, b'a', b'b', b'c', b'd']);
            bytes
        };
        assert_eq!(field(&datagram(12), "udp.payload").as_deref(), Some("abcd"));
        assert_eq!(field(&datagram(10), "udp.payload").as_deref(), Some("ab"));
        assert_eq!(field(&datagram(10), "payload").as_deref(), Some("abcd"));
        assert_eq!(field(&datagram(0), "udp.payload").as_deref(), Some("abcd"));
        assert_eq!(
            field(&datagram(200), "udp.payload").as_deref(),
            Some("abcd")
        );
        assert_eq!(field(&datagram(200), "udp.length").as_deref(), Some("200"));
        assert_eq!(field(&datagram(12)[..40], "udp.payload"), None);
        assert_eq!(field(&datagram(12)[..40], "srcport").as_deref(), Some("1"));
    }
}
