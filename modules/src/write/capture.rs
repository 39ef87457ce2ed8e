//! The classic capture format, as it is written: version 2.4, little-endian.
//!
//! Source: draft-ietf-opsawg-pcap.

use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::{Zone, write_time};

/// One packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packet<'a> {
    /// Nanoseconds since 1970; classic captures have no packets without.
    pub(super) ts: Option<i64>,
    /// The bytes on the wire.
    pub(super) len: u32,
    pub(super) bytes: &'a [u8],
    pub(super) link_type: u32,
    /// The most bytes that the packet's own capture kept of one.
    pub(super) snaplen: u32,
    /// Whether the times of the packet's own capture have nanoseconds.
    pub(super) nanos: bool,
    /// The block of a pcapng file that it was read from, and that of its interface; nothing where
    /// there was none.
    pub(super) block: &'a [u8],
    pub(super) interface_block: &'a [u8],
    /// What its interface is called, and what is said of it.
    pub(super) name: &'a [u8],
    pub(super) description: &'a [u8],
}

/// What a capture says of all its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) link_type: u32,
    pub(super) snaplen: u32,
    pub(super) nanos: bool,
}

/// Why a packet does not belong into a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    LinkType,
    Nanoseconds,
    Snaplen,
}

/// What tcpdump writes where nothing else is asked for.
pub(super) const SNAPLEN_DEFAULT: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;
const NANOS: i64 = 1_000_000_000;
/// Where the snaplen is in a file.
pub(super) const SNAPLEN_AT: u64 = 16;

/// Whether a capture can hold a time: from 1970 into the year 2106.
pub(super) fn holds_time(ts: i64) -> bool {
    (0..=i64::from(u32::MAX)).contains(&ts.div_euclid(NANOS))
}

impl Header {
    /// The header of a capture that begins with a packet; `nanos` where its times are to have
    /// nanoseconds in any case.
    pub(super) fn of(packet: &Packet<'_>, nanos: bool) -> Header {
        Header {
            link_type: packet.link_type,
            snaplen: packet.snaplen,
            nanos: nanos || packet.nanos || packet.needs_nanos(),
        }
    }

    /// The header of a capture without packets.
    pub(super) fn of_nothing(nanos: bool) -> Header {
        Header {
            link_type: LINKTYPE_ETHERNET,
            snaplen: SNAPLEN_DEFAULT,
            nanos,
        }
    }

    /// Whether a packet belongs into the capture. One that is longer than the captures before
    /// kept would be cut by those who read it.
    pub(super) fn misfit(self, packet: &Packet<'_>) -> Option<Misfit> {
        if packet.link_type != self.link_type {
            Some(Misfit::LinkType)
        } else if !self.nanos && packet.needs_nanos() {
            Some(Misfit::Nanoseconds)
        } else if packet.snaplen > self.snaplen && packet.bytes.len() > self.snaplen as usize {
            Some(Misfit::Snaplen)
        } else {
            None
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let magic: u32 = if self.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        out.extend(magic.to_le_bytes());
        out.extend(2u16.to_le_bytes());
        out.extend(4u16.to_le_bytes());
        out.extend([0; 8]);
        out.extend(self.snaplen.to_le_bytes());
        out.extend(self.link_type.to_le_bytes());
    }

    /// Writes a packet whose time the capture can hold.
    pub(super) fn write_packet(self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let unit = if self.nanos { 1 } else { 1000 };
        let ts = packet.ts.unwrap_or(0);
        let seconds = ts.div_euclid(NANOS) as u32;
        let fraction = (ts.rem_euclid(NANOS) / unit) as u32;
        for number in [seconds, fraction, packet.bytes.len() as u32, packet.len] {
            out.extend(number.to_le_bytes());
        }
        out.extend_from_slice(packet.bytes);
    }

    pub(super) fn save(self, out: &mut Writer) {
        out.number(self.link_type.into());
        out.number(self.snaplen.into());
        out.number(self.nanos.into());
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Header, Error> {
        let mut number = || {
            let wrong = |_| Error::Snapshot("a header of a capture cannot be read".into());
            u32::try_from(from.number()?).map_err(wrong)
        };
        Ok(Header {
            link_type: number()?,
            snaplen: number()?,
            nanos: number()? != 0,
        })
    }
}

impl Packet<'_> {
    /// Whether its time has more than microseconds.
    pub(super) fn needs_nanos(&self) -> bool {
        self.ts.is_some_and(|ts| ts % 1000 != 0)
    }
}

/// The error of a packet that does not belong into a file.
pub(super) fn refuse(
    misfit: Misfit,
    path: &str,
    header: Header,
    packet: &Packet<'_>,
    zone: &Zone,
) -> Error {
    let message = match misfit {
        Misfit::LinkType => format!(
            "{path} has packets of link type {}, and one of link type {} comes; a file holds one \
             type only: --format pcapng holds several, or write each to a file of its own, behind \
             `where linktype = {}` for one",
            link_name(header.link_type),
            link_name(packet.link_type),
            packet.link_type
        ),
        Misfit::Nanoseconds => {
            let mut time = Vec::new();
            write_time(packet.ts.unwrap_or(0), zone, &mut time);
            format!(
                "{path} was begun with microseconds, and a packet of {} has nanoseconds; --nano \
                 writes them from the begin",
                String::from_utf8_lossy(&time)
            )
        }
        Misfit::Snaplen => format!(
            "{path} was begun with a snaplen of {}, and a packet of {} bytes comes; a file named \
             with -f that is not compressed can be corrected, this cannot",
            header.snaplen,
            packet.bytes.len()
        ),
    };
    super::pcap_file::error(message)
}

/// A link type with its name, where it is one that is often met.
fn link_name(link_type: u32) -> String {
    let name = match link_type {
        0 => "BSD loopback",
        1 => "Ethernet",
        9 => "PPP",
        101 => "raw IP",
        105 => "IEEE 802.11",
        113 => "Linux cooked",
        127 => "802.11 with radiotap",
        228 => "raw IPv4",
        229 => "raw IPv6",
        276 => "Linux cooked v2",
        _ => return link_type.to_string(),
    };
    format!("{link_type} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ts: i64) -> Packet<'static> {
        Packet {
            ts: Some(ts),
            len: 9,
            bytes: b"abc",
            link_type: 1,
            snaplen: 100,
            ..Packet::default()
        }
    }

    #[test]
    fn writes_what_the_draft_says() {
        let first = packet(5_000_006_000);
        let header = Header::of(&first, false);
        let mut out = Vec::new();
        header.write(&mut out);
        header.write_packet(&first, &mut out);
        let expected = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\x64\0\0\0\x01\0\0\0\
                         \x05\0\0\0\x06\0\0\0\x03\0\0\0\x09\0\0\0abc";
        assert_eq!(out, expected);

        let first = packet(5_000_006_001);
        let header = Header::of(&first, false);
        assert!(header.nanos && Header::of(&packet(0), true).nanos);
        out.clear();
        header.write_packet(&first, &mut out);
        assert_eq!(out[4..8], 6001u32.to_le_bytes());
    }

    #[test]
    fn says_what_does_not_fit() {
        let header = Header::of(&packet(0), false);
        assert_eq!(header.misfit(&packet(1000)), None);
        assert_eq!(header.misfit(&packet(1)), Some(Misfit::Nanoseconds));
        let other = Packet {
            link_type: 113,
            ..packet(0)
        };
        assert_eq!(header.misfit(&other), Some(Misfit::LinkType));
        let bytes = &[0; 101];
        // Its own capture had a frame beyond its snaplen: that is how it is kept.
        let odd = Packet { bytes, ..packet(0) };
        assert_eq!(header.misfit(&odd), None);
        let longer = Packet {
            snaplen: 65_535,
            ..odd
        };
        assert_eq!(header.misfit(&longer), Some(Misfit::Snaplen));
    }

    #[test]
    fn holds_times_of_32_bits() {
        let last = i64::from(u32::MAX) * NANOS + NANOS - 1;
        for (ts, holds) in [(-1, false), (0, true), (last, true), (last + 1, false)] {
            assert_eq!(holds_time(ts), holds, "{ts}");
        }
    }
}
