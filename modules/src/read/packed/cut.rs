//! Where compressed files can be cut: pieces that are unpacked each by itself.
//!
//! | format | pieces | how they are found |
//! |---|---|---|
//! | gzip | members | BGZF says how long each is; the begin of others is searched for |
//! | zstd, lz4 | frames | the lengths of their blocks |
//! | bzip2 | streams | their begin is searched for |
//! | xz | blocks | the index at the end |
//!
//! What is searched for may stand where no piece begins: unpacking tells. A piece is no longer than what a
//! thread should have to itself; what is longer is for one decoder.
//!
//! Sources: RFC 1952; SAMv1, section 4.1 (BGZF); RFC 8878, section 3.1.1; the LZ4 Frame Format 1.6.4; the source
//! of bzip2 1.0.8, compress.c; the .xz File Format 1.2.1.

use super::walk::Packing;
use super::xz;
use memchr::memmem::Finder;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// What can be unpacked by itself.
pub(super) struct Piece {
    /// What it is of the file.
    pub(super) bytes: Range<u64>,
    /// What a decoder needs before and behind that.
    pub(super) before: Vec<u8>,
    pub(super) behind: Vec<u8>,
    /// Whether a decoder can go on from its begin to the end of the file.
    pub(super) stands_alone: bool,
    /// How much of the file's contents stands before it, where that matters to the decoder.
    pub(super) unpacked_at: u64,
}

/// What comes next.
pub(super) enum Cut {
    Piece(Piece),
    /// From here on all is for one decoder.
    Alone(u64),
    End,
}

/// Pieces are at least so long, where there are more: each is handed to a thread.
const PIECE_MIN: u64 = 128 * 1024;
/// They are at most so long.
const PIECE_MAX: u64 = 16 * 1024 * 1024;
/// How far the begin of the next piece is searched for.
const SEARCH_MAX: u64 = 8 * 1024 * 1024;
const SEARCH_LEN: usize = 256 * 1024;

/// Finds the pieces of a file from front to back.
pub(super) enum Cutter {
    /// They end where they end: the next one begins here.
    Ends { at: u64, end: fn(&File, u64) -> End },
    /// All are known.
    Known {
        pieces: VecDeque<Piece>,
        threads_max: usize,
    },
}

/// Where a piece ends.
pub(super) enum End {
    At(u64),
    /// There is no further piece, and nothing else.
    Nothing,
    /// That is not known.
    Unknown,
}

impl Cutter {
    /// The one of a format; none where it has no pieces.
    pub(super) fn new(file: &File, packing: Packing) -> Option<Cutter> {
        let end = match packing {
            Packing::Gzip => gzip,
            Packing::Zstd => zstd,
            Packing::Lz4 => lz4,
            Packing::Bzip2 => bzip2,
            Packing::Xz => {
                let pieces = xz::blocks(file)?;
                let threads_max = xz::threads_max(file, &pieces);
                return Some(Cutter::Known {
                    pieces,
                    threads_max,
                });
            }
            Packing::Zip | Packing::Tar => return None,
        };
        Some(Cutter::Ends { at: 0, end })
    }

    /// How many threads may unpack pieces.
    pub(super) fn threads_max(&self) -> usize {
        match self {
            Cutter::Ends { .. } => usize::MAX,
            Cutter::Known { threads_max, .. } => *threads_max,
        }
    }

    pub(super) fn next(&mut self, file: &File) -> Cut {
        match self {
            Cutter::Known { pieces, .. } => pieces.pop_front().map_or(Cut::End, Cut::Piece),
            Cutter::Ends { at, end } => {
                let start = *at;
                while *at - start < PIECE_MIN {
                    match end(file, *at) {
                        End::At(end) if end > *at && end - *at <= PIECE_MAX => *at = end,
                        // It is asked again behind this piece.
                        _ if *at > start => break,
                        End::Nothing => return Cut::End,
                        _ => return Cut::Alone(start),
                    }
                }
                Cut::Piece(Piece {
                    bytes: start..*at,
                    before: Vec::new(),
                    behind: Vec::new(),
                    stands_alone: true,
                    unpacked_at: 0,
                })
            }
        }
    }
}

/// Fills what can be filled from a place on. What fails is told by who reads there.
fn fill(file: &File, mut at: u64, room: &mut [u8]) -> usize {
    let mut len = 0;
    while len < room.len() {
        match file.read_at(&mut room[len..], at) {
            Ok(0) => break,
            Ok(count) => {
                len += count;
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    len
}

/// So many bytes, if there are as many.
pub(super) fn bytes<const N: usize>(file: &File, at: u64) -> Option<[u8; N]> {
    let mut room = [0; N];
    (fill(file, at, &mut room) == N).then_some(room)
}

fn is_end(file: &File, at: u64) -> bool {
    matches!(file.read_at(&mut [0], at), Ok(0))
}

/// The next place at which `pattern` stands `before` bytes behind something that begins a piece.
fn search(file: &File, from: u64, pattern: &[u8], before: usize, begins: fn(&[u8]) -> bool) -> End {
    const BEGIN_LEN: usize = 10;
    let finder = Finder::new(pattern);
    let (mut room, mut at) = (vec![0; SEARCH_LEN], from);
    while at - from < SEARCH_MAX {
        let len = fill(file, at, &mut room);
        let window = &room[..len];
        for place in finder.find_iter(window) {
            let begin = place.checked_sub(before);
            if let Some(begin) = begin
                && window[begin..].len() >= BEGIN_LEN
                && begins(&window[begin..])
            {
                return End::At(at + begin as u64);
            }
        }
        if len < room.len() {
            // Whatever is left is of this piece, as far as it is there to be read.
            let end = at + len as u64;
            return match is_end(file, end) {
                true => End::At(end),
                false => End::Unknown,
            };
        }
        at += (len - BEGIN_LEN + 1) as u64;
    }
    End::Unknown
}

/// Where a member of gzip ends.
fn gzip(file: &File, at: u64) -> End {
    const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
    let Some(head) = bytes::<18>(file, at) else {
        return nothing_or_unknown(file, at);
    };
    if !head.starts_with(&MAGIC) {
        return End::Unknown;
    }
    // With one field beside, of four bytes and two: BGZF.
    if head[3] == 4 && head[10..16] == [6, 0, b'B', b'C', 2, 0] {
        let len = u16::from_le_bytes([head[16], head[17]]);
        return End::At(at + u64::from(len) + 1);
    }
    // Bits of the flags that are reserved, how it was compressed, and on what system.
    search(file, at + 18, &MAGIC, 0, |begin| {
        begin[3] & 0xe0 == 0 && matches!(begin[8], 0 | 2 | 4) && matches!(begin[9], 0..=13 | 255)
    })
}

fn nothing_or_unknown(file: &File, at: u64) -> End {
    match is_end(file, at) {
        true => End::Nothing,
        false => End::Unknown,
    }
}

/// Where a stream of bzip2 ends.
fn bzip2(file: &File, at: u64) -> End {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    fn begins(begin: &[u8]) -> bool {
        begin.starts_with(b"BZh") && matches!(begin[3], b'1'..=b'9')
    }
    match bytes::<10>(file, at) {
        Some(head) if begins(&head) => search(file, at + 10, &BLOCK, 4, begins),
        Some(_) => End::Unknown,
        None => nothing_or_unknown(file, at),
    }
}

/// Where a skippable frame ends, as zstd and lz4 have them.
fn skippable(file: &File, at: u64) -> Option<u64> {
    match bytes::<8>(file, at)? {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] => {
            Some(at + 8 + u64::from(u32::from_le_bytes([a, b, c, d])))
        }
        _ => None,
    }
}

/// Where a frame of zstd ends.
fn zstd(file: &File, at: u64) -> End {
    let Some(magic) = bytes::<5>(file, at) else {
        return nothing_or_unknown(file, at);
    };
    if let Some(end) = skippable(file, at) {
        return End::At(end);
    }
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor] = magic else {
        return End::Unknown;
    };
    let single = descriptor & 0x20 != 0;
    let window = u64::from(!single);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = match descriptor >> 6 {
        0 => u64::from(single),
        size => 1 << size,
    };
    let mut end = at + 5 + window + dictionary + size;
    while end - at <= PIECE_MAX {
        let Some([a, b, c]) = bytes::<3>(file, end) else {
            return End::Unknown;
        };
        let head = u32::from_le_bytes([a, b, c, 0]);
        end += 3 + match head >> 1 & 3 {
            // One byte, repeated.
            1 => 1,
            3 => return End::Unknown,
            _ => u64::from(head >> 3),
        };
        if head & 1 == 1 {
            let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
            return End::At(end + checksum);
        }
    }
    End::Unknown
}

/// Where a frame of lz4 ends.
fn lz4(file: &File, at: u64) -> End {
    let Some(magic) = bytes::<5>(file, at) else {
        return nothing_or_unknown(file, at);
    };
    if let Some(end) = skippable(file, at) {
        return End::At(end);
    }
    let [0x04, 0x22, 0x4d, 0x18, flags] = magic else {
        return End::Unknown;
    };
    let (size, dictionary) = (u64::from(flags >> 3 & 1), u64::from(flags & 1));
    let (block_sum, content_sum) = (u64::from(flags >> 4 & 1), u64::from(flags >> 2 & 1));
    let mut end = at + 7 + 8 * size + 4 * dictionary;
    while end - at <= PIECE_MAX {
        let Some(head) = bytes::<4>(file, end).map(u32::from_le_bytes) else {
            return End::Unknown;
        };
        end += 4;
        if head == 0 {
            return End::At(end + 4 * content_sum);
        }
        // The highest bit says that the block is not compressed.
        end += u64::from(head & 0x7fff_ffff) + 4 * block_sum;
    }
    End::Unknown
}
