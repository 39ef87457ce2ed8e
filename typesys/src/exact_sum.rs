//! Sums of doubles that do not depend on the order of addition.

/// The exact sum of doubles, rounded once, when asked. Neither batches nor threads show in it.
///
/// Source: the superaccumulator of Neal, "Fast exact summation using small and large
/// superaccumulators" (2015), with only the chunks that are in use kept. Chunk `i` counts in
/// units of 2^(32 i - 1088); a double covers at most three.
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// Chunk numbers, ascending, and their values. Each is kept within 32 bits by carrying
    /// before 2^30 additions can overflow it.
    chunks: Vec<(i16, i64)>,
    additions: u32,
    positive_infinities: u64,
    negative_infinities: u64,
    nans: u64,
}

const UNIT: i32 = 1088;
const CARRY_AFTER: u32 = 1 << 29;

impl ExactSum {
    /// Adds a double.
    pub fn add(&mut self, double: f64) {
        if !double.is_finite() {
            match double {
                f64::INFINITY => self.positive_infinities += 1,
                f64::NEG_INFINITY => self.negative_infinities += 1,
                _ => self.nans += 1,
            }
            return;
        }
        let bits = double.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i32;
        let mantissa = bits & ((1 << 52) - 1) | if exponent == 0 { 0 } else { 1 << 52 };
        if mantissa != 0 {
            self.add_scaled(
                u128::from(mantissa),
                exponent.max(1) - 1075,
                bits >> 63 == 1,
            );
        }
    }

    /// Adds an integer.
    pub fn add_integer(&mut self, integer: i128) {
        let size = integer.unsigned_abs();
        let half = |part: u128| part & u128::from(u64::MAX);
        self.add_scaled(half(size), 0, integer < 0);
        self.add_scaled(size >> 64, 64, integer < 0);
    }

    /// Adds `size * 2^exponent`; `size` has at most 64 bits.
    fn add_scaled(&mut self, size: u128, exponent: i32, negative: bool) {
        if self.additions >= CARRY_AFTER {
            self.carry();
        }
        self.additions += 1;
        let at = exponent + UNIT;
        let mut rest = size << (at % 32);
        let mut chunk = (at / 32) as i16;
        while rest != 0 {
            let part = (rest & 0xffff_ffff) as i64;
            if part != 0 {
                *self.chunk(chunk) += if negative { -part } else { part };
            }
            rest >>= 32;
            chunk += 1;
        }
    }

    /// About how many bytes it takes beyond its own size.
    pub fn memory(&self) -> usize {
        self.chunks.capacity() * size_of::<(i16, i64)>()
    }

    fn chunk(&mut self, number: i16) -> &mut i64 {
        let at = match self.chunks.binary_search_by_key(&number, |(n, _)| *n) {
            Ok(at) => at,
            Err(at) => {
                self.chunks.insert(at, (number, 0));
                at
            }
        };
        &mut self.chunks[at].1
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &ExactSum) {
        let mut other = other.clone();
        other.carry();
        self.carry();
        for (number, value) in other.chunks {
            *self.chunk(number) += value;
        }
        self.additions += 1;
        self.positive_infinities += other.positive_infinities;
        self.negative_infinities += other.negative_infinities;
        self.nans += other.nans;
    }

    /// Brings every chunk but the highest into 0..2^32, so that the sum has one form only.
    fn carry(&mut self) {
        self.additions = 0;
        let mut at = 0;
        while at < self.chunks.len() {
            let (number, value) = self.chunks[at];
            let (low, high) = (value & 0xffff_ffff, value >> 32);
            if high != 0 && !(high == -1 && at + 1 == self.chunks.len()) {
                self.chunks[at].1 = low;
                *self.chunk(number + 1) += high;
            }
            at += 1;
        }
        self.chunks.retain(|(_, value)| *value != 0);
    }

    /// The sum, rounded to the nearest double (ties to even).
    pub fn value(&self) -> f64 {
        if self.nans > 0 || self.positive_infinities > 0 && self.negative_infinities > 0 {
            return f64::NAN;
        }
        if self.positive_infinities > 0 {
            return f64::INFINITY;
        }
        if self.negative_infinities > 0 {
            return f64::NEG_INFINITY;
        }
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.chunks.last().is_some_and(|(_, value)| *value < 0);
        if negative {
            sum.chunks
                .iter_mut()
                .for_each(|(_, value)| *value = -*value);
            sum.carry();
        }
        let size = round(&sum.chunks);
        if negative { -size } else { size }
    }

    /// The chunks in their one form, for a snapshot: two sums are equal if these are.
    pub fn parts(&self) -> (Vec<(i16, i64)>, [u64; 3]) {
        let mut sum = self.clone();
        sum.carry();
        (
            sum.chunks,
            [
                self.positive_infinities,
                self.negative_infinities,
                self.nans,
            ],
        )
    }

    /// A sum from the parts of a snapshot.
    pub fn from_parts(chunks: Vec<(i16, i64)>, specials: [u64; 3]) -> ExactSum {
        let mut sum = ExactSum {
            positive_infinities: specials[0],
            negative_infinities: specials[1],
            nans: specials[2],
            ..ExactSum::default()
        };
        for (number, value) in chunks {
            *sum.chunk(number) = value;
        }
        sum
    }
}

/// Rounds carried, non-negative chunks.
fn round(chunks: &[(i16, i64)]) -> f64 {
    let Some((top, _)) = chunks.last() else {
        return 0.0;
    };
    // The leading four chunks hold at least 97 significant bits: 53 and enough to round.
    let (mut lead, mut sticky) = (0u128, false);
    for (number, value) in chunks.iter().rev() {
        let below = i32::from(top - number);
        if below < 4 {
            lead |= (*value as u128) << (32 * (3 - below));
        } else {
            sticky = true;
        }
    }
    let bits = 128 - lead.leading_zeros() as i32;
    let exponent = (i32::from(*top) - 3) * 32 - UNIT;
    // The lowest exponent of a double is that of the subnormal numbers.
    let drop = (bits - 53).max(-1074 - exponent).max(0);
    let mut mantissa = if drop >= 128 { 0 } else { lead >> drop };
    if drop > 0 {
        let rest = if drop >= 128 {
            lead
        } else {
            lead & ((1 << drop) - 1)
        };
        let half = 1u128 << (drop - 1).min(127);
        if rest > half || rest == half && (sticky || mantissa & 1 == 1) {
            mantissa += 1;
        }
    }
    scale(mantissa as f64, exponent + drop)
}

/// `number * 2^exponent` for a number of at most 53 bits: exact, or infinite.
fn scale(number: f64, exponent: i32) -> f64 {
    let mut result = number;
    let mut rest = exponent;
    while rest > 0 {
        let step = rest.min(1000);
        result *= f64::powi(2.0, step);
        rest -= step;
    }
    while rest < 0 {
        let step = (-rest).min(1000);
        result *= f64::powi(2.0, -step);
        rest += step;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    #[test]
    fn one_value_is_itself() {
        for value in [
            0.0,
            1.0,
            -1.0,
            0.1,
            5e-324,
            -5e-324,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
            1e-310,
            123456.789,
        ] {
            assert_eq!(sum(&[value]), value, "{value:e}");
        }
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0]), 1.0);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, 5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[3e-324, 3e-324]), 1e-323);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        let mut integers = ExactSum::default();
        integers.add_integer(i128::MAX);
        integers.add_integer(1);
        integers.add_integer(-7);
        integers.add(-170_141_183_460_469_231_731_687_303_715_884_105_728.0);
        assert_eq!(integers.value(), -7.0);
    }

    #[test]
    fn order_and_grouping_do_not_show() {
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 11
        };
        for _ in 0..200 {
            let values: Vec<f64> = (0..40)
                .map(|_| (next() as f64 - 4.5e15) * f64::powi(2.0, (next() % 120) as i32 - 100))
                .collect();
            let whole = sum(&values);
            let backwards: Vec<f64> = values.iter().rev().copied().collect();
            assert_eq!(sum(&backwards), whole);
            let at = (next() % 40) as usize;
            let (mut left, mut right) = (ExactSum::default(), ExactSum::default());
            values[..at].iter().for_each(|v| left.add(*v));
            values[at..].iter().for_each(|v| right.add(*v));
            left.merge(&right);
            assert_eq!(left.value(), whole);
            let (chunks, specials) = left.parts();
            assert_eq!(ExactSum::from_parts(chunks, specials).value(), whole);
        }
    }
}
