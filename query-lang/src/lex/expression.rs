//! Runs of characters in expressions: operators, words, keywords.

use super::word::{begins_with_digit, clause, logic, word_length};
use super::{Keyword, Kind, Lexer, Mode};
use crate::ast::Operator;
use crate::scan::Raw;
use wireq_engine::Span;
use wireq_typesys::CompareOp;

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

impl Lexer<'_, '_> {
    pub(super) fn expression(&mut self, run: Span, raw: &Raw) {
        let mut at = run.start;
        while at < run.end && self.mode != Mode::Words {
            let rest = &self.text[at..run.end];
            let span = |length: usize| Span::new(at, at + length);
            at += match self.operator(rest) {
                Some((length, kind)) => {
                    if kind == Kind::CloseExpression {
                        self.mode = self.outer.pop().unwrap_or(Mode::Words);
                    }
                    self.push(kind, span(length), raw);
                    length
                }
                None => {
                    let length = word_length(rest, self.ends_words());
                    self.word_in_expression(span(length), raw);
                    length
                }
            };
        }
        if at < run.end {
            self.word(Span::new(at, run.end), raw);
        }
    }

    /// The operator that a text begins with, and its length.
    fn operator(&self, text: &str) -> Option<(usize, Kind)> {
        match (self.mode, text.as_bytes().first()) {
            (Mode::Bracketed, Some(b']')) => return Some((1, Kind::CloseExpression)),
            (Mode::Select, Some(b'%')) => return Some((1, Kind::Operator(Operator::Modulo))),
            _ => {}
        }
        if text.starts_with("::") && self.after_operand() {
            return Some((2, Kind::Cast));
        }
        // Most of what is asked for is a word.
        let mut operators = match text.starts_with(char::is_alphanumeric) {
            true => [].iter(),
            false => OPERATORS.iter(),
        };
        let found = operators.find(|(symbol, _)| text.starts_with(symbol));
        found
            .filter(|_| !self.is_signed_number(text))
            .map(|(symbol, kind)| (symbol.len(), kind.clone()))
    }

    /// The character that ends words here besides the operators of all expressions.
    fn ends_words(&self) -> Option<u8> {
        match self.mode {
            Mode::Bracketed => Some(b']'),
            Mode::Select => Some(b'%'),
            Mode::Words | Mode::Expression => None,
        }
    }

    fn word_in_expression(&mut self, span: Span, raw: &Raw) {
        let word = &self.text[span.start..span.end];
        match self.mode {
            Mode::Select => self.word_in_select(span, raw),
            _ => self.keyword_or_word(clause(word).or_else(|| logic(word)), span, raw),
        }
    }

    fn after_operand(&self) -> bool {
        matches!(
            self.last(),
            Some(Kind::Word | Kind::Quoted(_) | Kind::Identifier(_) | Kind::Close)
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
