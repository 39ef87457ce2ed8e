//! Multiples of decimal fractions.

/// The multiples of a width as the decimal fraction that it is written as: those of 0.1 are the
/// doubles nearest to 0.1, 0.2, 0.3, so that 0.3 is one. Multiplied as a double, the third would be
/// 0.30000000000000004.
#[derive(Clone, Copy, Debug)]
pub(super) struct Multiples {
    width: f64,
    numerator: f64,
    denominator: f64,
}

/// The highest power of ten that a double holds exactly.
const TEN_MAX: i32 = 22;

impl Multiples {
    pub(super) fn new(width: f64) -> Multiples {
        // The fewest digits that read back as the same number.
        let text = format!("{width:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let decimals = digits.split_once('.').map_or(0, |(_, rest)| rest.len()) as i32;
        let exponent = exponent.parse::<i32>().unwrap_or(0) - decimals;
        let digits = digits.replace('.', "").parse::<f64>().unwrap_or(width);
        let (numerator, denominator) = match exponent {
            0.. => (width, 1.0),
            _ if -exponent <= TEN_MAX => (digits, 10f64.powi(-exponent)),
            _ => (width, 1.0),
        };
        Multiples {
            width,
            numerator,
            denominator,
        }
    }

    fn multiple(&self, factor: f64) -> f64 {
        factor * self.numerator / self.denominator
    }

    /// The highest multiple that is not above a number.
    pub(super) fn floor(&self, number: f64) -> f64 {
        let factor = (number / self.width).floor();
        // From here on multiples are closer together than doubles; NaN is near none.
        if factor.is_nan() || factor.abs() >= (1u64 << 51) as f64 {
            return number;
        }
        // The division may have been rounded over a multiple.
        let found = if self.multiple(factor + 1.0) <= number {
            self.multiple(factor + 1.0)
        } else if self.multiple(factor) > number {
            self.multiple(factor - 1.0)
        } else {
            self.multiple(factor)
        };
        if found.is_finite() { found } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_are_multiples() {
        for (text, per_one) in [
            ("0.1", 10),
            ("0.01", 100),
            ("0.025", 40),
            ("1e-6", 1_000_000),
        ] {
            let multiples = Multiples::new(text.parse().expect("a number"));
            for at in -2000..2000 {
                let first = f64::from(at) / f64::from(per_one);
                assert_eq!(multiples.floor(first), first, "{at} of {text}");
                let next = f64::from(at + 1) / f64::from(per_one);
                assert_eq!(
                    multiples.floor((first + next) / 2.0),
                    first,
                    "{at} of {text}"
                );
                let before = next.next_down();
                assert_eq!(multiples.floor(before), first, "{at} of {text}");
            }
        }
    }

    #[test]
    fn no_number_is_below_or_a_width_above() {
        let mut state = 9u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state
        };
        for _ in 0..20_000 {
            let number = f64::from_bits(random());
            let wide = f64::from_bits(random() & !(1 << 63));
            if !wide.is_finite() || wide == 0.0 {
                continue;
            }
            let first = Multiples::new(wide).floor(number);
            assert_eq!(number.is_nan(), first.is_nan());
            assert!(
                !(first > number || number - first > wide * (1.0 + 1e-9)),
                "{number:e} {wide:e} {first:e}"
            );
        }
        assert_eq!(Multiples::new(1e308).floor(f64::MIN), f64::MIN);
    }
}
