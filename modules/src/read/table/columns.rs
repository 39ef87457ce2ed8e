//! Columns: those that arguments name, and those that files begin with.

use super::files::{Files, Plan};
use super::grammar::Grammar;
use super::header::{self, Names, Peek};
use crate::types::packet::IP_PROTOCOLS;
use crate::types::table::{COLUMNS_MAX, KnownColumn, Table, place};
use std::collections::HashSet;
use std::sync::Arc;
use wireq_engine::SourceSpec;
use wireq_engine::arguments::{ArgumentError, Word};
use wireq_engine::diagnostic::suggest;
use wireq_typesys::Kind;

/// What cells can be read as; after the first names, those that SMACQ had.
static KINDS: &[(Kind, &[&str])] = &[
    (Kind::Dynamic, &["any"]),
    (Kind::Bool, &["bool"]),
    (Kind::Signed, &["signed", "int", "int64"]),
    (
        Kind::Unsigned,
        &[
            "unsigned", "ubyte", "ushort", "nushort", "uint32", "nuint32", "uint64",
        ],
    ),
    (Kind::Double, &["double"]),
    (Kind::Time, &["time", "ntime", "timeval", "timespec"]),
    (Kind::Duration, &["duration"]),
    (Kind::Address, &["address", "ip"]),
    (Kind::Prefix, &["prefix"]),
    (Kind::Mac, &["mac", "macaddr"]),
    (Kind::Bytes, &["bytes"]),
    (Kind::Text, &["text", "string"]),
    (Kind::Named(&IP_PROTOCOLS), &["ip-protocol", "ipproto"]),
];

/// Files that are to be read, and how.
pub(super) struct Input<'a> {
    pub(super) module: &'static str,
    pub(super) paths: Vec<String>,
    pub(super) grammar: Grammar,
    /// Whether files begin with a header line.
    pub(super) header: bool,
    /// `NAME` or `NAME:KIND`, for the columns from the left.
    pub(super) names: Vec<&'a Word>,
    /// `NAME:KIND`, for columns that have their names from elsewhere.
    pub(super) types: Vec<&'a Word>,
}

impl Input<'_> {
    /// The source over the files. Where they begin with a header line, it is read now, so that
    /// wrong names are told before anything runs.
    pub(super) fn source(mut self) -> Result<SourceSpec, ArgumentError> {
        if self.paths.is_empty() {
            self.paths.push("-".to_owned());
        }
        let declared = self.declared(&self.names)?;
        let (table, names) = if !declared.is_empty() {
            table_of_names(declared)
        } else if self.header {
            (self.table_of_headers()?, Names::new())
        } else {
            (self.table_of_places()?, Names::new())
        };
        let table = Arc::new(table);
        let plan = Arc::new(Plan {
            paths: self.paths,
            grammar: self.grammar,
            header: self.header,
            names,
            table: Arc::clone(&table),
        });
        Ok(SourceSpec {
            record_type: table,
            time_ordered: false,
            live: None,
            prefilter: None,
            open: Arc::new(move || Ok(Box::new(Files::new(&plan)))),
        })
    }

    /// The columns that words name, each once.
    fn declared(&self, words: &[&Word]) -> Result<Vec<KnownColumn>, ArgumentError> {
        let mut declared: Vec<KnownColumn> = Vec::new();
        for word in words {
            let column = self.column(word)?;
            if declared.iter().any(|known| known.name == column.name) {
                let message = format!("names a second column `{}`", column.name);
                return Err(ArgumentError::at(self.module, word, message));
            }
            declared.push(column);
        }
        Ok(declared)
    }

    fn column(&self, word: &Word) -> Result<KnownColumn, ArgumentError> {
        let (name, kind) = match word.text.rsplit_once(':') {
            Some((name, kind)) => (name, self.kind(word, kind)?),
            None => (word.text.as_str(), Kind::Dynamic),
        };
        if name.is_empty() {
            return Err(ArgumentError::at(
                self.module,
                word,
                "has no name before the colon",
            ));
        }
        Ok(KnownColumn {
            name: name.to_owned(),
            kind,
        })
    }

    fn kind(&self, word: &Word, name: &str) -> Result<Kind, ArgumentError> {
        let known = KINDS.iter().find(|(_, names)| names.contains(&name));
        known.map(|(kind, _)| *kind).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|(_, names)| names[0]).collect();
            let help = match suggest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("behind the last colon stands one of: {}", names.join(", ")),
            };
            ArgumentError {
                help: Some(help),
                ..ArgumentError::at(self.module, word, format!("has no kind `{name}`"))
            }
        })
    }

    /// The table of files of which nothing names the columns. The first line says how many there
    /// are at least.
    fn table_of_places(&self) -> Result<Table, ArgumentError> {
        let peeked = self
            .paths
            .iter()
            .map(|path| header::peek(path, self.grammar));
        let cells = peeked.filter_map(|peek| match peek {
            Peek::Cells(cells) => Some(cells),
            _ => None,
        });
        let width = { cells }.next().map_or(0, |cells| cells.len());
        let mut columns = union(&[vec![None; width]]);
        self.set_types(&mut columns, |name| place(name).is_some())?;
        Ok(Table::new(columns, width))
    }

    /// The table of files with header lines.
    fn table_of_headers(&self) -> Result<Table, ArgumentError> {
        let mut headers: Vec<Names> = Vec::new();
        let mut open = false;
        for path in &self.paths {
            match header::peek(path, self.grammar) {
                Peek::Cells(cells) => headers.push(header::names(&cells)),
                Peek::Nothing => {}
                Peek::Later => open = true,
            }
        }
        open |= headers.is_empty();
        let mut columns = union(&headers);
        self.set_types(&mut columns, |_| open)?;
        Ok(if open {
            Table::open(columns)
        } else {
            Table::new(columns, headers.first().map_or(0, Vec::len))
        })
    }

    /// Says what columns hold; of those not known, columns that there `may_be`.
    fn set_types(
        &self,
        columns: &mut Vec<KnownColumn>,
        may_be: impl Fn(&str) -> bool,
    ) -> Result<(), ArgumentError> {
        for (declared, word) in self.declared(&self.types)?.into_iter().zip(&self.types) {
            match columns
                .iter_mut()
                .find(|column| column.name == declared.name)
            {
                Some(column) => column.kind = declared.kind,
                None if may_be(&declared.name) => columns.push(declared),
                None => return Err(self.no_column(word, &declared, columns)),
            }
        }
        Ok(())
    }

    fn no_column(
        &self,
        word: &Word,
        declared: &KnownColumn,
        columns: &[KnownColumn],
    ) -> ArgumentError {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let help = match suggest(&declared.name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has: {}", names.join(", ")),
        };
        ArgumentError {
            help: Some(help),
            ..ArgumentError::at(self.module, word, "names no column of the table")
        }
    }
}

/// The table of files whose columns arguments name.
fn table_of_names(columns: Vec<KnownColumn>) -> (Table, Names) {
    let names: Names = columns
        .iter()
        .map(|column| Some(column.name.clone()))
        .collect();
    (Table::new(columns, names.len()), names)
}

/// The columns of several files, each once; one without a name is called by its place.
fn union(headers: &[Names]) -> Vec<KnownColumn> {
    let mut columns: Vec<KnownColumn> = Vec::new();
    let mut met = HashSet::new();
    let named: HashSet<&str> = headers
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    for names in headers {
        for (at, name) in names.iter().enumerate() {
            let place = (at + 1).to_string();
            let name = match name {
                Some(name) => name.clone(),
                None if named.contains(place.as_str()) => continue,
                None => place,
            };
            if columns.len() < COLUMNS_MAX && met.insert(name.clone()) {
                columns.push(KnownColumn {
                    name,
                    kind: Kind::Dynamic,
                });
            }
        }
    }
    columns
}
