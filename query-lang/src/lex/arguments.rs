//! Runs of characters among the arguments of modules.

use super::word::clause;
use super::{Keyword, Kind, Lexer, Mode};
use crate::scan::Raw;
use wireq_engine::Span;

/// The sign between the head and the body of a definition.
pub(crate) const DEFINE: &str = ":-";

impl Lexer<'_, '_> {
    /// A run of characters among arguments: a word, unless a sign of the language is at its begin.
    pub(super) fn word(&mut self, span: Span, raw: &Raw) {
        let text = &self.text[span.start..span.end];
        let after_call = self.last() == Some(&Kind::Close);
        let (at, kind, length) = match self.definition_sign(text) {
            Some(at) => (at, Kind::Define, DEFINE.len()),
            None if text == "+" || text.starts_with('+') && after_call => (0, Kind::Plus, 1),
            None => return self.plain_word(span, raw),
        };
        let sign = Span::new(span.start + at, span.start + at + length);
        if sign.start > span.start {
            self.push(Kind::Word, Span::new(span.start, sign.start), raw);
        }
        self.push(kind, sign, raw);
        if sign.end < span.end {
            self.word(Span::new(sign.end, span.end), raw);
        }
    }

    /// Where `:-` is in a run that ends the head of a definition.
    fn definition_sign(&self, text: &str) -> Option<usize> {
        let kind = |at: usize| self.tokens.get(at).map(|token| &token.kind);
        match (kind(0), kind(1)) {
            (None, _) => text.find(DEFINE),
            (Some(Kind::Word), None) => text.starts_with(DEFINE).then_some(0),
            (Some(Kind::Word), Some(Kind::Open)) => {
                let closed = self.outer.is_empty() && self.last() == Some(&Kind::Close);
                (closed && text.starts_with(DEFINE)).then_some(0)
            }
            _ => None,
        }
    }

    fn plain_word(&mut self, span: Span, raw: &Raw) {
        let text = &self.text[span.start..span.end];
        self.stage_name = self.begins_stage();
        if text == "[" && !self.stage_name {
            self.push(Kind::OpenExpression, span, raw);
            self.outer.push(self.mode);
            self.mode = Mode::Bracketed;
            return;
        }
        if self.stage_name && text.eq_ignore_ascii_case("select") || self.continues_select(text) {
            self.mode = Mode::Select;
            return self.word_in_select(span, raw);
        }
        let keyword = match clause(text) {
            None if text.eq_ignore_ascii_case("as") => Some(Keyword::As),
            None if text.eq_ignore_ascii_case("filter") && self.stage_name => Some(Keyword::Where),
            keyword => keyword,
        };
        self.keyword_or_word(keyword, span, raw);
    }

    fn begins_stage(&self) -> bool {
        match self.last() {
            None | Some(Kind::Pipe | Kind::Plus | Kind::Define) => true,
            Some(Kind::Keyword(Keyword::From)) => true,
            Some(Kind::Open) => !self.in_call,
            _ => false,
        }
    }
}
