//! Keys: values as bytes whose order is the total order across kinds.
//!
//! Grouping, uniqueness and sorting work on these bytes: equal values of different kinds (the
//! integer 80 and the double 80.0) have equal bytes, and comparing bytes compares values. Each
//! encoding is prefix-free, so keys of several columns are simply written one after the other.
//! Small values stay small: an IPv4 address takes 5 bytes, a port at most 4.

mod layout;

pub use self::layout::{Layout, NO_PLACE};
use crate::column::Address;
use crate::{Bitmap, Column, Data, Mac, Prefix, Value};
use std::net::IpAddr;

const ABSENT: u8 = 0;
const BOOL: u8 = 1;
/// Numbers: a class byte (below), then the bytes of the integer part, then the fraction.
const NEGATIVE_HUGE: u8 = 9;
/// Integer parts of n bytes stand at `ZERO - n` where negative and at `ZERO + n` where positive.
const ZERO: u8 = 26;
const POSITIVE_HUGE: u8 = 43;
const NAN: u8 = 44;
const TIME: u8 = 45;
const DURATION: u8 = 46;
const ADDRESS4: u8 = 47;
const ADDRESS6: u8 = 48;
const PREFIX: u8 = 49;
const MAC: u8 = 51;
const BYTES: u8 = 52;
const LIST: u8 = 53;
const OBJECT: u8 = 54;
/// What ends a list: below every class byte but absent, which a list shows as `1 0`.
const END: u8 = 0;

/// Appends the key of a value.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.push(ABSENT),
        Value::Bool(b) => out.extend([BOOL, u8::from(*b)]),
        Value::Integer(integer) => encode_integer(*integer, out),
        Value::Named(number, _) => encode_unsigned(*number, out),
        Value::Double(double) => encode_double(*double, out),
        Value::Time(nanos) => encode_fixed(TIME, *nanos, out),
        Value::Duration(nanos) => encode_fixed(DURATION, *nanos, out),
        Value::Address(address) => encode_address(*address, out),
        Value::Prefix(prefix) => {
            out.push(PREFIX);
            encode_address(prefix.address, out);
            out.push(prefix.bits);
        }
        Value::Mac(mac) => {
            out.push(MAC);
            out.extend(mac.0);
        }
        Value::Bytes(bytes) | Value::Text(bytes) => encode_bytes(bytes, out),
        Value::List(values) => {
            out.push(LIST);
            for value in values.iter() {
                out.push(1);
                encode(value, out);
            }
            out.push(END);
        }
        Value::Object(record) => {
            out.push(OBJECT);
            for (name, value) in &record.fields {
                out.push(1);
                encode_bytes(name.as_bytes(), out);
                encode(value, out);
            }
            out.push(END);
        }
    }
}

/// Appends the key of a row of a column: the same bytes as that of its value, without making one.
#[inline]
pub fn encode_row(column: Option<&Column>, row: usize, out: &mut Vec<u8>) {
    let Some(column) = column.filter(|column| column.valid.get(row)) else {
        out.push(ABSENT);
        return;
    };
    match &column.data {
        Data::U8(v) => encode_unsigned(v[row].into(), out),
        Data::U16(v) => encode_unsigned(v[row].into(), out),
        Data::U32(v) => encode_unsigned(v[row].into(), out),
        Data::U64(v) => encode_unsigned(v[row], out),
        Data::Address4(v) => {
            out.push(ADDRESS4);
            out.extend(v[row].to_be_bytes());
        }
        Data::Address(v) => encode_address(v[row].into(), out),
        Data::Bytes(v) | Data::Text(v) => encode_bytes(v.get(row), out),
        _ => encode(&column.value(row), out),
    }
}

/// Packs the keys of many rows, column by column, where they fit: into 16 bytes each, else into 48 (the
/// 5-tuple of IPv6 takes 45).
/// What is packed is the bytes of the key, then zeros, then the length; it orders as the bytes do.
#[derive(Debug, Default)]
pub struct Packer {
    short: Short,
    wide: Wide,
}

/// The keys of rows as [`Packer::pack`] leaves them.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    /// A number a row; 0 where the key is longer than 15 bytes.
    pub short: &'a [u128],
    lens: &'a [u8],
    wide: &'a [WideKey],
}

impl<'a> Packed<'a> {
    /// The next of those keys of 16 to 47 bytes that `wide` was not asked for yet, where that of
    /// the row at this place is one.
    #[inline(always)]
    pub fn next_wide(&mut self, at: usize) -> Option<[u64; 6]> {
        if !is_wide(self.lens[at]) {
            return None;
        }
        let (first, rest) = self.wide.split_first()?;
        self.wide = rest;
        Some(first.words())
    }
}

/// The longest keys that can be packed.
const SHORT_MAX: u8 = 15;
const WIDE_MAX: u8 = KEY_ROOM as u8 - 1;
/// Room for the bytes of a key that is packed, and their number.
pub const KEY_ROOM: usize = 48;
/// A length that no addition brings back below these.
const TOO_LONG: u8 = 200;

fn is_wide(len: u8) -> bool {
    (SHORT_MAX + 1..=WIDE_MAX).contains(&len)
}

impl Packer {
    /// Packs the keys of `rows`.
    pub fn pack<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>> + Clone,
        rows: &[u16],
    ) -> Packed<'_> {
        self.pack_short(columns.clone(), rows);
        let lens = self.short.lens.iter().zip(rows);
        self.wide.rows.clear();
        self.wide
            .rows
            .extend(lens.filter(|(len, _)| is_wide(**len)).map(|(_, row)| *row));
        self.wide.keys.clear();
        if !self.wide.rows.is_empty() {
            let rows = std::mem::take(&mut self.wide.rows);
            self.wide.keys.resize(rows.len(), WideKey::EMPTY);
            for column in columns {
                self.wide.column(column, &rows);
            }
            self.wide.rows = rows;
        }
        Packed {
            short: &self.short.bits,
            lens: &self.short.lens,
            wide: &self.wide.keys,
        }
    }

    /// Packs the keys of `rows` of up to 15 bytes: one number a row, 0 where the key is longer.
    pub fn pack_short<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>>,
        rows: &[u16],
    ) -> &[u128] {
        self.short.begin(rows);
        for column in columns {
            self.short.column(column, rows);
        }
        for (bits, len) in self.short.bits.iter_mut().zip(&self.short.lens) {
            *bits = if *len > SHORT_MAX {
                0
            } else {
                *bits << ((8 * (16 - u32::from(*len))) & 127) | u128::from(*len)
            };
        }
        &self.short.bits
    }
}

/// What takes the keys of columns: for each row the last bytes of a number, and how many there are.
trait Take {
    fn take(&mut self, rows: &[u16], key: impl Fn(usize) -> (u128, u8));

    /// The keys of addresses: those of IPv6 take one byte more than a number has.
    fn take_addresses(&mut self, rows: &[u16], addresses: &[Address], valid: &Bitmap);

    #[inline(always)]
    fn column(&mut self, column: Option<&Column>, rows: &[u16]) {
        let Some(Column { data, valid, .. }) = column else {
            return self.take(rows, |_| (u128::from(ABSENT), 1));
        };
        let or_absent = |row: usize, (bits, len): (u128, u8)| match valid.get(row) {
            true => (bits, len),
            false => (u128::from(ABSENT), 1),
        };
        match data {
            Data::Address4(v) => self.take(rows, |row| {
                or_absent(row, (u128::from(ADDRESS4) << 32 | u128::from(v[row]), 5))
            }),
            Data::U8(v) => self.take(rows, |row| or_absent(row, packed_number(v[row].into()))),
            Data::U16(v) => self.take(rows, |row| or_absent(row, packed_number(v[row].into()))),
            Data::U32(v) => self.take(rows, |row| or_absent(row, packed_number(v[row].into()))),
            Data::U64(v) => self.take(rows, |row| or_absent(row, packed_number(v[row]))),
            Data::Time(v) => self.take(rows, |row| or_absent(row, packed_time(TIME, v[row]))),
            Data::Duration(v) => {
                self.take(rows, |row| or_absent(row, packed_time(DURATION, v[row])))
            }
            Data::Mac(v) => self.take(rows, |row| {
                let bits = v[row]
                    .0
                    .iter()
                    .fold(MAC.into(), |bits, byte| bits << 8 | u128::from(*byte));
                or_absent(row, (bits, 7))
            }),
            Data::Address(v) => self.take_addresses(rows, v, valid),
            _ => self.take(rows, |row| or_absent(row, (0, TOO_LONG))),
        }
    }
}

/// Keys of up to [`SHORT_MAX`] bytes.
#[derive(Debug, Default)]
struct Short {
    bits: Vec<u128>,
    lens: Vec<u8>,
}

impl Short {
    fn begin(&mut self, rows: &[u16]) {
        self.bits.clear();
        self.bits.resize(rows.len(), 0);
        self.lens.clear();
        self.lens.resize(rows.len(), 0);
    }
}

impl Take for Short {
    #[inline(always)]
    fn take(&mut self, rows: &[u16], key: impl Fn(usize) -> (u128, u8)) {
        for ((bits, len), row) in self.bits.iter_mut().zip(&mut self.lens).zip(rows) {
            let (more, more_len) = key(usize::from(*row));
            *bits = *bits << (8 * u32::from(more_len.min(SHORT_MAX))) | more;
            *len = len.saturating_add(more_len);
        }
    }

    #[inline(always)]
    fn take_addresses(&mut self, rows: &[u16], addresses: &[Address], valid: &Bitmap) {
        self.take(rows, |row| match (valid.get(row), addresses[row]) {
            (true, Address { v6: false, bits }) => (u128::from(ADDRESS4) << 32 | bits, 5),
            (true, _) => (0, 17),
            (false, _) => (u128::from(ABSENT), 1),
        });
    }
}

/// Keys of more bytes, up to [`WIDE_MAX`].
#[derive(Debug, Default)]
struct Wide {
    rows: Vec<u16>,
    keys: Vec<WideKey>,
}

/// A key that is put together, and its length.
#[derive(Clone, Copy, Debug)]
struct WideKey {
    /// With room for what is written behind the end.
    bytes: [u8; WIDE_MAX as usize + 16],
    len: u8,
}

impl WideKey {
    const EMPTY: WideKey = WideKey {
        bytes: [0; WIDE_MAX as usize + 16],
        len: 0,
    };

    /// Appends up to 16 bytes, the last ones of a number.
    #[inline(always)]
    fn push(&mut self, bits: u128, len: u8) {
        // Behind the bytes come zeros, over which the next ones are written.
        let bytes = bits << ((8 * (16 - u32::from(len))) & 127);
        let at = usize::from(self.len.min(WIDE_MAX));
        self.bytes[at..at + 16].copy_from_slice(&bytes.to_be_bytes());
        self.len += len;
    }

    #[inline(always)]
    fn words(&self) -> [u64; 6] {
        let mut words = [0; 6];
        for (word, chunk) in words.iter_mut().zip(self.bytes.chunks_exact(8)) {
            *word = chunk
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        words[5] = words[5] & !0xff | u64::from(self.len);
        words
    }
}

impl Take for Wide {
    #[inline(always)]
    fn take(&mut self, rows: &[u16], key: impl Fn(usize) -> (u128, u8)) {
        for (wide, row) in self.keys.iter_mut().zip(rows) {
            let (bits, len) = key(usize::from(*row));
            wide.push(bits, len.min(16));
        }
    }

    #[inline(always)]
    fn take_addresses(&mut self, rows: &[u16], addresses: &[Address], valid: &Bitmap) {
        for (wide, row) in self.keys.iter_mut().zip(rows) {
            let row = usize::from(*row);
            match (valid.get(row), addresses[row]) {
                (true, Address { v6: false, bits }) => {
                    wide.push(u128::from(ADDRESS4) << 32 | bits, 5);
                }
                (true, Address { v6: true, bits }) => {
                    wide.push(u128::from(ADDRESS6), 1);
                    wide.push(bits, 16);
                }
                (false, _) => wide.push(u128::from(ABSENT), 1),
            }
        }
    }
}

#[inline(always)]
fn packed_number(number: u64) -> (u128, u8) {
    let bytes = 8 - number.leading_zeros() / 8;
    let bits = u128::from(ZERO + bytes as u8) << (8 * bytes + 8) | u128::from(number) << 8;
    (bits, bytes as u8 + 2)
}

#[inline(always)]
fn packed_time(class: u8, nanos: i64) -> (u128, u8) {
    (
        u128::from(class) << 64 | u128::from(nanos as u64 ^ 1 << 63),
        9,
    )
}

/// Appends the bytes of a packed key.
pub fn unpack(packed: u128, out: &mut Vec<u8>) {
    let len = usize::from(packed as u8).min(15);
    out.extend_from_slice(&packed.to_be_bytes()[..len]);
}

fn encode_unsigned(number: u64, out: &mut Vec<u8>) {
    let skip = number.leading_zeros() as usize / 8;
    out.push(ZERO + 8 - skip as u8);
    out.extend(&number.to_be_bytes()[skip..]);
    out.push(0);
}

fn encode_integer(integer: i128, out: &mut Vec<u8>) {
    match u64::try_from(integer) {
        Ok(number) => encode_unsigned(number, out),
        Err(_) => {
            encode_whole(integer, out);
            out.push(0);
        }
    }
}

fn encode_whole(integer: i128, out: &mut Vec<u8>) {
    if integer >= 0 {
        let skip = integer.leading_zeros() as usize / 8;
        out.push(ZERO + 16 - skip as u8);
        out.extend(&integer.to_be_bytes()[skip..]);
    } else {
        // -1 takes one byte (0xff); more bytes sort lower.
        let skip = ((!integer).leading_zeros() as usize / 8).min(15);
        out.push(ZERO - (16 - skip as u8));
        out.extend(&integer.to_be_bytes()[skip..]);
    }
}

fn encode_double(double: f64, out: &mut Vec<u8>) {
    const LIMIT: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0; // 2^127
    if double.is_nan() {
        out.push(NAN);
    } else if !(-LIMIT..LIMIT).contains(&double) {
        out.push(if double < 0.0 {
            NEGATIVE_HUGE
        } else {
            POSITIVE_HUGE
        });
        out.extend(order_bits(double).to_be_bytes());
    } else {
        // The integer part rounded down, so that what is left is a fraction from 0 to 1.
        let whole = double.floor();
        encode_whole(whole as i128, out);
        let fraction = double - whole;
        if fraction == 0.0 {
            out.push(0);
        } else if whole == -1.0 {
            // Below zero the fraction of a tiny number would round: keep the number's own bits.
            out.push(1);
            out.extend(order_bits(double).to_be_bytes());
        } else {
            out.push(1);
            out.extend(order_bits(fraction).to_be_bytes());
        }
    }
}

/// The bits of a double as an integer with the same order.
fn order_bits(double: f64) -> u64 {
    let bits = double.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

fn order_bits_back(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 {
        bits & !(1 << 63)
    } else {
        !bits
    })
}

fn encode_fixed(class: u8, nanos: i64, out: &mut Vec<u8>) {
    out.push(class);
    out.extend((nanos as u64 ^ 1 << 63).to_be_bytes());
}

fn encode_address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => {
            out.push(ADDRESS4);
            out.extend(v4.octets());
        }
        IpAddr::V6(v6) => {
            out.push(ADDRESS6);
            out.extend(v6.octets());
        }
    }
}

/// Bytes end with `0 0`; a zero within is `0 1`.
fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(BYTES);
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(1);
        }
    }
    out.extend([0, 0]);
}

/// Reads one value off the front of a key. Numbers come back as integers or doubles and bytes as
/// text: the names and the finer kind belong to the column. None where the bytes are no key.
pub fn decode(bytes: &mut &[u8]) -> Option<Value> {
    let class = take(bytes, 1)?[0];
    Some(match class {
        ABSENT => Value::Absent,
        BOOL => Value::Bool(take(bytes, 1)?[0] != 0),
        NEGATIVE_HUGE | POSITIVE_HUGE => Value::Double(order_bits_back(be_u64(take(bytes, 8)?)?)),
        class if (ZERO - 16..=ZERO + 16).contains(&class) => decode_number(class, bytes)?,
        NAN => Value::Double(f64::NAN),
        TIME => Value::Time((be_u64(take(bytes, 8)?)? ^ 1 << 63) as i64),
        DURATION => Value::Duration((be_u64(take(bytes, 8)?)? ^ 1 << 63) as i64),
        ADDRESS4 => Value::Address(IpAddr::from(<[u8; 4]>::try_from(take(bytes, 4)?).ok()?)),
        ADDRESS6 => Value::Address(IpAddr::from(<[u8; 16]>::try_from(take(bytes, 16)?).ok()?)),
        PREFIX => {
            let Value::Address(address) = decode(bytes)? else {
                return None;
            };
            Value::Prefix(Prefix {
                address,
                bits: take(bytes, 1)?[0],
            })
        }
        MAC => Value::Mac(Mac(take(bytes, 6)?.try_into().ok()?)),
        BYTES => Value::Text(decode_bytes(bytes)?.into()),
        LIST => {
            let mut values = Vec::new();
            while take(bytes, 1)?[0] != END {
                values.push(decode(bytes)?);
            }
            Value::List(values.into())
        }
        OBJECT => {
            let mut fields = Vec::new();
            while take(bytes, 1)?[0] != END {
                take(bytes, 1)?;
                let name = String::from_utf8_lossy(&decode_bytes(bytes)?).into_owned();
                fields.push((name, decode(bytes)?));
            }
            Value::Object(crate::Record { fields }.into())
        }
        _ => return None,
    })
}

fn decode_number(class: u8, bytes: &mut &[u8]) -> Option<Value> {
    let negative = class < ZERO;
    let len = usize::from(class.abs_diff(ZERO));
    let mut whole = if negative { [0xff; 16] } else { [0; 16] };
    whole[16 - len..].copy_from_slice(take(bytes, len)?);
    let whole = i128::from_be_bytes(whole);
    if take(bytes, 1)?[0] == 0 {
        return Some(Value::Integer(whole));
    }
    let fraction = order_bits_back(be_u64(take(bytes, 8)?)?);
    Some(Value::Double(if whole == -1 {
        fraction
    } else {
        whole as f64 + fraction
    }))
}

fn decode_bytes(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    loop {
        let byte = take(bytes, 1)?[0];
        if byte == 0 && take(bytes, 1)?[0] == 0 {
            return Some(found);
        }
        found.push(byte);
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(front)
}

fn be_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total_order;
    use std::cmp::Ordering;

    #[test]
    fn comes_back_from_its_key() {
        for value in [
            Value::Absent,
            Value::Bool(true),
            Value::Integer(0),
            Value::Integer(-1),
            Value::Integer(-256),
            Value::Integer(65535),
            Value::Integer(i128::MIN),
            Value::Double(-0.25),
            Value::Double(1.0 / 3.0),
            Value::Double(-1e-300),
            Value::Double(1e300),
            Value::Time(-5),
            Value::Address("fd00::1".parse().unwrap()),
            Value::Prefix(Prefix::new("10.1.2.3".parse().unwrap(), 9).unwrap()),
            Value::Mac(Mac([1, 2, 3, 4, 5, 6])),
            Value::text("a\0b"),
            Value::List([Value::Absent, Value::text("")].into()),
        ] {
            let mut bytes = Vec::new();
            encode(&value, &mut bytes);
            let mut rest = bytes.as_slice();
            let back = decode(&mut rest).unwrap();
            assert!(rest.is_empty());
            assert_eq!(
                total_order(&back, &value),
                Ordering::Equal,
                "{value:?} {back:?}"
            );
            let column = Column::from_values([value.clone()]);
            let mut from_column = Vec::new();
            encode_row(Some(&column), 0, &mut from_column);
            assert_eq!(from_column, bytes, "{value:?}");
        }
    }

    #[test]
    fn packed_keys_are_keys() {
        let v4 = |n: u32| Value::Address(IpAddr::V4(n.into()));
        let columns = [
            Column::from_values([
                v4(7),
                Value::Absent,
                v4(9),
                Value::Address("::1".parse().unwrap()),
                v4(1),
            ]),
            Column {
                data: Data::U16(vec![0, 1, 255, 256, 65535]),
                valid: [0, 1, 2, 4].into_iter().collect(),
                names: None,
            },
            Column {
                data: Data::U8(vec![0, 6, 17, 1, 255]),
                valid: Bitmap::first(5),
                names: None,
            },
        ];
        let rows = [0u16, 1, 2, 3, 4];
        let mut packer = Packer::default();
        let packed = packer
            .pack_short(columns.iter().map(Some).chain([None]), &rows)
            .to_vec();
        for (row, packed) in packed.iter().enumerate() {
            let mut bytes = Vec::new();
            columns
                .iter()
                .for_each(|column| encode_row(Some(column), row, &mut bytes));
            encode_row(None, row, &mut bytes);
            let mut unpacked = Vec::new();
            unpack(*packed, &mut unpacked);
            assert_eq!(
                unpacked,
                if bytes.len() > 15 { Vec::new() } else { bytes },
                "row {row}"
            );
        }
    }

    #[test]
    fn wide_keys_are_keys() {
        let v6: IpAddr = "fd00::17".parse().unwrap();
        let v4: IpAddr = "10.1.2.3".parse().unwrap();
        let values = [
            Value::Absent,
            Value::Address(v4),
            Value::Address(v6),
            Value::Time(-7),
            Value::Duration(1 << 60),
            Value::Mac(Mac([1, 2, 3, 4, 5, 6])),
            Value::Integer(0),
            Value::Integer(80),
            Value::Integer(u64::MAX.into()),
            Value::text("long, as texts are"),
        ];
        let mut seed = 7u64;
        let mut packer = Packer::default();
        let (mut short, mut wide, mut long) = (0, 0, 0);
        for _ in 0..500 {
            let mut next = || {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(99);
                (seed >> 33) as usize
            };
            let width = next() % 5;
            let columns: Vec<Column> = (0..width)
                .map(|_| {
                    let kind = next() % values.len();
                    // Columns are mostly of one kind, addresses of both.
                    let other = if kind < 3 { next() % 3 } else { kind };
                    let pick = |n: usize| values[[kind, other, 0][n % 3]].clone();
                    Column::from_values((0..6).map(|_| pick(next())))
                })
                .collect();
            let rows = [5u16, 0, 3, 4];
            let mut packed = packer.pack(columns.iter().map(Some), &rows);
            for (at, row) in rows.iter().enumerate() {
                let mut bytes = Vec::new();
                let row = usize::from(*row);
                columns
                    .iter()
                    .for_each(|column| encode_row(Some(column), row, &mut bytes));
                let mut expected = bytes.clone();
                expected.resize(bytes.len().max(47), 0);
                expected.push(bytes.len() as u8);
                if packed.short[at] != 0 {
                    short += 1;
                    let mut unpacked = Vec::new();
                    unpack(packed.short[at], &mut unpacked);
                    assert_eq!(unpacked, bytes);
                } else if let Some(words) = packed.next_wide(at) {
                    wide += 1;
                    assert_eq!(words.map(u64::to_be_bytes).concat(), expected);
                } else {
                    let packs = |column: &Column| {
                        use Data::*;
                        let data = &column.data;
                        matches!(data, U8(_) | U16(_) | U32(_) | U64(_) | Address(_))
                            || matches!(data, Address4(_) | Time(_) | Duration(_) | Mac(_))
                    };
                    let all = columns.iter().all(packs);
                    long += usize::from(bytes.len() > 47);
                    assert!(bytes.is_empty() || !all || bytes.len() > 47, "{bytes:?}");
                }
            }
        }
        assert!(
            short > 100 && wide > 100 && long > 10,
            "{short} {wide} {long}"
        );
    }

    #[test]
    fn no_bytes_make_decoding_panic() {
        let mut seed = 1u64;
        for _ in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..seed % 23 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                bytes.push((seed >> 58) as u8);
            }
            seed = seed.wrapping_add(1);
            let mut rest = bytes.as_slice();
            while !rest.is_empty() && decode(&mut rest).is_some() {}
        }
    }
}
