//! Extension headers of IPv6 (RFC 8200).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::names::IP_PROTOCOLS;
use super::values::Get::{Bits16, U8, U32};
use super::values::{flag, named, number};
use wireq_typesys::Kind;

const NEXT: &str = "The header that follows.";
const LENGTH: &str = "Units of eight bytes behind the first.";
pub(super) const HOP_BY_HOP: u8 = 0;
pub(super) const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
pub(super) const DESTINATION: u8 = 60;
const FRAGMENT_LEN: usize = 8;
/// The upper 13 bits are the offset, in units of eight bytes.
const OFFSET: u16 = 0xfff8;

pub(super) static HOP_BY_HOP_OPTIONS: Protocol = Protocol {
    name: "ipv6.hopopts",
    source: "RFC 8200",
    found: &[By::Ip(HOP_BY_HOP)],
    carries: Some(carries),
    fields: &[
        named("ipv6.hopopts.nxt", &Kind::Named(&IP_PROTOCOLS), U8(0), NEXT),
        number("ipv6.hopopts.len", U8(1), LENGTH),
    ],
};

pub(super) static ROUTING_HEADER: Protocol = Protocol {
    name: "ipv6.routing",
    source: "RFC 8200",
    found: &[By::Ip(ROUTING)],
    carries: Some(carries),
    fields: &[
        named("ipv6.routing.nxt", &Kind::Named(&IP_PROTOCOLS), U8(0), NEXT),
        number("ipv6.routing.len", U8(1), LENGTH),
        number("ipv6.routing.type", U8(2), "The kind of route."),
        number("ipv6.routing.segleft", U8(3), "Stops that are left."),
    ],
};

pub(super) static FRAGMENT_HEADER: Protocol = Protocol {
    name: "ipv6.fraghdr",
    source: "RFC 8200",
    found: &[By::Ip(FRAGMENT)],
    carries: Some(fragment),
    fields: &[
        named("ipv6.fraghdr.nxt", &Kind::Named(&IP_PROTOCOLS), U8(0), NEXT),
        number(
            "ipv6.fraghdr.offset",
            Bits16(2, OFFSET),
            "Where a fragment belongs, in units of eight bytes.",
        ),
        flag(
            "ipv6.fraghdr.more",
            Bits16(2, 1),
            "Whether more fragments follow.",
        ),
        number(
            "ipv6.fraghdr.ident",
            U32(4),
            "The identification of a packet's fragments.",
        ),
    ],
};

pub(super) static DESTINATION_OPTIONS: Protocol = Protocol {
    name: "ipv6.dstopts",
    source: "RFC 8200",
    found: &[By::Ip(DESTINATION)],
    carries: Some(carries),
    fields: &[
        named("ipv6.dstopts.nxt", &Kind::Named(&IP_PROTOCOLS), U8(0), NEXT),
        number("ipv6.dstopts.len", U8(1), LENGTH),
    ],
};

/// What follows a header of the common form.
fn carries(header: &Header<'_>) -> Next {
    match (header.u8(0), header.u8(1)) {
        (Some(next), Some(length)) => Next::behind(8 + usize::from(length) * 8, By::Ip(next)),
        _ => Next::last(8),
    }
}

/// Only the first fragment holds the header that follows.
fn fragment(header: &Header<'_>) -> Next {
    match (header.u8(0), header.u16(2)) {
        (Some(next), Some(word)) if word & OFFSET == 0 => Next::behind(FRAGMENT_LEN, By::Ip(next)),
        _ if header.bytes.len() < FRAGMENT_LEN => Next::broken(0),
        _ => Next::last(FRAGMENT_LEN),
    }
}

/// The protocol behind all extension headers and where its header begins, for the framing pass; none
/// behind a later fragment, or where a header is cut.
pub(super) fn skip(bytes: &[u8], mut protocol: u8, mut at: usize) -> (u8, Option<usize>) {
    // Each header is once or twice in a packet that means anything.
    for _ in 0..16 {
        let header = match protocol {
            HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION | super::ipsec::AH_NUMBER => {
                bytes.get(at..at + 8)
            }
            _ => return (protocol, Some(at)),
        };
        let Some(header) = header else {
            return (protocol, None);
        };
        let length = match protocol {
            FRAGMENT => FRAGMENT_LEN,
            super::ipsec::AH_NUMBER => super::ipsec::len(header[1]),
            _ => 8 + usize::from(header[1]) * 8,
        };
        let later =
            protocol == FRAGMENT && u16::from_be_bytes([header[2], header[3]]) & OFFSET != 0;
        protocol = header[0];
        if later {
            return (protocol, None);
        }
        at += length;
    }
    (protocol, None)
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet};

    fn packet(next: u8, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, behind.len() as u8, next, 64];
        packet.extend([0xfd; 16]);
        packet.extend([0xfe; 16]);
        packet.extend(behind);
        in_ethernet(0x86dd, &packet)
    }

    #[test]
    fn ports_stand_behind_headers() {
        let udp = [0, 53, 0, 54, 0, 8, 0, 0];
        let hop_by_hop = [17, 0, 5, 2, 0, 0, 1, 0];
        let bytes = packet(0, &[hop_by_hop, udp].concat());
        assert_eq!(field(&bytes, "dstport").as_deref(), Some("54"));
        assert_eq!(field(&bytes, "ipprotocol").as_deref(), Some("udp"));
        assert_eq!(field(&bytes, "ipv6.nxt").as_deref(), Some("hopopt"));
        assert_eq!(field(&bytes, "ipv6.hopopts.nxt").as_deref(), Some("udp"));
    }

    #[test]
    fn only_the_first_fragment_has_ports() {
        let udp = [0, 53, 0, 54, 0, 8, 0, 0];
        let first = packet(44, &[[17, 0, 0, 1, 0, 0, 0, 9], udp].concat());
        assert_eq!(field(&first, "srcport").as_deref(), Some("53"));
        assert_eq!(field(&first, "ipv6.fraghdr.more").as_deref(), Some("true"));
        assert_eq!(field(&first, "ipv6.fraghdr.ident").as_deref(), Some("9"));
        let later = packet(44, &[[17, 0, 0, 8, 0, 0, 0, 9], udp].concat());
        assert_eq!(field(&later, "srcport"), None);
        assert_eq!(field(&later, "udp.srcport"), None);
        assert_eq!(field(&later, "ipv6.fraghdr.offset").as_deref(), Some("1"));
    }
}
