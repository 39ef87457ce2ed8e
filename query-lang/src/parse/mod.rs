//! Tokens -> AST.
//!
//! The grammars are predictive: which alternative applies shows at the next token or two, so
//! parsing is linear in the text.

mod call;
mod expression;
mod fault;
mod from;
mod input;
mod query;
mod quoted;

use crate::ast::Statement;
use crate::lex::Token;
use fault::diagnose;
use input::Tokens;
use wireq_engine::Diagnostic;

/// How deep brackets, `not`, signs and arithmetic may be nested.
pub(crate) const NESTING_MAX: usize = 200;

/// Parses a statement.
///
/// # Errors
/// The first thing that does not fit the grammar.
pub(crate) fn parse(tokens: &[Token<'_>]) -> Result<Statement, Diagnostic> {
    match query::statement(Tokens::new(tokens)) {
        Ok((_, statement)) => Ok(statement),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(diagnose(fault, tokens)),
        Err(nom::Err::Incomplete(_)) => unreachable!("a statement is complete"),
    }
}
