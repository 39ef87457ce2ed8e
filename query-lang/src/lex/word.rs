//! What words are, and where they end.

use super::Keyword;
use std::net::IpAddr;

/// The keywords of both modes.
pub(super) fn clause(word: &str) -> Option<Keyword> {
    const KEYWORDS: [(&str, Keyword); 4] = [
        ("where", Keyword::Where),
        ("group", Keyword::Group),
        ("having", Keyword::Having),
        ("from", Keyword::From),
    ];
    find(&KEYWORDS, word)
}

/// The keywords of expressions.
pub(super) fn logic(word: &str) -> Option<Keyword> {
    const KEYWORDS: [(&str, Keyword); 4] = [
        ("and", Keyword::And),
        ("or", Keyword::Or),
        ("not", Keyword::Not),
        ("in", Keyword::In),
    ];
    find(&KEYWORDS, word)
}

fn find(keywords: &[(&str, Keyword)], word: &str) -> Option<Keyword> {
    let mut keywords = keywords.iter();
    let keyword = keywords.find(|(name, _)| name.eq_ignore_ascii_case(word));
    keyword.map(|(_, keyword)| *keyword)
}

/// Whether a word of expressions has an operand behind it, so that a bracket there is no call.
pub(super) fn takes_operand(word: &str) -> bool {
    const WORDS: [&str; 8] = [
        "case", "when", "then", "else", "between", "like", "ilike", "is",
    ];
    WORDS
        .iter()
        .any(|operator| word.eq_ignore_ascii_case(operator))
}

/// Whether text begins with `::` before the name of a type: not with that of `fd00::1`, `fd00::beef`.
fn begins_cast(text: &str) -> bool {
    let Some(text) = text.strip_prefix("::") else {
        return false;
    };
    // As long as a name has to be for that to be known.
    let name = |c: &char| c.is_alphanumeric() || *c == '_';
    let mut name = text.chars().take_while(name);
    text.starts_with(char::is_alphabetic) && name.any(|c| !c.is_ascii_hexdigit())
}

/// The length of the word that an expression begins with. Besides operators, `ends` ends it.
pub(super) fn word_length(text: &str, ends: Option<u8>) -> usize {
    let dated = is_date(text);
    let mut end = usize::from(text.starts_with('-'));
    while let Some(byte) = text.as_bytes().get(end) {
        let operator = match byte {
            b'=' | b'!' | b'<' | b'>' | b'*' => true,
            b':' => end > 0 && begins_cast(&text[end..]),
            b'&' => text[end..].starts_with("&&"),
            b'+' | b'-' | b'/' => !continues_word(&text[..end], &text[end..], dated),
            byte => ends == Some(*byte),
        };
        if operator {
            break;
        }
        end += 1;
    }
    end
}

/// Whether a sign or slash belongs to the word before it: in dates, exponents and prefixes.
fn continues_word(word: &str, rest: &str, dated: bool) -> bool {
    if !begins_with_digit(&rest[1..]) {
        return false;
    }
    if rest.starts_with('/') {
        return word.parse::<IpAddr>().is_ok();
    }
    match dated {
        true => {
            word.len() < 10
                || word[10..].starts_with(['T', 't']) && !word[10..].contains(['+', '-'])
        }
        false => word
            .strip_suffix(['e', 'E'])
            .is_some_and(|number| number.parse::<f64>().is_ok()),
    }
}

/// Whether text begins with an ASCII digit.
pub(super) fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether text begins with `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let date = text.as_bytes().get(..10).unwrap_or_default();
    let fits = |(at, byte): (usize, &u8)| {
        if at == 4 || at == 7 {
            *byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    };
    !date.is_empty() && date.iter().enumerate().all(fits)
}

/// Text between double quotes. Modules read the other backslash sequences themselves.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let escaped = if c == '\\' { rest.next() } else { None };
        match escaped {
            None => out.push(c),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('f') => out.push('\u{c}'),
            Some('"') => out.push('"'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}
