//! What rules on packets ask for in single columns: the transport header, and what it carries.

use super::load::{slices, u8s};
use super::names::IP_PROTOCOLS;
use super::transport::is_captured;
use super::{Field, Frame, has, tcp, udp};
use wireq_typesys::{FieldDef, Kind};

/// The number of ICMPv6 (RFC 4443).
const ICMPV6: u8 = 58;
/// Type, code, checksum, and what depends on the type: of ICMP and of ICMPv6.
const MESSAGE_LEN: u32 = 8;
/// Where the flag bits of IPv4 are.
const FLAGS: usize = 6;

const SOURCE: &str = "RFC 9293, RFC 768, RFC 792, RFC 4443";

/// Whether there is an ICMPv6 message with this byte.
fn is_icmpv6(frame: &Frame, offset: u32) -> bool {
    let layers = &frame.layers;
    layers.has & has::IPV6 != 0 && layers.protocol == ICMPV6 && is_captured(frame, offset + 1)
}

fn transport(frame: &Frame) -> Option<u8> {
    let layers = &frame.layers;
    let has_header = layers.has & (has::TCP | has::UDP | has::ICMP) != 0 || is_icmpv6(frame, 1);
    has_header.then_some(layers.protocol)
}

fn icmpv6_byte(bytes: &[u8], frame: &Frame, offset: u32) -> Option<u8> {
    let at = frame.layers.transport + offset;
    bytes
        .get(at as usize)
        .copied()
        .filter(|_| is_icmpv6(frame, offset))
}

fn carried(bytes: &[u8], frame: &Frame) -> Option<(u32, u32)> {
    let layers = &frame.layers;
    if layers.has & has::TCP != 0 {
        return tcp::payload(bytes, frame);
    }
    if layers.has & has::UDP != 0 {
        return udp::payload(bytes, frame);
    }
    let start = layers.transport + MESSAGE_LEN;
    let is_message = layers.has & has::ICMP != 0 || is_icmpv6(frame, 1);
    (is_message && start <= layers.end).then_some((start, layers.end))
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "transport",
            aliases: &[],
            kind: Kind::Named(&IP_PROTOCOLS),
            summary: "The protocol of the transport header: tcp, udp, icmp or icmpv6; absent where the packet has none of them.",
            source: SOURCE,
        },
        fill: |f, s, c| {
            u8s(f, s, c, |_, frame| transport(frame));
            c.names = Some(&IP_PROTOCOLS);
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "carried",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "What the TCP, UDP, ICMP or ICMPv6 header carries, as captured, up to the end of the packet.",
            source: SOURCE,
        },
        fill: |f, s, c| slices(f, s, c, carried),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "fragbits",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "IPv4's three flag bits: 2 is don't fragment, 1 is more fragments.",
            source: "RFC 791",
        },
        fill: |f, s, c| {
            u8s(f, s, c, |bytes, frame| {
                let at = frame.layers.network as usize + FLAGS;
                let byte = bytes.get(at).map(|byte| byte >> 5);
                byte.filter(|_| frame.layers.has & has::IPV4 != 0)
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmp6type",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "What an ICMPv6 message is: 128 asks for an echo, 129 is one.",
            source: "RFC 4443",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| icmpv6_byte(bytes, frame, 0)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "icmp6code",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "More on the type of an ICMPv6 message.",
            source: "RFC 4443",
        },
        fill: |f, s, c| u8s(f, s, c, |bytes, frame| icmpv6_byte(bytes, frame, 1)),
        frame_only: false,
    },
];

#[cfg(test)]
mod tests {
    use super::super::load::field;

    fn v4(protocol: u8, carried: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([
            8,
            0,
            0x45,
            0,
            0,
            20 + carried.len() as u8,
            0,
            0,
            0x40,
            0,
            64,
            protocol,
        ]);
        bytes.extend([0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(carried);
        bytes
    }

    #[test]
    fn one_column_has_what_any_header_carries() {
        let mut tcp = vec![
            0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 2, 0, 0, 0, 0, 0, 0,
        ];
        tcp.extend(b"abc");
        let mut udp = vec![0, 1, 0, 2, 0, 11, 0, 0];
        udp.extend(b"abc");
        let icmp = [8, 0, 0, 0, 0, 1, 0, 2, b'a', b'b', b'c'];
        for (bytes, transport) in [
            (v4(6, &tcp), "tcp"),
            (v4(17, &udp), "udp"),
            (v4(1, &icmp), "icmp"),
        ] {
            assert_eq!(field(&bytes, "transport").as_deref(), Some(transport));
            assert_eq!(field(&bytes, "carried").as_deref(), Some("abc"));
            assert_eq!(field(&bytes, "fragbits").as_deref(), Some("2"));
            // Padding is not carried.
            let padded = [bytes.as_slice(), b"..."].concat();
            assert_eq!(field(&padded, "carried").as_deref(), Some("abc"));
            // A header that is not whole carries nothing.
            let cut = &bytes[..35];
            assert_eq!(field(cut, "transport"), None);
            assert_eq!(field(cut, "carried"), None);
        }
        assert_eq!(field(&v4(47, &icmp), "transport"), None);
        assert_eq!(field(&v4(1, &icmp[..5]), "carried"), None);
    }

    #[test]
    fn reads_icmpv6() {
        let mut bytes = vec![0; 12];
        bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 10, 58, 63]);
        bytes.extend([0xfd; 32]);
        bytes.extend([128, 7, 0, 0, 0, 0, 0, 0, b'x', b'y', b'z']);
        assert_eq!(field(&bytes, "icmp6type").as_deref(), Some("128"));
        assert_eq!(field(&bytes, "icmp6code").as_deref(), Some("7"));
        assert_eq!(field(&bytes, "carried").as_deref(), Some("xy"));
        assert_eq!(field(&bytes, "icmptype"), None);
        assert_eq!(field(&bytes[..55], "icmp6type").as_deref(), Some("128"));
        assert_eq!(field(&bytes[..55], "icmp6code"), None);
        assert_eq!(field(&bytes[..54], "icmp6type"), None);
    }
}
