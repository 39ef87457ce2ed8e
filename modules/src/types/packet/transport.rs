//! What TCP and UDP share: ports and payload.

use super::checksum;
use super::header::Header;
use super::layers::STACK;
use super::load::{be16, slices, u16s};
use super::values::Values;
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

/// Whether so many bytes of the transport header were captured, and belong to the packet.
pub(super) fn is_captured(frame: &Frame, len: u32) -> bool {
    let layers = &frame.layers;
    layers.transport > layers.network && layers.transport + len <= layers.end
}

#[inline(always)]
fn port(bytes: &[u8], frame: &Frame, offset: usize) -> Option<u16> {
    if frame.layers.has & has::PORTS == 0 {
        return None;
    }
    be16(bytes, frame.layers.transport as usize + offset)
}

/// Bytes of a header and what it carries, as the IP header before it says; those captured where
/// that says nothing.
pub(super) fn sent(header: &Header<'_>) -> Option<usize> {
    let ip = header.below.get(header.ip()?)?;
    let bytes = header.block.get(ip.start as usize..)?;
    let end = if ip.protocol == STACK.ipv4 {
        usize::from(be16(bytes, 2)?)
    } else {
        40 + usize::from(be16(bytes, 4)?)
    };
    let before = (header.layer.start - ip.start) as usize;
    end.checked_sub(before)
}

/// Bytes of a header and what it carries that were on the wire: what the IP headers before it say,
/// and no more than the frame had.
pub(super) fn on_wire(header: &Header<'_>) -> Option<usize> {
    let start = header.layer.start as usize;
    let mut end = (header.frame.start as usize).saturating_add(header.frame.len as usize);
    for layer in header.below {
        let at = layer.start as usize;
        let length = |at: usize| be16(header.block, at).map(usize::from);
        if layer.protocol == STACK.ipv4 {
            end = length(at + 2)
                .filter(|n| *n > 0)
                .map_or(end, |n| end.min(at + n));
        } else if layer.protocol == STACK.ipv6 {
            end = length(at + 4)
                .filter(|n| *n > 0)
                .map_or(end, |n| end.min(at + 40 + n));
        }
    }
    end.checked_sub(start)
}

/// Whether the packet that a header is in is a fragment. One that is the first and the last (RFC 6946)
/// is whole.
pub(super) fn is_fragment(header: &Header<'_>) -> bool {
    let Some(behind) = header.ip().map(|at| &header.below[at..]) else {
        return false;
    };
    behind.iter().any(|layer| {
        let (at, mask) = if layer.protocol == STACK.ipv4 {
            (6, 0x3fff)
        } else if layer.protocol == STACK.fragment {
            (2, 0xfff9)
        } else {
            return false;
        };
        be16(header.block, layer.start as usize + at).is_some_and(|word| word & mask != 0)
    })
}

/// Whether the checksum of a header, of what it carries and of the addresses is right (RFC 9293,
/// section 3.1); nothing where not all of that was captured or the packet is a fragment.
pub(super) fn checksum_ok(header: &Header<'_>, values: &mut Values, protocol: u8) {
    let Some(ip) = header.ip().map(|at| &header.below[at]) else {
        return;
    };
    let sent = sent(header);
    let covered = match protocol {
        udp::PROTOCOL_NUMBER => header
            .u16(4)
            .map(usize::from)
            .filter(|length| *length >= udp::LEN),
        // How much is covered (RFC 3828, 3.1).
        udp::LITE_NUMBER => match header.u16(4).map(usize::from) {
            Some(0) => sent,
            covered => covered.filter(|covered| *covered >= udp::LEN && Some(*covered) <= sent),
        },
        _ => sent,
    };
    let whole = match protocol {
        udp::PROTOCOL_NUMBER => covered,
        _ => sent,
    };
    let bytes = covered.and_then(|covered| header.bytes.get(..covered));
    let (Some(bytes), Some(whole)) = (bytes, whole) else {
        return;
    };
    let start = ip.start as usize;
    let is_v4 = ip.protocol == STACK.ipv4;
    let (from, to) = if is_v4 { (12, 20) } else { (8, 40) };
    let addresses = header.block.get(start + from..start + to);
    if let (Some(addresses), false) = (addresses, is_fragment(header) || ip.quoted) {
        let [a, b, c, d] = (whole as u32).to_be_bytes();
        let pseudo = [0, protocol, a, b, c, d];
        values.number(checksum::is_right(&[addresses, &pseudo, bytes]));
    }
}

/// What a header carries; nothing where that is nothing.
pub(super) fn carried(header: &Header<'_>, values: &mut Values) {
    let length = header.payload().len();
    if length > 0 {
        values.slice(header.layer.payload, length);
    }
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
