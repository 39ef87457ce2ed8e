//! Where parsing stops, and what is said about it.

use super::NESTING_MAX;
use super::input::Tokens;
use crate::lex::{Clause, Keyword, Kind, Token};
use nom::Input;
use nom::error::{ErrorKind, ParseError};
use wireq_engine::{Diagnostic, Span};

/// Where parsing stopped and why.
#[derive(Debug)]
pub(super) struct Unexpected {
    /// The number of tokens from the fault to the end.
    pub left: usize,
    /// What could stand there.
    pub expected: &'static str,
    /// The diagnostic, where it is another one than "expected ...".
    pub fault: Option<Box<Diagnostic>>,
}

impl<'a> ParseError<Tokens<'a>> for Unexpected {
    fn from_error_kind(input: Tokens<'a>, _: ErrorKind) -> Unexpected {
        Unexpected {
            left: input.input_len(),
            expected: "something else",
            fault: None,
        }
    }

    fn append(_: Tokens<'a>, _: ErrorKind, other: Unexpected) -> Unexpected {
        other
    }

    fn or(self, other: Unexpected) -> Unexpected {
        if self.left < other.left { self } else { other }
    }
}

/// The fault of nesting.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new("Q003", span, "the query is nested too deep")
        .label(format!("more than {NESTING_MAX} levels"))
        .help(format!(
            "brackets, `not`, signs and arithmetic may be nested {NESTING_MAX} deep"
        ))
}

/// The same fault, such that no alternative is tried.
pub(super) fn fatal(fault: nom::Err<Unexpected>) -> nom::Err<Unexpected> {
    match fault {
        nom::Err::Error(fault) => nom::Err::Failure(fault),
        other => other,
    }
}

/// The fault in words.
pub(super) fn diagnose(fault: Unexpected, tokens: &[Token<'_>]) -> Diagnostic {
    if let Some(diagnostic) = fault.fault {
        return *diagnostic;
    }
    let found = tokens.get(tokens.len() - fault.left);
    let end = tokens.last().map_or(0, |token| token.span.end);
    let span = found.map_or(Span::new(end, end), |token| token.span);
    let text = found.map_or("the end of the query".to_owned(), |token| {
        format!("`{}`", shorten(token.text))
    });
    let message = format!("expected {}, found {text}", fault.expected);
    let diagnostic = Diagnostic::new("Q002", span, message).label("not expected here");
    let before = &tokens[..tokens.len() - fault.left];
    match found.and_then(|found| advice(found, fault.expected, before)) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// What to write instead of a token that does not fit behind those before it.
fn advice(found: &Token<'_>, expected: &str, before: &[Token<'_>]) -> Option<String> {
    let begins_line = found.first_on_line && !before.is_empty();
    let select = Kind::Keyword(Keyword::Select(Clause::Select));
    if begins_line && before.iter().any(|token| token.kind == select) {
        let help = "a SELECT goes on over line ends: end it with `;` or an empty line";
        return Some(help.to_owned());
    }
    match &found.kind {
        Kind::Quoted(_) if expected.starts_with("a source") => Some(format!(
            "name the module that reads it: `pcapfile({})`",
            shorten(found.text)
        )),
        Kind::Define => Some(
            "a definition begins with its name: `NAME :- QUERY` or `NAME(A, B) :- QUERY`"
                .to_owned(),
        ),
        Kind::Keyword(Keyword::Select(Clause::Select)) if expected.starts_with("a field") => Some(
            "a SELECT in another one stands behind `from`; `join` compares with its rows".to_owned(),
        ),
        Kind::Keyword(Keyword::Select(_)) => Some(
            "a SELECT is: select ITEMS from TABLES where ... group by ... having ... union all ... order by ... limit N"
                .to_owned(),
        ),
        Kind::Keyword(_) if begins_line => Some(format!(
            "a line that begins with `{}` continues the one before; end that with `;`",
            found.text
        )),
        Kind::Keyword(Keyword::Having) => Some("`having` stands behind `group by KEYS`".to_owned()),
        Kind::Keyword(Keyword::Group) => {
            Some("`group by` stands behind the call that takes the groups".to_owned())
        }
        _ => None,
    }
}

/// Text that fits into a message.
fn shorten(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
