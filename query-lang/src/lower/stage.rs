//! Stages -> nodes.

use super::definitions::Known;
use super::functions::Functions;
use super::group::GroupClause;
use super::{Flow, Lowering, bare};
use crate::ast::{Call, Every, Pipeline, Stage, StageKind};
use std::rc::Rc;
use wireq_engine::arguments::Word;
use wireq_engine::module::Build;
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, Span};

/// The module that tells objects their windows, and the column that it gives.
const WINDOW: &str = "window";

/// How late an object of a live source may come where the query does not say.
const LATE: &str = "1s";

impl Lowering<'_> {
    /// A stage with objects of its own.
    pub(super) fn first_stage(&mut self, stage: &Stage, group: Option<GroupClause<'_>>) -> Flow {
        let group = Self::one_group(stage, group);
        if let Some(every) = stage
            .group
            .as_deref()
            .and_then(|group| group.every.as_ref())
        {
            let message = "`every` behind what brings objects";
            let fault = Diagnostic::new("Q035", every.span, message);
            self.faults.push(fault.label("no function before it").help(
                "write it behind the function that takes the groups: `SOURCE | count() every 10s`",
            ));
        }
        match &stage.kind {
            StageKind::Bag(branches) => self.bag(branches, None, group, stage.span),
            StageKind::Call(call) => match self.definition(call) {
                Some(known) => self.source_definition(&known, call, stage, group),
                None => Flow::new(self.source_stage(call, stage, group)),
            },
            StageKind::Join { inputs, condition } => self.join(inputs, condition.as_deref(), stage),
            StageKind::Select(select) => self.select(select, None),
            StageKind::Where(_) | StageKind::Functions(_) => Flow::new(self.unknown()),
        }
    }

    /// A source; its conditions concern what it gives.
    fn source_stage(
        &mut self,
        call: &Call,
        stage: &Stage,
        group: Option<GroupClause<'_>>,
    ) -> NodeId {
        let node = self.source(call, stage.span);
        let node = self.filter(stage.filter.as_deref(), node);
        self.group(Functions::default(), group, node, stage.span)
    }

    fn source_definition(
        &mut self,
        known: &Rc<Known>,
        call: &Call,
        stage: &Stage,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        let flow = self.definition_stage(known, call, None, group);
        Flow {
            node: self.filter(stage.filter.as_deref(), flow.node),
            ..flow
        }
    }

    pub(super) fn stage(
        &mut self,
        stage: &Stage,
        input: Flow,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        let group = Self::one_group(stage, group);
        let every = stage
            .group
            .as_deref()
            .and_then(|group| group.every.as_ref());
        let (every, clause) = match (every, group) {
            (Some(every), Some(clause)) => (every, clause),
            (_, group) => return self.stage_by(stage, input, group),
        };
        let input = self.windows(every, input);
        let window = bare(WINDOW, every.span);
        let keys: Vec<Word> = std::iter::once(window)
            .chain(clause.keys.iter().cloned())
            .collect();
        let clause = GroupClause {
            keys: &keys,
            ..clause
        };
        self.stage_by(stage, input, Some(clause))
    }

    /// Gives objects the windows that they are in.
    fn windows(&mut self, every: &Every, input: Flow) -> Flow {
        let mut words = Vec::new();
        let mut add = |flag: &str, word: Word| words.extend([bare(flag, word.span), word]);
        if let Some(of) = &every.of {
            add("--of", of.clone());
        }
        // Nobody waits for the end of a live source.
        let live = self.plan.is_live(input.node);
        let late = live.then(|| bare(LATE, every.span));
        if let Some(late) = every.late.clone().or(late) {
            add("--late", late);
        }
        words.push(every.period.clone());
        self.operator(&bare(WINDOW, every.span), &words, input, every.span)
    }

    /// A stage with its groups.
    fn stage_by(&mut self, stage: &Stage, input: Flow, group: Option<GroupClause<'_>>) -> Flow {
        match group {
            Some(clause) if !clause.keys.is_empty() && !self.is_one_aggregate(stage, &clause) => {
                self.stage_for_each(stage, input, clause)
            }
            group => self.stage_of_groups(stage, input, group),
        }
    }

    /// A stage whose objects have their groups, or one aggregate that tells them apart.
    pub(super) fn stage_of_groups(
        &mut self,
        stage: &Stage,
        input: Flow,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        if let StageKind::Call(call) = &stage.kind {
            return self.call(call, stage, input, group);
        }
        let node = self.filter(stage.filter.as_deref(), input.node);
        let input = Flow { node, ..input };
        match &stage.kind {
            StageKind::Where(condition) => {
                let node = self.filter(Some(condition), node);
                Flow {
                    node: self.group(Functions::default(), group, node, stage.span),
                    ..input
                }
            }
            StageKind::Bag(branches) => self.bag(branches, Some(input), group, stage.span),
            StageKind::Functions(list) => {
                let mut functions = Functions::default();
                let node = self.attached(list, node);
                let list = self.words(list, node, &mut functions);
                let node = self.group(functions, group, node, stage.span);
                Flow::new(self.calculated(&list.calculated, node, stage.span))
            }
            StageKind::Join { inputs, condition } => self.join(inputs, condition.as_deref(), stage),
            StageKind::Select(select) => self.select(select, Some(Flow { node, ..input })),
            StageKind::Call(_) => input,
        }
    }

    fn bag(
        &mut self,
        branches: &[Pipeline],
        input: Option<Flow>,
        group: Option<GroupClause<'_>>,
        span: Span,
    ) -> Flow {
        let ends: Vec<Flow> = branches
            .iter()
            .map(|branch| self.pipeline(branch, input, group.clone()))
            .collect();
        if let [only] = ends[..] {
            return only;
        }
        let nodes: Vec<NodeId> = ends.iter().map(|end| end.node).collect();
        Flow {
            node: self.plan.add_union(&nodes, span),
            used: ends.iter().all(|end| end.used),
            rows: ends.iter().all(|end| end.rows),
        }
    }

    /// What a definition stands for, in its place.
    pub(super) fn definition_stage(
        &mut self,
        known: &Rc<Known>,
        call: &Call,
        input: Option<Flow>,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        let Some(used) = self.begin_use(known, call) else {
            return Flow {
                used: true,
                ..Flow::new(self.unknown())
            };
        };
        let end = self.pipeline(&used.body, input, group);
        self.end_use(used);
        end
    }

    fn call(
        &mut self,
        call: &Call,
        stage: &Stage,
        input: Flow,
        group: Option<GroupClause<'_>>,
    ) -> Flow {
        let brings_objects = self.brings_objects(stage);
        if let Some(known) = self.definition(call) {
            if brings_objects {
                if !known.faulty {
                    self.second_source(call);
                }
                return self.source_definition(&known, call, stage, group);
            }
            let node = self.filter(stage.filter.as_deref(), input.node);
            let input = Flow { node, ..input };
            return self.definition_stage(&known, call, Some(input), group);
        }
        let Some(module) = self.module(&call.name) else {
            self.unresolved(call, stage, input.node);
            return Flow {
                node: self.unknown(),
                ..input
            };
        };
        if brings_objects {
            self.second_source(call);
            return Flow::new(self.source_stage(call, stage, group));
        }
        let node = self.filter(stage.filter.as_deref(), input.node);
        let mut functions = Functions::default();
        if let Build::Aggregate(_) = module.build {
            self.function(call, None, node, &mut functions);
            return Flow::new(self.group(functions, group, node, stage.span));
        }
        let node = self.attached(&call.arguments, node);
        let list = self.words(&call.arguments, node, &mut functions);
        // The rows of an aggregate are new objects.
        let input = match functions.is_empty() {
            true => input,
            false => Flow::new(input.node),
        };
        let node = self.group(functions, group, node, stage.span);
        let node = self.calculated(&list.calculated, node, stage.span);
        let node = self.rename(&list, node, stage.span);
        self.operator(&call.name, &list.words, Flow { node, ..input }, stage.span)
    }

    fn second_source(&mut self, call: &Call) {
        let message = format!("`{}` is a source: it takes no objects", call.name.text);
        let fault = Diagnostic::new("Q034", call.name.span, message);
        self.faults
            .push(fault.help("begin a query with it, or merge: `(SOURCE) + (SOURCE) | ...`"));
    }

    /// Checks what can be checked of a call whose module nobody knows.
    fn unresolved(&mut self, call: &Call, stage: &Stage, input: NodeId) {
        let node = self.filter(stage.filter.as_deref(), input);
        self.words(&call.arguments, node, &mut Functions::default());
    }
}
