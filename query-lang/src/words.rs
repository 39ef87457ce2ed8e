//! All words of a pipeline, to put others in their place.

use crate::ast::{
    Argument, ArgumentValue, Arm, Call, Expr, ExprKind, Group, JoinInput, Pipeline, Select, Stage,
    StageKind, TableSource,
};
use wireq_engine::arguments::Word;

/// What is done with each word.
type Each<'f> = &'f mut dyn FnMut(&mut Word);

impl Pipeline {
    /// Calls `each` for all words but the names of modules and definitions.
    pub fn for_each_word(&mut self, each: Each<'_>) {
        self.stages
            .iter_mut()
            .for_each(|stage| stage_words(stage, each));
    }
}

fn stage_words(stage: &mut Stage, each: Each<'_>) {
    match &mut stage.kind {
        StageKind::Where(expr) => expr_words(expr, each),
        StageKind::Bag(branches) => branches
            .iter_mut()
            .for_each(|branch| branch.for_each_word(each)),
        StageKind::Call(call) => call_words(call, each),
        StageKind::Functions(list) => argument_words(list, each),
        StageKind::Join { inputs, condition } => {
            inputs.iter_mut().for_each(|input| input_words(input, each));
            condition.iter_mut().for_each(|expr| expr_words(expr, each));
        }
        StageKind::Select(select) => select_words(select, each),
    }
    if let Some(filter) = &mut stage.filter {
        expr_words(filter, each);
    }
    if let Some(group) = &mut stage.group {
        group_words(group, each);
    }
}

fn input_words(input: &mut JoinInput, each: Each<'_>) {
    if let Some(source) = &mut input.source {
        source.for_each_word(each);
    }
    each(&mut input.alias);
    if let Some(until) = &mut input.until {
        expr_words(until, each);
    }
}

fn select_words(select: &mut Select, each: Each<'_>) {
    select
        .order
        .iter_mut()
        .for_each(|order| expr_words(&mut order.by, each));
    let rows = select.limit.iter_mut().chain(&mut select.offset);
    rows.for_each(&mut *each);
    for arm in select.arms_mut() {
        let core = match arm {
            Arm::Core(core) => core,
            Arm::Nested(select) => {
                select_words(select, each);
                continue;
            }
        };
        core.expressions_mut()
            .for_each(|expr| expr_words(expr, each));
        for table in core.tables_mut() {
            match &mut table.source {
                TableSource::File(_) => {}
                TableSource::Call(call) => call_words(call, each),
                TableSource::Query(select) => select_words(select, each),
            }
        }
    }
}

fn call_words(call: &mut Call, each: Each<'_>) {
    argument_words(&mut call.arguments, each);
}

fn argument_words(arguments: &mut [Argument], each: Each<'_>) {
    for argument in arguments {
        match &mut argument.value {
            ArgumentValue::Word(word) => each(word),
            ArgumentValue::Function(call) => call_words(call, each),
            ArgumentValue::Expression(expr) => expr_words(expr, each),
        }
        if let Some(alias) = &mut argument.alias {
            each(alias);
        }
    }
}

fn group_words(group: &mut Group, each: Each<'_>) {
    group.keys.iter_mut().for_each(&mut *each);
    if let Some(having) = &mut group.having {
        expr_words(having, each);
    }
}

fn expr_words(expr: &mut Expr, each: Each<'_>) {
    match &mut expr.kind {
        ExprKind::Word(word) => {
            each(word);
            expr.span = word.span;
        }
        ExprKind::Function(call) => call_words(call, each),
        kind => kind.for_each_part_mut(&mut |part| expr_words(part, each)),
    }
}
