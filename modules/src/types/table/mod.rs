//! `table`: a record of a table; its columns are its fields.
//!
//! Each source has a type of its own, with the names of its columns. A column without a name is
//! called by its place, from 1. Where nothing is known of the columns before they are read (standard
//! input with a header line) any name may be one of them.
//!
//! A reader finds the cells of the columns that queries read ([`Records`]); they are read as what
//! they hold when a query first asks for the column.

mod fill;
mod number;
mod records;

pub use records::{Cell, Records};

use std::any::Any;
use std::sync::{Mutex, PoisonError};
use wireq_typesys::{Bitmap, CONVERSIONS, Column, FieldDef, Kind, Names, RecordType};

/// The most columns that can be read; those further right cannot.
pub const COLUMNS_MAX: usize = 4096;

/// The field that is the whole record as it stands in the input, without its line end.
pub const LINE: &str = "line";

/// A column that is known before anything is read.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownColumn {
    /// What queries call it.
    pub name: String,
    /// What its cells are read as; dynamic: cell by cell a number or text.
    pub kind: Kind,
}

/// The type of one source's records.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<KnownColumn>,
    /// Columns from this one on, counted from 0, have no other name than their place.
    width: usize,
    /// Whether there may be columns with other names.
    open: bool,
    /// Names beyond those of the known columns that queries asked for; fields behind the known
    /// ones, in this order.
    asked: Mutex<Vec<String>>,
}

impl Table {
    /// A table of which these columns are known; `width` is how many columns of its records are
    /// called by these names.
    pub fn new(columns: Vec<KnownColumn>, width: usize) -> Table {
        Table {
            columns,
            width,
            ..Table::default()
        }
    }

    /// A table whose header line is not known: it may have columns besides these.
    pub fn open(columns: Vec<KnownColumn>) -> Table {
        Table {
            columns,
            open: true,
            ..Table::default()
        }
    }

    /// The name of a field.
    pub fn name_of(&self, field: usize) -> String {
        match self.columns.get(field) {
            Some(column) => column.name.clone(),
            None => {
                let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                let name = asked.get(field - self.columns.len());
                name.cloned().unwrap_or_default()
            }
        }
    }

    /// What the cells of a field are read as.
    pub fn kind_of(&self, field: usize) -> Kind {
        match self.columns.get(field) {
            Some(column) => column.kind,
            None if self.name_of(field) == LINE => Kind::Text,
            None => Kind::Dynamic,
        }
    }

    /// Whether a header line that was not known has to have a name, since a query asked for it.
    pub fn is_expected(&self, name: &str) -> bool {
        self.open && place(name).is_none()
    }

    /// Whether there may be a field of this name though no column is known by it.
    fn may_have(&self, name: &str) -> bool {
        let converts = || {
            let last = name.rsplit('.').next().unwrap_or(name);
            last.len() < name.len() && CONVERSIONS.iter().any(|c| c.name == last)
        };
        name == LINE
            || place(name).is_some_and(|column| column >= self.width)
            || self.open && !converts()
    }

    /// The number of a field that no column is known by.
    fn ask(&self, name: &str) -> usize {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            asked.push(name.to_owned());
            asked.len() - 1
        });
        self.columns.len() + at
    }
}

/// The column, from 0, that a name stands for by its place.
pub fn place(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit()) && !name.starts_with('0');
    let column: usize = name.parse().ok().filter(|_| digits)?;
    (1..=COLUMNS_MAX).contains(&column).then(|| column - 1)
}

impl RecordType for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn summary(&self) -> &'static str {
        "A record of a table with its columns."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &[]
    }

    fn open(&self) -> bool {
        self.open
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        if let Some(records) = rows.downcast_ref::<Records>() {
            fill::fill(records, field, self.kind_of(field), selection, column);
        }
    }

    fn resolve(&self, name: &str) -> Option<(usize, Kind)> {
        let known = self.columns.iter().position(|column| column.name == name);
        let field = known.or_else(|| self.may_have(name).then(|| self.ask(name)))?;
        Some((field, self.kind_of(field)))
    }

    fn more_names(&self) -> Vec<String> {
        if self.columns.is_empty() {
            return vec![LINE.to_owned()];
        }
        let names = self.columns.iter().map(|column| column.name.clone());
        names.collect()
    }

    fn names_of_numbers(&self) -> Vec<&'static Names> {
        let columns = self.columns.iter();
        columns.filter_map(|column| column.kind.names()).collect()
    }
}
