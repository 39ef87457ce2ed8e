//! What stands between operands or behind one: operators, lists of conditions, `in`, `between`,
//! `like`, `is`.

use super::expression::{Node, Power, climb, expression};
use super::fault::fatal;
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, pick, small_word, token};
use crate::ast::{Constant, Expr, ExprKind, Like, Operator};
use crate::lex::{Keyword, Kind};
use nom::combinator::{cut, map, opt};
use nom::multi::many0;
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::CompareOp;

/// How tightly the next token binds what is before it, where it is an operator.
pub(super) fn power(input: Tokens<'_>) -> Option<Power> {
    match input.kind()? {
        Kind::Keyword(Keyword::Or) => Some(Power::Or),
        Kind::Keyword(Keyword::And) => Some(Power::And),
        Kind::Keyword(Keyword::In | Keyword::Not) => Some(Power::Range),
        Kind::Compare(_) => Some(Power::Compare),
        Kind::Operator(operator) => Some(operator_power(*operator)),
        Kind::Word if input.is_word("is") => Some(Power::Is),
        Kind::Word if is_range(input) => Some(Power::Range),
        _ => None,
    }
}

fn operator_power(operator: Operator) -> Power {
    match operator {
        Operator::Concatenate => Power::Concatenate,
        Operator::Add | Operator::Subtract => Power::Sum,
        Operator::Multiply | Operator::Divide | Operator::IntegerDivide | Operator::Modulo => {
            Power::Product
        }
    }
}

fn is_range(input: Tokens<'_>) -> bool {
    ["between", "like", "ilike"]
        .iter()
        .any(|word| input.is_word(word))
}

/// What the next token makes of the expression before it.
pub(super) fn infix(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    match input.kind() {
        Some(Kind::Keyword(Keyword::Or)) => {
            listed(*left, Keyword::Or, ExprKind::Or, Power::And, input)
        }
        Some(Kind::Keyword(Keyword::And)) => {
            listed(*left, Keyword::And, ExprKind::And, Power::Not, input)
        }
        Some(Kind::Compare(_)) => compared(left, input),
        Some(Kind::Operator(_)) => operation(left, input),
        Some(Kind::Keyword(_)) => range(left, input),
        _ if input.is_word("is") => is(left, input),
        _ => range(left, input),
    }
}

/// Operands with a keyword between them.
fn listed<'a>(
    first: Expr,
    between: Keyword,
    kind: fn(Vec<Expr>) -> ExprKind,
    operands: Power,
    mut input: Tokens<'a>,
) -> Node<'a> {
    let mut span = first.span;
    let mut parts = vec![first];
    while let Ok((rest, _)) = keyword(between)(input) {
        let (rest, next) = climb(operands, rest).map_err(fatal)?;
        span = span.to(next.span);
        parts.push(*next);
        input = rest;
    }
    Ok((input, Expr::boxed(kind(parts), span)))
}

/// An operator and the right side of a comparison.
fn compared(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, operator) = compare(input)?;
    let (rest, right) = climb(Power::Range, rest).map_err(fatal)?;
    if let (Ok(_), Some(second)) = (compare(rest), rest.first()) {
        let fault = Diagnostic::new("Q002", second.span, "comparisons cannot be chained");
        let fault = fault
            .label("second comparison")
            .help("write `a < b and b < c`");
        return Err(rest.fail(fault));
    }
    let span = left.span.to(right.span);
    let kind = ExprKind::Compare(operator, left, right);
    Ok((rest, Expr::boxed(kind, span)))
}

fn compare(input: Tokens<'_>) -> Parsed<'_, CompareOp> {
    pick(|kind| match kind {
        Kind::Compare(operator) => Some(*operator),
        _ => None,
    })(input)
}

/// An arithmetic operator and its right side.
fn operation(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, operator) = pick(|kind| match kind {
        Kind::Operator(operator) => Some(*operator),
        _ => None,
    })(input)?;
    let operands = match operator_power(operator) {
        Power::Concatenate => Power::Sum,
        Power::Sum => Power::Product,
        _ => Power::Sign,
    };
    let (rest, right) = climb(operands, rest).map_err(fatal)?;
    let span = left.span.to(right.span);
    let kind = ExprKind::Operation(operator, left, right);
    Ok((rest, Expr::boxed(kind, span)))
}

/// `is [not] null`, `is [not] true`, `is [not] false`.
fn is(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, _) = small_word("is", "`is`")(input)?;
    let (rest, negative) = opt(keyword(Keyword::Not)).parse(rest)?;
    let found = rest.next().filter(|(_, token)| token.kind == Kind::Word);
    let found = found.and_then(|(end, word)| Some((end, word, Constant::named(word.text)?)));
    let Some((end, word, constant)) = found else {
        let expected = match negative {
            Some(_) => "`null`, `true` or `false`",
            None => "`null`, `true`, `false` or `not`",
        };
        return Err(fatal(rest.unexpected(expected)));
    };
    let span = left.span.to(word.span);
    let test = Expr::boxed(ExprKind::Is(left, constant), span);
    Ok((end, negated(negative.is_some(), test)))
}

/// `in`, `between`, `like` or `ilike`, each with or without `not`.
fn range(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, negative) = opt(keyword(Keyword::Not)).parse(input)?;
    let (rest, test) = match rest.kind() {
        Some(Kind::Keyword(Keyword::In)) => membership(left, rest)?,
        _ if rest.is_word("between") => between(*left, rest)?,
        _ if is_range(rest) => like(*left, rest)?,
        _ => return Err(fatal(rest.unexpected("`in`, `between` or `like`"))),
    };
    Ok((rest, negated(negative.is_some(), test)))
}

fn negated(negative: bool, test: Box<Expr>) -> Box<Expr> {
    let span = test.span;
    match negative {
        true => Expr::boxed(ExprKind::Not(test), span),
        false => test,
    }
}

fn membership(left: Box<Expr>, input: Tokens<'_>) -> Node<'_> {
    let (rest, _) = keyword(Keyword::In)(input)?;
    let values = bracketed(values, "`,`, an operator or `)`");
    let (rest, (values, end)) = cut(expecting("`(`", values)).parse(rest)?;
    let span: Span = left.span.to(end);
    Ok((rest, Expr::boxed(ExprKind::In(left, values), span)))
}

/// Expressions with commas between them; at least one.
pub(super) fn values(input: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    let (input, first) = expression(input)?;
    let next = preceded(token(Kind::Comma, "`,`"), cut(expression));
    let (input, others) = many0(map(next, |next| *next)).parse(input)?;
    Ok((input, std::iter::once(*first).chain(others).collect()))
}

fn between(left: Expr, input: Tokens<'_>) -> Node<'_> {
    let (rest, low) = climb(Power::Concatenate, input.take_from(1)).map_err(fatal)?;
    let and = expecting("`and` and the upper bound", keyword(Keyword::And));
    let (rest, high) = preceded(and, |input| climb(Power::Concatenate, input))
        .parse(rest)
        .map_err(fatal)?;
    let span = left.span.to(high.span);
    let parts = Box::new([left, *low, *high]);
    Ok((rest, Expr::boxed(ExprKind::Between(parts), span)))
}

fn like(left: Expr, input: Tokens<'_>) -> Node<'_> {
    let (rest, pattern) = climb(Power::Concatenate, input.take_from(1)).map_err(fatal)?;
    let span = left.span.to(pattern.span);
    let like = Like {
        text: left,
        pattern: *pattern,
        any_case: input.is_word("ilike"),
    };
    Ok((rest, Expr::boxed(ExprKind::Like(Box::new(like)), span)))
}
