//! Many byte patterns by a few bytes of each.
//!
//! Each pattern is known by four of its bytes (all, where it has fewer): those that are rarest in
//! traffic and that the fewest other patterns are known by. At each byte of a text the bytes from there
//! on are folded to one case, hashed, and looked up in a bitmap that stays in the first cache; where
//! its bit is set, the patterns known by these bytes are compared as a whole. The look-ups do not
//! depend on each other as the steps of an automaton do, and nearly all end at the bitmap. (Wu and
//! Manber, "A fast algorithm for multi-pattern searching", 1994, without its shifts: contents of rules
//! are too short for these to be worth a branch.)

use super::patterns::Pattern;
use hashbrown::HashMap;

/// The most bytes that a pattern is known by.
const BYTES_MAX: usize = 4;

/// Makes letters of both cases equal, and other bytes some that are not: comparing tells them apart.
const FOLD: u32 = 0x2020_2020;

/// Patterns known by so many bytes each.
struct Lane {
    bytes: usize,
    mask: u32,
    shift: u32,
    bitmap: Vec<u64>,
    /// By the leading bits of a hash, where its hashes begin.
    tops: Vec<u32>,
    top_shift: u32,
    /// Hashes in ascending order, with where their patterns begin; one more at the end.
    hashes: Vec<(u32, u32)>,
    /// Patterns by the hash of what they are known by.
    known: Vec<Known>,
}

/// A pattern where it stands among those known by the same hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    pattern: u32,
    /// How many of its bytes stand before those that it is known by.
    before: u32,
    /// These bytes, under a mask that leaves out the case of letters where that is no matter.
    word: u32,
    mask: u32,
}

impl Known {
    fn new(pattern: u32, before: u32, window: &[u8], nocase: bool) -> Known {
        let mut mask = [0; BYTES_MAX];
        for (mask, byte) in mask.iter_mut().zip(window) {
            let folds = nocase && byte.is_ascii_alphabetic();
            *mask = if folds { 0xdf } else { 0xff };
        }
        let mask = u32::from_le_bytes(mask);
        Known {
            pattern,
            before,
            word: load(window) & mask,
            mask,
        }
    }
}

/// A pattern, with the numbers of all those given that are the same.
struct Different {
    bytes: Box<[u8]>,
    nocase: bool,
    numbers: Vec<u32>,
}

/// A matcher of patterns that are not empty.
pub(super) struct Fingerprints {
    patterns: Vec<Different>,
    lanes: Vec<Lane>,
}

/// About how common a byte is in traffic.
fn commonness(byte: u8) -> u32 {
    match byte | 0x20 {
        // Zero, and the space.
        0x20 => 12,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 6,
        b'.' | b'/' | b'-' | b'=' | b':' | 0xff => 5,
        b'a'..=b'z' | b'0'..=b'9' => 4,
        _ => 1,
    }
}

fn load(bytes: &[u8]) -> u32 {
    let mut word = [0; BYTES_MAX];
    let len = bytes.len().min(BYTES_MAX);
    word[..len].copy_from_slice(&bytes[..len]);
    u32::from_le_bytes(word)
}

impl Fingerprints {
    pub(super) fn new(patterns: &[Pattern]) -> Fingerprints {
        let mut different: Vec<Different> = Vec::new();
        let mut places: HashMap<(Vec<u8>, bool), usize> = HashMap::new();
        for (pattern, number) in patterns.iter().zip(0..) {
            if pattern.bytes.is_empty() {
                continue;
            }
            let bytes = match pattern.nocase {
                true => pattern.bytes.to_ascii_lowercase(),
                false => pattern.bytes.clone(),
            };
            let place = places.entry((bytes, pattern.nocase));
            let at = *place.or_insert_with_key(|(bytes, nocase)| {
                different.push(Different {
                    bytes: bytes.as_slice().into(),
                    nocase: *nocase,
                    numbers: Vec::new(),
                });
                different.len() - 1
            });
            different[at].numbers.push(number);
        }
        let lanes = (1..=BYTES_MAX).filter_map(|bytes| Lane::new(bytes, &different));
        Fingerprints {
            lanes: lanes.collect(),
            patterns: different,
        }
    }

    /// Calls `found` with the number of a pattern and one past its last byte, for every occurrence.
    pub(super) fn scan(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        for lane in &self.lanes {
            lane.scan(text, |pattern, start| {
                let pattern = &self.patterns[pattern as usize];
                let end = start + pattern.bytes.len();
                let Some(here) = text.get(start..end) else {
                    return;
                };
                // What a pattern is known by was compared already.
                let same = match pattern.nocase {
                    _ if pattern.bytes.len() == lane.bytes => true,
                    true => here.eq_ignore_ascii_case(&pattern.bytes),
                    false => *here == *pattern.bytes,
                };
                if same {
                    let numbers = pattern.numbers.iter();
                    numbers.for_each(|number| found(*number, end));
                }
            });
        }
    }
}

impl Lane {
    /// The lane of the patterns that are known by so many bytes; none where there are no such.
    fn new(bytes: usize, patterns: &[Different]) -> Option<Lane> {
        let mine = |pattern: &Different| pattern.bytes.len().min(BYTES_MAX) == bytes;
        let count = patterns.iter().filter(|pattern| mine(pattern)).count();
        if count == 0 {
            return None;
        }
        // So few bits are set that most bytes of any text end at the bitmap.
        let bits = (count * 32).next_power_of_two().ilog2().clamp(14, 22);
        let mask = u32::MAX >> (8 * (BYTES_MAX - bytes));
        let hash = |word: u32| ((word | FOLD) & mask).wrapping_mul(0x9e37_79b1) >> (32 - bits);
        let mut by_hash: HashMap<u32, Vec<Known>> = HashMap::new();
        for (pattern, number) in patterns.iter().zip(0..).filter(|(p, _)| mine(p)) {
            let windows = pattern.bytes.windows(bytes).zip(0..);
            let cost = |(window, _): &(&[u8], u32)| {
                let others = by_hash.get(&hash(load(window))).map_or(0, Vec::len);
                let common: u32 = window.iter().map(|byte| commonness(*byte)).sum();
                common + 8 * others as u32
            };
            if let Some((window, before)) = windows.min_by_key(cost) {
                let known = by_hash.entry(hash(load(window))).or_default();
                known.push(Known::new(number, before, window, pattern.nocase));
            }
        }
        let mut lane = Lane {
            bytes,
            mask,
            shift: 32 - bits,
            bitmap: vec![0; 1 << (bits - 6)],
            tops: Vec::new(),
            top_shift: bits.saturating_sub(12),
            hashes: Vec::new(),
            known: Vec::new(),
        };
        let mut by_hash: Vec<(u32, Vec<Known>)> = by_hash.into_iter().collect();
        by_hash.sort_unstable();
        for (hash, known) in by_hash {
            lane.bitmap[hash as usize >> 6] |= 1 << (hash & 63);
            lane.hashes.push((hash, lane.known.len() as u32));
            lane.known.extend(known);
        }
        let tops = 1u32 << (bits - lane.top_shift);
        let below = |top: u32| {
            let first = u64::from(top) << lane.top_shift;
            let at = lane
                .hashes
                .partition_point(|(hash, _)| u64::from(*hash) < first);
            at as u32
        };
        lane.tops = (0..=tops).map(below).collect();
        lane.hashes.push((u32::MAX, lane.known.len() as u32));
        Some(lane)
    }

    #[inline(always)]
    fn hash(&self, word: u32) -> u32 {
        ((word | FOLD) & self.mask).wrapping_mul(0x9e37_79b1) >> self.shift
    }

    #[inline(always)]
    fn is_known(&self, hash: u32) -> bool {
        self.bitmap[hash as usize >> 6] >> (hash & 63) & 1 != 0
    }

    /// Calls `may` with each pattern that may be in a text, and where it would begin.
    #[inline(always)]
    fn scan(&self, text: &[u8], mut may: impl FnMut(u32, usize)) {
        let mut at = 0;
        for window in text.windows(BYTES_MAX) {
            let word = u32::from_le_bytes([window[0], window[1], window[2], window[3]]);
            let hash = self.hash(word);
            if self.is_known(hash) {
                self.each(hash, word, at, &mut may);
            }
            at += 1;
        }
        // The last bytes, which no four stand at.
        while at + self.bytes <= text.len() {
            let word = load(&text[at..]);
            let hash = self.hash(word);
            if self.is_known(hash) {
                self.each(hash, word, at, &mut may);
            }
            at += 1;
        }
    }

    #[inline(never)]
    fn each(&self, hash: u32, word: u32, at: usize, may: &mut impl FnMut(u32, usize)) {
        let top = (hash >> self.top_shift) as usize;
        let (from, to) = (self.tops[top] as usize, self.tops[top + 1] as usize);
        for pair in self.hashes[from..=to].windows(2) {
            if pair[0].0 != hash {
                continue;
            }
            for known in &self.known[pair[0].1 as usize..pair[1].1 as usize] {
                let start = at.checked_sub(known.before as usize);
                if let (Some(start), true) = (start, word & known.mask == known.word) {
                    may(known.pattern, start);
                }
            }
        }
    }
}
