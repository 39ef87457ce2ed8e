//! SNMP (RFC 1157, RFC 3412, RFC 3416) over UDP: versions 1, 2c and 3, where it is not encrypted.

use super::cursor::Cursor;
use super::der::{INTEGER, OCTETS, OID, SEQUENCE, element, expect};
use super::found::Found;
use super::{Payload, fields, has_port};
use std::io::Write;
use wireq_typesys::Kind::{Signed, Text};

const PORTS: &[u16] = &[161, 162];
/// Messages are tagged from here on: get, get-next, response, set, trap, get-bulk and on.
const MESSAGES: std::ops::RangeInclusive<u8> = 0xa0..=0xa8;
const TRAP_1: u8 = 0xa4;
const VERSION_3: i64 = 3;

fields! { walk, "snmp", "RFC 1157, RFC 3412, RFC 3416";
    Version "snmp.version" [] Signed, "Version: 0 is 1, 1 is 2c, 3 is 3.";
    Community "snmp.community" [] Text, "The community, which stands for a password.";
    Message "snmp.data" [] Signed, "What the message is: 0 asks for values, 1 for the next ones, 2 answers.";
    RequestId "snmp.request_id" [] Signed, "Number of the request, and of its answer.";
    Name "snmp.name" [] Text, "The objects that are asked for or told of.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_udp() || !has_port(payload, PORTS) {
        return None;
    }
    let mut outer = Cursor::new(payload.bytes);
    let mut message = expect(&mut outer, SEQUENCE)?;
    let version = integer(expect(&mut message, INTEGER)?)?;
    (0..=VERSION_3).contains(&version).then_some(())?;
    found.signed(Id::Version, version);
    if version == VERSION_3 {
        message = scoped(&mut message)?;
    } else {
        found.bytes(Id::Community, expect(&mut message, OCTETS)?.bytes);
    }
    let (tag, data) = element(&mut message)?;
    MESSAGES.contains(&tag).then_some(())?;
    found.signed(Id::Message, tag - MESSAGES.start());
    walk_data(tag, data, found)
}

/// What is behind the names in the scoped data of version 3; nothing where it is encrypted, which
/// makes it a string of octets.
fn scoped<'a>(message: &mut Cursor<'a>) -> Option<Cursor<'a>> {
    let _header = expect(message, SEQUENCE)?;
    let _security = expect(message, OCTETS)?;
    let mut data = expect(message, SEQUENCE)?;
    let _engine = expect(&mut data, OCTETS)?;
    let _context = expect(&mut data, OCTETS)?;
    Some(data)
}

fn walk_data(tag: u8, mut data: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    if tag == TRAP_1 {
        // Enterprise, agent, two numbers and a time.
        for _ in 0..5 {
            element(&mut data)?;
        }
    } else {
        found.signed(Id::RequestId, integer(expect(&mut data, INTEGER)?)?);
        expect(&mut data, INTEGER)?;
        expect(&mut data, INTEGER)?;
    }
    let mut bindings = expect(&mut data, SEQUENCE)?;
    while !bindings.is_empty() {
        let mut binding = expect(&mut bindings, SEQUENCE)?;
        let name = expect(&mut binding, OID)?;
        found.made(Id::Name, |out| write_oid(name, out));
    }
    Some(())
}

fn integer(content: Cursor<'_>) -> Option<i64> {
    let (first, rest) = content
        .bytes
        .split_first()
        .filter(|(_, rest)| rest.len() < 8)?;
    let start = i64::from(*first as i8);
    Some(
        rest.iter()
            .fold(start, |number, byte| number << 8 | i64::from(*byte)),
    )
}

/// Numbers of seven bits a byte, with dots between them; the first byte is two of them.
fn write_oid(content: Cursor<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut number = 0u64;
    let mut is_first = true;
    for byte in content.bytes {
        number = number.checked_mul(128)? | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if is_first {
            let head = (number / 40).min(2);
            write!(out, "{head}.{}", number - head * 40).ok()?;
            is_first = false;
        } else {
            write!(out, ".{number}").ok()?;
        }
        number = 0;
    }
    let is_whole = content.bytes.last().is_some_and(|byte| byte & 0x80 == 0);
    is_whole.then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, udp};

    #[test]
    fn a_question() {
        let message = hex(
            "30 2a 02 01 01 04 06 7075626c6963 a0 1d 02 04 ffffff85 02 01 00 02 01 00
            30 0f 30 0d 06 09 2b06010401bf088311 05 00",
        );
        for (name, value) in [
            ("snmp.version", Some("1")),
            ("snmp.community", Some("public")),
            ("snmp.data", Some("0")),
            ("snmp.request_id", Some("-123")),
            ("snmp.name", Some("1.3.6.1.4.1.8072.401")),
        ] {
            assert_eq!(udp([161, 5], &message, name).as_deref(), value, "{name}");
        }
        assert_eq!(udp([160, 5], &message, "snmp.version"), None);
        assert_eq!(udp([161, 5], &message[..30], "snmp.name"), None);
        assert_eq!(
            udp([161, 5], &message[..30], "snmp.community").as_deref(),
            Some("public")
        );
        assert_eq!(udp([161, 5], &hex("30 03 02 01 07"), "snmp.version"), None);
    }

    #[test]
    fn a_report_of_version_3() {
        let security = "04 11 300f 0401 80 0201 07 0201 09 0400 0400 0400";
        let start = format!("02 01 03 30 0d 0201 05 0202 4000 0401 00 0201 03 {security}");
        let scoped = "30 26 04 01 80 04 02 6162
            a8 1d 02 04 ffffff85 02 01 00 02 01 00 30 0f 30 0d 06 09 2b0601060f010104 00 05 00";
        let message = hex(&format!("30 4d {start} {scoped}"));
        for (name, value) in [
            ("snmp.version", Some("3")),
            ("snmp.community", None),
            ("snmp.data", Some("8")),
            ("snmp.request_id", Some("-123")),
            ("snmp.name", Some("1.3.6.1.6.15.1.1.4.0")),
        ] {
            assert_eq!(udp([161, 5], &message, name).as_deref(), value, "{name}");
        }
        let encrypted = hex(&format!("30 2a {start} 04 03 a80102"));
        for (name, value) in [("snmp.version", Some("3")), ("snmp.data", None)] {
            assert_eq!(udp([161, 5], &encrypted, name).as_deref(), value, "{name}");
        }
    }
}
