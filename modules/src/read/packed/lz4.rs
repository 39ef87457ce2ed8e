//! lz4: frames one after another, with skippable ones between.
//!
//! Source: the LZ4 Frame Format 1.6.4.

use super::cut::{
    BLOCKS_MAX, Cut, End, PIECE_MAX, PIECE_MIN, Piece, bytes, nothing_or_unknown, skippable, whole,
};
use super::walk::Peeked;
use lz4_flex::frame::FrameDecoder;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read};
use twox_hash::XxHash32;

/// The contents of all frames. Each has a decoder of its own: one panics where the next frame has blocks of
/// another size.
pub(super) struct Frames<'a>(Option<State<'a>>);

enum State<'a> {
    Between(Peeked<'a>),
    Within(Box<FrameDecoder<Peeked<'a>>>),
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: Peeked<'a>) -> Frames<'a> {
        Frames(Some(State::Between(input)))
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            // None only while one state gives way to the next.
            let next = match self.0.as_mut() {
                None => return Ok(0),
                Some(State::Between(input)) => {
                    while input.pass_skippable()? {}
                    if input.peek(1)?.is_empty() {
                        return Ok(0);
                    }
                    self.0.take()
                }
                Some(State::Within(decoder)) => {
                    let count = decoder.read(room)?;
                    if count > 0 || room.is_empty() {
                        return Ok(count);
                    }
                    self.0.take()
                }
            };
            self.0 = next.map(|state| match state {
                State::Between(input) => State::Within(Box::new(FrameDecoder::new(input))),
                State::Within(decoder) => State::Between(decoder.into_inner()),
            });
        }
    }
}

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// What flags say: that no block needs another, that blocks have sums, that the length of the contents is
/// said, that these have a sum, and that there is a dictionary.
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_SUM: u8 = 1 << 4;
const SIZE: u8 = 1 << 3;
const CONTENT_SUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;
/// Longer frames are cut, where their blocks are independent.
const FRAME_MAX: u64 = 1024 * 1024;

/// Finds frames, and blocks of long ones.
#[derive(Default)]
pub(super) struct Cutter {
    at: u64,
    frame: Option<Frame>,
}

/// A frame that is cut.
struct Frame {
    /// Its header as that of a frame with some of its blocks.
    header: Vec<u8>,
    begun: bool,
    flags: u8,
    size: Option<u64>,
}

/// What a piece is of a frame.
#[derive(Default)]
pub(super) enum Place {
    /// All, or nothing.
    #[default]
    Whole,
    Begin,
    Within,
    /// The end, where there are no blocks.
    End(Said),
}

/// What the end of a frame says of its contents.
pub(super) struct Said {
    size: Option<u64>,
    sum: Option<u32>,
}

/// The contents of a frame so far.
#[derive(Default)]
pub(super) struct Sum {
    size: u64,
    hash: XxHash32,
}

impl Sum {
    pub(super) fn add(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        self.hash.write(chunk);
    }

    pub(super) fn is(&self, said: &Said) -> bool {
        said.size.is_none_or(|size| size == self.size)
            && said.sum.is_none_or(|sum| sum == self.hash.finish_32())
    }
}

fn block_sum(flags: u8) -> u64 {
    if flags & BLOCK_SUM != 0 { 4 } else { 0 }
}

fn content_sum(flags: u8) -> u64 {
    if flags & CONTENT_SUM != 0 { 4 } else { 0 }
}

fn header_len(flags: u8) -> u64 {
    let size = if flags & SIZE != 0 { 8 } else { 0 };
    let dictionary = if flags & DICTIONARY != 0 { 4 } else { 0 };
    7 + size + dictionary
}

/// Where the block that begins here ends; nothing where it is the end of the blocks.
fn block(file: &File, at: u64, flags: u8) -> Option<End> {
    Some(match u32::from_le_bytes(bytes(file, at)?) {
        0 => End::Nothing,
        // The highest bit says that the block is not compressed.
        head => End::At(at + 4 + u64::from(head & 0x7fff_ffff) + block_sum(flags)),
    })
}

/// Where a frame ends that is not to be cut.
fn end(file: &File, at: u64) -> End {
    let Some([magic @ .., flags]) = bytes::<5>(file, at) else {
        return nothing_or_unknown(file, at);
    };
    if let Some(end) = skippable(file, at) {
        return End::At(end);
    }
    if magic != MAGIC {
        return End::Unknown;
    }
    let max = if flags & INDEPENDENT != 0 {
        FRAME_MAX
    } else {
        PIECE_MAX
    };
    let mut end = at + header_len(flags);
    for _ in 0..BLOCKS_MAX {
        if end - at > max {
            break;
        }
        match block(file, end, flags) {
            Some(End::At(next)) => end = next,
            Some(End::Nothing) => return End::At(end + 4 + content_sum(flags)),
            Some(End::Unknown) | None => break,
        }
    }
    End::Unknown
}

impl Cutter {
    pub(super) fn next(&mut self, file: &File) -> Cut {
        if self.frame.is_none() {
            if let Some(cut) = whole(file, &mut self.at, end) {
                return cut;
            }
            if !self.begin(file) {
                return Cut::Alone(self.at);
            }
        }
        self.blocks(file).unwrap_or(Cut::Anew)
    }

    /// Begins with a frame that is to be cut; false where it cannot be.
    fn begin(&mut self, file: &File) -> bool {
        let Some([magic @ .., flags, sizes]) = bytes::<6>(file, self.at) else {
            return false;
        };
        if magic != MAGIC || flags & INDEPENDENT == 0 || flags & DICTIONARY != 0 {
            return false;
        }
        let size = match flags & SIZE {
            0 => None,
            _ => match bytes::<8>(file, self.at + 6) {
                None => return false,
                size => size.map(u64::from_le_bytes),
            },
        };
        let described = [flags & !SIZE & !CONTENT_SUM, sizes];
        let sum = (XxHash32::oneshot(0, &described) >> 8) as u8;
        self.frame = Some(Frame {
            header: [&MAGIC[..], &described, &[sum]].concat(),
            begun: false,
            flags,
            size,
        });
        self.at += header_len(flags);
        true
    }

    /// The next blocks of a frame, or its end; none where it does not go on.
    fn blocks(&mut self, file: &File) -> Option<Cut> {
        let frame = self.frame.as_mut()?;
        let start = self.at;
        for count in 0.. {
            if self.at - start >= PIECE_MIN {
                break;
            }
            if count == BLOCKS_MAX {
                return None;
            }
            match block(file, self.at, frame.flags)? {
                End::At(end) if end - self.at <= PIECE_MAX => self.at = end,
                End::Nothing => break,
                _ => return None,
            }
        }
        if self.at > start {
            let place = match std::mem::replace(&mut frame.begun, true) {
                true => Place::Within,
                false => Place::Begin,
            };
            return Some(Cut::Piece(Piece {
                bytes: start..self.at,
                before: frame.header.clone(),
                behind: vec![0; 4],
                frame: place,
                ..Piece::default()
            }));
        }
        let sum = match content_sum(frame.flags) {
            0 => None,
            _ => Some(u32::from_le_bytes(bytes(file, self.at + 4)?)),
        };
        let said = Said {
            size: frame.size,
            sum,
        };
        self.at += 4 + content_sum(frame.flags);
        self.frame = None;
        Some(Cut::Piece(Piece {
            frame: Place::End(said),
            ..Piece::default()
        }))
    }
}
