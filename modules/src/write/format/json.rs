//! `json`: objects in one array; `jsonl`: one object a line.
//!
//! | value | in JSON |
//! |---|---|
//! | integer | a number with all its digits: beyond 2^53 a reader needs more than a double for it |
//! | double | the shortest number that reads back as the same; null where it is none or infinite |
//! | named number | text: its name, or its digits where it has none |
//! | duration | a number of seconds, exact |
//! | time | text, RFC 3339 |
//! | address, block, hardware address | text |
//! | text | text; bytes that are no UTF-8 are `\xhh` (see `characters`) |
//! | bytes | text: printable ASCII, all else `\xhh` |
//! | list, object | array, object |
//!
//! An absent field is left out, or null where the query names it. A field that is printed twice is
//! there once.

use super::characters::{Piece, hex, pieces, push};
use super::lines::{Form, Lines};
use super::{Columns, Format};
use std::net::IpAddr;
use wireq_engine::View;
use wireq_engine::schedule::output::{Frame, TextRows};
use wireq_typesys::{
    Data, Escapes, FieldPath, Value, Zone, write_double, write_unsigned, write_value,
};

pub(super) struct Json {
    columns: Columns,
    lines: Lines,
    frame: Frame,
}

impl Json {
    pub fn list(columns: Columns) -> Json {
        let frame = Frame {
            open: b"[",
            header: Vec::new(),
            // The comma before an object.
            separator: 1,
            close: b"\n]\n",
        };
        Json::new(columns, b",\n{", b"", frame)
    }

    pub fn lines(columns: Columns) -> Json {
        Json::new(columns, b"{", b"\n", Frame::default())
    }

    fn new(columns: Columns, before: &[u8], behind: &'static [u8], frame: Frame) -> Json {
        let mut before = before.to_vec();
        if let Some(statement) = &columns.statement {
            write_text(super::STATEMENT.as_bytes(), &mut before);
            before.push(b':');
            write_text(statement.as_bytes(), &mut before);
            before.push(b',');
        }
        let end = [b"}", behind].concat();
        Json {
            lines: Lines::new(Form {
                begin: &before,
                before: keys(&columns),
                between: b",",
                missing: columns.named.then_some(b"null"),
                quotes: true,
                end: &end,
                trim: !columns.named,
            }),
            columns,
            frame,
        }
    }
}

/// For each field its name and a colon; none where it is there already.
fn keys(columns: &Columns) -> Vec<Option<Vec<u8>>> {
    let key = |(at, field): (usize, &FieldPath)| {
        if columns.fields[..at].contains(field) {
            return None;
        }
        // The statement is the first of that name.
        let taken = columns.statement.is_some() && field.as_str() == super::STATEMENT;
        let name = format!("{field}{}", if taken { "_2" } else { "" });
        let mut key = Vec::new();
        write_text(name.as_bytes(), &mut key);
        key.push(b':');
        Some(key)
    };
    columns.fields.iter().enumerate().map(key).collect()
}

impl Format for Json {
    fn frame(&self) -> Frame {
        self.frame.clone()
    }

    fn write(&mut self, view: View<'_>, text: &mut TextRows) {
        let zone = &self.columns.zone;
        self.lines.write(
            &self.columns,
            view,
            text,
            |column, row, out| match &column.data {
                Data::Text(texts) => write_text(texts.get(row), out),
                Data::Bytes(bytes) => write_bytes(bytes.get(row), out),
                _ => write_json(&column.value(row), zone, out),
            },
        );
    }
}

fn write_json(value: &Value, zone: &Zone, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Double(double) if !double.is_finite() => out.extend_from_slice(b"null"),
        Value::Double(double) => write_double(*double, out),
        Value::Bool(_) | Value::Integer(_) | Value::Duration(_) => write_value(value, zone, out),
        Value::Text(text) => write_text(text, out),
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::Named(number, names) => match names.get(*number) {
            Some(name) => write_text(name.as_bytes(), out),
            None => {
                out.push(b'"');
                write_unsigned(*number, out);
                out.push(b'"');
            }
        },
        Value::Time(_)
        | Value::Address(IpAddr::V4(_) | IpAddr::V6(_))
        | Value::Prefix(_)
        | Value::Mac(_) => {
            out.push(b'"');
            write_value(value, zone, out);
            out.push(b'"');
        }
        Value::List(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_json(value, zone, out);
            }
            out.push(b']');
        }
        Value::Object(record) => {
            out.push(b'{');
            for (at, (name, value)) in record.fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_text(name.as_bytes(), out);
                out.push(b':');
                write_json(value, zone, out);
            }
            out.push(b'}');
        }
    }
}

/// Whether a byte of a text stands for itself.
fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if text.iter().all(|byte| is_plain(*byte)) {
        out.extend_from_slice(text);
    } else {
        pieces(text, &mut |piece| match piece {
            Piece::Character('"') => out.extend_from_slice(b"\\\""),
            Piece::Character('\\') => out.extend_from_slice(b"\\\\"),
            Piece::Character('\n') => out.extend_from_slice(b"\\n"),
            Piece::Character('\r') => out.extend_from_slice(b"\\r"),
            Piece::Character('\t') => out.extend_from_slice(b"\\t"),
            // All of them are below U+0100.
            Piece::Character(c) if c.is_control() => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex(c as u8));
            }
            Piece::Character(c) => push(c, out),
            Piece::Byte(byte) => write_byte(byte, out),
        });
    }
    out.push(b'"');
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    static ESCAPES: Escapes = Escapes::new(b"\\\\x", &[(b'"', b"\\\""), (b'\\', b"\\\\x5c")]);
    out.push(b'"');
    ESCAPES.write(bytes, out);
    out.push(b'"');
}

/// `\xhh`, the backslash written as JSON has it.
fn write_byte(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\\\x");
    out.extend_from_slice(&hex(byte));
}

#[cfg(test)]
mod tests {
    use super::super::characters::tests::{hard_texts, read_back};
    use super::*;
    use wireq_typesys::{Mac, Names, Prefix, Record};

    fn json(value: Value) -> String {
        let mut out = Vec::new();
        write_json(&value, &Zone::utc(), &mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    /// The text that a JSON string stands for.
    fn text_of(json: &str) -> Vec<u8> {
        let inner = json.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let mut text = String::new();
        let mut rest = inner.chars();
        while let Some(c) = rest.next() {
            assert!(c != '"' && !c.is_control(), "{json}");
            text.push(match c {
                '\\' => match rest.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&digits, 16).unwrap();
                        char::from_u32(code).unwrap()
                    }
                    other => other,
                },
                c => c,
            });
        }
        text.into_bytes()
    }

    #[test]
    fn texts_and_bytes_can_be_read_back() {
        for text in hard_texts() {
            let shown = json(Value::Text(text.as_slice().into()));
            assert_eq!(read_back(&text_of(&shown)), text, "{shown}");
            let shown = json(Value::Bytes(text.as_slice().into()));
            assert_eq!(read_back(&text_of(&shown)), text, "{shown}");
        }
    }

    #[test]
    fn values_have_their_forms() {
        static NAMES: Names = Names {
            name: "protocol",
            entries: &[(6, "tcp")],
        };
        let address: IpAddr = "fd00::1".parse().unwrap();
        for (value, expected) in [
            (Value::Absent, "null"),
            (Value::Bool(true), "true"),
            (Value::Integer(9_007_199_254_740_993), "9007199254740993"),
            (
                Value::Integer(i128::MIN),
                "-170141183460469231731687303715884105728",
            ),
            (Value::Double(0.1), "0.1"),
            (Value::Double(1e300), "1e300"),
            (Value::Double(-0.0), "-0"),
            (Value::Double(f64::NAN), "null"),
            (Value::Double(f64::NEG_INFINITY), "null"),
            (Value::Named(6, &NAMES), "\"tcp\""),
            (Value::Named(7, &NAMES), "\"7\""),
            (Value::Time(0), "\"1970-01-01T00:00:00+00:00\""),
            (Value::Duration(-1_500_000_000), "-1.500000"),
            (Value::Address(address), "\"fd00::1\""),
            (
                Value::Prefix(Prefix::new(address, 8).unwrap()),
                "\"fd00::/8\"",
            ),
            (
                Value::Mac(Mac([0, 1, 2, 3, 4, 255])),
                "\"00:01:02:03:04:ff\"",
            ),
            (Value::text("a\"\\\u{1}\u{9b}é"), r#""a\"\\\u0001\u009bé""#),
            (Value::Bytes(b"a\"\\\xff"[..].into()), r#""a\"\\x5c\\xff""#),
            (
                Value::List([Value::Integer(1), Value::text("x")][..].into()),
                r#"[1,"x"]"#,
            ),
            (
                Value::Object(
                    Record {
                        fields: vec![
                            ("a".into(), Value::Absent),
                            ("b".into(), Value::Bool(false)),
                        ],
                    }
                    .into(),
                ),
                r#"{"a":null,"b":false}"#,
            ),
        ] {
            assert_eq!(json(value), expected);
        }
    }
}
