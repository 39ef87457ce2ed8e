//! `inner.` and `innermost.` before a field: what is in tunnels.
//!
//! `inner.srcip` is what `srcip` would be if the packet in the outermost tunnel had been captured on
//! its own; `inner.inner.srcip` goes one further, `innermost.srcip` as far as there are tunnels. Of
//! a list, as `inner.ip.src`, it leaves the values of what is around. Packets quoted in ICMP errors
//! are in no tunnel.

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
        !layer.quoted && (layer.protocol == STACK.ipv4 || layer.protocol == STACK.ipv6)
    };
    let mut places = layers.iter().enumerate().filter(|(_, layer)| is_ip(layer));
    if depth == INNERMOST {
        return places.next_back().map(|(at, _)| at);
    }
    places.nth(depth).map(|(at, _)| at)
}

/// The frames with the layers of the packets at a depth in place of the outermost.
pub(super) fn frames(frames: &Frames, selection: &Bitmap, depth: usize) -> Frames {
    let block = frames.block.0.as_slice();
    let mut stack = frames.stack();
    stack.find(frames, selection);
    let mut rows = vec![Frame::default(); frames.rows.len()];
    selection.for_each(|row| {
        let layers = stack.layers(row);
        if let (Some(found), Some(frame), Some(at)) = (
            rows.get_mut(row),
            frames.rows.get(row),
            place(layers, depth),
        ) {
            *found = inner(block, frame, layers, at);
        }
    });
    Frames {
        block: Arc::clone(&frames.block),
        rows,
        interfaces: frames.interfaces.clone(),
        first_number: frames.first_number,
        ..Frames::default()
    }
}

/// A frame as if its IP packet at this place had been captured on its own.
fn inner(block: &[u8], frame: &Frame, layers: &[Layer], at: usize) -> Frame {
    let mut inner = *frame;
    inner.layers = Layers::default();
    find(block, frame, layers, at, &mut inner.layers);
    inner
}

/// Finds the headers of the IP packet at a place among the layers of a frame.
pub(super) fn find(block: &[u8], frame: &Frame, layers: &[Layer], at: usize, found: &mut Layers) {
    let Some(layer) = layers.get(at) else {
        return;
    };
    let around = at.checked_sub(1).and_then(|at| layers.get(at));
    let end = around.map_or(frame.start.saturating_add(frame.caplen), |around| {
        around.end
    });
    let bytes = block.get(..end as usize).unwrap_or(block);
    if layer.protocol == STACK.ipv4 {
        ipv4::find(bytes, layer.start as usize, found);
    } else {
        ipv6::find(bytes, layer.start as usize, found);
    }
}
