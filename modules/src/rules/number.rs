//! Tests of numbers as rules write them: `5`, `!5`, `<5`, `>5`, `<=5`, `>=5`, `2<>9`.

/// Numbers that pass: those from `low` to `high`, or with `negated` the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NumberTest {
    /// The least.
    pub low: u32,
    /// The greatest.
    pub high: u32,
    /// Whether it is the others that pass.
    pub negated: bool,
}

impl NumberTest {
    /// Reads a test of numbers up to `max`. The ends of a range do not pass, as in Suricata.
    pub fn read(text: &str, max: u32) -> Result<NumberTest, String> {
        let wrong = || format!("`{text}` is no test of a number up to {max}");
        let number = |digits: &str| -> Result<u32, String> {
            let digits = digits.trim();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|_| plain);
            number.filter(|number| *number <= max).ok_or_else(wrong)
        };
        let passing = |low: Option<u32>, high: Option<u32>| match (low, high) {
            (Some(low), Some(high)) if low <= high => Ok(NumberTest {
                low,
                high,
                negated: false,
            }),
            _ => Err(format!("`{text}` holds for no number")),
        };
        let text = text.trim();
        if let Some((low, high)) = text.split_once("<>").or_else(|| text.split_once('-')) {
            let (low, high) = (number(low)?, number(high)?);
            return passing(low.checked_add(1), high.checked_sub(1));
        }
        if let Some(rest) = text.strip_prefix("<=") {
            return passing(Some(0), Some(number(rest)?));
        }
        if let Some(rest) = text.strip_prefix(">=") {
            return passing(Some(number(rest)?), Some(max));
        }
        if let Some(rest) = text.strip_prefix('<') {
            return passing(Some(0), number(rest)?.checked_sub(1));
        }
        if let Some(rest) = text.strip_prefix('>') {
            let above = number(rest)?.checked_add(1);
            return passing(above.filter(|low| *low <= max), Some(max));
        }
        let (negated, digits) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let number = number(digits)?;
        Ok(NumberTest {
            low: number,
            high: number,
            negated,
        })
    }

    /// Whether a number passes; what is not there does not.
    #[inline]
    pub fn holds(self, number: Option<impl Into<u32>>) -> bool {
        number.is_some_and(|number| {
            let number = number.into();
            (self.low <= number && number <= self.high) != self.negated
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let passing = |text: &str| {
            NumberTest::read(text, 9).map(|test| {
                let numbers = (0u8..=9).filter(|number| test.holds(Some(*number)));
                numbers
                    .map(|number| char::from(b'0' + number))
                    .collect::<String>()
            })
        };
        for (text, numbers) in [
            ("5", "5"),
            ("!5", "012346789"),
            ("<3", "012"),
            (">7", "89"),
            ("<=2", "012"),
            (">=8", "89"),
            ("3<>6", "45"),
            ("3-6", "45"),
            (" > 7 ", "89"),
            ("2 <> 4", "3"),
        ] {
            assert_eq!(passing(text).as_deref(), Ok(numbers), "{text}");
        }
        for text in [
            "", "x", "10", "-1", "+1", "<0", ">9", "3<>4", "!<3", "1<>", "<>",
        ] {
            assert!(NumberTest::read(text, 9).is_err(), "{text}");
        }
        assert!(
            !NumberTest {
                low: 0,
                high: 9,
                negated: false
            }
            .holds(None::<u8>)
        );
        assert!(
            !NumberTest {
                low: 0,
                high: 9,
                negated: true
            }
            .holds(None::<u8>)
        );
    }
}
