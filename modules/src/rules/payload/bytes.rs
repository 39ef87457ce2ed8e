//! `byte_test` and `byte_jump`: numbers in a payload.

/// The most bytes that a number has.
pub const BINARY_MAX: u8 = 8;
/// The most digits that a number has: those of 2^64 - 1 in base 8, with a 0 before.
pub const DIGITS_MAX: u8 = 23;

/// Where a number is, and how it is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Bytes or digits.
    pub count: u8,
    /// How far from the begin, or from where the part before ended.
    pub offset: i32,
    /// Whether it counts from where the part before ended.
    pub relative: bool,
    /// Whether the lowest byte stands first.
    pub little: bool,
    /// The base of digits; 0: as `0x` and `0` before them say. None where it is not text.
    pub base: Option<u8>,
}

impl Number {
    /// Where it begins; none where the payload has not so many bytes there.
    fn place(&self, payload: &[u8], from: usize) -> Option<usize> {
        let base = if self.relative { from as i64 } else { 0 };
        let place = usize::try_from(base + i64::from(self.offset)).ok()?;
        let end = place.checked_add(usize::from(self.count))?;
        // Where a number of no bytes is asked for there still has to be a place.
        (end <= payload.len() && (place < payload.len() || !self.relative)).then_some(place)
    }

    /// The number; none where there is no such.
    fn read(&self, payload: &[u8], place: usize) -> Option<(u64, usize)> {
        let count = usize::from(self.count);
        let bytes = payload.get(place..place + count)?;
        match self.base {
            Some(base) => digits(bytes, base),
            None => {
                let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
                let number = if self.little {
                    bytes.iter().rev().fold(0, join)
                } else {
                    bytes.iter().fold(0, join)
                };
                Some((number, count))
            }
        }
    }
}

/// The number at the begin of a text, and how many bytes it takes, as C's strtoull reads it: white
/// space and a sign may stand before it, anything behind it.
fn digits(bytes: &[u8], base: u8) -> Option<(u64, usize)> {
    let text = &bytes[..bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len())];
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let mut at = text.iter().take_while(|byte| is_space(byte)).count();
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    let hex_follows =
        matches!(text.get(at..), Some([b'0', b'x' | b'X', digit, ..]) if digit.is_ascii_hexdigit());
    let base = match base {
        0 | 16 if hex_follows => {
            at += 2;
            16
        }
        0 if text.get(at) == Some(&b'0') => 8,
        0 => 10,
        base => u32::from(base),
    };
    let first = at;
    let mut number: u64 = 0;
    while let Some(digit) = text
        .get(at)
        .and_then(|byte| char::from(*byte).to_digit(base))
    {
        number = number.checked_mul(base.into())?.checked_add(digit.into())?;
        at += 1;
    }
    let number = if negative {
        number.wrapping_neg()
    } else {
        number
    };
    (at > first).then_some((number, at))
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after what they are")]
pub enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// A common bit.
    And,
    /// A bit that only one has.
    Xor,
}

/// A number in the payload is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteTest {
    /// The number.
    pub number: Number,
    /// How.
    pub operator: Operator,
    /// Whether it must not be so.
    pub negated: bool,
    /// With what.
    pub value: u64,
    /// The bits of the number that count, moved down by as many as the mask has zeros below.
    pub mask: Option<u64>,
}

impl ByteTest {
    pub(super) fn holds(&self, payload: &[u8], from: usize) -> bool {
        let number = &self.number;
        let Some(place) = number.place(payload, from) else {
            return false;
        };
        let Some((found, _)) = number.read(payload, place) else {
            return false;
        };
        let found = masked(found, self.mask);
        let value = self.value;
        let holds = match self.operator {
            Operator::Equal => found == value,
            Operator::Less => found < value,
            Operator::LessOrEqual => found <= value,
            Operator::Greater => found > value,
            Operator::GreaterOrEqual => found >= value,
            Operator::And => found & value != 0,
            Operator::Xor => found ^ value != 0,
        };
        holds != self.negated
    }
}

fn masked(number: u64, mask: Option<u64>) -> u64 {
    match mask {
        Some(mask) if mask != 0 => (number & mask) >> mask.trailing_zeros(),
        _ => number,
    }
}

/// A number in the payload says where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteJump {
    /// The number.
    pub number: Number,
    /// What it is multiplied by.
    pub multiplier: u32,
    /// Whether it is made a multiple of 4.
    pub align: bool,
    /// Where it counts from.
    pub origin: Origin,
    /// What is added.
    pub post_offset: i32,
    /// See [`ByteTest::mask`].
    pub mask: Option<u64>,
}

/// Where a jump counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Behind the number.
    Number,
    /// The begin of the payload.
    Begin,
    /// Its end.
    End,
}

impl ByteJump {
    /// Where to go on; none where that is behind the payload.
    pub(super) fn target(&self, payload: &[u8], from: usize) -> Option<usize> {
        let place = self.number.place(payload, from)?;
        let (found, taken) = self.number.read(payload, place)?;
        let mut jump = masked(found, self.mask).wrapping_mul(self.multiplier.into());
        if self.align {
            jump = jump.wrapping_add(3) & !3;
        }
        // Numbers beyond 2^63 are negative, as they are where jumps are made by adding to pointers.
        let jump = jump as i64;
        let origin = match self.origin {
            Origin::Number => place + taken,
            Origin::Begin => 0,
            Origin::End => payload.len(),
        };
        let target = (origin as i64)
            .checked_add(jump)?
            .checked_add(self.post_offset.into())?;
        let target = usize::try_from(target).unwrap_or(0);
        (target < payload.len()).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTE: Number = Number {
        count: 1,
        offset: 0,
        relative: false,
        little: false,
        base: None,
    };

    #[test]
    fn digits_are_read_as_c_does() {
        for (text, base, expected) in [
            ("123", 10, Some((123, 3))),
            (" 12x", 10, Some((12, 3))),
            ("+7", 10, Some((7, 2))),
            ("-1", 10, Some((u64::MAX, 2))),
            ("0x1f", 16, Some((31, 4))),
            ("0x", 16, Some((0, 1))),
            ("1f", 16, Some((31, 2))),
            ("0x1f", 0, Some((31, 4))),
            ("017", 0, Some((15, 3))),
            ("17", 0, Some((17, 2))),
            ("778", 8, Some((63, 2))),
            ("x", 10, None),
            ("", 10, None),
            ("12\u{0}34", 10, Some((12, 2))),
            ("18446744073709551615", 10, Some((u64::MAX, 20))),
            ("18446744073709551616", 10, None),
        ] {
            assert_eq!(
                digits(text.as_bytes(), base),
                expected,
                "{text} base {base}"
            );
        }
    }

    #[test]
    fn numbers_have_to_be_within_the_payload() {
        let test = |offset, relative, count| ByteTest {
            number: Number {
                offset,
                relative,
                count,
                ..BYTE
            },
            operator: Operator::GreaterOrEqual,
            negated: false,
            value: 0,
            mask: None,
        };
        let payload = [1, 2, 3, 4];
        for (offset, relative, count, from, expected) in [
            (0, false, 4, 0, true),
            (0, false, 5, 0, false),
            (3, false, 1, 0, true),
            (4, false, 1, 0, false),
            (-1, false, 1, 0, false),
            (-1, true, 1, 1, true),
            (-2, true, 1, 1, false),
            (0, true, 1, 4, false),
            (i32::MAX, true, 1, 4, false),
            (i32::MIN, true, 1, 4, false),
        ] {
            let holds = test(offset, relative, count).holds(&payload, from);
            assert_eq!(holds, expected, "{offset} {relative} {count} {from}");
        }
    }

    #[test]
    fn a_mask_moves_its_bits_down() {
        let test = ByteTest {
            number: BYTE,
            operator: Operator::Equal,
            negated: false,
            value: 0xa,
            mask: Some(0xf0),
        };
        assert!(test.holds(&[0xab], 0));
        assert!(!test.holds(&[0xba], 0));
    }

    #[test]
    fn jumps_stay_in_the_payload() {
        let jump = ByteJump {
            number: BYTE,
            multiplier: 1,
            align: false,
            origin: Origin::Number,
            post_offset: 0,
            mask: None,
        };
        assert_eq!(jump.target(&[2, 0, 0, 9], 0), Some(3));
        assert_eq!(jump.target(&[3, 0, 0, 9], 0), None);
        let aligned = ByteJump {
            align: true,
            ..jump
        };
        assert_eq!(aligned.target(&[1, 0, 0, 0, 0, 0], 0), Some(5));
        let begin = ByteJump {
            origin: Origin::Begin,
            ..jump
        };
        assert_eq!(begin.target(&[2, 0, 0], 0), Some(2));
        let end = ByteJump {
            origin: Origin::End,
            post_offset: -3,
            ..jump
        };
        assert_eq!(end.target(&[2, 0, 0], 0), Some(2));
        let before = ByteJump {
            post_offset: -9,
            ..jump
        };
        assert_eq!(before.target(&[1, 0, 0], 0), Some(0));
        let large = ByteJump {
            number: Number { count: 8, ..BYTE },
            multiplier: u32::MAX,
            ..jump
        };
        // (2^64 - 1) * (2^32 - 1) is a negative number in 64 bits, and so before the payload.
        assert_eq!(large.target(&[0xff; 9], 0), Some(0));
    }
}
