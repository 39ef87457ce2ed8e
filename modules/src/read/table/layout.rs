//! Which columns of a file are read, as which fields.

use super::grammar::Grammar;
use super::header::Names;
use crate::types::table::{Cell, LINE, Records, Table, place};

/// No field is read from this column.
const NOTHING: u32 = u32::MAX;

/// Where the fields that queries read are in the records of one file.
pub(super) struct Layout {
    /// For each column up to the last one that is read, the number of the field among those that
    /// are read.
    columns: Vec<u32>,
    /// The field that is the whole record.
    line: Option<usize>,
    /// Fields that the file should have and has not.
    pub(super) missing: Vec<String>,
}

impl Layout {
    /// Finds fields of `table` among the columns that are called by `names`, and those behind them.
    pub(super) fn new(fields: &[usize], table: &Table, names: &Names) -> Layout {
        let mut layout = Layout {
            columns: Vec::new(),
            line: None,
            missing: Vec::new(),
        };
        for (number, field) in fields.iter().enumerate() {
            let name = table.name_of(*field);
            let named = names
                .iter()
                .position(|known| known.as_deref() == Some(&name));
            let by_place = || place(&name).filter(|at| names.get(*at).is_none_or(Option::is_none));
            match named.or_else(by_place) {
                Some(column) => layout.put(column, number),
                None if name == LINE => layout.line = Some(number),
                None if table.is_expected(&name) => layout.missing.push(name),
                None => {}
            }
        }
        layout
    }

    fn put(&mut self, column: usize, number: usize) {
        if self.columns.len() <= column {
            self.columns.resize(column + 1, NOTHING);
        }
        self.columns[column] = number as u32;
    }

    /// Adds a record that begins at `at` in its block.
    #[inline]
    pub(super) fn split(&self, grammar: Grammar, record: &[u8], at: usize, records: &mut Records) {
        let (cells, copied) = records.push();
        if let Some(last) = self.columns.len().checked_sub(1) {
            grammar.cells(record, last, |column, range| {
                let number = self.columns[column];
                if number != NOTHING {
                    cells[number as usize] = grammar.cell(record, range, at, copied);
                }
            });
        }
        if let Some(number) = self.line {
            cells[number] = Cell::within(at, record.len());
        }
    }
}
