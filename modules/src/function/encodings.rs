//! Bytes as text, and back.

use super::support::*;
use super::text::TEXT;
use wireq_typesys::{Kind, Value, escape, unescape};

pub(super) const BYTES: FunctionParameter =
    one("BYTES", Kind::Bytes, "The bytes, or a text for its own.");

pub(super) fn of_bytes(values: &[Value], function: impl FnOnce(&[u8]) -> Value) -> Value {
    text(values, 0).map_or(Value::Absent, |text| function(text.bytes()))
}

/// What a decoder gives; absent where the text is not what it decodes.
fn decoded(values: &[Value], decode: fn(&[u8], &mut Vec<u8>) -> Option<()>) -> Value {
    let bytes = text(values, 0).and_then(|text| written(|out| decode(text.bytes(), out)));
    bytes.map_or(Value::Absent, Value::Bytes)
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

pub(super) static HEX: Function = Function {
    name: "hex",
    summary: "Bytes, text or an integer in hexadecimal digits; a negative integer has 64 bits.",
    parameters: &[one(
        "VALUE",
        Kind::Dynamic,
        "Bytes, text, a hardware address or an integer.",
    )],
    strict: true,
    kind: |kinds| takes(&HEX, kinds, Kind::Text),
    call: |values, _| match argument(values, 0) {
        Value::Mac(mac) => hex(&mac.0),
        value if value.as_bytes().is_some() => of_bytes(values, hex),
        _ => match integer(values, 0).and_then(bits) {
            Some(number) => Value::text(&format!("{number:X}")),
            None => Value::Absent,
        },
    },
    examples: &[("hex(42)", "2A"), ("hex('Hello')", "48656C6C6F")],
};

pub(super) static BIN: Function = Function {
    name: "bin",
    summary: "Bytes, text or an integer in binary digits; a negative integer has 64 bits.",
    parameters: &[one("VALUE", Kind::Dynamic, "Bytes, text or an integer.")],
    strict: true,
    kind: |kinds| takes(&BIN, kinds, Kind::Text),
    call: |values, _| match argument(values, 0) {
        value if value.as_bytes().is_some() => of_bytes(values, |bytes| {
            written_text(|out| {
                let bits = |byte: &u8| {
                    let byte = *byte;
                    (0..8).rev().map(move |bit| b'0' + (byte >> bit & 1))
                };
                out.extend(bytes.iter().flat_map(bits));
            })
        }),
        _ => match integer(values, 0).and_then(bits) {
            Some(number) => Value::text(&format!("{number:b}")),
            None => Value::Absent,
        },
    },
    examples: &[("bin(42)", "101010"), ("bin('Aa')", "0100000101100001")],
};

fn hex(bytes: &[u8]) -> Value {
    written_text(|out| {
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        out.extend(bytes.iter().flat_map(digits));
    })
}

fn bits(integer: i128) -> Option<u128> {
    match integer {
        0.. => Some(integer.unsigned_abs()),
        _ => i64::try_from(integer)
            .ok()
            .map(|number| u128::from(number as u64)),
    }
}

pub(super) static UNHEX: Function = Function {
    name: "unhex",
    summary: "The bytes that hexadecimal digits stand for; absent where there is another character.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&UNHEX, kinds, Kind::Bytes),
    call: |values, _| decoded(values, unhex),
    examples: &[
        ("unhex('48656c6c6f')", "Hello"),
        ("unhex('0D0')", r"\x00\xd0"),
        ("unhex('x')", ""),
    ],
};

pub(super) static FROM_HEX: Function = Function {
    name: "from_hex",
    examples: &[("from_hex('2A')", "*"), ("from_hex('2')", r"\x02")],
    ..UNHEX
};

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The first of an odd number of digits is a byte of its own.
fn unhex(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (first, pairs) = text.split_at(text.len() % 2);
    for byte in first {
        out.push(digit(*byte)?);
    }
    for pair in pairs.chunks_exact(2) {
        out.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(())
}

pub(super) static TO_BASE64: Function = Function {
    name: "to_base64",
    summary: "Bytes in base64.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&TO_BASE64, kinds, Kind::Text),
    call: |values, _| of_bytes(values, |bytes| written_text(|out| write_base64(bytes, out))),
    examples: &[
        ("to_base64('A')", "QQ=="),
        ("to_base64('Hello!')", "SGVsbG8h"),
    ],
};

pub(super) static BASE64: Function = Function {
    name: "base64",
    examples: &[("base64('A')", "QQ=="), ("base64('')", "")],
    ..TO_BASE64
};

const BASE64_DIGITS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes as RFC 4648 has it, filled up with `=`.
pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = BASE64_DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { digit } else { b'=' });
        }
    }
}

pub(super) static FROM_BASE64: Function = Function {
    name: "from_base64",
    summary: "The bytes that a text in base64 stands for; absent where it is none.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&FROM_BASE64, kinds, Kind::Bytes),
    call: |values, _| decoded(values, from_base64),
    examples: &[
        ("from_base64('SGVsbG8h')", "Hello!"),
        ("from_base64('QQ')", ""),
    ],
};

fn from_base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.get(..text.len() - padding)?;
    if padding > 2 {
        return None;
    }
    for chunk in digits.chunks(4) {
        let mut bits = 0u32;
        for at in 0..4 {
            let digit = chunk.get(at).map_or(Some(0), |byte| base64_digit(*byte))?;
            bits = bits << 6 | u32::from(digit);
        }
        let bytes = bits.to_be_bytes();
        out.extend_from_slice(bytes.get(1..chunk.len())?);
    }
    Some(())
}

fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

pub(super) static URL_ENCODE: Function = Function {
    name: "url_encode",
    summary: "The text as a part of an address of the web: all but letters, digits and -._~ as %hh.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&URL_ENCODE, kinds, Kind::Text),
    call: |values, _| of_bytes(values, |bytes| written_text(|out| url_encode(bytes, out))),
    examples: &[
        ("url_encode('a b/c')", "a%20b%2Fc"),
        ("url_encode('ü~')", "%C3%BC~"),
    ],
};

fn url_encode(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
            _ => {
                let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
                out.extend([b'%', digits[0], digits[1]]);
            }
        }
    }
}

pub(super) static URL_DECODE: Function = Function {
    name: "url_decode",
    summary: "The text with each %hh as the byte that it stands for.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes_text(&URL_DECODE, kinds),
    call: |values, _| text(values, 0).map_or(Value::Absent, |text| url_decode(&text)),
    examples: &[
        ("url_decode('a%20b%2Fc')", "a b/c"),
        ("url_decode('1+1%')", "1+1%"),
    ],
};

fn url_decode(text: &Text<'_>) -> Value {
    let mut rest = text.bytes();
    let bytes = written(|out| {
        while let Some(at) = memchr::memchr(b'%', rest) {
            out.extend_from_slice(&rest[..at]);
            let pair = rest.get(at + 1).zip(rest.get(at + 2));
            let byte = pair.and_then(|(a, b)| Some(digit(*a)? << 4 | digit(*b)?));
            out.push(byte.unwrap_or(b'%'));
            rest = &rest[at + if byte.is_some() { 3 } else { 1 }..];
        }
        out.extend_from_slice(rest);
        Some(())
    });
    bytes.map_or(Value::Absent, |bytes| text.give_shared(bytes))
}

pub(super) static ESCAPE: Function = Function {
    name: "escape",
    summary: "Bytes as printable ASCII: all others, and the backslash, as \\xhh.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&ESCAPE, kinds, Kind::Text),
    call: |values, _| of_bytes(values, |bytes| written_text(|out| escape(bytes, out))),
    examples: &[
        ("length(escape(unhex('00ff41')))", "9"),
        ("escape('plain')", "plain"),
    ],
};

pub(super) static UNESCAPE: Function = Function {
    name: "unescape",
    summary: "The bytes of an escaped text: \\xhh, \\n, \\r, \\t, \\f and \\0 are read.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&UNESCAPE, kinds, Kind::Bytes),
    call: |values, _| of_bytes(values, |bytes| Value::Bytes(unescape(bytes).into())),
    examples: &[
        ("hex(unescape(escape(unhex('00ff41'))))", "00FF41"),
        ("unescape('plain')", "plain"),
    ],
};
