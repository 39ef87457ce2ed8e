//! VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe): VXLAN that says what it carries.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, U8, U24};
use super::values::number;
use super::{ipv4, ipv6, tags};

const LEN: usize = 8;
const NEXT: usize = 3;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vxlan_gpe",
    source: "draft-ietf-nvo3-vxlan-gpe-13",
    found: &[By::UdpPort(4790)],
    carries: Some(carries),
    fields: &[
        number("vxlan_gpe.flags", U8(0), "Flags."),
        number("vxlan.ver", Bits8(0, 0x30), "The version."),
        number(
            "vxlan.next_proto",
            U8(NEXT),
            "What is carried: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH, 5 MPLS.",
        ),
        number("vxlan_gpe.vni", U24(4), "The number of the network."),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    let by = match header.u8(NEXT) {
        Some(1) => By::Ethertype(ipv4::ETHERTYPE),
        Some(2) => By::Ethertype(ipv6::ETHERTYPE),
        Some(3) => By::Link(super::LINKTYPE_ETHERNET),
        Some(4) => By::Ethertype(tags::NSH_ETHERTYPE),
        Some(5) => By::Ethertype(super::mpls::ETHERTYPE),
        _ => By::Nothing,
    };
    Next::behind(LEN, by)
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_udp, ipv4};

    #[test]
    fn reads_the_network_and_the_packet_in_it() {
        let header = [12, 0, 0, 1, 0, 1, 2, 0];
        let bytes = in_udp(4790, &[&header[..], &ipv4(17, 7, &[0; 8])].concat());
        assert_eq!(field(&bytes, "vxlan_gpe.vni").as_deref(), Some("258"));
        assert_eq!(field(&bytes, "vxlan.next_proto").as_deref(), Some("1"));
        assert_eq!(field(&bytes, "inner.srcip").as_deref(), Some("10.0.0.7"));
        // What it carries is not known.
        let other = in_udp(4790, &[12, 0, 0, 9, 0, 1, 2, 0, 0x45]);
        assert_eq!(field(&other, "inner.srcip"), None);
        assert_eq!(field(&other[..46], "vxlan_gpe.vni"), None);
    }
}
