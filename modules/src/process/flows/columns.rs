//! Columns that the flow modules read and write.

use super::super::clockwork::nanos;
use wireq_typesys::{Bitmap, Column, Data, Value, Zone};

/// No time at all: what is later than it is any time.
pub(super) const NEVER: i64 = i64::MIN;

/// The time of a row, in nanoseconds since 1970.
#[inline]
pub(super) fn time(column: Option<&Column>, row: usize, zone: &Zone) -> Option<i64> {
    let column = column.filter(|column| column.valid.get(row))?;
    if let Data::Time(times) = &column.data {
        return Some(times[row]);
    }
    let nanos = nanos(&column.value(row), zone)?;
    Some(nanos.clamp(i128::from(NEVER + 1), i128::from(i64::MAX)) as i64)
}

/// The number that a row has, rounded down, of a list the first; 0 where there is none or it is
/// negative.
#[inline]
pub(super) fn number(column: Option<&Column>, row: usize) -> u64 {
    let Some(column) = column.filter(|column| column.valid.get(row)) else {
        return 0;
    };
    match &column.data {
        Data::U8(v) => v[row].into(),
        Data::U16(v) => v[row].into(),
        Data::U32(v) => v[row].into(),
        Data::U64(v) => v[row],
        _ => match column.value(row) {
            // Of a field of several headers that of the outermost.
            Value::List(list) => list.first().map_or(0, number_of),
            value => number_of(&value),
        },
    }
}

fn number_of(value: &Value) -> u64 {
    match value {
        Value::Double(double) => *double as u64,
        value => {
            let integer = value.as_integer().unwrap_or(0).max(0);
            u64::try_from(integer).unwrap_or(u64::MAX)
        }
    }
}

/// A column of times or durations; [`NEVER`] is none.
pub(super) fn times(values: Vec<i64>, make: fn(Vec<i64>) -> Data) -> Column {
    let valid = Bitmap::from_slice(&values, |time| time != NEVER);
    Column {
        data: make(values),
        valid,
        names: None,
    }
}

/// A column of counts.
pub(super) fn counts(values: Vec<u64>) -> Column {
    Column {
        valid: Bitmap::first(values.len()),
        data: Data::U64(values),
        names: None,
    }
}

/// A column with values as narrow as they are: keys come as the widest of their kind.
pub(super) fn narrow(mut column: Column) -> Column {
    let Column { data, valid, .. } = &mut column;
    match data {
        Data::I128(values) => {
            let mut all = valid.iter().map(|row| values[row]);
            if all.all(|value| u32::try_from(value).is_ok()) {
                *data = Data::U32(values.iter().map(|value| *value as u32).collect());
            }
        }
        Data::Address(values) => {
            let mut all = valid.iter().map(|row| values[row].v6);
            if all.all(|v6| !v6) {
                *data = Data::Address4(values.iter().map(|address| address.bits as u32).collect());
            }
        }
        _ => {}
    }
    column
}

/// Puts a value into a row of a column that has none there. Where the column is too narrow it
/// becomes one of values as wide as they come, which is so for the next ones too.
pub(super) fn put(column: &mut Column, row: usize, value: Value) {
    if value.is_absent() {
        return;
    }
    let Column { data, valid, names } = column;
    let done = match (&mut *data, &value) {
        (Data::U8(v), Value::Named(number, of)) if *names == Some(of) => set(v, row, *number),
        (Data::U16(v), Value::Named(number, of)) if *names == Some(of) => set(v, row, *number),
        (Data::U64(v), Value::Named(number, of)) if *names == Some(of) => set(v, row, *number),
        (Data::U8(v), Value::Integer(number)) if names.is_none() => set(v, row, *number),
        (Data::U16(v), Value::Integer(number)) if names.is_none() => set(v, row, *number),
        (Data::U32(v), Value::Integer(number)) if names.is_none() => set(v, row, *number),
        (Data::U64(v), Value::Integer(number)) if names.is_none() => set(v, row, *number),
        (Data::I128(v), Value::Integer(number)) => set(v, row, *number),
        (Data::Address(v), Value::Address(address)) => set(v, row, *address),
        (Data::Dynamic(v), value) => set(v, row, value.clone()),
        _ => false,
    };
    if done {
        valid.set(row);
        return;
    }
    let values = (0..column.len()).map(|at| match at == row {
        true => value.clone(),
        false => column.value(at),
    });
    *column = Column::from_values(values.collect::<Vec<Value>>());
}

/// Puts a value where it fits; gives whether it does.
fn set<T, V>(values: &mut [T], row: usize, value: V) -> bool
where
    T: TryFrom<V>,
{
    match T::try_from(value) {
        Ok(value) => {
            values[row] = value;
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::Names;

    #[test]
    fn narrow_columns_have_the_same_values() {
        let v4 = Value::Address("10.0.0.1".parse().unwrap());
        let v6 = Value::Address("fd00::1".parse().unwrap());
        for values in [
            vec![Value::Integer(7), Value::Absent, Value::Integer(70_000)],
            vec![Value::Integer(-7), Value::Integer(i128::MAX)],
            vec![v4.clone(), Value::Absent],
            vec![v4, v6],
        ] {
            let wide = Column::from_values(values);
            let narrow = narrow(wide.clone());
            for row in 0..wide.len() {
                let (a, b) = (wide.value(row), narrow.value(row));
                assert!(wireq_typesys::total_order(&a, &b).is_eq(), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn values_of_any_kind_can_be_put() {
        static NAMES: Names = Names {
            name: "n",
            entries: &[(6, "six")],
        };
        let v6 = || Value::Address("fd00::1".parse().unwrap());
        let v4 = || Value::Address("10.0.0.1".parse().unwrap());
        let columns = [
            (Data::U8(vec![1; 4]), None),
            (Data::U8(vec![6; 4]), Some(&NAMES)),
            (Data::U16(vec![7; 4]), None),
            (Data::U64(vec![8; 4]), Some(&NAMES)),
            (Data::U32(vec![9; 4]), None),
            (Data::Address4(vec![10; 4]), None),
            (Data::Time(vec![5; 4]), None),
        ];
        let values = [
            v6(),
            v4(),
            Value::Integer(9),
            Value::Integer(70_000),
            Value::Integer(-1),
            Value::Named(6, &NAMES),
            Value::Absent,
            Value::text("x"),
            Value::Double(0.5),
        ];
        for (data, names) in columns {
            for pair in values.iter().zip(values.iter().rev()) {
                let mut valid = Bitmap::EMPTY;
                valid.set(0);
                let mut column = Column {
                    data: data.clone(),
                    valid,
                    names,
                };
                let mut expected = vec![
                    column.value(0),
                    Value::Absent,
                    pair.0.clone(),
                    pair.1.clone(),
                ];
                put(&mut column, 2, pair.0.clone());
                put(&mut column, 3, pair.1.clone());
                for (row, expected) in expected.drain(..).enumerate() {
                    let value = column.value(row);
                    assert!(
                        wireq_typesys::total_order(&value, &expected).is_eq(),
                        "{value:?} {expected:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_and_times_of_any_kind_are_read() {
        let zone = Zone::utc();
        let column = Column::from_values([
            Value::Integer(3),
            Value::Integer(-3),
            Value::Integer(i128::MAX),
            Value::Double(2.9),
            Value::Double(f64::NAN),
            Value::text("x"),
            Value::Absent,
        ]);
        let numbers: Vec<u64> = (0..7).map(|row| number(Some(&column), row)).collect();
        assert_eq!(numbers, [3, 0, u64::MAX, 2, 0, 0, 0]);
        let times: Vec<_> = (0..7).map(|row| time(Some(&column), row, &zone)).collect();
        let second = 1_000_000_000;
        assert_eq!(times[..2], [Some(3 * second), Some(-3 * second)]);
        assert_eq!(times[3], Some(2_900_000_000));
        assert_eq!(times[4..], [None, None, None]);
        assert_eq!(time(None, 0, &zone), None);
        assert_eq!(number(None, 0), 0);
    }
}
