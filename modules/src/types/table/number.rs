//! Numbers in cells that nothing says the kind of.

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Wide(i128),
    Double(f64),
}

/// So many digits are less than 2^63.
const SHORT_DIGITS: usize = 18;

/// The number that a cell is, white space around it aside: digits with a minus sign, a fraction and
/// an exponent where it has them. What begins with `+` or with a zero before other digits is text,
/// since that is how identifiers are written: as a number it would lose what makes it one.
#[inline]
pub(super) fn number(cell: &[u8]) -> Option<Number> {
    let text = cell.trim_ascii();
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !matches!(digits.first(), Some(b'0'..=b'9' | b'.')) {
        return None;
    }
    let whole = count_digits(digits);
    if whole > 1 && digits[0] == b'0' {
        return None;
    }
    if whole < digits.len() {
        return double(text, digits, whole);
    }
    if whole > SHORT_DIGITS {
        return wide(text);
    }
    let size = digits
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some(Number::Integer(if digits.len() < text.len() {
        -size
    } else {
        size
    }))
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Digits that may be too many for an integer.
fn wide(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?;
    match text.parse::<i128>() {
        Ok(integer) => Some(i64::try_from(integer).map_or(Number::Wide(integer), Number::Integer)),
        Err(_) => text.parse().ok().map(Number::Double),
    }
}

/// A number with a fraction or exponent: `digits` is `text` without its sign, and `whole` the
/// digits that it begins with.
fn double(text: &[u8], digits: &[u8], whole: usize) -> Option<Number> {
    let mut rest = &digits[whole..];
    let mut count = whole;
    if let Some(behind) = rest.strip_prefix(b".") {
        let fraction = count_digits(behind);
        count += fraction;
        rest = &behind[fraction..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let unsigned = exponent
            .strip_prefix(b"-")
            .or_else(|| exponent.strip_prefix(b"+"))
            .unwrap_or(exponent);
        let length = count_digits(unsigned);
        if length == 0 {
            return None;
        }
        rest = &unsigned[length..];
    }
    if count == 0 || !rest.is_empty() {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    number.is_finite().then_some(Number::Double(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_lose_nothing_else() {
        use Number::{Double, Integer, Wide};
        for (text, expected) in [
            ("0", Some(Integer(0))),
            ("-7", Some(Integer(-7))),
            (" 42 ", Some(Integer(42))),
            ("999999999999999999", Some(Integer(999_999_999_999_999_999))),
            ("9223372036854775807", Some(Integer(i64::MAX))),
            ("-9223372036854775808", Some(Integer(i64::MIN))),
            ("9223372036854775808", Some(Wide(1 << 63))),
            (
                "-170141183460469231731687303715884105728",
                Some(Wide(i128::MIN)),
            ),
            (
                "170141183460469231731687303715884105728",
                Some(Double((1u128 << 127) as f64)),
            ),
            ("1.5", Some(Double(1.5))),
            ("-.5", Some(Double(-0.5))),
            ("5.", Some(Double(5.0))),
            ("1e3", Some(Double(1000.0))),
            ("1E-3", Some(Double(0.001))),
            ("0.10", Some(Double(0.1))),
            ("1e999", None),
            ("007", None),
            ("00", None),
            ("-01.5", None),
            ("+5", None),
            ("0x10", None),
            ("", None),
            (" ", None),
            ("-", None),
            (".", None),
            ("1e", None),
            ("1e+", None),
            ("--1", None),
            ("- 1", None),
            ("1 2", None),
            ("1,5", None),
            ("1_000", None),
            ("10.0.0.1", None),
            ("2026-01-01", None),
            ("12:30", None),
            ("inf", None),
            ("NaN", None),
            ("1\0", None),
            ("\u{663}", None),
        ] {
            assert_eq!(number(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn reads_what_the_standard_library_reads() {
        let mut state = 5u64;
        let mut random = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        for _ in 0..20_000 {
            let length = random(12);
            let text: String = (0..length)
                .map(|_| char::from(b"0123456789.-e+ "[random(15) as usize]))
                .collect();
            let Some(number) = number(text.as_bytes()) else {
                continue;
            };
            let trimmed = text.trim();
            match number {
                Number::Integer(integer) => assert_eq!(trimmed.parse(), Ok(integer), "{text:?}"),
                Number::Wide(integer) => assert_eq!(trimmed.parse(), Ok(integer), "{text:?}"),
                Number::Double(double) => assert_eq!(trimmed.parse(), Ok(double), "{text:?}"),
            }
        }
    }
}
