//! Conditions -> filters. What stands alone or between `and` at the top of a condition may also be
//! a module that passes some of its objects, or a definition of such: a stage of its own, in the
//! order of the text.

use super::expression::{Condition, always, is_always};
use super::functions::Functions;
use super::{Lowering, bare, bare_words};
use crate::ast::{self, Call, ExprKind, Pipeline, StageKind};
use std::collections::HashMap;
use std::rc::Rc;
use wireq_engine::arguments::{ArgumentError, Arguments, Word};
use wireq_engine::module::{Build, Gives, Module, OperatorSpec, StateClass};
use wireq_engine::plan::NodeId;
use wireq_engine::plan::expr::{Expr, FilterCall};
use wireq_engine::plan::stream::Stream;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::Kind;

/// A part of a condition that all objects have to pass.
pub(super) struct Step {
    kind: StepKind,
    /// The use of the definition that it comes from.
    used: Option<Word>,
}

enum StepKind {
    Test(Expr),
    Module {
        name: Word,
        words: Vec<Word>,
        span: Span,
    },
}

impl Lowering<'_> {
    /// Passes objects for which a condition holds; no node where it always does.
    pub(super) fn filter(&mut self, condition: Option<&ast::Expr>, input: NodeId) -> NodeId {
        let Some(condition) = condition else {
            return input;
        };
        let steps = self.steps(condition, None);
        self.apply(steps, input, condition.span)
    }

    /// The parts of a condition. Where it is that of groups, their functions go to `functions`.
    pub(super) fn steps(
        &mut self,
        condition: &ast::Expr,
        functions: Option<(&mut Functions, NodeId)>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        Condition {
            lowering: self,
            functions,
            three_valued: false,
        }
        .steps(condition, &mut steps);
        steps
    }

    /// Lets objects pass through the parts of a condition.
    pub(super) fn apply(&mut self, steps: Vec<Step>, input: NodeId, span: Span) -> NodeId {
        let mut node = input;
        let mut tests = Vec::new();
        for step in steps {
            let before = self.faults.len();
            match step.kind {
                StepKind::Test(mut expr) => {
                    self.resolve(&mut expr, node);
                    match expr {
                        Expr::And(parts) => tests.extend(parts),
                        other => tests.push(other),
                    }
                }
                StepKind::Module {
                    name,
                    words,
                    span: place,
                } => {
                    node = self.add_tests(&mut tests, node, span);
                    node = self.filter_module(&name, &words, node, place);
                }
            }
            if let Some(used) = step.used {
                self.faults_of_use(&used, before);
            }
        }
        self.add_tests(&mut tests, node, span)
    }

    fn add_tests(&mut self, tests: &mut Vec<Expr>, input: NodeId, span: Span) -> NodeId {
        let mut tests = std::mem::take(tests);
        match tests.len() {
            0 => input,
            1 => self.plan.add_filter(tests.remove(0), input, span),
            _ => self.plan.add_filter(Expr::And(tests), input, span),
        }
    }

    /// Checks the fields of a test. A field that there is not may be a definition.
    fn resolve(&mut self, expr: &mut Expr, input: NodeId) {
        let before = self.faults.len();
        let stream = self.plan.stream(input);
        stream.resolve(expr, self.options.zone, &mut self.faults);
        if self.faults.len() == before {
            return;
        }
        if self.definitions.checking {
            // Kinds follow from objects that are not known yet: a word beside one may be a constant.
            let mut words = Vec::new();
            words_beside_unknown(expr, stream, &mut words);
            let mut at = 0;
            self.faults.retain(|fault| {
                at += 1;
                at <= before || fault.code != "Q010" || !words.contains(&fault.span)
            });
        }
        let mut defined = HashMap::new();
        expr.for_each_field(&mut |path, span| {
            if self.definitions.find(path.as_str(), 0).is_some() {
                defined.insert((span.start, span.end), path.clone());
            }
        });
        for fault in &mut self.faults[before..] {
            if let Some(name) = defined.get(&(fault.span.start, fault.span.end)) {
                fault.help = Some(format!(
                    "`{name}` is a definition: `where {name}()` uses it"
                ));
            }
        }
    }

    fn filter_module(&mut self, name: &Word, words: &[Word], input: NodeId, span: Span) -> NodeId {
        match self.operator_parts(name, words, input) {
            Some((module, arguments, spec)) => {
                if let Some(reason) = no_filter(&spec) {
                    self.no_condition(name, reason);
                }
                self.plan.add_operator(module, arguments, spec, input, span)
            }
            None => self.unknown(),
        }
    }

    /// The fault of something in a condition that is neither true nor false for an object.
    fn no_condition(&mut self, name: &Word, reason: &str) {
        let message = format!("`{}(...)` is no condition: it {reason}", name.text);
        self.faults.push(
            Diagnostic::new("Q037", name.span, message)
                .label("neither true nor false")
                .help("write it as a stage of its own: `... | STAGE | ...`"),
        );
    }
}

/// Words that are compared with a field of which no kind is known.
fn words_beside_unknown(expr: &Expr, stream: &Stream, words: &mut Vec<Span>) {
    match expr {
        Expr::Compare(_, left, right) => {
            for (word, beside) in [(left, right), (right, left)] {
                if let (Expr::Field(_, span), Expr::Field(beside, _)) = (&**word, &**beside)
                    && stream.kind(beside) == Some(Kind::Dynamic)
                {
                    words.push(*span);
                }
            }
        }
        Expr::And(parts) | Expr::Or(parts) => parts
            .iter()
            .for_each(|part| words_beside_unknown(part, stream, words)),
        Expr::Not(inner) | Expr::Holds(inner) | Expr::Truth(inner) => {
            words_beside_unknown(inner, stream, words);
        }
        _ => {}
    }
}

/// Why a module cannot be a condition.
fn no_filter(spec: &OperatorSpec) -> Option<&'static str> {
    if spec.side_effect {
        return Some("does more than to pass objects");
    }
    if spec.gives != Gives::Same {
        return Some("changes objects");
    }
    (spec.class != StateClass::Stateless).then_some("goes by the objects before")
}

/// What SMACQ's form adds to a call between `and` at the top of its condition, so that it gives
/// what it gave there. Elsewhere a module gives an object once.
fn flag_of_verb(call: &Call) -> Option<&'static str> {
    const EACH: &str = "--each";
    let said = || bare_words(call).iter().any(|word| word.text == EACH);
    (call.of_verb && call.name.text == "substr" && !said()).then_some(EACH)
}

impl Condition<'_, '_, '_> {
    fn steps(&mut self, expr: &ast::Expr, steps: &mut Vec<Step>) {
        match &expr.kind {
            ExprKind::And(parts) => parts.iter().for_each(|part| self.steps(part, steps)),
            ExprKind::Function(call) => self.call_steps(call, expr.span, steps),
            _ => {
                let test = self.test(expr);
                let used = self.lowering.take_used();
                if !is_always(&test) {
                    steps.push(Step {
                        kind: StepKind::Test(test),
                        used,
                    });
                }
            }
        }
    }

    fn call_steps(&mut self, call: &Call, span: Span, steps: &mut Vec<Step>) {
        if let Some(known) = self.lowering.definition(call) {
            if known.brings_objects && !known.faulty {
                return self.lowering.no_condition(&call.name, "brings objects");
            }
            if let Some(used) = self.lowering.begin_use(&known, call) {
                self.body_steps(&Rc::clone(&used.body), &call.name, steps);
                self.lowering.end_use(used);
            }
            return;
        }
        let module = self.lowering.module(&call.name);
        match module.map(|module| &module.build) {
            Some(Build::Aggregate(_)) => {
                self.function(call);
            }
            Some(build) if build.brings_objects(&bare_words(call)) => {
                self.lowering.no_condition(&call.name, "brings objects");
            }
            Some(Build::Operator(_) | Build::Expressions(_) | Build::Either(_)) => {
                if let Some(mut words) = self.lowering.plain_words(&call.arguments, &call.name.text)
                {
                    if let Some(flag) = flag_of_verb(call) {
                        words.insert(0, bare(flag, call.name.span));
                    }
                    let kind = StepKind::Module {
                        name: call.name.clone(),
                        words,
                        span,
                    };
                    let used = self.lowering.definitions.used.clone();
                    steps.push(Step { kind, used });
                }
            }
            Some(Build::Source(_)) | None => {}
        }
    }

    /// The stages of a definition as parts of a condition.
    fn body_steps(&mut self, body: &Pipeline, name: &Word, steps: &mut Vec<Step>) {
        for stage in &body.stages {
            if let Some(filter) = &stage.filter {
                self.steps(filter, steps);
            }
            match &stage.kind {
                StageKind::Where(expr) => self.steps(expr, steps),
                StageKind::Call(call) if stage.group.is_none() => {
                    self.call_steps(call, stage.span, steps);
                }
                StageKind::Bag(branches) if branches.len() == 1 => {
                    self.body_steps(&branches[0], name, steps);
                }
                _ => self
                    .lowering
                    .no_condition(name, "does more than to pass objects"),
            }
        }
    }

    /// A function that is a test among others: a definition of conditions.
    pub(super) fn function_test(&mut self, call: &Call) -> Expr {
        let Some(known) = self.lowering.definition(call) else {
            return self.test_of_module(call);
        };
        let Some(used) = self.lowering.begin_use(&known, call) else {
            return always();
        };
        let mut tests = Vec::new();
        for stage in &Rc::clone(&used.body).stages {
            match (&stage.kind, &stage.filter) {
                (StageKind::Where(expr), None) => tests.push(self.test(expr)),
                (StageKind::Call(inner), None) if self.lowering.definition(inner).is_some() => {
                    tests.push(self.function_test(inner));
                }
                _ => self.lowering.only_beside_and(&call.name),
            }
        }
        let first = self.lowering.definitions.used.clone();
        self.lowering.end_use(used);
        self.lowering.definitions.used = first;
        Condition::conjunction(tests)
    }

    /// A module among other tests: a filter that keeps nothing is a test, an aggregate function
    /// belongs to the groups.
    fn test_of_module(&mut self, call: &Call) -> Expr {
        let module = self.lowering.module(&call.name);
        match module.map(|module| (module, &module.build)) {
            Some((module, Build::Operator(build))) => {
                let filter = self.filter_call(call, module, *build);
                filter.unwrap_or_else(always)
            }
            Some(_) => {
                self.function(call);
                always()
            }
            None => always(),
        }
    }

    fn filter_call(
        &mut self,
        call: &Call,
        module: &'static Module,
        build: fn(&Arguments) -> Result<OperatorSpec, ArgumentError>,
    ) -> Option<Expr> {
        let span = call.name.span;
        let words = self
            .lowering
            .plain_words(&call.arguments, &call.name.text)?;
        let arguments = self.lowering.arguments(module, &words, span, None)?;
        let spec = match build(&arguments) {
            Ok(spec) => spec,
            Err(error) => {
                self.lowering.argument_fault(error, span);
                return None;
            }
        };
        if !FilterCall::can_be(&spec) {
            self.lowering.only_beside_and(&call.name);
            return None;
        }
        let call = FilterCall {
            module,
            arguments,
            spec,
            span,
        };
        Some(Expr::Holds(Box::new(Expr::Passes(Box::new(call)))))
    }
}

impl Lowering<'_> {
    fn take_used(&mut self) -> Option<Word> {
        match self.definitions.is_open() {
            true => self.definitions.used.clone(),
            false => self.definitions.used.take(),
        }
    }

    fn only_beside_and(&mut self, name: &Word) {
        let message = format!(
            "`{}` keeps something from object to object or changes them: under `or` and `not` only a filter that does neither can stand",
            name.text
        );
        self.faults.push(
            Diagnostic::new("Q038", name.span, message)
                .label("filter")
                .help("compare fields instead, such as `srcip = 10.0.0.0/8`, or make it a stage of its own"),
        );
    }
}
