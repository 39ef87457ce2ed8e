//! Keys of one number: each column has a place of fixed width in it.
//!
//! Where columns hold numbers of fixed width, addresses of IPv4, times and the like, as most columns of
//! packets do, the key of a row is one number, put together with a shift a column. It orders as
//! the bytes of the key do, and bytes and number are made from each other. Whether a key has such a
//! number depends on its values alone, not on the columns that they came in.

use super::{ABSENT, ADDRESS4, BOOL, DURATION, KEY_ROOM, MAC, TIME, ZERO};
use crate::{Bitmap, Column, Data, Mac};

/// What a key is that has no place: above all numbers of keys.
pub const NO_PLACE: u128 = u128::MAX;

/// The class of numbers of eight bytes.
const NUMBER_MAX: u8 = ZERO + 8;

/// The places of the values of some columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    slots: Vec<Slot>,
}

/// A place: a bit that says whether there is a value, then the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    class: Class,
    bits: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Bool,
    /// From 0 on.
    Number,
    Time,
    Duration,
    Address4,
    Mac,
}

impl Slot {
    fn of(data: &Data) -> Option<Slot> {
        let (class, bits) = match data {
            Data::Bool(_) => (Class::Bool, 1),
            Data::U8(_) => (Class::Number, 8),
            Data::U16(_) => (Class::Number, 16),
            // What is calculated is mostly small.
            Data::U32(_) | Data::I64(_) | Data::I128(_) => (Class::Number, 32),
            Data::U64(_) => (Class::Number, 64),
            Data::Time(_) => (Class::Time, 64),
            Data::Duration(_) => (Class::Duration, 64),
            Data::Address4(_) | Data::Address(_) => (Class::Address4, 32),
            Data::Mac(_) => (Class::Mac, 48),
            _ => return None,
        };
        Some(Slot { class, bits })
    }

    /// The most bytes that a value here takes in a key.
    fn key_len(self) -> u32 {
        let around = match self.class {
            Class::Number => 2,
            _ => 1,
        };
        around + self.bits.div_ceil(8)
    }

    /// The bit that says that there is a value.
    fn present(self) -> u128 {
        1 << self.bits
    }

    /// What stands here for a value, from the bits of the value.
    #[inline(always)]
    fn place(self, value: u128) -> Option<u128> {
        (value < self.present()).then_some(self.present() | value)
    }
}

/// A time as a number that orders as it does.
#[inline(always)]
fn ordered(nanos: i64) -> u128 {
    u128::from(nanos as u64 ^ 1 << 63)
}

fn mac(bytes: &[u8]) -> u128 {
    let append = |bits, byte: &u8| bits << 8 | u128::from(*byte);
    bytes.iter().fold(0, append)
}

fn mac_of(value: u64) -> Mac {
    let [_, _, mac @ ..] = value.to_be_bytes();
    Mac(mac)
}

impl Layout {
    /// Places for values as these columns have them; none where they would take more than a number has,
    /// or vary in length.
    pub fn of<'a>(columns: impl Iterator<Item = &'a Column>) -> Option<Layout> {
        let slots = columns.map(|column| Slot::of(&column.data));
        let slots: Vec<Slot> = slots.collect::<Option<_>>()?;
        let bits: u32 = slots.iter().map(|slot| slot.bits + 1).sum();
        let key_len: u32 = slots.iter().map(|slot| slot.key_len()).sum();
        // One bit is left over for what has no place.
        (bits < 128 && key_len < KEY_ROOM as u32).then_some(Layout { slots })
    }

    /// Whether the first `count` places are twice the same.
    pub fn repeats(&self, count: usize) -> bool {
        let halves = self.slots[..count.min(self.slots.len())].split_at(count / 2);
        halves.0 == halves.1
    }

    /// The values that keys have at one of two places, which are of one form: the other one where it
    /// is said so of the key. Names are not known here.
    pub fn column(&self, places: [usize; 2], keys: impl Iterator<Item = (u128, bool)>) -> Column {
        let slot = self.slots[places[0]];
        let bits_behind = |at: usize| -> u32 {
            let behind = self.slots[at + 1..].iter();
            behind.map(|slot| slot.bits + 1).sum()
        };
        let shifts = places.map(bits_behind);
        let (present, mut valid) = (slot.present(), Bitmap::EMPTY);
        let values = keys.enumerate().map(|(row, (key, other))| {
            let place = key >> shifts[usize::from(other)];
            if place & present != 0 {
                valid.set(row);
            }
            (place & (present - 1)) as u64
        });
        let nanos = |value: u64| (value ^ 1 << 63) as i64;
        let data = match (slot.class, slot.bits) {
            (Class::Bool, _) => Data::Bool(values.map(|value| value != 0).collect()),
            (Class::Number, 8) => Data::U8(values.map(|value| value as u8).collect()),
            (Class::Number, 16) => Data::U16(values.map(|value| value as u16).collect()),
            (Class::Number, 32) => Data::U32(values.map(|value| value as u32).collect()),
            (Class::Number, _) => Data::U64(values.collect()),
            (Class::Time, _) => Data::Time(values.map(nanos).collect()),
            (Class::Duration, _) => Data::Duration(values.map(nanos).collect()),
            (Class::Address4, _) => Data::Address4(values.map(|value| value as u32).collect()),
            (Class::Mac, _) => Data::Mac(values.map(mac_of).collect()),
        };
        Column {
            data,
            valid,
            names: None,
        }
    }

    /// Writes the keys of rows to `keys`, and to `without` where among the rows those are that have
    /// none.
    pub fn pack<'a>(
        &self,
        columns: impl Iterator<Item = Option<&'a Column>>,
        rows: &[u16],
        keys: &mut Vec<u128>,
        without: &mut Vec<u16>,
    ) {
        keys.clear();
        keys.resize(rows.len(), 0);
        without.clear();
        for (slot, column) in self.slots.iter().zip(columns) {
            // A shift of known width is two instructions.
            let pack = match slot.bits {
                1 => pack_column::<2>,
                8 => pack_column::<9>,
                16 => pack_column::<17>,
                32 => pack_column::<33>,
                48 => pack_column::<49>,
                _ => pack_column::<65>,
            };
            pack(*slot, column, rows, keys, without);
        }
        without.sort_unstable();
        without.dedup();
        for at in &*without {
            keys[usize::from(*at)] = NO_PLACE;
        }
    }

    /// The number of a key.
    pub fn read(&self, mut bytes: &[u8]) -> Option<u128> {
        let mut key = 0;
        for slot in &self.slots {
            let (class, rest) = bytes.split_first()?;
            bytes = rest;
            let mut take = |len: usize| {
                let (value, rest) = bytes.split_at_checked(len)?;
                bytes = rest;
                Some(mac(value))
            };
            let value = match (*class, slot.class) {
                (ABSENT, _) => 0,
                (BOOL, Class::Bool) => slot.place(take(1)?)?,
                (class @ ZERO..=NUMBER_MAX, Class::Number) => {
                    let number = take(usize::from(class - ZERO))?;
                    // Behind the whole number there may be a fraction.
                    match take(1)? {
                        0 => slot.place(number)?,
                        _ => return None,
                    }
                }
                (TIME, Class::Time) | (DURATION, Class::Duration) => slot.place(take(8)?)?,
                (ADDRESS4, Class::Address4) => slot.place(take(4)?)?,
                (MAC, Class::Mac) => slot.place(take(6)?)?,
                _ => return None,
            };
            key = key << (slot.bits + 1) | value;
        }
        bytes.is_empty().then_some(key)
    }

    /// The bytes of the key that has this number.
    pub fn write<'b>(&self, key: u128, buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
        let mut left: u32 = self.slots.iter().map(|slot| slot.bits + 1).sum();
        let mut len = 0;
        // Slots take no more than the buffer has: else there would be no layout.
        let mut push = |bytes: &[u8]| {
            buffer[len..len + bytes.len()].copy_from_slice(bytes);
            len += bytes.len();
        };
        for slot in &self.slots {
            left -= slot.bits + 1;
            let place = key >> left;
            if place & slot.present() == 0 {
                push(&[ABSENT]);
                continue;
            }
            let value = (place & (slot.present() - 1)) as u64;
            let bytes = value.to_be_bytes();
            match slot.class {
                Class::Bool => push(&[BOOL, bytes[7]]),
                Class::Number => {
                    let skip = value.leading_zeros() as usize / 8;
                    push(&[ZERO + 8 - skip as u8]);
                    push(&bytes[skip..]);
                    push(&[0]);
                }
                Class::Time => {
                    push(&[TIME]);
                    push(&bytes);
                }
                Class::Duration => {
                    push(&[DURATION]);
                    push(&bytes);
                }
                Class::Address4 => {
                    push(&[ADDRESS4]);
                    push(&bytes[4..]);
                }
                Class::Mac => {
                    push(&[MAC]);
                    push(&bytes[2..]);
                }
            }
        }
        &buffer[..len]
    }
}

/// Appends the places of a column, which are so many bits wide, to the keys.
fn pack_column<const WIDTH: u32>(
    slot: Slot,
    column: Option<&Column>,
    rows: &[u16],
    keys: &mut [u128],
    without: &mut Vec<u16>,
) {
    let Some(Column { data, valid, .. }) = column else {
        keys.iter_mut().for_each(|key| *key <<= WIDTH);
        return;
    };
    // The usual ones: columns of the slot's own width, in which every value has its place.
    let present = slot.present();
    macro_rules! all_fit {
        ($values:expr, $value:expr) => {{
            for (key, row) in keys.iter_mut().zip(rows) {
                let row = usize::from(*row);
                // Without a branch: whether there is a value is chance where packets are mixed.
                let mask = u128::from(valid.get(row)).wrapping_neg();
                *key = *key << WIDTH | (present | $value($values[row])) & mask;
            }
        }};
    }
    macro_rules! some_fit {
        ($values:expr, $value:expr) => {{
            for (at, (key, row)) in keys.iter_mut().zip(rows).enumerate() {
                let row = usize::from(*row);
                let place = match valid.get(row) {
                    true => $value($values[row]).and_then(|value| slot.place(value)),
                    false => Some(0),
                };
                if place.is_none() {
                    without.push(at as u16);
                }
                *key = *key << WIDTH | place.unwrap_or(0);
            }
        }};
    }
    match (slot.class, data) {
        (Class::Address4, Data::Address4(v)) => all_fit!(v, u128::from),
        (Class::Address4, Data::Address(v)) => {
            some_fit!(v, |a: crate::column::Address| { (!a.v6).then_some(a.bits) })
        }
        (Class::Number, Data::U8(v)) => all_fit!(v, u128::from),
        (Class::Number, Data::U16(v)) if slot.bits >= 16 => all_fit!(v, u128::from),
        (Class::Number, Data::U16(v)) => some_fit!(v, |n| Some(u128::from(n))),
        (Class::Number, Data::U32(v)) => some_fit!(v, |n| Some(u128::from(n))),
        (Class::Number, Data::U64(v)) => some_fit!(v, |n| Some(u128::from(n))),
        (Class::Number, Data::I64(v)) => some_fit!(v, |n| u128::try_from(n).ok()),
        (Class::Number, Data::I128(v)) => some_fit!(v, |n| u128::try_from(n).ok()),
        (Class::Time, Data::Time(v)) => all_fit!(v, ordered),
        (Class::Duration, Data::Duration(v)) => all_fit!(v, ordered),
        (Class::Mac, Data::Mac(v)) => all_fit!(v, |m: Mac| mac(&m.0)),
        (Class::Bool, Data::Bool(v)) => all_fit!(v, u128::from),
        _ => {
            for (at, (key, row)) in keys.iter_mut().zip(rows).enumerate() {
                *key <<= WIDTH;
                if valid.get(usize::from(*row)) {
                    without.push(at as u16);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode_row;
    use super::*;
    use crate::{Value, total_order};
    use proptest::prelude::*;

    /// Columns of all types that have places, and of some that have none.
    fn column(rows: usize) -> impl Strategy<Value = Column> {
        let small = prop_oneof![Just(0u64), 0..300u64, any::<u64>()];
        let addresses = prop_oneof![
            4 => any::<u32>().prop_map(|a| Value::Address(std::net::Ipv4Addr::from(a).into())),
            1 => any::<u128>().prop_map(|a| Value::Address(std::net::Ipv6Addr::from(a).into())),
        ];
        let dynamic = prop_oneof![
            small.clone().prop_map(|n| Value::Integer(n.into())),
            (0..9i128).prop_map(|n| Value::Integer(-n)),
            (0..9i64).prop_map(|n| Value::Double(n as f64 / 2.0)),
            any::<i64>().prop_map(Value::Time),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::text("a")),
            Just(Value::Absent),
            addresses.clone(),
        ];
        let many = |values: BoxedStrategy<Value>| {
            prop::collection::vec(values, rows).prop_map(Column::from_values)
        };
        let numbers = prop::collection::vec(small, rows);
        let data = prop_oneof![
            numbers
                .clone()
                .prop_map(|v| Data::U8(v.iter().map(|n| *n as u8).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::U16(v.iter().map(|n| *n as u16).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::U32(v.iter().map(|n| *n as u32).collect())),
            numbers.clone().prop_map(Data::U64),
            numbers
                .clone()
                .prop_map(|v| Data::I64(v.iter().map(|n| *n as i64).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::I128(v.iter().map(|n| i128::from(*n)).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::Bool(v.iter().map(|n| n % 2 == 1).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::Time(v.iter().map(|n| *n as i64).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::Duration(v.iter().map(|n| *n as i64).collect())),
            numbers
                .clone()
                .prop_map(|v| Data::Address4(v.iter().map(|n| *n as u32).collect())),
            numbers.prop_map(|v| {
                let mac = |n: &u64| Mac(n.to_be_bytes()[2..].try_into().expect("six bytes"));
                Data::Mac(v.iter().map(mac).collect())
            }),
        ];
        let valid = prop::collection::vec(prop::bool::weighted(0.8), rows);
        let typed = (data, valid).prop_map(|(data, valid)| Column {
            data,
            valid: Bitmap::from_fn(valid.len(), |row| valid[row]),
            names: None,
        });
        prop_oneof![4 => typed, 1 => many(dynamic.boxed()), 2 => many(addresses.boxed())]
    }

    fn bytes(columns: &[Option<Column>], row: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        columns
            .iter()
            .for_each(|column| encode_row(column.as_ref(), row, &mut bytes));
        bytes
    }

    proptest! {
        /// The layout of some columns, used for others: what has a number has the one that its bytes
        /// have, which come back from it and order as it does.
        #[test]
        fn numbers_are_those_of_the_bytes(
            columns in prop::collection::vec((column(6), prop::option::weighted(0.9, column(6))), 0..5),
            same in any::<bool>(),
        ) {
            let (first, mut others): (Vec<Column>, Vec<Option<Column>>) = columns.into_iter().unzip();
            if same {
                others = first.iter().cloned().map(Some).collect();
            }
            let Some(layout) = Layout::of(first.iter()) else { return Ok(()) };
            let rows = [3u16, 0, 5, 4];
            let (mut keys, mut without) = (Vec::new(), Vec::new());
            layout.pack(others.iter().map(Option::as_ref), &rows, &mut keys, &mut without);
            let mut known = Vec::new();
            for (at, row) in rows.iter().enumerate() {
                let bytes = bytes(&others, usize::from(*row));
                let number = layout.read(&bytes);
                if keys[at] == NO_PLACE {
                    prop_assert!(without.contains(&(at as u16)));
                } else {
                    prop_assert_eq!(number, Some(keys[at]));
                }
                if let Some(number) = number {
                    prop_assert!(number < NO_PLACE);
                    prop_assert_eq!(layout.write(number, &mut [0; KEY_ROOM]).to_vec(), bytes.clone());
                    known.push((bytes, number));
                }
            }
            for at in 0..others.len() {
                let numbers = known.iter().map(|(_, number)| (*number, false));
                let column = layout.column([at, at], numbers);
                let rows = rows.iter().filter(|row| layout.read(&bytes(&others, usize::from(**row))).is_some());
                for (place, row) in rows.enumerate() {
                    let own = others[at].as_ref().map_or(Value::Absent, |c| c.value(usize::from(*row)));
                    prop_assert!(total_order(&column.value(place), &own).is_eq());
                }
            }
            for (a, b) in known.iter().zip(known.iter().skip(1)) {
                prop_assert_eq!(a.0.cmp(&b.0), a.1.cmp(&b.1));
            }
        }

        #[test]
        fn no_bytes_make_reading_panic(
            columns in prop::collection::vec(column(2), 0..5),
            bytes in prop::collection::vec(prop_oneof![0..60u8, any::<u8>()], 0..40),
        ) {
            if let Some(layout) = Layout::of(columns.iter()) {
                layout.read(&bytes);
            }
        }
    }

    #[test]
    fn a_five_tuple_has_a_number() {
        let column = |data| Column {
            data,
            valid: Bitmap::first(1),
            names: None,
        };
        let columns = [
            column(Data::Address4(vec![u32::MAX])),
            column(Data::U16(vec![u16::MAX])),
            column(Data::Address4(vec![1])),
            column(Data::U16(vec![0])),
            column(Data::U8(vec![6])),
        ];
        let layout = Layout::of(columns.iter()).expect("109 bits");
        let (mut keys, mut without) = (Vec::new(), Vec::new());
        layout.pack(columns.iter().map(Some), &[0], &mut keys, &mut without);
        assert!(without.is_empty());
        let own = bytes(&columns.clone().map(Some), 0);
        assert_eq!(layout.write(keys[0], &mut [0; KEY_ROOM]), own);
    }
}
