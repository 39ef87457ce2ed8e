//! The expression grammar that all languages share: NOT over AND over OR; comparisons; `* /` over
//! `+ -`, from left to right.
//!
//! What brackets recurse through is kept small, and expressions are boxed: the stack that
//! [`NESTING_MAX`] levels need has to fit into any thread.

use super::NESTING_MAX;
use super::call::function;
use super::fault::{fatal, too_deep};
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, nested, pick, token, word};
use crate::ast::{Expr, ExprKind};
use crate::lex::{Keyword, Kind};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map, value};
use nom::multi::many0;
use nom::sequence::{pair, preceded};
use wireq_engine::Diagnostic;
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_typesys::CompareOp;

type Node<'a> = Parsed<'a, Box<Expr>>;

/// A whole expression.
pub(super) fn expression(input: Tokens<'_>) -> Node<'_> {
    list(Keyword::Or, ExprKind::Or, conjunction, input)
}

fn conjunction(input: Tokens<'_>) -> Node<'_> {
    list(Keyword::And, ExprKind::And, negation, input)
}

/// Operands with a keyword between them; a single one as it is.
fn list<'a>(
    between: Keyword,
    kind: fn(Vec<Expr>) -> ExprKind,
    operand: fn(Tokens<'a>) -> Node<'a>,
    input: Tokens<'a>,
) -> Node<'a> {
    let (rest, first) = operand(input)?;
    match keyword(between)(rest) {
        Err(_) => Ok((rest, first)),
        Ok(_) => listed(*first, between, kind, operand, rest),
    }
}

fn listed<'a>(
    first: Expr,
    between: Keyword,
    kind: fn(Vec<Expr>) -> ExprKind,
    operand: fn(Tokens<'a>) -> Node<'a>,
    mut input: Tokens<'a>,
) -> Node<'a> {
    let mut span = first.span;
    let mut parts = vec![first];
    while let Ok((rest, _)) = keyword(between)(input) {
        let (rest, next) = operand(rest).map_err(fatal)?;
        span = span.to(next.span);
        parts.push(*next);
        input = rest;
    }
    Ok((input, Expr::boxed(kind(parts), span)))
}

fn negation(input: Tokens<'_>) -> Node<'_> {
    match keyword(Keyword::Not)(input) {
        Err(_) => comparison(input),
        Ok((rest, not)) => {
            let (rest, inner) = nested(negation)(rest).map_err(fatal)?;
            let span = not.span.to(inner.span);
            Ok((rest, Expr::boxed(ExprKind::Not(inner), span)))
        }
    }
}

fn comparison(input: Tokens<'_>) -> Node<'_> {
    let (rest, left) = sum(input)?;
    match rest.first().map(|token| &token.kind) {
        Some(Kind::Compare(_)) => compared(left, rest),
        Some(Kind::Keyword(Keyword::In | Keyword::Not)) => membership(left, rest),
        _ => Ok((rest, left)),
    }
}

/// An operator and the right side of a comparison.
fn compared(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, operator) = compare(input)?;
    let (rest, right) = sum(rest).map_err(fatal)?;
    if let (Ok(_), Some(second)) = (compare(rest), rest.first()) {
        let fault = Diagnostic::new("Q002", second.span, "comparisons cannot be chained");
        let fault = fault
            .label("second comparison")
            .help("write `a < b and b < c`");
        return Err(rest.fail(fault));
    }
    let span = left.span.to(right.span);
    Ok((
        rest,
        Expr::boxed(ExprKind::Compare(operator, left, right), span),
    ))
}

fn compare(input: Tokens<'_>) -> Parsed<'_, CompareOp> {
    pick(|kind| match kind {
        Kind::Compare(operator) => Some(*operator),
        _ => None,
    })(input)
}

/// `in` or `not in`, and the values behind it.
fn membership(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let is_in = expecting("`in`", keyword(Keyword::In));
    let not_in = pair(keyword(Keyword::Not), cut(is_in));
    let (rest, negative) =
        alt((value(false, keyword(Keyword::In)), value(true, not_in))).parse(input)?;
    let values = bracketed(values, "`,`, an operator or `)`");
    let (rest, (values, end)) = cut(expecting("`(`", values)).parse(rest)?;
    let span = left.span.to(end);
    let test = Expr::boxed(ExprKind::In(left, values), span);
    let test = if negative {
        Expr::boxed(ExprKind::Not(test), span)
    } else {
        test
    };
    Ok((rest, test))
}

fn values(input: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    let (input, first) = sum(input)?;
    let next = map(preceded(token(Kind::Comma, "`,`"), cut(sum)), |next| *next);
    let (input, others) = many0(next).parse(input)?;
    Ok((input, std::iter::once(*first).chain(others).collect()))
}

fn sum(input: Tokens<'_>) -> Node<'_> {
    chain(&[ArithmeticOp::Add, ArithmeticOp::Subtract], product, input)
}

fn product(input: Tokens<'_>) -> Node<'_> {
    chain(
        &[ArithmeticOp::Multiply, ArithmeticOp::Divide],
        signed,
        input,
    )
}

/// Operands with operators between them, from left to right.
fn chain<'a>(
    operators: &[ArithmeticOp],
    operand: fn(Tokens<'a>) -> Node<'a>,
    input: Tokens<'a>,
) -> Node<'a> {
    let (rest, first) = operand(input)?;
    match arithmetic(operators, rest) {
        None => Ok((rest, first)),
        Some(_) => chained(first, operators, operand, rest),
    }
}

fn chained<'a>(
    mut left: Box<Expr>,
    operators: &[ArithmeticOp],
    operand: fn(Tokens<'a>) -> Node<'a>,
    mut input: Tokens<'a>,
) -> Node<'a> {
    while let Some((rest, operator)) = arithmetic(operators, input) {
        let (rest, right) = operand(rest).map_err(fatal)?;
        let span = left.span.to(right.span);
        left = Expr::boxed(ExprKind::Arithmetic(operator, left, right), span);
        if left.depth > NESTING_MAX {
            return Err(input.fail(too_deep(input.first().map_or(span, |token| token.span))));
        }
        input = rest;
    }
    Ok((input, left))
}

fn arithmetic<'a>(
    operators: &[ArithmeticOp],
    input: Tokens<'a>,
) -> Option<(Tokens<'a>, ArithmeticOp)> {
    let operator = |kind: &Kind| match kind {
        Kind::Arithmetic(operator) if operators.contains(operator) => Some(*operator),
        _ => None,
    };
    pick(operator)(input).ok()
}

fn signed(input: Tokens<'_>) -> Node<'_> {
    match token(Kind::Arithmetic(ArithmeticOp::Subtract), "`-`")(input) {
        Err(_) => operand(input),
        Ok((rest, minus)) => {
            let (rest, inner) = nested(signed)(rest).map_err(fatal)?;
            let span = minus.span.to(inner.span);
            Ok((rest, Expr::boxed(ExprKind::Negate(inner), span)))
        }
    }
}

fn operand(input: Tokens<'_>) -> Node<'_> {
    match input.first().map(|token| &token.kind) {
        Some(Kind::Open) => grouped(input),
        Some(Kind::Word) if input.second_kind() == Some(&Kind::Open) => {
            let call = |(call, span)| Expr::boxed(ExprKind::Function(call), span);
            map(function, call).parse(input)
        }
        _ => {
            let (rest, word) = expecting("a field, a constant or `(`", word)(input)?;
            let span = word.span;
            Ok((rest, Expr::boxed(ExprKind::Word(word), span)))
        }
    }
}

fn grouped(input: Tokens<'_>) -> Node<'_> {
    let (rest, (mut inner, span)) = bracketed(expression, "an operator or `)`")(input)?;
    inner.span = span;
    Ok((rest, inner))
}
