//! The formats in which objects are written: one format a file.
//!
//! | format | a row is | what is absent is |
//! |---|---|---|
//! | `text` | a line, tabs between values | an empty column, at the end nothing |
//! | `table` | a line of aligned columns below a header | blank |
//! | `csv` | a record (RFC 4180) below a header | empty; empty text is `""` |
//! | `tsv` | a line, tabs between values, below a header | empty |
//! | `json` | an object in one array | left out; null where the query names the field |
//! | `jsonl` | an object, one a line | as in `json` |
//!
//! Values have the text form of `typesys` wherever the format has none of its own. Bytes that
//! could not be shown or are no UTF-8 are written so that they can be read back.

mod characters;
mod csv;
mod delimited;
mod json;
mod lines;
mod styled;
mod table;
mod text;
mod tsv;

use delimited::Delimited;
use std::sync::Arc;
use wireq_engine::schedule::output::{Frame, TextRows};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Error, View};
use wireq_typesys::{Bitmap, FieldPath, Kind, Zone};

pub(super) use styled::{Style, Styled};
pub(super) use text::Text;

/// Writes objects.
pub(super) trait Format: Send {
    /// What stands around the rows.
    fn frame(&self) -> Frame {
        Frame::default()
    }

    /// Looks at rows that are to be written, and gives what stands around them where that follows
    /// from the first of them.
    fn look(&mut self, _views: &[View<'_>]) -> Option<Frame> {
        None
    }

    /// Writes objects, each as a row of text; none for those that have none of the fields, unless
    /// every object is a row.
    fn write(&mut self, view: View<'_>, text: &mut TextRows);

    /// Writes what is kept from row to row.
    fn save(&self, _out: &mut Writer) {}

    /// Reads it back.
    fn load(&mut self, _from: &mut Reader<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// What is written of each object.
pub(super) struct Columns {
    pub fields: Vec<FieldPath>,
    pub kinds: Vec<Kind>,
    /// The value of a first column, which tells statements apart.
    pub statement: Option<String>,
    /// Whether the query names the fields.
    pub named: bool,
    /// Whether objects are written that have none of the fields.
    pub rows: bool,
    pub zone: Arc<Zone>,
}

/// The name of the column that tells statements apart.
const STATEMENT: &str = "statement";

impl Columns {
    /// The names of all columns.
    fn names(&self) -> impl Iterator<Item = &str> {
        let first = self.statement.as_ref().map(|_| STATEMENT);
        first
            .into_iter()
            .chain(self.fields.iter().map(FieldPath::as_str))
    }

    /// The objects that are to be written: those that have any of the fields, or need not have one.
    fn rows(&self, view: View<'_>) -> Bitmap {
        let selection = view.part.selection;
        if self.rows {
            return selection;
        }
        let columns = (0..self.fields.len()).filter_map(|at| view.column(at));
        let any = columns.fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
        selection.and(&any)
    }
}

/// How tables are drawn.
#[derive(Clone, Copy, Default)]
pub(super) struct Layout {
    /// The most characters of a line.
    pub width: Option<usize>,
    /// Whether the header is bold.
    pub bold: bool,
}

/// The names of the formats.
pub(super) const NAMES: [&str; 6] = ["text", "table", "csv", "tsv", "json", "jsonl"];

/// The format of a name, plain text where there is none of that name.
pub(super) fn format(name: &str, columns: Columns, layout: Layout) -> Box<dyn Format> {
    match name {
        "table" => Box::new(table::Table::new(columns, layout)),
        "csv" => Box::new(Delimited::new(columns, csv::CSV)),
        "tsv" => Box::new(Delimited::new(columns, tsv::TSV)),
        "json" => Box::new(json::Json::list(columns)),
        "jsonl" => Box::new(json::Json::lines(columns)),
        _ => Box::new(Text::new(columns, b"\t", b"\n")),
    }
}
