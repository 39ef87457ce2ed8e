//! The words of a command line, as POSIX shells divide them.

/// The words of a line that ends at the cursor; the last one may be empty, and its quotes open.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => word
                .get_or_insert_default()
                .extend(rest.by_ref().take_while(|c| *c != '\'')),
            '"' => double_quoted(&mut rest, word.get_or_insert_default()),
            '\\' => word.get_or_insert_default().extend(rest.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.push(word.unwrap_or_default());
    words
}

/// Up to the closing quote; a backslash takes the meaning of some characters away.
fn double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) {
    while let Some(c) = rest.next() {
        match c {
            '"' => return,
            '\\' => match rest.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                Some(c) => word.extend(['\\', c]),
                None => word.push('\\'),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (line, words) in [
            ("wireq ", &["wireq", ""][..]),
            ("wireq 'where dst", &["wireq", "where dst"]),
            ("wireq 'a b' c", &["wireq", "a b", "c"]),
            ("wireq \"a \\\"b\\x", &["wireq", "a \"b\\x"]),
            ("wireq a\\ b'c'\"d\"", &["wireq", "a bcd"]),
            ("wireq '' ", &["wireq", "", ""]),
            ("", &[""]),
            ("a\\", &["a"]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }
}
