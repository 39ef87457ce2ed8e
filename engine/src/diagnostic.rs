//! Faults of the query, as plain data. They are drawn at the edge, by the command.

use crate::Span;
use crate::arguments::ArgumentError;

/// One fault of a query: what is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short code that documents can refer to, such as `Q012`.
    pub code: &'static str,
    /// What is wrong, in the user's words.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands there; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault at a place.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
        }
    }

    /// With a word on what stands there.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// A fault in the arguments of a call that stands at `call`.
    pub fn from_argument(error: ArgumentError, call: Span) -> Diagnostic {
        Diagnostic {
            code: "Q020",
            message: error.to_string(),
            span: error.span.unwrap_or(call),
            label: String::new(),
            help: error.help,
        }
    }
}

/// The candidate that is most like `word`, if one is like it: for "did you mean".
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let near = |candidate: &'a str| (distance(word, candidate), candidate);
    // One letter is not near another one.
    let letters = word.chars().count();
    candidates
        .into_iter()
        .map(near)
        .filter(|(d, _)| *d <= limit && *d < letters)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edits that turn one word into the other, case aside; two exchanged letters are one edit.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(64).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(64).collect();
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let edit = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped {
                    edit.min(rows[i - 2][j - 2] + 1)
                } else {
                    edit
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near() {
        let fields = ["srcip", "srcport", "dstip", "dstport", "len"];
        assert_eq!(suggest("srcprot", fields), Some("srcport"));
        assert_eq!(suggest("dport", fields), None);
        assert_eq!(suggest("dstpor", fields), Some("dstport"));
        assert_eq!(suggest("LEN", fields), Some("len"));
        assert_eq!(suggest("payload", fields), None);
        assert_eq!(suggest("x", ["a", "ab"]), None);
        assert_eq!(suggest("A", ["a", "b"]), Some("a"));
    }
}
