//! What TCP and UDP share: ports and payload.

use super::load::{be16, slices, u16s};
use super::{Field, Frame, Layers, has, icmp, tcp, udp};
use wireq_typesys::{FieldDef, Kind};

const PORTS_LEN: usize = 4;

/// Finds what stands at `at`; `bytes` are those of the frame, and [`Layers::end`] those of the packet.
#[inline(always)]
pub(super) fn find(bytes: &[u8], at: usize, layers: &mut Layers) {
    let end = layers.end as usize;
    layers.transport = at as u32;
    match layers.protocol {
        tcp::PROTOCOL_NUMBER | udp::PROTOCOL_NUMBER if at + PORTS_LEN <= end => {
            layers.has |= has::PORTS;
            if layers.protocol == tcp::PROTOCOL_NUMBER {
                tcp::find(bytes, at, layers);
            } else if at + udp::LEN <= end {
                layers.has |= has::UDP;
            }
        }
        icmp::PROTOCOL_NUMBER if at + icmp::LEN_MIN <= end && layers.has & has::IPV4 != 0 => {
            layers.has |= has::ICMP
        }
        _ => {}
    }
}

#[inline(always)]
fn port(bytes: &[u8], frame: &Frame, offset: usize) -> Option<u16> {
    if frame.layers.has & has::PORTS == 0 {
        return None;
    }
    be16(bytes, frame.layers.transport as usize + offset)
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "srcport",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Port of the sender, of TCP or UDP.",
            source: "RFC 9293, RFC 768",
        },
        fill: |f, s, c| u16s(f, s, c, |bytes, frame| port(bytes, frame, 0)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "dstport",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Port of the receiver, of TCP or UDP.",
            source: "RFC 9293, RFC 768",
        },
        fill: |f, s, c| u16s(f, s, c, |bytes, frame| port(bytes, frame, 2)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "payload",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "What was captured behind the TCP or UDP header, bytes that fill up a short frame included; tcp.payload and udp.payload end with the packet.",
            source: "RFC 9293, RFC 768",
        },
        fill: |f, s, c| {
            slices(f, s, c, |bytes, frame| {
                let payload = tcp::payload(bytes, frame).or_else(|| udp::payload(bytes, frame));
                let (start, _) = payload?;
                Some((start, frame.start + frame.caplen))
            })
        },
        frame_only: false,
    },
];
