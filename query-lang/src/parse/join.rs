//! Joins: `SOURCE ALIAS until (CONDITION), ALIAS, SOURCE ALIAS where CONDITION`.

use super::call::{condition, covered};
use super::expression::expression;
use super::fault::fatal;
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, name, token};
use super::query::{Clauses, branch, stage};
use crate::ast::{Expr, JoinInput, Pipeline, Stage, StageKind};
use crate::lex::{Keyword, Kind, Token};
use nom::combinator::{cut, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::{Diagnostic, Span};

/// The first stage of a pipeline, or the last of a from form: it may be a join.
pub(super) fn source(input: Tokens<'_>, clauses: Clauses) -> Parsed<'_, Stage> {
    let (rest, source) = match names_stream(input) {
        true => named_stream(input)?,
        false => stage(input, clauses)?,
    };
    let several = clauses == Clauses::None || follows_name(rest, 1);
    let lists_streams = match rest.kind() {
        Some(Kind::Comma) => true,
        Some(Kind::Keyword(Keyword::From)) => false,
        _ => matches!(source.kind, StageKind::Functions(_)),
    };
    match rest.kind() {
        Some(Kind::Word) if several => join(source, input, rest),
        _ if clauses == Clauses::None && lists_streams => Err(rest.fail(unnamed(source.span))),
        _ => Ok((rest, source)),
    }
}

/// Whether a name for a stream stands behind the name of a definition: `Packets a, b`. Behind the
/// name of a module it would be an argument.
fn names_stream(input: Tokens<'_>) -> bool {
    let behind = input
        .first()
        .filter(|first| first.kind == Kind::Word && input.names.is_stream(first.text))
        .and_then(|_| input.second_kind());
    behind == Some(&Kind::Word) && follows_name(input, 2)
}

/// Whether what stands so many tokens on can only be behind the name of a stream.
fn follows_name(input: Tokens<'_>, at: usize) -> bool {
    let kind = input.iter_elements().nth(at).map(|token| &token.kind);
    matches!(kind, Some(Kind::Comma | Kind::Keyword(Keyword::Until))) || says_most(input, at)
}

/// Whether `max N` stands so many tokens on.
fn says_most(input: Tokens<'_>, at: usize) -> bool {
    let mut tokens = input.iter_elements().skip(at);
    let is_max =
        |token: &Token<'_>| token.kind == Kind::Word && token.text.eq_ignore_ascii_case("max");
    let is_number = |token: &Token<'_>| token.text.starts_with(|c: char| c.is_ascii_digit());
    tokens.next().is_some_and(is_max) && tokens.next().is_some_and(is_number)
}

/// A definition, without brackets.
fn named_stream(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (_, name) = stage(input.take(1), Clauses::None)?;
    Ok((input.take_from(1), name))
}

/// The streams behind the first source, and the condition.
fn join<'a>(first: Stage, begin: Tokens<'a>, input: Tokens<'a>) -> Parsed<'a, Stage> {
    if first.filter.is_some() || first.group.is_some() {
        return Err(fatal(input.unexpected("`|` or the end of the query")));
    }
    let (mut input, first) = named(Some(branch(first)), begin, input)?;
    let mut inputs = vec![first];
    while let Ok((rest, _)) = token(Kind::Comma, "`,`")(input) {
        let (rest, next) = next(rest).map_err(fatal)?;
        inputs.push(next);
        input = rest;
    }
    check(&inputs).map_err(|fault| input.fail(fault))?;
    let (input, condition) = opt(condition(Keyword::Where)).parse(input)?;
    let kind = StageKind::Join { inputs, condition };
    Ok((input, Stage::new(kind, covered(begin, input))))
}

/// A stream behind the first: a source and a name, or a name alone.
fn next(input: Tokens<'_>) -> Parsed<'_, JoinInput> {
    let has_source = match (input.kind(), input.second_kind()) {
        (Some(Kind::Open), _) => true,
        (Some(Kind::Word | Kind::Function), Some(Kind::Open)) => true,
        (Some(Kind::Word), Some(Kind::Word)) => {
            !input.take_from(1).is_word("until") && !says_most(input, 1)
        }
        _ => false,
    };
    if !has_source {
        return named(None, input, input);
    }
    let (rest, source) = match input.second_kind() {
        Some(Kind::Word) if input.kind() != Some(&Kind::Open) => named_stream(input)?,
        _ => stage(input, Clauses::None)?,
    };
    named(Some(branch(source)), input, rest)
}

/// The name of a stream, how many of its objects are kept, and until when, in either order.
fn named<'a>(
    source: Option<Pipeline>,
    begin: Tokens<'a>,
    input: Tokens<'a>,
) -> Parsed<'a, JoinInput> {
    let (input, alias) = expecting("a name for the stream", name)(input)?;
    if input.is_word("until") {
        return Err(fatal(input.take_from(1).unexpected("`(`")));
    }
    let (input, before) = max(input)?;
    let (input, until) = opt(preceded(keyword(Keyword::Until), cut(until))).parse(input)?;
    let (input, behind) = match before {
        None => max(input)?,
        Some(_) => (input, None),
    };
    let join = JoinInput {
        source,
        alias,
        max: before.or(behind),
        until,
        span: covered(begin, input),
    };
    Ok((input, join))
}

/// `max N`, if it stands here.
fn max(input: Tokens<'_>) -> Parsed<'_, Option<usize>> {
    match says_most(input, 0) {
        true => most(input.take_from(1)).map(|(rest, max)| (rest, Some(max))),
        false => Ok((input, None)),
    }
}

/// How many objects of a stream are kept.
fn most(input: Tokens<'_>) -> Parsed<'_, usize> {
    let (rest, most) = name(input)?;
    match most.text.parse() {
        Ok(max) if max > 0 => Ok((rest, max)),
        _ => {
            let fault = Diagnostic::new("Q052", most.span, "this is no number of objects");
            let help = "`a max 1000` keeps the 1000 objects that came last";
            Err(input.fail(fault.label("not a whole number above 0").help(help)))
        }
    }
}

fn until(input: Tokens<'_>) -> Parsed<'_, Box<Expr>> {
    let (rest, (condition, _)) = bracketed(expression, "an operator or `)`")(input)?;
    Ok((rest, condition))
}

fn check(inputs: &[JoinInput]) -> Result<(), Diagnostic> {
    if let [only] = inputs {
        let message = format!("`{}` is the name of a single stream", only.alias.text);
        let fault = Diagnostic::new("Q052", only.alias.span, message).label("nothing to join");
        return Err(fault.help(
            "a join has several streams with names: `SOURCE() a, b where a.srcip = b.dstip`",
        ));
    }
    let mut names = std::collections::HashSet::new();
    let twice = inputs.iter().find(|input| !names.insert(&input.alias.text));
    match twice {
        None => Ok(()),
        Some(input) => {
            let message = format!("two streams are called `{}`", input.alias.text);
            let fault = Diagnostic::new("Q052", input.alias.span, message);
            Err(fault.label("second one").help("give this one another name"))
        }
    }
}

fn unnamed(span: Span) -> Diagnostic {
    Diagnostic::new("Q052", span, "the streams of a join need names")
        .label("no name")
        .help("name them: `from SOURCE() a, SOURCE() b where a.srcip = b.dstip`; streams are merged with `+`: `from (SOURCE + SOURCE)`")
}
