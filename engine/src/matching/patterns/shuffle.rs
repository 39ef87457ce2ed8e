//! Which places of a text are worth a closer look, by vector instructions: for some dozens of short
//! windows.
//!
//! The windows are in eight buckets. For each byte of a window two tables of 16 entries, by the low
//! and the high half of the byte, say which buckets have such a byte there; a shuffle of bytes looks
//! up 32 places at once, and a place is worth a look where a bucket is left over all bytes (Teddy
//! of Hyperscan: Wang and others, "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs",
//! NSDI 2019).

use super::window::fold;

/// How many bytes of a window are looked at; of shorter ones any byte stands behind.
const WIDTH: usize = 3;
/// So many windows in one bucket are told from others well enough.
const IN_BUCKET: usize = 4;
const BUCKETS: usize = 8;
/// So many windows at most are looked for at a time.
pub(super) const WINDOWS: usize = IN_BUCKET * BUCKETS;

/// Tables for some windows.
pub(super) struct Shuffle {
    /// By byte of the window and half of the byte, the buckets; each table twice, side by side.
    low: [[u8; 32]; WIDTH],
    high: [[u8; 32]; WIDTH],
}

impl Shuffle {
    /// Tables for windows, as folded values with how many bytes they have, in order; none where the
    /// processor has no such instructions.
    pub(super) fn new(windows: &[(u32, u8)]) -> Option<Shuffle> {
        if !is_there() {
            return None;
        }
        let mut shuffle = Shuffle {
            low: [[0; 32]; WIDTH],
            high: [[0; 32]; WIDTH],
        };
        for (at, (value, width)) in windows.iter().enumerate() {
            let bucket = 1 << (at / IN_BUCKET % BUCKETS);
            for byte in 0..WIDTH {
                let wanted = (value >> (8 * byte)) as u8;
                let any = byte >= usize::from(*width);
                for half in 0..16u8 {
                    // Bytes of the text are not folded, so a half stands for what it is folded to.
                    let high = fold([half << 4, 0, 0, 0]) as u8 >> 4;
                    let low = half == wanted & 15 || any;
                    let high = high == wanted >> 4 || any;
                    for table in [usize::from(half), usize::from(half) + 16] {
                        set(&mut shuffle.low[byte][table], bucket, low);
                        set(&mut shuffle.high[byte][table], bucket, high);
                    }
                }
            }
        }
        Some(shuffle)
    }

    /// The places of a text where windows may be, in `places`: how many. Among them may be places
    /// from which the text has fewer bytes than a window.
    pub(super) fn places(&self, text: &[u8], places: &mut Vec<u32>) -> usize {
        if places.len() < text.len() {
            places.resize(text.len(), 0);
        }
        self.all(text, places)
    }
}

fn set(buckets: &mut u8, bucket: u8, yes: bool) {
    *buckets |= if yes { bucket } else { 0 };
}

/// So many places are looked at at once, and so many bytes with them.
const LANES: usize = 32;
const BLOCK: usize = LANES + WIDTH - 1;

/// Puts the places of bits, which count from a place.
#[inline(always)]
fn gather(mut bits: u32, at: usize, places: &mut [u32]) -> usize {
    let mut count = 0;
    while bits != 0 {
        places[count] = at as u32 + bits.trailing_zeros();
        bits &= bits - 1;
        count += 1;
    }
    count
}

#[cfg(target_arch = "x86_64")]
fn is_there() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn is_there() -> bool {
    false
}

impl Shuffle {
    #[cfg(target_arch = "x86_64")]
    #[allow(
        unsafe_code,
        reason = "vector instructions that not every processor has"
    )]
    fn all(&self, text: &[u8], places: &mut [u32]) -> usize {
        // SAFETY: there is no `Shuffle` where the processor does not have AVX2, see `new`.
        unsafe { self.all_avx2(text, places) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn all(&self, text: &[u8], places: &mut [u32]) -> usize {
        let all = (0..text.len() as u32).zip(&mut *places);
        all.for_each(|(at, place)| *place = at);
        text.len()
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn all_avx2(&self, text: &[u8], places: &mut [u32]) -> usize {
        let mut count = 0;
        let mut at = 0;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
            count += gather(self.block_avx2(block), at, &mut places[count..]);
            at += LANES;
        }
        // What is left is less than a block: one or two whose last places are behind the text.
        while at < text.len() {
            let len = (text.len() - at).min(BLOCK);
            let mut block = [0; BLOCK];
            block[..len].copy_from_slice(&text[at..at + len]);
            let inside = u32::MAX >> (LANES - len.min(LANES));
            count += gather(self.block_avx2(&block) & inside, at, &mut places[count..]);
            at += LANES;
        }
        count
    }

    /// The places of a block where windows may be, as bits.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    #[allow(unsafe_code, reason = "loads that need not be aligned")]
    fn block_avx2(&self, block: &[u8; BLOCK]) -> u32 {
        use std::arch::x86_64::*;
        let half = _mm256_set1_epi8(15);
        let mut buckets = _mm256_set1_epi8(-1);
        for byte in 0..WIDTH {
            let here = &block[byte..byte + LANES];
            let (low, high) = (&self.low[byte], &self.high[byte]);
            // SAFETY: each of the three has 32 bytes, and these loads need no alignment.
            let (text, low, high) = unsafe {
                (
                    _mm256_loadu_si256(here.as_ptr().cast()),
                    _mm256_loadu_si256(low.as_ptr().cast()),
                    _mm256_loadu_si256(high.as_ptr().cast()),
                )
            };
            let below = _mm256_shuffle_epi8(low, _mm256_and_si256(text, half));
            let above = _mm256_and_si256(_mm256_srli_epi16(text, 4), half);
            let above = _mm256_shuffle_epi8(high, above);
            buckets = _mm256_and_si256(buckets, _mm256_and_si256(below, above));
        }
        let none = _mm256_cmpeq_epi8(buckets, _mm256_setzero_si256());
        !(_mm256_movemask_epi8(none) as u32)
    }
}
