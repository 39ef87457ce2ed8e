//! xz: streams one after another, and their blocks, as the indexes at the ends of streams say.
//!
//! Source: the .xz File Format 1.2.1, sections 2 to 4.

use super::cut::{Piece, bytes};
use super::walk::Peeked;
use flate2::Crc;
use lzma_rust2::XzReader;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

const HEADER_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const FOOTER_MAGIC: [u8; 2] = *b"YZ";
const HEADER_LEN: u64 = 12;
const FOOTER_LEN: u64 = 12;
/// Longer indexes, and more streams and blocks, stand in files that nobody makes: they are read from front to back.
const INDEX_MAX: u64 = 1024 * 1024;
const BLOCKS_MAX: usize = 1 << 16;
const PADDING_MAX: usize = 64 * 1024;

/// The most memory that a file of xz may ask for, in KiB: the window of `xz -9` with room to spare.
const XZ_KIB_MAX: u32 = 256 * 1024;
/// The decoder loses what it made before it met damage, of what was asked for at once: that ends always at a
/// multiple of this of what is unpacked.
const STEP: usize = 64 * 1024;

/// The contents of all streams.
pub(super) struct Blocks<'a> {
    decoder: XzReader<Peeked<'a>>,
    /// How much of the file's contents was asked for.
    at: u64,
    /// What was asked for since there was less room than to the end of the step.
    kept: Vec<u8>,
    given: usize,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(input: Peeked<'a>, unpacked_at: u64) -> Blocks<'a> {
        Blocks {
            decoder: XzReader::new_mem_limit(input, true, XZ_KIB_MAX),
            at: unpacked_at,
            kept: Vec::new(),
            given: 0,
        }
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.kept.len() {
            let wanted = STEP - (self.at % STEP as u64) as usize;
            if let Some(room) = room.get_mut(..wanted) {
                let count = self.decoder.read(room)?;
                self.at += count as u64;
                return Ok(count);
            }
            self.given = 0;
            self.kept.resize(wanted, 0);
            let count = self.decoder.read(&mut self.kept);
            self.kept.truncate(*count.as_ref().unwrap_or(&0));
            self.at += count? as u64;
        }
        let kept = &self.kept[self.given..];
        let len = kept.len().min(room.len());
        room[..len].copy_from_slice(&kept[..len]);
        self.given += len;
        Ok(len)
    }
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// All blocks of all streams, each as a stream of its own; none where the file is not what its indexes say.
pub(super) fn blocks(file: &File) -> Option<VecDeque<Piece>> {
    let mut end = file.metadata().ok()?.len();
    let mut blocks = VecDeque::new();
    // From the last stream to the first: only their ends say where they begin.
    let mut streams = 0;
    while end > 0 {
        streams += 1;
        if blocks.len().max(streams) > BLOCKS_MAX {
            return None;
        }
        end = stream(file, end, &mut blocks)?;
    }
    let mut at = 0;
    for block in &mut blocks {
        let len = std::mem::replace(&mut block.unpacked_at, at);
        at = at.checked_add(len)?;
    }
    Some(blocks)
}

/// Puts the blocks of the stream that ends here before the others; gives where it begins.
fn stream(file: &File, mut end: u64, blocks: &mut VecDeque<Piece>) -> Option<u64> {
    let mut footer: [u8; 12] = bytes(file, end.checked_sub(FOOTER_LEN)?)?;
    // Streams may be padded; what is padded without end is read from front to back.
    for _ in 0..PADDING_MAX / 4 {
        if footer[8..] != [0; 4] {
            break;
        }
        end -= 4;
        footer = bytes(file, end.checked_sub(FOOTER_LEN)?)?;
    }
    let (sum, rest) = footer.split_at(4);
    let (backward, flags) = (&rest[..4], [rest[4], rest[5]]);
    if footer[10..] != FOOTER_MAGIC || sum != crc(&footer[4..10]) {
        return None;
    }
    let index_len = 4 * (u64::from(u32::from_le_bytes(backward.try_into().ok()?)) + 1);
    let index_at = end.checked_sub(FOOTER_LEN + index_len)?;
    if index_len > INDEX_MAX {
        return None;
    }
    let mut index = vec![0; index_len as usize];
    file.read_exact_at(&mut index, index_at).ok()?;
    let records = records(&index)?;
    let padded: Option<u64> = records.iter().try_fold(0u64, |sum, (unpadded, _)| {
        sum.checked_add(unpadded.checked_next_multiple_of(4)?)
    });
    let begin = index_at.checked_sub(padded?.checked_add(HEADER_LEN)?)?;
    let header: [u8; 12] = bytes(file, begin)?;
    if header[..6] != HEADER_MAGIC || header[6..8] != flags || header[8..] != crc(&flags) {
        return None;
    }
    let mut at = index_at;
    for (unpadded, unpacked) in records.iter().rev() {
        let block = at - unpadded.next_multiple_of(4)..at;
        at = block.start;
        blocks.push_front(Piece {
            bytes: block,
            before: header.to_vec(),
            behind: index_of_one(*unpadded, *unpacked, flags),
            // Its length, until all are known.
            unpacked_at: *unpacked,
            ..Piece::default()
        });
    }
    Some(begin)
}

/// The lengths of the blocks of an index: with what is around them but padding, and of what is in them.
fn records(index: &[u8]) -> Option<Vec<(u64, u64)>> {
    let (content, sum) = index.split_last_chunk::<4>()?;
    if *sum != crc(content) || content[0] != 0 {
        return None;
    }
    let mut rest = &content[1..];
    let count = number(&mut rest)?;
    if count > BLOCKS_MAX as u64 {
        return None;
    }
    let mut records = Vec::new();
    for _ in 0..count {
        records.push((number(&mut rest)?, number(&mut rest)?));
    }
    let is_padding = rest.len() < 4 && rest.iter().all(|byte| *byte == 0);
    is_padding.then_some(records)
}

/// How many threads may unpack blocks, so that they take no more memory than a file of one block may.
pub(super) fn threads_max(file: &File, blocks: &VecDeque<Piece>) -> usize {
    let windows = blocks.iter().map(|block| {
        let head = bytes::<WINDOW_SEEN>(file, block.bytes.start);
        head.and_then(|head| window(&head)).unwrap_or(u64::MAX)
    });
    let largest = windows.max().unwrap_or(0);
    (u64::from(XZ_KIB_MAX) * 1024 / largest.max(1)) as usize
}

/// So much is there from the begin of a block on in any case, and its window is said in it.
const WINDOW_SEEN: usize = 32;

/// How large a block's window is, as its header says.
fn window(head: &[u8]) -> Option<u64> {
    const LZMA2: u64 = 0x21;
    let (flags, mut rest) = (*head.get(1)?, head.get(2..)?);
    for bit in [0x40, 0x80] {
        if flags & bit != 0 {
            number(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (id, len) = (number(&mut rest)?, number(&mut rest)?);
        let (properties, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        rest = behind;
        if id == LZMA2 {
            return match *properties {
                [40] => Some(u64::from(u32::MAX)),
                [bits @ 0..40] => Some((2 | u64::from(bits & 1)) << (bits / 2 + 11)),
                _ => None,
            };
        }
    }
    None
}

/// A number of as many bytes as it needs: seven bits in each, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The index and the footer of a stream with one block.
fn index_of_one(unpadded: u64, unpacked: u64, flags: [u8; 2]) -> Vec<u8> {
    let mut out = vec![0, 1];
    put(unpadded, &mut out);
    put(unpacked, &mut out);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(crc(&out));
    let backward = (out.len() / 4 - 1) as u32;
    let mut footer = backward.to_le_bytes().to_vec();
    footer.extend(flags);
    out.extend(crc(&footer));
    out.extend(footer);
    out.extend(FOOTER_MAGIC);
    out
}
