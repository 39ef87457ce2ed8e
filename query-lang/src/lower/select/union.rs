//! Several SELECT with `union` between them.

use super::{Behind, Output};
use crate::ast::{Arm, Select, Union};
use crate::lower::{Flow, Lowering};
use wireq_engine::plan::Calculation;
use wireq_engine::plan::expr::Expr;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

impl Lowering<'_> {
    pub(super) fn union(
        &mut self,
        select: &Select,
        behind: Behind<'_>,
        input: Option<Flow>,
    ) -> Output {
        let span = select.span;
        let first = self.arm(&select.first, input);
        // Rows as they are cannot be told apart by columns, and need no names.
        let mut left = match select.others.is_empty() {
            true => first,
            false => self.with_columns(first, span),
        };
        for (union, arm) in &select.others {
            let right = self.arm(arm, input);
            let right = self.with_columns(right, span);
            let right = self.as_columns_of(&left, right, arm_span(arm));
            let node = self.plan.add_union(&[left.node, right.node], span);
            left = Output { node, ..left };
            if *union == Union::Distinct {
                left = self.distinct(left, span);
            }
        }
        self.ordered_output(left, behind, span)
    }

    fn arm(&mut self, arm: &Arm, input: Option<Flow>) -> Output {
        let nothing = Behind {
            order: &[],
            limit: None,
            offset: None,
        };
        match arm {
            Arm::Core(core) => self.core(core, nothing, input),
            Arm::Nested(select) => self.select_output(select, input),
        }
    }

    /// The output with its columns, where `select *` passed objects as they are.
    pub(super) fn with_columns(&mut self, output: Output, span: Span) -> Output {
        if output.columns.is_some() {
            return output;
        }
        let columns = self.plan.stream(output.node).summary.clone();
        match columns.is_empty() {
            true => output,
            false => Output {
                node: self.project(&columns, output.node, span),
                columns: Some(columns),
            },
        }
    }

    /// One row of those that are the same.
    pub(super) fn distinct(&mut self, output: Output, span: Span) -> Output {
        let output = self.with_columns(output, span);
        let Some(columns) = &output.columns else {
            return output;
        };
        Output {
            node: self.stage_of("uniq", &[], columns, output.node, span),
            ..output
        }
    }

    /// Gives the columns of the right side the names that they have on the left.
    fn as_columns_of(&mut self, left: &Output, right: Output, span: Span) -> Output {
        let (Some(names), Some(columns)) = (&left.columns, &right.columns) else {
            return right;
        };
        if names.len() != columns.len() {
            let message = format!(
                "this SELECT has {}, the first one {}",
                count(columns.len()),
                names.len()
            );
            let fault = Diagnostic::new("Q057", span, message).label("another number of columns");
            self.faults.push(fault);
            return right;
        }
        if names == columns {
            return right;
        }
        let renamed = |(name, column): (&FieldPath, &FieldPath)| Calculation {
            name: name.clone(),
            expr: Expr::Field(column.clone(), span),
        };
        let list = names.iter().zip(columns).map(renamed).collect();
        let node = self.plan.add_compute(list, right.node, span);
        Output {
            node: self.project(names, node, span),
            columns: Some(names.clone()),
        }
    }
}

fn count(columns: usize) -> String {
    match columns {
        1 => "1 column".to_owned(),
        columns => format!("{columns} columns"),
    }
}

fn arm_span(arm: &Arm) -> Span {
    match arm {
        Arm::Core(core) => core.span,
        Arm::Nested(select) => select.span,
    }
}
