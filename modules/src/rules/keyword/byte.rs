//! `byte_test`, `byte_jump`, and their kin that are refused.

use super::Read::{Option, Refused};
use super::{Keyword, number, number_of_base, text};
use crate::rules::payload::{
    BINARY_MAX, ByteJump, ByteTest, DIGITS_MAX, Number, Operator, Origin, Step,
};

const VALUES: &str = "gives values to other options, which is not known yet";

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "byte_test",
        read: Option(|draft, value| draft.push(Step::ByteTest(byte_test(text(value)?)?))),
    },
    Keyword {
        name: "byte_jump",
        read: Option(|draft, value| draft.push(Step::ByteJump(byte_jump(text(value)?)?))),
    },
    Keyword {
        name: "byte_extract",
        read: Refused(VALUES),
    },
    Keyword {
        name: "byte_math",
        read: Refused(VALUES),
    },
];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

/// What both have: how the number is written, from the words that say so.
struct Form {
    relative: bool,
    little: bool,
    string: bool,
    base: std::option::Option<u8>,
    mask: std::option::Option<u64>,
}

impl Form {
    const NEW: Form = Form {
        relative: false,
        little: false,
        string: false,
        base: None,
        mask: None,
    };

    /// Takes a word in; whether it is one of those.
    fn take(&mut self, word: &str) -> Result<bool, String> {
        match word.to_ascii_lowercase().as_str() {
            "relative" => self.relative = true,
            "big" => self.little = false,
            "little" => self.little = true,
            "string" => self.string = true,
            "dec" => self.base = Some(10),
            "hex" => self.base = Some(16),
            "oct" => self.base = Some(8),
            "dce" => return Err("has `dce`, which needs the header of DCE/RPC".into()),
            _ => {
                let Some(mask) = word.strip_prefix("bitmask") else {
                    return Ok(false);
                };
                self.mask = Some(number_of_base(mask.trim())?);
            }
        }
        Ok(true)
    }

    fn number(&self, count: &str, offset: &str) -> Result<Number, String> {
        let count: u8 = number(count)?;
        let max = if self.string { DIGITS_MAX } else { BINARY_MAX };
        let binary = matches!(count, 1 | 2 | 4 | 8);
        if count == 0 || count > max || !self.string && !binary && count > 4 {
            return Err(format!("can't have a number of {count} bytes"));
        }
        Ok(Number {
            count,
            offset: number(offset)?,
            relative: self.relative,
            little: self.little,
            base: self.string.then(|| self.base.unwrap_or(0)),
        })
    }
}

fn byte_test(text: &str) -> Result<ByteTest, String> {
    let mut words = words(text);
    let mut next = || words.next().filter(|word| !word.is_empty());
    let few = || "has too few values".to_owned();
    let count = next().ok_or_else(few)?;
    let operator = next().ok_or_else(few)?;
    let value = next().ok_or_else(few)?;
    let offset = next().ok_or_else(few)?;
    let mut form = Form::NEW;
    for word in words {
        if !form.take(word)? {
            return Err(format!("has `{word}`, which is not known"));
        }
    }
    let (negated, sign) = match operator.strip_prefix('!') {
        Some(sign) => (true, sign.trim()),
        None => (false, operator),
    };
    let operator = match sign {
        "=" => Operator::Equal,
        // `!` alone stands for `!=`.
        "" if negated => Operator::Equal,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "&" => Operator::And,
        "^" => Operator::Xor,
        other => return Err(format!("has `{other}`, which is no comparison")),
    };
    Ok(ByteTest {
        number: form.number(count, offset)?,
        operator,
        negated,
        value: number_of_base(value)?,
        mask: form.mask,
    })
}

fn byte_jump(text: &str) -> Result<ByteJump, String> {
    let mut words = words(text);
    let mut next = || words.next().filter(|word| !word.is_empty());
    let few = || "has too few values".to_owned();
    let count = next().ok_or_else(few)?;
    let offset = next().ok_or_else(few)?;
    let mut form = Form::NEW;
    let mut jump = ByteJump {
        number: Number {
            count: 0,
            offset: 0,
            relative: false,
            little: false,
            base: None,
        },
        multiplier: 1,
        align: false,
        origin: Origin::Number,
        post_offset: 0,
        mask: None,
    };
    for word in words {
        let (name, value) = word.split_once(char::is_whitespace).unwrap_or((word, ""));
        match name {
            "multiplier" => jump.multiplier = number(value.trim())?,
            "post_offset" => jump.post_offset = number(value.trim())?,
            "align" => jump.align = true,
            "from_beginning" => jump.origin = Origin::Begin,
            "from_end" => jump.origin = Origin::End,
            _ if form.take(word)? => {}
            _ => return Err(format!("has `{word}`, which is not known")),
        }
    }
    jump.number = form.number(count, offset)?;
    jump.mask = form.mask;
    Ok(jump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rules_say() {
        let test = byte_test("4, !>=, 0x10, -2, relative, little").expect("a test");
        assert_eq!(
            test,
            ByteTest {
                number: Number {
                    count: 4,
                    offset: -2,
                    relative: true,
                    little: true,
                    base: None,
                },
                operator: Operator::GreaterOrEqual,
                negated: true,
                value: 16,
                mask: None,
            }
        );
        let test = byte_test("10,=,010,0,string,dec,bitmask 0xf0").expect("a test");
        assert_eq!(
            (test.number.base, test.value, test.mask),
            (Some(10), 8, Some(0xf0))
        );
        let jump = byte_jump("4,4,relative,align,multiplier 2,post_offset -3,from_beginning");
        let jump = jump.expect("a jump");
        assert_eq!((jump.multiplier, jump.post_offset), (2, -3));
        assert!(jump.align && jump.origin == Origin::Begin && jump.number.relative);
        for wrong in [
            "",
            "1",
            "1,=,1",
            "1,=,x,0",
            "x,=,1,0",
            "0,=,1,0",
            "9,=,1,0",
            "24,=,1,0,string",
            "1,==,1,0",
            "1,=,1,0,fast",
            "1,=,1,0,dce",
            "1,=,1,off",
        ] {
            assert!(byte_test(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "1",
            "1,x",
            "1,0,multiplier",
            "1,0,multiplier x",
            "1,0,up",
            "9,0",
        ] {
            assert!(byte_jump(wrong).is_err(), "{wrong}");
        }
    }
}
