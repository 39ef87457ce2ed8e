//! ARP (RFC 826).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U8, U16};
use super::values::{Values, address, mac, number};
use super::{Layers, has};

pub(super) const ETHERTYPE: u16 = 0x0806;
/// Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4.
const IPV4_OVER_ETHERNET: [u8; 6] = [0, 1, 8, 0, 6, 4];
const OPCODE: usize = 6;
const ADDRESSES: usize = 8;
const LEN: usize = 28;

pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let packet = bytes.get(at..at + LEN);
    if packet.is_some_and(|packet| packet.starts_with(&IPV4_OVER_ETHERNET)) {
        layers.network = at as u32;
        layers.end = bytes.len() as u32;
        layers.has |= has::ARP;
    }
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "arp",
    source: "RFC 826",
    found: &[By::Ethertype(ETHERTYPE), By::Ethertype(0x8035)],
    carries: None,
    fields: &[
        number("arp.hw.type", U16(0), "What hardware: 1 is Ethernet."),
        number(
            "arp.proto.type",
            U16(2),
            "What addresses are asked for, as the type of IEEE 802.3.",
        ),
        number("arp.hw.size", U8(4), "Bytes of a hardware address."),
        number("arp.proto.size", U8(5), "Bytes of an address."),
        number(
            "arp.opcode",
            U16(OPCODE),
            "What a packet does: 1 asks, 2 answers.",
        ),
        mac(
            "arp.src.hw_mac",
            In(|h, v| hardware(h, v, 0)),
            "The hardware address of the sender.",
        ),
        address(
            "arp.src.proto_ipv4",
            In(|h, v| protocol(h, v, 0)),
            "The address of the sender.",
        ),
        mac(
            "arp.dst.hw_mac",
            In(|h, v| hardware(h, v, 1)),
            "The hardware address of the receiver.",
        ),
        address(
            "arp.dst.proto_ipv4",
            In(|h, v| protocol(h, v, 1)),
            "The address that a packet is about.",
        ),
    ],
};

fn hardware(header: &Header<'_>, values: &mut Values, number: usize) {
    if header.u8(4) == Some(6) && header.u16(0) == Some(1) {
        let size = usize::from(header.u8(5).unwrap_or(0));
        let at = ADDRESSES + number * (6 + size);
        header.mac(at).into_iter().for_each(|mac| values.mac(mac));
    }
}

fn protocol(header: &Header<'_>, values: &mut Values, number: usize) {
    if header.u8(5) == Some(4) && header.u16(2) == Some(super::ipv4::ETHERTYPE) {
        let size = usize::from(header.u8(4).unwrap_or(0));
        let at = ADDRESSES + size + number * (4 + size);
        header.u32(at).into_iter().for_each(|bits| values.v4(bits));
    }
}

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
        assert_eq!(field(&bytes[..41], "arp.dst.proto_ipv4"), None);
    }
}
