//! `group by` behind brackets and definitions: which of the stages in them takes the groups.

use super::Lowering;
use crate::ast::{ArgumentValue, Group, Pipeline, Stage, StageKind};
use wireq_engine::Diagnostic;
use wireq_engine::arguments::Word;
use wireq_engine::module::{Build, OperatorSpec, StateClass};

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
            StageKind::Where(_) | StageKind::Join { .. } => false,
            StageKind::Bag(branches) => branches
                .iter()
                .flat_map(|branch| &branch.stages)
                .any(|stage| self.has_functions(stage)),
            StageKind::Call(call) => match self.definition(call) {
                Some(known) => known.has_functions,
                None => {
                    let module = self.registry.module(&call.name.text);
                    let is_function =
                        module.is_some_and(|module| matches!(module.build, Build::Aggregate(_)));
                    let mut values = call.arguments.iter().map(|argument| &argument.value);
                    is_function || values.any(|value| matches!(value, ArgumentValue::Function(_)))
                }
            },
        }
    }

    /// The group of a stage: its own, or that of the brackets around it.
    pub(super) fn one_group<'g>(
        &mut self,
        stage: &'g Stage,
        outer: Option<&'g Group>,
    ) -> Option<&'g Group> {
        if let (Some(own), Some(_)) = (&stage.group, outer) {
            let fault = Diagnostic::new("Q007", own.span, "a `group by` within a `group by`")
                .label("grouped already");
            self.faults
                .push(fault.help("write all keys into one `group by`"));
        }
        stage.group.as_deref().or(outer)
    }

    /// From now on, what keeps state would need one for each group. Gives what was before.
    pub(super) fn begin_groups(&mut self, group: Option<&Group>) -> bool {
        let outer = self.for_each_group;
        self.for_each_group |= group.is_some();
        outer
    }

    /// Checks that a module does the same for all objects as for those of each group.
    pub(super) fn check_grouped(&mut self, name: &Word, spec: &OperatorSpec) {
        if self.for_each_group && spec.class != StateClass::Stateless {
            let message = format!("`{}` cannot be done for each group yet", name.text);
            let fault = Diagnostic::new("Q039", name.span, message).label("keeps state");
            self.faults.push(fault.help(
                "put it before or behind what is grouped: `... | STAGE | count() group by KEY`",
            ));
        }
    }
}
