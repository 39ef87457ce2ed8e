//! Constants as typed.

use crate::{Kind, Mac, Prefix, Value, Zone, parse_time, unescape};
use std::net::IpAddr;

/// A constant of a query. It keeps its text, and with it every reading (number, address, time,
/// text), until it meets a column whose kind picks one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Literal {
    /// As typed, without quotes.
    pub text: String,
    /// Whether it stood in quotes, and so is text where nothing else decides.
    pub quoted: bool,
}

impl Literal {
    /// A constant that did not stand in quotes.
    pub fn new(text: &str) -> Literal {
        Literal {
            text: text.to_owned(),
            quoted: false,
        }
    }

    /// A constant that stood in quotes.
    pub fn quoted(text: &str) -> Literal {
        Literal {
            text: text.to_owned(),
            quoted: true,
        }
    }

    /// The constant read as a kind; none where it can't be. A prefix is a reading for addresses
    /// too: comparing an address with a prefix asks whether it is in the block.
    pub fn read(&self, kind: Kind, zone: &Zone) -> Option<Value> {
        let text = self.text.as_str();
        match kind {
            Kind::Bool => match text {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Signed | Kind::Unsigned | Kind::Double => number(text),
            Kind::Named(names) => {
                number(text).or_else(|| names.number(text).map(|n| Value::Named(n, names)))
            }
            Kind::Time => parse_time(text, zone).map(Value::Time),
            Kind::Duration => duration(text).map(Value::Duration),
            Kind::Address => text
                .parse()
                .map(Value::Address)
                .ok()
                .or_else(|| prefix(text).map(Value::Prefix)),
            Kind::Prefix => prefix(text).map(Value::Prefix),
            Kind::Mac => mac(text).map(Value::Mac),
            Kind::Bytes => Some(Value::Bytes(unescape(text.as_bytes()).into())),
            Kind::Text => Some(Value::Text(unescape(text.as_bytes()).into())),
            Kind::List(kind) => self.read(*kind, zone),
            Kind::Object => None,
            Kind::Dynamic => Some(self.natural()),
        }
    }

    /// The reading where no column decides: a number if it is one and stands without quotes, else text.
    pub fn natural(&self) -> Value {
        let number = if self.quoted {
            None
        } else {
            number(&self.text)
        };
        number.unwrap_or_else(|| Value::Text(unescape(self.text.as_bytes()).into()))
    }

    /// Whether the constant is a number and stands without quotes.
    pub fn is_number(&self) -> bool {
        !self.quoted && Literal::reads_as_number(&self.text)
    }

    /// Whether a text without quotes is one.
    pub fn reads_as_number(text: &str) -> bool {
        number(text).is_some()
    }
}

/// A number: decimal or `0x` hexadecimal integer, or a double.
fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let integer = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(hex) if !hex.starts_with(['+', '-']) => Some(i128::from_str_radix(hex, 16).ok()?),
        _ if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    };
    match integer {
        Some(integer) => Some(Value::Integer(if negative { -integer } else { integer })),
        None => text.parse().ok().map(Value::Double),
    }
}

/// `10.0.0.0/8`, `fd00::/8`; a lone address is the block of itself. Host bits are cleared.
fn prefix(text: &str) -> Option<Prefix> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = match bits {
        Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
        None => {
            if address.is_ipv4() {
                32
            } else {
                128
            }
        }
    };
    Prefix::new(address, bits)
}

/// `00:11:22:33:44:55`, also with `-` between the bytes.
fn mac(text: &str) -> Option<Mac> {
    let mut mac = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut mac {
        let part = parts.next().filter(|part| {
            matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_hexdigit())
        })?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(mac))
}

/// `10s`, `250ms`, `1h30m`; a bare number is seconds.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut nanos = 0i64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let units = rest[digits..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |at| digits + at);
        let unit: i64 = match &rest[digits..units] {
            "" | "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1000,
            "ns" => 1,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        let part = match rest[..digits].parse::<i64>() {
            Ok(whole) => whole.checked_mul(unit)?,
            Err(_) => {
                let part = rest[..digits].parse::<f64>().ok()? * unit as f64;
                (part.abs() < 9e18).then_some(part.round() as i64)?
            }
        };
        nanos = nanos.checked_add(part)?;
        rest = &rest[units..];
    }
    Some(if negative { -nanos } else { nanos })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Names, total_order, write_value};

    static PROTOCOLS: Names = Names {
        name: "ip-protocol",
        entries: &[(1, "icmp"), (6, "tcp"), (17, "udp")],
    };

    #[test]
    fn has_every_reading() {
        let zone = Zone::utc();
        let read = |text: &str, kind| {
            Literal::new(text).read(kind, &zone).map(|value| {
                let mut out = Vec::new();
                write_value(&value, &zone, &mut out);
                String::from_utf8(out).unwrap()
            })
        };
        for (text, kind, expected) in [
            ("80", Kind::Unsigned, Some("80")),
            ("0x50", Kind::Unsigned, Some("80")),
            ("-1", Kind::Unsigned, Some("-1")),
            ("1e3", Kind::Unsigned, Some("1000")),
            ("eth", Kind::Unsigned, None),
            ("tcp", Kind::Named(&PROTOCOLS), Some("tcp")),
            ("UDP", Kind::Named(&PROTOCOLS), Some("udp")),
            ("6", Kind::Named(&PROTOCOLS), Some("6")),
            ("10.0.0.1", Kind::Address, Some("10.0.0.1")),
            ("10.0.0.1/8", Kind::Address, Some("10.0.0.0/8")),
            ("10.0.0.1/33", Kind::Address, None),
            ("fd00::1", Kind::Address, Some("fd00::1")),
            ("example.com", Kind::Address, None),
            ("0:1:2:a:B:ff", Kind::Mac, Some("00:01:02:0a:0b:ff")),
            ("0:1:2:a:B", Kind::Mac, None),
            ("1h30m", Kind::Duration, Some("5400")),
            ("250ms", Kind::Duration, Some("0.250000")),
            ("5", Kind::Time, Some("1970-01-01T00:00:05+00:00")),
            ("a\\x00b", Kind::Bytes, Some("a\\x00b")),
            ("true", Kind::Bool, Some("true")),
            ("inf", Kind::Double, None),
        ] {
            assert_eq!(read(text, kind).as_deref(), expected, "{text} as {kind}");
        }
        assert!(total_order(&Literal::new("7").natural(), &Value::Integer(7)).is_eq());
        assert!(total_order(&Literal::quoted("7").natural(), &Value::text("7")).is_eq());
    }
}
