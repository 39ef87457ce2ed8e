//! Packets for the tests of applications.

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
    use super::PROTOCOLS;
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
    for (is_tcp, port, payload) in SAMPLES {
        let payload = hex(payload);
        for round in 0..8 {
            let mut mutated = payload.clone();
            for _ in 0..round.min(3) {
                let at = random(mutated.len());
                mutated[at] = [0, 1, 0x7f, 0x80, 0xff, 0xc0][random(6)];
            }
            if round > 3 {
                mutated.truncate(random(mutated.len()) + 1);
            }
            for name in &names {
                if *is_tcp {
                    tcp([40_000, *port], &mutated, name);
                } else {
                    udp([40_000, *port], &mutated, name);
                }
            }
        }
    }
}

/// Whether over TCP, the port, and a payload.
const SAMPLES: &[(bool, u16, &str)] = &[
    (
        false,
        53,
        "1234 8580 0001 0003 0000 0001 03777777 076578616d706c65 03636f6d 00 0001 0001
         c00c 0005 0001 0000003c 0004 0161 c010 c02d 0001 0001 0000003c 0004 c0000201
         c010 000f 0001 0000003c 0009 000a 046d61696c c010 00 0029 04d0 00 00 8000 0000",
    ),
    (
        true,
        443,
        "16 0301 005b 01 000057 0303 0000000000000000000000000000000000000000000000000000000000000000
         00 0004 1301 002f 01 00 002a 0000 0008 0006 00 0003 612e62 0010 0005 0003 02 6832
         000a 0004 0002 001d 002b 0003 02 0304 000b 0002 01 00",
    ),
    (
        true,
        80,
        "474554202f20485454502f312e310d0a486f73743a20610d0a436f6f6b69653a20613d620d0a0d0a",
    ),
];
