//! Arguments of queries: `$NAME` stands for a value that is given beside the text.
//!
//! It is put in place between lexing and parsing, as ONE token, so that a value is never read as
//! syntax: among the arguments of a module it is a word as if in quotes, in an expression a
//! constant.

use crate::lex::{Keyword, Kind, Token};
use std::collections::HashSet;
use wireq_engine::diagnostic::suggest;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::Literal;

/// The values of arguments, and which of them are used.
pub(crate) struct Given<'a> {
    values: &'a [(String, String)],
    used: HashSet<&'a str>,
    /// Where values were put, and which.
    places: Vec<(Span, &'a str, &'a str)>,
}

impl<'a> Given<'a> {
    pub fn new(values: &'a [(String, String)]) -> Given<'a> {
        Given {
            values,
            used: HashSet::new(),
            places: Vec::new(),
        }
    }

    /// Puts values in the place of their names.
    pub fn substitute(&mut self, tokens: &mut [Token<'a>]) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for at in 0..tokens.len() {
            let token = &tokens[at];
            let Some(name) = name(token) else { continue };
            let known = self.values.iter().find(|(known, _)| known == name);
            let Some((known, value)) = known else {
                faults.push(self.unknown(name, token.span));
                continue;
            };
            self.used.insert(known);
            if is_condition(&tokens[..at]) {
                faults.push(no_condition(token));
                continue;
            }
            self.places.push((token.span, known, value));
            put(value, &mut tokens[at]);
        }
        faults
    }

    /// Says of faults about constants that a value with the name of a field is still a value.
    pub fn explain(&self, faults: &mut [Diagnostic], is_field: impl Fn(&str) -> bool) {
        let about_constants = |fault: &&mut Diagnostic| matches!(fault.code, "Q014" | "Q015");
        for fault in faults.iter_mut().filter(about_constants) {
            let within =
                |place: &Span| fault.span.start <= place.start && place.end <= fault.span.end;
            let mut places = self.places.iter();
            let named = places.find(|(place, _, value)| within(place) && is_field(value));
            if let Some((_, name, value)) = named {
                fault.help = Some(format!(
                    "`${name}` is the text `{value}` here, not the field: names of fields stand in the query"
                ));
            }
        }
    }

    fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let names = self.values.iter().map(|(name, _)| name.as_str());
        let help = match suggest(name, names) {
            Some(near) => format!("did you mean `${near}`?"),
            None => format!("give it with `--arg {name}=VALUE`; in quotes, `'${name}'` is text"),
        };
        Diagnostic::new("Q060", span, format!("`${name}` has no value"))
            .label("unknown argument")
            .help(help)
    }

    /// The faults of arguments that no statement uses, told at `span`.
    pub fn unused(&self, span: Span) -> Vec<Diagnostic> {
        let names = self.values.iter().map(|(name, _)| name.as_str());
        let unused = names.filter(|name| !self.used.contains(name));
        let fault = |name: &str| {
            Diagnostic::new("Q061", span, format!("no query uses the argument `{name}`"))
                .label(format!("`${name}` does not stand here"))
                .help(format!(
                    "write `${name}` where the value belongs, without quotes, or leave out `--arg {name}`"
                ))
        };
        unused.map(fault).collect()
    }
}

/// The name of the argument that a word stands for.
fn name<'a>(token: &Token<'a>) -> Option<&'a str> {
    let name = token.text.strip_prefix('$')?;
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = token.kind == Kind::Word
        && name.starts_with(starts)
        && name.chars().all(|c| starts(c) || c.is_ascii_digit());
    is_name.then_some(name)
}

/// Whether a quoted text behind these tokens would be read as a condition.
fn is_condition(before: &[Token<'_>]) -> bool {
    let last = before.iter().rev().find(|token| token.kind != Kind::Open);
    last.is_some_and(|last| {
        last.kind == Kind::Keyword(Keyword::Where) && last.text.eq_ignore_ascii_case("filter")
    })
}

fn no_condition(token: &Token<'_>) -> Diagnostic {
    let message = format!("`{}` cannot stand for a condition", token.text);
    Diagnostic::new("Q060", token.span, message)
        .label("a value, not a text of the query")
        .help("behind `where` it is a constant: `where FIELD = $NAME`")
}

fn put<'a>(value: &'a str, token: &mut Token<'a>) {
    // A number is one beside any kind of field; other values are text there.
    if Literal::new(value).is_number() && value.parse::<f64>().is_ok() {
        token.text = value;
    } else if token.in_expression {
        // Constants are read with escapes: a backslash is to stay one.
        token.kind = Kind::Quoted(value.replace('\\', "\\\\"));
    } else {
        token.kind = Kind::Quoted(value.to_owned());
    }
}
