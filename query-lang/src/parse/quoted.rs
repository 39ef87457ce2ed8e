//! Expressions in quotes: `filter("a > 1 or b")`.

use super::expression::expression;
use super::fault::{Unexpected, diagnose};
use super::input::Tokens;
use crate::ast::{Expr, ExprKind};
use crate::lex::{Token, lex_expression};
use crate::names::Names;
use crate::scan::scan;
use wireq_engine::arguments::Word;
use wireq_engine::{Diagnostic, Span};

/// The expression that is written in quotes, where an expression is nothing but text in quotes.
pub(super) fn quoted_expression(
    outer: Box<Expr>,
    input: Tokens<'_>,
) -> Result<Box<Expr>, nom::Err<Unexpected>> {
    match outer.kind {
        ExprKind::Word(word) if word.quoted => {
            read(&word, input.names).map_err(|fault| input.fail(fault))
        }
        _ => Ok(outer),
    }
}

/// The expression in a text. Where the text stands as it is written, faults are placed in it.
pub(crate) fn read(text: &Word, names: &dyn Names) -> Result<Box<Expr>, Diagnostic> {
    let place = |span: Span| match text.text.len() + 2 == text.span.end - text.span.start {
        true => Span::new(
            span.start + text.span.start + 1,
            span.end + text.span.start + 1,
        ),
        false => text.span,
    };
    let raws = scan(&text.text);
    let (mut tokens, faults) = lex_expression(&text.text, &raws, names);
    tokens
        .iter_mut()
        .for_each(|token| token.span = place(token.span));
    if let Some(fault) = faults.into_iter().next() {
        return Err(Diagnostic {
            span: place(fault.span),
            ..fault
        });
    }
    match expression(Tokens::new(&tokens, names)) {
        Ok((rest, expr)) if rest.first().is_none() => Ok(expr),
        Ok((rest, _)) => Err(diagnose_in(
            rest.unexpected("an operator or the end of the text"),
            &tokens,
            text.span,
        )),
        Err(fault) => Err(diagnose_in(fault, &tokens, text.span)),
    }
}

/// The fault in words; where the text is empty, at the text.
fn diagnose_in(fault: nom::Err<Unexpected>, tokens: &[Token<'_>], whole: Span) -> Diagnostic {
    let fault = match fault {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => diagnose(fault, tokens),
        nom::Err::Incomplete(_) => unreachable!("an expression is complete"),
    };
    if tokens.is_empty() {
        Diagnostic {
            span: whole,
            ..fault
        }
    } else {
        fault
    }
}
