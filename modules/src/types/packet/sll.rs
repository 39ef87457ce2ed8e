//! Linux cooked captures, versions 1 and 2 (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::Header as In;
use super::values::{Values, address, mac, number};

const LINK_1: u16 = 113;
const LINK_2: u16 = 276;
/// ARPHRD_IPGRE and ARPHRD_NETLINK: the protocol of their frames is none of IEEE 802.3.
const GRE: u16 = 778;
const NETLINK: u16 = 824;
/// Smaller values in the place of the type have meanings of their own.
const TYPE_MIN: u16 = 0x600;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sll",
    source: "LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2",
    found: &[By::Link(LINK_1), By::Link(LINK_2)],
    carries: Some(carries),
    fields: &[
        number(
            "sll.pkttype",
            In(|h, v| {
                put(
                    v,
                    if is_2(h) {
                        h.u8(10).map(u16::from)
                    } else {
                        h.u16(0)
                    },
                )
            }),
            "Who a frame was for: 0 us, 4 sent by us.",
        ),
        number(
            "sll.hatype",
            In(|h, v| put(v, interface(h))),
            "The kind of interface, an ARPHRD number.",
        ),
        number(
            "sll.halen",
            In(|h, v| put(v, address_len(h))),
            "Bytes of the address.",
        ),
        mac(
            "sll.src.eth",
            In(hardware),
            "The hardware address of the sender.",
        ),
        address("sll.src.ipv4", In(ipv4), "The IPv4 address of the sender."),
        number(
            "sll.etype",
            In(ethertype),
            "What is carried, as the type of IEEE 802.3.",
        ),
        number(
            "sll.ifindex",
            In(|h, v| {
                if is_2(h) {
                    _ = h.u32(4).map(|n| v.number(n))
                }
            }),
            "The number of the interface, in version 2.",
        ),
    ],
};

fn is_2(header: &Header<'_>) -> bool {
    header.frame.link_type == LINK_2
}

fn put(values: &mut Values, number: Option<u16>) {
    number.into_iter().for_each(|number| values.number(number));
}

fn interface(header: &Header<'_>) -> Option<u16> {
    header.u16(if is_2(header) { 8 } else { 2 })
}

fn address_len(header: &Header<'_>) -> Option<u16> {
    if is_2(header) {
        header.u8(11).map(u16::from)
    } else {
        header.u16(4)
    }
}

fn protocol(header: &Header<'_>) -> Option<u16> {
    header.u16(if is_2(header) { 0 } else { 14 })
}

/// Where the address begins.
fn address_at(header: &Header<'_>) -> usize {
    if is_2(header) { 12 } else { 6 }
}

fn carries(header: &Header<'_>) -> Next {
    let len = if is_2(header) { 20 } else { 16 };
    match (protocol(header), interface(header)) {
        (_, Some(NETLINK)) | (None, _) => Next::last(len),
        (Some(ethertype), _) => Next::behind(len, By::Ethertype(ethertype)),
    }
}

fn hardware(header: &Header<'_>, values: &mut Values) {
    if address_len(header) == Some(6) {
        header
            .mac(address_at(header))
            .into_iter()
            .for_each(|mac| values.mac(mac));
    }
}

fn ipv4(header: &Header<'_>, values: &mut Values) {
    if address_len(header) == Some(4) {
        header
            .u32(address_at(header))
            .into_iter()
            .for_each(|bits| values.v4(bits));
    }
}

fn ethertype(header: &Header<'_>, values: &mut Values) {
    let is_type = protocol(header).filter(|protocol| *protocol >= TYPE_MIN);
    if !matches!(interface(header), Some(GRE | NETLINK)) {
        put(values, is_type);
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field_of_link, ipv4};

    #[test]
    fn reads_both_versions() {
        let mut first = vec![0, 4, 0, 1, 0, 6, 0, 0, 0x5e, 0, 0x53, 1, 0, 0, 8, 0];
        first.extend(ipv4(17, 1, &[0, 53, 0, 54, 0, 8, 0, 0]));
        let mut second = vec![
            8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 0, 0, 0x5e, 0, 0x53, 1, 0, 0,
        ];
        second.extend(ipv4(17, 1, &[0, 53, 0, 54, 0, 8, 0, 0]));
        for (bytes, link) in [(&first, 113), (&second, 276)] {
            let field = |name| field_of_link(bytes, link, name);
            assert_eq!(field("sll.pkttype").as_deref(), Some("4"));
            assert_eq!(field("sll.src.eth").as_deref(), Some("00:00:5e:00:53:01"));
            assert_eq!(field("sll.etype").as_deref(), Some("2048"));
            assert_eq!(field("srcip").as_deref(), Some("10.0.0.1"));
            assert_eq!(field("dstport").as_deref(), Some("54"));
        }
        assert_eq!(
            field_of_link(&second, 276, "sll.ifindex").as_deref(),
            Some("3")
        );
    }
}
