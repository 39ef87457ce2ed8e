//! The Community ID of flows: corelight's specification, version 1.

use super::load::be16;
use super::transport::is_captured;
use super::{Field, Frame, Frames, has, ipv4, ipv6, sctp};
use crate::function::write_base64;
use sha1::{Digest, Sha1};
use std::net::IpAddr;
use std::sync::Arc;
use wireq_typesys::{Bitmap, Block, Column, FieldDef, Kind};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
/// ICMP, TCP, UDP, ICMPv6 and SCTP.
const PROTOCOLS_WITH_PORTS: [u8; 5] = [ICMP, 6, 17, ICMPV6, 132];

/// What tells a flow from others: addresses, ports (of ICMP type and code), and the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Addresses of the sender and of the receiver.
    pub ends: (IpAddr, IpAddr),
    /// Their ports, where the protocol has some.
    pub ports: Option<(u16, u16)>,
    /// The number of the protocol.
    pub protocol: u8,
}

impl Flow {
    /// Writes the ID; nothing where ports are lacking, or are there and should not be.
    pub fn write_community_id(&self, seed: u16, out: &mut Vec<u8>) -> Option<()> {
        let (ports, one_way) = match self.ports {
            Some((from, to)) => match counterpart(self.protocol, from) {
                Some(Some(other)) => (Some((from, other)), false),
                Some(None) => (Some((from, to)), true),
                None => (Some((from, to)), false),
            },
            None if !PROTOCOLS_WITH_PORTS.contains(&self.protocol) => (None, false),
            // Without what tells flows apart there is no ID.
            None => return None,
        };
        let (from, to) = (octets(self.ends.0), octets(self.ends.1));
        let ordered = (&from, ports.map(|ports| ports.0)) <= (&to, ports.map(|ports| ports.1));
        let swap = !ordered && !one_way;
        let mut hash = Sha1::new();
        hash.update(seed.to_be_bytes());
        for (bytes, length) in if swap { [to, from] } else { [from, to] } {
            hash.update(&bytes[..length]);
        }
        hash.update([self.protocol, 0]);
        if let Some((a, b)) = ports {
            let (a, b) = if swap { (b, a) } else { (a, b) };
            hash.update(a.to_be_bytes());
            hash.update(b.to_be_bytes());
        }
        out.extend_from_slice(b"1:");
        write_base64(&hash.finalize(), out);
        Some(())
    }

    /// The flow of a frame's outermost packet.
    fn of(bytes: &[u8], frame: &Frame) -> Option<Flow> {
        let layers = &frame.layers;
        let ends = match layers.has & (has::IPV4 | has::IPV6) {
            has::IPV4 => ipv4::ends(bytes, frame)?,
            has::IPV6 => ipv6::ends(bytes, frame)?,
            _ => return None,
        };
        let at = layers.transport as usize;
        let byte = |at: usize| bytes.get(at).copied().map(u16::from);
        let ports = match layers.protocol {
            _ if layers.has & has::PORTS != 0 => Some((be16(bytes, at)?, be16(bytes, at + 2)?)),
            ICMP | ICMPV6 if is_captured(frame, 2) => Some((byte(at)?, byte(at + 1)?)),
            sctp::PROTOCOL_NUMBER if is_captured(frame, 4) => {
                Some((be16(bytes, at)?, be16(bytes, at + 2)?))
            }
            _ => None,
        };
        Some(Flow {
            ends,
            ports,
            protocol: layers.protocol,
        })
    }
}

/// The bytes of an address, and how many there are.
fn octets(address: IpAddr) -> ([u8; 16], usize) {
    let mut bytes = [0; 16];
    match address {
        IpAddr::V4(v4) => {
            bytes[..4].copy_from_slice(&v4.octets());
            (bytes, 4)
        }
        IpAddr::V6(v6) => (v6.octets(), 16),
    }
}

/// The type of ICMP that answers one, or that one answers, as Zeek pairs them; Some(None) where there
/// is none, None for other protocols.
#[allow(clippy::option_option, reason = "three cases, named above")]
fn counterpart(protocol: u8, icmp_type: u16) -> Option<Option<u16>> {
    const ICMP_PAIRS: &[(u16, u16)] = &[(8, 0), (13, 14), (15, 16), (10, 9), (17, 18)];
    const ICMPV6_PAIRS: &[(u16, u16)] = &[
        (128, 129),
        (133, 134),
        (135, 136),
        (130, 131),
        (139, 140),
        (144, 145),
    ];
    let pairs = match protocol {
        ICMP => ICMP_PAIRS,
        ICMPV6 => ICMPV6_PAIRS,
        _ => return None,
    };
    Some(pairs.iter().find_map(|(ask, answer)| match icmp_type {
        asked if asked == *ask => Some(*answer),
        answered if answered == *answer => Some(*ask),
        _ => None,
    }))
}

pub(super) static FIELDS: &[Field] = &[Field {
    def: FieldDef {
        name: "community_id",
        aliases: &["communityid"],
        kind: Kind::Text,
        summary: "The Community ID of the flow, with seed 0: the same in both directions and in other tools. The function community_id takes another seed.",
        source: "github.com/corelight/community-id-spec",
    },
    fill,
    frame_only: false,
}];

fn fill(frames: &Frames, selection: &Bitmap, column: &mut Column) {
    let bytes = frames.block.0.as_slice();
    let mut made = Vec::new();
    let mut ranges = Vec::new();
    selection.for_each(|row| {
        let start = made.len();
        let flow = frames
            .rows
            .get(row)
            .and_then(|frame| Flow::of(bytes, frame));
        if flow.is_some_and(|flow| flow.write_community_id(0, &mut made).is_some()) {
            ranges.push((row, (0, start as u32, (made.len() - start) as u32)));
        }
    });
    let block = Arc::new(Block(made));
    let (values, valid) = column.refill_slices(frames.rows.len(), &block, Kind::Text);
    for (row, range) in ranges {
        values[row] = range;
        valid.set(row);
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, in_udp, ipv4};

    #[test]
    fn of_the_outermost_packet() {
        let id = |bytes: &[u8]| field(bytes, "community_id");
        let udp = in_udp(53, b"abc");
        let found = id(&udp).expect("an ID");
        assert!(found.starts_with("1:"), "{found}");
        // A fragment without ports, and a packet cut in them, have none.
        let mut later = udp.clone();
        later[20..22].copy_from_slice(&1u16.to_be_bytes());
        assert_eq!(id(&later), None);
        assert_eq!(id(&udp[..37]), None);
        assert_eq!(id(&udp[..38]).as_ref(), Some(&found));
        let sctp = in_ethernet(0x0800, &ipv4(132, 1, &[0, 7, 0, 7]));
        assert!(id(&sctp).is_some());
        assert_eq!(id(&sctp[..37]), None);
        let echo = in_ethernet(0x0800, &ipv4(1, 1, &[8, 0, 0, 0]));
        assert!(id(&echo).is_some());
        assert_eq!(id(&echo[..35]), None);
        // A tunnel has one, and what is in it another.
        let tunnel = in_ethernet(0x0800, &ipv4(4, 1, &udp[14..]));
        assert_ne!(id(&tunnel).as_ref(), Some(&found));
        assert_eq!(field(&tunnel, "inner.community_id"), Some(found));
        assert_eq!(id(&in_ethernet(0x0806, &[0; 28])), None);
    }
}
