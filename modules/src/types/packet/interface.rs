//! What a capture says of the interface that a frame was captured at, and of the frame beyond its
//! bytes.
//!
//! Source: draft-ietf-opsawg-pcapng. Options of a frame stand behind its bytes in the block, so they
//! are looked up when a query reads them.

use super::load::{u32s, u64s};
use super::{Field, Frame, Frames};
use std::ops::Range;
use std::sync::Arc;
use wireq_typesys::{Bitmap, Block, Column, FieldDef, Kind};

const SOURCE: &str = "pcapng";

/// An interface that frames were captured at; a format without interfaces has one a file.
#[derive(Debug, Default)]
pub struct Interface {
    /// What its link layer is: a LINKTYPE number.
    pub link_type: u16,
    /// The most bytes that were kept of a frame.
    pub snaplen: u32,
    /// The digits of the fraction of a second that times have.
    pub tsresol: u8,
    /// What the records of its frames look like.
    pub record: Record,
    /// The number of its section in the file, from 1, where the format has sections.
    pub section: u32,
    /// Its number in the section, from 0, where the format counts interfaces.
    pub number: Option<u32>,
    /// The block that describes it, where there is one.
    pub block: Arc<Block>,
    /// Where its name is in the block: first byte and length.
    pub name: Option<(u32, u32)>,
    /// Where its description is in the block: first byte and length.
    pub description: Option<(u32, u32)>,
}

/// What the record that a frame was read from looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// A header and the frame.
    #[default]
    Plain,
    /// A Simple Packet Block.
    Simple {
        /// The order of bytes.
        big_endian: bool,
    },
    /// An Enhanced Packet Block.
    Enhanced {
        /// The order of bytes.
        big_endian: bool,
    },
    /// A Packet Block, which is obsolete.
    Old {
        /// The order of bytes.
        big_endian: bool,
    },
}

/// Bytes between the begin of an Enhanced or an old Packet Block and the frame in it.
const BEFORE_FRAME: usize = 28;
/// Those before the frame in a Simple Packet Block.
const BEFORE_SIMPLE: usize = 12;
/// The length of a block behind its end.
const BEHIND_OPTIONS: usize = 4;

/// Codes of the options of Enhanced Packet Blocks.
mod code {
    pub const END: u16 = 0;
    pub const COMMENT: u16 = 1;
    pub const FLAGS: u16 = 2;
    pub const DROP_COUNT: u16 = 4;
    pub const PACKET_ID: u16 = 5;
    pub const QUEUE: u16 = 6;
    pub const CUSTOM: [u16; 4] = [2988, 2989, 19372, 19373];
}

/// The bytes at `at` as a number.
#[inline]
fn number<const N: usize>(bytes: &[u8], at: usize, big_endian: bool) -> Option<u64> {
    let bytes: [u8; N] = bytes.get(at..at.checked_add(N)?)?.try_into().ok()?;
    Some(if big_endian {
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    } else {
        bytes
            .iter()
            .rfold(0, |sum, byte| sum << 8 | u64::from(*byte))
    })
}

/// The options of a frame, one after the other: code, first byte in the block, length.
struct Options<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl Iterator for Options<'_> {
    type Item = (u16, u32, u32);

    fn next(&mut self) -> Option<(u16, u32, u32)> {
        let code = number::<2>(self.bytes, self.at, self.big_endian)? as u16;
        let len = number::<2>(self.bytes, self.at + 2, self.big_endian)? as usize;
        let start = self.at + 4;
        if code == code::END || start + len > self.bytes.len() {
            return None;
        }
        self.at = start + len.next_multiple_of(4);
        Some((code, start as u32, len as u32))
    }
}

/// Where the block of a frame begins and ends, and its order of bytes.
fn block(frames: &Frames, bytes: &[u8], frame: &Frame) -> Option<(usize, usize, bool)> {
    let (before, big_endian) = match frames.interface(frame)?.record {
        Record::Plain => return None,
        Record::Simple { big_endian } => (BEFORE_SIMPLE, big_endian),
        Record::Enhanced { big_endian } | Record::Old { big_endian } => (BEFORE_FRAME, big_endian),
    };
    let begin = (frame.start as usize).checked_sub(before)?;
    let length = number::<4>(bytes, begin + 4, big_endian)? as usize;
    let end = begin.checked_add(length)?;
    (end <= bytes.len()).then_some((begin, end, big_endian))
}

/// Where the bytes of a frame stand in the block, and those of its record that are looked at with them.
pub fn record(frames: &Frames, frame: &Frame) -> Range<usize> {
    let (start, len) = (frame.start as usize, frame.caplen as usize);
    match block(frames, &frames.block.0, frame) {
        Some((begin, end, _)) => begin..end,
        None => start..start + len,
    }
}

/// Where the options of a frame are in the block of bytes, and their order of bytes.
fn options<'a>(frames: &Frames, bytes: &'a [u8], frame: &Frame) -> Option<Options<'a>> {
    if let Record::Simple { .. } = frames.interface(frame)?.record {
        return None;
    }
    let (_, end, big_endian) = block(frames, bytes, frame)?;
    let end = end.checked_sub(BEHIND_OPTIONS)?;
    let at = frame.start as usize + (frame.caplen as usize).next_multiple_of(4);
    Some(Options {
        bytes: bytes.get(..end)?,
        at,
        big_endian,
    })
}

/// The first option of a frame that `wanted` picks.
fn option(
    frames: &Frames,
    bytes: &[u8],
    frame: &Frame,
    wanted: impl Fn(u16) -> bool,
) -> Option<(u32, u32)> {
    let found = options(frames, bytes, frame)?.find(|(code, ..)| wanted(*code));
    found.map(|(_, start, len)| (start, len))
}

/// The number that an option is; none where it has not the length of one.
fn option_number<const N: usize>(
    frames: &Frames,
    bytes: &[u8],
    frame: &Frame,
    wanted: u16,
) -> Option<u64> {
    let all = options(frames, bytes, frame)?;
    let big_endian = all.big_endian;
    let (start, len) = option(frames, bytes, frame, |code| code == wanted)?;
    let is_number = len as usize == N;
    number::<N>(bytes, start as usize, big_endian).filter(|_| is_number)
}

/// The frames that were dropped before a frame, which only the old block has in its header.
fn old_drops(frames: &Frames, bytes: &[u8], frame: &Frame) -> Option<u64> {
    let Record::Old { big_endian } = frames.interface(frame)?.record else {
        return None;
    };
    let at = (frame.start as usize).checked_sub(BEFORE_FRAME)? + 10;
    // All ones where it is not known.
    number::<2>(bytes, at, big_endian).filter(|drops| *drops != 0xffff)
}

/// Fills a column with text of the blocks that describe interfaces.
fn of_interface(
    frames: &Frames,
    selection: &Bitmap,
    column: &mut Column,
    kind: Kind,
    get: impl Fn(&Interface) -> Option<(u32, u32)>,
) {
    let blocks = frames.interfaces.iter().map(|interface| &interface.block);
    let (values, valid) = column.refill_slices_of(frames.rows.len(), blocks, kind);
    selection.for_each(|row| {
        let Some(frame) = frames.rows.get(row) else {
            return;
        };
        if let Some((start, len)) = frames.interface(frame).and_then(&get) {
            values[row] = (frame.interface.into(), start, len);
            valid.set(row);
        }
    });
}

/// Fills a column with options of frames.
fn option_slices(
    frames: &Frames,
    selection: &Bitmap,
    column: &mut Column,
    kind: Kind,
    wanted: impl Fn(u16) -> bool,
) {
    let bytes = frames.block.0.as_slice();
    let (values, valid) = column.refill_slices(frames.rows.len(), &frames.block, kind);
    selection.for_each(|row| {
        let Some(frame) = frames.rows.get(row) else {
            return;
        };
        if let Some((start, len)) = option(frames, bytes, frame, &wanted) {
            values[row] = (0, start, len);
            valid.set(row);
        }
    });
}

/// Fills a column with the blocks of frames.
fn blocks(frames: &Frames, selection: &Bitmap, column: &mut Column) {
    let bytes = frames.block.0.as_slice();
    let (values, valid) = column.refill_slices(frames.rows.len(), &frames.block, Kind::Bytes);
    selection.for_each(|row| {
        let Some(frame) = frames.rows.get(row) else {
            return;
        };
        if let Some((begin, end, _)) = block(frames, bytes, frame) {
            values[row] = (0, begin as u32, (end - begin) as u32);
            valid.set(row);
        }
    });
}

/// The field that frames are written from, with all that stands between them.
pub(super) const BLOCK: &str = "frame.block";

macro_rules! field {
    ($name:literal, $aliases:expr, $kind:ident, $summary:literal, $fill:expr) => {
        Field {
            def: FieldDef {
                name: $name,
                aliases: $aliases,
                kind: Kind::$kind,
                summary: $summary,
                source: SOURCE,
            },
            fill: $fill,
            frame_only: true,
        }
    };
}

pub(super) static FIELDS: &[Field] = &[
    field!(
        "frame.section",
        &["frame.section_number"],
        Unsigned,
        "The number of the frame's section in its file, from 1.",
        |f, s, c| u32s(f, s, c, |_, frame| {
            let interface = f.interface(frame)?;
            interface.number.map(|_| interface.section)
        })
    ),
    field!(
        "frame.interface_id",
        &[],
        Unsigned,
        "The number of the interface in its section, from 0.",
        |f, s, c| u32s(f, s, c, |_, frame| f.interface(frame)?.number)
    ),
    field!(
        "frame.interface_name",
        &[],
        Text,
        "The name of the interface that the frame was captured at.",
        |f, s, c| of_interface(f, s, c, Kind::Text, |interface| interface.name)
    ),
    field!(
        "frame.interface_description",
        &[],
        Text,
        "What the capture says of that interface.",
        |f, s, c| of_interface(f, s, c, Kind::Text, |interface| { interface.description })
    ),
    field!(
        "frame.interface_block",
        &[],
        Bytes,
        "The block of a pcapng file that describes the interface.",
        |f, s, c| of_interface(f, s, c, Kind::Bytes, |interface| {
            let len = interface.block.0.len();
            (len > 0).then_some((0, len as u32))
        })
    ),
    field!(
        "frame.block",
        &[],
        Bytes,
        "The block of a pcapng file that the frame was read from.",
        blocks
    ),
    field!(
        "frame.comment",
        &[],
        Text,
        "The first comment on the frame.",
        |f, s, c| option_slices(f, s, c, Kind::Text, |code| code == code::COMMENT)
    ),
    field!(
        "frame.packet_flags",
        &[],
        Unsigned,
        "Flags of the frame: direction, kind of reception, link-layer errors.",
        |f, s, c| u64s(f, s, c, |bytes, frame| option_number::<4>(
            f,
            bytes,
            frame,
            code::FLAGS
        ))
    ),
    field!(
        "frame.drop_count",
        &[],
        Unsigned,
        "Frames lost between this one and the one before it of the same interface.",
        |f, s, c| u64s(f, s, c, |bytes, frame| {
            let option = option_number::<8>(f, bytes, frame, code::DROP_COUNT);
            option.or_else(|| old_drops(f, bytes, frame))
        })
    ),
    field!(
        "frame.packet_id",
        &[],
        Unsigned,
        "A number that the same frame has wherever it was captured.",
        |f, s, c| u64s(f, s, c, |bytes, frame| option_number::<8>(
            f,
            bytes,
            frame,
            code::PACKET_ID
        ))
    ),
    field!(
        "frame.queue",
        &["frame.interface_queue"],
        Unsigned,
        "The queue of the interface that the frame came through.",
        |f, s, c| u64s(f, s, c, |bytes, frame| option_number::<4>(
            f,
            bytes,
            frame,
            code::QUEUE
        ))
    ),
    field!(
        "frame.custom",
        &[],
        Bytes,
        "The first custom option of the frame: the enterprise's number, then its data.",
        |f, s, c| option_slices(f, s, c, Kind::Bytes, |code| code::CUSTOM.contains(&code))
    ),
];
