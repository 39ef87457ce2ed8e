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
    let scaled = parts.iter().map(|(mantissa, exponent)| {
        let factor = 1i128.checked_shl((exponent - least) as u32);
        mantissa.checked_mul(factor?)
    });
    let scaled: Option<Vec<i128>> = scaled.collect();
    let scaled = scaled.expect("random numbers are not as far apart as that");
    // The deviation stays the same where all move: near zero squares are small.
    let moved: Vec<i128> = scaled.iter().map(|number| number - scaled[0]).collect();
    let sum: i128 = moved.iter().sum();
    let squares = moved.iter().map(|number| number.checked_mul(*number));
    let squares: Option<i128> = squares.sum();
    let spread = squares
        .and_then(|squares| {
            squares
                .checked_mul(count)?
                .checked_sub(sum.checked_mul(sum)?)
        })
        .expect("squares of random numbers are no larger than that");
    let variance = spread as f64 / (count * divisor) as f64;
    Some(variance.sqrt() * 2f64.powi(least))
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
