//! Columns that an argument list has calculated before its call: `[ EXPRESSION ] as name`, scalar
//! functions, modules that attach a column.

use super::expression::Condition;
use super::{Flow, Lowering, bare};
use crate::ast::{self, Argument, ArgumentValue, Call};
use crate::parse::read_expression;
use std::sync::Arc;
use wireq_engine::Span;
use wireq_engine::arguments::{Arguments, Word};
use wireq_engine::module::{Build, ExpressionModule, Gives, OperatorSpec};
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::stream::{Carried, Stream};
use wireq_engine::plan::{Calculation, NodeId};
use wireq_typesys::{FieldPath, Kind};

impl Lowering<'_> {
    /// Lets the modules among arguments attach their columns: `print clock(-t 60 ts)`.
    pub(super) fn attached(&mut self, arguments: &[Argument], input: NodeId) -> NodeId {
        let mut node = input;
        for argument in arguments {
            if let ArgumentValue::Function(call) = &argument.value
                && self.attaches(call)
            {
                node = self.attach(call, argument.alias.as_ref(), node);
            }
        }
        node
    }

    /// Whether a call is that of a module that attaches a column.
    pub(super) fn attaches(&self, call: &Call) -> bool {
        if self.definition(call).is_some() {
            return false;
        }
        match self
            .registry
            .module(&call.name.text)
            .map(|module| &module.build)
        {
            Some(Build::Expressions(module)) => !module.tests,
            Some(Build::Operator(_)) => {
                let spec = self.operator_of(call);
                spec.is_some_and(|spec| matches!(spec.gives, Gives::Annotated(_)))
            }
            _ => false,
        }
    }

    fn attach(&mut self, call: &Call, alias: Option<&Word>, input: NodeId) -> NodeId {
        let Some(mut words) = self.plain_words(&call.arguments, &call.name.text) else {
            return self.unknown();
        };
        let module = self.registry.module(&call.name.text);
        let named = module.is_some_and(|module| module.parameters.iter().any(|p| p.name == "-f"));
        if let (Some(alias), true) = (alias, named) {
            words.splice(0..0, [bare("-f", alias.span), alias.clone()]);
        }
        let flow = self.operator(&call.name, &words, Flow::new(input), call.span);
        match alias {
            Some(alias) if !named => {
                let renamed = [call.name.clone(), alias.clone()];
                let name = bare(super::names::RENAME, alias.span);
                self.operator(&name, &renamed, flow, alias.span).node
            }
            _ => flow.node,
        }
    }

    /// The columns that are calculated for the words of an argument list.
    pub(super) fn calculated(
        &mut self,
        calculations: &[(Word, &ast::Expr)],
        input: NodeId,
        span: Span,
    ) -> NodeId {
        let mut node = input;
        let mut list: Vec<Calculation> = Vec::new();
        for (name, expr) in calculations {
            let mut value = self.condition().value(expr);
            // A column may be calculated of those before it.
            let before = |path: &FieldPath| {
                let mut names = list.iter().map(|known| &known.name);
                names.any(|known| path == known || path.below(known).is_some())
            };
            if value.fields().iter().any(before) {
                node = self.plan.add_compute(std::mem::take(&mut list), node, span);
            }
            let stream = self.plan.stream(node);
            stream.resolve(&mut value, self.options.zone, &mut self.faults);
            list.push(Calculation {
                name: FieldPath::new(&name.text),
                expr: value,
            });
        }
        match list.is_empty() {
            true => node,
            false => self.plan.add_compute(list, node, span),
        }
    }

    /// What a module builds that has expressions among its arguments.
    pub(super) fn expression_module(
        &mut self,
        module: &ExpressionModule,
        arguments: &Arguments,
        name: &Word,
        input: NodeId,
    ) -> Option<OperatorSpec> {
        let texts = (module.texts)(arguments)
            .map_err(|error| self.argument_fault(error, name.span))
            .ok()?;
        let mut stream = self.plan.stream(input).clone();
        if let Some(carried) = module.carries {
            let own = Arc::new(stream.clone());
            stream.carry(Carried {
                name: FieldPath::new(carried),
                stream: own,
                chained: true,
            });
        }
        let before = self.faults.len();
        let mut expressions = Vec::with_capacity(texts.len());
        for text in &texts {
            let first = self.faults.len();
            expressions.extend(self.expression_of(&text.word, module.tests, &stream));
            if let Some(place) = &text.place {
                for fault in &mut self.faults[first..] {
                    fault.message = format!("{place}: {}", fault.message);
                    fault.span = text.word.span;
                }
            }
        }
        if self.faults.len() > before {
            return None;
        }
        let read = expressions.iter().map(|(expr, _)| expr.clone()).collect();
        let spec = (module.build)(arguments, expressions)
            .map_err(|error| self.argument_fault(error, name.span))
            .ok()?;
        Some(OperatorSpec {
            expressions: read,
            ..spec
        })
    }

    fn expression_of(&mut self, text: &Word, test: bool, stream: &Stream) -> Option<(Expr, Kind)> {
        let read = read_expression(text, self).map_err(|fault| self.faults.push(fault));
        let read = read.ok()?;
        let mut condition = self.condition();
        let mut expr = match test {
            true => condition.test(&read),
            false => condition.value(&read),
        };
        stream.resolve(&mut expr, self.options.zone, &mut self.faults);
        let kind = stream.kind_of(&expr);
        Some((expr, kind))
    }
}

impl<'a> Lowering<'a> {
    /// Lowers expressions in which there are no aggregate functions.
    pub(super) fn condition(&mut self) -> Condition<'_, 'a, '_> {
        Condition {
            lowering: self,
            functions: None,
            three_valued: false,
        }
    }
}
