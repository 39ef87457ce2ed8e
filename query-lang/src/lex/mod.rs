//! Raw tokens of a statement -> tokens, in two modes: among module arguments a word is a word, in
//! expressions operators are operators.

mod arguments;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use arguments::DEFINE;

use crate::ast::Operator;
use crate::names::Names;
use crate::scan::{Raw, RawKind};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::CompareOp;
use word::{begins_with_digit, cast_sign, clause, logic, takes_operand, unescape, word_length};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Its text, quotes taken off and escapes translated.
    Quoted(String),
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
    From,
    As,
    And,
    Or,
    Not,
    In,
    Until,
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
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Words,
    Expression,
    /// An expression that `]` ends.
    Bracketed,
}

/// Operators of expressions, longer ones before those that they begin with.
static OPERATORS: [(&str, Kind); 15] = [
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
    ("+", Kind::Operator(Operator::Add)),
    ("-", Kind::Operator(Operator::Subtract)),
    ("*", Kind::Operator(Operator::Multiply)),
    ("//", Kind::Operator(Operator::IntegerDivide)),
    ("/", Kind::Operator(Operator::Divide)),
];

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
    (lexer.tokens, lexer.faults)
}

struct Lexer<'a, 'n> {
    text: &'a str,
    names: &'n dyn Names,
    mode: Mode,
    /// The modes outside of the open brackets.
    outer: Vec<Mode>,
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
        let in_expression = self.mode != Mode::Words;
        let group = if in_expression {
            Mode::Expression
        } else {
            Mode::Words
        };
        match self.tokens.last() {
            Some(last) if last.kind == Kind::Word => match last.text {
                word if in_expression && takes_operand(word) => (group, Some(Kind::Word)),
                word if !in_expression && word.eq_ignore_ascii_case("until") => {
                    (Mode::Expression, Some(Kind::Keyword(Keyword::Until)))
                }
                word if in_expression && word.eq_ignore_ascii_case("cast")
                    || self.names.is_function(word) && (in_expression || !self.stage_name) =>
                {
                    (Mode::Expression, Some(Kind::Function))
                }
                _ => (Mode::Words, Some(Kind::Word)),
            },
            _ => (group, None),
        }
    }

    /// `|` begins a stage; `||` in an expression is `or`. Whether the next `|` was taken too.
    fn pipe(&mut self, raw: &Raw, next: Option<&Raw>) -> bool {
        let adjacent = |next: &Raw| next.kind == RawKind::Pipe && next.span.start == raw.span.end;
        let double = self.mode != Mode::Words && next.is_some_and(adjacent);
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
        while at < raw.span.end && self.mode != Mode::Words {
            let rest = &self.text[at..raw.span.end];
            let span = |length: usize| Span::new(at, at + length);
            at += match self.operator(rest) {
                Some((length, Kind::CloseExpression)) => {
                    self.mode = self.outer.pop().unwrap_or(Mode::Words);
                    self.push(Kind::CloseExpression, span(length), raw);
                    length
                }
                Some((length, kind)) => {
                    self.push(kind, span(length), raw);
                    length
                }
                None => {
                    let length = self.word_in_expression(rest);
                    let word = &rest[..length];
                    self.keyword_or_word(clause(word).or_else(|| logic(word)), span(length), raw);
                    length
                }
            };
        }
        if at < raw.span.end {
            self.word(Span::new(at, raw.span.end), raw);
        }
    }

    /// The operator that a text begins with, and its length.
    fn operator(&self, text: &str) -> Option<(usize, Kind)> {
        if self.mode == Mode::Bracketed && text.starts_with(']') {
            return Some((1, Kind::CloseExpression));
        }
        if text.starts_with("::") && self.after_operand() {
            return Some((2, Kind::Cast));
        }
        let mut operators = OPERATORS.iter();
        let found = operators.find(|(symbol, _)| text.starts_with(symbol));
        found
            .filter(|_| !self.is_signed_number(text))
            .map(|(symbol, kind)| (symbol.len(), kind.clone()))
    }

    /// The length of the word that a text begins with.
    fn word_in_expression(&self, text: &str) -> usize {
        let end = match self.mode {
            Mode::Bracketed => text.find(']').unwrap_or(text.len()),
            Mode::Words | Mode::Expression => text.len(),
        };
        let length = word_length(&text[..end]);
        cast_sign(&text[..length]).unwrap_or(length)
    }

    fn after_operand(&self) -> bool {
        matches!(
            self.last(),
            Some(Kind::Word | Kind::Quoted(_) | Kind::Close)
        )
    }

    /// Whether a sign here is part of a number: where an operand is expected, before a digit.
    fn is_signed_number(&self, rest: &str) -> bool {
        let number = rest
            .strip_prefix('-')
            .map(|number| number.strip_prefix('.').unwrap_or(number));
        !self.after_operand() && number.is_some_and(begins_with_digit)
    }
}
