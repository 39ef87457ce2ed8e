//! Flag bits in headers: `flags` of TCP, `fragbits` of IPv4.

use super::Read::Option;
use super::{Keyword, text, unquoted};
use crate::rules::test::{BitTest, Bits, Test};

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "flags",
        read: Option(|draft, value| {
            let value = text(unquoted(value))?;
            let (bits, ignored) = value.split_once(',').unwrap_or((value, ""));
            let (bits, how) = read(bits, tcp_flag)?;
            let (ignored, _) = read(ignored, tcp_flag)?;
            let mask = 0xff & !ignored;
            draft.tests.push(Test::Flags(BitTest { bits, mask, how }));
            Ok(())
        }),
    },
    Keyword {
        name: "fragbits",
        read: Option(|draft, value| {
            let (bits, how) = read(text(unquoted(value))?, fragment_bit)?;
            let mask = 0b111;
            let test = BitTest { bits, mask, how };
            draft.tests.push(Test::FragmentBits(test));
            Ok(())
        }),
    },
];

/// The bits that letters stand for, and how `+`, `*` or `!` beside them says to test them.
fn read(text: &str, bit: fn(char) -> std::option::Option<u16>) -> Result<(u16, Bits), String> {
    let mut bits = 0;
    let mut how = None;
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        let sign = match letter {
            '+' => Bits::All,
            '*' => Bits::Any,
            '!' => Bits::NotAll,
            letter => {
                bits |= bit(letter).ok_or_else(|| format!("has `{letter}`, which is no flag"))?;
                continue;
            }
        };
        if how.replace(sign).is_some() {
            return Err("has two signs".into());
        }
    }
    Ok((bits, how.unwrap_or(Bits::Exactly)))
}

fn tcp_flag(letter: char) -> std::option::Option<u16> {
    Some(match letter.to_ascii_uppercase() {
        'F' => 0x01,
        'S' => 0x02,
        'R' => 0x04,
        'P' => 0x08,
        'A' => 0x10,
        'U' => 0x20,
        'E' | '2' => 0x40,
        'C' | '1' => 0x80,
        '0' => 0,
        _ => return None,
    })
}

fn fragment_bit(letter: char) -> std::option::Option<u16> {
    Some(match letter.to_ascii_uppercase() {
        'M' => 0b001,
        'D' => 0b010,
        'R' => 0b100,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_say_how_bits_are_tested() {
        // What Suricata 7 says of packets with these flags, one by one. It does not look at packets
        // without SYN, FIN and RST where `!` stands before one of these; we do.
        let packets = [2u16, 18, 16, 3, 0xc2, 0, 1, 19];
        for (text, expected) in [
            ("S", [1, 0, 0, 0, 0, 0, 0, 0]),
            ("S+", [1, 1, 0, 1, 1, 0, 0, 1]),
            ("SA", [0, 1, 0, 0, 0, 0, 0, 0]),
            ("SA+", [0, 1, 0, 0, 0, 0, 0, 1]),
            ("+SA", [0, 1, 0, 0, 0, 0, 0, 1]),
            ("SA*", [1, 1, 1, 1, 1, 0, 0, 1]),
            ("!SA", [1, 0, 1, 1, 1, 1, 1, 0]),
            ("S,12", [1, 0, 0, 0, 1, 0, 0, 0]),
            ("S,CE", [1, 0, 0, 0, 1, 0, 0, 0]),
            ("0", [0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let (bits, ignored) = text.split_once(',').unwrap_or((text, ""));
            let (bits, how) = read(bits, tcp_flag).expect("flags");
            let (ignored, _) = read(ignored, tcp_flag).expect("flags");
            let test = BitTest {
                bits,
                mask: 0xff & !ignored,
                how,
            };
            let found = packets.map(|flags| i32::from(test.holds(flags)));
            assert_eq!(found, expected, "{text}");
        }
        assert!(read("S+!", tcp_flag).is_err());
        assert!(read("X", tcp_flag).is_err());
    }
}
