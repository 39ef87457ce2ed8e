//! Where compressed files can be cut: pieces that are unpacked each by itself.
//!
//! | format | pieces | how they are found |
//! |---|---|---|
//! | gzip | members | BGZF says how long each is; the begin of others is searched for |
//! | zstd | frames | the lengths of their blocks |
//! | lz4 | frames, and blocks of long ones that are independent | the lengths of blocks |
//! | bzip2 | blocks | their begin is searched for, at every bit |
//! | xz | blocks | the index at the end |
//!
//! What is searched for may stand where no piece begins: unpacking tells. A piece is no longer than what a
//! thread should have to itself; what is longer is for one decoder.
//!
//! Sources: RFC 1952; SAMv1, section 4.1 (BGZF); RFC 8878, section 3.1.1.

use super::bits;
use super::lz4;
use super::walk::Packing;
use super::xz;
use memchr::memmem::Finder;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// What can be unpacked by itself.
#[derive(Default)]
pub(super) struct Piece {
    /// What it is of the file.
    pub(super) bytes: Range<u64>,
    /// What a decoder needs before and behind that.
    pub(super) before: Vec<u8>,
    pub(super) behind: Vec<u8>,
    /// What it is instead, where it does not begin with a byte.
    pub(super) block: Option<bits::Block>,
    /// Whether a decoder can go on from its begin to the end of the file.
    pub(super) stands_alone: bool,
    /// How much of the file's contents stands before it, where that matters to the decoder.
    pub(super) unpacked_at: u64,
    /// What it is of a frame of lz4.
    pub(super) frame: lz4::Place,
}

/// What comes next.
pub(super) enum Cut {
    Piece(Piece),
    /// From here on all is for one decoder.
    Alone(u64),
    /// All is, from the begin of the file on: none can begin here.
    Anew,
    End,
}

/// Pieces are at least so long, where there are more: each is handed to a thread.
pub(super) const PIECE_MIN: u64 = 128 * 1024;
/// They are at most so long.
pub(super) const PIECE_MAX: u64 = 16 * 1024 * 1024;
/// How far the begin of the next piece is searched for.
const SEARCH_MAX: u64 = 8 * 1024 * 1024;
/// How much is looked at: little at first, since many pieces may be small.
const LOOK_MIN: usize = 4 * 1024;
const LOOK_MAX: usize = 256 * 1024;
/// The lengths of so many blocks are read for one piece: each is a call of the system.
pub(super) const BLOCKS_MAX: usize = 4096;

const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Finds the pieces of a file from front to back.
pub(super) enum Cutter {
    /// They end where they end: the next one begins here.
    Ends {
        at: u64,
        end: fn(&File, u64) -> End,
    },
    Bits(bits::Blocks),
    Lz4(lz4::Cutter),
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
            Packing::Lz4 => return Some(Cutter::Lz4(lz4::Cutter::default())),
            Packing::Bzip2 => return Some(Cutter::Bits(bits::Blocks::new(file)?)),
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
            Cutter::Ends { .. } | Cutter::Bits(_) | Cutter::Lz4(_) => usize::MAX,
            Cutter::Known { threads_max, .. } => *threads_max,
        }
    }

    pub(super) fn next(&mut self, file: &File) -> Cut {
        match self {
            Cutter::Bits(blocks) => blocks.next(file),
            Cutter::Lz4(cutter) => cutter.next(file),
            Cutter::Known { pieces, .. } => pieces.pop_front().map_or(Cut::End, Cut::Piece),
            Cutter::Ends { at, end } => whole(file, at, *end).unwrap_or(Cut::Alone(*at)),
        }
    }
}

/// A piece of what ends where this says, one behind the other; none where the end of the first is not known.
pub(super) fn whole(file: &File, at: &mut u64, end: fn(&File, u64) -> End) -> Option<Cut> {
    let start = *at;
    while *at - start < PIECE_MIN {
        match end(file, *at) {
            End::At(end) if end > *at && end - *at <= PIECE_MAX => *at = end,
            // It is asked again behind this piece.
            _ if *at > start => break,
            End::Nothing => return Some(Cut::End),
            _ => return None,
        }
    }
    Some(Cut::Piece(Piece {
        bytes: start..*at,
        stands_alone: true,
        ..Piece::default()
    }))
}

/// Fills what can be filled from a place on. What fails is told by who reads there.
pub(super) fn fill(file: &File, mut at: u64, room: &mut [u8]) -> usize {
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

/// Looks at a file from a place on: at more each time, since most of what is searched for is near.
pub(super) struct Look {
    /// Where it looks next.
    pub(super) at: u64,
    room: Vec<u8>,
    /// Whether there was no more.
    pub(super) ended: bool,
}

impl Look {
    pub(super) fn new(at: u64) -> Look {
        Look {
            at,
            room: Vec::new(),
            ended: false,
        }
    }

    /// The next bytes and where they begin; the last `again` of them come again.
    pub(super) fn next(&mut self, file: &File, again: usize) -> (u64, &[u8]) {
        let len = (2 * self.room.len()).clamp(LOOK_MIN, LOOK_MAX);
        self.room.resize(len, 0);
        let (at, filled) = (self.at, fill(file, self.at, &mut self.room));
        self.ended = filled < len;
        self.at += filled.saturating_sub(again) as u64;
        (at, &self.room[..filled])
    }
}

/// So many bytes, if there are as many.
pub(super) fn bytes<const N: usize>(file: &File, at: u64) -> Option<[u8; N]> {
    let mut room = [0; N];
    (fill(file, at, &mut room) == N).then_some(room)
}

fn is_end(file: &File, at: u64) -> bool {
    matches!(file.read_at(&mut [0], at), Ok(0))
}

/// Where a member of gzip ends.
fn gzip(file: &File, at: u64) -> End {
    let Some(head) = bytes::<18>(file, at) else {
        return nothing_or_unknown(file, at);
    };
    if !head.starts_with(&GZIP) {
        return End::Unknown;
    }
    // With one field beside, of four bytes and two: BGZF.
    if head[3] == 4 && head[10..16] == [6, 0, b'B', b'C', 2, 0] {
        let len = u16::from_le_bytes([head[16], head[17]]);
        return End::At(at + u64::from(len) + 1);
    }
    search_gzip(file, at + head.len() as u64)
}

/// The next begin of a member of gzip, or the end of the file.
fn search_gzip(file: &File, from: u64) -> End {
    const BEGIN_LEN: usize = 10;
    // Bits of the flags that are reserved, how it was compressed, and on what system.
    let begins = |begin: &[u8]| {
        begin[3] & 0xe0 == 0 && matches!(begin[8], 0 | 2 | 4) && matches!(begin[9], 0..=13 | 255)
    };
    let finder = Finder::new(&GZIP);
    let mut look = Look::new(from);
    while look.at - from < SEARCH_MAX {
        let (at, room) = look.next(file, BEGIN_LEN - 1);
        let len = room.len();
        let mut found = finder.find_iter(room);
        let begin = found.find(|begin| len - begin >= BEGIN_LEN && begins(&room[*begin..]));
        if let Some(begin) = begin {
            return End::At(at + begin as u64);
        }
        if look.ended {
            // Whatever is left is of this member, as far as it is there to be read.
            let end = at + len as u64;
            return match is_end(file, end) {
                true => End::At(end),
                false => End::Unknown,
            };
        }
    }
    End::Unknown
}

pub(super) fn nothing_or_unknown(file: &File, at: u64) -> End {
    match is_end(file, at) {
        true => End::Nothing,
        false => End::Unknown,
    }
}

/// Where a skippable frame ends, as zstd and lz4 have them.
pub(super) fn skippable(file: &File, at: u64) -> Option<u64> {
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
    for _ in 0..BLOCKS_MAX {
        if end - at > PIECE_MAX {
            break;
        }
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
