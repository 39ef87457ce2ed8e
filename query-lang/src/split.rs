//! Raw tokens -> statements.

use crate::lex::DEFINE;
use crate::scan::{Raw, RawKind};
use wireq_engine::Span;

/// The tokens of one statement, without its label and without line ends.
pub(crate) struct Piece<'a> {
    pub label: Option<(&'a str, Span)>,
    pub tokens: Vec<Raw>,
}

impl Piece<'_> {
    /// From its first to its last token, the label included.
    pub fn span(&self) -> Span {
        let ends = [self.tokens.first(), self.tokens.last()];
        let tokens = ends.into_iter().flatten().map(|token| token.span);
        let parts = self.label.map(|(_, span)| span).into_iter().chain(tokens);
        parts.reduce(Span::to).unwrap_or_default()
    }
}

/// Words at the begin of a line that continue the line before.
const CLAUSES: [&str; 4] = ["group", "every", "having", "from"];

/// Divides tokens into statements; empty ones are left out.
///
/// `;` always ends a statement, so that a forgotten bracket is no fault of what follows.
pub(crate) fn split<'a>(text: &'a str, tokens: &[Raw]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut current: Vec<Raw> = Vec::new();
    let mut depth = 0usize;
    for token in tokens {
        let ends = token.kind == RawKind::Semicolon
            || token.first_on_line
                && depth == 0
                && !token.in_select
                && !continues(text, &current, token);
        if ends {
            finish(text, &mut current, &mut pieces);
            depth = 0;
        }
        match token.kind {
            RawKind::Semicolon | RawKind::LineEnd => continue,
            RawKind::Open => depth += 1,
            RawKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        current.push(*token);
    }
    finish(text, &mut current, &mut pieces);
    pieces
}

/// Whether the first token of a line belongs to the statement of the lines before.
fn continues(text: &str, before: &[Raw], first: &Raw) -> bool {
    let is = |token: &Raw, word: &str| {
        token.kind == RawKind::Run
            && word.eq_ignore_ascii_case(&text[token.span.start..token.span.end])
    };
    let open = before.last().is_some_and(|last| {
        matches!(last.kind, RawKind::Pipe | RawKind::Comma) || is(last, DEFINE)
    });
    // `where` begins a statement of its own as well as a clause: it is a clause behind `from`.
    let is_clause = CLAUSES.iter().any(|clause| is(first, clause))
        || is(first, "where") && before.iter().any(|token| is(token, "from"));
    open || is_clause || matches!(first.kind, RawKind::Pipe | RawKind::LineEnd)
}

fn finish<'a>(text: &'a str, current: &mut Vec<Raw>, pieces: &mut Vec<Piece<'a>>) {
    let mut tokens = std::mem::take(current);
    let Some(first) = tokens.first() else { return };
    let label = label(text, first);
    if label.is_some() {
        tokens.remove(0);
    }
    pieces.push(Piece { label, tokens });
}

/// `NAME:` as one word.
fn label<'a>(text: &'a str, token: &Raw) -> Option<(&'a str, Span)> {
    let word = &text[token.span.start..token.span.end];
    let name = word
        .strip_suffix(':')
        .filter(|_| token.kind == RawKind::Run)?;
    let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(valid)).then_some((name, token.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;

    /// The statements of a text, their tokens joined by blanks.
    fn statements(text: &str) -> Vec<String> {
        let show = |piece: &Piece<'_>| {
            let tokens = piece.tokens.iter().map(|t| &text[t.span.start..t.span.end]);
            let words: Vec<&str> = tokens.collect();
            match piece.label {
                Some((label, _)) => format!("[{label}] {}", words.join(" ")),
                None => words.join(" "),
            }
        };
        split(text, &scan(text)).iter().map(show).collect()
    }

    #[test]
    fn splits_statements() {
        for (text, expected) in [
            ("", vec![]),
            (" \n;;\n# only words\n", vec![]),
            ("a; b", vec!["a", "b"]),
            ("a\nb", vec!["a", "b"]),
            ("a\r\nb\r\n", vec!["a", "b"]),
            ("a |\nb", vec!["a | b"]),
            ("a\n\n  | b", vec!["a | b"]),
            ("a\n# why\n| b", vec!["a | b"]),
            ("a | # why\n\nb", vec!["a | b"]),
            ("print a,\nb", vec!["print a , b"]),
            ("print(a\nb)\nc", vec!["print ( a b )", "c"]),
            ("(a\n) + (b\n)", vec!["( a ) + ( b )"]),
            (
                "count\ngroup by a\nhaving b\nc",
                vec!["count group by a having b", "c"],
            ),
            ("a\nWHERE b", vec!["a", "WHERE b"]),
            ("a from b\nWHERE b", vec!["a from b WHERE b"]),
            ("print x\nfrom y", vec!["print x from y"]),
            ("a\nwherever", vec!["a", "wherever"]),
            ("a (b; c", vec!["a ( b", "c"]),
            ("a ')\n;' b\nc", vec!["a ')\n;' b", "c"]),
            ("a)\nb", vec!["a )", "b"]),
            ("web: a\n dns-2: b", vec!["[web] a", "[dns-2] b"]),
            (
                "web:a; fd00::1: b; : c; x :",
                vec!["web:a", "fd00::1: b", ": c", "x :"],
            ),
            ("web:\nb", vec!["[web] ", "b"]),
            ("A :-\n b\nc", vec!["A :- b", "c"]),
            (
                "Select a\nfrom b\nlimit 5\norder by c",
                vec!["Select a from b limit 5 order by c"],
            ),
            (
                "select a % 2 # 3,--x\n/* ;\n */ b\n\nfrom b",
                vec!["select a % 2 # 3 , b from b"],
            ),
            (
                "select a\n\nb\nselect c\nselect d\nunion\n all\nselect e",
                vec!["select a", "b", "select c", "select d union all select e"],
            ),
            (
                "select a from (\n\nselect\nb)\nc",
                vec!["select a from ( select b ) c"],
            ),
            (
                "a\nx: select b\nc\ny: d\nA :- select e\nB(k) :- (select f\ng)\nh",
                vec![
                    "a",
                    "[x] select b c",
                    "[y] d",
                    "A :- select e",
                    "B ( k ) :- ( select f g )",
                    "h",
                ],
            ),
            (
                "select a || b\n| head % x\nc; print select\nb",
                vec!["select a | | b | head", "c", "print select", "b"],
            ),
            (
                "select a\n--b\nc; select /* d\ne",
                vec!["select a c", "select /* d e"],
            ),
            ("a ;| b", vec!["a", "| b"]),
            ("a \"b\nc", vec!["a \"b", "c"]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }
}
