//! IPv4 (RFC 791), and the fields that IPv4 and IPv6 share.

use super::checksum;
use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::{addresses, be16, be32, u8s, u16s, u32s, v4_addresses};
use super::names::IP_PROTOCOLS;
use super::values::Get::{Bits8, Bits16, Header as In, Network, U8, U16, V4};
use super::values::{Values, address, flag, named, number};
use super::{Field, Frame, Frames, Layers, has, ipv6, tcp, transport, udp};
use std::net::IpAddr;
use wireq_engine::planted::is_planted;
use wireq_typesys::{Address, Bitmap, Column, FieldDef, Kind};

pub(super) const ETHERTYPE: u16 = 0x0800;
const TOS: usize = 1;
const TOTAL_LENGTH: usize = 2;
const ID: usize = 4;
const FRAGMENT: usize = 6;
/// The low 13 bits of the fragment word are the offset.
const FRAGMENT_OFFSET: u16 = 0x1fff;
const TTL: usize = 8;
const PROTOCOL_NUMBER: usize = 9;
const CHECKSUM: usize = 10;
const ORIGIN: usize = 12;
const DESTINATION: usize = 16;
const LEN_MIN: usize = 20;

/// The bytes that a plain frame has at least: Ethernet, IPv4 without options, the fixed part of TCP.
pub(super) const PLAIN_LEN: usize = 14 + LEN_MIN + 20;

/// The layers of a frame that is plain: no tags, no options, no fragment, nothing cut or false in
/// the lengths, and TCP or UDP in it. None where it is anything else. `first` are its first bytes,
/// `end` is where it ends.
#[inline(always)]
pub(super) fn find_plain(first: &[u8; PLAIN_LEN], start: usize, end: usize) -> Option<Layers> {
    let word = |at: usize| u16::from_be_bytes([first[at], first[at + 1]]);
    let is_plain =
        word(12) == ETHERTYPE && first[14] == 0x45 && word(14 + FRAGMENT) & FRAGMENT_OFFSET == 0;
    let network = start + 14;
    let transport = network + LEN_MIN;
    let packet_end = network + usize::from(word(14 + TOTAL_LENGTH));
    let protocol = first[14 + PROTOCOL_NUMBER];
    let has_header = match protocol {
        tcp::PROTOCOL_NUMBER
            if packet_end >= transport + 20 && first[14 + LEN_MIN + 12] >= 0x50 =>
        {
            has::TCP
        }
        udp::PROTOCOL_NUMBER if packet_end >= transport + udp::LEN => has::UDP,
        _ => return None,
    };
    is_plain.then(|| Layers {
        network: network as u32,
        transport: transport as u32,
        end: end.min(packet_end) as u32,
        has: has::ETHERNET | has::IPV4 | has::PORTS | has_header,
        protocol,
    })
}

#[inline(always)]
pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let Some(header) = bytes.get(at..at + LEN_MIN) else {
        return;
    };
    let (version, words) = (header[0] >> 4, header[0] & 15);
    if version != 4 || words < 5 {
        return;
    }
    layers.network = at as u32;
    layers.end = bytes.len() as u32;
    layers.has |= has::IPV4;
    layers.protocol = header[PROTOCOL_NUMBER];
    let header_len = if is_planted("ihl-ignored") {
        LEN_MIN
    } else {
        usize::from(words) * 4
    };
    let total_len = usize::from(u16::from_be_bytes([
        header[TOTAL_LENGTH],
        header[TOTAL_LENGTH + 1],
    ]));
    let fragment = u16::from_be_bytes([header[FRAGMENT], header[FRAGMENT + 1]]);
    // A total length of 0 is that of a segment that the sender's network card was to divide.
    let is_first = fragment & FRAGMENT_OFFSET == 0 || is_planted("fragment-has-ports");
    if !is_first || total_len != 0 && total_len < header_len || at + header_len > bytes.len() {
        return;
    }
    if total_len != 0 {
        layers.end = bytes.len().min(at + total_len) as u32;
    }
    transport::find(bytes, at + header_len, layers);
}

/// Addresses of sender and receiver.
pub(super) fn ends(bytes: &[u8], frame: &Frame) -> Option<(IpAddr, IpAddr)> {
    let end = |offset| be32(bytes, at(frame, offset)?).map(|bits| IpAddr::V4(bits.into()));
    Some((end(ORIGIN)?, end(DESTINATION)?))
}

#[inline(always)]
fn at(frame: &Frame, offset: usize) -> Option<usize> {
    (frame.layers.has & has::IPV4 != 0).then_some(frame.layers.network as usize + offset)
}

/// The offset for IPv4 or for IPv6, whichever the frame has.
#[inline(always)]
fn either(frame: &Frame, v4: usize, v6: usize) -> Option<usize> {
    match frame.layers.has & (has::IPV4 | has::IPV6) {
        has::IPV4 => Some(frame.layers.network as usize + v4),
        has::IPV6 => Some(frame.layers.network as usize + v6),
        _ => None,
    }
}

/// Addresses of both families. Columns without IPv6 stay 4 bytes wide.
fn fill_addresses(frames: &Frames, selection: &Bitmap, column: &mut Column, v4: usize, v6: usize) {
    let mut mixed = 0;
    selection.for_each(|row| {
        mixed |= frames
            .rows
            .get(row)
            .map_or(0, |frame| frame.layers.has & has::IPV6)
    });
    if mixed == 0 {
        v4_addresses(frames, selection, column, |bytes, frame| {
            be32(bytes, at(frame, v4)?)
        });
        return;
    }
    addresses(frames, selection, column, |bytes, frame| {
        match frame.layers.has & (has::IPV4 | has::IPV6) {
            has::IPV4 => {
                let at = frame.layers.network as usize + v4;
                Some(Address::v4(be32(bytes, at)?))
            }
            has::IPV6 => Some(Address {
                v6: true,
                bits: ipv6::address(bytes, frame, v6)?,
            }),
            _ => None,
        }
    });
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ip",
    source: "RFC 791",
    found: &[
        By::Ethertype(ETHERTYPE),
        By::Ip(4),
        By::Ppp(0x21),
        By::Llc(6),
    ],
    carries: Some(carries),
    fields: &[
        number(
            "ip.version",
            Network(|h, v| _ = h.u8(0).map(|b| v.number(b >> 4))),
            "The version, of all IP headers.",
        )
        .from("RFC 791, RFC 8200"),
        number(
            "ip.hdr_len",
            In(|h, v| {
                let first = h.u8(0).filter(|first| first >> 4 == 4);
                _ = first.map(|first| v.number((first & 15) * 4))
            }),
            "Bytes of the header.",
        ),
        number("ip.dsfield", U8(TOS), "Differentiated services.").from("RFC 2474"),
        number(
            "ip.dsfield.dscp",
            Bits8(TOS, 0xfc),
            "The code point of differentiated services.",
        )
        .from("RFC 2474"),
        number("ip.dsfield.ecn", Bits8(TOS, 3), "Congestion notification.").from("RFC 3168"),
        number(
            "ip.len",
            U16(TOTAL_LENGTH),
            "Bytes of header and payload, as sent.",
        ),
        number(
            "ip.id",
            U16(ID),
            "The identification of a packet's fragments.",
        ),
        number("ip.flags", Bits8(FRAGMENT, 0xe0), "The three flag bits."),
        flag("ip.flags.rb", Bits8(FRAGMENT, 0x80), "The reserved flag."),
        flag(
            "ip.flags.df",
            Bits8(FRAGMENT, 0x40),
            "Whether a packet must not be fragmented.",
        ),
        flag(
            "ip.flags.mf",
            Bits8(FRAGMENT, 0x20),
            "Whether more fragments follow.",
        ),
        number(
            "ip.frag_offset",
            Bits16(FRAGMENT, FRAGMENT_OFFSET),
            "Where a fragment belongs, in units of eight bytes.",
        ),
        number("ip.ttl", U8(TTL), "Time to live."),
        named(
            "ip.proto",
            &Kind::Named(&IP_PROTOCOLS),
            U8(PROTOCOL_NUMBER),
            "The protocol in the packet.",
        ),
        number("ip.checksum", U16(CHECKSUM), "The checksum of the header."),
        flag(
            "ip.checksum.ok",
            In(checksum_ok),
            "Whether the checksum of the header is right.",
        ),
        address("ip.src", V4(ORIGIN), "Address of the sender."),
        address("ip.dst", V4(DESTINATION), "Address of the receiver."),
        address("ip.addr", In(both), "Addresses of sender and receiver."),
        number(
            "ip.opt.type",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n)))),
            "What options are.",
        ),
        flag(
            "ip.opt.type.copy",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n >> 7)))),
            "Whether options are copied to all fragments.",
        ),
        number(
            "ip.opt.type.class",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n >> 5 & 3)))),
            "The classes of options.",
        ),
        number(
            "ip.opt.type.number",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n & 31)))),
            "The numbers of options within their classes.",
        ),
        number(
            "ip.opt.len",
            In(|h, v| {
                options(h, |_, _, length| {
                    if length > 1 {
                        v.number(length as u32)
                    }
                })
            }),
            "Bytes of options.",
        ),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    let (Some(first), Some(total)) = (header.u8(0), header.u16(TOTAL_LENGTH)) else {
        return Next::last(LEN_MIN);
    };
    let header_len = usize::from(first & 15) * 4;
    if first >> 4 == 6 {
        return Next::instead(By::Ethertype(ipv6::ETHERTYPE));
    }
    if first >> 4 != 4 || header_len < LEN_MIN {
        return Next::broken(1);
    }
    let is_first = header
        .u16(FRAGMENT)
        .is_some_and(|word| word & FRAGMENT_OFFSET == 0);
    let by = match header.u8(PROTOCOL_NUMBER) {
        Some(protocol) if is_first => By::Ip(protocol),
        _ => By::Nothing,
    };
    let next = Next::behind(header_len, by);
    // A total length of 0 is that of a segment that the sender's network card was to divide.
    if total == 0 {
        next
    } else {
        next.of(total.into())
    }
}

/// The options: where each begins, and its length; one byte for those that are only a type. One that
/// goes beyond the header is none.
fn options(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize, usize)) {
    let end = header.u8(0).map_or(0, |first| usize::from(first & 15) * 4);
    let mut at = LEN_MIN;
    while at < end {
        let Some(kind) = header.u8(at) else { return };
        let length = match kind {
            0 | 1 => 1,
            _ if at + 1 == end => return,
            _ => usize::from(header.u8(at + 1).unwrap_or(0)),
        };
        if length == 0 || kind > 1 && length < 2 || at + length > end {
            return;
        }
        each(header, at, length);
        if kind == 0 {
            return;
        }
        at += length;
    }
}

fn checksum_ok(header: &Header<'_>, values: &mut Values) {
    let length = header.u8(0).map_or(0, |first| usize::from(first & 15) * 4);
    if let Some(bytes) = header.bytes.get(..length).filter(|_| length >= LEN_MIN) {
        values.number(checksum::is_right(&[bytes]));
    }
}

fn both(header: &Header<'_>, values: &mut Values) {
    let both = [header.u32(ORIGIN), header.u32(DESTINATION)];
    both.into_iter().flatten().for_each(|bits| values.v4(bits));
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "srcip",
            aliases: &[],
            kind: Kind::Address,
            summary: "Address of the sender, IPv4 or IPv6.",
            source: "RFC 791, RFC 8200",
        },
        fill: |f, s, c| fill_addresses(f, s, c, ORIGIN, ipv6::ORIGIN),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "dstip",
            aliases: &[],
            kind: Kind::Address,
            summary: "Address of the receiver, IPv4 or IPv6.",
            source: "RFC 791, RFC 8200",
        },
        fill: |f, s, c| fill_addresses(f, s, c, DESTINATION, ipv6::DESTINATION),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "ipprotocol",
            aliases: &[],
            kind: Kind::Named(&IP_PROTOCOLS),
            summary: "The protocol in the packet; in IPv6 that behind all extension headers.",
            source: "IANA protocol-numbers",
        },
        fill: |f, s, c| {
            u8s(f, s, c, |_, frame| {
                (frame.layers.has & (has::IPV4 | has::IPV6) != 0).then_some(frame.layers.protocol)
            });
            c.names = Some(&IP_PROTOCOLS);
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "ipid",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "IPv4's identification of a packet's fragments.",
            source: "RFC 791",
        },
        fill: |f, s, c| u16s(f, s, c, |bytes, frame| be16(bytes, at(frame, ID)?)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "ttl",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "IPv4's time to live; IPv6's hop limit.",
            source: "RFC 791, RFC 8200",
        },
        fill: |f, s, c| {
            u8s(f, s, c, |bytes, frame| {
                bytes.get(either(frame, TTL, ipv6::HOP_LIMIT)?).copied()
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "tos",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "IPv4's type of service; IPv6's traffic class.",
            source: "RFC 2474",
        },
        fill: |f, s, c| {
            u8s(f, s, c, |bytes, frame| {
                match frame.layers.has & (has::IPV4 | has::IPV6) {
                    has::IPV4 => bytes.get(frame.layers.network as usize + TOS).copied(),
                    has::IPV6 => ipv6::traffic_class(bytes, frame),
                    _ => None,
                }
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "iplen",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Bytes of the packet from the IP header on, as sent; up to the frame's end where IP does not say.",
            source: "RFC 791, RFC 8200",
        },
        fill: |f, s, c| u32s(f, s, c, sent),
        frame_only: false,
    },
];

/// Bytes of the outermost IP packet. A length of 0 is that of a segment that a network card was to
/// divide.
fn sent(bytes: &[u8], frame: &Frame) -> Option<u32> {
    let at = either(frame, TOTAL_LENGTH, ipv6::PAYLOAD_LENGTH)?;
    let said = u32::from(be16(bytes, at)?);
    Some(match frame.layers.has & has::IPV6 {
        _ if said == 0 => frame.len.saturating_sub(frame.layers.network - frame.start),
        0 => said,
        _ => said + 40,
    })
}

#[cfg(test)]
mod tests {
    use super::super::load::field;

    fn udp_in_ipv4(first: u8, total: u16, fragment: u16) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0, first, 0]);
        bytes.extend(total.to_be_bytes());
        bytes.extend([0, 7]);
        bytes.extend(fragment.to_be_bytes());
        bytes.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0, 53, 0x30, 0x39, 0, 12, 0, 0, b'a', b'b', b'c', b'd', 0, 0]);
        bytes
    }

    #[test]
    fn lengths_are_checked() {
        let good = udp_in_ipv4(0x45, 32, 0);
        assert_eq!(field(&good, "srcip").as_deref(), Some("10.0.0.1"));
        assert_eq!(field(&good, "dstport").as_deref(), Some("12345"));
        assert_eq!(field(&good, "udp.payload").as_deref(), Some("abcd"));
        assert_eq!(field(&good, "ipprotocol").as_deref(), Some("udp"));
        for (bytes, why) in [
            (udp_in_ipv4(0x44, 32, 0), "header shorter than it can be"),
            (udp_in_ipv4(0x65, 32, 0), "another version"),
            (good[..33].to_vec(), "cut in the header"),
        ] {
            assert_eq!(field(&bytes, "srcip"), None, "{why}");
        }
        for (bytes, why) in [
            (udp_in_ipv4(0x45, 32, 1), "a later fragment"),
            (
                udp_in_ipv4(0x45, 19, 0),
                "total length shorter than the header",
            ),
            (udp_in_ipv4(0x4f, 62, 0), "options beyond the capture"),
            (udp_in_ipv4(0x45, 22, 0), "ends within the ports"),
        ] {
            assert!(field(&bytes, "srcip").is_some(), "{why}");
            assert_eq!(field(&bytes, "srcport"), None, "{why}");
        }
        assert_eq!(
            field(&udp_in_ipv4(0x45, 0, 0), "udp.payload").as_deref(),
            Some("abcd")
        );
        assert_eq!(
            field(&udp_in_ipv4(0x45, 30, 0), "udp.payload").as_deref(),
            Some("ab")
        );
    }
}
