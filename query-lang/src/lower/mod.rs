//! AST -> plan: the only place that knows both.

mod besides;
mod call;
mod cast;
mod columns;
mod condition;
mod definitions;
mod expression;
mod functions;
mod group;
mod join;
mod measure;
mod names;
mod select;
mod stage;
mod unknown;
mod uses;

use crate::Options;
use crate::ast::{Argument, ArgumentValue, Call, Pipeline, Stage, StageKind};
use crate::names::Names;
use definitions::Definitions;
use group::GroupClause;
use std::collections::HashSet;
use wireq_engine::arguments::Word;
use wireq_engine::module::{Build, GroupKeys};
use wireq_engine::plan::{NodeId, Plan};
use wireq_engine::{Diagnostic, Registry, Span};
use wireq_typesys::FieldPath;

/// Lowers statements into one plan.
pub(crate) struct Lowering<'a> {
    registry: &'a Registry,
    pub options: &'a Options<'a>,
    /// What is lowered so far.
    pub plan: Plan,
    /// The faults found since they were last taken.
    pub faults: Vec<Diagnostic>,
    /// The source over the files, once a statement has read it.
    files: Option<NodeId>,
    definitions: Definitions,
    /// The fields that were named, each once: thousands of statements ask for a few.
    paths: HashSet<FieldPath>,
    /// How many columns there are that no query can name.
    hidden: usize,
    /// The groups of which each has its own of what is lowered.
    groups: Option<GroupKeys>,
}

/// The end of what is lowered so far.
#[derive(Clone, Copy)]
struct Flow {
    node: NodeId,
    /// Whether a side effect, such as printing, has acted on these objects.
    used: bool,
    /// Whether they are rows of a SELECT, which are printed even where they have no values.
    rows: bool,
}

impl Flow {
    fn new(node: NodeId) -> Flow {
        Flow {
            node,
            used: false,
            rows: false,
        }
    }
}

impl<'a> Lowering<'a> {
    pub fn new(registry: &'a Registry, options: &'a Options<'a>) -> Lowering<'a> {
        Lowering {
            registry,
            options,
            plan: Plan::default(),
            faults: Vec::new(),
            files: None,
            definitions: Definitions::default(),
            paths: HashSet::new(),
            hidden: 0,
            groups: None,
        }
    }

    /// The path of a text.
    fn path(&mut self, text: &str) -> FieldPath {
        if let Some(known) = self.paths.get(text) {
            return known.clone();
        }
        let path = FieldPath::new(text);
        self.paths.insert(path.clone());
        path
    }

    /// Lowers one statement. Where nothing acts on its result, it is printed.
    pub fn statement(&mut self, name: Option<String>, pipeline: &Pipeline, span: Span) {
        self.definitions.begin_statement();
        let before = self.faults.len();
        self.measure(pipeline);
        if self.faults.len() > before {
            return;
        }
        self.plan.begin_statement(name, span);
        let end = self.pipeline(pipeline, None, None);
        self.end_statement(end, span);
    }

    /// Stages one behind the other. Groups are for the first stage with functions, where nothing
    /// else keeps anything; otherwise each group has its own stages, from the first on that takes
    /// objects.
    fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        input: Option<Flow>,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        let keyed = group.clone().filter(|clause| !clause.keys.is_empty());
        let mut keyed = keyed.filter(|clause| !self.is_aggregate(pipeline, clause));
        let grouped = group.as_ref().map(|_| self.grouped_stage(pipeline));
        let mut group = group.map(|clause| match keyed {
            Some(_) => GroupClause {
                keys: &[],
                ..clause
            },
            None => clause,
        });
        let around = self.groups.clone();
        let mut end = input;
        for (at, stage) in pipeline.stages.iter().enumerate() {
            let group = group.take_if(|_| grouped == Some(at));
            end = Some(if end.is_none() && self.brings_objects(stage) {
                self.first_stage(stage, group)
            } else {
                let mut input = match end {
                    Some(end) => end,
                    // That a source stands behind is one fault, not two.
                    None if self.options.files.is_none()
                        && pipeline
                            .stages
                            .iter()
                            .any(|stage| self.brings_objects(stage)) =>
                    {
                        Flow::new(self.unknown())
                    }
                    None => self.files(stage.span),
                };
                if let Some(clause) = keyed.take() {
                    (input.node, _) = self.begin_groups(&clause, input.node);
                }
                self.stage(stage, input, group)
            });
        }
        self.groups = around;
        end.unwrap_or_else(|| Flow::new(self.unknown()))
    }

    /// Whether a first stage has objects of its own. A module that nobody knows may be a source.
    fn brings_objects(&self, stage: &Stage) -> bool {
        match &stage.kind {
            StageKind::Call(call) => match self.definition(call) {
                Some(known) => known.brings_objects,
                None if call.name.quoted => true,
                None => self
                    .registry
                    .module(&call.name.text)
                    .is_none_or(|module| module.build.brings_objects(&bare_words(call))),
            },
            StageKind::Bag(branches) => branches
                .iter()
                .filter_map(|branch| branch.stages.first())
                .any(|first| self.brings_objects(first)),
            StageKind::Join { inputs, .. } => inputs
                .iter()
                .filter_map(|input| input.source.as_ref()?.stages.first())
                .any(|first| self.brings_objects(first)),
            StageKind::Select(select) => {
                select.has_tables() || self.options.files.is_none() && select.is_constant()
            }
            StageKind::Where(_) | StageKind::Functions(_) => false,
        }
    }

    /// What statements without a source read.
    fn files(&mut self, span: Span) -> Flow {
        let node =
            match (self.files, &self.options.files) {
                (Some(node), _) => node,
                (None, Some(files)) => {
                    let node = self.source_over(files, span);
                    *self.files.insert(node)
                }
                (None, None) => {
                    let fault = Diagnostic::new("Q032", span, "nothing says what this query reads")
                        .label("no source before this");
                    self.faults.push(fault.help(
                        "name a capture: `pcapfile FILE | ...`, or give files behind the query",
                    ));
                    self.unknown()
                }
            };
        Flow::new(node)
    }
}

impl Names for Lowering<'_> {
    /// Modules and definitions come before functions of the same name.
    fn is_function(&self, name: &str) -> bool {
        self.registry.function(name).is_some()
            && self.registry.module(name).is_none()
            && !self.definitions.is_defined(name)
    }

    fn takes_words(&self, name: &str) -> bool {
        let module = self.registry.module(name);
        let is_stage = module.is_some_and(|module| !matches!(module.build, Build::Aggregate(_)));
        self.definitions.is_defined(name) || is_stage && self.registry.function(name).is_none()
    }

    fn is_stream(&self, name: &str) -> bool {
        self.definitions.has_no_parameters(name)
    }
}

/// The words among the arguments of a call, without checks.
fn bare_words(call: &Call) -> Vec<Word> {
    let word = |argument: &Argument| match &argument.value {
        ArgumentValue::Word(word) => Some(word.clone()),
        ArgumentValue::Function(_) | ArgumentValue::Expression(_) => None,
    };
    call.arguments.iter().filter_map(word).collect()
}

/// A word without quotes.
fn bare(text: &str, span: Span) -> Word {
    Word {
        text: text.to_owned(),
        quoted: false,
        span,
    }
}
