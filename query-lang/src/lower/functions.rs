//! Functions of an argument list -> ONE aggregate before the call.

use super::definitions::Known;
use super::group::GroupClause;
use super::{Lowering, bare};
use crate::ast::{Call, Stage, StageKind};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use wireq_engine::arguments::{ArgumentError, Arguments, Word};
use wireq_engine::module::{AggregateSpec, Build, Module};
use wireq_engine::plan::{Aggregate, Function, NodeId};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::{FieldPath, Kind};

/// The aggregate functions of one argument list and its `having`.
#[derive(Default)]
pub(super) struct Functions {
    list: Vec<Function>,
    /// The place of each name in the list.
    names: HashMap<FieldPath, usize>,
    /// The first name of each function.
    columns: HashMap<(&'static str, Arguments), FieldPath>,
    /// Whether one of them has a fault.
    failed: bool,
}

impl Functions {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.failed
    }

    /// The column of a function that is the same but for its name.
    fn same(&self, function: &Function) -> Option<FieldPath> {
        self.columns
            .get(&(function.module.name, function.arguments.clone()))
            .cloned()
    }

    /// Whether another function has the same name.
    fn is_taken(&self, function: &Function) -> bool {
        self.names
            .get(&function.name)
            .is_some_and(|at| self.list[*at] != *function)
    }

    /// Adds a function if none has its name.
    fn add(&mut self, function: Function) {
        if !self.names.contains_key(&function.name) {
            let identity = (function.module.name, function.arguments.clone());
            self.columns
                .entry(identity)
                .or_insert_with(|| function.name.clone());
            self.names.insert(function.name.clone(), self.list.len());
            self.list.push(function);
        }
    }
}

impl Lowering<'_> {
    /// Adds a function of an argument list. Gives the word that the call sees in its place.
    pub(super) fn function(
        &mut self,
        call: &Call,
        alias: Option<&Word>,
        input: NodeId,
        functions: &mut Functions,
    ) -> Word {
        let name = alias.unwrap_or(&call.name).clone();
        let path = self.path(&name.text);
        match self.resolve_function(call, path, input) {
            Some(function) => self.add_function(function, name.span, functions),
            None => functions.failed = true,
        }
        Word {
            quoted: false,
            ..name
        }
    }

    /// Adds a function of `having` if the list lacks it. Gives its column.
    pub(super) fn having_function(
        &mut self,
        call: &Call,
        input: NodeId,
        functions: &mut Functions,
    ) -> FieldPath {
        let name = self.path(&call.name.text);
        let Some(function) = self.resolve_function(call, name.clone(), input) else {
            functions.failed = true;
            return name;
        };
        if let Some(known) = functions.same(&function) {
            return known;
        }
        self.add_function(function, call.name.span, functions);
        name
    }

    fn add_function(&mut self, function: Function, span: Span, functions: &mut Functions) {
        if functions.is_taken(&function) {
            let message = format!("two functions are called `{}`", function.name);
            let arguments = function.arguments.to_string();
            let help = format!(
                "name one of them: `{}({}) as NAME`",
                function.module.name,
                arguments.trim_start()
            );
            self.faults.push(
                Diagnostic::new("Q030", span, message)
                    .label("second one")
                    .help(help),
            );
        }
        functions.add(function);
    }

    fn resolve_function(
        &mut self,
        call: &Call,
        name: FieldPath,
        input: NodeId,
    ) -> Option<Function> {
        if let Some(known) = self.definition(call) {
            return self.defined_function(&known, call, name, input);
        }
        let module = self.module(&call.name);
        let words = self.plain_words(&call.arguments, &call.name.text);
        let (module, words) = (module?, words?);
        let Build::Aggregate(build) = module.build else {
            self.faults.push(no_function(module.name, call.name.span));
            return None;
        };
        let arguments = self.arguments(module, &words, call.name.span, Some(input))?;
        let spec = build(&arguments)
            .map_err(|error| self.argument_fault(error, call.name.span))
            .ok()?;
        let kind = self.function_kind(module, &arguments, &spec, call.name.span, input)?;
        Some(Function {
            module,
            arguments,
            spec,
            name,
            kind,
        })
    }

    /// A function that a definition stands for: a call with nothing beside it.
    fn defined_function(
        &mut self,
        known: &Rc<Known>,
        call: &Call,
        name: FieldPath,
        input: NodeId,
    ) -> Option<Function> {
        let used = self.begin_use(known, call)?;
        let inner = match &used.body.stages[..] {
            [
                Stage {
                    kind: StageKind::Call(inner),
                    filter: None,
                    group: None,
                    ..
                },
            ] => Some(inner),
            _ => None,
        };
        let function = match inner {
            Some(inner) => self.resolve_function(inner, name, input),
            None => {
                self.faults
                    .push(no_function(&call.name.text, call.name.span));
                None
            }
        };
        self.end_use(used);
        function
    }

    /// The kind of a function's column.
    pub(super) fn function_kind(
        &mut self,
        module: &Module,
        arguments: &Arguments,
        spec: &AggregateSpec,
        call: Span,
        input: NodeId,
    ) -> Option<Kind> {
        // A field that is not there has a fault of its own.
        let field = spec.field.as_ref();
        let kind = field
            .and_then(|field| self.plan.stream(input).kind(field))
            .unwrap_or(Kind::Dynamic);
        // Of a list, what takes none takes each value.
        let of = kind;
        let kind = (spec.kind)(kind).or_else(|fault| match kind {
            Kind::List(each) => (spec.kind)(*each),
            _ => Err(fault),
        });
        match kind {
            Ok(kind) => Some(kind),
            Err(message) => {
                let word = arguments
                    .words()
                    .iter()
                    .find(|word| field.is_some_and(|field| field.as_str() == word.text));
                let word = word.cloned().unwrap_or_else(|| bare(module.name, call));
                let error = ArgumentError {
                    help: Some(format!("`{}` is of the kind {of}", word.text)),
                    ..ArgumentError::at(module.name, &word, message)
                };
                self.argument_fault(error, call);
                None
            }
        }
    }

    /// The aggregate of a list of functions, then `having`.
    pub(super) fn group(
        &mut self,
        mut functions: Functions,
        group: Option<GroupClause<'_>>,
        input: NodeId,
        span: Span,
    ) -> NodeId {
        let keys = group.as_ref().map_or(&[][..], |group| group.keys);
        self.check_fields(keys.iter(), input);
        let having = group.map_or(Vec::new(), |group| group.having).into_iter();
        let steps = having.map(|having| {
            let steps = self.steps(having, Some((&mut functions, input)));
            (steps, having.span)
        });
        let steps: Vec<_> = steps.collect();
        let node = match functions.is_empty() {
            true => input,
            false => self.aggregate(functions, keys, input, span),
        };
        let steps = steps.into_iter();
        steps.fold(node, |node, (steps, span)| self.apply(steps, node, span))
    }

    fn aggregate(
        &mut self,
        functions: Functions,
        keys: &[Word],
        input: NodeId,
        span: Span,
    ) -> NodeId {
        match functions.failed {
            true => self.unknown(),
            false => {
                let aggregate = Aggregate {
                    keys: distinct(keys),
                    group: self.groups.clone(),
                    all: false,
                    functions: functions.list,
                    first: None,
                };
                self.plan.add_aggregate(aggregate, input, span)
            }
        }
    }
}

fn no_function(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` is no function: it makes no value of many objects");
    Diagnostic::new("Q035", span, message).help(format!(
        "write it as a stage of its own: `{name} ... | ...`"
    ))
}

/// The keys, each once.
fn distinct(keys: &[Word]) -> Vec<FieldPath> {
    let mut known = HashSet::new();
    let paths = keys.iter().map(|key| FieldPath::new(&key.text));
    paths.filter(|path| known.insert(path.clone())).collect()
}
