//! `text`: values with tabs between them, and the other forms that `print` has had all along.

use super::{Columns, Format, STATEMENT};
use wireq_engine::View;
use wireq_engine::planted::is_planted;
use wireq_typesys::{Value, write_column_text, write_value};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::write) enum Style {
    /// Alone.
    Plain,
    /// `name = value`
    Named,
    /// `<name>value</name>`
    Tagged,
    /// `name=value`
    Boulder,
}

pub(in crate::write) struct Text {
    columns: Columns,
    style: Style,
    between: Vec<u8>,
    behind: Vec<u8>,
    /// What every row begins with: the statement.
    before: Vec<u8>,
}

impl Text {
    pub fn new(columns: Columns, style: Style, between: &[u8], behind: &[u8]) -> Text {
        let mut before = Vec::new();
        if let Some(statement) = &columns.statement {
            style.begin_value(STATEMENT, &mut before);
            write_value(&Value::text(statement), &columns.zone, &mut before);
            style.end_value(STATEMENT, &mut before);
        }
        Text {
            columns,
            style,
            between: between.to_vec(),
            behind: behind.to_vec(),
            before,
        }
    }
}

impl Style {
    fn begin_value(self, name: &str, out: &mut Vec<u8>) {
        let name = name.as_bytes();
        match self {
            Style::Plain => {}
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

/// Mostly a single byte, which takes no call.
#[inline]
fn put(bytes: &[u8], out: &mut Vec<u8>) {
    match bytes {
        [byte] => out.push(*byte),
        _ => out.extend_from_slice(bytes),
    }
}

impl Format for Text {
    #[inline]
    fn write(&mut self, view: View<'_>, row: usize, out: &mut Vec<u8>) -> bool {
        let plain = self.style == Style::Plain;
        let row_start = out.len();
        let tagged = !self.before.is_empty();
        if tagged {
            out.extend_from_slice(&self.before);
        }
        let start = out.len();
        // Where the last field that is there ends: empty columns behind it are not written.
        let mut end = start;
        let mut any = false;
        for (at, field) in self.columns.fields.iter().enumerate() {
            let Some(column) = view.column(at).filter(|column| column.valid.get(row)) else {
                // As SMACQ wrote names: a separator for each column before the first that is there.
                let leading = self.style == Style::Named && !any;
                if plain && (at > 0 || tagged) || leading {
                    put(&self.between, out);
                }
                continue;
            };
            let first = if plain { at == 0 } else { !any };
            if !first || tagged {
                put(&self.between, out);
            }
            any = true;
            if plain {
                write_column_text(column, row, &self.columns.zone, out);
            } else {
                self.style.begin_value(field.as_str(), out);
                write_column_text(column, row, &self.columns.zone, out);
                self.style.end_value(field.as_str(), out);
            }
            end = out.len();
        }
        if !is_planted("print-untrimmed") || end == start {
            out.truncate(end);
        }
        if !any && !self.columns.rows {
            out.truncate(row_start);
            return false;
        }
        put(&self.behind, out);
        true
    }
}
