//! The short pieces of patterns that texts are searched for first.
//!
//! A text is not looked at byte by byte. Of a pattern of seven bytes or more some four windows of
//! four bytes stand side by side; wherever the pattern is in a text, one of them begins at a place
//! that is a multiple of four, and so only these places are looked at (the way of Wu and Manber, "A
//! fast algorithm for multi-pattern searching", 1994, with a step that is the same for all). Shorter
//! patterns need shorter windows and shorter steps. The windows chosen are those that are likely
//! to be rare in traffic.

/// How a pattern is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// It begins at one of a few places, or is the whole text.
    Pinned,
    /// Windows of four bytes at each fourth place.
    Quad,
    /// Windows of three bytes at each second place.
    Triple,
    /// Windows of two bytes at each place.
    Pair,
    /// One byte at each place.
    Single,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [
        Kind::Pinned,
        Kind::Quad,
        Kind::Triple,
        Kind::Pair,
        Kind::Single,
    ];

    /// That of a pattern of some length which may be anywhere.
    pub(super) fn of(len: usize) -> Kind {
        match len {
            0..=1 => Kind::Single,
            2..=3 => Kind::Pair,
            4..=6 => Kind::Triple,
            _ => Kind::Quad,
        }
    }

    /// How many bytes a window has.
    pub(super) fn width(self) -> usize {
        match self {
            Kind::Pinned | Kind::Quad => 4,
            Kind::Triple => 3,
            Kind::Pair => 2,
            Kind::Single => 1,
        }
    }

    /// How far the places that are looked at are from each other.
    pub(super) fn step(self) -> usize {
        match self {
            Kind::Quad => 4,
            Kind::Triple => 2,
            Kind::Pinned | Kind::Pair | Kind::Single => 1,
        }
    }
}

/// Patterns that may begin at so many places at most are looked for at these alone.
pub(super) const PINS_MAX: usize = 4;

/// Windows of letters of either case are the same; so are those of some other bytes.
const FOLD: u32 = 0x2020_2020;

/// The value of a window of up to four bytes.
#[inline(always)]
pub(super) fn fold(window: [u8; 4]) -> u32 {
    u32::from_le_bytes(window) | FOLD
}

/// The same for the first `width` bytes alone.
#[inline(always)]
pub(super) fn fold_some(window: [u8; 4], width: usize) -> u32 {
    fold(window) & (u32::MAX >> (32 - 8 * width as u32))
}

/// The value of the window of `width` bytes at a place, which is within the text.
#[inline(always)]
pub(super) fn value_at(text: &[u8], at: usize, width: usize) -> Option<u32> {
    let rest = text.get(at..)?;
    if let Some(four) = rest.first_chunk::<4>() {
        return Some(fold_some(*four, width));
    }
    let mut four = [0; 4];
    let some = rest.get(..width)?;
    four[..width].copy_from_slice(some);
    Some(fold_some(four, width))
}

/// What a window is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// Of one that may be anywhere its bytes, of a pinned one a hash of them with place and width.
    pub(super) value: u32,
}

impl Key {
    pub(super) fn floating(kind: Kind, value: u32) -> Key {
        Key { kind, value }
    }

    /// Of a window of some bytes at one place.
    #[inline(always)]
    pub(super) fn pinned(place: usize, width: usize, value: u32) -> Key {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let all = (place as u64) << 36 ^ (width as u64) << 32 ^ u64::from(value);
        let wide = u128::from(all ^ FACTOR) * u128::from(FACTOR);
        Key {
            kind: Kind::Pinned,
            value: ((wide as u64) ^ (wide >> 64) as u64) as u32,
        }
    }
}

/// The width of a window that is a whole text: its place is how long the text is.
pub(super) const WHOLE: u8 = 0;

impl Key {
    /// Of a whole text.
    #[inline]
    pub(super) fn whole(text: &[u8]) -> Key {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |all: u64, word: u64| {
            let wide = u128::from(all ^ word) * u128::from(FACTOR);
            (wide as u64) ^ (wide >> 64) as u64
        };
        let fold = |word: u64| word | u64::from(FOLD) << 32 | u64::from(FOLD);
        let mut words = text.chunks_exact(8);
        let mut all = text.len() as u64 ^ FACTOR;
        for word in &mut words {
            all = mix(
                all,
                fold(word.iter().fold(0, |all, byte| all << 8 | u64::from(*byte))),
            );
        }
        let rest = words.remainder().iter();
        let all = mix(
            all,
            fold(rest.fold(0, |all, byte| all << 8 | u64::from(*byte))),
        );
        Key {
            kind: Kind::Pinned,
            value: (all >> 32) as u32,
        }
    }
}

/// About how rare a byte is in what traffic carries: of how many bits it tells. Zeros and letters
/// are many, and the text of requests more than that of books.
fn rarity(byte: u8) -> u32 {
    match byte | FOLD as u8 {
        b' ' => 3,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'c' | b'0' | b'1' => 4,
        b'a'..=b'z' => 5,
        b'/' | b'.' | b':' | b'=' | b'-' | b'*' | b'!' | b'"' | b'\'' | b'2'..=b'9' => 5,
        0xff => 5,
        b',' | b';' | b'&' | b'?' | b'(' | b')' | b'#' | b'$' | b'%' | b'<' | b'>' => 6,
        _ => 8,
    }
}

/// The same for bytes one after the other; where one is like that before it, it hardly counts.
pub(super) fn rarity_of(bytes: &[u8]) -> u32 {
    let mut last = None;
    let of = |byte: &u8| {
        let folded = byte | FOLD as u8;
        let same = last.replace(folded) == Some(folded);
        if same { 1 } else { rarity(*byte) }
    };
    bytes.iter().map(of).sum()
}

/// How often windows are met among the patterns themselves: what is in many of them is in much of
/// the traffic too.
pub(super) struct Common(Vec<u16>);

/// So many counters; windows may share one.
const COUNTERS_BITS: u32 = 16;

impl Common {
    pub(super) fn new() -> Common {
        Common(vec![0; 1 << COUNTERS_BITS])
    }

    fn place(window: &[u8]) -> usize {
        let value = value_at(window, 0, window.len()).unwrap_or(0);
        (spread(value) >> (32 - COUNTERS_BITS)) as usize
    }

    pub(super) fn add(&mut self, bytes: &[u8], width: usize) {
        for window in bytes.windows(width) {
            let count = &mut self.0[Common::place(window)];
            *count = count.saturating_add(1);
        }
    }

    fn cost(&self, window: &[u8]) -> u64 {
        let met = u64::from(self.0[Common::place(window)]);
        ((1 << 40) >> rarity_of(window).min(40)) * (1 + met)
    }

    /// Whether among the windows that a pattern is looked for by is one byte again and again.
    pub(super) fn has_run(&self, bytes: &[u8], kind: Kind) -> bool {
        let chosen = &bytes[self.choose(bytes, kind)..];
        let mut windows = chosen.windows(kind.width()).take(kind.step());
        let folded = |byte: &u8| byte | FOLD as u8;
        windows.any(|window| window.iter().all(|byte| folded(byte) == folded(&window[0])))
    }

    /// Where the windows begin that a pattern is looked for by: a `kind.step()` of them from here
    /// on, the rarest that there are.
    pub(super) fn choose(&self, bytes: &[u8], kind: Kind) -> usize {
        let (width, step) = (kind.width(), kind.step());
        let last = bytes.len().saturating_sub(width + step - 1);
        let cost = |from: &usize| -> u64 {
            let windows = bytes[*from..].windows(width).take(step);
            windows.map(|window| self.cost(window)).sum()
        };
        (0..=last).min_by_key(cost).unwrap_or(0)
    }
}

/// Spreads a value over 32 bits, of which the high ones are used.
#[inline(always)]
pub(super) fn spread(value: u32) -> u32 {
    value.wrapping_mul(0x9e37_79b1)
}
