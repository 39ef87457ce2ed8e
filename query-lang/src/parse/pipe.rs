//! The pipe form: `SOURCE | STAGE | STAGE`.

use super::expression::expression;
use super::fault::{Unexpected, fatal};
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, name, token, word};
use crate::ast::{Argument, ArgumentValue, Call, Expr, Group, Pipeline, Stage, StageKind};
use crate::lex::{Keyword, Kind};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::Span;
use wireq_engine::arguments::Word;

/// A whole statement.
pub(super) fn statement(input: Tokens<'_>) -> Parsed<'_, Pipeline> {
    let (rest, pipeline) = pipeline(input)?;
    match rest.first() {
        None => Ok((rest, pipeline)),
        Some(_) => Err(rest.unexpected("`|` or the end of the query")),
    }
}

fn pipeline(input: Tokens<'_>) -> Parsed<'_, Pipeline> {
    let (mut input, first) = stage(input)?;
    let mut stages = vec![first];
    while let Ok((rest, _)) = token(Kind::Pipe, "`|`")(input) {
        let (rest, next) = stage(rest).map_err(fatal)?;
        stages.push(next);
        input = rest;
    }
    Ok((input, Pipeline { stages }))
}

fn stage(input: Tokens<'_>) -> Parsed<'_, Stage> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Open) => bag(input),
        Some(Kind::Keyword(Keyword::Where)) => filter(input),
        _ => call(input),
    }
}

fn filter(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (rest, expr) = condition(Keyword::Where)(input)?;
    let span = covered(input, rest);
    Ok((
        rest,
        Stage {
            kind: StageKind::Where(expr),
            filter: None,
            group: None,
            span,
        },
    ))
}

fn call(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (rest, kind) = expecting("a module, `where` or `(`", call_alone)(input)?;
    let (rest, filter) = opt(condition(Keyword::Where)).parse(rest)?;
    let (rest, group) = opt(group).parse(rest)?;
    let span = covered(input, rest);
    Ok((
        rest,
        Stage {
            kind,
            filter,
            group,
            span,
        },
    ))
}

/// From the first token of `input` to the last one that is not in `rest`.
fn covered<'a>(input: Tokens<'a>, rest: Tokens<'a>) -> Span {
    let mut tokens = input
        .take(input.input_len() - rest.input_len())
        .iter_elements();
    let first = tokens.next().map(|token| token.span).unwrap_or_default();
    tokens.next_back().map_or(first, |last| first.to(last.span))
}

/// A keyword and an expression, behind which nothing is left of an expression.
fn condition<'a>(word: Keyword) -> impl FnMut(Tokens<'a>) -> Parsed<'a, Box<Expr>> {
    move |input| {
        let (rest, condition) = preceded(keyword(word), cut(expression)).parse(input)?;
        match rest.first().map(|token| &token.kind) {
            None
            | Some(Kind::Pipe | Kind::Close | Kind::Keyword(Keyword::Group | Keyword::Having)) => {
                Ok((rest, condition))
            }
            Some(_) => Err(fatal(
                rest.unexpected("an operator, `|` or the end of the query"),
            )),
        }
    }
}

/// Pipelines in brackets with `+` between them.
fn bag(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (mut rest, (first, mut span)) = branch(input)?;
    let mut branches = vec![first];
    while rest
        .first()
        .is_some_and(|token| token.kind == Kind::Word && token.text == "+")
    {
        let (behind, (next, place)) = branch(rest.take_from(1)).map_err(fatal)?;
        branches.push(next);
        span = span.to(place);
        rest = behind;
    }
    Ok((
        rest,
        Stage {
            kind: StageKind::Bag(branches),
            filter: None,
            group: None,
            span,
        },
    ))
}

fn branch(input: Tokens<'_>) -> Parsed<'_, (Pipeline, Span)> {
    bracketed(pipeline, "`|` or `)`")(input)
}

/// A module with arguments, or functions side by side.
fn call_alone(input: Tokens<'_>) -> Parsed<'_, StageKind> {
    if input.second_kind() != Some(&Kind::Open) {
        let (input, name) = name(input)?;
        let (input, arguments) = arguments(input)?;
        return Ok((input, StageKind::Call(Box::new(Call { name, arguments }))));
    }
    let (input, functions) = separated(named(function_value), input)?;
    Ok((input, call_or_functions(functions)))
}

/// One function without a name is a call like any other.
fn call_or_functions(mut functions: Vec<Argument>) -> StageKind {
    match functions.pop() {
        Some(Argument {
            value: ArgumentValue::Function(call),
            alias: None,
        }) if functions.is_empty() => StageKind::Call(call),
        last => {
            functions.extend(last);
            StageKind::Functions(functions)
        }
    }
}

/// `NAME(ARGUMENTS)`, with its place.
pub(super) fn function(input: Tokens<'_>) -> Parsed<'_, (Box<Call>, Span)> {
    let (input, name) = name(input)?;
    let (input, (arguments, end)) = bracketed(arguments, "an argument, `,` or `)`")(input)?;
    let span = name.span.to(end);
    Ok((input, (Box::new(Call { name, arguments }), span)))
}

/// Arguments with commas or white space between them; there may be none.
fn arguments(input: Tokens<'_>) -> Parsed<'_, Vec<Argument>> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Word | Kind::Quoted(_)) => separated(named(value), input),
        _ => Ok((input, Vec::new())),
    }
}

fn value(input: Tokens<'_>) -> Parsed<'_, ArgumentValue> {
    if input.second_kind() == Some(&Kind::Open) {
        return function_value(input);
    }
    map(expecting("an argument", word), ArgumentValue::Word).parse(input)
}

fn function_value(input: Tokens<'_>) -> Parsed<'_, ArgumentValue> {
    let (rest, (call, _)) = function(input)?;
    Ok((rest, ArgumentValue::Function(call)))
}

/// An argument with the name behind `as`, if there is one.
fn named<'a>(
    mut value: impl Parser<Tokens<'a>, Output = ArgumentValue, Error = Unexpected>,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, Argument> {
    move |input| {
        let (input, value) = value.parse(input)?;
        let alias = preceded(keyword(Keyword::As), cut(expecting("a name", word)));
        let (input, alias) = opt(alias).parse(input)?;
        Ok((input, Argument { value, alias }))
    }
}

/// At least one item, with a comma or nothing between two.
fn separated<'a, T>(
    mut item: impl FnMut(Tokens<'a>) -> Parsed<'a, T>,
    input: Tokens<'a>,
) -> Parsed<'a, Vec<T>> {
    let (mut input, first) = item(input)?;
    let mut items = vec![first];
    loop {
        let comma = token(Kind::Comma, "`,`")(input);
        let result = match comma {
            Ok((rest, _)) => item(rest).map_err(fatal),
            Err(_) => item(input),
        };
        match result {
            Ok((rest, next)) => {
                items.push(next);
                input = rest;
            }
            Err(nom::Err::Error(_)) => return Ok((input, items)),
            Err(fault) => return Err(fault),
        }
    }
}

fn group(input: Tokens<'_>) -> Parsed<'_, Box<Group>> {
    let (rest, _) = keyword(Keyword::Group)(input)?;
    let (rest, _) = by(rest).map_err(fatal)?;
    let (rest, keys) = separated(expecting("a field", word), rest).map_err(fatal)?;
    let (rest, having) = opt(condition(Keyword::Having)).parse(rest)?;
    let span = covered(input, rest);
    Ok((rest, Box::new(Group { keys, having, span })))
}

fn by(input: Tokens<'_>) -> Parsed<'_, Word> {
    let (rest, word) = expecting("`by`", name)(input)?;
    if word.text.eq_ignore_ascii_case("by") {
        Ok((rest, word))
    } else {
        Err(input.unexpected("`by`"))
    }
}
