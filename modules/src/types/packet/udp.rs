//! UDP (RFC 768).

use super::header::Header;
use super::layers::{By, Next, Protocol, STACK};
use super::load::be16;
use super::values::Get::{Header as In, U16};
use super::values::{Values, bytes, flag, number};
use super::{Frame, has, transport};

pub(super) const PROTOCOL_NUMBER: u8 = 17;
pub(super) const LITE_NUMBER: u8 = 136;
const LENGTH: usize = 4;
const CHECKSUM: usize = 6;
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
        number("udp.srcport", U16(0), "Port of the sender."),
        number("udp.dstport", U16(2), "Port of the receiver."),
        number(
            "udp.port",
            In(|h, v| {
                _ = h.u16(0).map(|n| v.number(n));
                _ = h.u16(2).map(|n| v.number(n))
            }),
            "Ports of sender and receiver.",
        ),
        number(
            "udp.length",
            In(|h, v| {
                if !is_lite(h) {
                    _ = h.u16(LENGTH).map(|n| v.number(n))
                }
            }),
            "Bytes of header and payload, as sent.",
        ),
        number("udp.checksum", U16(CHECKSUM), "Checksum; 0 is none."),
        flag(
            "udp.checksum.ok",
            In(checksum_ok),
            "Whether the checksum is right; absent where there is none, or where the datagram was not captured whole.",
        ),
        bytes(
            "udp.payload",
            In(transport::carried),
            "The bytes that the datagram carries, as captured.",
        ),
    ],
};

/// UDP-Lite (RFC 3828): the length is that of what the checksum covers. Ports and checksum are fields
/// of UDP.
pub(super) static LITE: Protocol = Protocol {
    name: "udplite",
    source: "RFC 3828",
    found: &[By::Ip(LITE_NUMBER)],
    carries: Some(|_| Next::last(LEN)),
    fields: &[number(
        "udp.checksum_coverage",
        U16(LENGTH),
        "Bytes that the checksum of UDP-Lite covers; 0 is all.",
    )],
};

fn is_lite(header: &Header<'_>) -> bool {
    header.layer.protocol == STACK.udplite
}

fn checksum_ok(header: &Header<'_>, values: &mut Values) {
    if header.u16(CHECKSUM).is_some_and(|checksum| checksum != 0) {
        let protocol = if is_lite(header) {
            LITE_NUMBER
        } else {
            PROTOCOL_NUMBER
        };
        transport::checksum_ok(header, values, protocol);
    }
}

/// What a port says is carried: the lower one is asked first, which is that of a service.
fn carries(header: &Header<'_>) -> Next {
    let (from, to) = (header.u16(0).unwrap_or(0), header.u16(2).unwrap_or(0));
    let ports = [from.min(to), from.max(to)].into_iter();
    let by = ports.map(By::UdpPort).find(|by| STACK.knows(*by));
    let next = Next::behind(LEN, by.unwrap_or(By::Nothing));
    match header.u16(LENGTH) {
        Some(length) if usize::from(length) >= LEN => next.of(length.into()),
        _ => next,
    }
}

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
