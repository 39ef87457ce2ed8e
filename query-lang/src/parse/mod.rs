//! Tokens -> AST.
//!
//! The grammars are predictive: which alternative applies shows at the next token or two, so
//! parsing is linear in the text.

mod expression;
mod fault;
mod input;
mod pipe;

use crate::ast::Pipeline;
use crate::lex::Token;
use fault::diagnose;
use input::Tokens;
use wireq_engine::Diagnostic;

/// How deep brackets, `not`, signs and arithmetic may be nested.
pub(crate) const NESTING_MAX: usize = 200;

/// Parses a statement in the pipe form.
///
/// # Errors
/// The first thing that does not fit the grammar.
pub(crate) fn parse(tokens: &[Token<'_>]) -> Result<Pipeline, Diagnostic> {
    match pipe::statement(Tokens::new(tokens)) {
        Ok((_, pipeline)) => Ok(pipeline),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(diagnose(fault, tokens)),
        Err(nom::Err::Incomplete(_)) => unreachable!("a statement is complete"),
    }
}
