//! `group by` and the aggregate functions of a SELECT: one aggregate over what they calculate.

use super::names::Names;
use super::order::is_ordinal;
use super::word_of;
use crate::ast::{Core, Expr, ExprKind, Item, Order, ScalarCall};
use crate::lower::{Lowering, bare};
use std::collections::{HashMap, HashSet};
use wireq_engine::Diagnostic;
use wireq_engine::arguments::Word;
use wireq_engine::module::{Build, Module};
use wireq_engine::plan::{Aggregate, Calculation, Function, NodeId, expr};
use wireq_typesys::FieldPath;

/// The columns behind a grouping, by the expressions that they are the values of.
#[derive(Default)]
pub(super) struct Groups {
    columns: HashMap<String, FieldPath>,
    /// How deep these expressions are: others need no look.
    depths: HashSet<usize>,
}

impl Groups {
    /// The column that holds the value of an expression.
    pub fn column_of(&self, expr: &Expr, names: &Names<'_>) -> Option<FieldPath> {
        match self.depths.contains(&expr.depth) {
            true => self.columns.get(&names.key(expr)).cloned(),
            false => None,
        }
    }

    fn add(&mut self, expr: &Expr, names: &Names<'_>, column: FieldPath) {
        self.depths.insert(expr.depth);
        self.columns.entry(names.key(expr)).or_insert(column);
    }
}

/// A call of an aggregate function, its values calculated.
struct Call<'s> {
    call: &'s ScalarCall,
    /// The column of its result.
    column: FieldPath,
    module: &'static Module,
    words: Vec<Word>,
}

/// Names that SQL has for functions, and what they are here.
const NAMES: [(&str, &str, &[&str]); 6] = [
    ("mean", "avg", &[]),
    ("stddev_samp", "stddev", &[]),
    ("approx_count_distinct", "distinct", &["-a"]),
    ("any_value", "first", &[]),
    ("array_agg", "list", &[]),
    ("quantile_disc", "quantile", &[]),
];

impl Lowering<'_> {
    /// The groups of a SELECT, and the columns of their functions; none where there are neither.
    pub(super) fn grouped(
        &mut self,
        core: &Core,
        order: &[Order],
        names: &mut Names<'_>,
        input: NodeId,
    ) -> Option<(NodeId, Groups)> {
        let mut found = Vec::new();
        for expr in of_groups(core, order) {
            self.find_calls(expr, &mut found);
        }
        if found.is_empty() && core.keys.is_empty() && core.having.is_none() {
            return None;
        }
        let before = self.faults.len();
        let mut groups = Groups::default();
        let mut columns = Vec::new();
        let keys = self.keys(core, names, &mut groups, &mut columns);
        let mut known = HashSet::new();
        let mut calls = Vec::new();
        for (expr, call) in found {
            if known.insert(names.key(expr)) {
                let column = self.hidden_column();
                let call = self.call_of(call, column.clone(), names, &mut columns);
                calls.extend(call);
                groups.add(expr, names, column);
            }
        }
        let node = match columns.is_empty() {
            true => input,
            false => self.plan.add_compute(columns, input, core.span),
        };
        let mut functions = Vec::with_capacity(calls.len());
        for call in calls {
            functions.extend(self.function_of(call, node));
        }
        if self.faults.len() > before {
            return Some((self.unknown(), groups));
        }
        let aggregate = Aggregate {
            keys,
            group: self.groups.clone(),
            all: true,
            functions,
            first: None,
        };
        let node = self.plan.add_aggregate(aggregate, node, core.span);
        Some((node, groups))
    }

    /// Adds the calls of aggregate functions in an expression.
    fn find_calls<'s>(&self, expr: &'s Expr, found: &mut Vec<(&'s Expr, &'s ScalarCall)>) {
        match &expr.kind {
            ExprKind::Scalar(call) if self.aggregate_of(call).is_some() => {
                found.push((expr, call));
            }
            kind => kind.for_each_part(&mut |part| self.find_calls(part, found)),
        }
    }

    /// The aggregate function that a call calls, with its flags.
    pub(super) fn aggregate_of(
        &self,
        call: &ScalarCall,
    ) -> Option<(&'static Module, &'static [&'static str])> {
        let name = call.name.text.to_ascii_lowercase();
        let other = NAMES.iter().find(|(other, ..)| *other == name);
        let (name, flags) = match other {
            _ if name == "count" && call.distinct => ("distinct", &[][..]),
            Some((_, name, flags)) => (*name, *flags),
            None => (name.as_str(), &[][..]),
        };
        let module = self.registry.module(name)?;
        matches!(module.build, Build::Aggregate(_)).then_some((module, flags))
    }

    /// The fields that make a group.
    fn keys(
        &mut self,
        core: &Core,
        names: &mut Names<'_>,
        groups: &mut Groups,
        columns: &mut Vec<Calculation>,
    ) -> Vec<FieldPath> {
        let mut keys = Vec::with_capacity(core.keys.len());
        for key in &core.keys {
            let Some(key) = self.key(key, core, names) else {
                continue;
            };
            if groups.columns.contains_key(&names.key(key)) {
                continue;
            }
            let column = self.column_for(key, names, columns);
            groups.add(key, names, column.clone());
            keys.push(column);
        }
        keys
    }

    /// What a key says: a number and the name of an item stand for the item.
    fn key<'s>(&mut self, key: &'s Expr, core: &'s Core, names: &Names<'_>) -> Option<&'s Expr> {
        let item = match is_ordinal(key) {
            true => Some(self.ordinal(key, core.items.len())?),
            false => names.item_named(key),
        };
        match item.map(|at| &core.items[at]) {
            None => Some(key),
            Some(Item::Value { value, .. }) => Some(value),
            Some(Item::All(_, span)) => {
                let message = "`*` is no single column";
                let fault = Diagnostic::new("Q056", *span, message).label("many columns");
                self.faults.push(fault);
                None
            }
        }
    }

    /// The column that holds a value of each row: the field that it is, else a calculated one.
    fn column_for(
        &mut self,
        expr: &Expr,
        names: &mut Names<'_>,
        columns: &mut Vec<Calculation>,
    ) -> FieldPath {
        let named = self.named(expr, names);
        match self.value_over(&named, &names.rows) {
            expr::Expr::Field(path, _) => path,
            value => {
                let column = self.hidden_column();
                columns.push(Calculation {
                    name: column.clone(),
                    expr: value,
                });
                column
            }
        }
    }

    /// A call with its values: those that are no constants as columns.
    fn call_of<'s>(
        &mut self,
        call: &'s ScalarCall,
        column: FieldPath,
        names: &mut Names<'_>,
        columns: &mut Vec<Calculation>,
    ) -> Option<Call<'s>> {
        let (module, flags) = self.aggregate_of(call)?;
        let insensitive = ["distinct", "min", "max"];
        if call.distinct && !insensitive.contains(&module.name) {
            let message = format!("`{}` does not tell values apart", call.name.text);
            let fault = Diagnostic::new("Q050", call.span, message).label("`distinct`");
            self.faults.push(fault.help(
                "`count(distinct ...)` does; elsewhere `select distinct` behind `from` makes values distinct first",
            ));
            return None;
        }
        let span = call.name.span;
        let mut words: Vec<Word> = flags.iter().map(|flag| bare(flag, span)).collect();
        for (at, argument) in call.arguments.iter().enumerate() {
            words.push(match &argument.kind {
                // Behind the first value stand parameters of the function.
                ExprKind::Word(word) if at > 0 => word.clone(),
                _ => word_of(
                    self.column_for(argument, names, columns).as_str(),
                    argument.span,
                ),
            });
        }
        Some(Call {
            call,
            column,
            module,
            words,
        })
    }

    fn function_of(&mut self, call: Call<'_>, input: NodeId) -> Option<Function> {
        let Build::Aggregate(build) = call.module.build else {
            return None;
        };
        let span = call.call.name.span;
        let arguments = self.arguments(call.module, &call.words, span, Some(input))?;
        let spec = build(&arguments)
            .map_err(|error| self.argument_fault(error, span))
            .ok()?;
        let kind = self.function_kind(call.module, &arguments, &spec, span, input)?;
        Some(Function {
            module: call.module,
            arguments,
            spec,
            name: call.column,
            kind,
        })
    }
}

/// The expressions that stand behind the groups.
fn of_groups<'s>(core: &'s Core, order: &'s [Order]) -> impl Iterator<Item = &'s Expr> {
    let items = core.items.iter().filter_map(|item| match item {
        Item::Value { value, .. } => Some(value),
        Item::All(..) => None,
    });
    let order = order.iter().map(|order| &order.by);
    items.chain(core.having.as_deref()).chain(order)
}
