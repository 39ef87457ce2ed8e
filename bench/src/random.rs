//! Seeded random numbers: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
//! number generators", OOPSLA 2014). Integers only, so that a seed gives the same capture
//! on every machine.

/// A stream of random numbers that depends on its seed alone.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `0..bound`, or 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 64 by 64 bit product: uniform but for 1 part in 2^64 / bound.
        let product = u128::from(self.bits()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// Whether an event of this chance happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// A rank in `0..count`, the low ones popular: every power of two is equally likely,
    /// which is a staircase under Zipf's law with exponent 1.
    pub fn rank(&mut self, count: u64) -> u64 {
        let bits = u64::from(u64::BITS - count.leading_zeros());
        let start = (1 << self.below(bits)) - 1;
        (start + self.below(start + 1)).min(count.saturating_sub(1))
    }
}

/// Spreads `x` over all 64 bits, one to one.
#[must_use]
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_reference() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn ranks_stay_below_their_count_and_fall_in_popularity() {
        let mut random = Random::new(1);
        for count in [0, 1, 2, 3, 1000, u64::MAX >> 1, u64::MAX] {
            assert!((0..1000).all(|_| random.rank(count) <= count.saturating_sub(1)));
        }
        let ranks: Vec<u64> = (0..10_000).map(|_| random.rank(1000)).collect();
        let of = |rank| ranks.iter().filter(|&&r| r == rank).count();
        assert!(of(0) > of(3) && of(3) > of(200));
    }
}
