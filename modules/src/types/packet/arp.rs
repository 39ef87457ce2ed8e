//! ARP for IPv4 over Ethernet (RFC 826).

use super::layers::{By, Protocol};
use super::load::{be16, be32, u16s, v4_addresses};
use super::{Field, Frame, Layers, has};
use wireq_typesys::{FieldDef, Kind};

pub(super) const ETHERTYPE: u16 = 0x0806;
/// Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4.
const IPV4_OVER_ETHERNET: [u8; 6] = [0, 1, 8, 0, 6, 4];
const OPCODE: usize = 6;
const SENDER: usize = 14;
const TARGET: usize = 24;
const LEN: usize = 28;

pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let packet = bytes.get(at..at + LEN);
    if packet.is_some_and(|packet| packet.starts_with(&IPV4_OVER_ETHERNET)) {
        layers.network = at as u32;
        layers.end = bytes.len() as u32;
        layers.has |= has::ARP;
    }
}

fn at(frame: &Frame, offset: usize) -> Option<usize> {
    (frame.layers.has & has::ARP != 0).then_some(frame.layers.network as usize + offset)
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "arp",
    source: "RFC 826",
    found: &[By::Ethertype(ETHERTYPE)],
    carries: None,
    fields: &[],
};

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "arp.opcode",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "What an ARP packet does: 1 asks, 2 answers.",
            source: "RFC 826",
        },
        fill: |f, s, c| u16s(f, s, c, |bytes, frame| be16(bytes, at(frame, OPCODE)?)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "arp.src.proto_ipv4",
            aliases: &[],
            kind: Kind::Address,
            summary: "The address of the sender of an ARP packet.",
            source: "RFC 826",
        },
        fill: |f, s, c| v4_addresses(f, s, c, |bytes, frame| be32(bytes, at(frame, SENDER)?)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "arp.dst.proto_ipv4",
            aliases: &[],
            kind: Kind::Address,
            summary: "The address that an ARP packet is about.",
            source: "RFC 826",
        },
        fill: |f, s, c| v4_addresses(f, s, c, |bytes, frame| be32(bytes, at(frame, TARGET)?)),
        frame_only: false,
    },
];

#[cfg(test)]
mod tests {
    use super::super::load::field;

    #[test]
    fn reads_a_request() {
        let mut bytes = vec![0xff; 12];
        bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        bytes.extend([2; 6]);
        bytes.extend([10, 0, 0, 1]);
        bytes.extend([0; 6]);
        bytes.extend([10, 0, 0, 2]);
        assert_eq!(field(&bytes, "arp.opcode").as_deref(), Some("1"));
        assert_eq!(
            field(&bytes, "arp.src.proto_ipv4").as_deref(),
            Some("10.0.0.1")
        );
        assert_eq!(
            field(&bytes, "arp.dst.proto_ipv4").as_deref(),
            Some("10.0.0.2")
        );
        assert_eq!(field(&bytes, "srcip"), None);
        assert_eq!(field(&bytes[..41], "arp.opcode"), None);
    }
}
