//! Integers of any width: what the spread of exact sums is computed in, once a group at the end.

use wireq_typesys::ExactSum;

/// An integer from 0: 32 bits a digit, the lowest first, no zeros at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wide(Vec<u32>);

impl From<u128> for Wide {
    fn from(number: u128) -> Wide {
        Wide((0..4).map(|at| (number >> (32 * at)) as u32).collect()).trimmed()
    }
}

impl Wide {
    /// The size of a finite sum in units of 2^-1088, which is what its chunks count in.
    pub(super) fn size_of(sum: &ExactSum) -> Wide {
        let (chunks, _) = sum.parts();
        let negative = chunks.last().is_some_and(|(_, value)| *value < 0);
        let (mut digits, mut carry) = (Vec::new(), 0i64);
        let mut chunks = chunks.into_iter().peekable();
        // Only the highest chunk can be negative: negated, each is, and borrows from the next.
        while chunks.peek().is_some() || carry != 0 {
            let here = i16::try_from(digits.len()).unwrap_or(i16::MAX);
            let chunk = chunks.next_if(|(at, _)| *at <= here);
            let value = chunk.map_or(0, |(_, value)| if negative { -value } else { value });
            carry += value;
            digits.push(carry as u32);
            carry >>= 32;
            if digits.len() > DIGITS_MAX {
                break;
            }
        }
        Wide(digits).trimmed()
    }

    fn trimmed(mut self) -> Wide {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    /// The number by 2^(32 `digits`).
    pub(super) fn shifted(&self, digits: usize) -> Wide {
        let zeros = std::iter::repeat_n(0, digits);
        Wide(zeros.chain(self.0.iter().copied()).collect()).trimmed()
    }

    /// The number by 2^-(32 `digits`); lower digits are lost.
    pub(super) fn unshifted(&self, digits: usize) -> Wide {
        Wide(self.0.get(digits..).unwrap_or_default().to_vec())
    }

    pub(super) fn plus(&self, other: &Wide) -> Wide {
        let mut carry = 0u64;
        let len = self.0.len().max(other.0.len()) + 1;
        let digit = |wide: &Wide, at: usize| u64::from(wide.0.get(at).copied().unwrap_or(0));
        let digits = (0..len).map(|at| {
            carry += digit(self, at) + digit(other, at);
            let low = carry as u32;
            carry >>= 32;
            low
        });
        Wide(digits.collect()).trimmed()
    }

    pub(super) fn times(&self, other: &Wide) -> Wide {
        let mut digits = vec![0u32; self.0.len() + other.0.len()];
        for (at, left) in self.0.iter().enumerate() {
            let mut carry = 0u64;
            for (to, right) in digits[at..].iter_mut().zip(other.0.iter().chain(&[0])) {
                carry += u64::from(*left) * u64::from(*right) + u64::from(*to);
                *to = carry as u32;
                carry >>= 32;
            }
        }
        Wide(digits).trimmed()
    }

    /// What is left after taking away; 0 where that is more.
    pub(super) fn minus(&self, other: &Wide) -> Wide {
        let (mut digits, mut borrow) = (Vec::with_capacity(self.0.len()), 0i64);
        for at in 0..self.0.len().max(other.0.len()) {
            let digit = |wide: &Wide| i64::from(wide.0.get(at).copied().unwrap_or(0));
            borrow += digit(self) - digit(other);
            digits.push(borrow as u32);
            borrow >>= 32;
        }
        if borrow < 0 {
            return Wide::default();
        }
        Wide(digits).trimmed()
    }

    /// The number as a double by a power of 4, and the exponent of that power: neither overflows.
    pub(super) fn scaled(&self) -> (f64, i32) {
        // Four digits hold at least 97 bits; one more that is set rounds as all below would.
        let skip = self.0.len().saturating_sub(4);
        let (below, top) = self.0.split_at(skip);
        let lead = top
            .iter()
            .rev()
            .fold(0, |lead, digit| lead << 32 | u128::from(*digit));
        let sticky = u128::from(below.iter().any(|digit| *digit != 0));
        ((lead | sticky) as f64, 16 * skip as i32)
    }
}

/// Digits of the widest sum that a snapshot may claim, and room for carries.
const DIGITS_MAX: usize = 140;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::Random;

    #[test]
    fn computes_as_integers_of_the_machine_do() {
        let mut random = Random(1);
        for _ in 0..10_000 {
            let mut number = || u128::from(random.next()) >> random.below(64);
            let (a, b, c) = (number(), number(), number());
            let [x, y, z] = [a, b, c].map(Wide::from);
            assert_eq!(x.times(&y), Wide::from(a * b));
            assert_eq!(x.plus(&y).plus(&z), Wide::from(a + b + c));
            assert_eq!(x.plus(&y).minus(&z), Wide::from((a + b).saturating_sub(c)));
            assert_eq!(x.shifted(2), Wide::from(a << 64));
            assert_eq!(x.times(&y).scaled(), ((a * b) as f64, 0));
            let square = x.times(&y).times(&x.times(&y));
            let (double, exponent) = square.scaled();
            let expected = (a * b) as f64 * (a * b) as f64;
            let got = double * f64::powi(4.0, exponent);
            assert!((got - expected).abs() <= expected * 1e-15);
        }
    }

    #[test]
    fn has_the_size_of_a_sum() {
        let mut random = Random(2);
        for _ in 0..2000 {
            let values = [random.next(), random.next(), random.next()];
            let values = values.map(|v| i128::from(v as i64) << random.below(64));
            let mut sum = ExactSum::default();
            values.iter().for_each(|value| sum.add_integer(*value));
            let expected = values.iter().sum::<i128>().unsigned_abs();
            assert_eq!(Wide::size_of(&sum), Wide::from(expected).shifted(34));
        }
    }
}
