//! The blocks of bzip2. They begin at any bit, each with a number that is found in other data once in 2^48 bits.
//!
//! Source: of bzip2 1.0.8, compress.c and decompress.c.

use super::cut::{Cut, Look, Piece, bytes, fill};
use std::fs::File;
use std::ops::Range;

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
const MAGIC_BITS: u64 = 48;
const SUM_BITS: u64 = 32;
/// The end of a block is searched for so far: none has more than 900,000 bytes before it is packed.
const SEARCH_MAX: u64 = 2 * 1024 * 1024;

/// So many streams without a block are passed over: nobody makes them, and the search hears of no interrupt.
const STREAMS_MAX: usize = 1024;

/// Finds the blocks of a file from front to back.
pub(super) struct Blocks {
    /// At which bit the next block begins, or the end of the stream.
    at: u64,
    /// The sum of the stream so far, and how large its blocks may be.
    sum: u32,
    level: u8,
}

/// A block, as a stream of its own.
pub(super) struct Block {
    bits: Range<u64>,
    sum: u32,
    level: u8,
}

impl Blocks {
    pub(super) fn new(file: &File) -> Option<Blocks> {
        let mut blocks = Blocks {
            at: 0,
            sum: 0,
            level: 0,
        };
        blocks.begin(file, 0).then_some(blocks)
    }

    /// Begins with the stream at a byte, if there is one.
    fn begin(&mut self, file: &File, at: u64) -> bool {
        const HEADER_LEN: usize = 4;
        let Some([b'B', b'Z', b'h', level @ b'1'..=b'9']) = bytes::<HEADER_LEN>(file, at) else {
            return false;
        };
        (self.at, self.sum, self.level) = (8 * (at + HEADER_LEN as u64), 0, level);
        true
    }

    pub(super) fn next(&mut self, file: &File) -> Cut {
        for _ in 0..STREAMS_MAX {
            let magic = bits(file, self.at, MAGIC_BITS);
            let sum = bits(file, self.at + MAGIC_BITS, SUM_BITS);
            let (Some(magic), Some(sum)) = (magic, sum.map(|sum| sum as u32)) else {
                return Cut::Anew;
            };
            let behind = self.at + MAGIC_BITS + SUM_BITS;
            match magic {
                BLOCK => {
                    let Some(end) = search(file, behind) else {
                        return Cut::Anew;
                    };
                    let block = Block {
                        bits: self.at..end,
                        sum,
                        level: self.level,
                    };
                    self.sum = self.sum.rotate_left(1) ^ sum;
                    self.at = end;
                    return Cut::Piece(Piece {
                        block: Some(block),
                        ..Piece::default()
                    });
                }
                END if sum == self.sum => {
                    let end = behind.div_ceil(8);
                    if !self.begin(file, end) {
                        return match fill(file, end, &mut [0]) {
                            0 => Cut::End,
                            _ => Cut::Alone(end),
                        };
                    }
                }
                _ => return Cut::Anew,
            }
        }
        Cut::Anew
    }
}

/// So many bits, at most 56, if there are as many.
fn bits(file: &File, at: u64, count: u64) -> Option<u64> {
    let (skipped, mut room) = (at % 8, [0; 8]);
    let len = (skipped + count).div_ceil(8) as usize;
    if fill(file, at / 8, &mut room[..len]) < len {
        return None;
    }
    Some(u64::from_be_bytes(room) << skipped >> (64 - count))
}

/// The next begin of a block or end of a stream.
fn search(file: &File, from: u64) -> Option<u64> {
    const MASK: u64 = (1 << MAGIC_BITS) - 1;
    let mut look = Look::new(from / 8);
    // What was seen last, the latest bit lowest.
    let mut seen = 0u64;
    while look.at - from / 8 < SEARCH_MAX && !look.ended {
        let (at, room) = look.next(file, 0);
        for (byte, end) in room.iter().zip(at + 1..) {
            seen = seen << 8 | u64::from(*byte);
            for later in (0..8).rev() {
                let last = seen >> later & MASK;
                let begin = (8 * end - later).checked_sub(MAGIC_BITS);
                if (last == BLOCK || last == END) && begin.is_some_and(|begin| begin >= from) {
                    return begin;
                }
            }
        }
    }
    None
}

impl Block {
    /// The block between the begin and the end of a stream.
    pub(super) fn stream(&self, file: &File) -> Vec<u8> {
        let (start, count) = (self.bits.start, self.bits.end - self.bits.start);
        let mut bytes = vec![0; (self.bits.end.div_ceil(8) - start / 8) as usize + 1];
        // Where less is there by now, it is no block.
        fill(file, start / 8, &mut bytes);
        let shift = start % 8;
        let shifted = bytes.windows(2).map(|pair| {
            let pair = u16::from_be_bytes([pair[0], pair[1]]);
            (pair << shift >> 8) as u8
        });
        let mut out = vec![b'B', b'Z', b'h', self.level];
        let header = 8 * out.len() as u64;
        out.extend(shifted.take(count.div_ceil(8) as usize));
        let mut end = header + count;
        for (number, bits) in [(END, MAGIC_BITS), (self.sum.into(), SUM_BITS)] {
            for bit in (0..bits).rev() {
                let place = (end / 8) as usize;
                out.resize(out.len().max(place + 1), 0);
                let mask = 0x80 >> (end % 8);
                out[place] = out[place] & !mask | if number >> bit & 1 == 1 { mask } else { 0 };
                end += 1;
            }
        }
        out
    }
}
