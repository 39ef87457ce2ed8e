//! MPLS label stacks (RFC 3032).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::Bits32;
use super::values::{flag, number};
use super::{ipv4, ipv6};

pub(super) const ETHERTYPE: u16 = 0x8847;
const LEN: usize = 4;
const BOTTOM: u32 = 0x100;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "mpls",
    source: "RFC 3032",
    found: &[
        By::Ethertype(ETHERTYPE),
        By::Ethertype(0x8848),
        By::Ppp(0x0281),
        By::Ppp(0x0283),
        By::Ip(137),
        By::UdpPort(6635),
    ],
    carries: Some(carries),
    fields: &[
        number(
            "mpls.label",
            Bits32(0, 0xffff_f000),
            "Labels, from the outermost.",
        ),
        number("mpls.exp", Bits32(0, 0xe00), "Traffic classes."),
        flag(
            "mpls.bottom",
            Bits32(0, BOTTOM),
            "Whether a label is the last of its stack.",
        ),
        number("mpls.ttl", Bits32(0, 0xff), "Times to live."),
    ],
};

/// Nothing says what stands behind the last label: the first four bits do for IP, and are 0 in the
/// control word that stands before Ethernet (RFC 4385).
fn carries(header: &Header<'_>) -> Next {
    match (header.u32(0), header.u8(LEN).map(|first| first >> 4)) {
        (Some(word), _) if word & BOTTOM == 0 => Next::behind(LEN, By::Ethertype(ETHERTYPE)),
        (Some(_), Some(4)) => Next::behind(LEN, By::Ethertype(ipv4::ETHERTYPE)),
        (Some(_), Some(6)) => Next::behind(LEN, By::Ethertype(ipv6::ETHERTYPE)),
        (Some(_), Some(0)) => Next::behind(LEN + 4, By::Link(super::LINKTYPE_ETHERNET)),
        _ => Next::last(LEN),
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, ipv4};

    #[test]
    fn reads_the_stack_and_what_is_below() {
        let mut bytes = in_ethernet(0x8847, &[0, 1, 0x02, 63, 0, 2, 0x03, 64]);
        bytes.extend(ipv4(17, 7, &[0, 53, 0, 54, 0, 8, 0, 0]));
        assert_eq!(field(&bytes, "mpls.label").as_deref(), Some("16,32"));
        assert_eq!(field(&bytes, "mpls.exp").as_deref(), Some("1,1"));
        assert_eq!(field(&bytes, "mpls.bottom").as_deref(), Some("false,true"));
        assert_eq!(field(&bytes, "mpls.ttl").as_deref(), Some("63,64"));
        assert_eq!(field(&bytes, "srcip").as_deref(), Some("10.0.0.7"));
        assert_eq!(field(&bytes, "dstport").as_deref(), Some("54"));
        assert_eq!(field(&bytes[..20], "mpls.label").as_deref(), Some("16"));
    }
}
