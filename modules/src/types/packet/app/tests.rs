//! Packets for the tests of applications.

use super::PROTOCOLS;
use super::cursor::LOOKED_AT;
use crate::types::packet::layers::Protocol;
use crate::types::packet::load::field;

/// The text of a field of a UDP datagram between two ports.
pub(super) fn udp(ports: [u16; 2], payload: &[u8], name: &str) -> Option<String> {
    let mut bytes = ip(17, 8 + payload.len());
    bytes.extend(ports[0].to_be_bytes());
    bytes.extend(ports[1].to_be_bytes());
    bytes.extend((8 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    field(&bytes, name)
}

/// The text of a field of a TCP segment between two ports.
pub(super) fn tcp(ports: [u16; 2], payload: &[u8], name: &str) -> Option<String> {
    let mut bytes = ip(6, 20 + payload.len());
    bytes.extend(ports[0].to_be_bytes());
    bytes.extend(ports[1].to_be_bytes());
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    field(&bytes, name)
}

fn ip(protocol: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend([8, 0, 0x45, 0]);
    bytes.extend((20 + len as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes
}

/// The bytes that a text of hex digits stands for; white space does not count.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).expect("digits"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hex digits"))
        .collect()
}

/// What is asked of every application: no bytes make it panic, and what a cut leaves is found all
/// the same or absent.
#[test]
fn any_payload_of_any_port() {
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let names: Vec<&str> = PROTOCOLS
        .iter()
        .flat_map(|protocol| protocol.fields.iter().map(|field| field.name))
        .collect();
    for Sample(start, is_tcp, port, payload) in SAMPLES {
        let payload = hex(payload);
        let find = |payload: &[u8], name: &str| match is_tcp {
            true => tcp([40_000, *port], payload, name),
            false => udp([40_000, *port], payload, name),
        };
        let mut own = names.iter().filter(|name| name.starts_with(start));
        let found = own.any(|name| find(&payload, name).is_some());
        assert!(found, "a sample of {start}");
        for round in 0..12 {
            let mut mutated = payload.clone();
            for _ in 0..round.min(3) {
                let at = random(mutated.len());
                mutated[at] = [0, 1, 0x7f, 0x80, 0xff, 0xc0][random(6)];
            }
            if round > 6 {
                mutated.truncate(random(mutated.len()) + 1);
            }
            for name in &names {
                find(&mutated, name);
            }
        }
    }
    let has_sample = |protocol: &&Protocol| {
        SAMPLES.iter().any(|sample| {
            protocol
                .fields
                .iter()
                .any(|field| field.name.starts_with(sample.0))
        })
    };
    assert!(PROTOCOLS.iter().all(has_sample), "a sample of each");
}

/// The bytes that the walks for all fields look at in a payload, and those of what they find.
pub(super) fn work(is_tcp: bool, port: u16, payload: &[u8]) -> usize {
    LOOKED_AT.set(0);
    let fields = PROTOCOLS.iter().flat_map(|protocol| protocol.fields);
    let find = if is_tcp { tcp } else { udp };
    let found = fields.filter_map(|field| find([40_000, port], payload, field.name));
    found.map(|text| text.len()).sum::<usize>() + LOOKED_AT.get()
}

/// Fails where a pattern again and again makes more work than payloads grow.
pub(super) fn is_linear(what: &str, is_tcp: bool, port: u16, before: &[u8], pattern: &[u8]) {
    let of = |len: usize| {
        let mut payload = before.to_vec();
        while payload.len() + pattern.len() <= len {
            payload.extend(pattern);
        }
        work(is_tcp, port, &payload)
    };
    let (small, large) = (of(4_000), of(60_000));
    println!("{what}: {small} bytes looked at in 4,000, {large} in 60,000");
    assert!(small >= 4_000, "{what} is looked at");
    assert!(large <= small * 17, "{what}: {small}, then {large}");
}

#[test]
fn work_is_linear_in_the_size_of_a_payload() {
    for Sample(start, is_tcp, port, payload) in SAMPLES {
        let payload = hex(payload);
        // Behind one message of these nothing is looked for.
        if !matches!(
            *start,
            "dns." | "dhcp." | "ntp." | "sip." | "snmp." | "ssh."
        ) {
            is_linear(start, *is_tcp, *port, &[], &payload);
        }
    }
    let questions = hex("1234 0100 ffff 0000 0000 0000");
    let long = [&questions[..], &[&[63][..], &[b'a'; 63]].concat().repeat(3)].concat();
    let answers = hex("1234 8400 0001 ffff 0000 0000");
    let topics = hex("a2 ffff03 0001");
    let lines = |first: &str| first.as_bytes().to_vec();
    for (what, is_tcp, port, before, pattern) in [
        (
            "records of a byte",
            true,
            443,
            vec![],
            hex("16 0301 0001 01"),
        ),
        (
            "records of a hello that does not end",
            true,
            443,
            hex("16 0301 0004 01 00ffff"),
            hex("16 0301 0001 00"),
        ),
        (
            "pointers to themselves",
            false,
            53,
            questions,
            hex("c00c 0001 0001"),
        ),
        (
            "pointers to a long name",
            false,
            53,
            [&long[..], &hex("00 0001 0001")].concat(),
            hex("c00c 0001 0001"),
        ),
        (
            "a name that has no end",
            false,
            53,
            [&long[..], &hex("c00c 0001 0001")].concat(),
            hex("c00c 0001 0001"),
        ),
        (
            "records with names that have no end",
            false,
            53,
            [&answers[..], &long[12..], &hex("c00c 0001 0001")].concat(),
            hex("00 0002 0001 00000000 0002 c00c"),
        ),
        ("topics", true, 1883, topics, hex("0001 61")),
        (
            "messages of MQTT",
            true,
            1883,
            vec![],
            hex("a2 07 0001 0003 612f62"),
        ),
        (
            "lines of SIP",
            false,
            5060,
            lines("INVITE sip:b@h SIP/2.0\r\n"),
            lines("To: a\r\n"),
        ),
        (
            "lines of HTTP",
            true,
            80,
            lines("GET / HTTP/1.1\r\n"),
            lines("Cookie: a\r\n"),
        ),
        (
            "options of DHCP",
            false,
            67,
            [&[1, 1, 6, 0][..], &[0; 232], &hex("63825363")].concat(),
            hex("0701 61"),
        ),
    ] {
        is_linear(what, is_tcp, port, &before, &pattern);
    }
}

/// What the names of fields begin with, whether over TCP, the port, and a payload.
struct Sample(&'static str, bool, u16, &'static str);

const SAMPLES: &[Sample] = &[
    Sample(
        "dns.",
        false,
        53,
        "1234 8580 0001 0003 0000 0001 03777777 076578616d706c65 03636f6d 00 0001 0001
         c00c 0005 0001 0000003c 0004 0161 c010 c02d 0001 0001 0000003c 0004 c0000201
         c010 000f 0001 0000003c 0009 000a 046d61696c c010 00 0029 04d0 00 00 8000 0000",
    ),
    Sample(
        "tls.",
        true,
        443,
        "16 0301 005b 01 000057 0303 0000000000000000000000000000000000000000000000000000000000000000
         00 0004 1301 002f 01 00 002a 0000 0008 0006 00 0003 612e62 0010 0005 0003 02 6832
         000a 0004 0002 001d 002b 0003 02 0304 000b 0002 01 00",
    ),
    Sample(
        "http.",
        true,
        80,
        "474554202f20485454502f312e310d0a486f73743a20610d0a436f6f6b69653a20613d620d0a0d0a",
    ),
    Sample(
        "tls.",
        true,
        443,
        "160303009d020000300303000000000000000000000000000000000000000000000000000000000000000000c02f0000
         0800100004000201610b00006500006200005f305d305ba003020102020107300306012a300d310b300906035504030c
         0263613000300d310b300906035504030c026d653000a32a302830260603551d11041f301d8203612e6287040a000001
         87100000000000000000000000000000000015030300020228",
    ),
    Sample(
        "x509",
        true,
        443,
        "160303009d020000300303000000000000000000000000000000000000000000000000000000000000000000c02f0000
         0800100004000201610b00006500006200005f305d305ba003020102020107300306012a300d310b300906035504030c
         0263613000300d310b300906035504030c026d653000a32a302830260603551d11041f301d8203612e6287040a000001
         87100000000000000000000000000000000015030300020228",
    ),
    Sample(
        "http.",
        true,
        80,
        "485454502f312e3120323030204f4b0d0a436f6e74656e742d4c656e6774683a20310d0a5365727665723a20730d0a0d
         0a78485454502f312e3120343034204e6f0d0a5472616e736665722d456e636f64696e673a206368756e6b65640d0a0d
         0a313b613d620d0a780d0a300d0a0d0a",
    ),
    Sample(
        "dhcp.",
        false,
        67,
        "010106003903f3260000000000000000000000000000000000000000000b8201fc420000000000000000000000000000
         000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
         000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
         000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
         000000000000000000000000000000000000000000000000000000000000000000000000000000000000000063825363
         3501013d0701000b8201fc420c04686f7374370401032a0fff",
    ),
    Sample(
        "ntp.",
        false,
        123,
        "230206ec00000a0b00000c0d0a000001e000000080000000e000000080000000e000000080000000e000000080000000",
    ),
    Sample(
        "ssh.",
        true,
        22,
        "5353482d322e302d780d0a0000009807140000000000000000000000000000000000000011637572766532353531392d
         7368613235360000000b7373682d656432353531390000000a6165733132382d6374720000000a6165733132382d6374
         720000000d686d61632d736861322d3235360000000d686d61632d736861322d323536000000046e6f6e65000000046e
         6f6e650000000000000000000000000000000000000000",
    ),
    Sample(
        "quic.",
        false,
        443,
        "c300000001 08 8394c8f03e515708 04 01020304 03 aabbcc 40205a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
    ),
    Sample(
        "sip.",
        false,
        5060,
        "494e56495445207369703a624068205349502f322e300d0a46726f6d3a203c7369703a6140683e0d0a435365713a2031
         20494e564954450d0a4d61782d466f7277617264733a2037300d0a6c3a20300d0a0d0a",
    ),
    Sample(
        "mqtt.",
        true,
        1883,
        "101000044d5154540402003c000463306e6e31070003612f626869",
    ),
    Sample(
        "smb2.",
        true,
        445,
        "00000040 fe534d42 4000 0000 220000c0 0500 0100 01000000 00000000 0700000000000000 fffe0000 05000000 1122334455667788 00000000000000000000000000000000",
    ),
    Sample(
        "smb.",
        true,
        139,
        "00000020 ff534d42 72 00000000 98 000000000000000000000000000000000000000000000000",
    ),
    Sample(
        "snmp.",
        false,
        161,
        "30 2a 02 01 01 04 06 7075626c6963 a0 1d 02 04 ffffff85 02 01 00 02 01 00 30 0f 30 0d 06 09 2b06010401bf088311 05 00",
    ),
];
