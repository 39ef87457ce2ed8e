//! Draws diagnostics: the message, the line of the query, what is meant, and advice.

use crate::color::Colors;
use wireq_engine::{Diagnostic, Skipped};
use wireq_query_lang::Text;

/// Of longer lines only what is about the fault is shown: so many characters, and so many of them
/// before it.
const LINE_MAX: usize = 160;
const BEFORE_MAX: usize = 60;

/// Ranges of an input that were skipped, as text.
pub fn skipped(skipped: &Skipped) -> String {
    let Skipped {
        offset,
        bytes,
        count,
        reason,
    } = skipped;
    match count {
        1 => format!("skipped {bytes} bytes at byte {offset}: {reason}"),
        _ => {
            format!("skipped {bytes} bytes in {count} places, the first at byte {offset}: {reason}")
        }
    }
}

/// A diagnostic as text.
pub fn draw(text: &Text, diagnostic: &Diagnostic, colors: Colors) -> String {
    let start = floor(&text.text, diagnostic.span.start);
    let end = floor(&text.text, diagnostic.span.end.max(diagnostic.span.start));
    let line_start = text.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text.text[start..]
        .find('\n')
        .map_or(text.text.len(), |at| start + at);
    let line = &text.text[line_start..line_end];
    let number = text.text[..start].matches('\n').count() + 1;
    let column = width(&text.text[line_start..start]);
    let place = column;
    let marked = width(&text.text[start..end.min(line_end).max(start)]).max(1);
    let (line, column, marked) = shorten(line, column, marked);

    let Colors {
        fault,
        frame,
        advice,
        end,
    } = colors;
    let gutter = " ".repeat(number.to_string().len());
    let code = diagnostic.code;
    let message = show(&diagnostic.message);
    let mut drawn = format!("{fault}error[{code}]{end}: {message}\n");
    drawn += &format!(
        "{frame}{gutter} ┌{end} {}:{number}:{}\n",
        show(&text.name),
        place + 1
    );
    drawn += &format!("{frame}{number} │{end} {}\n", show(&line));
    let label = show(&diagnostic.label);
    let label = if label.is_empty() {
        label
    } else {
        format!(" {label}")
    };
    drawn += &format!(
        "{frame}{gutter} │{end} {}{fault}{}{label}{end}",
        " ".repeat(column),
        "^".repeat(marked),
    );
    if let Some(help) = &diagnostic.help {
        drawn += &format!("\n{frame}{gutter} ={end} {advice}help{end}: {}", show(help));
    }
    drawn
}

/// What is shown of a line, and where in it the mark is.
fn shorten(line: &str, column: usize, marked: usize) -> (String, usize, usize) {
    if width(line) <= LINE_MAX {
        return (line.to_owned(), column, marked);
    }
    let skipped = column.saturating_sub(BEFORE_MAX);
    let (before, column) = match skipped {
        0 => ("", column),
        // The sign for what is left out takes a column too.
        _ => ("…", column - skipped + 1),
    };
    let shown: String = line.chars().skip(skipped).take(LINE_MAX).collect();
    let after = match width(line) > skipped + LINE_MAX {
        true => "…",
        false => "",
    };
    let shown = format!("{before}{shown}{after}");
    let marked = marked.min(width(&shown).saturating_sub(column)).max(1);
    (shown, column, marked)
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A line as it is shown: one column a character, and nothing that a terminal would act on.
pub fn show(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_shown_about_the_fault() {
        let line: String = (0..400)
            .map(|at| char::from(b'a' + (at % 26) as u8))
            .collect();
        assert_eq!(shorten("a b", 2, 1), ("a b".to_owned(), 2, 1));
        for (at, marked) in [
            (0, 1),
            (59, 3),
            (61, 3),
            (200, 5),
            (200, 400),
            (399, 1),
            (400, 1),
        ] {
            let (shown, column, shown_marked) = shorten(&line, at, marked);
            assert!(width(&shown) <= LINE_MAX + 2 && column <= width(&shown));
            let under = shown.chars().nth(column);
            if let Some(c) = line.chars().nth(at) {
                assert_eq!(under, Some(c), "{at}");
            }
            assert!(shown_marked <= marked.max(1));
        }
    }
}
