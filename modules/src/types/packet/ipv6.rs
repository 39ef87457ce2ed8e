//! IPv6 (RFC 8200), the fixed header. Its fields stand with those of IPv4, whose meaning they share.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::{array, be16};
use super::names::IP_PROTOCOLS;
use super::values::Get::{Bits8, Bits16, Bits32, Header as In, U8, U16, V6};
use super::values::{Values, address as addresses, named, number};
use super::{Frame, Layers, extension, has, transport};
use std::net::IpAddr;
use wireq_typesys::Kind;

pub(super) const ETHERTYPE: u16 = 0x86dd;
pub(super) const PAYLOAD_LENGTH: usize = 4;
const NEXT_HEADER: usize = 6;
pub(super) const HOP_LIMIT: usize = 7;
pub(super) const ORIGIN: usize = 8;
pub(super) const DESTINATION: usize = 24;
const LEN: usize = 40;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ipv6",
    source: "RFC 8200",
    found: &[By::Ethertype(ETHERTYPE), By::Ip(41), By::Ppp(0x57)],
    carries: Some(carries),
    fields: &[
        number("ipv6.version", Bits8(0, 0xf0), "The version: 6."),
        number("ipv6.tclass", Bits16(0, 0xff0), "Traffic class."),
        number(
            "ipv6.tclass.dscp",
            Bits16(0, 0xfc0),
            "The code point of differentiated services.",
        )
        .from("RFC 2474"),
        number(
            "ipv6.tclass.ecn",
            Bits16(0, 0x30),
            "Congestion notification.",
        )
        .from("RFC 3168"),
        number("ipv6.flow", Bits32(0, 0xf_ffff), "The number of the flow."),
        number(
            "ipv6.plen",
            U16(PAYLOAD_LENGTH),
            "Bytes behind the fixed header, as sent.",
        ),
        named(
            "ipv6.nxt",
            &Kind::Named(&IP_PROTOCOLS),
            U8(NEXT_HEADER),
            "The header that follows.",
        ),
        number("ipv6.hlim", U8(HOP_LIMIT), "Hop limit."),
        addresses("ipv6.src", V6(ORIGIN), "Address of the sender."),
        addresses("ipv6.dst", V6(DESTINATION), "Address of the receiver."),
        addresses("ipv6.addr", In(both), "Addresses of sender and receiver."),
    ],
};

fn both(header: &Header<'_>, values: &mut Values) {
    let both = [header.array(ORIGIN), header.array(DESTINATION)];
    let both = both.into_iter().flatten().map(u128::from_be_bytes);
    both.for_each(|bits| values.v6(bits));
}

fn carries(header: &Header<'_>) -> Next {
    if header.u8(0).is_some_and(|first| first >> 4 != 6) {
        return Next::broken(1);
    }
    let by = header.u8(NEXT_HEADER).map_or(By::Nothing, By::Ip);
    let next = Next::behind(LEN, by);
    match header.u16(PAYLOAD_LENGTH) {
        None | Some(0) => next,
        Some(length) => next.of(LEN + usize::from(length)),
    }
}

pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let Some(header) = bytes.get(at..at + LEN) else {
        return;
    };
    if header[0] >> 4 != 6 {
        return;
    }
    layers.network = at as u32;
    layers.has |= has::IPV6;
    layers.protocol = header[NEXT_HEADER];
    let payload_len = usize::from(u16::from_be_bytes([
        header[PAYLOAD_LENGTH],
        header[PAYLOAD_LENGTH + 1],
    ]));
    // A payload length of 0 is that of a jumbogram (RFC 2675) or of an undivided segment.
    let end = if payload_len == 0 {
        bytes.len()
    } else {
        bytes.len().min(at + LEN + payload_len)
    };
    layers.end = end as u32;
    let (protocol, behind) = extension::skip(&bytes[..end], layers.protocol, at + LEN);
    layers.protocol = protocol;
    if let Some(behind) = behind {
        transport::find(bytes, behind, layers);
    }
}

/// An address of the frame's IPv6 header.
pub(super) fn address(bytes: &[u8], frame: &Frame, offset: usize) -> Option<u128> {
    array(bytes, frame.layers.network as usize + offset).map(u128::from_be_bytes)
}

/// Addresses of sender and receiver.
pub(super) fn ends(bytes: &[u8], frame: &Frame) -> Option<(IpAddr, IpAddr)> {
    let end = |offset| address(bytes, frame, offset).map(|bits| IpAddr::V6(bits.into()));
    Some((end(ORIGIN)?, end(DESTINATION)?))
}

/// Eight bits that stand across two bytes.
pub(super) fn traffic_class(bytes: &[u8], frame: &Frame) -> Option<u8> {
    be16(bytes, frame.layers.network as usize).map(|word| (word >> 4) as u8)
}

#[cfg(test)]
mod tests {
    use super::super::load::field;

    #[test]
    fn reads_the_fixed_header() {
        let mut bytes = vec![0; 12];
        bytes.extend([0x86, 0xdd, 0x6a, 0xb0, 0, 0, 0, 10, 17, 63]);
        bytes.extend([0xfd; 16]);
        bytes.extend([0xfe; 16]);
        bytes.extend([0, 53, 0, 54, 0, 10, 0, 0, b'x', b'y', b'z']);
        assert_eq!(field(&bytes, "ipv6.version").as_deref(), Some("6"));
        assert_eq!(field(&bytes, "tos").as_deref(), Some("171"));
        assert_eq!(field(&bytes, "ttl").as_deref(), Some("63"));
        assert_eq!(field(&bytes, "ipv6.plen").as_deref(), Some("10"));
        assert_eq!(field(&bytes, "dstport").as_deref(), Some("54"));
        assert_eq!(field(&bytes, "udp.payload").as_deref(), Some("xy"));
        assert_eq!(
            field(&bytes, "dstip").as_deref(),
            Some("fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe")
        );
        assert_eq!(field(&bytes, "ipid"), None);
        assert_eq!(field(&bytes[..53], "srcip"), None);
    }
}
