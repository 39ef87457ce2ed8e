//! Raw tokens of a statement -> tokens, in two modes: among module arguments a word is a word, in
//! expressions operators are operators.

mod arguments;
mod expression;
mod select;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use arguments::DEFINE;

use crate::ast::Operator;
use crate::names::Names;
use crate::scan::{Raw, RawKind};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::CompareOp;
use word::{takes_operand, unescape};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Its text, quotes taken off and escapes translated.
    Quoted(String),
    /// In SELECT, the name of a field in double quotes, which are taken off.
    Identifier(String),
    Keyword(Keyword),
    /// The name of a scalar function or `cast`, before a bracket with expressions.
    Function,
    Compare(CompareOp),
    Operator(Operator),
    /// `::` before the name of a type.
    Cast,
    Open,
    Close,
    /// `[` before an expression among arguments.
    OpenExpression,
    CloseExpression,
    Pipe,
    Comma,
    /// `+` between the parts of a bag.
    Plus,
    /// `:-` behind the name of a definition.
    Define,
}

/// The reserved words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Where,
    Group,
    Having,
    /// Before a stretch of time: `every 10s`.
    Every,
    From,
    As,
    And,
    Or,
    Not,
    In,
    Until,
    Select(Clause),
}

/// The reserved words of SELECT that are not reserved elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    Select,
    Distinct,
    Order,
    Limit,
    Offset,
    Union,
    Join,
    Inner,
    Cross,
    On,
    /// A word of SQL that has no meaning here.
    Other,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    /// As it is written.
    pub text: &'a str,
    pub span: Span,
    /// Whether only white space is before it on its line.
    pub first_on_line: bool,
    /// Whether it stands in an expression, not among arguments.
    pub in_expression: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Words,
    Expression,
    /// An expression that `]` ends.
    Bracketed,
    /// A SELECT statement: expressions, in which the words of SQL are reserved.
    Select,
}

/// The tokens of a statement, and what is wrong with them.
pub(crate) fn lex<'a>(
    text: &'a str,
    raws: &[Raw],
    names: &dyn Names,
) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    lex_from(Mode::Words, text, raws, names)
}

/// The tokens of an expression.
pub(crate) fn lex_expression<'a>(
    text: &'a str,
    raws: &[Raw],
    names: &dyn Names,
) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    lex_from(Mode::Expression, text, raws, names)
}

fn lex_from<'a>(
    mode: Mode,
    text: &'a str,
    raws: &[Raw],
    names: &dyn Names,
) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        text,
        names,
        mode,
        outer: Vec::new(),
        closed_select: false,
        in_call: false,
        stage_name: false,
        tokens: Vec::with_capacity(raws.len()),
        faults: Vec::new(),
    };
    let mut rest = raws.iter().peekable();
    while let Some(raw) = rest.next() {
        if raw.kind != RawKind::Pipe {
            lexer.raw(raw);
        } else if lexer.pipe(raw, rest.peek().copied()) {
            rest.next();
        }
    }
    find_every(&mut lexer.tokens);
    (lexer.tokens, lexer.faults)
}

/// `every` is a keyword before a length of time such as `10s`, else a word as any other.
fn find_every(tokens: &mut [Token<'_>]) {
    for at in 1..tokens.len().saturating_sub(1) {
        let is_length = |token: &Token<'_>| {
            let begins = token.text.starts_with(|c: char| c.is_ascii_digit());
            token.kind == Kind::Word && begins && token.text.ends_with(char::is_alphabetic)
        };
        let behind_pipe = tokens[at - 1].kind == Kind::Pipe;
        let every = &tokens[at];
        let is_every = every.kind == Kind::Word && every.text.eq_ignore_ascii_case("every");
        if is_every && !behind_pipe && is_length(&tokens[at + 1]) {
            tokens[at].kind = Kind::Keyword(Keyword::Every);
        }
    }
}

struct Lexer<'a, 'n> {
    text: &'a str,
    names: &'n dyn Names,
    mode: Mode,
    /// The modes outside of the open brackets.
    outer: Vec<Mode>,
    /// Whether the last bracket that closed held a SELECT.
    closed_select: bool,
    /// Whether the last bracket that opened holds arguments.
    in_call: bool,
    /// Whether the last word begins a stage, and so names a module.
    stage_name: bool,
    tokens: Vec<Token<'a>>,
    faults: Vec<Diagnostic>,
}

impl<'a> Lexer<'a, '_> {
    fn raw(&mut self, raw: &Raw) {
        match raw.kind {
            RawKind::Run if self.mode == Mode::Words => self.word(raw.span, raw),
            RawKind::Run => self.expression(raw.span, raw),
            RawKind::Quoted { closed } if self.mode == Mode::Select => {
                self.quoted_in_select(raw, closed);
            }
            RawKind::Quoted { closed } => self.quoted(raw, closed),
            RawKind::Open => self.open(raw),
            RawKind::Close => {
                self.closed_select = self.mode == Mode::Select;
                self.mode = self.outer.pop().unwrap_or(Mode::Words);
                self.push(Kind::Close, raw.span, raw);
            }
            RawKind::Comma => self.push(Kind::Comma, raw.span, raw),
            RawKind::Pipe | RawKind::Semicolon | RawKind::LineEnd => {}
        }
    }

    fn push(&mut self, kind: Kind, span: Span, raw: &Raw) {
        let first_on_line = raw.first_on_line && span.start == raw.span.start;
        let text = &self.text[span.start..span.end];
        self.tokens.push(Token {
            kind,
            text,
            span,
            first_on_line,
            in_expression: self.mode != Mode::Words,
        });
    }

    fn last(&self) -> Option<&Kind> {
        self.tokens.last().map(|token| &token.kind)
    }

    fn open(&mut self, raw: &Raw) {
        let (inside, kind) = self.inside_bracket();
        self.in_call = matches!(kind, Some(Kind::Word | Kind::Function));
        self.outer.push(self.mode);
        self.mode = inside;
        if let (Some(kind), Some(last)) = (kind, self.tokens.last_mut()) {
            last.kind = kind;
        }
        self.push(Kind::Open, raw.span, raw);
    }

    /// What a bracket holds, and what the word before it is.
    fn inside_bracket(&self) -> (Mode, Option<Kind>) {
        let group = match self.mode {
            Mode::Bracketed => Mode::Expression,
            mode => mode,
        };
        let Some(last) = self.tokens.last() else {
            return (group, None);
        };
        match (&last.kind, self.mode) {
            (Kind::Word, Mode::Words) => self.inside_of_argument(last.text),
            (Kind::Word, _) if takes_operand(last.text) => (group, Some(Kind::Word)),
            (Kind::Word, Mode::Select) => self.inside_of_select(last.text),
            (Kind::Word, _) => match is_cast(last.text) || self.names.is_function(last.text) {
                true => (Mode::Expression, Some(Kind::Function)),
                false => (Mode::Words, Some(Kind::Word)),
            },
            (Kind::Keyword(Keyword::Select(Clause::Other)), _) => (group, Some(Kind::Function)),
            _ => (group, None),
        }
    }

    /// What the bracket behind a word holds that is among arguments.
    fn inside_of_argument(&self, word: &str) -> (Mode, Option<Kind>) {
        if word.eq_ignore_ascii_case("until") {
            (Mode::Expression, Some(Kind::Keyword(Keyword::Until)))
        } else if self.names.is_function(word) && !self.stage_name {
            (Mode::Expression, Some(Kind::Function))
        } else {
            (Mode::Words, Some(Kind::Word))
        }
    }

    /// `|` begins a stage; `||` in an expression is `or`, in SELECT it joins texts. Whether the next
    /// `|` was taken too.
    fn pipe(&mut self, raw: &Raw, next: Option<&Raw>) -> bool {
        let adjacent = |next: &Raw| next.kind == RawKind::Pipe && next.span.start == raw.span.end;
        let double = self.mode != Mode::Words && next.is_some_and(adjacent);
        if double {
            let span = Span::new(raw.span.start, raw.span.end + 1);
            let kind = match self.mode {
                Mode::Select => Kind::Operator(Operator::Concatenate),
                _ => Kind::Keyword(Keyword::Or),
            };
            self.push(kind, span, raw);
        } else {
            self.mode = Mode::Words;
            self.push(Kind::Pipe, raw.span, raw);
        }
        double
    }

    fn quoted(&mut self, raw: &Raw, closed: bool) {
        let inner = self.unquoted(raw, closed);
        let content = match self.is_double(raw) {
            true => unescape(inner),
            false => inner.to_owned(),
        };
        self.push(Kind::Quoted(content), raw.span, raw);
    }

    fn is_double(&self, raw: &Raw) -> bool {
        self.text[raw.span.start..].starts_with('"')
    }

    /// What stands between quotes. That they are not closed is a fault.
    fn unquoted(&mut self, raw: &Raw, closed: bool) -> &'a str {
        let Span { start, end } = raw.span;
        if !closed {
            let quote = if self.is_double(raw) { "\"" } else { "'" };
            let opening = Span::new(start, start + 1);
            let fault = Diagnostic::new("Q001", opening, "this quote is not closed");
            self.faults
                .push(fault.help(format!("end the text with {quote}")));
        }
        &self.text[start + 1..if closed { end - 1 } else { end }]
    }

    fn keyword_or_word(&mut self, keyword: Option<Keyword>, span: Span, raw: &Raw) {
        match keyword {
            Some(Keyword::Where | Keyword::Having) => self.mode = Mode::Expression,
            Some(Keyword::Group | Keyword::From) => self.mode = Mode::Words,
            _ => {}
        }
        self.push(keyword.map_or(Kind::Word, Kind::Keyword), span, raw);
    }
}

/// Whether a word before a bracket is `cast`.
fn is_cast(word: &str) -> bool {
    word.eq_ignore_ascii_case("cast")
}
