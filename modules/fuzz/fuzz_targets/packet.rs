//! Any bytes as one frame of any link type: the first two say which. Every field is filled, also of what
//! is in tunnels, and none depends on the bytes behind the frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::any::Any;
use std::sync::{Arc, LazyLock};
use wireq_modules::types::packet::{Frame, Frames, LINK_TYPES, Packet};
use wireq_typesys::{Bitmap, Block, Column, RecordType, Zone, write_column_text};

static FIELDS: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let names = Packet.fields().iter().flat_map(|def| {
        ["", "inner.", "innermost."].map(|inner| format!("{inner}{}", def.name))
    });
    names.filter_map(|name| Some(Packet.resolve(&name)?.0)).collect()
});

fn frames(bytes: &[u8], len: usize, link_type: u16) -> Frames {
    let block = Arc::new(Block(bytes.to_vec()));
    let mut frames = Frames { layers: true, ..Frames::default() };
    frames.reset(&block, 1);
    let frame = Frame { caplen: len as u32, len: len as u32, link_type, ..Frame::default() };
    frames.push(&block.0[..len], frame);
    frames
}

fn text(frames: &Frames, field: usize) -> Vec<u8> {
    let rows: &(dyn Any + Send + Sync) = frames;
    let (mut column, mut out) = (Column::default(), Vec::new());
    Packet.fill(rows, field, &Bitmap::first(1), &mut column);
    write_column_text(&column, 0, &Zone::utc(), &mut out);
    out
}

fuzz_target!(|input: &[u8]| {
    let Some((which, bytes)) = input.split_first_chunk::<2>() else { return };
    let which = usize::from(u16::from_be_bytes(*which)) % LINK_TYPES.entries.len();
    let link_type = LINK_TYPES.entries[which].0 as u16;
    let len = bytes.len() / 2;
    let (longer, alone) = (frames(bytes, len, link_type), frames(&bytes[..len], len, link_type));
    for field in FIELDS.iter() {
        assert_eq!(text(&longer, *field), text(&alone, *field));
    }
});
