//! Which places of a text are worth a closer look.
//!
//! For each window a bit of a table is set, small enough for the first cache; where the bit of the
//! window at a place is not set, no pattern has a window there (a filter of this kind before
//! everything else: Choi and others, "DFC: Accelerating String Pattern Matching for Network
//! Applications", NSDI 2016). Places are gathered without a branch.

use super::window::{Kind, fold, fold_some, spread, value_at};

/// A filter of the windows of one kind.
pub(super) struct Filter {
    bits: Box<[u32]>,
    shift: u32,
    /// No window ends behind this place.
    until: usize,
}

/// So many bits for each window, that seldom another one meets its bit; fewer, where the table would
/// leave the first cache.
const BITS_A_WINDOW: usize = 64;
const BITS_A_WINDOW_MIN: usize = 16;
const BITS_MIN: u32 = 9;
const BITS_CACHED: u32 = 17;
const BITS_MAX: u32 = 20;

impl Filter {
    /// A filter for so many windows, none of which is in it yet.
    pub(super) fn new(windows: usize) -> Filter {
        let bits = |each: usize| (windows * each).max(1).ilog2() + 1;
        let bits = bits(BITS_A_WINDOW)
            .clamp(BITS_MIN, BITS_CACHED)
            .max(bits(BITS_A_WINDOW_MIN));
        let bits = bits.min(BITS_MAX);
        Filter {
            bits: vec![0; 1 << (bits - 5)].into(),
            shift: 32 - bits,
            until: 0,
        }
    }

    /// Adds a window, of a pattern that ends at `until` at the latest.
    pub(super) fn add(&mut self, value: u32, until: usize) {
        let bit = spread(value) >> self.shift;
        self.bits[(bit >> 5) as usize] |= 1 << (bit & 31);
        self.until = self.until.max(until);
    }

    /// Whether a window may have been added.
    #[inline(always)]
    pub(super) fn has(&self, value: u32) -> bool {
        let bit = spread(value) >> self.shift;
        self.bits[(bit >> 5) as usize] >> (bit & 31) & 1 != 0
    }

    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.bits)
    }

    /// The places of a text where windows of a kind may be, in `places`: how many.
    pub(super) fn places(&self, kind: Kind, text: &[u8], places: &mut Vec<u32>) -> usize {
        let text = &text[..text.len().min(self.until)];
        let most = text.len() / kind.step() + 1;
        if places.len() < most {
            places.resize(most, 0);
        }
        match kind {
            Kind::Quad => self.quads(text, places),
            Kind::Triple => self.triples(text, places),
            Kind::Pair => self.each::<2>(text, places),
            Kind::Pinned | Kind::Single => self.each::<1>(text, places),
        }
    }

    /// Of places of a text those where windows of a kind may be, in `kept`: how many.
    pub(super) fn keep(
        &self,
        kind: Kind,
        text: &[u8],
        places: &[u32],
        kept: &mut Vec<u32>,
    ) -> usize {
        if kept.len() < places.len() {
            kept.resize(places.len(), 0);
        }
        let mut count = 0;
        for at in places {
            kept[count] = *at;
            let value = value_at(text, *at as usize, kind.width());
            count += usize::from(value.is_some_and(|value| self.has(value)));
        }
        count
    }

    fn quads(&self, text: &[u8], places: &mut [u32]) -> usize {
        let mut count = 0;
        let mut at = 0;
        for four in text.as_chunks::<4>().0 {
            places[count] = at;
            count += usize::from(self.has(fold(*four)));
            at += 4;
        }
        count
    }

    fn triples(&self, text: &[u8], places: &mut [u32]) -> usize {
        let mut count = 0;
        let mut at = 0;
        while let Some(four) = text.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            places[count] = at as u32;
            count += usize::from(self.has(fold_some(*four, 3)));
            at += 2;
        }
        if let Some(value) = value_at(text, at, 3) {
            places[count] = at as u32;
            count += usize::from(self.has(value));
        }
        count
    }

    fn each<const WIDTH: usize>(&self, text: &[u8], places: &mut [u32]) -> usize {
        let mut count = 0;
        for (at, window) in text.windows(WIDTH).enumerate() {
            let mut four = [0; 4];
            four[..WIDTH].copy_from_slice(window);
            places[count] = at as u32;
            count += usize::from(self.has(fold_some(four, WIDTH)));
        }
        count
    }
}
