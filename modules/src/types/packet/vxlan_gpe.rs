//! VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe): VXLAN that says what it carries.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, U8, U24};
use super::values::number;
use super::{ipv4, ipv6, tags};

const LEN: usize = 8;
const FLAGS: usize = 0;
/// The flag of a header that says what follows.
const SAYS_NEXT: u8 = 0x04;
const NEXT: usize = 3;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vxlan_gpe",
    source: "draft-ietf-nvo3-vxlan-gpe-13",
    found: &[By::UdpPort(4790)],
    carries: Some(carries),
    fields: &[
        number("vxlan_gpe.flags", U8(FLAGS), "Flags."),
        number("vxlan.ver", Bits8(FLAGS, 0x30), "The version."),
        number(
            "vxlan.next_proto",
            U8(NEXT),
            "What is carried: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH, 5 MPLS.",
        ),
        number("vxlan_gpe.vni", U24(4), "The number of the network."),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    let says_next = header.u8(FLAGS).is_some_and(|flags| flags & SAYS_NEXT != 0);
    let by = match header.u8(NEXT) {
        // Without the flag the next protocol has to be 0, and the header is VXLAN's, before Ethernet. Where
        // it is another nevertheless, senders mean it.
        Some(0) if !says_next => By::Link(super::LINKTYPE_ETHERNET),
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

    /// Wireshark goes by the next protocol alone.
    #[test]
    fn without_the_flag_and_a_next_protocol_it_carries_ethernet() {
        let packet = ipv4(17, 7, &[0; 8]);
        let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0], &packet[..]].concat();
        for next in [0, 1, 3, 9] {
            let read = |flags, carried: &[u8]| {
                let header = [flags, 0, 0, next, 0, 1, 2, 0];
                let bytes = in_udp(4790, &[&header[..], carried].concat());
                assert_eq!(field(&bytes, "vxlan_gpe.vni").as_deref(), Some("258"));
                field(&bytes, "inner.srcip")
            };
            assert_eq!(read(8, &frame).is_some(), matches!(next, 0 | 3), "{next}");
            assert_eq!(read(8, &packet).is_some(), next == 1, "{next}");
            assert_eq!(read(12, &frame).is_some(), next == 3, "{next}");
            assert_eq!(read(12, &packet).is_some(), next == 1, "{next}");
        }
    }
}
