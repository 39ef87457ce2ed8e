//! The expression grammar that all languages share. Operators bind as in PostgreSQL.
//!
//! What brackets recurse through is kept small, and expressions are boxed: the stack that
//! [`NESTING_MAX`] levels need has to fit into any thread.

use super::NESTING_MAX;
use super::fault::{fatal, too_deep};
use super::infix::{infix, power};
use super::input::{Parsed, Tokens, nested};
use super::operand::operand;
use crate::ast::{Expr, ExprKind, Operator};
use crate::lex::{Keyword, Kind};

pub(super) type Node<'a> = Parsed<'a, Box<Expr>>;

/// How tightly operators bind, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Power {
    Or,
    And,
    Not,
    Is,
    Compare,
    /// `in`, `between`, `like`.
    Range,
    Concatenate,
    Sum,
    Product,
    Sign,
}

/// A whole expression.
pub(super) fn expression(input: Tokens<'_>) -> Node<'_> {
    climb(Power::Or, input)
}

/// An expression of operators that bind at least so tightly.
pub(super) fn climb(least: Power, input: Tokens<'_>) -> Node<'_> {
    let (mut input, mut left) = prefix(least, input)?;
    while power(input).is_some_and(|power| power >= least) {
        let (rest, whole) = infix(left, input)?;
        left = whole;
        grown(&left, input)?;
        input = rest;
    }
    Ok((input, left))
}

/// Checks an expression that grows from left to right. Lists grow in breadth.
pub(super) fn grown<'a>(
    whole: &Expr,
    input: Tokens<'a>,
) -> Result<(), nom::Err<super::fault::Unexpected>> {
    let list = matches!(whole.kind, ExprKind::And(_) | ExprKind::Or(_));
    if list || whole.depth <= NESTING_MAX {
        return Ok(());
    }
    Err(input.fail(too_deep(
        input.first().map_or(whole.span, |token| token.span),
    )))
}

/// What stands before an operand: `not`, `-`, `+`.
fn prefix(least: Power, input: Tokens<'_>) -> Node<'_> {
    let Some((rest, first)) = input.next() else {
        return operand(input);
    };
    let (power, wrap): (Power, fn(Box<Expr>) -> ExprKind) = match first.kind {
        Kind::Keyword(Keyword::Not) if least <= Power::Not => (Power::Not, ExprKind::Not),
        Kind::Operator(Operator::Subtract) => (Power::Sign, ExprKind::Negate),
        Kind::Operator(Operator::Add) => (Power::Sign, |inner| inner.kind),
        _ => return operand(input),
    };
    let (rest, inner) = nested(|input| climb(power, input))(rest).map_err(fatal)?;
    let span = first.span.to(inner.span);
    Ok((rest, Expr::boxed(wrap(inner), span)))
}
