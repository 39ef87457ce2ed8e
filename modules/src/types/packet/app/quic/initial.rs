//! Initial packets (RFC 9001, 5): what a client begins with can be read by everybody on the way.

use super::super::cursor::{Cursor, look_at};
use super::{Long, VERSION_2, varint};
use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::aes::{Aes128, Block};
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;

/// RFC 9001, 5.2.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
/// RFC 9369, 3.3.1.
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-tls-29 to -32.
const SALT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 to -28.
const SALT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65,
    0xbe, 0xf9, 0xf5, 0x02,
];
const TAG_LEN: usize = 16;

/// The keys of a client's initial packets.
pub(super) struct Keys {
    packets: Aes128Gcm,
    iv: [u8; 12],
    headers: Aes128,
}

impl Keys {
    /// Made of the connection id that a client chose for the server.
    pub fn of_client(version: u32, destination: &[u8]) -> Option<Keys> {
        let salt = match version {
            VERSION_2 => &SALT_2,
            0xff00_0017..=0xff00_001c => &SALT_23,
            0xff00_001d..=0xff00_0020 => &SALT_29,
            _ => &SALT_1,
        };
        let initial = Hkdf::<Sha256>::new(Some(salt), destination);
        let mut secret = [0; 32];
        expand(&initial, b"client in", &mut secret)?;
        let client = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let (mut key, mut iv, mut hp) = ([0; 16], [0; 12], [0; 16]);
        let labels: [&[u8]; 3] = match version {
            VERSION_2 => [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"],
            _ => [b"quic key", b"quic iv", b"quic hp"],
        };
        expand(&client, labels[0], &mut key)?;
        expand(&client, labels[1], &mut iv)?;
        expand(&client, labels[2], &mut hp)?;
        Some(Keys {
            packets: Aes128Gcm::new(&key.into()),
            iv,
            headers: Aes128::new(&hp.into()),
        })
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &[u8], out: &mut [u8]) -> Option<()> {
    let mut info = (out.len() as u16).to_be_bytes().to_vec();
    info.push(6 + label.len() as u8);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label);
    info.push(0);
    secret.expand(&info, out).ok()
}

/// Decrypts a packet and takes the parts of the hello that are in it; none where it is not one of a
/// client, or not whole.
pub(super) fn open(packet: &Long<'_>, keys: &Keys, crypto: &mut Crypto) -> Option<()> {
    let at = packet.number_at;
    let sample: [u8; 16] = packet.packet.get(at + 4..at + 20)?.try_into().ok()?;
    let mut mask = Block::from(sample);
    keys.headers.encrypt_block(&mut mask);
    let mut bytes = packet.packet.to_vec();
    look_at(bytes.len());
    bytes[0] ^= mask[0] & 0x0f;
    let number_len = usize::from(bytes[0] & 3) + 1;
    let mut nonce = keys.iv;
    for index in 0..number_len {
        bytes[at + index] ^= mask[1 + index];
        nonce[12 - number_len + index] ^= bytes[at + index];
    }
    let end = bytes.len().checked_sub(TAG_LEN)?;
    let tag: [u8; TAG_LEN] = bytes[end..].try_into().ok()?;
    let (header, payload) = bytes[..end].split_at_mut_checked(at + number_len)?;
    keys.packets
        .decrypt_inout_detached(
            &Nonce::from(nonce),
            header,
            (&mut *payload).into(),
            &Tag::from(tag),
        )
        .ok()?;
    frames(Cursor::new(payload), crypto)
}

/// The frames that an initial packet may have (RFC 9000, 12.4).
fn frames(mut payload: Cursor<'_>, crypto: &mut Crypto) -> Option<()> {
    const PADDING: u8 = 0;
    const PING: u8 = 1;
    const ACK: u8 = 2;
    const ACK_ECN: u8 = 3;
    const CRYPTO: u8 = 6;
    while !payload.is_empty() {
        match payload.u8()? {
            PADDING | PING => {}
            kind @ (ACK | ACK_ECN) => {
                let (_largest, _delay) = (varint(&mut payload)?, varint(&mut payload)?);
                let ranges = varint(&mut payload)?;
                varint(&mut payload)?;
                for _ in 0..ranges {
                    varint(&mut payload)?;
                    varint(&mut payload)?;
                }
                for _ in 0..if kind == ACK_ECN { 3 } else { 0 } {
                    varint(&mut payload)?;
                }
            }
            CRYPTO => {
                let offset = usize::try_from(varint(&mut payload)?).ok()?;
                let len = usize::try_from(varint(&mut payload)?).ok()?;
                crypto.add(offset, payload.take(len)?);
            }
            _ => return None,
        }
    }
    Some(())
}

/// Parts of a message, each with its place.
#[derive(Default)]
pub(super) struct Crypto {
    /// The parts one after the other, as they came.
    bytes: Vec<u8>,
    /// Their places in the message, and where they are in the bytes.
    parts: Vec<(usize, std::ops::Range<usize>)>,
}

impl Crypto {
    fn add(&mut self, offset: usize, part: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(part);
        self.parts.push((offset, start..self.bytes.len()));
    }

    /// Writes what there is from the message's beginning on without a gap.
    pub fn write_beginning(&mut self, out: &mut Vec<u8>) {
        self.parts.sort_unstable_by_key(|part| part.0);
        let before = out.len();
        for (offset, range) in &self.parts {
            let known = (out.len() - before).checked_sub(*offset);
            let Some(known) = known else { return };
            // What was there already is not written again.
            let new = self.bytes[range.clone()].get(known..);
            out.extend_from_slice(new.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::packet::app::tests::{hex, is_linear, udp};

    /// What is behind the header of the packet in RFC 9001, appendix A.2, without the padding.
    const CRYPTO: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
        616d706c652e636f6dff01000100000a00080006001d00170018001000070005
        04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
        0d0010000e0403050306030203080408050806002d00020101001c0002400100
        3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
        75300901100f088394c8f03e51570806048000ffff";

    /// Encrypts what is behind the header of a packet whose number, 2, has four bytes.
    fn seal(header: &str, version: u32, payload: &[u8]) -> Vec<u8> {
        let mut header = hex(header);
        let keys = Keys::of_client(version, &header[6..14]).expect("keys");
        let mut nonce = keys.iv;
        nonce[11] ^= 2;
        let mut payload = payload.to_vec();
        let tag = keys
            .packets
            .encrypt_inout_detached(&Nonce::from(nonce), &header, payload.as_mut_slice().into())
            .expect("a packet");
        let sample: [u8; 16] = payload[..16].try_into().expect("enough");
        let mut mask = Block::from(sample);
        keys.headers.encrypt_block(&mut mask);
        let at = header.len() - 4;
        header[0] ^= mask[0] & 0x0f;
        (0..4).for_each(|index| header[at + index] ^= mask[1 + index]);
        [&header[..], &payload, &tag].concat()
    }

    fn padded(frames: &[u8]) -> Vec<u8> {
        let mut payload = frames.to_vec();
        payload.resize(1162, 0);
        payload
    }

    fn check(packet: &[u8], expected: &[(&str, Option<&str>)]) {
        for (name, value) in expected {
            assert_eq!(
                udp([50_000, 443], packet, name).as_deref(),
                *value,
                "{name}"
            );
        }
    }

    const HEADER: &str = "c300000001088394c8f03e5157080000449e00000002";

    #[test]
    fn work_is_linear_in_the_packets_of_a_datagram() {
        let packet = seal(HEADER, 1, &padded(&hex(CRYPTO)));
        is_linear("initial packets", false, 443, &[], &packet);
    }

    #[test]
    fn the_packet_of_the_specification() {
        let packet = seal(HEADER, 1, &padded(&hex(CRYPTO)));
        let start = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b";
        let end = "e221af44860018ab0856972e194cd934";
        assert!(packet.starts_with(&hex(start)) && packet.ends_with(&hex(end)));
        check(
            &packet,
            &[
                ("quic.version", Some("1")),
                ("quic.long.packet_type", Some("0")),
                ("quic.dcid", Some("\\x83\\x94\\xc8\\xf0>QW\\x08")),
                ("quic.scid", None),
                ("quic.token_length", Some("0")),
                ("quic.length", Some("1182")),
                ("tls.handshake.type", Some("1")),
                ("tls.sni", Some("example.com")),
                ("tls.alpn", Some("alpn")),
            ],
        );
        let ja4 = udp([1, 443], &packet, "tls.ja4").expect("a fingerprint");
        assert!(ja4.starts_with("q13d0211an_"), "{ja4}");
        // Cut or changed, it is not decrypted; the header is there.
        check(
            &packet[..1199],
            &[("tls.sni", None), ("quic.version", Some("1"))],
        );
        let mut changed = packet.clone();
        changed[500] ^= 1;
        check(&changed, &[("tls.sni", None), ("quic.version", Some("1"))]);
    }

    #[test]
    fn parts_in_any_order_and_version_2() {
        let crypto = hex(CRYPTO);
        let message = &crypto[4..];
        let part = |from: usize, to: usize| {
            let mut frame = vec![6, 0x40 | (from >> 8) as u8, from as u8];
            frame.extend([0x40 | ((to - from) >> 8) as u8, (to - from) as u8]);
            frame.extend(&message[from..to]);
            frame
        };
        let parts = [part(100, 241), vec![1, 0, 0], part(0, 60), part(60, 100)].concat();
        let header = HEADER.replace("c300000001", "d36b3343cf");
        let packet = seal(&header, VERSION_2, &padded(&parts));
        check(
            &packet,
            &[
                ("quic.long.packet_type", Some("0")),
                ("tls.sni", Some("example.com")),
            ],
        );
        // What comes before a gap is read.
        let gap = [part(0, 90), part(100, 241)].concat();
        let packet = seal(HEADER, 1, &padded(&gap));
        check(
            &packet,
            &[
                ("tls.handshake.ciphersuite", Some("4865,4866")),
                ("tls.ja3", None),
            ],
        );
    }
}
