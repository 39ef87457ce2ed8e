//! Keys as they are compared and ordered.

use std::cmp::Ordering;
use wireq_typesys::key::{KEY_ROOM, Layout};

/// A key as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// A number as the next one, of up to 64 bits: an address of IPv4, a port.
    Tiny(u64),
    /// Where there is a layout: what has a number in it. Else up to 15 bytes: padded with zeros, the length
    /// last.
    Short(Short),
    /// Up to 23 bytes, padded likewise.
    Medium(Medium),
    /// Up to 47 bytes, padded likewise.
    Large(Large),
    Long(&'a [u8]),
}

pub(super) type Short = [u64; 2];
pub(super) type Medium = [u64; 3];
pub(super) type Large = [u64; 6];

const SHORT_MAX: usize = 15;
const MEDIUM_MAX: usize = 23;
pub(super) const LARGE_MAX: usize = KEY_ROOM - 1;

/// A key and its number, as [`Groups::sorted`](super::Groups::sorted) gives them.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    key: Key<'a>,
    layout: Option<&'a Layout>,
    /// The number.
    pub number: u32,
}

impl<'a> Numbered<'a> {
    pub(super) fn new(key: Key<'a>, layout: Option<&'a Layout>, number: u32) -> Numbered<'a> {
        Numbered {
            key,
            layout,
            number,
        }
    }

    /// The bytes of the key; `buffer` is where they are put together.
    pub fn bytes<'b>(&'b self, buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
        self.key.bytes(self.layout, buffer)
    }

    /// Whether the key is a number, or padded as one.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.key, Key::Tiny(_) | Key::Short(_))
    }

    pub(super) fn cmp(&self, other: &Numbered<'_>) -> Ordering {
        self.key.order(&other.key, self.layout)
    }
}

/// Halves of a number.
#[inline(always)]
pub(super) fn halves(packed: u128) -> Short {
    [(packed >> 64) as u64, packed as u64]
}

pub(super) fn whole([high, low]: Short) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

pub(super) fn pack<const WORDS: usize>(bytes: &[u8]) -> [u64; WORDS] {
    let mut padded = [0; KEY_ROOM];
    padded[..bytes.len()].copy_from_slice(bytes);
    padded[WORDS * 8 - 1] = bytes.len() as u8;
    let mut words = [0; WORDS];
    for (word, chunk) in words.iter_mut().zip(padded.chunks_exact(8)) {
        *word = u64::from_be_bytes(chunk.try_into().expect("chunks of eight"));
    }
    words
}

fn unpack<'b>(words: &[u64], buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
    for (chunk, word) in buffer.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    let len = usize::from(buffer[words.len() * 8 - 1]);
    &buffer[..len.min(LARGE_MAX)]
}

impl Key<'_> {
    pub(super) fn bytes<'b>(
        &'b self,
        layout: Option<&Layout>,
        buffer: &'b mut [u8; KEY_ROOM],
    ) -> &'b [u8] {
        match (self, layout) {
            (Key::Tiny(low), Some(layout)) => layout.write((*low).into(), buffer),
            (Key::Tiny(low), None) => unpack(&[0, *low], buffer),
            (Key::Short(words), Some(layout)) => layout.write(whole(*words), buffer),
            (Key::Short(words), None) => unpack(words, buffer),
            (Key::Medium(words), _) => unpack(words, buffer),
            (Key::Large(words), _) => unpack(words, buffer),
            (Key::Long(bytes), _) => bytes,
        }
    }

    /// The order of the bytes.
    pub(super) fn order(&self, other: &Key<'_>, layout: Option<&Layout>) -> Ordering {
        match (self, other) {
            // Numbers and padded keys compare as their bytes do: no key is the beginning of another.
            (Key::Tiny(a), Key::Tiny(b)) => a.cmp(b),
            (Key::Tiny(_), Key::Short(_)) => Ordering::Less,
            (Key::Short(_), Key::Tiny(_)) => Ordering::Greater,
            (Key::Short(a), Key::Short(b)) => a.cmp(b),
            (Key::Medium(a), Key::Medium(b)) => a.cmp(b),
            (Key::Large(a), Key::Large(b)) => a.cmp(b),
            _ => self
                .bytes(layout, &mut [0; KEY_ROOM])
                .cmp(other.bytes(layout, &mut [0; KEY_ROOM])),
        }
    }

    /// What is a number, or padded as one.
    #[inline(always)]
    pub(super) fn number(words: Short) -> Key<'static> {
        match words {
            [0, low] => Key::Tiny(low),
            words => Key::Short(words),
        }
    }

    /// A key without a layout.
    pub(super) fn of(bytes: &[u8]) -> Key<'_> {
        if bytes.len() <= SHORT_MAX {
            Key::number(pack(bytes))
        } else {
            Key::without_place(bytes)
        }
    }

    /// A key that is not short.
    pub(super) fn without_place(bytes: &[u8]) -> Key<'_> {
        if bytes.len() <= MEDIUM_MAX {
            Key::Medium(pack(bytes))
        } else if bytes.len() <= LARGE_MAX {
            Key::Large(pack(bytes))
        } else {
            Key::Long(bytes)
        }
    }

    /// What [`Packed::next_wide`] gives.
    ///
    /// [`Packed::next_wide`]: wireq_typesys::key::Packed::next_wide
    #[inline(always)]
    pub(super) fn wide(words: Large) -> Key<'static> {
        let len = words[5] & 0xff;
        match len as usize {
            ..=MEDIUM_MAX => Key::Medium([words[0], words[1], words[2] | len]),
            _ => Key::Large(words),
        }
    }
}
