//! Vector functions over one field: from a value to its class, in one look-up.
//!
//! The ends of all sets that tests of a field ask for cut its line into classes: values of one
//! class are the same to every test. Equality, ranges, prefixes and lists are then ranges of
//! class numbers, and what costs anything is finding the class of a value: a table for values of 8
//! and 16 bits, sorted bounds behind a table of leading bits for others. A prefix within a prefix
//! is a range within a range, so all prefixes around an address are found, not the longest alone.

use super::line::{Line, of_mac};
use super::prefixes::{Prefixes, STEP};
use super::set::{Key, Set};
use wireq_typesys::{Address, Bitmap, Column, Data};

/// The class of rows that lack the field; those of values count from 1.
pub(super) const ABSENT: u32 = 0;

/// The classes of one field.
pub(super) struct Classes {
    line: Line,
    /// Where classes begin; the first begins at the lowest key.
    starts: Vec<Key>,
    /// Whether some sets are right for values of 8 bits alone.
    bytes_only: bool,
    unsigned: Search,
    signed: Search,
    /// IPv4 addresses, and those of IPv6: the class of the lowest, and where others begin.
    short: Prefixes,
    long: (u32, Vec<u128>),
    mac: Search,
}

impl Classes {
    /// The classes that sets cut a line into.
    pub(super) fn new<'s>(
        line: Line,
        sets: impl Iterator<Item = &'s Set>,
        bytes_only: bool,
    ) -> Classes {
        let mut starts = vec![Key::MIN];
        for (low, high) in sets.flat_map(|set| &set.ranges) {
            starts.push(*low);
            starts.extend(high.next());
        }
        starts.sort_unstable();
        starts.dedup();
        let integer = |key: &Key, least: i128, most: i128| match key.high {
            true => Place::Above,
            false => Place::of((key.low ^ (1 << 127)) as i128, least, most),
        };
        let unsigned = |key: &Key| integer(key, 0, u64::MAX.into());
        let signed = |key: &Key| integer(key, i64::MIN.into(), i64::MAX.into());
        let low = |key: &Key, most: u64| match key.high {
            true => Place::Above,
            false => Place::of(key.low.min(1 << 100) as i128, 0, most.into()),
        };
        let is_integer = matches!(line, Line::Integer(_) | Line::Time | Line::Duration);
        let search = |used: bool, place: &dyn Fn(&Key) -> Place| match used {
            true => Search::new(starts.iter().map(place)),
            false => Search::default(),
        };
        let short = search(line == Line::Address, &|key| low(key, u32::MAX.into()));
        Classes {
            line,
            bytes_only,
            unsigned: search(is_integer, &unsigned),
            signed: search(is_integer, &signed),
            short: Prefixes::new(
                short.base,
                short.starts.into_iter().map(|s| s as u32).collect(),
            ),
            long: (
                starts.partition_point(|start| !start.high) as u32,
                starts.iter().filter(|s| s.high).map(|s| s.low).collect(),
            ),
            mac: search(line == Line::Mac, &|key| low(key, u64::MAX)),
            starts,
        }
    }

    /// One more than the highest class.
    pub(super) fn count(&self) -> u32 {
        self.starts.len() as u32 + 1
    }

    /// About how many of the values met are of a class, where nothing was counted: its share of the
    /// line, in parts of 2 to the 40th. All numbers are taken for ports.
    pub(super) fn guess(&self, class: u32) -> u64 {
        let at = class as usize;
        let (Some(start), true) = (self.starts.get(at.wrapping_sub(1)), class != ABSENT) else {
            return 1 << 36;
        };
        let end = self.starts.get(at).copied().unwrap_or(Key::MAX);
        let (bits, first) = match self.line {
            Line::Address if start.high => (128, 0),
            Line::Address => (32, 0),
            Line::Mac => (48, 0),
            _ => (16, 1u128 << 127),
        };
        let last = if bits == 128 {
            u128::MAX
        } else {
            first + (1 << bits)
        };
        let end = if end.high != start.high {
            last
        } else {
            end.low
        };
        let (start, end) = (start.low.clamp(first, last), end.clamp(first, last));
        let width = end - start;
        let share = match bits {
            40.. => width >> (bits - 40),
            _ => width << (40 - bits),
        };
        share as u64 + 1
    }

    /// The class of a key.
    fn of(&self, key: Key) -> u32 {
        self.starts.partition_point(|start| *start <= key) as u32
    }

    /// The classes that a set is made of, as ranges with both ends in.
    pub(super) fn ranges(&self, set: &Set) -> Vec<(u32, u32)> {
        let absent = set.absent.then_some((ABSENT, ABSENT));
        let values = set.ranges.iter();
        let values = values.map(|(low, high)| (self.of(*low), self.of(*high)));
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(set.ranges.len() + 1);
        for (low, high) in absent.into_iter().chain(values) {
            match joined.last_mut() {
                Some((_, end)) if *end + 1 == low => *end = high,
                _ => joined.push((low, high)),
            }
        }
        joined
    }

    /// Whether the classes are right for a column's values.
    pub(super) fn fit(&self, column: &Column) -> bool {
        let is_byte = matches!(column.data, Data::U8(_));
        let fits = matches!(
            &column.data,
            Data::U8(_)
                | Data::U16(_)
                | Data::U32(_)
                | Data::U64(_)
                | Data::I64(_)
                | Data::I128(_)
                | Data::Time(_)
                | Data::Duration(_)
                | Data::Address4(_)
                | Data::Address(_)
                | Data::Mac(_)
        );
        fits && Line::of(column.kind()) == Some(self.line) && (is_byte || !self.bytes_only)
    }

    /// The classes of rows of a column that [`Classes::fit`]; none is one of rows without the field.
    pub(super) fn classify(&mut self, column: Option<&Column>, rows: &[u16], out: &mut Vec<u32>) {
        out.clear();
        let Some(column) = column.filter(|column| !column.is_empty()) else {
            out.resize(rows.len(), ABSENT);
            return;
        };
        match &column.data {
            Data::U8(v) => {
                let (base, table) = self.unsigned.byte_table();
                each(v, rows, out, |v| base + u32::from(table[usize::from(v)]));
            }
            Data::U16(v) => match self.unsigned.starts.len() {
                0..=LINEAR_MAX => each(v, rows, out, |v| self.unsigned.linear(v.into())),
                _ => {
                    let (base, table) = self.unsigned.word_table();
                    each(v, rows, out, |v| base + u32::from(table[usize::from(v)]));
                }
            },
            Data::U32(v) => self.unsigned.each(v, rows, out, |v| v.into()),
            Data::U64(v) => self.unsigned.each(v, rows, out, |v| v),
            Data::I64(v) | Data::Time(v) | Data::Duration(v) => {
                self.signed.each(v, rows, out, |v| (v as u64) ^ (1 << 63));
            }
            Data::I128(v) => each(v, rows, out, |v| self.of(Key::of_integer(v))),
            Data::Address4(v) => shorts(&self.short, v, rows, |address| address, out),
            Data::Address(v) => {
                // All are looked up as if they were IPv4, and taken for what they are in the end.
                shorts(&self.short, v, rows, |address| address.bits as u32, out);
                longs(&self.long, v, rows, out);
            }
            Data::Mac(v) => self.mac.each(v, rows, out, |mac| of_mac(&mac.0)),
            _ => out.resize(rows.len(), ABSENT),
        }
        blank(&column.valid, rows, out);
    }
}

#[inline(always)]
fn each<T: Copy>(values: &[T], rows: &[u16], out: &mut Vec<u32>, class: impl Fn(T) -> u32) {
    if rows.len() == values.len() {
        out.extend(values.iter().map(|value| class(*value)));
    } else {
        out.extend(rows.iter().map(|row| class(values[usize::from(*row)])));
    }
}

/// The classes of what stands in addresses for IPv4 ones.
fn shorts<T: Copy>(
    prefixes: &Prefixes,
    values: &[T],
    rows: &[u16],
    short: impl Fn(T) -> u32,
    out: &mut Vec<u32>,
) {
    let mut some = [0; STEP];
    for rows in rows.chunks(STEP) {
        for (short_of, row) in some.iter_mut().zip(rows) {
            *short_of = short(values[usize::from(*row)]);
        }
        prefixes.look_up(&some[..rows.len()], out);
    }
}

/// The classes of those that are IPv6 addresses.
fn longs((base, starts): &(u32, Vec<u128>), values: &[Address], rows: &[u16], out: &mut [u32]) {
    let values = rows.iter().map(|row| values[usize::from(*row)]);
    for (class, value) in out.iter_mut().zip(values) {
        if starts.len() <= LINEAR_MAX {
            // A branch that is guessed wrong takes longer.
            let passed = starts.iter().map(|start| u32::from(*start <= value.bits));
            let long = base + passed.sum::<u32>();
            *class = if value.v6 { long } else { *class };
        } else if value.v6 {
            *class = base + starts.partition_point(|start| *start <= value.bits) as u32;
        }
    }
}

/// Rows without a value are of the class of absence.
fn blank(valid: &Bitmap, rows: &[u16], out: &mut [u32]) {
    let all = Bitmap::first(rows.len());
    if rows
        .last()
        .is_none_or(|last| usize::from(*last) + 1 == rows.len())
    {
        all.minus(valid).for_each(|row| out[row] = ABSENT);
        return;
    }
    for (class, row) in out.iter_mut().zip(rows) {
        *class &= u32::from(valid.get(usize::from(*row))).wrapping_neg();
    }
}

/// Fewer bounds than this are counted one by one: that needs no branch and no memory.
const LINEAR_MAX: usize = 8;

/// Where a bound stands beside the values of a narrower type.
enum Place {
    /// All values are at or above it.
    Below,
    At(u64),
    /// No value reaches it.
    Above,
}

impl Place {
    fn of(bound: i128, least: i128, most: i128) -> Place {
        match bound {
            _ if bound <= least => Place::Below,
            _ if bound > most => Place::Above,
            _ => Place::At((bound - least) as u64),
        }
    }
}

/// Bounds within a type of at most 64 bits.
#[derive(Default)]
struct Search {
    /// The class of the lowest value.
    base: u32,
    starts: Vec<u64>,
    /// For each value of 8 or of 16 bits, how many bounds it has passed.
    bytes: Vec<u16>,
    words: Vec<u16>,
}

impl Search {
    fn new(places: impl Iterator<Item = Place>) -> Search {
        let mut search = Search::default();
        for place in places {
            match place {
                Place::Below => search.base += 1,
                Place::At(start) => search.starts.push(start),
                Place::Above => {}
            }
        }
        search
    }

    #[inline(always)]
    fn linear(&self, value: u64) -> u32 {
        let starts = self.starts.iter();
        starts.fold(self.base, |class, start| class + u32::from(*start <= value))
    }

    #[inline(always)]
    fn each<T: Copy>(
        &self,
        values: &[T],
        rows: &[u16],
        out: &mut Vec<u32>,
        key: impl Fn(T) -> u64,
    ) {
        if self.starts.len() <= LINEAR_MAX {
            each(values, rows, out, |value| self.linear(key(value)));
        } else {
            each(values, rows, out, |value| {
                let key = key(value);
                self.base + self.starts.partition_point(|start| *start <= key) as u32
            });
        }
    }

    fn byte_table(&mut self) -> (u32, &[u16]) {
        if self.bytes.is_empty() {
            self.bytes = self.table(1 << 8);
        }
        (self.base, &self.bytes)
    }

    fn word_table(&mut self) -> (u32, &[u16]) {
        if self.words.is_empty() {
            self.words = self.table(1 << 16);
        }
        (self.base, &self.words)
    }

    /// How many bounds each value has passed: at most one at each value but the lowest.
    fn table(&self, values: u64) -> Vec<u16> {
        let mut starts = self.starts.iter().peekable();
        let mut passed = 0;
        let passed_by = |value| {
            while starts.next_if(|start| **start <= value).is_some() {
                passed += 1;
            }
            passed
        };
        (0..values).map(passed_by).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::of_address;
    use super::*;
    use std::net::IpAddr;
    use wireq_typesys::{Kind, Mac, Value};

    fn classes_of(line: Line, sets: &[Set], column: &Column) -> Vec<u32> {
        let mut classes = Classes::new(line, sets.iter(), false);
        assert!(classes.fit(column));
        let rows: Vec<u16> = (0..column.len() as u16).collect();
        let mut out = Vec::new();
        classes.classify(Some(column), &rows, &mut out);
        out
    }

    /// A value is in a set where its class is in the ranges of the set.
    fn agree(line: Line, sets: &[Set], column: &Column, key: impl Fn(usize) -> Key) {
        let classes = Classes::new(line, sets.iter(), false);
        let of = classes_of(line, sets, column);
        for set in sets {
            let ranges = classes.ranges(set);
            for (row, class) in of.iter().enumerate() {
                let by_class = ranges.iter().any(|(a, b)| a <= class && class <= b);
                let by_key = match column.valid.get(row) {
                    true => set
                        .ranges
                        .iter()
                        .any(|(a, b)| *a <= key(row) && key(row) <= *b),
                    false => set.absent,
                };
                assert_eq!(by_class, by_key, "row {row} of {column:?}");
            }
        }
    }

    fn integer_sets() -> Vec<Set> {
        let key = |n: i128| Key::of_integer(n);
        let mut sets = vec![
            Set::absent(),
            Set::all(),
            Set::present(),
            Set::range(key(0), key(0)),
            Set::range(key(255), key(255)),
            Set::range(key(-5), key(3)),
            Set::range(key(65535), key(1 << 40)),
            Set::range(key(i64::MIN.into()), key(i64::MAX.into())),
            Set::range(key(u64::MAX.into()), key(i128::MAX)),
        ];
        sets.extend((0..12).map(|n| Set::range(key(n * 7), key(n * 7 + 9))));
        sets
    }

    fn column(data: Data) -> Column {
        let valid = Bitmap::from_fn(data.len(), |row| row % 5 != 4);
        Column {
            data,
            valid,
            names: None,
        }
    }

    #[test]
    fn classes_of_integers_are_those_of_their_keys() {
        let few = &integer_sets()[..5];
        let line = Line::of(Kind::Unsigned).unwrap();
        for sets in [few, &integer_sets()] {
            let small: Vec<u64> = (0..300).chain([65535, 65536, 1 << 40, u64::MAX]).collect();
            let key = |row: usize| Key::of_integer(small[row].into());
            agree(line, sets, &column(Data::U64(small.clone())), key);
            let bytes: Vec<u8> = (0..=255).collect();
            let byte = |row: usize| Key::of_integer(row as i128);
            agree(line, sets, &column(Data::U8(bytes)), byte);
            let words: Vec<u16> = (0..2048).map(|at| (at * 32 + at % 3) as u16).collect();
            let word = |row: usize| Key::of_integer(words[row].into());
            agree(line, sets, &column(Data::U16(words.clone())), word);
            let wide: Vec<u32> = (0..2000).map(|at| at * 2_000_001).collect();
            let key = |row: usize| Key::of_integer(wide[row].into());
            agree(line, sets, &column(Data::U32(wide.clone())), key);
            let signed: Vec<i64> = vec![i64::MIN, -6, -5, -1, 0, 3, 4, 70, i64::MAX];
            let key = |row: usize| Key::of_integer(signed[row].into());
            agree(line, sets, &column(Data::I64(signed.clone())), key);
            let widest: Vec<i128> = vec![i128::MIN, -5, 0, 1 << 64, u64::MAX.into(), i128::MAX];
            let key = |row: usize| Key::of_integer(widest[row]);
            agree(line, sets, &column(Data::I128(widest.clone())), key);
            let times = Line::Time;
            let key = |row: usize| Key::of_integer(signed[row].into());
            agree(times, sets, &column(Data::Time(signed.clone())), key);
        }
    }

    #[test]
    fn all_prefixes_around_an_address_are_found() {
        let v4 = |a: u32| of_address(IpAddr::V4(a.into()).into());
        let v6 = |bits: u128| of_address(Address { v6: true, bits });
        let mut sets = vec![
            Set::range(v4(0), v4(u32::MAX)),
            Set::range(v4(10 << 24), v4((11 << 24) - 1)),
            Set::range(v4(10 << 24 | 1 << 16), v4((10 << 24 | 2 << 16) - 1)),
            Set::range(v4(10 << 24 | 1 << 16 | 5), v4(10 << 24 | 1 << 16 | 5)),
            Set::range(v4(u32::MAX), v4(u32::MAX)),
            Set::range(v6(0), v6(u128::MAX)),
            Set::range(v6(1 << 120), v6((1 << 121) - 1)),
            Set::range(v6(u128::MAX), v6(u128::MAX)),
            Set::range(v4(10 << 24), Key::MAX),
        ];
        sets.push(sets[2].complement());
        let addresses: Vec<u32> = vec![
            0,
            10 << 24,
            (10 << 24) - 1,
            10 << 24 | 1 << 16 | 5,
            10 << 24 | 1 << 16 | 6,
            10 << 24 | 2 << 16,
            11 << 24,
            u32::MAX,
        ];
        let key = |row: usize| v4(addresses[row]);
        agree(
            Line::Address,
            &sets,
            &column(Data::Address4(addresses.clone())),
            key,
        );
        let mixed: Vec<Address> = addresses
            .iter()
            .map(|a| IpAddr::V4((*a).into()).into())
            .chain([0, 1, 1 << 120, u128::MAX].map(|bits| Address { v6: true, bits }))
            .collect();
        let key = |row: usize| of_address(mixed[row]);
        agree(
            Line::Address,
            &sets,
            &column(Data::Address(mixed.clone())),
            key,
        );
    }

    #[test]
    fn other_kinds_do_not_fit() {
        let macs = Column::from_values([Value::Mac(Mac([1, 2, 3, 4, 5, 6])), Value::Absent]);
        let key = |_: usize| Key {
            high: false,
            low: 0x0102_0304_0506,
        };
        agree(Line::Mac, &[Set::range(key(0), key(0))], &macs, key);
        let numbers = Classes::new(Line::of(Kind::Signed).unwrap(), [].iter(), false);
        assert!(!numbers.fit(&macs));
        assert!(!numbers.fit(&Column::from_values([Value::Double(1.0)])));
        let bytes = Classes::new(Line::of(Kind::Signed).unwrap(), [].iter(), true);
        assert!(!bytes.fit(&column(Data::U16(vec![1]))));
        assert!(bytes.fit(&column(Data::U8(vec![1]))));
    }
}
