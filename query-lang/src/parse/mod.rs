//! Tokens -> AST.
//!
//! The grammars are predictive: which alternative applies shows at the next token or two, so
//! parsing is linear in the text.

mod call;
mod expression;
mod fault;
mod from;
mod infix;
mod input;
mod join;
mod operand;
mod query;
mod quoted;
mod select;
mod table;
#[cfg(test)]
mod tests;

use crate::ast::Statement;
use crate::lex::Token;
use crate::names::Names;
use fault::diagnose;
use input::Tokens;
pub(crate) use quoted::read as read_expression;
use wireq_engine::Diagnostic;

/// How deep brackets, `not`, signs and arithmetic may be nested.
pub(crate) const NESTING_MAX: usize = 200;

/// Parses a statement.
///
/// # Errors
/// The first thing that does not fit the grammar.
pub(crate) fn parse(tokens: &[Token<'_>], names: &dyn Names) -> Result<Statement, Diagnostic> {
    match query::statement(Tokens::new(tokens, names)) {
        Ok((_, statement)) => Ok(statement),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(diagnose(fault, tokens)),
        Err(nom::Err::Incomplete(_)) => unreachable!("a statement is complete"),
    }
}
