//! Texts of numbers, addresses and times in a place of fixed size: most of what is written is one of
//! these, and a vector that may grow at each costs more than the digits.
//!
//! Little here branches on how long a text is: it is stored in steps of eight bytes, and what stands
//! beyond its end is written over by what follows.

use super::Second;
use crate::Address;

/// A text of less than 64 bytes: a quote, a number, an address or a time, and what stands behind it.
#[derive(Clone, Copy)]
pub struct Short {
    /// The text, and behind it anything.
    bytes: [u8; Short::SIZE],
    len: u32,
}

impl Default for Short {
    fn default() -> Short {
        Short {
            bytes: [0; Short::SIZE],
            len: 0,
        }
    }
}

/// The two digits of the numbers below 100, the first in the low byte.
const PAIRS: [u16; 100] = {
    let mut pairs = [0; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = (number as u16 / 10) | ((number as u16 % 10) << 8);
        number += 1;
    }
    pairs
};

/// The hexadecimal digits of a byte, the first in the low byte.
const HEX: [u16; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = u16::from_le_bytes([digits[byte >> 4], digits[byte & 15]]);
        byte += 1;
    }
    pairs
};

/// The decimal form of each byte with a dot behind it, the first digit in the low byte; in the high
/// half how many bits that is.
const OCTETS: [u64; 256] = {
    let mut octets = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = [octet / 100, octet / 10 % 10, octet % 10];
        let mut at = match octet {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        let (mut text, mut bits) = (0, 0);
        while at < 3 {
            text |= (b'0' as u64 + digits[at] as u64) << bits;
            bits += 8;
            at += 1;
        }
        octets[octet] = text | (b'.' as u64) << bits | (bits + 8) << 32;
        octet += 1;
    }
    octets
};

/// For each set of groups of an IPv6 address that are zero, the first in the low bit: where the
/// first of the longest runs of several begins and ends.
const ZERO_RUNS: [(u8, u8); 256] = {
    let mut runs = [(8, 8); 256];
    let mut set = 0;
    while set < 256 {
        let mut at = 0;
        while at < 8 {
            let mut end = at;
            while end < 8 && set >> end & 1 == 1 {
                end += 1;
            }
            let (start, longest_end) = runs[set];
            if end > at + 1 && end - at > (longest_end - start) as usize {
                runs[set] = (at as u8, end as u8);
            }
            at = end + 1;
        }
        set += 1;
    }
    runs
};

impl Short {
    /// Wherever a text of less than 64 bytes ends, eight bytes have room: no store takes a check.
    const SIZE: usize = 72;
    /// The most bytes that may be added to a number, an address or a time.
    pub const MORE: usize = 8;

    /// The text.
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// The text, and behind it anything; and how long it is.
    #[inline(always)]
    pub fn parts(&self) -> (&[u8; Short::SIZE], usize) {
        (&self.bytes, self.len as usize)
    }

    /// Adds the first `len` of eight bytes.
    #[inline(always)]
    fn store(&mut self, bytes: u64, len: u32) {
        // Less than 64 bytes are there.
        self.bytes[(self.len % 64) as usize..][..8].copy_from_slice(&bytes.to_le_bytes());
        self.len += len;
    }

    /// Begins anew: with a quote, or with nothing.
    #[inline(always)]
    pub fn begin(&mut self, quote: bool) {
        self.bytes[0] = b'"';
        self.len = quote.into();
    }

    /// Adds a small unsigned number in decimal: as [`Short::unsigned`], with less to do.
    #[inline(always)]
    pub fn small(&mut self, number: u16) {
        let (high, low) = (number / 10_000, number % 10_000);
        let four = u32::from(PAIRS[usize::from(low / 100)])
            | u32::from(PAIRS[usize::from(low % 100)]) << 16;
        let digits = u64::from(high) | u64::from(four) << 8;
        let skip = (digits | 1 << 32).trailing_zeros() / 8;
        self.store((digits | ZEROS) >> (8 * skip), 5 - skip);
    }

    /// Adds an unsigned number in decimal.
    #[inline(always)]
    pub fn unsigned(&mut self, number: u64) {
        if number >= EIGHT {
            return self.long(number);
        }
        let digits = eight_digits(number as u32);
        // Of zero the last digit stays.
        let skip = (digits | 1 << 56).trailing_zeros() / 8;
        self.store((digits | ZEROS) >> (8 * skip), 8 - skip);
    }

    #[cold]
    fn long(&mut self, number: u64) {
        self.unsigned(number / EIGHT);
        let last = eight_digits((number % EIGHT) as u32);
        self.store(last | ZEROS, 8);
    }

    /// Adds an IPv4 address.
    #[inline(always)]
    pub fn v4(&mut self, bits: u32) {
        let [a, b, c, d] = bits.to_be_bytes().map(|octet| OCTETS[usize::from(octet)]);
        // Three digits and a dot twice fill eight bytes.
        let half = |left: u64, right: u64| left & 0xffff_ffff | right << (left >> 32);
        let len = |left: u64, right: u64| ((left >> 32) + (right >> 32)) as u32 / 8;
        self.store(half(a, b), len(a, b));
        // Without the dot behind the last.
        self.store(half(c, d), len(c, d) - 1);
    }

    /// Adds the first `len` bytes of a text.
    #[inline(always)]
    pub fn add(&mut self, text: [u8; Short::MORE], len: usize) {
        self.store(u64::from_le_bytes(text), len as u32);
    }

    /// Adds an IPv6 address in the form of RFC 5952: lower case, no leading zeros, the first of the
    /// longest runs of zeros as `::`; addresses that stand for those of IPv4 end like these.
    pub fn v6(&mut self, bits: u128) {
        if bits >> 32 == 0xffff {
            self.add(*b"::ffff: ", 7);
            return self.v4(bits as u32);
        }
        let group = |at: usize| (bits >> (112 - 16 * at)) as u16;
        let zeros = (0..8).fold(0, |set, at| set | usize::from(group(at) == 0) << at);
        let (start, end) = ZERO_RUNS[zeros];
        let mut at = 0;
        while at < 8 {
            if at == usize::from(start) {
                // Behind a group its colon stands already.
                self.add([b':'; 8], if at == 0 { 2 } else { 1 });
                if end == 8 {
                    return;
                }
                at = usize::from(end);
            }
            let group = group(at);
            let [high, low] = group
                .to_be_bytes()
                .map(|byte| u64::from(HEX[usize::from(byte)]));
            let skip = (group | 1).leading_zeros() / 4;
            let digits = (high | low << 16) >> (8 * skip);
            self.store(digits | u64::from(b':') << (8 * (4 - skip)), 5 - skip);
            at += 1;
        }
        // Without the colon behind the last.
        self.len -= 1;
    }

    /// Adds an address of either family.
    #[inline(always)]
    pub fn address(&mut self, address: Address) {
        match address {
            Address { v6: true, bits } => self.v6(bits),
            Address { bits, .. } => self.v4(bits as u32),
        }
    }

    /// Adds a time as RFC 3339 has it: see [`write_time`](crate::write_time).
    #[inline(always)]
    pub fn time(&mut self, nanos: i64, second: &mut Second<'_>) {
        let ([a, b, c], fraction, offset) = second.split(nanos);
        self.store(a, 8);
        self.store(b, 8);
        self.store(c, 3);
        if fraction > 0 {
            let micros = eight_digits(fraction / 1000) | ZEROS;
            // The place of the first of eight is that of the point.
            self.store((micros >> 8) & !0xff | u64::from(b'.'), 7);
            if !fraction.is_multiple_of(1000) {
                self.store((eight_digits(fraction % 1000) | ZEROS) >> 40, 3);
            }
        }
        self.store(offset, 6);
    }
}

/// Numbers below it have eight digits.
const EIGHT: u64 = 100_000_000;

/// The digits zero.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The eight decimal digits of a number below 10^8, a byte each, the first in the low byte: halved
/// three times, all parts at once.
#[inline(always)]
fn eight_digits(number: u32) -> u64 {
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    // x * 10486 >> 20 is x / 100 for all x below 10,000, x * 103 >> 10 is x / 10 below 100.
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Zone, write_time};
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn written(write: impl FnOnce(&mut Short)) -> String {
        let mut short = Short {
            bytes: [0xee; Short::SIZE],
            len: 7,
        };
        short.begin(true);
        write(&mut short);
        let (bytes, len) = short.parts();
        assert_eq!(&bytes[..len], short.text());
        let text = String::from_utf8(short.text().to_vec()).unwrap();
        text.strip_prefix('"').unwrap().to_owned()
    }

    proptest! {
        #[test]
        fn texts_are_those_of_the_standard_library(
            groups in proptest::array::uniform8(prop_oneof![Just(0u16), Just(0xffff), any::<u16>(), 0u16..300]),
            bits: u32,
            number: u64,
            shift in 0u32..64,
        ) {
            let v6 = Ipv6Addr::from(groups);
            prop_assert_eq!(written(|out| out.v6(v6.into())), v6.to_string());
            let v4 = Ipv4Addr::from(bits);
            prop_assert_eq!(written(|out| out.v4(bits)), v4.to_string());
            let mapped = v4.to_ipv6_mapped();
            prop_assert_eq!(written(|out| out.v6(mapped.into())), mapped.to_string());
            let number = number >> shift;
            prop_assert_eq!(written(|out| out.unsigned(number)), number.to_string());
        }

        #[test]
        fn times_are_those_of_write_time(
            times in proptest::collection::vec((any::<i64>(), 0usize..4, 0i64..3), 1..20),
            zone in prop_oneof![Just("UTC"), Just("Europe/Vienna"), Just("America/Phoenix")],
        ) {
            let zone = Zone::named(zone).unwrap();
            let mut second = Second::new(&zone);
            for (nanos, coarse, near) in times {
                let unit = [1, 1000, 1_000_000, 1_000_000_000][coarse];
                let nanos = (nanos / unit).saturating_mul(unit);
                for nanos in [nanos, nanos.saturating_add(near)] {
                    let mut expected = Vec::new();
                    write_time(nanos, &zone, &mut expected);
                    let time = written(|out| out.time(nanos, &mut second));
                    prop_assert_eq!(time.as_bytes(), expected);
                }
            }
        }
    }

    #[test]
    fn all_digits_are_right() {
        for number in (0..=99_999).chain([99_990_001, 99_999_999, 10_000_000]) {
            let text = u64::to_le_bytes(eight_digits(number) | ZEROS);
            assert_eq!(text, format!("{number:08}").as_bytes());
        }
        for number in 0..=u16::MAX {
            assert_eq!(written(|out| out.small(number)), number.to_string());
        }
        for number in [0, 9, 10, 99_999_999, 100_000_000, u64::MAX] {
            assert_eq!(written(|out| out.unsigned(number)), number.to_string());
        }
    }

    #[test]
    fn the_longest_texts_have_room() {
        for groups in [[0xffff; 8], [0, 0, 0, 0, 0, 0xffff, 0xffff, 0xffff]] {
            let v6 = Ipv6Addr::from(groups);
            assert_eq!(written(|out| out.v6(v6.into())), v6.to_string());
            let more = written(|out| {
                out.v6(v6.into());
                out.add(*b", behind", 8);
            });
            assert_eq!(more, format!("{v6}, behind"));
        }
        assert_eq!(written(|out| out.begin(true)), "");
        let zone = Zone::utc();
        let mut second = Second::new(&zone);
        assert_eq!(written(|out| out.time(i64::MAX, &mut second)).len(), 35);
    }
}
