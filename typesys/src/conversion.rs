//! Conversions: what may follow a field's name, as in `ts.sec` or `payload.length`.

use crate::text::{hex_digit, hex_pair};
use crate::{Bitmap, Column, ColumnBuilder, Kind, Literal, Value, Zone, write_value};

/// A conversion of a value, used like a field of it.
pub struct Conversion {
    /// The name behind the dot.
    pub name: &'static str,
    /// What it gives, in one sentence.
    pub summary: &'static str,
    /// The kind it gives for a kind, if it takes that kind.
    pub kind: fn(Kind) -> Option<Kind>,
    /// Converts a value that is there; absent where it can't be.
    pub convert: fn(&Value, &Zone) -> Value,
}

impl std::fmt::Debug for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Conversion {
    /// The conversion of this name that takes this kind.
    pub fn find(name: &str, kind: Kind) -> Option<&'static Conversion> {
        CONVERSIONS
            .iter()
            .find(|c| c.name == name && (kind == Kind::Dynamic || c.gives(kind).is_some()))
    }

    /// The kind it gives for a kind, if it takes that. A list that it does not take as one is
    /// converted value by value.
    pub fn gives(&self, kind: Kind) -> Option<Kind> {
        (self.kind)(kind).or_else(|| match kind {
            Kind::List(each) => (self.kind)(*each).map(Kind::list),
            _ => None,
        })
    }

    /// Converts a value that is there, as [`Conversion::gives`] says.
    pub fn of(&self, value: &Value, zone: &Zone) -> Value {
        match value {
            Value::List(values) if (self.kind)(Kind::List(&Kind::Dynamic)).is_none() => {
                let each = values.iter().map(|value| self.of(value, zone));
                Value::List(each.collect())
            }
            value => (self.convert)(value, zone),
        }
    }

    /// Converts the selected rows of a column, times in a zone.
    pub fn apply(&self, from: &Column, selection: &Bitmap, zone: &Zone, to: &mut Column) {
        let mut builder = ColumnBuilder::default();
        for row in 0..from.len() {
            builder.push(match selection.get(row).then(|| from.value(row)) {
                Some(value) if !value.is_absent() => self.of(&value, zone),
                _ => Value::Absent,
            });
        }
        *to = builder.finish();
    }
}

fn number(kind: Kind) -> bool {
    kind.is_number() || kind == Kind::Bool
}

fn when(test: bool, kind: Kind) -> Option<Kind> {
    test.then_some(kind)
}

/// All conversions.
pub static CONVERSIONS: &[Conversion] = &[
    Conversion {
        name: "string",
        summary: "The text form.",
        kind: |_| Some(Kind::Text),
        convert: |value, zone| text(|out| write_value(value, zone, out)),
    },
    Conversion {
        name: "double",
        summary: "As a floating-point number; times and durations in seconds.",
        kind: |k| {
            when(
                number(k) || matches!(k, Kind::Time | Kind::Duration | Kind::Text),
                Kind::Double,
            )
        },
        convert: |value, _| double(value).map_or(Value::Absent, Value::Double),
    },
    Conversion {
        name: "int",
        summary: "As an integer, fractions cut off; times in whole seconds.",
        kind: |k| {
            when(
                number(k) || matches!(k, Kind::Time | Kind::Duration | Kind::Text),
                Kind::Signed,
            )
        },
        convert: |value, _| integer(value, i128::MIN, i128::MAX),
    },
    Conversion {
        name: "int64",
        summary: "As an integer of 64 bits; absent where it does not fit.",
        kind: |k| {
            when(
                number(k) || matches!(k, Kind::Time | Kind::Duration | Kind::Text),
                Kind::Signed,
            )
        },
        convert: |value, _| integer(value, i64::MIN.into(), i64::MAX.into()),
    },
    Conversion {
        name: "uint64",
        summary: "As an unsigned integer of 64 bits; absent where it does not fit.",
        kind: |k| {
            when(
                number(k) || matches!(k, Kind::Time | Kind::Duration | Kind::Text),
                Kind::Unsigned,
            )
        },
        convert: |value, _| integer(value, 0, u64::MAX.into()),
    },
    Conversion {
        name: "uint32",
        summary: "As an unsigned integer of 32 bits; absent where it does not fit.",
        kind: |k| {
            when(
                number(k) || matches!(k, Kind::Time | Kind::Duration | Kind::Text | Kind::Address),
                Kind::Unsigned,
            )
        },
        convert: |value, _| integer(value, 0, u32::MAX.into()),
    },
    Conversion {
        name: "nuint32",
        summary: "An IPv4 address as a number.",
        kind: |k| when(k == Kind::Address, Kind::Unsigned),
        convert: |value, _| integer(value, 0, u32::MAX.into()),
    },
    Conversion {
        name: "ushort",
        summary: "As an unsigned integer of 16 bits; absent where it does not fit.",
        kind: |k| when(number(k) || k == Kind::Text, Kind::Unsigned),
        convert: |value, _| integer(value, 0, u16::MAX.into()),
    },
    Conversion {
        name: "ubyte",
        summary: "As an unsigned integer of 8 bits; absent where it does not fit.",
        kind: |k| when(number(k) || k == Kind::Text, Kind::Unsigned),
        convert: |value, _| integer(value, 0, u8::MAX.into()),
    },
    Conversion {
        name: "hexstring",
        summary: "A number in hexadecimal, with 0x in front.",
        kind: |k| when(number(k), Kind::Text),
        convert: |value, _| match integer(value, 0, i128::MAX) {
            Value::Integer(n) => Value::text(&format!("{n:#x}")),
            _ => Value::Absent,
        },
    },
    Conversion {
        name: "hex",
        summary: "Bytes as hexadecimal digits.",
        kind: |k| when(k.is_bytes() || k == Kind::Mac, Kind::Text),
        convert: |value, _| {
            text(|out| {
                bytes_of(value)
                    .iter()
                    .for_each(|b| out.extend([hex_digit(b >> 4), hex_digit(*b)]))
            })
        },
    },
    Conversion {
        name: "length",
        summary: "The number of bytes, or of values of a list.",
        kind: |k| when(k.is_bytes() || matches!(k, Kind::List(_)), Kind::Unsigned),
        convert: |value, _| match value {
            Value::List(values) => Value::Integer(values.len() as i128),
            value => Value::Integer(bytes_of(value).len() as i128),
        },
    },
    Conversion {
        name: "lower",
        summary: "ASCII letters in lower case.",
        kind: |k| when(k.is_bytes(), k),
        convert: |value, _| map_bytes(value, <[u8]>::to_ascii_lowercase),
    },
    Conversion {
        name: "upper",
        summary: "ASCII letters in upper case.",
        kind: |k| when(k.is_bytes(), k),
        convert: |value, _| map_bytes(value, <[u8]>::to_ascii_uppercase),
    },
    Conversion {
        name: "urldecode",
        summary: "With each %hh as the byte it stands for.",
        kind: |k| when(k.is_bytes(), k),
        convert: |value, _| map_bytes(value, urldecode),
    },
    Conversion {
        name: "hexdecode",
        summary: "Hexadecimal digits as the bytes they stand for; absent where they are none.",
        kind: |k| when(k.is_bytes(), k),
        convert: |value, _| hexdecode(value),
    },
    Conversion {
        name: "sec",
        summary: "Whole seconds, rounded down.",
        kind: |k| when(matches!(k, Kind::Time | Kind::Duration), Kind::Signed),
        convert: |value, _| nanos(value, |n| n.div_euclid(1_000_000_000)),
    },
    Conversion {
        name: "msec",
        summary: "Whole milliseconds, rounded down.",
        kind: |k| when(matches!(k, Kind::Time | Kind::Duration), Kind::Signed),
        convert: |value, _| nanos(value, |n| n.div_euclid(1_000_000)),
    },
    Conversion {
        name: "usec",
        summary: "Whole microseconds, rounded down.",
        kind: |k| when(matches!(k, Kind::Time | Kind::Duration), Kind::Signed),
        convert: |value, _| nanos(value, |n| n.div_euclid(1000)),
    },
    Conversion {
        name: "nsec",
        summary: "Nanoseconds.",
        kind: |k| when(matches!(k, Kind::Time | Kind::Duration), Kind::Signed),
        convert: |value, _| nanos(value, |n| n),
    },
    Conversion {
        name: "date",
        summary: "The date, as in 2000-03-25.",
        kind: |k| when(k == Kind::Time, Kind::Text),
        convert: |value, zone| time_text(value, zone, |c, out| c.write_date(out)),
    },
    Conversion {
        name: "ctime",
        summary: "The time of day, as in 12:13:29.",
        kind: |k| when(k == Kind::Time, Kind::Text),
        convert: |value, zone| time_text(value, zone, |c, out| c.write_clock(out)),
    },
    Conversion {
        name: "sql",
        summary: "Date and time of day, as in 2000-03-25 12:13:29.",
        kind: |k| when(k == Kind::Time, Kind::Text),
        convert: |value, zone| {
            time_text(value, zone, |c, out| {
                c.write_date(out);
                out.push(b' ');
                c.write_clock(out);
            })
        },
    },
    Conversion {
        name: "time",
        summary: "The time itself, in whole seconds.",
        kind: |k| when(k == Kind::Time, Kind::Time),
        convert: |value, _| match value {
            Value::Time(n) => {
                Value::Time(n.div_euclid(1_000_000_000).saturating_mul(1_000_000_000))
            }
            _ => Value::Absent,
        },
    },
    Conversion {
        name: "hour",
        summary: "The hour of the day, from 0 to 23.",
        kind: |k| when(k == Kind::Time, Kind::Unsigned),
        convert: |value, zone| civil(value, zone, |c| i128::from(c.second_of_day / 3600)),
    },
    Conversion {
        name: "minute",
        summary: "The minute of the hour, from 0 to 59.",
        kind: |k| when(k == Kind::Time, Kind::Unsigned),
        convert: |value, zone| civil(value, zone, |c| i128::from(c.second_of_day / 60 % 60)),
    },
    Conversion {
        name: "year",
        summary: "The year.",
        kind: |k| when(k == Kind::Time, Kind::Signed),
        convert: |value, zone| civil(value, zone, |c| i128::from(c.year)),
    },
    Conversion {
        name: "month",
        summary: "The month, from 1 to 12.",
        kind: |k| when(k == Kind::Time, Kind::Unsigned),
        convert: |value, zone| civil(value, zone, |c| i128::from(c.month)),
    },
    Conversion {
        name: "day",
        summary: "The day of the month, from 1 to 31.",
        kind: |k| when(k == Kind::Time, Kind::Unsigned),
        convert: |value, zone| civil(value, zone, |c| i128::from(c.day)),
    },
    Conversion {
        name: "number",
        summary: "The number behind a name.",
        kind: |k| when(matches!(k, Kind::Named(_)), Kind::Unsigned),
        convert: |value, _| integer(value, 0, u64::MAX.into()),
    },
    Conversion {
        name: "version",
        summary: "4 or 6, the family of an address.",
        kind: |k| when(matches!(k, Kind::Address | Kind::Prefix), Kind::Unsigned),
        convert: |value, _| match value {
            Value::Address(a) => Value::Integer(if a.is_ipv4() { 4 } else { 6 }),
            Value::Prefix(p) => Value::Integer(if p.address.is_ipv4() { 4 } else { 6 }),
            _ => Value::Absent,
        },
    },
    Conversion {
        name: "address",
        summary: "The first address of a block.",
        kind: |k| when(matches!(k, Kind::Prefix | Kind::Text), Kind::Address),
        convert: |value, zone| match value {
            Value::Prefix(p) => Value::Address(p.address),
            Value::Text(t) => read(t, Kind::Address, zone),
            _ => Value::Absent,
        },
    },
];

fn text(write: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut out = Vec::new();
    write(&mut out);
    Value::Text(out.into())
}

fn read(text: &[u8], kind: Kind, zone: &Zone) -> Value {
    let literal = std::str::from_utf8(text).ok().map(Literal::new);
    literal
        .and_then(|literal| literal.read(kind, zone))
        .filter(|value| value.kind() == Some(kind))
        .unwrap_or_default()
}

fn double(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Integer(i) => *i as f64,
        Value::Named(n, _) => *n as f64,
        Value::Double(d) => *d,
        // Rounded once: whole seconds are exact.
        Value::Time(n) | Value::Duration(n) => {
            n.div_euclid(1_000_000_000) as f64 + n.rem_euclid(1_000_000_000) as f64 / 1e9
        }
        Value::Text(text) => {
            return match Literal::new(std::str::from_utf8(text).ok()?.trim()).natural() {
                Value::Text(_) => None,
                number => double(&number),
            };
        }
        _ => return None,
    })
}

fn integer(value: &Value, least: i128, most: i128) -> Value {
    let integer = match value {
        Value::Bool(b) => i128::from(*b),
        Value::Integer(i) => *i,
        Value::Named(n, _) => i128::from(*n),
        // Beyond 2^127 a double is no integer of ours.
        Value::Double(d) if d.abs() < 1.7e38 => d.trunc() as i128,
        Value::Time(n) | Value::Duration(n) => i128::from(n.div_euclid(1_000_000_000)),
        Value::Address(std::net::IpAddr::V4(v4)) => i128::from(u32::from(*v4)),
        Value::Text(text) => {
            let natural = std::str::from_utf8(text)
                .ok()
                .map(|text| Literal::new(text.trim()).natural());
            return match natural {
                Some(natural @ (Value::Integer(_) | Value::Double(_))) => {
                    integer(&natural, least, most)
                }
                _ => Value::Absent,
            };
        }
        _ => return Value::Absent,
    };
    if (least..=most).contains(&integer) {
        Value::Integer(integer)
    } else {
        Value::Absent
    }
}

fn nanos(value: &Value, convert: fn(i64) -> i64) -> Value {
    match value {
        Value::Time(n) | Value::Duration(n) => Value::Integer(convert(*n).into()),
        _ => Value::Absent,
    }
}

fn civil(value: &Value, zone: &Zone, part: fn(&crate::Civil) -> i128) -> Value {
    match value {
        Value::Time(n) => Value::Integer(part(&zone.civil(*n))),
        _ => Value::Absent,
    }
}

fn time_text(value: &Value, zone: &Zone, write: fn(&crate::Civil, &mut Vec<u8>)) -> Value {
    match value {
        Value::Time(n) => text(|out| write(&zone.civil(*n), out)),
        _ => Value::Absent,
    }
}

fn bytes_of(value: &Value) -> &[u8] {
    match value {
        Value::Mac(mac) => &mac.0,
        value => value.as_bytes().unwrap_or(&[]),
    }
}

fn map_bytes(value: &Value, map: fn(&[u8]) -> Vec<u8>) -> Value {
    match value {
        Value::Bytes(bytes) => Value::Bytes(map(bytes).into()),
        Value::Text(bytes) => Value::Text(map(bytes).into()),
        _ => Value::Absent,
    }
}

fn urldecode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match hex_pair(tail) {
            Some(decoded) if *byte == b'%' => {
                out.push(decoded);
                rest = &tail[2..];
            }
            _ => out.push(*byte),
        }
    }
    out
}

fn hexdecode(value: &Value) -> Value {
    let bytes = bytes_of(value);
    let decoded: Option<Vec<u8>> = bytes
        .chunks(2)
        .map(|pair| {
            if pair.len() == 2 {
                hex_pair(pair)
            } else {
                None
            }
        })
        .collect();
    match (decoded, value) {
        (Some(decoded), Value::Text(_)) => Value::Text(decoded.into()),
        (Some(decoded), Value::Bytes(_)) => Value::Bytes(decoded.into()),
        _ => Value::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(value: &Value, name: &str) -> String {
        let zone = Zone::utc();
        let kind = value.kind().unwrap();
        let Some(conversion) = Conversion::find(name, kind) else {
            return "none".to_owned();
        };
        let converted = (conversion.convert)(value, &zone);
        let mut out = Vec::new();
        write_value(&converted, &zone, &mut out);
        let kinds_agree = converted.is_absent()
            || (conversion.kind)(kind)
                .is_some_and(|kind| converted.kind() == Some(kind) || kind == Kind::Unsigned);
        assert!(kinds_agree, "{name} of {value:?} gives {converted:?}");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn converts() {
        let time = Value::Time(954_011_609_360_668_000);
        for (value, name, expected) in [
            (&time, "sec", "954011609"),
            (&time, "usec", "954011609360668"),
            (&time, "double", "954011609.360668"),
            (&time, "date", "2000-03-25"),
            (&time, "ctime", "19:13:29"),
            (&time, "sql", "2000-03-25 19:13:29"),
            (&time, "hour", "19"),
            (&time, "length", "none"),
            (&Value::Integer(325), "hexstring", "0x145"),
            (&Value::Integer(325), "ubyte", ""),
            (&Value::Double(-2.5), "int", "-2"),
            (&Value::Double(1e300), "int", ""),
            (&Value::Double(f64::NAN), "int", ""),
            (&Value::text("0x10"), "int", "16"),
            (&Value::text("1.5"), "double", "1.5"),
            (&Value::text("x"), "double", ""),
            (&Value::text("a%20b%zz"), "urldecode", "a b%zz"),
            (&Value::text("616"), "hexdecode", ""),
            (&Value::text("6162"), "hexdecode", "ab"),
            (&Value::Bytes(b"\0\xff".as_slice().into()), "hex", "00ff"),
            (&Value::Bytes(b"\0\xff".as_slice().into()), "length", "2"),
            (
                &Value::Address("1.0.0.2".parse().unwrap()),
                "nuint32",
                "16777218",
            ),
            (&Value::Address("::1".parse().unwrap()), "version", "6"),
        ] {
            assert_eq!(convert(value, name), expected, "{name} of {value:?}");
        }
    }

    #[test]
    fn every_conversion_takes_every_value() {
        let values = [
            Value::Bool(true),
            Value::Integer(i128::MIN),
            Value::Double(f64::NAN),
            Value::Double(1e300),
            Value::Time(i64::MIN),
            Value::Duration(i64::MIN),
            Value::text("%"),
            Value::Address("::".parse().unwrap()),
            Value::List([].into()),
        ];
        for conversion in CONVERSIONS {
            for value in &values {
                (conversion.convert)(value, &Zone::utc());
            }
        }
    }
}
