//! The text form of values: what is printed can be read back.

mod escapes;
mod second;
mod short;

pub use escapes::Escapes;
pub use second::Second;
pub use short::Short;

use crate::{Address, Column, Data, Value, Zone, write_time};
use std::io::Write;

/// Writes the text form of a value. Absent values have none.
pub fn write_value(value: &Value, zone: &Zone, out: &mut Vec<u8>) {
    match value {
        Value::Absent => {}
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Integer(integer) => write_integer(*integer, out),
        Value::Named(number, names) => match names.get(*number) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => write_unsigned(*number, out),
        },
        Value::Double(double) => write_double(*double, out),
        Value::Time(nanos) => write_time(*nanos, zone, out),
        Value::Duration(nanos) => write_duration(*nanos, out),
        Value::Address(address) => write_address((*address).into(), out),
        Value::Prefix(prefix) => {
            write_display(&prefix.address, out);
            out.push(b'/');
            write_unsigned(prefix.bits.into(), out);
        }
        Value::Mac(mac) => write_mac(&mac.0, out),
        Value::Bytes(bytes) => escape(bytes, out),
        Value::Text(bytes) => escape_text(bytes, out),
        Value::List(values) => {
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(value, zone, out);
            }
        }
        Value::Object(record) => {
            out.push(b'{');
            for (at, (name, value)) in record.fields.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
                write_value(value, zone, out);
            }
            out.push(b'}');
        }
    }
}

/// Writes the text form of a row of a column, and says whether it has a value.
#[inline]
pub fn write_column_text(column: &Column, row: usize, zone: &Zone, out: &mut Vec<u8>) -> bool {
    if !column.valid.get(row) {
        return false;
    }
    match (&column.data, column.names) {
        (Data::U8(v), None) => write_unsigned(v[row].into(), out),
        (Data::U16(v), None) => write_unsigned(v[row].into(), out),
        (Data::U32(v), None) => write_unsigned(v[row].into(), out),
        (Data::U64(v), None) => write_unsigned(v[row], out),
        (Data::Time(v), _) => write_time(v[row], zone, out),
        (Data::Address4(v), _) => write_address(Address::v4(v[row]), out),
        (Data::Address(v), _) => write_address(v[row], out),
        (Data::Bytes(v), _) => escape(v.get(row), out),
        (Data::Text(v), _) => escape_text(v.get(row), out),
        _ => write_value(&column.value(row), zone, out),
    }
    true
}

fn put(out: &mut Vec<u8>, write: impl FnOnce(&mut Short)) {
    let mut short = Short::default();
    write(&mut short);
    out.extend_from_slice(short.text());
}

/// Writes an unsigned number in decimal.
pub fn write_unsigned(number: u64, out: &mut Vec<u8>) {
    put(out, |short| short.unsigned(number));
}

fn write_address(address: Address, out: &mut Vec<u8>) {
    put(out, |short| short.address(address));
}

fn write_integer(integer: i128, out: &mut Vec<u8>) {
    match u64::try_from(integer) {
        Ok(number) => write_unsigned(number, out),
        Err(_) => write_display(&integer, out),
    }
}

/// Writes a double with the fewest digits that read back as the same number; very large and very
/// small ones with an exponent.
pub fn write_double(double: f64, out: &mut Vec<u8>) {
    let size = double.abs();
    if size != 0.0 && size.is_finite() && !(1e-5..1e17).contains(&size) {
        write!(out, "{double:e}").expect("a vector takes all");
    } else {
        write_display(&double, out);
    }
}

/// Durations are written as seconds.
fn write_duration(nanos: i64, out: &mut Vec<u8>) {
    if nanos < 0 {
        out.push(b'-');
    }
    let nanos = nanos.unsigned_abs();
    write_unsigned(nanos / 1_000_000_000, out);
    crate::time::write_fraction((nanos % 1_000_000_000) as u32, out);
}

fn write_mac(bytes: &[u8; 6], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        out.extend([hex_digit(byte >> 4), hex_digit(byte & 15)]);
    }
}

pub(crate) fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 15)]
}

fn write_display(value: &dyn std::fmt::Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a vector takes all");
}

/// Writes bytes so that they can be shown and read back: bytes outside the printable ASCII
/// characters, and the backslash, become `\xhh`.
pub fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    static ESCAPES: Escapes = Escapes::new(b"\\x", &[(b'\\', b"\\x5c")]);
    ESCAPES.write(bytes, out);
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    out.extend([b'\\', b'x', hex_digit(byte >> 4), hex_digit(byte)]);
}

/// As [`escape`], but valid UTF-8 stays readable.
fn escape_text(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let encoded = c.encode_utf8(&mut buffer).as_bytes();
            if c == '\\' || c.is_control() {
                encoded.iter().for_each(|byte| escape_byte(*byte, out));
            } else {
                out.extend_from_slice(encoded);
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| escape_byte(*byte, out));
    }
}

/// Reads escapes back: `\xhh`, `\n`, `\r`, `\t`, `\f`, `\0`; a backslash before any other
/// character stands for that character.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escaped, tail)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = tail;
        out.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'f' => 0x0c,
            b'0' => 0,
            b'x' => match hex_pair(rest) {
                Some(byte) => {
                    rest = &rest[2..];
                    byte
                }
                None => b'x',
            },
            other => *other,
        });
    }
    out
}

pub(crate) fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    Some(digit(*text.first()?)? << 4 | digit(*text.get(1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn text(value: Value) -> String {
        let mut out = Vec::new();
        write_value(&value, &Zone::utc(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        for value in [
            Value::Bytes(all.as_slice().into()),
            Value::Text(all.as_slice().into()),
            Value::text("grüß\\dich\n"),
        ] {
            let text = text(value.clone());
            assert_eq!(unescape(text.as_bytes()), value.as_bytes().unwrap());
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        assert_eq!(unescape(b"a\\"), b"a\\");
        assert_eq!(unescape(b"\\xg1\\x4"), b"xg1x4");
    }

    #[test]
    fn numbers_are_short_and_exact() {
        for (double, expected) in [
            (0.1, "0.1"),
            (5.0, "5"),
            (1e30, "1e30"),
            (1e-7, "1e-7"),
            (1e16, "10000000000000000"),
            (-0.5, "-0.5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (0.0, "0"),
        ] {
            assert_eq!(text(Value::Double(double)), expected);
        }
        for number in [0, 9, 10, 99, 100, u64::MAX] {
            assert_eq!(text(Value::Integer(number.into())), number.to_string());
        }
        assert_eq!(text(Value::Integer(i128::MIN)), i128::MIN.to_string());
        assert_eq!(text(Value::Duration(-1_500_000_000)), "-1.500000");
        for bits in [0u32, 0x0a00_0001, 0xc0a8_0064, u32::MAX] {
            let column = Column {
                data: Data::Address4(vec![bits]),
                valid: crate::Bitmap::first(1),
                names: None,
            };
            let mut out = Vec::new();
            assert!(write_column_text(&column, 0, &Zone::utc(), &mut out));
            assert_eq!(
                String::from_utf8(out).unwrap(),
                Ipv4Addr::from(bits).to_string()
            );
        }
    }
}
