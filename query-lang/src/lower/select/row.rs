//! A SELECT that reads nothing, `select 1 + 1`: it is about one row without fields.

use super::core::COLUMNS_MAX;
use crate::ast::{Arm, Expr, ExprKind, Item, Select};
use crate::lower::Lowering;
use crate::lower::expression::is_field;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::Arguments;
use wireq_engine::module::{Build, InputAccount, Module, SourceContext, SourceSpec};
use wireq_engine::plan::NodeId;
use wireq_engine::schedule::output::Item as Given;
use wireq_engine::{Error, RecordType, Source, Span};
use wireq_typesys::{Bitmap, Column, FieldDef, Part, PartData, Position, Positions};

static MODULE: Module = Module {
    name: "row",
    summary: "Stands for the one row of a SELECT that reads nothing.",
    details: "",
    parameters: &[],
    examples: &[],
    build: Build::Source(|_| Ok(spec())),
};

struct Row;

impl RecordType for Row {
    fn name(&self) -> &'static str {
        "row"
    }

    fn summary(&self) -> &'static str {
        "An object without fields."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &[]
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn fill(&self, _: &(dyn Any + Send + Sync), _: usize, _: &Bitmap, _: &mut Column) {}
}

fn spec() -> SourceSpec {
    SourceSpec {
        record_type: Arc::new(Row),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(|| Ok(Box::new(OneRow { given: false }))),
    }
}

/// Gives one row.
struct OneRow {
    given: bool,
}

impl Source for OneRow {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Given>, Error> {
        if std::mem::replace(&mut self.given, true) {
            return Ok(None);
        }
        let shape = Arc::clone(context.shape);
        let positions = Positions::Run(Position::START);
        let data = PartData::new(shape, Box::new(()), 1, positions, context.origin);
        Ok(Some(Given::Rows(Part::new(Arc::new(data)))))
    }

    fn input_account(&self) -> InputAccount {
        InputAccount::default()
    }
}

impl Lowering<'_> {
    /// One row without fields.
    pub(super) fn one_row(&mut self, span: Span) -> NodeId {
        self.plan
            .add_source(&MODULE, Arguments::default(), spec(), span)
    }
}

impl Select {
    /// Whether it reads nothing and names no field.
    pub fn is_constant(&self) -> bool {
        let names_field = self.order.iter().any(|order| self.names_field(&order.by));
        !names_field
            && self.arms().all(|arm| match arm {
                Arm::Core(core) => {
                    let all = |item: &Item| matches!(item, Item::All(..));
                    core.from.is_none()
                        && core.items.len() <= COLUMNS_MAX
                        && !core.items.iter().any(all)
                        && !core.expressions().any(|expr| self.names_field(expr))
                }
                Arm::Nested(select) => select.is_constant(),
            })
    }

    fn names_field(&self, expr: &Expr) -> bool {
        let mut found = match &expr.kind {
            ExprKind::Word(word) => is_field(word) && !self.has_item(&word.text),
            ExprKind::Field(word) => !self.has_item(&word.text),
            ExprKind::Function(_) => true,
            _ => false,
        };
        expr.kind
            .for_each_part(&mut |part| found = found || self.names_field(part));
        found
    }

    fn has_item(&self, name: &str) -> bool {
        let named = |item: &Item| match item {
            Item::Value {
                alias: Some(alias), ..
            } => alias.text.eq_ignore_ascii_case(name),
            _ => false,
        };
        self.arms().any(|arm| match arm {
            Arm::Core(core) => core.items.iter().any(named),
            Arm::Nested(_) => false,
        })
    }
}
