//! Fields as plain numbers: what the modules share that compute with doubles.

use wireq_typesys::{Bitmap, Column, Data, Literal, Value};

const NANOS: f64 = 1e9;

/// A value as a number, which may be infinite. Durations and times count in seconds; text is read.
pub(super) fn quantity(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Named(number, _) => *number as f64,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Double(number) => *number,
        Value::Duration(nanos) | Value::Time(nanos) => *nanos as f64 / NANOS,
        Value::Text(text) => return number_in(text).as_ref().and_then(quantity),
        _ => return None,
    };
    (!number.is_nan()).then_some(number)
}

/// The number that a text is, if it is one.
pub(super) fn number_in(text: &[u8]) -> Option<Value> {
    let first = text.first()?;
    if !first.is_ascii_digit() && !b"+-.".contains(first) {
        return None;
    }
    match Literal::new(std::str::from_utf8(text).ok()?).natural() {
        number @ (Value::Integer(_) | Value::Double(_)) => Some(number),
        _ => None,
    }
}

/// Calls `each` for the rows that have a number, in ascending order.
#[inline]
pub(super) fn each_quantity(
    column: Option<&Column>,
    rows: &Bitmap,
    mut each: impl FnMut(usize, f64),
) {
    let Some(column) = column else { return };
    let rows = rows.and(&column.valid);
    match &column.data {
        Data::U8(v) => rows.for_each(|row| each(row, v[row].into())),
        Data::U16(v) => rows.for_each(|row| each(row, v[row].into())),
        Data::U32(v) => rows.for_each(|row| each(row, v[row].into())),
        Data::U64(v) => rows.for_each(|row| each(row, v[row] as f64)),
        Data::I64(v) => rows.for_each(|row| each(row, v[row] as f64)),
        Data::Time(v) | Data::Duration(v) => {
            rows.for_each(|row| each(row, v[row] as f64 / NANOS));
        }
        _ => rows.for_each(|row| {
            if let Some(number) = quantity(&column.value(row)) {
                each(row, number);
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_the_numbers_that_their_values_are() {
        let values = [
            vec![Value::Integer(-7), Value::Absent, Value::Integer(1 << 70)],
            vec![Value::Duration(1_500_000_000), Value::Duration(-1)],
            vec![Value::Time(2_000_000_000), Value::Absent],
            vec![Value::Double(f64::NAN), Value::Double(f64::INFINITY)],
            vec![Value::text("12.5"), Value::text("x"), Value::text("")],
            vec![Value::Bool(true), Value::Integer(3), Value::text("-1")],
        ];
        let mut columns: Vec<Column> = values.into_iter().map(Column::from_values).collect();
        for data in [
            Data::U8(vec![0, 255]),
            Data::U16(vec![7, 65535]),
            Data::U32(vec![1, u32::MAX]),
            Data::U64(vec![1, u64::MAX]),
            Data::I64(vec![i64::MIN, 9]),
            Data::Address4(vec![1, 2]),
        ] {
            let valid = Bitmap::first(data.len());
            columns.push(Column {
                data,
                valid,
                names: None,
            });
        }
        for column in &columns {
            let expected: Vec<(usize, f64)> = (0..column.len())
                .filter_map(|row| Some((row, quantity(&column.value(row))?)))
                .collect();
            let mut found = Vec::new();
            let rows = Bitmap::first(column.len());
            each_quantity(Some(column), &rows, |row, number| found.push((row, number)));
            assert_eq!(found, expected, "{column:?}");
        }
        assert_eq!(quantity(&Value::text("12.5")), Some(12.5));
        assert_eq!(quantity(&Value::Duration(1_500_000_000)), Some(1.5));
        assert_eq!(quantity(&Value::text("x")), None);
    }
}
