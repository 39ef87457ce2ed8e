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
    let before = &tokens[..tokens.len() - fault.left];
    if found.is_some_and(|found| found.kind == Kind::Close) && is_balanced(before) {
        return Diagnostic::new("Q002", span, "there is no `(` for this `)`")
            .label("closes nothing")
            .help("take it away, or write `(` where it begins");
    }
    let message = format!("expected {}, found {text}", fault.expected);
    let diagnostic = Diagnostic::new("Q002", span, message).label("not expected here");
    let help = match found {
        Some(found) => advice(found, fault.expected, before),
        None => advice_at_end(fault.expected, before),
    };
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// Whether all brackets are closed.
fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let count = |kind: Kind| tokens.iter().filter(|token| token.kind == kind).count();
    count(Kind::Open) == count(Kind::Close)
}

/// What to write where a query ends too early.
fn advice_at_end(expected: &str, before: &[Token<'_>]) -> Option<String> {
    let last = before.last()?;
    let help = match &last.kind {
        Kind::Keyword(Keyword::Where | Keyword::Having | Keyword::And | Keyword::Or) => {
            "a condition: `dstport = 80`, `srcip = 10.0.0.0/8`, `not vlan`"
        }
        Kind::Pipe => {
            "a `|` at the end continues the query on the next line: write the stage there"
        }
        _ if expected == "`(`" => "`in` takes a list: `dstport in (80, 443)`",
        _ => return None,
    };
    Some(help.to_owned())
}

/// What to write instead of a token that does not fit behind those before it.
fn advice(found: &Token<'_>, expected: &str, before: &[Token<'_>]) -> Option<String> {
    let begins_line = found.first_on_line && !before.is_empty();
    let select = Kind::Keyword(Keyword::Select(Clause::Select));
    if begins_line && before.iter().any(|token| token.kind == select) {
        let help = "a SELECT goes on over line ends: end it with `;` or an empty line";
        return Some(help.to_owned());
    }
    let last = before.last().map(|token| &token.kind);
    match &found.kind {
        Kind::Pipe if last == Some(&Kind::Pipe) => {
            Some("between stages write `|`; in conditions `||` is `or`".to_owned())
        }
        _ if expected == "`(`" && last == Some(&Kind::Keyword(Keyword::In)) => Some(format!(
            "`in` takes a list: `in ({})`",
            shorten(found.text)
        )),
        Kind::Quoted(_) if found.text.starts_with('$') => Some(format!(
            "`{}` is a value: names of modules stand in the query",
            shorten(found.text)
        )),
        Kind::Quoted(_) if expected.starts_with("a module,") => {
            Some("names of modules stand without quotes".to_owned())
        }
        Kind::Word | Kind::Quoted(_) if expected.starts_with("an operator,") => {
            Some("join two tests with `and` or `or`; the next stage stands behind `|`".to_owned())
        }
        Kind::Word | Kind::Quoted(_) if expected.starts_with("an operator") => {
            Some("join two tests with `and` or `or`".to_owned())
        }
        Kind::Quoted(_) if expected.starts_with("a source") || expected == "a module or `(`" => Some(format!(
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
        Kind::Keyword(Keyword::Every) => Some(
            "`every 10s` stands behind the call that takes the groups, or behind `group by KEYS`"
                .to_owned(),
        ),
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
