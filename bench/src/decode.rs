//! Ethernet frame to network and transport layer, as wireq's packet type does it.
//!
//! VLAN tags (0x8100, 0x88a8, 0x9100) are stacked up to [`TAGS_MAX`]; one more and the
//! frame has no network layer. IPv4 needs its 20 fixed bytes, version 4 and a header length
//! of at least 20; IPv6 its 40 bytes and version 6, and no extension header is followed.
//! Ports are of TCP and UDP, of whole packets and first fragments. The captured bytes are
//! the only bound: the lengths that IP and UDP state are not believed to end a packet.

use std::net::IpAddr;

/// VLAN tags that are followed in one frame.
pub const TAGS_MAX: usize = 16;
/// IP protocol number of TCP.
pub const TCP: u8 = 6;
/// IP protocol number of UDP.
pub const UDP: u8 = 17;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Source and destination address, in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses<'a> {
    /// Of an IPv4 header.
    V4(&'a [u8; 4], &'a [u8; 4]),
    /// Of an IPv6 header.
    V6(&'a [u8; 16], &'a [u8; 16]),
}

impl Addresses<'_> {
    /// The source address.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        match *self {
            Self::V4(source, _) => IpAddr::from(*source),
            Self::V6(source, _) => IpAddr::from(*source),
        }
    }
}

/// The network layer of a frame and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<'a> {
    /// Who talks to whom.
    pub addresses: Addresses<'a>,
    /// IPv4's protocol, or IPv6's next header.
    pub protocol: u8,
    /// The transport header and all captured bytes behind it; empty where there are no
    /// ports (another protocol, a later fragment, options cut off).
    transport: &'a [u8],
}

impl Network<'_> {
    /// The source port of TCP or UDP.
    #[inline]
    #[must_use]
    pub fn source_port(&self) -> Option<u16> {
        self.transport
            .first_chunk()
            .map(|port| u16::from_be_bytes(*port))
    }

    /// The destination port of TCP or UDP.
    #[inline]
    #[must_use]
    pub fn destination_port(&self) -> Option<u16> {
        let &[_, _, high, low] = self.transport.first_chunk()?;
        Some(u16::from_be_bytes([high, low]))
    }
}

/// The outermost IP layer of an Ethernet frame.
#[inline(always)] // a call would move every field through memory
#[must_use]
pub fn network(frame: &[u8]) -> Option<Network<'_>> {
    let (&[.., high, low], rest) = frame.split_first_chunk::<14>()?;
    match u16::from_be_bytes([high, low]) {
        IPV4 => ipv4(rest),
        IPV6 => ipv6(rest),
        ethertype => tagged(ethertype, rest),
    }
}

/// The IP layer behind VLAN tags, the first of which `ethertype` announces. Kept apart:
/// unrolled into the callers' loops it would slow down the many frames without a tag.
#[inline(never)]
fn tagged(mut ethertype: u16, mut rest: &[u8]) -> Option<Network<'_>> {
    let mut tags = 0;
    while matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
        let (&[_, _, high, low], inner) = rest.split_first_chunk()?;
        tags += 1;
        if tags > TAGS_MAX {
            return None;
        }
        ethertype = u16::from_be_bytes([high, low]);
        rest = inner;
    }
    match ethertype {
        IPV4 => ipv4(rest),
        IPV6 => ipv6(rest),
        _ => None,
    }
}

/// RFC 791 §3.1.
#[inline(always)]
fn ipv4(packet: &[u8]) -> Option<Network<'_>> {
    let header = packet.first_chunk::<20>()?;
    let header_bytes = usize::from(header[0] & 0xf) * 4;
    if header[0] >> 4 != 4 || header_bytes < header.len() {
        return None;
    }
    let protocol = header[9];
    let fragment_offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
    let transport = if has_ports(protocol) && fragment_offset == 0 {
        packet.get(header_bytes..).unwrap_or_default()
    } else {
        &[]
    };
    let (source, destination) = header[12..].split_first_chunk()?;
    Some(Network {
        addresses: Addresses::V4(source, destination.first_chunk()?),
        protocol,
        transport,
    })
}

/// RFC 8200 §3.
#[inline(always)]
fn ipv6(packet: &[u8]) -> Option<Network<'_>> {
    let (header, after) = packet.split_first_chunk::<40>()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let protocol = header[6];
    let (source, destination) = header[8..].split_first_chunk()?;
    Some(Network {
        addresses: Addresses::V6(source, destination.first_chunk()?),
        protocol,
        transport: if has_ports(protocol) { after } else { &[] },
    })
}

#[inline(always)]
fn has_ports(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ethernet, `tags` VLAN tags, then `packet` of type `ethertype`.
    fn frame(tags: usize, ethertype: u16, packet: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x81, 0x00, 0x00, 0x07].repeat(tags));
        frame.extend(ethertype.to_be_bytes());
        frame.extend(packet);
        frame
    }

    /// 10.0.0.1 to 10.0.0.2 with `words` header words, ports 1000 and 80.
    fn ipv4_packet(words: u8, fragment: u16, protocol: u8) -> Vec<u8> {
        let mut packet = vec![0; 20.max(usize::from(words) * 4)];
        packet[0] = 0x40 | words;
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet[9] = protocol;
        packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend([0x03, 0xe8, 0, 80]);
        packet
    }

    fn ports(frame: &[u8]) -> Option<(Option<u16>, Option<u16>)> {
        network(frame).map(|network| (network.source_port(), network.destination_port()))
    }

    const BOTH: Option<(Option<u16>, Option<u16>)> = Some((Some(1000), Some(80)));

    #[test]
    fn ports_follow_the_header_length() {
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(5, 0, TCP))), BOTH);
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(15, 0, UDP))), BOTH);
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(4, 0, TCP))), None);
    }

    #[test]
    fn only_first_fragments_of_tcp_and_udp_have_ports() {
        let no_ports = Some((None, None));
        let first = ipv4_packet(5, 0x2000, TCP);
        assert_eq!(ports(&frame(0, IPV4, &first)), BOTH);
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(5, 1, TCP))), no_ports);
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(5, 0, 1))), no_ports);
        assert_eq!(ports(&frame(0, IPV4, &ipv4_packet(5, 0, 132))), no_ports);
    }

    #[test]
    fn sixteen_tags_are_followed_and_no_more() {
        let packet = ipv4_packet(5, 0, TCP);
        assert_eq!(ports(&frame(16, IPV4, &packet)), BOTH);
        assert_eq!(ports(&frame(17, IPV4, &packet)), None);
    }

    #[test]
    fn ipv6_has_ports_directly_behind_its_header() {
        let mut packet = vec![0; 40];
        packet[0] = 0x60;
        packet[6] = UDP;
        packet.extend([0x03, 0xe8, 0, 80]);
        assert_eq!(ports(&frame(1, IPV6, &packet)), BOTH);
        packet[6] = 0;
        assert_eq!(ports(&frame(1, IPV6, &packet)), Some((None, None)));
        assert_eq!(ports(&frame(1, IPV4, &packet)), None);
    }

    #[test]
    fn every_prefix_decodes_to_what_its_bytes_hold() {
        let whole = frame(2, IPV4, &ipv4_packet(6, 0, TCP));
        for length in 0..whole.len() {
            let found = ports(&whole[..length]);
            let expected = match whole.len() - length {
                1..3 => Some((Some(1000), None)),
                3..9 => Some((None, None)),
                _ => None,
            };
            assert_eq!(found, expected, "{length} bytes");
        }
    }
}
