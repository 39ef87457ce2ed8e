//! Raw tokens of a statement -> tokens, in two modes: among module arguments a word is a word, in
//! expressions operators are operators.

mod arguments;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use arguments::DEFINE;

use crate::scan::{Raw, RawKind};
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::CompareOp;
use word::{begins_with_digit, clause, logic, unescape, word_length};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Its text, quotes taken off and escapes translated.
    Quoted(String),
    Keyword(Keyword),
    Compare(CompareOp),
    Arithmetic(ArithmeticOp),
    Open,
    Close,
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
    From,
    As,
    And,
    Or,
    Not,
    In,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Words,
    Expression,
}

/// Operators of expressions, longer ones before those that they begin with.
static OPERATORS: [(&str, Kind); 14] = [
    ("==", Kind::Compare(CompareOp::Equal)),
    ("=", Kind::Compare(CompareOp::Equal)),
    ("!=", Kind::Compare(CompareOp::NotEqual)),
    ("<>", Kind::Compare(CompareOp::NotEqual)),
    ("<=", Kind::Compare(CompareOp::LessOrEqual)),
    ("<", Kind::Compare(CompareOp::Less)),
    (">=", Kind::Compare(CompareOp::GreaterOrEqual)),
    (">", Kind::Compare(CompareOp::Greater)),
    ("&&", Kind::Keyword(Keyword::And)),
    ("!", Kind::Keyword(Keyword::Not)),
    ("+", Kind::Arithmetic(ArithmeticOp::Add)),
    ("-", Kind::Arithmetic(ArithmeticOp::Subtract)),
    ("*", Kind::Arithmetic(ArithmeticOp::Multiply)),
    ("/", Kind::Arithmetic(ArithmeticOp::Divide)),
];

/// The tokens of a statement, and what is wrong with them.
pub(crate) fn lex<'a>(text: &'a str, raws: &[Raw]) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    lex_from(Mode::Words, text, raws)
}

/// The tokens of an expression.
pub(crate) fn lex_expression<'a>(text: &'a str, raws: &[Raw]) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    lex_from(Mode::Expression, text, raws)
}

fn lex_from<'a>(mode: Mode, text: &'a str, raws: &[Raw]) -> (Vec<Token<'a>>, Vec<Diagnostic>) {
    let mut lexer = Lexer {
        text,
        mode,
        outer: Vec::new(),
        in_call: false,
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
    (lexer.tokens, lexer.faults)
}

struct Lexer<'a> {
    text: &'a str,
    mode: Mode,
    /// The modes outside of the open brackets.
    outer: Vec<Mode>,
    /// Whether the last bracket that opened holds arguments.
    in_call: bool,
    tokens: Vec<Token<'a>>,
    faults: Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn raw(&mut self, raw: &Raw) {
        match raw.kind {
            RawKind::Run if self.mode == Mode::Words => self.word(raw.span, raw),
            RawKind::Run => self.expression(raw),
            RawKind::Quoted { closed } => self.quoted(raw, closed),
            RawKind::Open => self.open(raw),
            RawKind::Close => {
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
        let last = self.tokens.last();
        self.in_call = last.is_some_and(|last| last.kind == Kind::Word);
        self.outer.push(self.mode);
        if self.in_call {
            self.mode = Mode::Words;
        }
        self.push(Kind::Open, raw.span, raw);
    }

    /// `|` begins a stage; `||` in an expression is `or`. Whether the next `|` was taken too.
    fn pipe(&mut self, raw: &Raw, next: Option<&Raw>) -> bool {
        let adjacent = |next: &Raw| next.kind == RawKind::Pipe && next.span.start == raw.span.end;
        let double = self.mode == Mode::Expression && next.is_some_and(adjacent);
        if double {
            let span = Span::new(raw.span.start, raw.span.end + 1);
            self.push(Kind::Keyword(Keyword::Or), span, raw);
        } else {
            self.mode = Mode::Words;
            self.push(Kind::Pipe, raw.span, raw);
        }
        double
    }

    fn quoted(&mut self, raw: &Raw, closed: bool) {
        let Span { start, end } = raw.span;
        let inner = &self.text[start + 1..if closed { end - 1 } else { end }];
        let double = self.text[start..].starts_with('"');
        let content = if double {
            unescape(inner)
        } else {
            inner.to_owned()
        };
        if !closed {
            let quote = if double { "\"" } else { "'" };
            let opening = Span::new(start, start + 1);
            let fault = Diagnostic::new("Q001", opening, "this quote is not closed");
            self.faults
                .push(fault.help(format!("end the text with {quote}")));
        }
        self.push(Kind::Quoted(content), raw.span, raw);
    }

    fn keyword_or_word(&mut self, keyword: Option<Keyword>, span: Span, raw: &Raw) {
        match keyword {
            Some(Keyword::Where | Keyword::Having) => self.mode = Mode::Expression,
            Some(Keyword::Group | Keyword::From) => self.mode = Mode::Words,
            _ => {}
        }
        self.push(keyword.map_or(Kind::Word, Kind::Keyword), span, raw);
    }

    /// A run of characters in an expression: operators, words, keywords.
    fn expression(&mut self, raw: &Raw) {
        let mut at = raw.span.start;
        while at < raw.span.end && self.mode == Mode::Expression {
            let rest = &self.text[at..raw.span.end];
            let operator = OPERATORS
                .iter()
                .find(|(symbol, _)| rest.starts_with(symbol));
            match operator {
                Some((symbol, kind)) if !self.is_signed_number(rest) => {
                    self.push(kind.clone(), Span::new(at, at + symbol.len()), raw);
                    at += symbol.len();
                }
                _ => {
                    let span = Span::new(at, at + word_length(rest));
                    let word = &self.text[span.start..span.end];
                    self.keyword_or_word(clause(word).or_else(|| logic(word)), span, raw);
                    at = span.end;
                }
            }
        }
        if at < raw.span.end {
            self.word(Span::new(at, raw.span.end), raw);
        }
    }

    /// Whether a sign here is part of a number: where an operand is expected, before a digit.
    fn is_signed_number(&self, rest: &str) -> bool {
        let after_operand = matches!(
            self.last(),
            Some(Kind::Word | Kind::Quoted(_) | Kind::Close)
        );
        let number = rest
            .strip_prefix('-')
            .map(|number| number.strip_prefix('.').unwrap_or(number));
        !after_operand && number.is_some_and(begins_with_digit)
    }
}
