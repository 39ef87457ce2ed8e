//! Linux cooked captures, versions 1 and 2 (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Header as In, U8, U16, U32};
use super::values::{Values, address, mac, number};

const LEN: usize = 16;
const LEN_2: usize = 20;
/// ARPHRD_IPGRE and ARPHRD_NETLINK: the protocol of their frames is none of IEEE 802.3.
const GRE: u16 = 778;
const NETLINK: u16 = 824;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sll",
    source: "LINKTYPE_LINUX_SLL",
    found: &[By::Link(113)],
    carries: Some(|header| carries(header, LEN, header.u16(14), header.u16(2))),
    fields: &[
        number(
            "sll.pkttype",
            U16(0),
            "Who a frame was for: 0 us, 4 sent by us.",
        ),
        number(
            "sll.hatype",
            U16(2),
            "The kind of interface, an ARPHRD number.",
        ),
        number("sll.halen", U16(4), "Bytes of the address."),
        mac(
            "sll.src.eth",
            In(|h, v| hardware(h, v, h.u16(4), 6)),
            "The hardware address of the sender.",
        ),
        address(
            "sll.src.ipv4",
            In(|h, v| ipv4(h, v, h.u16(4), 6)),
            "The IPv4 address of the sender.",
        ),
        number(
            "sll.etype",
            In(|h, v| ethertype(h, v, h.u16(14), h.u16(2))),
            "What is carried, as the type of IEEE 802.3.",
        ),
    ],
};

pub(super) static VERSION_2: Protocol = Protocol {
    name: "sll2",
    source: "LINKTYPE_LINUX_SLL2",
    found: &[By::Link(276)],
    carries: Some(|header| carries(header, LEN_2, header.u16(0), header.u16(8))),
    fields: &[
        number(
            "sll2.etype",
            In(|h, v| ethertype(h, v, h.u16(0), h.u16(8))),
            "What is carried, as the type of IEEE 802.3.",
        ),
        number("sll2.ifindex", U32(4), "The number of the interface."),
        number(
            "sll2.hatype",
            U16(8),
            "The kind of interface, an ARPHRD number.",
        ),
        number(
            "sll2.pkttype",
            U8(10),
            "Who a frame was for: 0 us, 4 sent by us.",
        ),
        number("sll2.halen", U8(11), "Bytes of the address."),
        mac(
            "sll2.src.eth",
            In(|h, v| hardware(h, v, h.u8(11).map(u16::from), 12)),
            "The hardware address of the sender.",
        ),
    ],
};

fn carries(header: &Header<'_>, len: usize, protocol: Option<u16>, interface: Option<u16>) -> Next {
    let _ = header;
    match (protocol, interface) {
        (_, Some(NETLINK)) | (None, _) => Next::last(len),
        (Some(ethertype), _) => Next::behind(len, By::Ethertype(ethertype)),
    }
}

fn hardware(header: &Header<'_>, values: &mut Values, length: Option<u16>, at: usize) {
    if length == Some(6) {
        header.mac(at).into_iter().for_each(|mac| values.mac(mac));
    }
}

fn ipv4(header: &Header<'_>, values: &mut Values, length: Option<u16>, at: usize) {
    if length == Some(4) {
        header.u32(at).into_iter().for_each(|bits| values.v4(bits));
    }
}

fn ethertype(_: &Header<'_>, values: &mut Values, protocol: Option<u16>, interface: Option<u16>) {
    let is_type = protocol.filter(|protocol| *protocol >= 0x600);
    match (is_type, interface) {
        (_, Some(GRE | NETLINK)) | (None, _) => {}
        (Some(ethertype), _) => values.number(ethertype),
    }
}
