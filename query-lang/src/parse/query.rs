//! Statements and pipelines: `SOURCE | STAGE | STAGE`, bags, definitions.

use super::call::{call, covered, filter, group, separated};
use super::fault::fatal;
use super::from::from;
use super::input::{Parsed, Tokens, bracketed, expecting, name, token};
use super::join::source;
use super::select;
use crate::ast::{Definition, Pipeline, Stage, StageKind, Statement};
use crate::lex::{Keyword, Kind};
use nom::combinator::opt;
use nom::{Input, Parser};
use std::rc::Rc;
use wireq_engine::Diagnostic;
use wireq_engine::arguments::Word;

/// Whether a stage may have `where` and `group by` behind it. In `VERB from SOURCE where ...` they
/// are not the source's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Clauses {
    Own,
    None,
}

/// A whole statement.
pub(super) fn statement(input: Tokens<'_>) -> Parsed<'_, Statement> {
    if let Some(with) = input.first().filter(|_| is_with(input)) {
        let fault = Diagnostic::new("Q050", with.span, "there is no `with`");
        let fault = fault.label("not known here");
        return Err(
            input.fail(fault.help("a definition gives a query a name: `NAME :- SELECT ...`"))
        );
    }
    let (rest, statement) = if is_definition(input) {
        definition(input)?
    } else {
        let (rest, pipeline) = pipeline(input)?;
        (rest, Statement::Query(pipeline))
    };
    match rest.first() {
        None => Ok((rest, statement)),
        Some(_) => Err(rest.unexpected("`|` or the end of the query")),
    }
}

/// Whether `with NAME as` begins a statement.
fn is_with(input: Tokens<'_>) -> bool {
    let third = input.iter_elements().nth(2).map(|token| &token.kind);
    input.is_word("with") && third == Some(&Kind::Keyword(Keyword::As))
}

/// Whether `NAME` or `NAME(...)` is followed by `:-`.
fn is_definition(input: Tokens<'_>) -> bool {
    let kind = |at: usize| input.iter_elements().nth(at).map(|token| &token.kind);
    let head = match kind(1) {
        Some(Kind::Open) => input.position(|token| token.kind == Kind::Close),
        _ => Some(0),
    };
    head.is_some_and(|end| kind(end + 1) == Some(&Kind::Define))
}

fn definition(input: Tokens<'_>) -> Parsed<'_, Statement> {
    let (rest, name) = expecting("a name", name)(input)?;
    let (rest, parameters) = match rest.first().map(|token| &token.kind) {
        Some(Kind::Open) => bracketed(parameters, "`,` or `)`")(rest)?,
        _ => (rest, (Vec::new(), name.span)),
    };
    let (rest, _) = token(Kind::Define, "`:-`")(rest)?;
    let (rest, body) = pipeline(rest).map_err(fatal)?;
    let definition = Definition {
        name,
        parameters: parameters.0,
        body: Rc::new(body),
    };
    Ok((rest, Statement::Definition(definition)))
}

fn parameters(input: Tokens<'_>) -> Parsed<'_, Vec<Word>> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Close) => Ok((input, Vec::new())),
        _ => separated(expecting("the name of a parameter", name), input),
    }
}

pub(super) fn pipeline(input: Tokens<'_>) -> Parsed<'_, Pipeline> {
    let mut stages = Vec::new();
    let (rest, first) = source(input, Clauses::Own)?;
    let (mut input, ()) = segment(first, rest, &mut stages)?;
    while let Ok((rest, _)) = token(Kind::Pipe, "`|`")(input) {
        let (rest, next) = stage(rest, Clauses::Own).map_err(fatal)?;
        (input, ()) = segment(next, rest, &mut stages).map_err(fatal)?;
    }
    Ok((input, Pipeline { stages }))
}

/// What stands between two `|`: a stage, or stages with `from` between them.
fn segment<'a>(first: Stage, rest: Tokens<'a>, stages: &mut Vec<Stage>) -> Parsed<'a, ()> {
    match rest.first().map(|token| &token.kind) {
        Some(Kind::Keyword(Keyword::From)) => from(first, rest, stages),
        _ => {
            stages.push(first);
            Ok((rest, ()))
        }
    }
}

/// A stage; with `+` behind it, the first branch of a bag.
pub(super) fn stage(input: Tokens<'_>, clauses: Clauses) -> Parsed<'_, Stage> {
    let (rest, first) = match input.first().map(|token| &token.kind) {
        Some(Kind::Keyword(Keyword::Where)) => return filter(input),
        _ => part(input, clauses)?,
    };
    match rest.first().map(|token| &token.kind) {
        Some(Kind::Plus) => bag(first, rest, clauses),
        _ => Ok((rest, first)),
    }
}

/// What can stand on either side of `+`.
fn part(input: Tokens<'_>, clauses: Clauses) -> Parsed<'_, Stage> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Open) => {
            let (rest, (pipeline, span)) = bracketed(pipeline, "`|`, `+` or `)`")(input)?;
            let brackets = Stage::new(StageKind::Bag(vec![pipeline]), span);
            let (rest, mut stage) = select::behind_brackets(brackets, input, rest)?;
            if clauses == Clauses::None || matches!(stage.kind, StageKind::Select(_)) {
                return Ok((rest, stage));
            }
            let (rest, groups) = opt(group).parse(rest)?;
            stage.group = groups;
            stage.span = covered(input, rest);
            Ok((rest, stage))
        }
        Some(Kind::Keyword(Keyword::Select(_))) => select::stage(input),
        _ => call(input, clauses),
    }
}

/// The parts with `+` before them.
fn bag<'a>(first: Stage, input: Tokens<'a>, clauses: Clauses) -> Parsed<'a, Stage> {
    let mut span = first.span;
    let mut branches = vec![branch(first)];
    let mut input = input;
    while let Ok((rest, _)) = token(Kind::Plus, "`+`")(input) {
        let mut next = expecting("a module or `(`", |input| part(input, clauses));
        let (rest, next) = next(rest).map_err(fatal)?;
        span = span.to(next.span);
        branches.push(branch(next));
        input = rest;
    }
    Ok((input, Stage::new(StageKind::Bag(branches), span)))
}

/// What is in the brackets, where a part of a bag is in brackets.
pub(super) fn branch(mut stage: Stage) -> Pipeline {
    match &mut stage.kind {
        StageKind::Bag(branches) if branches.len() == 1 && stage.group.is_none() => {
            branches.remove(0)
        }
        _ => Pipeline {
            stages: vec![stage],
        },
    }
}
