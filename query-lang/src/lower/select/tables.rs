//! The names of the tables of a SELECT, and what names of fields stand for beside them.

use crate::ast;
use wireq_engine::Diagnostic;
use wireq_engine::plan::stream::Stream;
use wireq_typesys::FieldPath;

/// The names of the tables of a SELECT.
#[derive(Default)]
pub(super) struct Tables {
    /// None where a table has no name; no names at all where a fault left nothing known of them.
    pub names: Vec<Option<String>>,
}

impl Tables {
    /// Whether rows are objects with the fields of several tables.
    fn are_joined(&self) -> bool {
        self.names.len() > 1
    }

    /// Gives names to queries among several tables that have none.
    pub fn name_queries(&mut self) {
        if self.are_joined() {
            let unnamed = self.names.iter_mut().filter(|name| name.is_none());
            for (number, name) in (1..).zip(unnamed) {
                *name = Some(match number {
                    1 => "unnamed_subquery".to_owned(),
                    number => format!("unnamed_subquery{number}"),
                });
            }
        }
    }

    /// The names that tables have.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| name.as_deref())
    }

    /// The paths that a name can stand for, each with whether there is such a field for certain.
    pub fn paths(&self, name: &str, rows: &Stream) -> Vec<(FieldPath, bool)> {
        if !self.are_joined() {
            return path_in(name, rows)
                .or_else(|| path_in(self.below_table(name)?, rows))
                .into_iter()
                .collect();
        }
        if let Some(path) = self.qualified(name) {
            let found = path_in(path.as_str(), rows);
            return found.into_iter().collect();
        }
        let tables = self.known().map(FieldPath::new);
        let found: Vec<_> = tables
            .filter_map(|table| {
                let (path, certain) = path_in(name, &rows.carried(&table)?)?;
                Some((table.join(path.as_str()), certain))
            })
            .collect();
        match found.iter().any(|(_, certain)| *certain) {
            true => found.into_iter().filter(|(_, certain)| *certain).collect(),
            false => found,
        }
    }

    /// The path that a name stands for that no table has.
    pub fn path(&self, name: &str, rows: &Stream) -> FieldPath {
        match self.are_joined() {
            true => self.qualified(name).unwrap_or_else(|| FieldPath::new(name)),
            false => {
                let below = self.below_table(name);
                let known = below.filter(|below| rows.kind(&FieldPath::new(below)).is_none());
                FieldPath::new(known.unwrap_or(name))
            }
        }
    }

    /// What stands behind the name of the only table.
    fn below_table<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (table, below) = name.split_once('.')?;
        let mut names = self.known();
        names
            .any(|known| known.eq_ignore_ascii_case(table))
            .then_some(below)
    }

    /// A name that begins with that of a table, with the name of the table as it is written there.
    fn qualified(&self, name: &str) -> Option<FieldPath> {
        let (table, below) = name.split_once('.')?;
        let mut names = self.known();
        let known = names.find(|known| known.eq_ignore_ascii_case(table))?;
        Some(FieldPath::new(known).join(below))
    }

    /// The columns that `*` or `TABLE.*` stands for, with their names; none where there is no such
    /// table.
    pub fn all(&self, table: Option<&str>, rows: &Stream) -> Option<Vec<(FieldPath, FieldPath)>> {
        let is = |name: &&str| table.is_none_or(|table| name.eq_ignore_ascii_case(table));
        if !self.are_joined() {
            let known =
                table.is_none() || self.names.is_empty() || self.known().any(|name| is(&name));
            let columns = rows.summary.iter().map(|path| (path.clone(), path.clone()));
            return known.then(|| columns.collect());
        }
        let mut columns = Vec::new();
        for name in self.known().filter(is) {
            let name = FieldPath::new(name);
            let summary = rows.carried(&name).unwrap_or_default().summary;
            columns.extend(
                summary
                    .into_iter()
                    .map(|path| (name.join(path.as_str()), path)),
            );
        }
        (!columns.is_empty()).then_some(columns)
    }

    /// The name of the column of a path: without the name of its table.
    pub fn column(&self, path: &FieldPath) -> FieldPath {
        let table = path.as_str().split_once('.').filter(|_| self.are_joined());
        table.map_or_else(|| path.clone(), |(_, below)| FieldPath::new(below))
    }
}

/// The path of a field that rows have, also where the case of letters is another, and whether they
/// have it for certain.
fn path_in(name: &str, rows: &Stream) -> Option<(FieldPath, bool)> {
    let path = FieldPath::new(name);
    if is_declared(&path, rows) {
        return Some((path, true));
    }
    let known = rows.names();
    let mut same = known
        .iter()
        .filter(|known| known.eq_ignore_ascii_case(name));
    match (same.next(), same.next()) {
        (Some(only), None) => Some((FieldPath::new(only), true)),
        _ => rows.kind(&path).map(|_| (path, false)),
    }
}

/// Whether rows are known to have a field, and not only may have any.
fn is_declared(path: &FieldPath, rows: &Stream) -> bool {
    if !rows.types.iter().any(|t| t.open()) {
        return rows.kind(path).is_some();
    }
    path.readings().any(|(name, _)| {
        rows.given.iter().any(|(given, _)| given.as_str() == name)
            || rows.types.iter().any(|t| t.resolve(name).is_some())
    })
}

/// The fault of a table that there is not.
pub(super) fn no_table(table: &ast::Item) -> Option<Diagnostic> {
    let ast::Item::All(Some(table), span) = table else {
        return None;
    };
    let message = format!("there is no table `{}`", table.text);
    Some(Diagnostic::new("Q054", *span, message).label("unknown table"))
}
