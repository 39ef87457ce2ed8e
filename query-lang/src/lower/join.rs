//! Joins: streams with names and a condition -> one node.

use super::{Flow, Lowering};
use crate::ast::{self, JoinInput, Stage};
use std::sync::Arc;
use wireq_engine::Diagnostic;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::stream::{Carried, Stream};
use wireq_engine::plan::{Join, JoinAlias, NodeId};
use wireq_typesys::FieldPath;

/// What stands before the name of an alias for an object of it that has just come.
const NEW: &str = "new";

/// Each stream more multiplies the combinations.
const STREAMS_MAX: usize = 32;

impl Lowering<'_> {
    /// A join and what follows it in its stage.
    pub(super) fn join(
        &mut self,
        inputs: &[JoinInput],
        condition: Option<&ast::Expr>,
        stage: &Stage,
    ) -> Flow {
        if self.groups.is_some() {
            let message = "a join has its own sources, and no groups";
            let fault = Diagnostic::new("Q039", stage.span, message);
            self.faults
                .push(fault.help("group what it gives: `(JOIN) | ... group by KEY`"));
        }
        if inputs.len() > STREAMS_MAX {
            let message = format!("a join of {} streams", inputs.len());
            let fault = Diagnostic::new("Q052", inputs[STREAMS_MAX].alias.span, message);
            let help = format!("at most {STREAMS_MAX} can be joined at once");
            self.faults.push(fault.label("one too many").help(help));
            return Flow::new(self.unknown());
        }
        self.check_aliases(inputs);
        let nodes = self.join_inputs(inputs, stage);
        let names: Vec<FieldPath> = inputs
            .iter()
            .map(|input| FieldPath::new(&input.alias.text))
            .collect();
        let stream = self.plan.joined(names.iter(), &nodes);
        let untils: Vec<Option<Expr>> = inputs
            .iter()
            .map(|input| {
                let until = input.until.as_deref()?;
                Some(self.join_test(until, &with_new(&stream)))
            })
            .collect();
        let tests = condition.map(|condition| self.join_test(condition, &stream));
        let mut aliases: Vec<JoinAlias> = names
            .iter()
            .zip(inputs)
            .zip(untils)
            .map(|((name, input), until)| JoinAlias {
                name: name.clone(),
                own: Vec::new(),
                until,
                max: input.max,
                has_own_time: false,
            })
            .collect();
        for (alias, node) in aliases.iter_mut().zip(&nodes) {
            alias.has_own_time = self.plan.stream(*node).has_own_time();
        }
        let condition = divide(tests, &mut aliases);
        let join = Join { aliases, condition };
        let node = self.plan.add_join(join, &nodes, stage.span);
        let node = self.filter(stage.filter.as_deref(), node);
        Flow::new(node)
    }

    fn check_aliases(&mut self, inputs: &[JoinInput]) {
        for (at, input) in inputs.iter().enumerate() {
            let alias = &input.alias;
            if inputs[..at]
                .iter()
                .any(|other| other.alias.text == alias.text)
            {
                let message = format!("two streams are called `{}`", alias.text);
                let fault = Diagnostic::new("Q052", alias.span, message).label("second one");
                self.faults
                    .push(fault.help("give each stream a name of its own"));
            }
            if alias.text == NEW || alias.text.contains('.') {
                let message = format!("a stream cannot be called `{}`", alias.text);
                let fault = Diagnostic::new("Q052", alias.span, message);
                self.faults
                    .push(fault.help("`new` is an object that has just come; names have no dots"));
            }
        }
    }

    fn join_inputs(&mut self, inputs: &[JoinInput], stage: &Stage) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::with_capacity(inputs.len());
        for input in inputs {
            let node = match (&input.source, nodes.last()) {
                (Some(source), _) => self.pipeline(source, None, None).node,
                (None, Some(before)) => *before,
                (None, None) => self.files(stage.span).node,
            };
            nodes.push(node);
        }
        nodes
    }

    /// A condition over objects of several streams.
    fn join_test(&mut self, condition: &ast::Expr, stream: &Stream) -> Expr {
        let mut test = self.condition().test(condition);
        stream.resolve(&mut test, self.options.zone, &mut self.faults);
        test
    }
}

/// The objects of a join beside one that has just come.
fn with_new(joined: &Stream) -> Stream {
    let mut stream = joined.clone();
    stream.carry(Carried {
        name: FieldPath::new(NEW),
        stream: Arc::new(joined.clone()),
        chained: false,
    });
    stream
}

/// Gives each alias the parts of a condition that concern it alone; what is left concerns several.
pub(super) fn divide(condition: Option<Expr>, aliases: &mut [JoinAlias]) -> Vec<Expr> {
    let tests = match condition {
        None => Vec::new(),
        Some(Expr::And(tests)) => tests,
        Some(test) => vec![test],
    };
    let mut rest = Vec::new();
    for test in tests {
        match concerned(&test, aliases)[..] {
            // What concerns none holds for all or for none.
            [] => aliases[0].own.push(test),
            [alias] => aliases[alias].own.push(test),
            _ => rest.push(test),
        }
    }
    rest
}

fn concerned(test: &Expr, aliases: &[JoinAlias]) -> Vec<usize> {
    let mut found = Vec::new();
    test.for_each_field(&mut |path, _| {
        let of = |alias: &JoinAlias| *path == alias.name || path.below(&alias.name).is_some();
        if let Some(alias) = aliases.iter().position(of)
            && !found.contains(&alias)
        {
            found.push(alias);
        }
    });
    found
}
