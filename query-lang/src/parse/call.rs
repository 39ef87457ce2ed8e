//! Calls with arguments and clauses.

use super::expression::expression;
use super::fault::{Unexpected, fatal};
use super::input::{
    Parsed, Tokens, bracketed, expecting, keyword, name, nested, token, unquoted, word,
};
use super::operand::scalar;
use super::query::Clauses;
use super::quoted::quoted_expression;
use crate::ast::{Argument, ArgumentValue, Call, Every, Expr, Group, Stage, StageKind};
use crate::lex::{Keyword, Kind, Token};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::arguments::Word;
use wireq_engine::{Diagnostic, Span};

/// `where` or `filter` as a stage. What `filter` finds in quotes is read as an expression.
pub(super) fn filter(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (rest, expr) = condition(Keyword::Where)(input)?;
    let is_filter = |word: &str| word.eq_ignore_ascii_case("filter");
    let expr = match input.first() {
        Some(word) if is_filter(word.text) => quoted_expression(expr, input)?,
        _ => expr,
    };
    let stage = Stage::new(StageKind::Where(expr), covered(input, rest));
    Ok((rest, stage))
}

pub(super) fn call(input: Tokens<'_>, clauses: Clauses) -> Parsed<'_, Stage> {
    let (rest, kind) = expecting("a module, `where` or `(`", call_alone)(input)?;
    if clauses == Clauses::None {
        return Ok((rest, Stage::new(kind, covered(input, rest))));
    }
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
pub(super) fn covered<'a>(input: Tokens<'a>, rest: Tokens<'a>) -> Span {
    let mut tokens = input
        .take(input.input_len() - rest.input_len())
        .iter_elements();
    let first = tokens.next().map(|token| token.span).unwrap_or_default();
    tokens.next_back().map_or(first, |last| first.to(last.span))
}

/// A keyword and an expression, behind which nothing is left of an expression.
pub(super) fn condition<'a>(word: Keyword) -> impl FnMut(Tokens<'a>) -> Parsed<'a, Box<Expr>> {
    move |input| {
        let (rest, condition) = preceded(keyword(word), cut(expression)).parse(input)?;
        match rest.first().map(|token| &token.kind) {
            None
            | Some(
                Kind::Pipe
                | Kind::Close
                | Kind::Keyword(Keyword::Group | Keyword::Every | Keyword::Having | Keyword::From),
            ) => Ok((rest, condition)),
            Some(_) => Err(fatal(
                rest.unexpected("an operator, `|` or the end of the query"),
            )),
        }
    }
}

/// A module with arguments, or functions side by side.
fn call_alone(input: Tokens<'_>) -> Parsed<'_, StageKind> {
    let in_quotes = |token: &Token<'_>| {
        // Not what an argument of the command stands for.
        matches!(token.kind, Kind::Quoted(_)) && token.text.starts_with(['\'', '"'])
    };
    if input.first().is_some_and(in_quotes) {
        // A file: what it holds says what reads it.
        let (rest, file) = word(input)?;
        let call = Call::of_words(file, Vec::new());
        return Ok((rest, StageKind::Call(Box::new(call))));
    }
    if input.second_kind() != Some(&Kind::Open) {
        let (rest, name) = name(input)?;
        let (rest, arguments) = arguments(rest)?;
        let call = Call {
            name,
            arguments,
            of_verb: false,
            span: covered(input, rest),
        };
        return Ok((rest, StageKind::Call(Box::new(call))));
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
    let call = Call {
        name,
        arguments,
        of_verb: false,
        span,
    };
    Ok((input, (Box::new(call), span)))
}

/// Arguments with commas or white space between them; there may be none.
fn arguments(input: Tokens<'_>) -> Parsed<'_, Vec<Argument>> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Word | Kind::Quoted(_) | Kind::Function | Kind::OpenExpression) => {
            separated(named(value), input)
        }
        _ => Ok((input, Vec::new())),
    }
}

fn value(input: Tokens<'_>) -> Parsed<'_, ArgumentValue> {
    match (input.kind(), input.second_kind()) {
        (Some(Kind::OpenExpression), _) => column(input),
        (Some(Kind::Function), _) => map(scalar, ArgumentValue::Expression).parse(input),
        (_, Some(Kind::Open)) => function_value(input),
        _ => map(expecting("an argument", word), ArgumentValue::Word).parse(input),
    }
}

/// `[ EXPRESSION ]`.
fn column(input: Tokens<'_>) -> Parsed<'_, ArgumentValue> {
    let (inside, open) = token(Kind::OpenExpression, "`[`")(input)?;
    let (rest, expr) = nested(expression)(inside).map_err(fatal)?;
    match rest.next() {
        Some((rest, close)) if close.kind == Kind::CloseExpression => {
            Ok((rest, ArgumentValue::Expression(expr)))
        }
        Some(_) => Err(fatal(rest.unexpected("an operator or `]`"))),
        None => {
            let fault = Diagnostic::new("Q004", open.span, "this bracket is not closed");
            Err(input.fail(fault.help("write `]` where the expression ends")))
        }
    }
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
        let (rest, value) = value.parse(input)?;
        let alias = preceded(keyword(Keyword::As), cut(expecting("a name", word)));
        let (rest, alias) = opt(alias).parse(rest)?;
        // The column of a scalar function has the function's name, in or out of place.
        let alias = alias.or_else(|| match (&value, input.kind()) {
            (ArgumentValue::Expression(_), Some(Kind::Function)) => input.first().map(unquoted),
            _ => None,
        });
        Ok((rest, Argument { value, alias }))
    }
}

/// At least one item, with a comma or nothing between two.
pub(super) fn separated<'a, T>(
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

pub(super) fn group(input: Tokens<'_>) -> Parsed<'_, Box<Group>> {
    let (rest, keys) = match keyword(Keyword::Group)(input) {
        Ok((rest, _)) => {
            let (rest, _) = by(rest).map_err(fatal)?;
            separated(expecting("a field", word), rest).map_err(fatal)?
        }
        // `every` makes groups by itself.
        Err(_) if input.kind() == Some(&Kind::Keyword(Keyword::Every)) => (input, Vec::new()),
        Err(fault) => return Err(fault),
    };
    let (rest, every) = opt(every).parse(rest)?;
    let (rest, having) = opt(condition(Keyword::Having)).parse(rest)?;
    let span = covered(input, rest);
    let group = Group {
        keys,
        every,
        having,
        span,
    };
    Ok((rest, Box::new(group)))
}

/// `every 10s`, with `of 1m` and `late 5s` behind it.
fn every(input: Tokens<'_>) -> Parsed<'_, Every> {
    let (rest, _) = keyword(Keyword::Every)(input)?;
    let (rest, period) = expecting("a period", word)(rest).map_err(fatal)?;
    let (rest, of) = behind_word("of", rest)?;
    let (rest, late) = behind_word("late", rest)?;
    let span = covered(input, rest);
    let every = Every {
        period,
        of,
        late,
        span,
    };
    Ok((rest, every))
}

/// The word behind one that may be there.
fn behind_word<'a>(name: &str, input: Tokens<'a>) -> Parsed<'a, Option<Word>> {
    match input.next().filter(|_| input.is_word(name)) {
        Some((rest, _)) => {
            let (rest, word) = expecting("a length of time", word)(rest).map_err(fatal)?;
            Ok((rest, Some(word)))
        }
        None => Ok((input, None)),
    }
}

fn by(input: Tokens<'_>) -> Parsed<'_, Word> {
    let (rest, word) = expecting("`by`", name)(input)?;
    if word.text.eq_ignore_ascii_case("by") {
        Ok((rest, word))
    } else {
        Err(input.unexpected("`by`"))
    }
}
