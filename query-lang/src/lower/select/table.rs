//! What stands behind `from`: tables, and joins of several.

use crate::ast::{self, Core, Expr, ExprKind, Table, TableSource};
use crate::lower::expression::is_always;
use crate::lower::join::divide;
use crate::lower::{Flow, Lowering};
use std::path::Path;
use wireq_engine::plan::expr;
use wireq_engine::plan::stream::Stream;
use wireq_engine::plan::{Join, JoinAlias, NodeId};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

use super::names::Names;

/// The most tables that can be joined.
const TABLES_MAX: usize = 32;

/// The names of the tables of a SELECT.
#[derive(Default)]
pub(super) struct Tables {
    /// None where a table has no name; no names at all where a fault left nothing known of them.
    names: Vec<Option<String>>,
}

impl Tables {
    /// Whether rows are objects with the fields of several tables.
    fn are_joined(&self) -> bool {
        self.names.len() > 1
    }

    /// Gives names to queries among several tables that have none.
    fn name_queries(&mut self) {
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

    /// The names that the tables have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
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
        let tables = self.names().map(FieldPath::new);
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
        let mut names = self.names();
        names
            .any(|known| known.eq_ignore_ascii_case(table))
            .then_some(below)
    }

    /// A name that begins with that of a table, with the name of the table as it is written there.
    fn qualified(&self, name: &str) -> Option<FieldPath> {
        let (table, below) = name.split_once('.')?;
        let mut names = self.names();
        let known = names.find(|known| known.eq_ignore_ascii_case(table))?;
        Some(FieldPath::new(known).join(below))
    }

    /// The columns that `*` or `TABLE.*` stands for, with their names; none where there is no such
    /// table.
    pub fn all(&self, table: Option<&str>, rows: &Stream) -> Option<Vec<(FieldPath, FieldPath)>> {
        let is = |name: &&str| table.is_none_or(|table| name.eq_ignore_ascii_case(table));
        if !self.are_joined() {
            let known =
                table.is_none() || self.names.is_empty() || self.names().any(|name| is(&name));
            let columns = rows.summary.iter().map(|path| (path.clone(), path.clone()));
            return known.then(|| columns.collect());
        }
        let mut columns = Vec::new();
        for name in self.names().filter(is) {
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

/// The rows of the tables of a SELECT.
pub(super) struct Rows {
    pub tables: Tables,
    pub node: NodeId,
}

impl Lowering<'_> {
    /// The rows that a SELECT is about: those of its tables for which its condition holds.
    pub(super) fn rows(&mut self, core: &Core, input: Option<Flow>) -> Rows {
        let mut nodes = Vec::new();
        let mut tables = Tables::default();
        for table in core.tables() {
            nodes.push(self.table(table));
            tables.names.push(table_name(table));
        }
        tables.name_queries();
        match nodes[..] {
            [] => {
                let node = match (input, &self.options.files) {
                    (Some(input), _) => input.node,
                    (None, None) => self.one_row(core.span),
                    (None, Some(_)) => self.files(core.span).node,
                };
                tables.names.push(None);
                self.filtered(core, tables, node)
            }
            [only] => self.filtered(core, tables, only),
            _ => self.joined(core, tables, &nodes),
        }
    }

    fn filtered(&mut self, core: &Core, tables: Tables, node: NodeId) -> Rows {
        let node = match &core.condition {
            None => node,
            Some(condition) => {
                let rows = self.plan.stream(node).clone();
                let mut names = Names::of_rows(&tables, rows, &core.items);
                let named = self.named(condition, &mut names);
                let test = self.test_over(&named, &names.rows);
                self.tested(test, node, condition.span)
            }
        };
        Rows { tables, node }
    }

    /// The rows for which a test is known and true.
    pub(super) fn tested(&mut self, test: expr::Expr, input: NodeId, span: Span) -> NodeId {
        match is_always(&test) {
            true => input,
            false => self.plan.add_filter(test, input, span),
        }
    }

    /// The rows of several tables for which all conditions hold.
    fn joined(&mut self, core: &Core, tables: Tables, nodes: &[NodeId]) -> Rows {
        let span = core.from.as_ref().map_or(core.span, |from| from.span);
        if !self.can_join(core, &tables, nodes.len()) {
            let node = self.unknown();
            return Rows {
                tables: Tables::default(),
                node,
            };
        }
        let names: Vec<FieldPath> = tables.names().map(FieldPath::new).collect();
        let rows = self.plan.joined(names.iter(), nodes);
        let on = core.from.iter().flat_map(|from| &from.joined);
        let conditions = on.filter_map(|(_, on)| on.as_ref());
        let mut tests = Vec::new();
        let mut scope = Names::of_rows(&tables, rows, &core.items);
        for condition in conditions.chain(core.condition.as_deref()) {
            for part in parts(condition) {
                let named = self.named(part, &mut scope);
                tests.push(self.test_over(&named, &scope.rows));
            }
        }
        let alias = |name: FieldPath| JoinAlias {
            name,
            own: Vec::new(),
            until: None,
            max: None,
        };
        let mut aliases: Vec<JoinAlias> = names.into_iter().map(alias).collect();
        tests.retain(|test| !is_always(test));
        let tests = (!tests.is_empty()).then_some(expr::Expr::And(tests));
        let condition = divide(tests, &mut aliases);
        let join = Join { aliases, condition };
        let node = self.plan.add_join(join, nodes, span);
        Rows { tables, node }
    }

    /// Checks that tables have names that tell them apart.
    fn can_join(&mut self, core: &Core, tables: &Tables, count: usize) -> bool {
        let before = self.faults.len();
        if self.groups.is_some() {
            let fault = Diagnostic::new(
                "Q039",
                core.span,
                "a join has its own sources, and no groups",
            );
            self.faults.push(fault);
        }
        if count > TABLES_MAX {
            let message = format!("at most {TABLES_MAX} tables can be joined");
            self.faults
                .push(Diagnostic::new("Q052", core.span, message));
        }
        for (at, table) in core.tables().enumerate() {
            let span = table.alias.as_ref().map_or(table.span, |alias| alias.span);
            let fault = match &tables.names[at] {
                None => continue,
                Some(name) if name == "new" || name.contains('.') => {
                    Diagnostic::new("Q052", span, format!("a table cannot be called `{name}`"))
                }
                Some(name) if tables.names[..at].contains(&Some(name.clone())) => {
                    Diagnostic::new("Q052", span, format!("two tables are called `{name}`"))
                }
                Some(_) => continue,
            };
            self.faults
                .push(fault.help("give it a name behind it: `from 'x.csv' a, 'x.csv' b`"));
        }
        self.faults.len() == before
    }

    /// The rows of one table.
    fn table(&mut self, table: &Table) -> NodeId {
        match &table.source {
            TableSource::File(file) => self.file(file, table.span),
            TableSource::Query(select) => self.select_output(select, None).node,
            TableSource::Call(call) => match self.definition(call) {
                Some(known) => self.definition_stage(&known, call, None, None).node,
                None => self.source(call, table.span),
            },
        }
    }
}

/// The name that the rows of a table have: that behind it, else that of what they come from.
fn table_name(table: &Table) -> Option<String> {
    if let Some(alias) = &table.alias {
        return Some(alias.text.clone());
    }
    match &table.source {
        TableSource::Query(_) => None,
        TableSource::Call(call) => Some(call.name.text.clone()),
        TableSource::File(file) => {
            let name = Path::new(&file.text).file_name()?.to_str()?;
            Some(name.split('.').next().unwrap_or(name).to_owned())
        }
    }
}

/// The parts of a condition that all have to hold.
fn parts(condition: &Expr) -> &[Expr] {
    match &condition.kind {
        ExprKind::And(parts) => parts,
        _ => std::slice::from_ref(condition),
    }
}

/// The fault of a table that there is not.
pub(super) fn no_table(table: &ast::Item) -> Option<Diagnostic> {
    let ast::Item::All(Some(table), span) = table else {
        return None;
    };
    let message = format!("there is no table `{}`", table.text);
    Some(Diagnostic::new("Q054", *span, message).label("unknown table"))
}
