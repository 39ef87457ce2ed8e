//! Bins: numbers, times and durations rounded down to multiples of a width.

use super::multiples::Multiples;
use super::quantity::number_in;
use wireq_engine::arguments::{ArgumentError, Word};
use wireq_typesys::{Bitmap, Column, Data, Kind, Literal, Value, Zone};

/// How wide bins are, for each kind of value that the width can be read for.
#[derive(Clone, Debug)]
pub(super) struct Width {
    /// As a number that is whole.
    whole: Option<i128>,
    /// As any number.
    multiples: Option<Multiples>,
    nanos: Option<i64>,
}

impl Width {
    /// Reads a width above 0.
    pub(super) fn read(module: &str, word: &Word) -> Result<Width, ArgumentError> {
        let zone = Zone::utc();
        let literal = Literal::new(&word.text);
        let (whole, multiples) = match literal.read(Kind::Double, &zone) {
            Some(Value::Integer(number)) if number > 0 => {
                (Some(number), Some(Multiples::new(number as f64)))
            }
            Some(Value::Double(number)) if number > 0.0 && number.is_finite() => {
                (None, Some(Multiples::new(number)))
            }
            _ => (None, None),
        };
        let nanos = match literal.read(Kind::Duration, &zone) {
            Some(Value::Duration(nanos)) if nanos > 0 => Some(nanos),
            _ => None,
        };
        if multiples.is_none() && nanos.is_none() {
            return Err(ArgumentError {
                help: Some(
                    "write a number above 0, or for times a duration such as 10s or 1h".into(),
                ),
                ..ArgumentError::at(module, word, "is no width of bins")
            });
        }
        Ok(Width {
            whole,
            multiples,
            nanos,
        })
    }

    /// Whether values of a kind can be put into bins of this width.
    pub(super) fn suits(&self, kind: Kind) -> bool {
        match kind {
            Kind::Signed | Kind::Unsigned | Kind::Double => self.multiples.is_some(),
            Kind::Time | Kind::Duration => self.nanos.is_some(),
            Kind::Text | Kind::Dynamic => true,
            _ => false,
        }
    }

    /// The column with every value replaced by the first one of its bin, in `buffer` where that
    /// makes a difference. What is no quantity stays as it is: so do numbers with names.
    pub(super) fn bin<'c>(
        &self,
        column: &'c Column,
        rows: &Bitmap,
        buffer: &'c mut Column,
    ) -> &'c Column {
        if column.names.is_some() {
            return column;
        }
        let rows = rows.and(&column.valid);
        let small = self.whole.and_then(|width| u64::try_from(width).ok());
        match (&column.data, small, self.nanos) {
            (Data::U8(v), Some(width), _) => unsigned(v, width, &rows, buffer),
            (Data::U16(v), Some(width), _) => unsigned(v, width, &rows, buffer),
            (Data::U32(v), Some(width), _) => unsigned(v, width, &rows, buffer),
            (Data::U64(v), Some(width), _) => unsigned(v, width, &rows, buffer),
            (Data::Time(v), _, Some(width)) => {
                let (to, valid) = buffer.refill_time(v.len());
                nanos(v, width, &rows, to, valid);
            }
            (Data::Duration(v), _, Some(width)) => {
                let (to, valid) = buffer.refill_duration(v.len());
                nanos(v, width, &rows, to, valid);
            }
            (
                Data::U8(_)
                | Data::U16(_)
                | Data::U32(_)
                | Data::U64(_)
                | Data::I64(_)
                | Data::I128(_)
                | Data::Double(_)
                | Data::Text(_)
                | Data::Dynamic(_),
                ..,
            ) => {
                *buffer = Column::from_values((0..column.len()).map(|row| match rows.get(row) {
                    true => self.bin_value(column.value(row)),
                    false => Value::Absent,
                }));
            }
            _ => return column,
        }
        buffer
    }

    fn bin_value(&self, value: Value) -> Value {
        let binned = match &value {
            Value::Integer(number) => self.bin_integer(*number),
            Value::Double(number) => self
                .multiples
                .map(|width| Value::Double(width.floor(*number))),
            Value::Time(nanos) => self.bin_nanos(*nanos).map(Value::Time),
            Value::Duration(nanos) => self.bin_nanos(*nanos).map(Value::Duration),
            Value::Text(text) => number_in(text).map(|number| self.bin_value(number)),
            _ => None,
        };
        binned.unwrap_or(value)
    }

    fn bin_integer(&self, number: i128) -> Option<Value> {
        match (self.whole, self.multiples) {
            (Some(width), _) => number
                .div_euclid(width)
                .checked_mul(width)
                .map(Value::Integer),
            // Beyond 2^53 a double is not the integer any more.
            (None, Some(width)) if number.unsigned_abs() <= 1 << 53 => {
                Some(Value::Double(width.floor(number as f64)))
            }
            _ => None,
        }
    }

    fn bin_nanos(&self, nanos: i64) -> Option<i64> {
        nanos.div_euclid(self.nanos?).checked_mul(self.nanos?)
    }
}

fn unsigned<T: Copy + Into<u64>>(values: &[T], width: u64, rows: &Bitmap, buffer: &mut Column) {
    let (to, valid) = buffer.refill_u64(values.len());
    rows.for_each(|row| to[row] = values[row].into() / width * width);
    *valid = *rows;
}

fn nanos(values: &[i64], width: i64, rows: &Bitmap, to: &mut [i64], valid: &mut Bitmap) {
    rows.for_each(|row| {
        let first = values[row].div_euclid(width).checked_mul(width);
        to[row] = first.unwrap_or(values[row]);
    });
    *valid = *rows;
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_engine::Span;
    use wireq_typesys::total_order;

    fn width(text: &str) -> Width {
        let word = Word {
            text: text.into(),
            quoted: false,
            span: Span::default(),
        };
        Width::read("histogram", &word).unwrap_or_else(|_| panic!("{text} is a width"))
    }

    #[test]
    fn columns_are_binned_as_their_values_are() {
        let column = |data: Data| Column {
            valid: Bitmap::first(data.len()),
            data,
            names: None,
        };
        let columns = [
            column(Data::U8(vec![0, 9, 10, 255])),
            column(Data::U16(vec![0, 9, 10, 65535])),
            column(Data::U32(vec![0, 9, 10, u32::MAX])),
            column(Data::U64(vec![0, 9, 10, u64::MAX])),
            column(Data::I64(vec![i64::MIN, -1, 0, i64::MAX])),
            column(Data::I128(vec![i128::MIN, -10, -11, i128::MAX])),
            column(Data::Double(vec![-0.5, 9.99, f64::NAN, f64::INFINITY])),
            column(Data::Time(vec![i64::MIN, -1, 0, i64::MAX])),
            column(Data::Duration(vec![i64::MIN, -1, 10_000_000_001, 5])),
            column(Data::Bool(vec![true, false, true, false])),
            column(Data::Address4(vec![1, 2, 3, 4])),
            Column::from_values([
                Value::text("12"),
                Value::Integer(19),
                Value::Absent,
                Value::text("x"),
            ]),
        ];
        for text in ["10", "0.5", "10m", "99999999999999999999999"] {
            let width = width(text);
            for column in &columns {
                let mut buffer = Column::default();
                let rows = Bitmap::first(4);
                let binned = width.bin(column, &rows, &mut buffer);
                for row in 0..4 {
                    let (found, expected) = (binned.value(row), width.bin_value(column.value(row)));
                    assert!(
                        total_order(&found, &expected).is_eq(),
                        "{text}: {found:?} is not {expected:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_width_has_the_readings_that_its_text_has() {
        assert!(width("10m").suits(Kind::Time) && !width("10m").suits(Kind::Unsigned));
        assert!(width("10").suits(Kind::Time) && width("10").suits(Kind::Unsigned));
        assert!(!width("10").suits(Kind::Address) && width("0x10").suits(Kind::Double));
        assert!(!width("0x10").suits(Kind::Duration));
        for text in ["0", "-1", "x", "", "1e999", "0s"] {
            let word = Word {
                text: text.into(),
                quoted: false,
                span: Span::default(),
            };
            assert!(Width::read("histogram", &word).is_err(), "{text}");
        }
    }
}
