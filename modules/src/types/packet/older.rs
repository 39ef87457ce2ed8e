//! Links that few captures are of, as far as it takes to find the packets in them.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::{LINKTYPE_ETHERNET, arp, ipv4, ipv6, llc};

const WLAN: u16 = 105;
const SNAP: u16 = 0xaaaa;

const IPV4: By = By::Ethertype(ipv4::ETHERTYPE);
const IPV6: By = By::Ethertype(ipv6::ETHERTYPE);

/// FDDI: frames of IEEE 802.2 have a frame control of their own.
pub(super) static FDDI: Protocol = Protocol {
    name: "fddi",
    source: "ANSI X3.139",
    found: &[By::Link(10)],
    carries: Some(|header| match header.u8(0) {
        Some(control) if control & 0x70 == 0x50 => Next::behind(13, By::Link(llc::LINK)),
        _ => Next::last(13),
    }),
    fields: &[],
};

/// Token Ring: the first bit of the source says that there is a route, the route how long it is.
pub(super) static TOKEN_RING: Protocol = Protocol {
    name: "tr",
    source: "IEEE 802.5",
    found: &[By::Link(6)],
    carries: Some(|header| {
        let is_routed = header.u8(8).is_some_and(|byte| byte & 0x80 != 0);
        let route = header.u8(14).filter(|_| is_routed);
        let len = 14 + route.map_or(0, |byte| usize::from(byte & 0x1f));
        match header.u8(1) {
            Some(control) if control & 0xc0 == 0x40 => Next::behind(len, By::Link(llc::LINK)),
            _ => Next::last(len),
        }
    }),
    fields: &[],
};

/// ARCNET as Linux captures it: addresses, an offset, and the type of RFC 1201 or RFC 1051.
pub(super) static ARCNET: Protocol = Protocol {
    name: "arcnet",
    source: "RFC 1201",
    found: &[By::Link(129)],
    carries: Some(|header| {
        // Exceptional packets have three bytes more before the flag and the number.
        let len = if header.u8(5) == Some(0xff) { 12 } else { 8 };
        match header.u8(4) {
            Some(212) => Next::behind(len, IPV4),
            Some(213) => Next::behind(len, By::Ethertype(arp::ETHERTYPE)),
            Some(196) => Next::behind(len, IPV6),
            Some(0xcd) => Next::behind(5, By::Link(llc::LINK)),
            Some(240) => Next::behind(5, IPV4),
            Some(241) => Next::behind(5, By::Ethertype(arp::ETHERTYPE)),
            _ => Next::last(5),
        }
    }),
    fields: &[],
};

/// Frame Relay (RFC 2427), or with Cisco's encapsulation.
pub(super) static FRAME_RELAY: Protocol = Protocol {
    name: "fr",
    source: "RFC 2427",
    found: &[By::Link(107)],
    carries: Some(frame_relay),
    fields: &[],
};

fn frame_relay(header: &Header<'_>) -> Next {
    // The last byte of an address has its lowest bit set.
    let Some(last) = (1..4).find(|at| header.u8(*at).is_some_and(|byte| byte & 1 == 1)) else {
        return Next::last(2);
    };
    let at = last + 1;
    if header.u8(at) != Some(3) {
        return match header.u16(at) {
            Some(ethertype) => Next::behind(at + 2, By::Ethertype(ethertype)),
            None => Next::last(at),
        };
    }
    let at = if header.u8(at + 1) == Some(0) {
        at + 2
    } else {
        at + 1
    };
    match (header.u8(at), header.u24(at + 1), header.u16(at + 4)) {
        (Some(0xcc), ..) => Next::behind(at + 1, IPV4),
        (Some(0x8e), ..) => Next::behind(at + 1, IPV6),
        (Some(0x80), Some(0), Some(ethertype)) => Next::behind(at + 6, By::Ethertype(ethertype)),
        (Some(0x80), Some(0x80c2), Some(1 | 7)) => {
            Next::behind(at + 6, By::Link(LINKTYPE_ETHERNET))
        }
        _ => Next::last(at + 1),
    }
}

/// Linux's classical IP over ATM: with the header of IEEE 802.2, or IP alone.
pub(super) static CLIP: Protocol = Protocol {
    name: "clip",
    source: "RFC 2225",
    found: &[By::Link(106)],
    carries: Some(|header| match (header.u16(0), header.u8(2)) {
        (Some(SNAP), Some(3)) => Next::behind(0, By::Link(llc::LINK)),
        _ => Next::behind(0, IPV4),
    }),
    fields: &[],
};

/// IP over InfiniBand, behind a global routing header.
pub(super) static INFINIBAND: Protocol = Protocol {
    name: "ipoib",
    source: "RFC 4391",
    found: &[By::Link(242)],
    carries: Some(|header| match header.u16(40) {
        Some(ethertype) => Next::behind(44, By::Ethertype(ethertype)),
        None => Next::last(44),
    }),
    fields: &[],
};

/// Solaris's view of its IP.
pub(super) static IPNET: Protocol = Protocol {
    name: "ipnet",
    source: "LINKTYPE_IPNET",
    found: &[By::Link(226)],
    carries: Some(|header| match header.u8(1) {
        Some(2) => Next::behind(24, IPV4),
        Some(26) => Next::behind(24, IPV6),
        _ => Next::last(24),
    }),
    fields: &[],
};

/// Prism's header before a frame of IEEE 802.11; its length is in the byte order of who captured.
pub(super) static PRISM: Protocol = Protocol {
    name: "prism",
    source: "LINKTYPE_IEEE802_11_PRISM",
    found: &[By::Link(119), By::Link(163)],
    carries: Some(|header| {
        let len = [header.le32(4), header.u32(4)].into_iter().flatten().min();
        Next::behind(len.unwrap_or(0) as usize, By::Link(WLAN))
    }),
    fields: &[],
};

#[cfg(test)]
mod tests {
    use super::super::load::{field_of_link, ipv4};

    #[test]
    fn packets_behind_other_links() {
        let packet = ipv4(17, 1, &[0, 53, 0, 54, 0, 8, 0, 0]);
        let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
        let mut fddi = vec![0x50; 13];
        fddi.extend(snap);
        let mut ring = vec![0x10, 0x40, 1, 1, 1, 1, 1, 1, 0x82, 2, 2, 2, 2, 2, 2, 0x30];
        ring.extend(snap);
        let mut infiniband = vec![0; 40];
        infiniband.extend([8, 0, 0, 0]);
        let mut ipnet = vec![1, 2];
        ipnet.extend([0; 22]);
        for (before, link) in [
            (fddi.as_slice(), 10),
            (&ring, 6),
            (&[1, 2, 0, 0, 212, 0, 0, 1], 129),
            (&[1, 2, 0, 0, 240], 129),
            (&[0x18, 0x41, 3, 0xcc], 107),
            (&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], 107),
            (&[0x18, 0x41, 8, 0], 107),
            (&snap, 100),
            (&snap, 106),
            (&[], 106),
            (&infiniband, 242),
            (&ipnet, 226),
        ] {
            let bytes = [before, &packet].concat();
            let port = field_of_link(&bytes, link, "dstport");
            assert_eq!(port.as_deref(), Some("54"), "link type {link}");
        }
        let frame = [
            0x88, 0x02, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 0, 0,
        ];
        for len in [[144, 0, 0, 0], [0, 0, 0, 144]] {
            let mut bytes = vec![0, 0, 0, 0x44];
            bytes.extend(len);
            bytes.resize(144, 0);
            bytes.extend(frame);
            let receiver = field_of_link(&bytes, 119, "wlan.ra");
            assert_eq!(receiver.as_deref(), Some("01:01:01:01:01:01"));
        }
    }
}
