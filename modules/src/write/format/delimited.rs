//! What `csv` and `tsv` share: lines of columns with a sign between them, below a header.

use super::lines::{Form, Lines};
use super::{Columns, Format};
use wireq_engine::View;
use wireq_engine::schedule::output::{Frame, TextRows};
use wireq_typesys::{Column, Data, Value, Zone, write_column_text};

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
    lines: Lines,
}

impl Delimited {
    pub fn new(columns: Columns, dialect: Dialect) -> Delimited {
        let mut before = Vec::new();
        if let Some(statement) = &columns.statement {
            (dialect.text)(statement.as_bytes(), &mut before);
            before.push(dialect.between);
        }
        let form = Form {
            begin: &before,
            before: vec![Some(Vec::new()); columns.fields.len()],
            between: &[dialect.between],
            missing: Some(b""),
            quotes: false,
            end: b"\n",
            trim: false,
        };
        Delimited {
            lines: Lines::new(form),
            columns,
            dialect,
        }
    }
}

impl Dialect {
    fn cell(&self, column: &Column, row: usize, zone: &Zone, out: &mut Vec<u8>) {
        match &column.data {
            Data::Text(texts) => return (self.text)(texts.get(row), out),
            Data::Dynamic(values) => {
                if let Value::Text(text) = &values[row] {
                    return (self.text)(text, out);
                }
            }
            _ => {}
        }
        let start = out.len();
        write_column_text(column, row, zone, out);
        (self.quote)(start, out);
    }
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

    fn write(&mut self, view: View<'_>, text: &mut TextRows) {
        let (dialect, zone) = (&self.dialect, &self.columns.zone);
        self.lines
            .write(&self.columns, view, text, |column, row, out| {
                dialect.cell(column, row, zone, out);
            });
    }
}
