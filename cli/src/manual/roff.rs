//! Text and Markdown -> roff, with the macros of man(7).
//!
//! Of Markdown, what our own documents use: headings, paragraphs, lists, tables, blocks of code,
//! `code` and **strong** text.

/// Text as roff shows it: nothing in it is a request or an escape.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '"' => out.push_str("\\(dq"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    // A line that begins with a point would be a request.
    match out.strip_prefix('.') {
        Some(rest) => format!("\\&.{rest}"),
        None => out,
    }
}

/// Lines as they stand.
pub fn verbatim(text: &str, out: &mut String) {
    out.push_str(".PP\n.RS 4\n.nf\n");
    for line in text.lines() {
        out.push_str(&escape(line));
        out.push('\n');
    }
    out.push_str(".fi\n.RE\n");
}

/// A term and what it means; both are roff.
pub fn term(name: &str, meaning: &str, out: &mut String) {
    out.push_str(&format!(".TP\n{name}\n{meaning}\n"));
}

/// Strong text.
pub fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escape(text))
}

/// `code` and **strong** text, both bold.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let mark = match &rest[at..] {
            marked if marked.starts_with("**") => "**",
            marked if marked.starts_with("``") => "``",
            marked if marked.starts_with('`') => "`",
            _ => "",
        };
        let inner = &rest[at + mark.len()..];
        let Some(end) = inner.find(mark).filter(|_| !mark.is_empty()) else {
            out.push_str(&piece(&rest[..=at], &out));
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&piece(&rest[..at], &out));
        out.push_str(&bold(inner[..end].trim_matches(' ')));
        rest = &inner[end + mark.len()..];
    }
    out.push_str(&piece(rest, &out));
    out
}

/// A piece of a line: only at its begin a point has to be guarded.
fn piece(text: &str, before: &str) -> String {
    let escaped = escape(text);
    match escaped.strip_prefix("\\&.") {
        Some(rest) if !before.is_empty() => format!(".{rest}"),
        _ => escaped,
    }
}

/// Markdown as sections.
pub fn markdown(text: &str, out: &mut String) {
    let mut lines = text.lines().peekable();
    // What the lines belong to that come without a blank line between them.
    let mut in_paragraph = false;
    let mut header: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if !trimmed.starts_with('|') {
            header.clear();
        }
        if trimmed.is_empty() {
            in_paragraph = false;
        } else if trimmed.starts_with("```") {
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|line| !line.trim().starts_with("```"))
                .collect();
            verbatim(&code.join("\n"), out);
            in_paragraph = false;
        } else if let Some(title) = trimmed.strip_prefix("## ") {
            out.push_str(&format!(".SS {}\n", inline(title)));
        } else if let Some(title) = trimmed.strip_prefix("# ") {
            out.push_str(&format!(".SH {}\n", inline(&title.to_uppercase())));
        } else if let Some(item) = trimmed.strip_prefix("* ") {
            out.push_str(&format!(".IP \\(bu 2\n{}\n", inline(item)));
            in_paragraph = true;
        } else if trimmed.starts_with('|') {
            row(&cells(trimmed), &mut header, out);
        } else {
            if !in_paragraph {
                out.push_str(".PP\n");
                in_paragraph = true;
            }
            out.push_str(&inline(trimmed));
            out.push('\n');
        }
    }
}

/// The cells of a line of a table. A bar in `code` divides nothing.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut in_code = false;
    for c in line.trim_matches('|').chars() {
        in_code ^= c == '`';
        match cells.last_mut() {
            Some(cell) if c != '|' || in_code => cell.push(c),
            _ => cells.push(String::new()),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// A line of a table: what is in the first column is explained by the others.
fn row(cells: &[String], header: &mut Vec<String>, out: &mut String) {
    if header.is_empty() {
        header.extend_from_slice(cells);
        return;
    }
    if cells
        .iter()
        .all(|cell| cell.chars().all(|c| "-:".contains(c)))
    {
        return;
    }
    let Some((first, others)) = cells.split_first() else {
        return;
    };
    let meaning: Vec<String> = match others {
        [only] => vec![inline(only)],
        several => {
            let named = several.iter().zip(&header[1.min(header.len())..]);
            let named = named.filter(|(cell, _)| !cell.is_empty());
            named
                .map(|(cell, name)| inline(&format!("{name}: {cell}")))
                .collect()
        }
    };
    term(&inline(first), &meaning.join("\n.br\n"), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_request_or_an_escape() {
        for (text, expected) in [
            (".TH", "\\&.TH"),
            ("a\\fB", "a\\efB"),
            ("'x'", "\\(aqx\\(aq"),
            ("-o …", "\\-o \\[u2026]"),
        ] {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(inline(".x `.y` z"), "\\&.x \\fB\\&.y\\fR z");
    }

    #[test]
    fn marks_are_read() {
        for (text, expected) in [
            ("a `b c` d", "a \\fBb c\\fR d"),
            ("**Quotes.** x", "\\fBQuotes.\\fR x"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("no `end", "no \\(gaend"),
            ("(`*`)", "(\\fB*\\fR)"),
        ] {
            assert_eq!(inline(text), expected, "{text}");
        }
    }

    #[test]
    fn blocks_are_read() {
        let mut out = String::new();
        markdown(
            "# One\n\nFirst\nsecond.\n\n* a\n  b\n* c\n\n| x | y |\n|---|---|\n| `p|q` | r |\n\n```text\n.z\n```\n",
            &mut out,
        );
        let expected = ".SH ONE\n.PP\nFirst\nsecond.\n.IP \\(bu 2\na\nb\n.IP \\(bu 2\nc\n.TP\n\\fBp|q\\fR\nr\n.PP\n.RS 4\n.nf\n\\&.z\n.fi\n.RE\n";
        assert_eq!(out, expected);
    }
}
