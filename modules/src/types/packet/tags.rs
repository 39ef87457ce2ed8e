//! Tags and tunnels that have nothing to ask for but what is in them.

use super::layers::{By, Next, Protocol};
use super::{LINKTYPE_ETHERNET, ipv4, ipv6};

const IPV4: By = By::Ethertype(ipv4::ETHERTYPE);
const IPV6: By = By::Ethertype(ipv6::ETHERTYPE);

/// The tag of bridge port extension.
pub(super) static ETAG: Protocol = Protocol {
    name: "etag",
    source: "IEEE 802.1BR",
    found: &[By::Ethertype(0x893f)],
    carries: Some(|header| super::ethernet::behind(header, 8, header.u16(6))),
    fields: &[],
};

/// Cisco's tag of virtual interfaces.
pub(super) static VNTAG: Protocol = Protocol {
    name: "vntag",
    source: "Cisco VN-Tag",
    found: &[By::Ethertype(0x8926)],
    carries: Some(|header| super::ethernet::behind(header, 6, header.u16(4))),
    fields: &[],
};

/// The type of IEEE 802.3 for service function chains.
pub(super) const NSH_ETHERTYPE: u16 = 0x894f;

/// The header of service function chains.
pub(super) static NSH: Protocol = Protocol {
    name: "nsh",
    source: "RFC 8300",
    found: &[By::Ethertype(NSH_ETHERTYPE)],
    carries: Some(|header| {
        let len = header.u8(1).map_or(8, |byte| usize::from(byte & 0x3f) * 4);
        // The base header and that of the path are always there.
        if len < 8 {
            return Next::broken(4);
        }
        match header.u8(3) {
            Some(1) => Next::behind(len, IPV4),
            Some(2) => Next::behind(len, IPV6),
            Some(3) => Next::behind(len, By::Link(LINKTYPE_ETHERNET)),
            _ => Next::last(len),
        }
    }),
    fields: &[],
};

/// Packets of the locator/ID separation protocol.
pub(super) static LISP: Protocol = Protocol {
    name: "lisp-data",
    source: "RFC 9300",
    found: &[By::UdpPort(4341)],
    carries: Some(|header| match header.u8(8).map(|first| first >> 4) {
        Some(4) => Next::behind(8, IPV4),
        Some(6) => Next::behind(8, IPV6),
        _ => Next::last(8),
    }),
    fields: &[],
};

/// Anything in anything: an identity, a signature, and what is carried as a protocol of IP.
pub(super) static AYIYA: Protocol = Protocol {
    name: "ayiya",
    source: "draft-massar-v6ops-ayiya",
    found: &[By::UdpPort(5072)],
    carries: Some(
        |header| match (header.u8(0), header.u8(1), header.u8(2), header.u8(3)) {
            (Some(identity), Some(signature), Some(operation), Some(next)) => {
                let len = 8 + (1usize << (identity >> 4)) + usize::from(signature >> 4) * 4;
                // Others than this one carry nothing.
                match operation & 15 {
                    1 => Next::behind(len, By::Ip(next)),
                    _ => Next::last(len),
                }
            }
            _ => Next::last(8),
        },
    ),
    fields: &[],
};

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, in_udp, ipv4};

    /// What says to be shorter than a header is can be has nothing behind it.
    #[test]
    fn headers_of_service_chains_that_are_too_short() {
        let packet = ipv4(17, 9, &[0, 53, 0, 54, 0, 8, 0, 0]);
        for len in [0, 1] {
            let bytes = [&[0, len, 1, 1], &packet[..]].concat();
            let bytes = in_ethernet(0x894f, &bytes);
            assert_eq!(field(&bytes, "srcip"), None, "{len} words");
            assert_eq!(field(&bytes, "layers").as_deref(), Some("eth,nsh"));
        }
    }

    #[test]
    fn packets_behind_tags_and_in_tunnels() {
        let packet = ipv4(17, 9, &[0, 53, 0, 54, 0, 8, 0, 0]);
        let with = |before: &[u8]| [before, &packet].concat();
        for bytes in [
            in_ethernet(0x893f, &with(&[0, 0, 0, 0, 0, 0, 8, 0])),
            in_ethernet(0x8926, &with(&[0, 0, 0, 0, 8, 0])),
            in_ethernet(0x894f, &with(&[0, 2, 1, 1, 0, 0, 0, 0])),
        ] {
            assert_eq!(field(&bytes, "srcip").as_deref(), Some("10.0.0.9"));
            assert_eq!(field(&bytes, "dstport").as_deref(), Some("54"));
        }
        let mut ayiya = vec![0x01, 0, 1, 4, 0, 0, 0, 0, 7];
        ayiya.extend(&packet);
        for bytes in [in_udp(4341, &with(&[0; 8])), in_udp(5072, &ayiya)] {
            assert_eq!(field(&bytes, "inner.srcip").as_deref(), Some("10.0.0.9"));
            assert_eq!(field(&bytes, "inner.dstport").as_deref(), Some("54"));
        }
    }
}
