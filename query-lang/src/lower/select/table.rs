//! What stands behind `from`: tables, and joins of several.

use crate::ast::{Core, Expr, ExprKind, Table, TableSource};
use crate::lower::expression::is_always;
use crate::lower::join::divide;
use crate::lower::{Flow, Lowering};
use std::path::Path;
use wireq_engine::plan::expr;
use wireq_engine::plan::{Join, JoinAlias, NodeId};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

use super::names::Names;
use super::tables::Tables;

/// The most tables that can be joined.
const TABLES_MAX: usize = 32;

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
        let names: Vec<FieldPath> = tables.known().map(FieldPath::new).collect();
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
            has_own_time: false,
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
