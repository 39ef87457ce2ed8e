//! A flow as a record: a header, then extensions that say what they are. The lowest byte first.

use crate::write::flow_rows::{Extras, FlowRow};

/// The type of a record of a flow.
const FLOW: u16 = 11;
const HEADER_LEN: usize = 12;
/// The longest record: all extensions that are written here, IPv6.
pub(super) const LEN_MAX: usize = HEADER_LEN + 52 + 36 + 20 + 28 + 12 + 12 + 20;

/// The extensions of nfdump's `nfxV3.h`.
mod extension {
    pub(super) const GENERIC: u16 = 1;
    pub(super) const V4: u16 = 2;
    pub(super) const V6: u16 = 3;
    pub(super) const MISC: u16 = 4;
    pub(super) const COUNTERS: u16 = 5;
    pub(super) const VLAN: u16 = 6;
    pub(super) const SYSTEMS: u16 = 7;
    pub(super) const NEXT_HOP_V4: u16 = 10;
    pub(super) const NEXT_HOP_V6: u16 = 11;
}

/// Writes a flow.
pub(super) fn write(flow: &FlowRow, extras: Extras, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEADER_LEN, 0);
    let mut count = 0u16;
    let mut begin = |out: &mut Vec<u8>, kind: u16, len: u16| {
        count += 1;
        out.extend(kind.to_le_bytes());
        out.extend((len + 4).to_le_bytes());
    };
    begin(out, extension::GENERIC, 48);
    // First, last, and received when it was over.
    for number in [flow.start, flow.end, flow.end] {
        out.extend(number.to_le_bytes());
    }
    out.extend(flow.packets.to_le_bytes());
    out.extend(flow.bytes.to_le_bytes());
    // Of ICMP the port of the receiver is type and code, as exporters say it.
    out.extend(flow.src_port.to_le_bytes());
    out.extend(flow.dst_port.to_le_bytes());
    out.extend([flow.protocol, flow.flags, 0, flow.tos]);
    match flow.v6 {
        true => {
            begin(out, extension::V6, 32);
            v6(flow.src, out);
            v6(flow.dst, out);
        }
        false => {
            begin(out, extension::V4, 8);
            out.extend((flow.src as u32).to_le_bytes());
            out.extend((flow.dst as u32).to_le_bytes());
        }
    }
    if extras.interfaces || extras.masks {
        begin(out, extension::MISC, 16);
        out.extend(flow.input.to_le_bytes());
        out.extend(flow.output.to_le_bytes());
        out.extend([flow.src_mask, flow.dst_mask, 0, 0, 0, 0, 0, 0]);
    }
    if flow.packets_back > 0 || flow.bytes_back > 0 {
        begin(out, extension::COUNTERS, 24);
        for number in [0, flow.packets_back, flow.bytes_back] {
            out.extend(number.to_le_bytes());
        }
    }
    if extras.vlan {
        begin(out, extension::VLAN, 8);
        out.extend(u32::from(flow.vlan).to_le_bytes());
        out.extend([0; 4]);
    }
    if extras.systems {
        begin(out, extension::SYSTEMS, 8);
        out.extend(flow.src_as.to_le_bytes());
        out.extend(flow.dst_as.to_le_bytes());
    }
    match flow.next_hop {
        Some(hop) if hop.v6 => {
            begin(out, extension::NEXT_HOP_V6, 16);
            v6(hop.bits, out);
        }
        Some(hop) => {
            begin(out, extension::NEXT_HOP_V4, 4);
            out.extend((hop.bits as u32).to_le_bytes());
        }
        None => {}
    }
    let len = (out.len() - start) as u16;
    let header = &mut out[start..start + HEADER_LEN];
    header[..2].copy_from_slice(&FLOW.to_le_bytes());
    header[2..4].copy_from_slice(&len.to_le_bytes());
    header[4..6].copy_from_slice(&count.to_le_bytes());
}

/// An IPv6 address: two numbers, the higher one first.
fn v6(bits: u128, out: &mut Vec<u8>) {
    out.extend(((bits >> 64) as u64).to_le_bytes());
    out.extend((bits as u64).to_le_bytes());
}
