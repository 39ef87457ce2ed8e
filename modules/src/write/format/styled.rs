//! The other forms of text that `print` has had all along: values with their names.

use super::{Columns, Format, STATEMENT};
use wireq_engine::View;
use wireq_engine::schedule::output::TextRows;
use wireq_typesys::{Value, write_column_text, write_value};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::write) enum Style {
    /// `name = value`
    Named,
    /// `<name>value</name>`
    Tagged,
    /// `name=value`
    Boulder,
}

pub(in crate::write) struct Styled {
    columns: Columns,
    style: Style,
    between: Vec<u8>,
    behind: Vec<u8>,
    /// What every row begins with: the statement.
    before: Vec<u8>,
}

impl Styled {
    pub fn new(columns: Columns, style: Style, between: &[u8], behind: &[u8]) -> Styled {
        let mut before = Vec::new();
        if let Some(statement) = &columns.statement {
            style.begin_value(STATEMENT, &mut before);
            write_value(&Value::text(statement), &columns.zone, &mut before);
            style.end_value(STATEMENT, &mut before);
        }
        Styled {
            columns,
            style,
            between: between.to_vec(),
            behind: behind.to_vec(),
            before,
        }
    }

    fn write_row(&self, view: View<'_>, row: usize, out: &mut Vec<u8>) {
        let tagged = !self.before.is_empty();
        out.extend_from_slice(&self.before);
        // Where the last field that is there ends: empty columns behind it are not written.
        let mut end = out.len();
        let mut any = false;
        for (at, field) in self.columns.fields.iter().enumerate() {
            let Some(column) = view.column(at).filter(|column| column.valid.get(row)) else {
                // As SMACQ wrote names: a separator for each column before the first that is there.
                if self.style == Style::Named && !any {
                    out.extend_from_slice(&self.between);
                }
                continue;
            };
            if any || tagged {
                out.extend_from_slice(&self.between);
            }
            any = true;
            self.style.begin_value(field.as_str(), out);
            write_column_text(column, row, &self.columns.zone, out);
            self.style.end_value(field.as_str(), out);
            end = out.len();
        }
        out.truncate(end);
        out.extend_from_slice(&self.behind);
    }
}

impl Style {
    fn begin_value(self, name: &str, out: &mut Vec<u8>) {
        let name = name.as_bytes();
        match self {
            Style::Named => out.extend_from_slice(&[name, b" = "].concat()),
            Style::Tagged => out.extend_from_slice(&[b"<", name, b">"].concat()),
            Style::Boulder => out.extend_from_slice(&[name, b"="].concat()),
        }
    }

    fn end_value(self, name: &str, out: &mut Vec<u8>) {
        if self == Style::Tagged {
            out.extend_from_slice(&[b"</", name.as_bytes(), b">"].concat());
        }
    }
}

impl Format for Styled {
    fn write(&mut self, view: View<'_>, text: &mut TextRows) {
        self.columns.rows(view).for_each(|row| {
            self.write_row(view, row, text.bytes());
            text.end_row_of(view.part, row);
        });
    }
}
