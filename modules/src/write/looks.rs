//! What the arguments of `print` say about how objects are written.

use super::format::{Columns, Format, Layout, NAMES, Style, Styled, Text, format};
use std::sync::Arc;
use wireq_engine::Context;
use wireq_engine::arguments::{ArgumentError, Arguments, Word};
use wireq_engine::diagnostic::suggest;
use wireq_typesys::unescape;

const STYLES: [(&str, Style); 3] = [
    ("-v", Style::Named),
    ("-x", Style::Tagged),
    ("--boulder", Style::Boulder),
];

/// What belongs to plain text, and makes it the format.
const OF_TEXT: [&str; 5] = ["-v", "-x", "--boulder", "-d", "-r"];

/// What the arguments say about how objects are written.
#[derive(Clone)]
pub(super) struct Looks {
    format: String,
    style: Option<Style>,
    between: Vec<u8>,
    behind: Vec<u8>,
    layout: Layout,
    statement: Option<String>,
    named: bool,
    rows: bool,
}

impl Looks {
    pub fn new(arguments: &Arguments) -> Result<Looks, ArgumentError> {
        let style = STYLES.iter().find(|(flag, _)| arguments.flag(flag));
        let style = style.map(|(_, style)| *style);
        let text = |flag: &str, default: &str| {
            arguments
                .value(flag)
                .map_or_else(|| default.into(), |word| unescape(word.text.as_bytes()))
        };
        let (between, behind) = match style {
            Some(Style::Boulder) => (b"\n".to_vec(), b"\n=\n".to_vec()),
            _ => (text("-d", "\t"), text("-r", "\n")),
        };
        let summary = arguments.flag("--summary");
        Ok(Looks {
            format: format_of(arguments)?,
            style,
            between,
            behind,
            layout: Layout {
                width: arguments
                    .value("--width")
                    .and_then(|word| word.text.parse().ok()),
                bold: arguments.flag("--bold"),
            },
            statement: arguments.value("--statement").map(|word| word.text.clone()),
            rows: arguments.flag("--rows"),
            named: arguments.flag("--null")
                || arguments.flag("--rows")
                || !summary && !arguments.words().is_empty(),
        })
    }

    /// Whether what is written of an object goes by those before it.
    pub fn goes_by_rows(&self) -> bool {
        self.format == "table"
    }

    /// The format, for the fields that are printed.
    pub fn make(&self, context: &Context) -> Box<dyn Format> {
        let columns = Columns {
            fields: context.fields.clone(),
            kinds: context.kinds.clone(),
            statement: self.statement.clone(),
            named: self.named,
            rows: self.rows,
            zone: Arc::clone(&context.zone),
        };
        match self.format.as_str() {
            "text" => match self.style {
                Some(style) => Box::new(Styled::new(columns, style, &self.between, &self.behind)),
                None => Box::new(Text::new(columns, &self.between, &self.behind)),
            },
            name => format(name, columns, self.layout),
        }
    }
}

/// The format that the flags choose.
fn format_of(arguments: &Arguments) -> Result<String, ArgumentError> {
    let of_text = OF_TEXT.into_iter().find(|flag| arguments.flag(flag));
    if let Some(word) = arguments.value("-o") {
        check_format(word)?;
        return match of_text.filter(|_| word.text != "text") {
            Some(flag) => Err(ArgumentError {
                help: Some(format!("leave out {flag}, or write `-o text`")),
                ..ArgumentError::at("print", word, format!("is a format that has no {flag}"))
            }),
            None => Ok(word.text.clone()),
        };
    }
    let default = arguments.value("--default-format");
    default.map_or(Ok(()), check_format)?;
    let is_file = arguments.flag("-f");
    Ok(match default {
        // A table is for those who look on.
        Some(word) if of_text.is_none() && !(is_file && word.text == "table") => word.text.clone(),
        _ => "text".to_owned(),
    })
}

fn check_format(word: &Word) -> Result<(), ArgumentError> {
    if NAMES.contains(&word.text.as_str()) {
        return Ok(());
    }
    let help = match suggest(&word.text, NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", NAMES.join(", ")),
    };
    Err(ArgumentError {
        help: Some(help),
        ..ArgumentError::at("print", word, "is no format")
    })
}
