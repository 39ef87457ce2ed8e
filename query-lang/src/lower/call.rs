//! Names -> modules, words -> arguments, calls -> nodes.

use super::{Flow, Lowering, bare};
use crate::Files;
use crate::ast::{Argument, ArgumentValue, Call};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::module::{Build, Gives, Module, Needs, OperatorSpec, SourceSpec};
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

impl Lowering<'_> {
    /// The arguments of a call, with the fields among them checked against what `input` gives.
    pub(super) fn arguments(
        &mut self,
        module: &'static Module,
        words: &[Word],
        call: Span,
        input: Option<NodeId>,
    ) -> Option<Arguments> {
        match Arguments::parse(module.name, module.parameters, words) {
            Ok(arguments) => {
                if let Some(input) = input {
                    self.check_fields(arguments.field_words(module.parameters), input);
                    for word in arguments.object_words(module.parameters) {
                        let path = FieldPath::new(&word.text);
                        let checked = self.plan.stream(input).check_field(&path, word.span);
                        self.faults.extend(checked.err());
                    }
                }
                Some(arguments)
            }
            Err(errors) => {
                errors
                    .into_iter()
                    .for_each(|error| self.argument_fault(error, call));
                None
            }
        }
    }

    /// Checks that objects of `input` may have these fields.
    pub(super) fn check_fields<'w>(
        &mut self,
        words: impl Iterator<Item = &'w Word>,
        input: NodeId,
    ) {
        let stream = self.plan.stream(input);
        let faults = words.filter_map(|word| {
            stream
                .check_value(&FieldPath::new(&word.text), word.span)
                .err()
        });
        self.faults.extend(faults);
    }

    pub(super) fn argument_fault(&mut self, error: ArgumentError, call: Span) {
        self.faults.push(Diagnostic::from_argument(error, call));
    }

    /// The words of an argument list in which there can be no functions; none where there are some.
    pub(super) fn plain_words(&mut self, arguments: &[Argument], owner: &str) -> Option<Vec<Word>> {
        let mut words = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match (&argument.value, &argument.alias) {
                (ArgumentValue::Word(word), None) => words.push(word.clone()),
                (ArgumentValue::Word(word), Some(alias)) => {
                    let message = format!("`{}` cannot be given another name here", word.text);
                    self.no_alias(message, word, alias);
                }
                (ArgumentValue::Expression(expr), _) => {
                    let message = format!("`{owner}` takes no calculations as arguments");
                    let fault = Diagnostic::new("Q022", expr.span, message).label("calculation");
                    self.faults
                        .push(fault.help(
                            "calculate the column before: `expr -f NAME 'EXPRESSION' | ...`",
                        ));
                }
                (ArgumentValue::Function(call), _) => {
                    let message = format!("`{owner}` takes no functions as arguments");
                    let fault = Diagnostic::new("Q035", call.name.span, message).label("function");
                    self.faults.push(fault.help(format!(
                        "aggregate in two stages: `{}() group by KEY | print {owner}({})`",
                        call.name.text, call.name.text
                    )));
                }
            }
        }
        (words.len() == arguments.len()).then_some(words)
    }

    /// The source that a call opens.
    pub(super) fn source(&mut self, call: &Call, span: Span) -> NodeId {
        let module = self.module(&call.name);
        if module.is_some() && self.options.files.is_some() && !self.definitions.checking {
            let message = "files are given, and the query names a source";
            let fault = Diagnostic::new("Q033", call.name.span, message).label("source");
            self.faults
                .push(fault.help("leave out the files, or begin the query with the next stage"));
        }
        match (module, self.plain_words(&call.arguments, &call.name.text)) {
            (Some(module), Some(words)) => self.open(module, &words, call.name.span, span),
            _ => self.unknown(),
        }
    }

    /// The source over the files that are given with the query.
    pub(super) fn source_over(&mut self, files: &Files, span: Span) -> NodeId {
        let word = |text: &String| Word {
            text: text.clone(),
            quoted: true,
            span,
        };
        let name = bare(files.module, span);
        let Some(module) = self.module(&name) else {
            return self.unknown();
        };
        let flag = flag_for_files(module).map(|flag| bare(flag, span));
        let words = files
            .paths
            .iter()
            .flat_map(|path| flag.clone().into_iter().chain([word(path)]));
        let flags = files.flags.iter().map(|flag| bare(flag, span));
        let words: Vec<Word> = flags.chain(words).collect();
        self.open(module, &words, span, span)
    }

    fn open(&mut self, module: &'static Module, words: &[Word], call: Span, span: Span) -> NodeId {
        let arguments = self.arguments(module, words, call, None);
        match arguments
            .and_then(|arguments| Some((self.source_spec(module, &arguments, call)?, arguments)))
        {
            Some((spec, arguments)) => {
                let source = self.plan.add_source(module, arguments, spec.clone(), span);
                self.period(&spec, source, span)
            }
            None => self.unknown(),
        }
    }

    fn source_spec(
        &mut self,
        module: &'static Module,
        arguments: &Arguments,
        call: Span,
    ) -> Option<SourceSpec> {
        let build = module.build.source()?;
        build(arguments)
            .map_err(|error| self.argument_fault(error, call))
            .ok()
    }

    /// A module that takes objects.
    pub(super) fn operator(
        &mut self,
        name: &Word,
        words: &[Word],
        input: Flow,
        span: Span,
    ) -> Flow {
        match self.operator_parts(name, words, input.node) {
            Some((module, arguments, mut spec)) => {
                self.for_each_group(&mut spec, input.node);
                let new = matches!(spec.gives, Gives::Projected | Gives::Made(_));
                let used = spec.side_effect || input.used && !new;
                Flow {
                    node: self
                        .plan
                        .add_operator(module, arguments, spec, input.node, span),
                    used,
                    ..input
                }
            }
            None => Flow {
                used: true,
                ..Flow::new(self.unknown())
            },
        }
    }

    pub(super) fn operator_parts(
        &mut self,
        name: &Word,
        words: &[Word],
        input: NodeId,
    ) -> Option<(&'static Module, Arguments, OperatorSpec)> {
        let module = self.module(name)?;
        let words = self.printing(module, words, name.span);
        let arguments = self.arguments(module, &words, name.span, Some(input))?;
        let spec = match &module.build {
            Build::Expressions(build) => self.expression_module(build, &arguments, name, input)?,
            build => build.operator()?(&arguments)
                .map_err(|error| self.argument_fault(error, name.span))
                .ok()?,
        };
        self.check_needs(&spec, &arguments, module, name, input);
        Some((module, arguments, spec))
    }

    /// Checks the fields that a module reads beyond those that its declaration calls fields: every
    /// other word of `rename`, the time that `last -t` goes by.
    fn check_needs(
        &mut self,
        spec: &OperatorSpec,
        arguments: &Arguments,
        module: &'static Module,
        name: &Word,
        input: NodeId,
    ) {
        let Needs::Fields(fields) = &spec.needs else {
            return;
        };
        let unchecked = |path: &&FieldPath| {
            let fields = arguments.field_words(module.parameters);
            let mut words = fields.chain(arguments.object_words(module.parameters));
            !words.any(|word| word.text == path.as_str())
        };
        let written = |path: &FieldPath| {
            let mut words = arguments.words().iter();
            words.find(|word| word.text == path.as_str())
        };
        let stream = self.plan.stream(input);
        // What the module reads without being told to is one fault, however much of it is missing.
        let mut own: Option<Diagnostic> = None;
        let mut missing: Vec<String> = Vec::new();
        let mut faults = Vec::new();
        let fields = fields.iter().filter(|path| !spec.optional.contains(path));
        for path in fields.filter(unchecked) {
            let word = written(path);
            let Err(fault) = stream.check_field(path, word.unwrap_or(name).span) else {
                continue;
            };
            if word.is_some() {
                faults.push(fault);
            } else {
                missing.push(format!("`{path}`"));
                own.get_or_insert(fault);
            }
        }
        if let Some(fault) = &mut own {
            let (name, missing) = (module.name, missing.join(", "));
            fault.message =
                format!("`{name}` reads {missing}, and these objects have no such field");
            fault.label = format!("reads {missing}");
        }
        self.faults.extend(faults.into_iter().chain(own));
    }
}

/// The flag that a module without files among its arguments takes what is to be read with.
fn flag_for_files(module: &Module) -> Option<&'static str> {
    let mut parameters = module.parameters.iter();
    let takes_files = parameters
        .clone()
        .any(|parameter| !parameter.is_flag() && parameter.takes == Takes::File);
    let is_often = |parameter: &&Parameter| parameter.is_flag() && parameter.count == Count::Any;
    let flag = parameters.find(is_often).filter(|_| !takes_files);
    flag.map(|flag| flag.name)
}
