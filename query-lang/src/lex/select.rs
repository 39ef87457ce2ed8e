//! What is read in another way in SELECT: reserved words, identifiers in quotes, quotes in texts.

use super::word::{clause, logic};
use super::{Clause, Keyword, Kind, Lexer, Mode, is_cast};
use crate::scan::Raw;
use wireq_engine::Span;

/// The words that are reserved in SELECT besides those of expressions.
fn reserved(word: &str) -> Option<Keyword> {
    const OTHERS: [&str; 10] = [
        "left",
        "right",
        "full",
        "natural",
        "using",
        "except",
        "intersect",
        "window",
        "qualify",
        "fetch",
    ];
    let clause = match word.to_ascii_lowercase().as_str() {
        "as" => return Some(Keyword::As),
        "select" => Clause::Select,
        "distinct" => Clause::Distinct,
        "order" => Clause::Order,
        "limit" => Clause::Limit,
        "offset" => Clause::Offset,
        "union" => Clause::Union,
        "join" => Clause::Join,
        "inner" => Clause::Inner,
        "cross" => Clause::Cross,
        "on" => Clause::On,
        other if OTHERS.contains(&other) => Clause::Other,
        _ => return None,
    };
    Some(Keyword::Select(clause))
}

impl Lexer<'_, '_> {
    pub(super) fn word_in_select(&mut self, span: Span, raw: &Raw) {
        let word = &self.text[span.start..span.end];
        if word.starts_with('.') && self.continues_identifier(word, span) {
            return;
        }
        let keyword = clause(word)
            .or_else(|| logic(word))
            .or_else(|| reserved(word));
        self.push(keyword.map_or(Kind::Word, Kind::Keyword), span, raw);
    }

    /// `.b` or `."b"` right behind `"a"`, or `"b"` behind `a.`: one name of both.
    fn continues_identifier(&mut self, more: &str, span: Span) -> bool {
        let adjacent = self
            .tokens
            .last_mut()
            .filter(|last| last.span.end == span.start);
        let Some(last) = adjacent else {
            return false;
        };
        match &mut last.kind {
            Kind::Identifier(name) => name.push_str(more),
            Kind::Word if last.text.ends_with('.') => {
                last.kind = Kind::Identifier(last.text.to_owned() + more);
            }
            _ => return false,
        }
        last.span = last.span.to(span);
        last.text = &self.text[last.span.start..last.span.end];
        true
    }

    /// Text in single quotes, in which two of them stand for one; the name of a field in double
    /// quotes.
    pub(super) fn quoted_in_select(&mut self, raw: &Raw, closed: bool) {
        let inner = self.unquoted(raw, closed);
        let is_name = self.is_double(raw);
        let quote = if is_name { '"' } else { '\'' };
        if self.continues_quotes(quote, inner, raw.span)
            || is_name && self.continues_identifier(inner, raw.span)
        {
            return;
        }
        let kind = if is_name {
            Kind::Identifier
        } else {
            Kind::Quoted
        };
        self.push(kind(inner.to_owned()), raw.span, raw);
    }

    /// Whether quotes stand right behind others of the same kind: then there is a quote between.
    fn continues_quotes(&mut self, quote: char, inner: &str, span: Span) -> bool {
        let adjacent = self.tokens.last_mut();
        let adjacent =
            adjacent.filter(|last| last.span.end == span.start && last.text.ends_with(quote));
        let Some(last) = adjacent else {
            return false;
        };
        if let Kind::Quoted(text) | Kind::Identifier(text) = &mut last.kind {
            text.push(quote);
            text.push_str(inner);
            last.span = last.span.to(span);
            last.text = &self.text[last.span.start..last.span.end];
            return true;
        }
        false
    }

    /// What the bracket behind a word holds.
    pub(super) fn inside_of_select(&self, word: &str) -> (Mode, Option<Kind>) {
        let groups = ["by", "all"]
            .iter()
            .any(|group| word.eq_ignore_ascii_case(group));
        match groups {
            true => (Mode::Select, None),
            false if is_cast(word) || !self.names.takes_words(word) => {
                (Mode::Select, Some(Kind::Function))
            }
            false => (Mode::Words, Some(Kind::Word)),
        }
    }

    /// Whether `union`, `order` or `limit` here goes on with the SELECT that stands in the brackets
    /// before.
    pub(super) fn continues_select(&self, word: &str) -> bool {
        let clause = match reserved(word) {
            Some(Keyword::Select(clause)) => clause,
            _ => return false,
        };
        let goes_on = matches!(
            clause,
            Clause::Union | Clause::Order | Clause::Limit | Clause::Offset
        );
        goes_on && self.last() == Some(&Kind::Close) && self.closed_select
    }
}
