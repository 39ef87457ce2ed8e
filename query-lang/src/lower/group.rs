//! `group by`: one aggregate where that is all there is to do for each group, else a pipeline of
//! which each group has its own.

use super::{Flow, Lowering};
use crate::ast::{ArgumentValue, Call, Expr, ExprKind, Group, Pipeline, Stage, StageKind};
use wireq_engine::Span;
use wireq_engine::arguments::{Arguments, Word};
use wireq_engine::module::{Build, Gives, GroupKeys, Needs, OperatorSpec, StateClass};
use wireq_engine::plan::stream::{HIDDEN, is_hidden};
use wireq_engine::plan::{GroupBy, NodeId};
use wireq_typesys::{FieldPath, Kind};

/// What a stage has to do with the groups that it is written with.
#[derive(Clone)]
pub(super) struct GroupClause<'g> {
    /// What makes a group; none where the objects have their group already.
    pub keys: &'g [Word],
    /// What is asked of what the stage is given, all of it.
    pub having: Vec<&'g Expr>,
    pub span: Span,
}

impl<'g> GroupClause<'g> {
    fn of(group: &'g Group) -> GroupClause<'g> {
        GroupClause {
            keys: &group.keys,
            having: group.having.as_deref().into_iter().collect(),
            span: group.span,
        }
    }
}

/// What a stage is beside a `group by`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// Passes some of its objects as they are, and keeps nothing.
    Filter,
    /// Keeps nothing.
    Stateless,
    /// Keeps something from object to object.
    Stateful,
}

impl Lowering<'_> {
    /// The number of the stage that takes the groups of a pipeline: the first with functions, else
    /// the last.
    pub(super) fn grouped_stage(&self, pipeline: &Pipeline) -> usize {
        let first = pipeline
            .stages
            .iter()
            .position(|stage| self.has_functions(stage));
        first.unwrap_or(pipeline.stages.len().saturating_sub(1))
    }

    pub(super) fn has_functions(&self, stage: &Stage) -> bool {
        match &stage.kind {
            StageKind::Functions(_) => true,
            StageKind::Where(_) | StageKind::Join { .. } | StageKind::Select(_) => false,
            StageKind::Bag(branches) => branches
                .iter()
                .flat_map(|branch| &branch.stages)
                .any(|stage| self.has_functions(stage)),
            StageKind::Call(call) => match self.definition(call) {
                Some(known) => known.has_functions,
                None => {
                    let mut values = call.arguments.iter().map(|argument| &argument.value);
                    self.is_function(call)
                        || values.any(|value| match value {
                            ArgumentValue::Function(inner) => !self.attaches(inner),
                            _ => false,
                        })
                }
            },
        }
    }

    fn is_function(&self, call: &Call) -> bool {
        let module = self.registry.module(&call.name.text);
        module.is_some_and(|module| matches!(module.build, Build::Aggregate(_)))
    }

    /// The group of a stage: its own, or that of the brackets around it. Where it is its own, what
    /// the brackets ask is asked too: objects have the groups of the brackets already.
    pub(super) fn one_group<'g>(
        stage: &'g Stage,
        outer: Option<GroupClause<'g>>,
    ) -> Option<GroupClause<'g>> {
        let Some(group) = stage.group.as_deref() else {
            return outer;
        };
        let mut own = GroupClause::of(group);
        if let Some(outer) = outer {
            debug_assert!(outer.keys.is_empty(), "groups began where the stages did");
            own.having.extend(outer.having);
        }
        Some(own)
    }

    /// Whether groups only have to be told apart by one aggregate: a stage with functions whose call
    /// keeps nothing, filters before it, and what keeps nothing behind it.
    pub(super) fn is_aggregate(&self, pipeline: &Pipeline, clause: &GroupClause<'_>) -> bool {
        let grouped = self.grouped_stage(pipeline);
        let mut stages = pipeline.stages.iter().enumerate();
        stages.all(|(at, stage)| match at.cmp(&grouped) {
            std::cmp::Ordering::Less => {
                let source = at == 0 && self.brings_objects(stage);
                source || stage.group.is_none() && self.nature(stage) == Nature::Filter
            }
            std::cmp::Ordering::Equal => {
                stage.group.is_none() && self.is_one_aggregate(stage, clause)
            }
            std::cmp::Ordering::Greater => {
                stage.group.is_none() && self.nature(stage) != Nature::Stateful
            }
        })
    }

    pub(super) fn is_one_aggregate(&self, stage: &Stage, clause: &GroupClause<'_>) -> bool {
        let mut having = clause.having.iter();
        let having = having.any(|having| self.calls_functions(having));
        match &stage.kind {
            StageKind::Functions(_) => true,
            StageKind::Call(call) if self.definition(call).is_none() => {
                self.has_functions(stage) || having && self.nature(stage) != Nature::Stateful
            }
            // Their pipelines decide for themselves.
            StageKind::Call(_) | StageKind::Bag(_) => true,
            StageKind::Where(_) => having,
            StageKind::Join { .. } | StageKind::Select(_) => false,
        }
    }

    fn calls_functions(&self, expr: &Expr) -> bool {
        let mut found = matches!(&expr.kind, ExprKind::Function(call) if self.is_function(call));
        expr.kind
            .for_each_part(&mut |part| found |= self.calls_functions(part));
        found
    }

    fn nature(&self, stage: &Stage) -> Nature {
        match &stage.kind {
            StageKind::Where(_) => Nature::Filter,
            StageKind::Functions(_) | StageKind::Join { .. } | StageKind::Select(_) => {
                Nature::Stateful
            }
            StageKind::Bag(branches) => {
                let stages = branches.iter().flat_map(|branch| &branch.stages);
                let mut natures = stages.map(|stage| self.nature(stage));
                match natures.any(|nature| nature == Nature::Stateful) {
                    true => Nature::Stateful,
                    false => Nature::Stateless,
                }
            }
            StageKind::Call(call) => match self.definition(call) {
                Some(known) => match &known.definition.body.stages[..] {
                    [only] => self.nature(only),
                    _ => Nature::Stateful,
                },
                None => self.nature_of_module(call),
            },
        }
    }

    fn nature_of_module(&self, call: &Call) -> Nature {
        match self.operator_of(call) {
            Some(spec) if spec.class != StateClass::Stateless => Nature::Stateful,
            Some(spec) if spec.gives == Gives::Same && !spec.side_effect => Nature::Filter,
            Some(_) => Nature::Stateless,
            None => match self
                .registry
                .module(&call.name.text)
                .map(|module| &module.build)
            {
                // Faults of its arguments are told when it is lowered.
                Some(Build::Operator(_) | Build::Either(_)) | None => Nature::Stateless,
                Some(_) => Nature::Stateful,
            },
        }
    }

    /// What a call of a module builds; nothing is told of its faults.
    pub(super) fn operator_of(&self, call: &Call) -> Option<OperatorSpec> {
        let module = self.registry.module(&call.name.text)?;
        let build = module.build.operator()?;
        let mut words = Vec::new();
        for argument in &call.arguments {
            match &argument.value {
                ArgumentValue::Word(word) => words.push(word.clone()),
                ArgumentValue::Function(inner) => words.push(inner.name.clone()),
                ArgumentValue::Expression(_) => {}
            }
        }
        let arguments = Arguments::parse(module.name, module.parameters, &words);
        build(&arguments.ok()?).ok()
    }

    /// Gives objects the key of their group, for what comes behind. Gives the groups around.
    pub(super) fn begin_groups(
        &mut self,
        clause: &GroupClause<'_>,
        input: NodeId,
    ) -> (NodeId, Option<GroupKeys>) {
        self.check_fields(clause.keys.iter(), input);
        let outer = self.groups.clone();
        let depth = outer
            .as_ref()
            .map_or(0, |outer| outer.column.as_str().len());
        let mut keys: Vec<FieldPath> = Vec::new();
        for key in clause.keys {
            let key = FieldPath::new(&key.text);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        // One sign more for each group around.
        let column = FieldPath::new(&HIDDEN.to_string().repeat(depth + 1));
        let stream = self.plan.stream(input);
        let kind = |key| stream.kind(key).unwrap_or(Kind::Dynamic);
        let group = GroupBy {
            kinds: keys.iter().map(kind).collect(),
            keys,
            outer: outer.clone(),
            column,
        };
        self.groups = Some(group.keys());
        (self.plan.add_group(group, input, clause.span), outer)
    }

    /// Lets a stage act for each group, where what is lowered is that of groups.
    pub(super) fn for_each_group(&mut self, spec: &mut OperatorSpec, input: NodeId) {
        let Some(groups) = &self.groups else { return };
        let fields = self.plan.fields_needed(spec, input);
        if spec.gives == Gives::Projected {
            let stream = self.plan.stream(input);
            let hidden = stream.given.iter().map(|(path, _)| path);
            let hidden = hidden.filter(|path| is_hidden(path)).cloned();
            spec.needs = Needs::Fields(fields.into_iter().chain(hidden).collect());
        } else if spec.class != StateClass::Stateless && !spec.side_effect {
            spec.needs = Needs::Fields(fields);
            spec.group = Some(groups.clone());
        }
    }

    /// A stage of which each group has its own.
    pub(super) fn stage_for_each(
        &mut self,
        stage: &Stage,
        input: Flow,
        clause: GroupClause<'_>,
    ) -> Flow {
        let (node, outer) = self.begin_groups(&clause, input.node);
        let rest = GroupClause {
            keys: &[],
            ..clause
        };
        let flow = self.stage_of_groups(stage, Flow { node, ..input }, Some(rest));
        self.groups = outer;
        flow
    }
}
