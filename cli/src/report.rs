//! Draws diagnostics: the message, the line of the query, what is meant, and advice.

use crate::color::Colors;
use wireq_engine::Diagnostic;
use wireq_query_lang::Text;

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
    let marked = width(&text.text[start..end.min(line_end).max(start)]).max(1);

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
        column + 1
    );
    drawn += &format!("{frame}{number} │{end} {}\n", show(line));
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

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A line as it is shown: one column a character, and nothing that a terminal would act on.
fn show(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}
