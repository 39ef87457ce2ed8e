//! `content`, and what stands behind it.

use super::Read::{Option, Said};
use super::{Keyword, negation, number, text, unquoted};
use crate::rules::draft::Draft;
use crate::rules::payload::{Content, Step};

/// No pattern is longer.
const LEN_MAX: usize = 65_535;
/// The numbers of `offset` and `depth`.
const PLACE_MAX: usize = 65_535;
/// The numbers of `distance` and `within`.
const DISTANCE_MAX: i32 = 1_048_576;

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "content",
        read: Option(read),
    },
    Keyword {
        name: "nocase",
        read: Option(|draft, _| {
            modify(draft, |content| {
                let _: () = content.any_case = true;
                Ok(())
            })
        }),
    },
    // Packets are not decoded before contents are looked for: they are raw.
    Keyword {
        name: "rawbytes",
        read: Said,
    },
    Keyword {
        name: "offset",
        read: Option(|draft, value| {
            let offset = place(value)?;
            place_at(draft, "offset", |content| {
                let _: () = content.offset = offset;
                Ok(())
            })
        }),
    },
    Keyword {
        name: "depth",
        read: Option(|draft, value| {
            let depth = place(value)?;
            place_at(draft, "depth", |content| {
                if depth < content.bytes.len() {
                    return Err("is less than its content is long".into());
                }
                content.depth = Some(depth);
                Ok(())
            })
        }),
    },
    Keyword {
        name: "startswith",
        read: Option(|draft, _| {
            place_at(draft, "startswith", |content| {
                content.depth = Some(content.bytes.len());
                Ok(())
            })
        }),
    },
    Keyword {
        name: "endswith",
        read: Option(|draft, _| {
            modify(draft, |content| {
                let _: () = content.at_end = true;
                Ok(())
            })
        }),
    },
    Keyword {
        name: "distance",
        read: Option(|draft, value| {
            let distance = shift(value)?;
            place_at(draft, "distance", |content| {
                let _: () = content.distance = Some(distance);
                Ok(())
            })
        }),
    },
    Keyword {
        name: "within",
        read: Option(|draft, value| {
            let within = shift(value)?;
            place_at(draft, "within", |content| {
                if usize::try_from(within).is_ok_and(|within| within >= content.bytes.len()) {
                    content.within = Some(within);
                    return Ok(());
                }
                Err("is less than its content is long".into())
            })
        }),
    },
    Keyword {
        name: "fast_pattern",
        // Which part of it is looked for first is the engine's business.
        read: Option(|draft, _| {
            modify(draft, |content| {
                let _: () = content.fast = !content.negated;
                Ok(())
            })
        }),
    },
];

/// Reads a content.
pub(super) fn read(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let (negated, quoted) = negation(value);
    let bytes = bytes(unquoted(quoted))?;
    draft.push(Step::Content(Content::new(bytes, negated)))
}

/// Changes the content before.
fn modify(
    draft: &mut Draft,
    change: impl FnOnce(&mut Content) -> Result<(), String>,
) -> Result<(), String> {
    let last = draft.last_content();
    let (content, _) = last.ok_or_else(|| "has no content before it".to_owned())?;
    change(content)
}

/// Says by a keyword where the content before is: each once, and only those that go together.
fn place_at(
    draft: &mut Draft,
    name: &'static str,
    change: impl FnOnce(&mut Content) -> Result<(), String>,
) -> Result<(), String> {
    let last = draft.last_content();
    let (content, places) = last.ok_or_else(|| "has no content before it".to_owned())?;
    for known in &*places {
        match (*known, name) {
            (known, name) if known == name => return Err("stands twice beside a content".into()),
            ("startswith", _) | (_, "startswith") => {
                return Err("does not go with another place".into());
            }
            ("offset" | "depth", "offset" | "depth")
            | ("distance" | "within", "distance" | "within") => {}
            _ => return Err("stands beside a place of another kind".into()),
        }
    }
    places.push(name);
    change(content)
}

fn place(value: &[u8]) -> Result<usize, String> {
    let text = text(unquoted(value))?;
    let place: usize = variable(text).unwrap_or_else(|| number(text))?;
    if place > PLACE_MAX {
        return Err(format!("is more than {PLACE_MAX}"));
    }
    Ok(place)
}

fn shift(value: &[u8]) -> Result<i32, String> {
    let text = text(unquoted(value))?;
    let shift: i32 = variable(text).unwrap_or_else(|| number(text))?;
    if shift.unsigned_abs() > DISTANCE_MAX.unsigned_abs() {
        return Err(format!("is more than {DISTANCE_MAX}"));
    }
    Ok(shift)
}

/// The fault of a value that `byte_extract` is to give.
fn variable<T>(text: &str) -> std::option::Option<Result<T, String>> {
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
    named.then(|| Err("takes a variable of `byte_extract`".into()))
}

/// The bytes that `text|0d 0a|\"` stands for.
pub(super) fn bytes(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    // In hexadecimal: the digit that waits for its second.
    let mut hex = None;
    while let Some(byte) = rest.next() {
        match (byte, &mut hex) {
            (b'|', None) => hex = Some(None),
            (b'|', Some(None)) => hex = None,
            (b'|', Some(Some(_))) => return Err("has half a byte in hexadecimal".into()),
            (b' ', Some(_)) => {}
            (byte, Some(half)) => {
                let digit = char::from(*byte).to_digit(16).map(|digit| digit as u8);
                let digit =
                    digit.ok_or_else(|| format!("has `{}` in hexadecimal", byte.escape_ascii()))?;
                match half.take() {
                    None => *half = Some(digit),
                    Some(first) => out.push(first << 4 | digit),
                }
            }
            (b'\\', None) => match rest.next() {
                Some(escaped @ (b'"' | b';' | b':' | b'\\')) => out.push(*escaped),
                other => {
                    let other = other.map_or(String::new(), |byte| byte.escape_ascii().to_string());
                    return Err(format!("has `\\{other}`, which stands for nothing"));
                }
            },
            (b'"', None) => return Err("has a quote without `\\` before it".into()),
            (byte, None) => out.push(*byte),
        }
    }
    match hex {
        Some(_) => Err("has `|` without a second one".into()),
        None if out.is_empty() => Err("has no bytes".into()),
        None if out.len() > LEN_MAX => Err(format!("has more than {LEN_MAX} bytes")),
        None => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Options, RuleSet};

    #[test]
    fn a_content_has_one_place() {
        let read = |options: &str| {
            let text = format!("alert ip any any -> any any (content:\"abc\"; {options}; sid:1;)");
            let mut set = RuleSet::from_text("", text.as_bytes(), &Options::default());
            let rule = set.rules.pop().ok_or_else(|| set.refusals[0].why.clone())?;
            let content = rule.payload.contents().next().cloned();
            let content = content.ok_or("has no content")?;
            Ok::<_, String>((content.offset, content.depth))
        };
        // What Suricata 7.0.10 refuses is refused.
        for (options, expected) in [
            ("depth:5; offset:10", Ok((10, Some(15)))),
            ("offset:10; depth:5", Ok((10, Some(15)))),
            ("startswith; endswith", Ok((0, Some(3)))),
            ("depth:5; offset:10; offset:20", Err("twice")),
            ("depth:5; depth:6", Err("twice")),
            ("distance:1; distance:1", Err("twice")),
            ("startswith; startswith", Err("twice")),
            ("startswith; offset:0", Err("another place")),
            ("startswith; offset:3", Err("another place")),
            ("depth:5; startswith", Err("another place")),
            ("startswith; within:5", Err("another place")),
            ("offset:0; distance:1", Err("another kind")),
        ] {
            match (read(options), expected) {
                (Err(fault), Err(part)) => assert!(fault.contains(part), "{options}: {fault}"),
                (found, Ok(expected)) => assert_eq!(found, Ok(expected), "{options}"),
                (found, Err(_)) => panic!("{options}: {found:?}"),
            }
        }
    }

    #[test]
    fn bytes_are_text_and_hexadecimal() {
        for (text, expected) in [
            ("abc", b"abc".as_slice()),
            ("a|0D 0a|b", b"a\r\nb"),
            ("|41424344|", b"ABCD"),
            ("|4 1|", b"A"),
            ("||a", b"a"),
            (r#"\"\;\:\\"#, b"\";:\\"),
            ("|5c|n", b"\\n"),
        ] {
            assert_eq!(bytes(text.as_bytes()).as_deref(), Ok(expected), "{text}");
        }
        for (text, part) in [
            ("", "no bytes"),
            ("||", "no bytes"),
            ("|4|", "half a byte"),
            ("|41", "without a second"),
            ("|4g|", "`g` in hexadecimal"),
            (r"\n", "stands for nothing"),
            ("a\\", "stands for nothing"),
            ("a\"b", "a quote"),
        ] {
            let message = bytes(text.as_bytes()).expect_err("a fault");
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
