//! What operators stand between: fields, constants, calls, brackets, `case`, `cast`; and `::`.

use super::call::{covered, function};
use super::expression::{Node, expression, grown};
use super::fault::fatal;
use super::infix::values;
use super::input::{
    Parsed, Tokens, bracketed, expecting, keyword, name, nested, small_word, token, unquoted, word,
};
use crate::ast::{Case, Constant, Expr, ExprKind, Operator, ScalarCall, TypeName};
use crate::lex::{Clause, Keyword, Kind};
use nom::combinator::{cut, map, opt};
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::arguments::Word;

/// An operand, with the types that it is converted to.
pub(super) fn operand(input: Tokens<'_>) -> Node<'_> {
    let (mut input, mut operand) = plain(input)?;
    while let Ok((rest, _)) = token(Kind::Cast, "`::`")(input) {
        let (rest, to) = type_name(rest).map_err(fatal)?;
        let span = operand.span.to(covered(input, rest));
        operand = Expr::boxed(ExprKind::Cast(operand, to), span);
        grown(&operand, input)?;
        input = rest;
    }
    Ok((input, operand))
}

fn plain(input: Tokens<'_>) -> Node<'_> {
    match input.kind() {
        Some(Kind::Open) => grouped(input),
        Some(Kind::Function) if input.first().is_some_and(|name| is(name.text, "cast")) => {
            cast(input)
        }
        Some(Kind::Function) if is_extract(input) => extract(input),
        Some(Kind::Function) => scalar(input),
        Some(Kind::Word) if is_case(input) => case(input),
        Some(Kind::Word) if is_typed(input) => typed(input),
        Some(Kind::Identifier(_)) => identifier(input),
        Some(Kind::Word) if input.second_kind() == Some(&Kind::Open) => {
            let call = |(call, span)| Expr::boxed(ExprKind::Function(call), span);
            map(function, call).parse(input)
        }
        _ => constant_or_field(input),
    }
}

fn is(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

fn constant_or_field(input: Tokens<'_>) -> Node<'_> {
    let (rest, word) = expecting("a field, a constant or `(`", word)(input)?;
    let span = word.span;
    let constant = Constant::named(&word.text).filter(|_| !word.quoted);
    let kind = constant.map_or(ExprKind::Word(word), ExprKind::Constant);
    Ok((rest, Expr::boxed(kind, span)))
}

/// The name of a field in double quotes.
fn identifier(input: Tokens<'_>) -> Node<'_> {
    let named = input.next().and_then(|(rest, token)| match &token.kind {
        Kind::Identifier(text) => Some((rest, text.clone(), unquoted(token))),
        _ => None,
    });
    let (rest, text, word) = named.ok_or_else(|| input.unexpected("a field"))?;
    let field = ExprKind::Field(Word { text, ..word });
    Ok((rest, Expr::boxed(field, covered(input, rest))))
}

/// Whether a type and a text in quotes stand here: `date '2024-01-31'`.
fn is_typed(input: Tokens<'_>) -> bool {
    let is_text = matches!(input.second_kind(), Some(Kind::Quoted(_)));
    is_text
        && ["date", "time", "timestamp", "interval"]
            .iter()
            .any(|name| input.is_word(name))
}

fn typed(input: Tokens<'_>) -> Node<'_> {
    let (rest, to) = type_name(input)?;
    let (rest, text) = constant_or_field(rest)?;
    Ok((
        rest,
        Expr::boxed(ExprKind::Cast(text, to), covered(input, rest)),
    ))
}

fn grouped(input: Tokens<'_>) -> Node<'_> {
    let (rest, (mut inner, span)) = bracketed(expression, "an operator or `)`")(input)?;
    inner.span = span;
    Ok((rest, inner))
}

/// A call of a scalar function.
pub(super) fn scalar(input: Tokens<'_>) -> Node<'_> {
    let (rest, name) = token(Kind::Function, "a function")(input)?;
    let mut arguments = bracketed(arguments, "`,`, an operator or `)`");
    let (rest, ((distinct, arguments), _)) = arguments(rest)?;
    let span = covered(input, rest);
    let call = ScalarCall {
        name: unquoted(name),
        distinct,
        arguments,
        span,
    };
    Ok((rest, Expr::boxed(ExprKind::Scalar(Box::new(call)), span)))
}

/// The arguments of a function, and whether `distinct` is before them.
fn arguments(input: Tokens<'_>) -> Parsed<'_, (bool, Vec<Expr>)> {
    let star = Kind::Operator(Operator::Multiply);
    match (input.kind(), input.second_kind()) {
        (Some(Kind::Close), _) => Ok((input, (false, Vec::new()))),
        (Some(first), Some(Kind::Close)) if *first == star => {
            Ok((input.take_from(1), (false, Vec::new())))
        }
        (Some(Kind::Keyword(Keyword::Select(Clause::Distinct))), _) => {
            map(values, |values| (true, values)).parse(input.take_from(1))
        }
        _ => map(values, |values| (false, values)).parse(input),
    }
}

/// `cast(EXPRESSION as TYPE)`.
fn cast(input: Tokens<'_>) -> Node<'_> {
    let (rest, _) = token(Kind::Function, "`cast`")(input)?;
    let (rest, ((inner, to), _)) = bracketed(as_type, "`)`")(rest)?;
    let span = covered(input, rest);
    Ok((rest, Expr::boxed(ExprKind::Cast(inner, to), span)))
}

fn as_type(input: Tokens<'_>) -> Parsed<'_, (Box<Expr>, TypeName)> {
    let (input, inner) = expression(input)?;
    let expected = "an operator or `as` and a type";
    let (input, _) = match input.kind() {
        Some(Kind::Keyword(_)) => keyword(Keyword::As)(input),
        _ => small_word("as", expected)(input),
    }
    .map_err(|_| fatal(input.unexpected(expected)))?;
    let (input, to) = type_name(input).map_err(fatal)?;
    Ok((input, (inner, to)))
}

/// Whether `extract(PART from ...)` stands here.
fn is_extract(input: Tokens<'_>) -> bool {
    let fourth = input.iter_elements().nth(3).map(|token| &token.kind);
    input.first().is_some_and(|name| is(name.text, "extract"))
        && fourth == Some(&Kind::Keyword(Keyword::From))
}

/// `extract(PART from TIME)` is `date_part('PART', TIME)`.
fn extract(input: Tokens<'_>) -> Node<'_> {
    let (rest, name) = token(Kind::Function, "`extract`")(input)?;
    let (rest, ((part, time), _)) = bracketed(part_of_time, "an operator or `)`")(rest)?;
    let span = covered(input, rest);
    let call = ScalarCall {
        name: Word {
            text: "date_part".to_owned(),
            ..unquoted(name)
        },
        distinct: false,
        arguments: vec![*part, *time],
        span,
    };
    Ok((rest, Expr::boxed(ExprKind::Scalar(Box::new(call)), span)))
}

fn part_of_time(input: Tokens<'_>) -> Parsed<'_, (Box<Expr>, Box<Expr>)> {
    let (input, part) = expecting("a part of a time, such as `hour`", name)(input)?;
    let (input, _) = keyword(Keyword::From)(input)?;
    let (input, time) = expression(input)?;
    let span = part.span;
    let part = ExprKind::Word(Word {
        quoted: true,
        ..part
    });
    Ok((input, (Expr::boxed(part, span), time)))
}

/// `NAME` or `NAME(NUMBER, ...)`.
fn type_name(input: Tokens<'_>) -> Parsed<'_, TypeName> {
    let name = map(token(Kind::Function, "a type"), unquoted).or(name);
    let (rest, name) = expecting("a type", name)(input)?;
    let parameters = bracketed(numbers, "`,` or `)`");
    let (rest, parameters) = match rest.kind() {
        Some(Kind::Open) => map(parameters, |(numbers, _)| numbers).parse(rest)?,
        _ => (rest, Vec::new()),
    };
    Ok((rest, TypeName { name, parameters }))
}

fn numbers(input: Tokens<'_>) -> Parsed<'_, Vec<Word>> {
    super::call::separated(expecting("a number", name), input)
}

/// Whether `case` begins `case when ...` or `case OPERAND when ...` and is no field.
fn is_case(input: Tokens<'_>) -> bool {
    let behind = input.next().map(|(behind, _)| behind);
    input.is_word("case")
        && behind.is_some_and(|behind| match behind.kind() {
            Some(Kind::Word) => !["is", "between", "like", "ilike", "then", "else", "end"]
                .iter()
                .any(|word| behind.is_word(word)),
            Some(Kind::Quoted(_) | Kind::Open | Kind::Function) => true,
            _ => false,
        })
}

fn case(input: Tokens<'_>) -> Node<'_> {
    let (rest, _) = small_word("case", "`case`")(input)?;
    let (rest, case) = nested(case_body)(rest).map_err(fatal)?;
    let kind = ExprKind::Case(Box::new(case));
    Ok((rest, Expr::boxed(kind, covered(input, rest))))
}

fn case_body(input: Tokens<'_>) -> Parsed<'_, Case> {
    let (mut input, operand) = match input.is_word("when") {
        true => (input, None),
        false => map(expression, |operand| Some(*operand)).parse(input)?,
    };
    let mut branches = Vec::new();
    while branches.is_empty() || input.is_word("when") {
        let (rest, _) = small_word("when", "an operator or `when`")(input)?;
        let (rest, condition) = expression(rest)?;
        let (rest, _) = small_word("then", "an operator or `then`")(rest)?;
        let (rest, value) = expression(rest)?;
        branches.push((*condition, *value));
        input = rest;
    }
    let otherwise = preceded(small_word("else", "`else`"), cut(expression));
    let (input, otherwise) = opt(otherwise).parse(input)?;
    let (input, _) = small_word("end", "an operator, `when`, `else` or `end`")(input)?;
    let case = Case {
        operand,
        branches,
        otherwise: otherwise.map(|otherwise| *otherwise),
    };
    Ok((input, case))
}
