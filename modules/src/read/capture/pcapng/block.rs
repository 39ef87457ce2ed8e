//! Blocks: their types, their heads, and what a likely one looks like.

use crate::read::capture::format::number;

/// Types of blocks.
pub(crate) mod types {
    pub const SECTION: u32 = 0x0a0d_0d0a;
    pub const INTERFACE: u32 = 1;
    pub const OLD: u32 = 2;
    pub const SIMPLE: u32 = 3;
    pub const NAMES: u32 = 4;
    pub const STATISTICS: u32 = 5;
    pub const ENHANCED: u32 = 6;
    pub const SECRETS: u32 = 10;
    pub const CUSTOM: u32 = 0x0bad;
    pub const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
    const JOURNAL: u32 = 9;

    /// Those of packets.
    pub const OF_PACKETS: [u32; 3] = [ENHANCED, SIMPLE, OLD];

    /// Blocks without packets that are known.
    pub const KEPT: [u32; 6] = [
        NAMES,
        STATISTICS,
        SECRETS,
        CUSTOM,
        CUSTOM_NOT_COPIED,
        JOURNAL,
    ];
}

/// The most bytes of a block: a packet of the most bytes, with options.
pub(super) const BLOCK_MAX: u32 = 16 * 1024 * 1024 + 256 * 1024;

/// The head of a block: its type and length.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: u32,
    pub(super) length: u32,
}

/// The four bytes at `at` as a number, away from the loop over all packets; 0 where they are not
/// there.
pub(crate) fn any_number(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    match bytes.get(at..at + 4) {
        Some(bytes) if big_endian => number::<true>(bytes, 0),
        Some(bytes) => number::<false>(bytes, 0),
        None => 0,
    }
}

/// The two bytes at `at` as a number; 0 where they are not there.
pub(crate) fn any_short(bytes: &[u8], at: usize, big_endian: bool) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[first, second]) if big_endian => u16::from_be_bytes([first, second]),
        Some(&[first, second]) => u16::from_le_bytes([first, second]),
        _ => 0,
    }
}

/// The order of bytes that a section header tells; none where it is damaged.
pub(crate) fn order(bytes: &[u8]) -> Option<bool> {
    match *bytes.first_chunk::<4>()? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        _ => None,
    }
}

impl Head {
    pub(super) fn read(bytes: &[u8], big_endian: bool) -> Head {
        Head {
            kind: any_number(bytes, 0, big_endian),
            length: any_number(bytes, 4, big_endian),
        }
    }

    /// Whether a block may have this type and length.
    pub(super) fn is_likely(self) -> bool {
        let least = match self.kind {
            types::ENHANCED | types::OLD => 32,
            types::SECTION => 28,
            types::INTERFACE | types::SECRETS => 20,
            types::SIMPLE | types::CUSTOM | types::CUSTOM_NOT_COPIED => 16,
            types::STATISTICS => 24,
            kind if types::KEPT.contains(&kind) => 12,
            _ => return false,
        };
        (least..=BLOCK_MAX).contains(&self.length)
    }
}

/// Whether a block that damage did not touch may begin with these eight bytes.
pub(super) fn is_likely(bytes: &[u8], big_endian: bool) -> bool {
    // The length of a section may be in the other order.
    bytes.starts_with(&types::SECTION.to_be_bytes()) || Head::read(bytes, big_endian).is_likely()
}
