//! What `csv` and `tsv` share: lines of columns with a sign between them, below a header.

use super::{Columns, Format};
use wireq_engine::View;
use wireq_engine::schedule::output::Frame;
use wireq_typesys::{Column, Data, Value, write_column_text};

/// How the columns of a line are told apart.
pub(super) struct Dialect {
    /// What stands between two columns.
    pub between: u8,
    /// Writes a text.
    pub text: fn(&[u8], &mut Vec<u8>),
    /// Makes what stands from a place on fit for a column.
    pub quote: fn(usize, &mut Vec<u8>),
}

pub(super) struct Delimited {
    columns: Columns,
    dialect: Dialect,
    /// What every line begins with: the statement.
    before: Vec<u8>,
}

impl Delimited {
    pub fn new(columns: Columns, dialect: Dialect) -> Delimited {
        let mut before = Vec::new();
        if let Some(statement) = &columns.statement {
            (dialect.text)(statement.as_bytes(), &mut before);
            before.push(dialect.between);
        }
        Delimited {
            columns,
            dialect,
            before,
        }
    }

    fn cell(&self, column: &Column, row: usize, out: &mut Vec<u8>) {
        match &column.data {
            Data::Text(texts) => return (self.dialect.text)(texts.get(row), out),
            Data::Dynamic(values) => {
                if let Value::Text(text) = &values[row] {
                    return (self.dialect.text)(text, out);
                }
            }
            _ => {}
        }
        let start = out.len();
        write_column_text(column, row, &self.columns.zone, out);
        if !is_plain(column) {
            (self.dialect.quote)(start, out);
        }
    }
}

/// Whether values are written with digits, letters, points and the like alone.
fn is_plain(column: &Column) -> bool {
    let is_number = matches!(
        column.data,
        Data::U8(_) | Data::U16(_) | Data::U32(_) | Data::U64(_)
    );
    let is_address = matches!(column.data, Data::Address(_) | Data::Address4(_));
    is_number && column.names.is_none() || is_address
}

impl Format for Delimited {
    fn frame(&self) -> Frame {
        let mut header = Vec::new();
        for (at, name) in self.columns.names().enumerate() {
            if at > 0 {
                header.push(self.dialect.between);
            }
            (self.dialect.text)(name.as_bytes(), &mut header);
        }
        header.push(b'\n');
        Frame {
            header,
            ..Frame::default()
        }
    }

    fn write(&mut self, view: View<'_>, row: usize, out: &mut Vec<u8>) -> bool {
        if !self.columns.any(view, row) {
            return false;
        }
        out.extend_from_slice(&self.before);
        for at in 0..self.columns.fields.len() {
            if at > 0 {
                out.push(self.dialect.between);
            }
            if let Some(column) = view.column(at).filter(|column| column.valid.get(row)) {
                self.cell(column, row, out);
            }
        }
        out.push(b'\n');
        true
    }
}
