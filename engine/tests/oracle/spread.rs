//! The standard deviation, exact up to the last division and the root.

use wireq_typesys::Value;

/// The deviation of numbers; none where there are too few of them.
pub fn deviation(numbers: &[Value], sample: bool) -> Option<f64> {
    let count = numbers.len() as i128;
    let divisor = count - i128::from(sample);
    if count == 0 || divisor == 0 {
        return None;
    }
    // All numbers as integers times the same power of two.
    let parts: Option<Vec<(i128, i32)>> = numbers.iter().map(mantissa).collect();
    let Some(parts) = parts else {
        return Some(f64::NAN);
    };
    let least = parts.iter().map(|(_, exponent)| *exponent).min()?;
    let (mut positive, mut negative) = (Natural::from(0), Natural::from(0));
    let mut squares = Natural::from(0);
    for (mantissa, exponent) in parts {
        let size = Natural::from(mantissa.unsigned_abs()).shifted((exponent - least) as usize);
        squares = squares.plus(&size.times(&size));
        match mantissa < 0 {
            true => negative = negative.plus(&size),
            false => positive = positive.plus(&size),
        }
    }
    let sum = match positive.at_least(&negative) {
        true => positive.minus(&negative),
        false => negative.minus(&positive),
    };
    let spread = squares.times(&Natural::from(count as u128));
    let (spread, exponent) = spread.minus(&sum.times(&sum)).rounded();
    let variance = spread / (count * divisor) as f64;
    // An even power of two is a whole one of the root.
    let (variance, exponent) = match exponent % 2 {
        0 => (variance, exponent),
        _ => (variance * 2.0, exponent - 1),
    };
    Some(variance.sqrt() * 2f64.powi(exponent / 2 + least))
}

/// A whole number of any size, in digits of 32 bits, the lowest first.
#[derive(Clone)]
struct Natural(Vec<u32>);

impl Natural {
    fn from(number: u128) -> Natural {
        Natural((0..4).map(|at| (number >> (32 * at)) as u32).collect())
    }

    fn digit(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0).into()
    }

    fn shifted(&self, bits: usize) -> Natural {
        let mut digits = vec![0; bits / 32];
        digits.extend(&self.0);
        Natural(digits).times(&Natural::from(1 << (bits % 32)))
    }

    fn plus(&self, other: &Natural) -> Natural {
        let mut carry = 0;
        let digits = (0..=self.0.len().max(other.0.len())).map(|at| {
            carry += self.digit(at) + other.digit(at);
            let digit = carry as u32;
            carry >>= 32;
            digit
        });
        Natural(digits.collect())
    }

    /// The difference from a number that is not larger.
    fn minus(&self, other: &Natural) -> Natural {
        let mut borrow = 0i64;
        let digits = (0..self.0.len().max(other.0.len())).map(|at| {
            borrow += self.digit(at) as i64 - other.digit(at) as i64;
            let digit = borrow as u32;
            borrow >>= 32;
            digit
        });
        Natural(digits.collect())
    }

    fn times(&self, other: &Natural) -> Natural {
        let mut product = Natural(Vec::new());
        for (at, digit) in self.0.iter().enumerate() {
            let mut digits = vec![0; at];
            let mut carry = 0u64;
            for other in other.0.iter().chain([&0]) {
                carry += u64::from(*digit) * u64::from(*other);
                digits.push(carry as u32);
                carry >>= 32;
            }
            product = product.plus(&Natural(digits));
        }
        product
    }

    fn at_least(&self, other: &Natural) -> bool {
        let digits = (0..self.0.len().max(other.0.len())).rev();
        let mut pairs = digits.map(|at| (self.digit(at), other.digit(at)));
        pairs.find(|(a, b)| a != b).is_none_or(|(a, b)| a > b)
    }

    /// The nearest double, times a power of two.
    fn rounded(&self) -> (f64, i32) {
        let Some(top) = self.0.iter().rposition(|digit| *digit != 0) else {
            return (0.0, 0);
        };
        let lowest = (top + 1).saturating_sub(4);
        let digits = (lowest..=top).rev();
        let high = digits.fold(0u128, |high, at| high << 32 | u128::from(self.digit(at)));
        // What is cut off only tells which way a half goes.
        let rest = self.0[..lowest].iter().any(|digit| *digit != 0);
        ((high | u128::from(rest)) as f64, 32 * lowest as i32)
    }
}

/// A finite number as an integer times a power of two.
fn mantissa(number: &Value) -> Option<(i128, i32)> {
    match number {
        Value::Integer(integer) => Some((*integer, 0)),
        Value::Double(double) if *double == 0.0 => Some((0, 0)),
        Value::Double(double) if double.is_finite() => {
            let bits = double.to_bits();
            let exponent = (bits >> 52 & 0x7ff) as i32;
            let fraction = (bits & ((1 << 52) - 1)) as i128;
            let (mantissa, exponent) = match exponent {
                0 => (fraction, -1074),
                exponent => (fraction | 1 << 52, exponent - 1075),
            };
            let zeros = mantissa.trailing_zeros();
            let sign = if *double < 0.0 { -1 } else { 1 };
            Some((sign * (mantissa >> zeros), exponent + zeros as i32))
        }
        _ => None,
    }
}
