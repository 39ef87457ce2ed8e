//! How large and how deep pipelines are with their definitions in place, before anything is put
//! there: definitions of definitions grow without bound.

use super::Lowering;
use crate::ast::{
    Argument, ArgumentValue, Arm, Call, Expr, ExprKind, Pipeline, Select, Stage, StageKind,
    TableSource,
};
use wireq_engine::{Diagnostic, Span};

/// Levels that the lowering may go down to, with definitions in place.
pub(super) const DEPTH_MAX: usize = 400;

/// Levels that a pipeline in brackets or a definition counts as: it needs more stack than a part of
/// an expression.
const PIPELINE_LEVELS: usize = 2;

/// How often parts of expressions may be calculated more than once.
const REPEATED_MAX: usize = 100_000;

/// The size of what is written, definitions in place.
#[derive(Clone, Copy, Default)]
pub(super) struct Measure {
    /// Stages and parts of expressions.
    pub size: usize,
    /// Levels, the outermost included.
    depth: usize,
    /// Where definitions go too deep.
    too_deep: Option<Span>,
    /// Parts of expressions beyond those that are written: `(a + b) between 1 and 2` calculates the
    /// sum twice.
    repeated: usize,
}

impl Measure {
    fn reach(&mut self, level: usize) {
        self.size = self.size.saturating_add(1);
        self.depth = self.depth.max(level);
    }
}

impl Lowering<'_> {
    /// Measures a pipeline. Where it goes too deep, that is a fault.
    pub(super) fn measure(&mut self, pipeline: &Pipeline) -> Measure {
        let mut measure = Measure::default();
        self.measure_pipeline(pipeline, 1, &mut measure);
        if let Some(span) = measure.too_deep {
            let fault = Diagnostic::new("Q003", span, "the query is nested too deep");
            self.faults.push(
                fault
                    .label(format!(
                        "more than {DEPTH_MAX} levels with what this stands for"
                    ))
                    .help("use fewer definitions within definitions"),
            );
        }
        if measure.repeated > REPEATED_MAX {
            let span = pipeline
                .stages
                .iter()
                .map(|stage| stage.span)
                .reduce(Span::to);
            self.faults.push(too_often(span.unwrap_or_default()));
        }
        measure
    }

    fn measure_pipeline(&self, pipeline: &Pipeline, level: usize, measure: &mut Measure) {
        for stage in &pipeline.stages {
            self.measure_stage(stage, level, measure);
        }
    }

    fn measure_stage(&self, stage: &Stage, level: usize, measure: &mut Measure) {
        measure.reach(level);
        match &stage.kind {
            StageKind::Where(expr) => self.measure_expr(expr, level, measure),
            StageKind::Bag(branches) => branches.iter().for_each(|branch| {
                self.measure_pipeline(branch, level + PIPELINE_LEVELS, measure);
            }),
            StageKind::Call(call) => self.measure_call(call, level, measure),
            StageKind::Functions(list) => self.measure_arguments(list, level, measure),
            StageKind::Join { inputs, condition } => {
                for input in inputs {
                    let sources = input.source.iter();
                    sources.for_each(|source| {
                        self.measure_pipeline(source, level + PIPELINE_LEVELS, measure);
                    });
                }
                let until = inputs.iter().filter_map(|input| input.until.as_deref());
                until
                    .chain(condition.as_deref())
                    .for_each(|expr| self.measure_expr(expr, level, measure));
            }
            StageKind::Select(select) => self.measure_select(select, level, measure),
        }
        let having = stage
            .group
            .as_deref()
            .and_then(|group| group.having.as_deref());
        for expr in stage.filter.as_deref().into_iter().chain(having) {
            self.measure_expr(expr, level, measure);
        }
    }

    fn measure_select(&self, select: &Select, level: usize, measure: &mut Measure) {
        measure.reach(level);
        let level = level + PIPELINE_LEVELS;
        for order in &select.order {
            self.measure_expr(&order.by, level, measure);
        }
        for arm in select.arms() {
            let core = match arm {
                Arm::Core(core) => core,
                Arm::Nested(select) => {
                    self.measure_select(select, level, measure);
                    continue;
                }
            };
            core.expressions()
                .for_each(|expr| self.measure_expr(expr, level, measure));
            for table in core.tables() {
                match &table.source {
                    TableSource::File(_) => measure.reach(level),
                    TableSource::Call(call) => self.measure_call(call, level, measure),
                    TableSource::Query(select) => self.measure_select(select, level, measure),
                }
            }
        }
    }

    fn measure_call(&self, call: &Call, level: usize, measure: &mut Measure) {
        self.measure_arguments(&call.arguments, level, measure);
        let Some(known) = self.definition(call) else {
            return;
        };
        let inner = known.measure;
        measure.size = measure.size.saturating_add(inner.size);
        let depth = level + PIPELINE_LEVELS + inner.depth;
        if depth > DEPTH_MAX {
            measure.too_deep.get_or_insert(call.name.span);
        } else {
            measure.depth = measure.depth.max(depth);
        }
    }

    fn measure_arguments(&self, arguments: &[Argument], level: usize, measure: &mut Measure) {
        for argument in arguments {
            match &argument.value {
                ArgumentValue::Word(_) => {}
                ArgumentValue::Function(call) => {
                    measure.reach(level);
                    self.measure_call(call, level + 1, measure);
                }
                ArgumentValue::Expression(expr) => self.measure_expr(expr, level, measure),
            }
        }
    }

    fn measure_expr(&self, expr: &Expr, level: usize, measure: &mut Measure) {
        measure.repeated = measure.repeated.saturating_add(repeated(expr, 1));
        self.measure_part(expr, level, measure);
    }

    fn measure_part(&self, expr: &Expr, level: usize, measure: &mut Measure) {
        measure.reach(level);
        let level = level + 1;
        if let ExprKind::Function(call) = &expr.kind {
            self.measure_call(call, level, measure);
        }
        expr.kind
            .for_each_part(&mut |part| self.measure_part(part, level, measure));
    }
}

/// Whether parts of an expression are calculated so often that it cannot be.
pub(super) fn is_repeated_too_often(expr: &Expr) -> bool {
    repeated(expr, 1) > REPEATED_MAX
}

/// The fault of an expression with parts that are calculated too often.
pub(super) fn too_often(span: Span) -> Diagnostic {
    let message = "parts of an expression would be calculated too often";
    let fault = Diagnostic::new("Q044", span, message);
    fault.help(
        "what stands before `between` and `in` and behind `case` is calculated for each comparison: calculate it once, and use its name",
    )
}

/// How often parts of an expression are calculated beyond once, where all of it is so many times.
fn repeated(expr: &Expr, times: usize) -> usize {
    let comparisons = match &expr.kind {
        ExprKind::Between(_) => 2,
        ExprKind::In(_, items) => items.len(),
        ExprKind::Case(case) if case.operand.is_some() => case.branches.len(),
        _ => 1,
    };
    let mut first = true;
    let mut sum = times - 1;
    expr.kind.for_each_part(&mut |part| {
        // A field or a constant needs no calculation.
        let compared = std::mem::take(&mut first) && part.depth > 1;
        let times = match compared {
            true => times.saturating_mul(comparisons),
            false => times,
        };
        sum = sum.saturating_add(repeated(part, times));
    });
    sum
}
