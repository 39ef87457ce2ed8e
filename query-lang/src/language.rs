//! Which language a statement is in.

use crate::lex::{Kind, Token};
use std::fmt;
use wireq_engine::{Diagnostic, Span};

/// The languages of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Any: the statement shows it.
    #[default]
    Auto,
    /// Pipelines and the from form.
    Pipe,
    /// `SELECT` statements.
    Sql,
    /// Definitions, and pipelines that use them.
    Datalog,
}

impl Language {
    /// All of them by name.
    pub const ALL: [(&'static str, Language); 4] = [
        ("auto", Language::Auto),
        ("pipe", Language::Pipe),
        ("sql", Language::Sql),
        ("datalog", Language::Datalog),
    ];

    /// The language that a statement is in.
    fn of(tokens: &[Token<'_>]) -> Language {
        let first = tokens.iter().find(|token| token.kind != Kind::Open);
        if tokens.iter().any(|token| token.kind == Kind::Define) {
            Language::Datalog
        } else if first.is_some_and(|token| token.text.eq_ignore_ascii_case("select")) {
            Language::Sql
        } else {
            Language::Pipe
        }
    }

    /// Checks that a statement may be in the language that it is in.
    pub(crate) fn check(self, tokens: &[Token<'_>]) -> Option<Diagnostic> {
        let found = Language::of(tokens);
        let fits = match self {
            Language::Auto => true,
            Language::Datalog => found != Language::Sql,
            _ => found == self,
        };
        let first = tokens.first().filter(|_| !fits)?;
        let last = tokens.last().map_or(first.span, |last| last.span);
        let only = match self {
            Language::Sql => "SELECT statements",
            Language::Datalog => "definitions and pipelines",
            Language::Pipe | Language::Auto => "pipelines",
        };
        let message = format!("this is {found}, and only {only} are to be read");
        let fault = Diagnostic::new("Q062", Span::new(first.span.start, last.end), message);
        Some(fault.help("leave out `--lang`: each statement shows what it is"))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Auto => "any language",
            Language::Pipe => "a pipeline",
            Language::Sql => "a SELECT statement",
            Language::Datalog => "a definition",
        })
    }
}
