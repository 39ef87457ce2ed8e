//! Tokens as the input of parsers, the fault that parsers give, and parsers that all grammars use.

use super::NESTING_MAX;
use super::fault::{Unexpected, fatal, too_deep};
use crate::lex::{Keyword, Kind, Token};
use crate::names::Names;
use nom::{IResult, Input, Needed, Parser};
use std::iter::Enumerate;
use std::slice::Iter;
use wireq_engine::arguments::Word;
use wireq_engine::{Diagnostic, Span};

/// The tokens ahead, and how deep in brackets they are.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    rest: &'a [Token<'a>],
    level: usize,
    pub names: &'a dyn Names,
}

/// What a parser gives.
pub(super) type Parsed<'a, T> = IResult<Tokens<'a>, T, Unexpected>;

impl<'a> Tokens<'a> {
    pub fn new(rest: &'a [Token<'a>], names: &'a dyn Names) -> Tokens<'a> {
        Tokens {
            rest,
            level: 0,
            names,
        }
    }

    pub fn first(self) -> Option<&'a Token<'a>> {
        self.rest.first()
    }

    /// The kind of the next token.
    pub fn kind(self) -> Option<&'a Kind> {
        self.rest.first().map(|token| &token.kind)
    }

    /// The kind of the token behind the next one.
    pub fn second_kind(self) -> Option<&'a Kind> {
        self.rest.get(1).map(|token| &token.kind)
    }

    /// Whether the next token is this word, in any case.
    pub fn is_word(self, word: &str) -> bool {
        self.first()
            .is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word))
    }

    pub fn next(self) -> Option<(Tokens<'a>, &'a Token<'a>)> {
        let (first, rest) = self.rest.split_first()?;
        Some((Tokens { rest, ..self }, first))
    }

    /// A fault at the next token.
    pub fn unexpected(self, expected: &'static str) -> nom::Err<Unexpected> {
        nom::Err::Error(Unexpected {
            left: self.rest.len(),
            expected,
            fault: None,
        })
    }

    /// A fault that has its own words.
    pub fn fail(self, fault: Diagnostic) -> nom::Err<Unexpected> {
        let fault = Some(Box::new(fault));
        nom::Err::Failure(Unexpected {
            left: self.rest.len(),
            expected: "",
            fault,
        })
    }
}

impl<'a> Input for Tokens<'a> {
    type Item = &'a Token<'a>;
    type Iter = Iter<'a, Token<'a>>;
    type IterIndices = Enumerate<Iter<'a, Token<'a>>>;

    fn input_len(&self) -> usize {
        self.rest.len()
    }

    fn take(&self, index: usize) -> Self {
        Tokens {
            rest: &self.rest[..index],
            ..*self
        }
    }

    fn take_from(&self, index: usize) -> Self {
        Tokens {
            rest: &self.rest[index..],
            ..*self
        }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.rest.iter().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.rest.iter()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.rest.iter().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.rest.len() {
            Ok(count)
        } else {
            Err(Needed::new(count - self.rest.len()))
        }
    }
}

/// A parser whose fault at its first token names `expected`.
pub(super) fn expecting<'a, T>(
    expected: &'static str,
    mut parser: impl Parser<Tokens<'a>, Output = T, Error = Unexpected>,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let rename = |fault: Unexpected| {
            let here = fault.left == input.rest.len() && fault.fault.is_none();
            if here {
                Unexpected { expected, ..fault }
            } else {
                fault
            }
        };
        parser.parse(input).map_err(|fault| fault.map(rename))
    }
}

/// The next token, if it is of a kind.
pub(super) fn token<'a>(
    kind: Kind,
    expected: &'static str,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, &'a Token<'a>> {
    move |input| match input.next() {
        Some((rest, token)) if token.kind == kind => Ok((rest, token)),
        _ => Err(input.unexpected(expected)),
    }
}

/// The next token, if it is a reserved word.
pub(super) fn keyword<'a>(keyword: Keyword) -> impl Fn(Tokens<'a>) -> Parsed<'a, &'a Token<'a>> {
    token(Kind::Keyword(keyword), "a keyword")
}

/// The next token, if it is this word, in any case. Only where nothing else could stand are such
/// words reserved.
pub(super) fn small_word<'a>(
    word: &'static str,
    expected: &'static str,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, &'a Token<'a>> {
    move |input| match input.next() {
        Some(next) if input.is_word(word) => Ok(next),
        _ => Err(input.unexpected(expected)),
    }
}

/// The next token, if `pick` makes something of its kind.
pub(super) fn pick<'a, T>(
    pick: impl Fn(&Kind) -> Option<T>,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, T> {
    move |input| match input
        .next()
        .and_then(|(rest, token)| Some((rest, pick(&token.kind)?)))
    {
        Some(picked) => Ok(picked),
        None => Err(input.unexpected("an operator")),
    }
}

/// A word without quotes.
pub(super) fn name(input: Tokens<'_>) -> Parsed<'_, Word> {
    let (rest, token) = token(Kind::Word, "a name")(input)?;
    Ok((rest, unquoted(token)))
}

/// A token as a word without quotes.
pub(super) fn unquoted(token: &Token<'_>) -> Word {
    Word {
        text: token.text.to_owned(),
        quoted: false,
        span: token.span,
    }
}

/// A word or text in quotes.
pub(super) fn word(input: Tokens<'_>) -> Parsed<'_, Word> {
    match input.next() {
        Some((
            rest,
            Token {
                kind: Kind::Quoted(text),
                span,
                ..
            },
        )) => Ok((
            rest,
            Word {
                text: text.clone(),
                quoted: true,
                span: *span,
            },
        )),
        _ => name(input),
    }
}

/// One level deeper.
pub(super) fn nested<'a, T>(
    mut parser: impl Parser<Tokens<'a>, Output = T, Error = Unexpected>,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, T> {
    move |input| {
        let level = input.level + 1;
        if level > NESTING_MAX {
            return Err(input.fail(too_deep(
                input.first().map(|token| token.span).unwrap_or_default(),
            )));
        }
        let (rest, inner) = parser.parse(Tokens { level, ..input })?;
        Ok((
            Tokens {
                level: input.level,
                ..rest
            },
            inner,
        ))
    }
}

/// Something in brackets, with the place of the closing one.
pub(super) fn bracketed<'a, T>(
    mut parser: impl Parser<Tokens<'a>, Output = T, Error = Unexpected>,
    expected: &'static str,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, (T, Span)> {
    move |input| {
        let (inside, open) = token(Kind::Open, "`(`")(input)?;
        let (rest, inner) = nested(|input| parser.parse(input))(inside).map_err(fatal)?;
        let (rest, close) = closing(rest, open.span, expected)?;
        Ok((rest, (inner, open.span.to(close))))
    }
}

/// The bracket that closes the one at `open`.
fn closing<'a>(input: Tokens<'a>, open: Span, expected: &'static str) -> Parsed<'a, Span> {
    match input.next() {
        Some((rest, close)) if close.kind == Kind::Close => Ok((rest, close.span)),
        Some(_) => Err(fatal(input.unexpected(expected))),
        None => {
            let fault = Diagnostic::new("Q004", open, "this bracket is not closed");
            Err(input.fail(fault.help("write `)` where it ends")))
        }
    }
}
