//! The bytes of rows that patterns are looked for in.

use wireq_typesys::{Bitmap, Column, Data, Value, Zone, write_column_text, write_value};

/// Picks rows by the bytes of a column: bytes and text as they are, any other kind by its text
/// form, a list by each of its values.
pub(super) struct Texts {
    /// Where text forms are written.
    pub(super) form: Vec<u8>,
}

impl Texts {
    /// The rows with a value of which `test` holds for any text; the others with a value where
    /// `inverted`.
    pub(super) fn select(
        &mut self,
        column: &Column,
        rows: &Bitmap,
        inverted: bool,
        zone: &Zone,
        mut test: impl FnMut(&[u8]) -> bool,
    ) -> Bitmap {
        let known = rows.and(&column.valid);
        let mut found = Bitmap::EMPTY;
        self.visit(column, &known, zone, |row, text| {
            let hit = test(text);
            if hit {
                found.set(row);
            }
            hit
        });
        if inverted { known.minus(&found) } else { found }
    }

    /// Shows `see` the texts of each row, in order, until it says that one was enough for the row.
    pub(super) fn visit(
        &mut self,
        column: &Column,
        rows: &Bitmap,
        zone: &Zone,
        mut see: impl FnMut(usize, &[u8]) -> bool,
    ) {
        let known = rows.and(&column.valid);
        match &column.data {
            Data::Bytes(v) | Data::Text(v) => known.for_each(|row| {
                see(row, v.get(row));
            }),
            Data::Dynamic(v) => known.for_each(|row| {
                self.any(&v[row], zone, &mut |text| see(row, text));
            }),
            Data::List(..) | Data::Object(_) => known.for_each(|row| {
                self.any(&column.value(row), zone, &mut |text| see(row, text));
            }),
            _ => known.for_each(|row| {
                self.form.clear();
                write_column_text(column, row, zone, &mut self.form);
                see(row, &self.form);
            }),
        }
    }

    fn any(&mut self, value: &Value, zone: &Zone, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        match value {
            Value::Absent => false,
            Value::Bytes(bytes) | Value::Text(bytes) => test(bytes),
            Value::List(values) => values.iter().any(|value| self.any(value, zone, test)),
            value => {
                self.form.clear();
                write_value(value, zone, &mut self.form);
                test(&self.form)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_every_kind_by_its_text() {
        let list = Value::List([Value::Integer(7), Value::text("a\\")].into());
        let columns = [
            Column::from_values([Value::text("a\\"), Value::Absent, Value::text("")]),
            Column::from_values([Value::Integer(17), Value::Absent, Value::Integer(8)]),
            Column::from_values([list, Value::Absent, Value::Double(0.5)]),
        ];
        let zone = Zone::utc();
        let mut texts = Texts { form: Vec::new() };
        for column in &columns {
            let test = |text: &[u8]| text.contains(&b'7') || text == b"a\\";
            let rows = Bitmap::first(3);
            let found = texts.select(column, &rows, false, &zone, test);
            assert_eq!(found.iter().collect::<Vec<_>>(), [0]);
            let others = texts.select(column, &rows, true, &zone, test);
            assert_eq!(others.iter().collect::<Vec<_>>(), [2]);
        }
    }
}
