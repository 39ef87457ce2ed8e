//! `text`: values with tabs between them.

use super::lines::{Form, Lines};
use super::{Columns, Format};
use wireq_engine::View;
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::TextRows;
use wireq_typesys::{Value, write_column_text, write_value};

pub(in crate::write) struct Text {
    columns: Columns,
    lines: Lines,
}

impl Text {
    pub fn new(columns: Columns, between: &[u8], behind: &[u8]) -> Text {
        let mut before = Vec::new();
        if let Some(statement) = &columns.statement {
            write_value(&Value::text(statement), &columns.zone, &mut before);
        }
        let mut fields = vec![Some(Vec::new()); columns.fields.len()];
        if let (Some(_), Some(first)) = (&columns.statement, fields.first_mut()) {
            *first = Some(between.to_vec());
        }
        let form = Form {
            begin: &before,
            before: fields,
            between,
            missing: Some(b""),
            quotes: false,
            end: behind,
            trim: !is_planted("print-untrimmed"),
        };
        Text {
            lines: Lines::new(form),
            columns,
        }
    }
}

impl Format for Text {
    fn write(&mut self, view: View<'_>, text: &mut TextRows) {
        let zone = &self.columns.zone;
        self.lines
            .write(&self.columns, view, text, |column, row, out| {
                write_column_text(column, row, zone, out);
            });
    }
}
