//! Values as keys, for functions that tell distinct values apart or put them in order.

use super::numeric::number_in;
use std::cmp::Ordering;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::{Column, Data, Names, Value, key, key::Packer};

/// The key of a value. No key is the beginning of another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    /// Up to 15 bytes, packed as [`Packer`] does; they order as their bytes do.
    Short(u128),
    Long(&'a [u8]),
}

const SHORT_MAX: usize = 15;

impl<'a> Key<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Key<'a> {
        if bytes.len() > SHORT_MAX {
            return Key::Long(bytes);
        }
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        padded[SHORT_MAX] = bytes.len() as u8;
        Key::Short(u128::from_be_bytes(padded))
    }

    /// The bytes; `buffer` is where they are put if they were packed.
    pub(super) fn bytes<'b>(&'b self, buffer: &'b mut [u8; 16]) -> &'b [u8] {
        match self {
            Key::Long(bytes) => bytes,
            Key::Short(packed) => {
                *buffer = packed.to_be_bytes();
                &buffer[..usize::from(buffer[SHORT_MAX]).min(SHORT_MAX)]
            }
        }
    }

    pub(super) fn cmp(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Key::Short(a), Key::Short(b)) => a.cmp(b),
            _ => self.bytes(&mut [0; 16]).cmp(other.bytes(&mut [0; 16])),
        }
    }

    /// The value, as far as a key knows it: see [`Seen::restored`].
    pub(super) fn value(&self) -> Value {
        key::decode(&mut self.bytes(&mut [0; 16])).unwrap_or_default()
    }
}

/// Reads the keys of columns.
#[derive(Default)]
pub(super) struct Keys {
    packer: Packer,
    bytes: Vec<u8>,
}

impl Keys {
    /// Calls `each` with the place in `rows` and the key, where there is a value.
    pub(super) fn each(
        &mut self,
        column: &Column,
        rows: &[u16],
        mut each: impl FnMut(usize, Key<'_>),
    ) {
        let packed = self.packer.pack_short(std::iter::once(Some(column)), rows);
        for (at, (row, packed)) in rows.iter().zip(packed).enumerate() {
            let row = usize::from(*row);
            if !column.valid.get(row) {
                continue;
            }
            if *packed != 0 {
                each(at, Key::Short(*packed));
                continue;
            }
            self.bytes.clear();
            key::encode_row(Some(column), row, &mut self.bytes);
            each(at, Key::new(&self.bytes));
        }
    }
}

/// A column in which text that reads as a number is that number; none where there is no text.
pub(super) fn with_numbers_read(column: &Column) -> Option<Column> {
    let read = |row: usize| match column.value(row) {
        Value::Text(text) => number_in(&text).unwrap_or(Value::Text(text)),
        other => other,
    };
    let has_text = match &column.data {
        Data::Text(_) => true,
        Data::Dynamic(values) => values.iter().any(|value| matches!(value, Value::Text(_))),
        _ => false,
    };
    has_text.then(|| Column::from_values((0..column.len()).map(read)))
}

/// What kinds of value a group has seen, of those that have equal keys.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    kinds: u8,
    names: Option<&'static Names>,
}

const INTEGER: u8 = 1;
const DOUBLE: u8 = 2;
const NAMED: u8 = 4;
const BYTES: u8 = 8;
const TEXT: u8 = 16;

impl Seen {
    /// What a row's value is.
    #[inline]
    pub(super) fn of(column: &Column, row: usize) -> Seen {
        let kinds = match (&column.data, column.names) {
            (Data::Dynamic(values), _) => return Seen::of_value(&values[row]),
            (Data::U8(_) | Data::U16(_) | Data::U32(_) | Data::U64(_), Some(_)) => NAMED,
            (Data::U8(_) | Data::U16(_) | Data::U32(_) | Data::U64(_), None) => INTEGER,
            (Data::I64(_) | Data::I128(_), _) => INTEGER,
            (Data::Double(_), _) => DOUBLE,
            (Data::Bytes(_), _) => BYTES,
            (Data::Text(_), _) => TEXT,
            _ => 0,
        };
        let names = column.names.filter(|_| kinds == NAMED);
        Seen { kinds, names }
    }

    fn of_value(value: &Value) -> Seen {
        let (kinds, names) = match value {
            Value::Integer(_) => (INTEGER, None),
            Value::Double(_) => (DOUBLE, None),
            Value::Named(_, names) => (NAMED, Some(*names)),
            Value::Bytes(_) => (BYTES, None),
            Value::Text(_) => (TEXT, None),
            _ => (0, None),
        };
        Seen { kinds, names }
    }

    /// Takes in what another has seen. Of several tables of names the first by its name is kept,
    /// so that order does not show.
    #[inline]
    pub(super) fn add(&mut self, other: Seen) {
        self.kinds |= other.kinds;
        if other.kinds & NAMED != 0 {
            let names = self.names.into_iter().chain(other.names);
            self.names = names.min_by_key(|names| names.name);
        }
    }

    /// The value with the kind that its key does not know.
    pub(super) fn restored(&self, value: Value) -> Value {
        let numbers = self.kinds & (INTEGER | DOUBLE | NAMED);
        match (value, numbers, self.names) {
            (Value::Integer(integer), DOUBLE, _) => Value::Double(integer as f64),
            (Value::Integer(integer), NAMED, Some(names)) => {
                u64::try_from(integer).map_or(Value::Integer(integer), |n| Value::Named(n, names))
            }
            (Value::Text(bytes), ..) if self.kinds & TEXT == 0 => Value::Bytes(bytes),
            (value, ..) => value,
        }
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.kinds.into());
        out.names(self.names);
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Seen, Error> {
        Ok(Seen {
            kinds: from.number()? as u8,
            names: from.names()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::{Random, anything};

    #[test]
    fn keys_order_and_come_back() {
        let mut random = Random(3);
        for _ in 0..200 {
            let column = Column::from_values(anything(&mut random));
            let rows: Vec<u16> = (0..column.len() as u16).collect();
            let mut found = Vec::new();
            Keys::default().each(&column, &rows, |at, key| {
                found.push((at, key.bytes(&mut [0; 16]).to_vec()));
            });
            assert_eq!(found.len(), column.valid.count());
            for (left, a) in &found {
                let mut seen = Seen::of(&column, *left);
                seen.add(Seen::default());
                let value = seen.restored(Key::new(a).value());
                assert_eq!(format!("{value:?}"), format!("{:?}", column.value(*left)));
                for (right, b) in &found {
                    let order =
                        wireq_typesys::total_order(&column.value(*left), &column.value(*right));
                    assert_eq!(Key::new(a).cmp(&Key::new(b)), order);
                }
            }
        }
    }
}
