//! One SELECT without `union`: rows, groups, items, order.

use super::names::Names;
use super::order::{SortKey, is_ordinal, name};
use super::tables::no_table;
use super::{Behind, Output};
use crate::ast::{Core, Expr, Item, Order};
use crate::lower::{Flow, Lowering};
use std::collections::HashSet;
use wireq_engine::plan::{Calculation, NodeId, expr};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

/// The most columns of a SELECT.
pub(super) const COLUMNS_MAX: usize = 1_000;

/// Something that is selected.
struct Column {
    name: FieldPath,
    value: expr::Expr,
}

impl Lowering<'_> {
    pub(super) fn core(&mut self, core: &Core, behind: Behind<'_>, input: Option<Flow>) -> Output {
        if self.is_too_wide(core, behind.order) {
            return Output {
                node: self.unknown(),
                columns: None,
            };
        }
        let rows = self.rows(core, input);
        self.hidden = 0;
        let mut node = rows.node;
        let stream = self.plan.stream(node).clone();
        let mut names = Names::of_rows(&rows.tables, stream, &core.items);
        if let Some((grouped, groups)) = self.grouped(core, behind.order, &mut names, node) {
            node = grouped;
            names.groups = Some(groups);
        }
        if let Some(having) = &core.having {
            let named = self.named(having, &mut names);
            let stream = self.plan.stream(node).clone();
            let test = self.test_over(&named, &stream);
            node = self.tested(test, node, having.span);
        }
        if is_all(core) && names.groups.is_none() {
            return self.all(core, behind, &mut names, node);
        }
        let before = self.faults.len();
        let columns = self.columns(core, &mut names, node);
        if self.faults.len() > before {
            // What cannot be calculated would be missed once more.
            node = self.unknown();
        }
        if columns.is_empty() {
            return Output {
                node,
                columns: None,
            };
        }
        self.selected(core, columns, behind, &mut names, node)
    }

    /// Whether there are more columns than can be.
    fn is_too_wide(&mut self, core: &Core, order: &[Order]) -> bool {
        let columns = core.items.len().max(core.keys.len()).max(order.len());
        if columns > COLUMNS_MAX {
            let message = format!("a SELECT has at most {COLUMNS_MAX} columns, keys and orders");
            let fault = Diagnostic::new("Q058", core.span, message);
            self.faults
                .push(fault.label(format!("{columns} of a kind")));
        }
        columns > COLUMNS_MAX
    }

    /// `select *`: the rows as they are.
    fn all(
        &mut self,
        core: &Core,
        behind: Behind<'_>,
        names: &mut Names<'_>,
        node: NodeId,
    ) -> Output {
        let fault = match &core.items[0] {
            Item::All(Some(table), _)
                if names.tables.all(Some(&table.text), &names.rows).is_none() =>
            {
                no_table(&core.items[0])
            }
            _ => None,
        };
        self.faults.extend(fault);
        let mut output = Output {
            node,
            columns: None,
        };
        if core.distinct {
            output = self.distinct(output, core.span);
            return self.ordered_output(output, behind, core.span);
        }
        let columns = self.plan.stream(node).summary.clone();
        let mut calculations = Vec::new();
        let mut keys = Vec::new();
        for order in behind.order {
            let key = match is_ordinal(&order.by) {
                true => self
                    .ordinal(&order.by, columns.len())
                    .map(|at| columns[at].clone()),
                false => Some(self.order_column(&order.by, names, node, &mut calculations)),
            };
            keys.extend(key.map(|key| SortKey::new(key, order)));
        }
        let node = self.computed(calculations, node, core.span);
        let node = self.sorted(&keys, node, core.span);
        let node = self.limited(behind, node, core.span);
        Output { node, ..output }
    }

    /// The column that holds a value to order by: the field that it is, else a calculated one.
    fn order_column(
        &mut self,
        by: &Expr,
        names: &mut Names<'_>,
        node: NodeId,
        calculations: &mut Vec<Calculation>,
    ) -> FieldPath {
        match self.value_at(by, names, node) {
            expr::Expr::Field(path, _) => path,
            value => {
                let column = self.hidden_column();
                calculations.push(Calculation {
                    name: column.clone(),
                    expr: value,
                });
                column
            }
        }
    }

    fn value_at(&mut self, expr: &Expr, names: &mut Names<'_>, node: NodeId) -> expr::Expr {
        let named = self.named(expr, names);
        let stream = self.plan.stream(node).clone();
        self.value_over(&named, &stream)
    }

    fn computed(&mut self, list: Vec<Calculation>, node: NodeId, span: Span) -> NodeId {
        match list.is_empty() {
            true => node,
            false => self.plan.add_compute(list, node, span),
        }
    }

    /// What is selected, with names of which no two are the same.
    fn columns(&mut self, core: &Core, names: &mut Names<'_>, node: NodeId) -> Vec<Column> {
        let mut taken = HashSet::new();
        let mut columns = Vec::with_capacity(core.items.len());
        let stream = self.plan.stream(node).clone();
        for item in &core.items {
            match item {
                Item::All(_, span) if names.groups.is_some() => {
                    let message = "`*` has fields that are neither grouped by nor in a function";
                    let fault = Diagnostic::new("Q053", *span, message);
                    self.faults
                        .push(fault.help("name the fields that are grouped by"));
                }
                Item::All(table, span) => {
                    let table = table.as_ref().map(|table| table.text.as_str());
                    let Some(fields) = names.tables.all(table, &names.rows) else {
                        self.faults.extend(no_table(item));
                        continue;
                    };
                    let field = |(path, name): (FieldPath, FieldPath)| Column {
                        name: free_name(name, &mut taken),
                        value: expr::Expr::Field(path, *span),
                    };
                    columns.extend(fields.into_iter().map(field));
                }
                Item::Value { value, alias, text } => {
                    let named = self.named(value, names);
                    let result = self.value_over(&named, &stream);
                    let name = match (alias, name(value)) {
                        (Some(alias), _) => FieldPath::new(&alias.text),
                        (None, Some(word)) => names.tables.column(&names.path(&word.text)),
                        (None, None) => FieldPath::new(text),
                    };
                    columns.push(Column {
                        name: free_name(name, &mut taken),
                        value: result,
                    });
                }
            }
        }
        columns
    }

    /// The columns and nothing else, in order.
    fn selected(
        &mut self,
        core: &Core,
        columns: Vec<Column>,
        behind: Behind<'_>,
        names: &mut Names<'_>,
        node: NodeId,
    ) -> Output {
        let mut hidden = Vec::new();
        let mut keys = Vec::with_capacity(behind.order.len());
        for order in behind.order {
            keys.extend(self.key_of_order(core, order, &columns, names, node, &mut hidden));
        }
        let shown: Vec<FieldPath> = columns.iter().map(|column| column.name.clone()).collect();
        let carried = hidden.iter().map(|c: &Calculation| c.name.clone());
        let all: Vec<FieldPath> = shown.iter().cloned().chain(carried).collect();
        let has_hidden = !hidden.is_empty();
        let node = self.computed(calculations(columns, hidden), node, core.span);
        let node = self.project(&all, node, core.span);
        let mut output = Output {
            node,
            columns: Some(shown.clone()),
        };
        if core.distinct {
            output = self.distinct(output, core.span);
        }
        let mut node = self.sorted(&keys, output.node, core.span);
        if has_hidden {
            node = self.project(&shown, node, core.span);
        }
        Output {
            node: self.limited(behind, node, core.span),
            ..output
        }
    }

    /// What rows are ordered by: one of the columns, or a value that is calculated beside them.
    fn key_of_order(
        &mut self,
        core: &Core,
        order: &Order,
        columns: &[Column],
        names: &mut Names<'_>,
        node: NodeId,
        hidden: &mut Vec<Calculation>,
    ) -> Option<SortKey> {
        if is_ordinal(&order.by) {
            let at = self.ordinal(&order.by, columns.len())?;
            return Some(SortKey::new(columns[at].name.clone(), order));
        }
        // The names of what is selected come before those of fields.
        let alias = |item: &Item| match (item, name(&order.by)) {
            (
                Item::Value {
                    alias: Some(alias), ..
                },
                Some(by),
            ) => alias.text.eq_ignore_ascii_case(&by.text),
            _ => false,
        };
        if core.items.iter().any(alias)
            && let Some(by) = name(&order.by)
        {
            let mut named = columns.iter();
            let named = named.find(|column| column.name.as_str().eq_ignore_ascii_case(&by.text));
            return named.map(|column| SortKey::new(column.name.clone(), order));
        }
        let value = self.value_at(&order.by, names, node);
        if let Some(same) = columns.iter().find(|column| column.value == value) {
            return Some(SortKey::new(same.name.clone(), order));
        }
        if core.distinct {
            let message = "distinct rows can be ordered by what is selected only";
            let fault = Diagnostic::new("Q056", order.by.span, message).label("not selected");
            self.faults.push(fault.help("select it too"));
            return None;
        }
        let column = self.hidden_column();
        hidden.push(Calculation {
            name: column.clone(),
            expr: value,
        });
        Some(SortKey::new(column, order))
    }
}

/// Whether the rows themselves are selected.
fn is_all(core: &Core) -> bool {
    matches!(core.items[..], [Item::All(None, _)])
        || matches!(core.items[..], [Item::All(Some(_), _)]) && core.tables().count() < 2
}

/// A name that no column before has.
fn free_name(name: FieldPath, taken: &mut HashSet<FieldPath>) -> FieldPath {
    let mut free = name.clone();
    let mut number = 0;
    while !taken.insert(free.clone()) {
        number += 1;
        free = FieldPath::new(&format!("{name}_{number}"));
    }
    free
}

/// What has to be calculated for columns. A field that has its name already is there.
fn calculations(columns: Vec<Column>, hidden: Vec<Calculation>) -> Vec<Calculation> {
    let there = |column: &Column| match &column.value {
        expr::Expr::Field(path, _) => *path == column.name,
        _ => false,
    };
    // What is calculated may have the name that a path of another column begins with.
    let only_fields = columns.iter().all(there);
    let needed = columns
        .into_iter()
        .filter(|column| !there(column) || !only_fields && column.name.as_str().contains('.'));
    let needed = needed.map(|column| Calculation {
        name: column.name,
        expr: column.value,
    });
    needed.chain(hidden).collect()
}
