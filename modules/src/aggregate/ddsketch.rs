//! DDSketch: quantiles to within 1 % of the value, in bounded memory.
//!
//! Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
//! relative-error guarantees" (2019), with the buckets in one store from the most negative to the
//! greatest, of which the lowest are collapsed.

use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// One sketch. Sketches of parts merge to that of the whole, in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct DdSketch {
    /// Buckets in ascending order, and how many values are in them.
    buckets: Vec<(i32, u64)>,
}

/// The most buckets. More make one of the two lowest: what is kept are always the highest ones of
/// all that there were, so that the order of the values does not show.
const BUCKETS_MAX: usize = 2048;

/// Buckets for each power of two: each is 2^(1/35) = 1.02 times as wide as the one below, and
/// what stands for it is within 0.99 % of all in it.
const PER_OCTAVE: usize = 35;

/// The 35th root of 2.
const ROOT: f64 = 1.020_001_609_421_199_2;

/// Where the buckets of an octave begin, from 1: computed by multiplication alone, which is the same on
/// every machine, unlike logarithms.
const BOUNDS: [f64; PER_OCTAVE + 1] = {
    let mut bounds = [1.0; PER_OCTAVE + 1];
    let mut at = 1;
    while at < PER_OCTAVE {
        bounds[at] = bounds[at - 1] * ROOT;
        at += 1;
    }
    bounds[PER_OCTAVE] = 2.0;
    bounds
};

/// The number of a value's bucket: 0 for 0 (and for what is nearer to it than any normal double),
/// its own for each size and the negative of that for negative values.
fn bucket(double: f64) -> i32 {
    let size = double.abs().min(f64::MAX);
    if size < f64::MIN_POSITIVE {
        return 0;
    }
    let exponent = (size.to_bits() >> 52) as i32;
    let mantissa = f64::from_bits(size.to_bits() & ((1 << 52) - 1) | 1023 << 52);
    let within = BOUNDS[1..].partition_point(|bound| *bound <= mantissa);
    // Normal doubles have exponents from 1, so that these are numbers from 1.
    let number = (exponent - 1) * PER_OCTAVE as i32 + within as i32 + 1;
    if double < 0.0 { -number } else { number }
}

/// The value that is nearest, by its share, to all values of a bucket.
fn middle(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let number = (bucket.unsigned_abs() - 1) as usize;
    let (exponent, within) = (number / PER_OCTAVE, number % PER_OCTAVE);
    let scale = f64::from_bits((exponent as u64 + 1).min(2046) << 52);
    let (low, high) = (BOUNDS[within], BOUNDS[within + 1]);
    let size = (2.0 * low * high / (low + high)) * scale;
    if bucket < 0 { -size } else { size }
}

impl DdSketch {
    /// Adds a number. NaN is none; infinities count as the greatest doubles.
    pub(super) fn add(&mut self, double: f64) {
        if !double.is_nan() {
            self.add_to(bucket(double), 1);
        }
    }

    fn add_to(&mut self, bucket: i32, count: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(own, _)| *own) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
        if self.buckets.len() > BUCKETS_MAX {
            let (_, count) = self.buckets.remove(0);
            self.buckets[0].1 = self.buckets[0].1.saturating_add(count);
        }
    }

    pub(super) fn merge(&mut self, other: &DdSketch) {
        for (bucket, count) in other.buckets.iter().rev() {
            self.add_to(*bucket, *count);
        }
    }

    /// The value at a rank from 1 that `rank` gives for the number of values; none of none.
    pub(super) fn at_rank(&self, rank: impl Fn(u64) -> u64) -> Option<f64> {
        let counts = self.buckets.iter().map(|(_, count)| *count);
        let mut left = rank(counts.fold(0, u64::saturating_add));
        for (bucket, count) in &self.buckets {
            if left <= *count {
                return Some(middle(*bucket));
            }
            left -= count;
        }
        None
    }

    /// About how many bytes it takes beyond its own size.
    pub(super) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<(i32, u64)>()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.buckets.len() as u64);
        for (bucket, count) in &self.buckets {
            out.number(i64::from(*bucket) as u64);
            out.number(*count);
        }
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<DdSketch, Error> {
        let mut sketch = DdSketch::default();
        let highest = bucket(f64::MAX);
        for _ in 0..from.number()? {
            let number = i32::try_from(from.number()? as i64);
            let number = number.ok().filter(|n| (-highest..=highest).contains(n));
            let number = number.ok_or_else(|| Error::Snapshot("no bucket of a sketch".into()))?;
            sketch.add_to(number, from.number()?);
        }
        Ok(sketch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::Random;

    fn random_double(random: &mut Random) -> f64 {
        loop {
            let double = f64::from_bits(random.next());
            if double.is_normal() {
                return double;
            }
        }
    }

    #[test]
    fn buckets_are_within_one_percent_and_in_order() {
        let mut random = Random(1);
        for _ in 0..100_000 {
            let (a, b) = (random_double(&mut random), random_double(&mut random));
            let error = (middle(bucket(a)) / a - 1.0).abs();
            assert!(error < 0.01, "{a:e} {error}");
            if a <= b {
                assert!(bucket(a) <= bucket(b), "{a:e} {b:e}");
            }
        }
        for edge in [f64::MIN_POSITIVE, 1.0, 2.0, 2.0 - f64::EPSILON, f64::MAX] {
            let error = (middle(bucket(edge)) / edge - 1.0).abs();
            assert!(error < 0.01, "{edge:e} {error}");
            assert_eq!(bucket(-edge), -bucket(edge));
        }
        assert_eq!(middle(bucket(5e-324)), 0.0);
        assert_eq!(bucket(f64::INFINITY), bucket(f64::MAX));
        assert_eq!(bucket(2.0) - bucket(1.0), PER_OCTAVE as i32);
        let last = BOUNDS[PER_OCTAVE - 1] * ROOT;
        assert!((last - 2.0).abs() < 1e-13, "{last}");
    }

    /// So many sizes that buckets collapse: the same ones whatever the order and the parts.
    #[test]
    fn collapses_the_lowest_whatever_the_order() {
        let mut random = Random(2);
        for _ in 0..20 {
            let values: Vec<f64> = (0..6000).map(|_| random_double(&mut random)).collect();
            let sketch = |values: &[f64]| {
                let mut sketch = DdSketch::default();
                values.iter().for_each(|value| sketch.add(*value));
                sketch
            };
            let whole = sketch(&values);
            assert_eq!(whole.buckets.len(), BUCKETS_MAX);
            let backwards: Vec<f64> = values.iter().rev().copied().collect();
            assert_eq!(sketch(&backwards).buckets, whole.buckets);
            let at = random.below(6000) as usize;
            let (mut left, mut right) = (sketch(&values[..at]), sketch(&values[at..]));
            let left_before = left.clone();
            left.merge(&right);
            right.merge(&left_before);
            assert_eq!(left.buckets, whole.buckets);
            assert_eq!(right.buckets, whole.buckets);
            // What was not collapsed is still right.
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let (got, exact) = (whole.at_rank(|_| 5500), sorted[5499]);
            assert!((got.unwrap() / exact - 1.0).abs() < 0.01);
        }
    }
}
