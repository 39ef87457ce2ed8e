//! Query text -> raw tokens: what is the same in both lexer modes.

use crate::place::Place;
use wireq_engine::Span;

/// What a raw token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawKind {
    /// Characters that nothing here ends: a word, or an expression written without spaces.
    Run,
    /// Text in quotes, which are part of the span.
    Quoted {
        /// Whether the closing quote is there.
        closed: bool,
    },
    Open,
    Close,
    Pipe,
    Comma,
    Semicolon,
    LineEnd,
}

/// A raw token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub kind: RawKind,
    pub span: Span,
    /// Whether only white space is before it on its line.
    pub first_on_line: bool,
    /// Whether it stands in a SELECT, behind its first word.
    pub in_select: bool,
}

/// Cuts text into raw tokens. White space and comments give none.
pub(crate) fn scan(text: &str) -> Vec<Raw> {
    let mut scanner = Scanner {
        text,
        at: 0,
        spaced: true,
        first_on_line: true,
        place: Place::Begin,
        block_comments: true,
        tokens: Vec::new(),
    };
    while scanner.step() {}
    scanner.tokens
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether white space is before the place.
    spaced: bool,
    first_on_line: bool,
    place: Place,
    /// Whether `/*` may still have an end.
    block_comments: bool,
    tokens: Vec<Raw>,
}

impl Scanner<'_> {
    /// Goes on behind a token, a comment or a character of white space; false at the end.
    fn step(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(next) = rest.chars().next() else {
            return false;
        };
        if next != '\n' && is_space(next) {
            self.spaced = true;
            self.at += next.len_utf8();
        } else if let Some(length) = self.comment(rest) {
            self.spaced = true;
            self.at += length;
        } else {
            let (kind, length) = token(rest, next);
            self.token(kind, length);
        }
        true
    }

    /// The length of the comment that begins here.
    fn comment(&mut self, rest: &str) -> Option<usize> {
        if !matches!(self.place, Place::Select { .. }) {
            let may = self.spaced && rest.starts_with(['-', '%', '#']);
            let begins = may && begins_comment(rest, self.first_on_line);
            return begins.then(|| line_length(rest));
        }
        if rest.starts_with("--") {
            return Some(line_length(rest));
        }
        let block = rest.strip_prefix("/*").filter(|_| self.block_comments)?;
        let end = block.find("*/");
        self.block_comments = end.is_some();
        end.map(|length| length + 4)
    }

    fn token(&mut self, kind: RawKind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        let in_select = matches!(self.place, Place::Select { .. });
        self.tokens.push(Raw {
            kind,
            span,
            first_on_line: self.first_on_line,
            in_select,
        });
        self.place = self.place.behind(kind, self.text, span);
        self.at = span.end;
        self.first_on_line = kind == RawKind::LineEnd;
        self.spaced = self.first_on_line;
    }
}

/// White space; a byte order mark counts as such.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn begins_comment(rest: &str, first_on_line: bool) -> bool {
    ["--", "%", "#"]
        .iter()
        .filter_map(|marker| rest.strip_prefix(marker))
        .any(|behind| first_on_line || behind.chars().next().is_none_or(is_space))
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn token(rest: &str, first: char) -> (RawKind, usize) {
    match first {
        '\n' => (RawKind::LineEnd, 1),
        '(' => (RawKind::Open, 1),
        ')' => (RawKind::Close, 1),
        '|' => (RawKind::Pipe, 1),
        ',' => (RawKind::Comma, 1),
        ';' => (RawKind::Semicolon, 1),
        '\'' => single_quoted(rest),
        '"' => double_quoted(rest),
        _ => (RawKind::Run, rest.find(ends_run).unwrap_or(rest.len())),
    }
}

fn ends_run(c: char) -> bool {
    is_space(c) || matches!(c, '(' | ')' | '|' | ',' | ';' | '\'' | '"')
}

/// Up to the next single quote, over line ends too; where there is none, up to the line end, so
/// that what follows is still read.
fn single_quoted(rest: &str) -> (RawKind, usize) {
    match rest[1..].find('\'') {
        Some(length) => (RawKind::Quoted { closed: true }, length + 2),
        None => (RawKind::Quoted { closed: false }, line_length(rest)),
    }
}

/// Up to the next double quote on the line that no backslash precedes.
fn double_quoted(rest: &str) -> (RawKind, usize) {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return (RawKind::Quoted { closed: false }, at),
            b'"' if !escaped => return (RawKind::Quoted { closed: true }, at + 1),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    (RawKind::Quoted { closed: false }, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        scan(text)
            .iter()
            .map(|token| &text[token.span.start..token.span.end])
            .collect()
    }

    #[test]
    fn keeps_words_whole() {
        for word in [
            "-20",
            "/data/x.pcap",
            "10.0.0.0/8",
            "--boulder",
            "0325@1112-snort.pcap",
            "fd00::1",
            "*.pcap",
            "a=b",
            "a#b",
            "10%",
            "a--b",
            "x!=y",
            "#",
            "%",
        ] {
            let text = format!("print{{{word}");
            assert_eq!(texts(&text).len(), 1, "{word}");
            assert_eq!(texts(&format!("x {word}|")).len(), 3, "{word}");
        }
    }

    #[test]
    fn begins_comments_at_a_line_start_or_between_white_space() {
        for (text, expected) in [
            ("a # b", vec!["a"]),
            ("a -- b", vec!["a"]),
            ("a --", vec!["a"]),
            ("a % b\nc", vec!["a", "\n", "c"]),
            ("#a\n  %b\n--c\nd", vec!["\n", "\n", "\n", "d"]),
            ("a #b", vec!["a", "#b"]),
            ("a --boulder", vec!["a", "--boulder"]),
            ("a# b", vec!["a#", "b"]),
            ("a|# b", vec!["a", "|", "#", "b"]),
            ("'# x' # y", vec!["'# x'"]),
            ("\u{feff}# x", vec![]),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
    }

    #[test]
    fn ends_quotes() {
        for (text, expected) in [
            ("'a\\' b", vec!["'a\\'", "b"]),
            ("''x", vec!["''", "x"]),
            ("'a\nb'", vec!["'a\nb'"]),
            (r#""a\"b" c"#, vec![r#""a\"b""#, "c"]),
            (r#""a\\" c"#, vec![r#""a\\""#, "c"]),
            ("\"a\nb", vec!["\"a", "\n", "b"]),
            ("'a\nb", vec!["'a", "\n", "b"]),
            ("\"\\", vec!["\"\\"]),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
    }
}
