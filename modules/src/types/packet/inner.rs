//! `inner.` and `innermost.` before a field: what is in tunnels.
//!
//! `inner.srcip` is what `srcip` would be if the packet in the outermost tunnel had been captured on
//! its own; `inner.inner.srcip` goes one further, `innermost.srcip` as far as there are tunnels. Of
//! a list, as `inner.ip.src`, it leaves the values of what is around. Packets quoted in ICMP errors
//! are in no tunnel. What the capture says of a frame, as `len`, it says of no packet within.

use super::layers::{Layer, STACK};
use super::{DEFS, Frame, Frames, Layers, ipv4, ipv6};
use std::sync::Arc;
use wireq_typesys::Bitmap;

/// How often `inner.` may stand before a name.
const DEPTH_MAX: usize = 8;
/// The depth that stands for `innermost.`.
const INNERMOST: usize = DEPTH_MAX + 1;

/// How deep a name reaches, and the name without it; none where it reaches too deep.
pub(super) fn depth(mut name: &str) -> Option<(usize, &str)> {
    if let Some(rest) = name.strip_prefix("innermost.") {
        return Some((INNERMOST, rest));
    }
    let mut depth = 0;
    while let Some(rest) = name.strip_prefix("inner.") {
        (name, depth) = (rest, depth + 1);
    }
    (depth <= DEPTH_MAX).then_some((depth, name))
}

/// The number of a field at a depth.
pub(super) fn join(depth: usize, field: usize) -> usize {
    depth * DEFS.len() + field
}

/// The depth and the number of a field.
pub(super) fn split(number: usize) -> (usize, usize) {
    (number / DEFS.len().max(1), number % DEFS.len().max(1))
}

/// The place of the IP header at a depth among the layers of a frame.
pub(super) fn place(layers: &[Layer], depth: usize) -> Option<usize> {
    let is_ip = |layer: &Layer| {
        // Where another header stands at its place only its first byte is one.
        let is_header = layer.end > layer.start + 1;
        is_header && !layer.quoted && (layer.protocol == STACK.ipv4 || layer.protocol == STACK.ipv6)
    };
    let mut places = layers.iter().enumerate().filter(|(_, layer)| is_ip(layer));
    if depth == INNERMOST {
        return places.next_back().map(|(at, _)| at);
    }
    places.nth(depth).map(|(at, _)| at)
}

/// The frames with the packets at a depth in place of the outermost, and which of the selected have
/// one.
pub(super) fn frames(frames: &Frames, selection: &Bitmap, depth: usize) -> (Frames, Bitmap) {
    let block = frames.block.0.as_slice();
    let mut stack = frames.stack();
    stack.find(frames, selection);
    let mut rows = vec![Frame::default(); frames.rows.len()];
    let mut tunnelled = Bitmap::EMPTY;
    selection.for_each(|row| {
        let layers = stack.layers(row);
        if let (Some(found), Some(frame), Some(at)) = (
            rows.get_mut(row),
            frames.rows.get(row),
            place(layers, depth),
        ) {
            *found = inner(block, frame, layers, at);
            tunnelled.set(row);
        }
    });
    let frames = Frames {
        block: Arc::clone(&frames.block),
        rows,
        ..Frames::default()
    };
    (frames, tunnelled)
}

/// A frame as if its IP packet at this place had been captured on its own.
fn inner(block: &[u8], frame: &Frame, layers: &[Layer], at: usize) -> Frame {
    let mut inner = *frame;
    inner.layers = Layers::default();
    find(block, frame, layers, at, &mut inner.layers);
    if let Some(layer) = layers.get(at) {
        inner.start = layer.start;
        let end = around(frame, layers, at);
        inner.caplen = end.saturating_sub(layer.start);
        // What it is in ends before the frame does, or where the frame ended when it was sent.
        let is_filled_up = end < frame.start.saturating_add(frame.caplen);
        inner.len = if is_filled_up {
            inner.caplen
        } else {
            frame
                .len
                .saturating_sub(layer.start.saturating_sub(frame.start))
        };
    }
    inner
}

/// Where what an IP packet at a place is in ends.
fn around(frame: &Frame, layers: &[Layer], at: usize) -> u32 {
    let around = at.checked_sub(1).and_then(|at| layers.get(at));
    around.map_or(frame.start.saturating_add(frame.caplen), |around| {
        around.end
    })
}

/// Finds the headers of the IP packet at a place among the layers of a frame.
pub(super) fn find(block: &[u8], frame: &Frame, layers: &[Layer], at: usize, found: &mut Layers) {
    let Some(layer) = layers.get(at) else {
        return;
    };
    let end = around(frame, layers, at);
    let bytes = block.get(..end as usize).unwrap_or(block);
    if layer.protocol == STACK.ipv4 {
        ipv4::find(bytes, layer.start as usize, found);
    } else {
        ipv6::find(bytes, layer.start as usize, found);
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, in_udp, ipv4};
    use super::super::{Frame, Frames, Packet};
    use std::sync::Arc;
    use wireq_typesys::{Bitmap, Block, Column, RecordType};

    #[test]
    fn a_frame_without_a_tunnel_has_nothing_within() {
        let plain = in_udp(53, b"abc");
        let tunnel = in_ethernet(0x0800, &ipv4(4, 1, &plain[14..]));
        for (name, value) in [
            ("srcport", "12345"),
            ("carried", "abc"),
            ("payload", "abc"),
            ("udp.srcport", "12345"),
        ] {
            for inner in ["inner.", "innermost."] {
                let name = format!("{inner}{name}");
                assert_eq!(field(&tunnel, &name).as_deref(), Some(value), "{name}");
            }
            assert_eq!(field(&plain, &format!("inner.{name}")), None, "{name}");
        }
        // What fills up the frame is not in the tunnel.
        let padded = [tunnel.as_slice(), &[0; 9]].concat();
        assert_eq!(field(&padded, "inner.payload").as_deref(), Some("abc"));
    }

    /// A total length of 0 says nothing: the packet ends with what it is in.
    #[test]
    fn a_packet_within_that_does_not_say_its_length_ends_with_the_tunnel() {
        let mut within = ipv4(17, 1, &[0, 53, 0, 54, 0, 11, 0, 0, b'a', b'b', b'c']);
        within[2..4].copy_from_slice(&[0, 0]);
        let tunnel = in_ethernet(0x0800, &ipv4(4, 1, &within));
        let padded = [tunnel.as_slice(), &[0; 9]].concat();
        for bytes in [tunnel, padded] {
            assert_eq!(field(&bytes, "iplen").as_deref(), Some("51"));
            for name in ["inner.iplen", "innermost.iplen"] {
                assert_eq!(field(&bytes, name).as_deref(), Some("31"), "{name}");
            }
        }
    }

    #[test]
    fn what_is_said_of_frames_is_said_of_none_within() {
        for name in [
            "len",
            "caplen",
            "ts",
            "packet",
            "frame.number",
            "frame.comment",
            "link",
        ] {
            assert!(Packet.resolve(name).is_some(), "{name}");
            assert_eq!(Packet.resolve(&format!("inner.{name}")), None, "{name}");
            assert_eq!(Packet.resolve(&format!("innermost.{name}")), None, "{name}");
        }
    }

    /// No column has a value in a row that was not selected, or has no packet within.
    #[test]
    fn all_columns_within_are_empty_without_a_tunnel() {
        let bytes = in_udp(53, b"abc");
        let (block, len) = (Arc::new(Block(bytes.clone())), bytes.len() as u32);
        let mut frames = Frames {
            layers: true,
            ..Frames::default()
        };
        frames.reset(&block, 1);
        let frame = Frame {
            caplen: len,
            len,
            link_type: 1,
            ..Frame::default()
        };
        frames.push(&block.0, frame);
        for def in Packet.fields() {
            let Some((number, _)) = Packet.resolve(&format!("inner.{}", def.name)) else {
                continue;
            };
            let mut column = Column::default();
            Packet.fill(&frames, number, &Bitmap::first(1), &mut column);
            assert!(!column.valid.get(0), "{}", def.name);
        }
    }
}
