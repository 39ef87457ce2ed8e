//! Regular expressions, as modules and functions have them.

use regex_automata::meta::{Builder, Regex};
use regex_automata::util::syntax;

/// What the automata of one expression may take: one that needs more is refused, and what a
/// search keeps is thrown away at this size.
pub(crate) const BYTES_MAX: usize = 4 << 20;

/// What makes expressions; `utf8`: whether empty matches stand between code points only.
pub(crate) fn builder(syntax: syntax::Config, utf8: bool) -> Builder {
    let config = Regex::config()
        .utf8_empty(utf8)
        .nfa_size_limit(Some(BYTES_MAX))
        .hybrid_cache_capacity(BYTES_MAX / 2);
    let mut builder = Regex::builder();
    builder.syntax(syntax).configure(config);
    builder
}

/// An expression on code points with its classes (`\d`, `\s`, `\w`) and word boundaries as those
/// of ASCII, as they are in expressions on bytes.
pub(crate) fn with_ascii_classes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    // How many brackets are open.
    let mut depth = 0usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let escaped = rest.next();
                match (escaped.and_then(ascii_class), escaped) {
                    (Some(class), _) if depth > 0 => out.push_str(class),
                    (Some(class), _) => out.extend(["[", class, "]"]),
                    (None, Some(boundary @ ('b' | 'B')))
                        if depth == 0 && rest.peek() != Some(&'{') =>
                    {
                        out.extend(["(?-u:\\", boundary.encode_utf8(&mut [0; 4]), ")"]);
                    }
                    (None, escaped) => {
                        out.push(c);
                        out.extend(escaped);
                    }
                }
                continue;
            }
            '[' if depth > 0 && rest.peek() == Some(&':') => {
                // [:alpha:]
                out.push(c);
                while let Some(c) = rest.next_if(|c| *c != ']') {
                    out.push(c);
                }
                out.extend(rest.next());
                continue;
            }
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.push(c);
        if c == '[' {
            out.extend(rest.next_if_eq(&'^'));
            out.extend(rest.next_if_eq(&']'));
        }
    }
    out
}

fn ascii_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[:digit:]",
        'D' => "[:^digit:]",
        's' => "[:space:]",
        'S' => "[:^space:]",
        'w' => "[:word:]",
        'W' => "[:^word:]",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_ascii() {
        for (text, expected) in [
            (r"\d+", "[[:digit:]]+"),
            (r"[\w-]\W", "[[:word:]-][[:^word:]]"),
            (r"[^]\s]\S", "[^][:space:]][[:^space:]]"),
            (r"[[:alpha:]\d]", "[[:alpha:][:digit:]]"),
            (r"\\d\[\d", r"\\d\[[[:digit:]]"),
            (r"\bx\B", r"(?-u:\b)x(?-u:\B)"),
            ("ä.\\", "ä.\\"),
        ] {
            assert_eq!(with_ascii_classes(text), expected);
        }
    }

    #[test]
    fn expressions_match_as_those_on_bytes_do() {
        let syntax = || syntax::Config::new().utf8(false);
        for (text, haystack, expected) in [
            (r"^\w$", "ä", false),
            (r"^\W$", "ä", true),
            (r"^.$", "ä", true),
            (r"(?i)^Ä$", "ä", true),
            (r"\bx\b", "äx", true),
            (r"^[^\d]$", "ä", true),
        ] {
            let text = with_ascii_classes(text);
            let regex = builder(syntax(), true).build(&text).expect("an expression");
            assert_eq!(regex.is_match(haystack), expected, "{text} in {haystack}");
        }
    }
}
