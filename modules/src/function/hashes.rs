//! Hashes: the same on every machine and in every run.

use super::encodings::BYTES;
use super::support::*;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use wireq_typesys::{Kind, Value, key};

fn digest<D: Digest>(values: &[Value]) -> Value {
    text(values, 0).map_or(Value::Absent, |text| {
        let digest = D::digest(text.bytes());
        written_text(|out| {
            let digits = |byte: &u8| {
                [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)])
            };
            out.extend(digest.iter().flat_map(digits));
        })
    })
}

pub(super) static MD5: Function = Function {
    name: "md5",
    summary: "The MD5 digest in hexadecimal digits.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&MD5, kinds, Kind::Text),
    call: |values, _| digest::<Md5>(values),
    examples: &[
        ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
        ("md5('')", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
};

pub(super) static SHA1: Function = Function {
    name: "sha1",
    summary: "The SHA-1 digest in hexadecimal digits.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&SHA1, kinds, Kind::Text),
    call: |values, _| digest::<Sha1>(values),
    examples: &[
        ("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha1('')", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ],
};

pub(super) static SHA256: Function = Function {
    name: "sha256",
    summary: "The SHA-256 digest in hexadecimal digits.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&SHA256, kinds, Kind::Text),
    call: |values, _| digest::<Sha256>(values),
    examples: &[
        (
            "sha256('abc')",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "sha256('')",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ],
};

pub(super) static CRC32: Function = Function {
    name: "crc32",
    summary: "The cyclic redundancy check of Ethernet and ZIP, as a number.",
    parameters: &[BYTES],
    strict: true,
    kind: |kinds| takes(&CRC32, kinds, Kind::Unsigned),
    call: |values, _| {
        text(values, 0).map_or(Value::Absent, |text| {
            Value::Integer(crc32(text.bytes()).into())
        })
    },
    examples: &[("crc32('123456789')", "3421780262"), ("crc32('')", "0")],
};

/// The remainder of each byte by the polynomial of IEEE 802.3, its bits in reverse.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (0xedb8_8320 * (remainder & 1));
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (sum >> 8) ^ CRC_TABLE[usize::from(sum as u8 ^ byte)]
    })
}

pub(super) static XXH64: Function = Function {
    name: "xxh64",
    summary: "The xxHash of 64 bits, as a number.",
    parameters: &[
        BYTES,
        optional(
            "SEED",
            Kind::Unsigned,
            "What makes another hash of the same bytes; 0 unless given.",
        ),
    ],
    strict: true,
    kind: |kinds| takes(&XXH64, kinds, Kind::Unsigned),
    call: |values, _| {
        let seed = integer_or(values, 1, 0).and_then(|seed| u64::try_from(seed).ok());
        text(values, 0)
            .zip(seed)
            .map_or(Value::Absent, |(text, seed)| {
                Value::Integer(xxh64(seed, text.bytes()).into())
            })
    },
    examples: &[
        ("hex(xxh64(''))", "EF46DB3751D8E999"),
        ("hex(xxh64('abc'))", "44BC2CF5AD770999"),
    ],
};

fn xxh64(seed: u64, bytes: &[u8]) -> u64 {
    twox_hash::XxHash64::oneshot(seed, bytes)
}

pub(super) static HASH: Function = Function {
    name: "hash",
    summary: "A number of 64 bits for values of any kind; equal values have the same.",
    parameters: &[
        one("VALUE", Kind::Dynamic, "The value."),
        any("MORE", Kind::Dynamic, "Further values, in order."),
    ],
    strict: false,
    kind: |kinds| takes(&HASH, kinds, Kind::Unsigned),
    call: |values, _| {
        let write = |out: &mut Vec<u8>| values.iter().for_each(|value| key::encode(value, out));
        let hash = with_written(write, |bytes| xxh64(0, bytes));
        Value::Integer(hash.into())
    },
    examples: &[
        ("nullif(hash(80), hash(80.0))", ""),
        ("nullif(hash('a', 'b'), hash('a', 'b'))", ""),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::Zone;

    #[test]
    fn hashes_of_long_texts() {
        let text: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let values = [Value::Bytes(text.into())];
        let given = |function: &Function| (function.call)(&values, &Zone::utc());
        // As zlib and xxhsum have them.
        assert_eq!(given(&CRC32).as_integer(), Some(0x74e3_fb41));
        assert_eq!(given(&XXH64).as_integer(), Some(0x6ef4_36b0_0eba_4078));
    }
}
