//! `order by`, `limit` and `offset`.

use super::{Behind, Output};
use crate::ast::{Expr, ExprKind, Order};
use crate::lower::Lowering;
use wireq_engine::arguments::Word;
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

/// What rows are ordered by.
pub(super) struct SortKey {
    pub column: FieldPath,
    descending: bool,
    nulls_first: bool,
}

impl SortKey {
    pub fn new(column: FieldPath, order: &Order) -> SortKey {
        SortKey {
            column,
            descending: order.descending,
            nulls_first: order.nulls_first,
        }
    }

    fn name(&self) -> &'static str {
        match (self.descending, self.nulls_first) {
            (false, true) => "asc-first",
            (false, false) => "asc-last",
            (true, true) => "desc-first",
            (true, false) => "desc-last",
        }
    }
}

impl Lowering<'_> {
    /// The rows in order; those that columns don't tell apart as they come.
    pub(super) fn sorted(&mut self, keys: &[SortKey], input: NodeId, span: Span) -> NodeId {
        if keys.is_empty() {
            return input;
        }
        let orders: Vec<&str> = keys.iter().map(SortKey::name).collect();
        let fields: Vec<FieldPath> = keys.iter().map(|key| key.column.clone()).collect();
        let flags = ["--order", &orders.join(":")];
        self.stage_of("sort", &flags, &fields, input, span)
    }

    /// The rows that `offset` and `limit` leave.
    pub(super) fn limited(&mut self, behind: Behind<'_>, input: NodeId, span: Span) -> NodeId {
        let mut node = input;
        for (module, count) in [("skip", behind.offset), ("head", behind.limit)] {
            let Some(count) = count else { continue };
            if count.text.bytes().all(|b| b.is_ascii_digit()) {
                node = self.stage_of(module, &[&count.text], &[], node, span);
            } else {
                let message = format!("`{}` is no number of rows", count.text);
                self.faults
                    .push(Diagnostic::new("Q056", count.span, message));
            }
        }
        node
    }

    /// The number of a column that a number alone stands for, from 0; a fault where there is none.
    pub(super) fn ordinal(&mut self, expr: &Expr, columns: usize) -> Option<usize> {
        let number = number(expr)?;
        let found = number.checked_sub(1).filter(|at| *at < columns);
        if found.is_none() {
            let message = format!("there is no column {number}");
            let fault = Diagnostic::new("Q056", expr.span, message).label("a column's number");
            self.faults
                .push(fault.help(format!("columns have the numbers 1 to {columns}")));
        }
        found
    }

    /// The rows of an output in order, its columns being all that there is to order by.
    pub(super) fn ordered_output(
        &mut self,
        output: Output,
        behind: Behind<'_>,
        span: Span,
    ) -> Output {
        let columns = output.columns.clone().unwrap_or_default();
        let mut keys = Vec::with_capacity(behind.order.len());
        for order in behind.order {
            keys.extend(self.output_key(order, &columns));
        }
        let node = self.sorted(&keys, output.node, span);
        Output {
            node: self.limited(behind, node, span),
            ..output
        }
    }

    fn output_key(&mut self, order: &Order, columns: &[FieldPath]) -> Option<SortKey> {
        if is_ordinal(&order.by) {
            let at = self.ordinal(&order.by, columns.len())?;
            return Some(SortKey::new(columns[at].clone(), order));
        }
        let named = name(&order.by).and_then(|name| column(&name.text, columns));
        if named.is_none() {
            let message = "these rows can be ordered by their columns only";
            let fault = Diagnostic::new("Q056", order.by.span, message).label("no column");
            let names: Vec<&str> = columns.iter().map(FieldPath::as_str).collect();
            self.faults
                .push(fault.help(format!("the columns are: {}", names.join(", "))));
        }
        Some(SortKey::new(named?, order))
    }
}

/// The column of a name, in any case.
fn column(name: &str, columns: &[FieldPath]) -> Option<FieldPath> {
    let mut columns = columns.iter();
    let found = columns.find(|column| column.as_str().eq_ignore_ascii_case(name));
    found.cloned()
}

/// The word that is all of an expression.
pub(super) fn name(expr: &Expr) -> Option<&Word> {
    match &expr.kind {
        ExprKind::Word(word) if !word.quoted => Some(word),
        ExprKind::Field(word) => Some(word),
        _ => None,
    }
}

/// Whether an expression is a number and nothing else.
pub(super) fn is_ordinal(expr: &Expr) -> bool {
    number(expr).is_some()
}

fn number(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Word(word) if !word.quoted => word.text.parse().ok(),
        _ => None,
    }
}
