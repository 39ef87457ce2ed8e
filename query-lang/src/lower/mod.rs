//! AST -> plan: the only place that knows both.

mod call;
mod expression;
mod functions;
mod unknown;

use crate::Options;
use crate::ast::{Call, Pipeline, Stage, StageKind};
use functions::Functions;
use wireq_engine::arguments::Word;
use wireq_engine::module::Build;
use wireq_engine::plan::{NodeId, Plan};
use wireq_engine::{Diagnostic, Registry, Span};

/// Lowers statements into one plan.
pub(crate) struct Lowering<'a> {
    registry: &'a Registry,
    options: &'a Options<'a>,
    /// What is lowered so far.
    pub plan: Plan,
    /// The faults found since they were last taken.
    pub faults: Vec<Diagnostic>,
    /// The source over the files, once a statement has read it.
    files: Option<NodeId>,
}

/// The end of what is lowered so far.
#[derive(Clone, Copy)]
struct Flow {
    node: NodeId,
    /// Whether a side effect, such as printing, has acted on these objects.
    used: bool,
}

impl Flow {
    fn new(node: NodeId) -> Flow {
        Flow { node, used: false }
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
        }
    }

    /// Lowers one statement. Where nothing acts on its result, it is printed.
    pub fn statement(&mut self, name: Option<String>, pipeline: &Pipeline, span: Span) {
        self.plan.begin_statement(name, span);
        let end = self.pipeline(pipeline, None);
        if !end.used {
            let (print, summary) = (bare("print", span), bare("--summary", span));
            self.operator(&print, &[summary], end, span);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, input: Option<Flow>) -> Flow {
        let end = pipeline.stages.iter().fold(input, |input, stage| {
            let flow = if input.is_none() && self.brings_objects(stage) {
                self.first_stage(stage)
            } else {
                let input = input.unwrap_or_else(|| self.files(stage.span));
                self.stage(stage, input)
            };
            Some(flow)
        });
        end.unwrap_or_else(|| Flow::new(self.unknown()))
    }

    /// Whether a first stage has objects of its own. A module that nobody knows may be a source.
    fn brings_objects(&self, stage: &Stage) -> bool {
        match &stage.kind {
            StageKind::Call(call) => self
                .registry
                .module(&call.name.text)
                .is_none_or(|module| matches!(module.build, Build::Source(_))),
            StageKind::Bag(branches) => branches
                .iter()
                .filter_map(|branch| branch.stages.first())
                .any(|first| self.brings_objects(first)),
            StageKind::Where(_) | StageKind::Functions(_) => false,
        }
    }

    fn first_stage(&mut self, stage: &Stage) -> Flow {
        let node = match &stage.kind {
            StageKind::Bag(branches) => return self.bag(branches, None, stage.span),
            StageKind::Call(call) => self.source_stage(call, stage),
            StageKind::Where(_) | StageKind::Functions(_) => self.unknown(),
        };
        Flow::new(node)
    }

    /// A source; its conditions concern what it gives.
    fn source_stage(&mut self, call: &Call, stage: &Stage) -> NodeId {
        let node = self.source(call, stage.span);
        let node = self.filter(stage.filter.as_deref(), node);
        self.group(
            Functions::default(),
            stage.group.as_deref(),
            node,
            stage.span,
        )
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

    fn stage(&mut self, stage: &Stage, input: Flow) -> Flow {
        match &stage.kind {
            StageKind::Where(condition) => Flow {
                node: self.filter(Some(condition), input.node),
                ..input
            },
            StageKind::Bag(branches) => self.bag(branches, Some(input), stage.span),
            StageKind::Functions(list) => {
                let node = self.filter(stage.filter.as_deref(), input.node);
                let mut functions = Functions::default();
                self.words(list, node, &mut functions);
                Flow::new(self.group(functions, stage.group.as_deref(), node, stage.span))
            }
            StageKind::Call(call) => self.call(call, stage, input),
        }
    }

    fn bag(&mut self, branches: &[Pipeline], input: Option<Flow>, span: Span) -> Flow {
        let ends: Vec<Flow> = branches
            .iter()
            .map(|branch| self.pipeline(branch, input))
            .collect();
        if let [only] = ends[..] {
            return only;
        }
        let nodes: Vec<NodeId> = ends.iter().map(|end| end.node).collect();
        Flow {
            node: self.plan.add_union(&nodes, span),
            used: ends.iter().all(|end| end.used),
        }
    }

    fn call(&mut self, call: &Call, stage: &Stage, input: Flow) -> Flow {
        let Some(module) = self.module(&call.name) else {
            self.unresolved(call, stage, input.node);
            return Flow {
                node: self.unknown(),
                used: input.used,
            };
        };
        if let Build::Source(_) = module.build {
            let fault = Diagnostic::new(
                "Q034",
                call.name.span,
                format!("`{}` is a source: it takes no objects", module.name),
            );
            self.faults
                .push(fault.help("begin a query with it, or merge: `(SOURCE) + (SOURCE) | ...`"));
            return Flow::new(self.source_stage(call, stage));
        }
        let node = self.filter(stage.filter.as_deref(), input.node);
        let mut functions = Functions::default();
        if let Build::Aggregate(_) = module.build {
            self.function(call, None, node, &mut functions);
            return Flow::new(self.group(functions, stage.group.as_deref(), node, stage.span));
        }
        let words = self.words(&call.arguments, node, &mut functions);
        // The rows of an aggregate are new objects.
        let used = input.used && functions.is_empty();
        let node = self.group(functions, stage.group.as_deref(), node, stage.span);
        self.operator(&call.name, &words, Flow { node, used }, stage.span)
    }

    /// Checks what can be checked of a call whose module nobody knows.
    fn unresolved(&mut self, call: &Call, stage: &Stage, input: NodeId) {
        let node = self.filter(stage.filter.as_deref(), input);
        self.words(&call.arguments, node, &mut Functions::default());
    }
}

/// A word without quotes.
fn bare(text: &str, span: Span) -> Word {
    Word {
        text: text.to_owned(),
        quoted: false,
        span,
    }
}
