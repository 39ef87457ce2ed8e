//! What a capture format is, and which one a file has.

use super::{pcap, pcapng, snoop};
use crate::read::packed;
use crate::types::packet::{Beside, Frames};
use wireq_engine::Recognized;

/// The most bytes of one frame: a record that claims more is damage.
pub(super) const FRAME_MAX: u32 = 16 * 1024 * 1024;
/// The most bytes of one frame unless its link type has larger ones, as other programs have it.
pub(super) const FRAME_USUAL_MAX: u32 = 262_144;

/// A kind of capture files.
pub(super) struct Kind {
    /// Whether a file that begins so is one.
    pub(super) recognizes: fn(&[u8]) -> bool,
    /// How many bytes of a file are to be looked at to begin.
    pub(super) begin_len: usize,
    /// Begins reading: the format, and the length of the file's header.
    pub(super) begin: fn(&[u8]) -> Result<Begun, &'static str>,
}

/// What the begin of a file says.
pub(super) struct Begun {
    /// What reads the records.
    pub(super) format: Box<dyn Format>,
    /// Where they begin.
    pub(super) header_len: usize,
}

/// The formats that are known.
static KINDS: &[&Kind] = &[&pcap::KIND, &pcapng::KIND, &snoop::KIND];

/// The bytes that say which kind a file is.
pub(super) const MAGIC_LEN: usize = 8;

/// The kind of a file by its first bytes; a file of fewer than [`MAGIC_LEN`] may be given whole.
pub(super) fn kind_of(begin: &[u8]) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| (kind.recognizes)(begin)).copied()
}

/// What the first bytes of a file say of whether it is a capture.
pub(in crate::read) fn recognizes(begin: &[u8]) -> Recognized {
    match kind_of(begin) {
        Some(_) => Recognized::Surely,
        None if packed::is_packed(begin) => Recognized::Perhaps,
        None => Recognized::No,
    }
}

/// Reads the records of one file.
pub(super) trait Format: Send {
    /// Frames records from the current place of the window on, up to `rows_max` in all, and moves the
    /// place behind them. What else the format has between records is passed over.
    fn frames(&mut self, window: &mut Window<'_>, frames: &mut Frames, rows_max: usize) -> Step;

    /// Looks for the begin of a record from the current place on, where what stood there before was
    /// none.
    fn search(&mut self, window: &mut Window<'_>, budget: &mut Budget) -> Search;

    /// What it is called.
    fn name(&self) -> &'static str;

    /// What stood between the records before and those of the last call, where the frames say that it
    /// is to be kept: it ends a call where there are records before it.
    fn beside(&mut self) -> Option<Beside> {
        None
    }

    /// What was wrong with records that were delivered: reason, how often. Called at the end.
    fn faults(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// The bytes of a file that can be seen now.
pub(super) struct Window<'a> {
    /// All bytes of the block so far.
    pub(super) bytes: &'a [u8],
    /// The current place in it.
    pub(super) at: usize,
    /// Whether nothing comes behind these bytes.
    pub(super) at_end: bool,
    /// Bytes that were looked at besides those that are used.
    pub(super) looked: u64,
}

impl<'a> Window<'a> {
    /// The bytes from `at` on, if there are so many.
    #[inline(always)]
    pub(super) fn get(&self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.bytes.get(at..at.checked_add(len)?)
    }

    /// The bytes from the current place on.
    pub(super) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }
}

/// Why framing stopped.
pub(super) enum Step {
    /// There are as many rows as there may be.
    Full,
    /// So many bytes from the current place on are needed to go on.
    More(usize),
    /// What stands at the current place is no record.
    Damage(&'static str),
    /// So many bytes at the current place are none that can be used.
    Pass {
        /// How many.
        len: u64,
        /// Why.
        reason: &'static str,
        /// Whether they should not be there.
        damage: bool,
    },
}

/// What came of a search.
pub(super) enum Search {
    /// A record begins here.
    Found(usize),
    /// None begins before `at`, and to say more so many bytes from there on are needed.
    Open {
        /// The first place that is not ruled out.
        at: usize,
        /// The bytes from there on that are needed.
        need: usize,
    },
}

/// Bounds the work of searching: each place costs one look, and no more than another one on average
/// for those that may be a record.
#[derive(Default)]
pub(super) struct Budget {
    places: u64,
    looked: u64,
}

/// Bounds the work of what claims to be large and is not: it has to be read as far as it claims.
#[derive(Default)]
pub(super) struct Claims {
    lied: u64,
    passed: u64,
}

impl Claims {
    /// Counts bytes that were read.
    #[inline]
    pub(super) fn passed(&mut self, bytes: usize) {
        self.passed += bytes as u64;
    }

    /// Whether what claims so many bytes may be read on for.
    pub(super) fn may_claim(&self, bytes: usize) -> bool {
        bytes <= FRAME_USUAL_MAX as usize || self.lied <= self.passed
    }

    /// Counts a claim that was none.
    pub(super) fn lied(&mut self, bytes: usize) {
        if bytes > FRAME_USUAL_MAX as usize {
            self.lied += bytes as u64;
        }
    }
}

/// Looks that are free, so that short files are searched well.
const LOOKS_FREE: u64 = 4096;

impl Budget {
    /// Counts a place that is looked at.
    #[inline]
    pub(super) fn place(&mut self) {
        self.places += 1;
    }

    /// Whether so many bytes may be looked at besides; they are counted then.
    #[inline]
    pub(super) fn may_look(&mut self, bytes: usize) -> bool {
        let looked = self.looked + bytes as u64;
        if looked > self.places + LOOKS_FREE {
            return false;
        }
        self.looked = looked;
        true
    }

    /// The bytes looked at so far.
    pub(super) fn spent(&self) -> u64 {
        self.places + self.looked
    }
}

/// The four bytes at `at` as a number.
#[inline(always)]
pub(super) fn number<const BIG: bool>(bytes: &[u8], at: usize) -> u32 {
    let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if BIG {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}
