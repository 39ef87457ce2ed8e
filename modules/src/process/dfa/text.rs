//! The text of a machine: lines of a state, the state behind it, and a predicate.

use super::NAME;
use std::fs::File;
use std::io::{self, Read};
use wireq_engine::arguments::{ArgumentError, Arguments, Word};
use wireq_engine::{ExpressionText, Span};

/// No file of lines that someone wrote is larger.
const FILE_MAX: u64 = 1 << 20;

/// One transition as it is written.
pub(super) struct Line {
    /// The state that it leads from.
    pub(super) state: String,
    /// The state that it leads to.
    pub(super) next: String,
    /// The predicate.
    pub(super) text: ExpressionText,
    place: Place,
}

/// Where a line stands, for messages.
#[derive(Clone)]
struct Place {
    /// What the message begins with: the file and the number of the line, or the line itself.
    name: String,
    span: Span,
}

impl Place {
    fn fault(&self, message: impl Into<String>, help: Option<&str>) -> ArgumentError {
        ArgumentError {
            module: NAME.into(),
            argument: self.name.clone(),
            message: message.into(),
            help: help.map(str::to_owned),
            span: Some(self.span),
        }
    }
}

impl Line {
    /// A fault in this line.
    pub(super) fn fault(&self, message: impl Into<String>, help: Option<&str>) -> ArgumentError {
        self.place.fault(message, help)
    }
}

/// The argument that a text is from.
struct Origin<'a> {
    word: &'a Word,
    /// Whether the text is that of the file which the word names.
    is_file: bool,
}

impl Origin<'_> {
    fn place(&self, number: usize, line: &str, start: usize) -> Place {
        let name = match self.is_file {
            true => format!("{}:{number}", self.word.text),
            false => format!("`{line}`"),
        };
        let span = self.span(start, line.len(), 0);
        Place { name, span }
    }

    /// Where a part of the text stands in the query, with so many bytes around it.
    fn span(&self, start: usize, len: usize, around: usize) -> Span {
        let word = self.word;
        // As it is written: between quotes, nothing translated.
        let exact = word.text.len() + 2 == word.span.end - word.span.start;
        if self.is_file || !exact {
            return word.span;
        }
        let start = word.span.start + 1 + start;
        Span::new(start - around, start + len + around)
    }

    /// A part of the text as a word in quotes.
    fn word(&self, text: &str, start: usize) -> Word {
        Word {
            text: text.to_owned(),
            quoted: true,
            span: self.span(start, text.len(), 1),
        }
    }

    fn lines(&self, text: &str, lines: &mut Vec<Line>) -> Result<(), ArgumentError> {
        let mut start = 0;
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let indent = line.len() - line.trim_start().len();
            let trimmed = line.trim();
            if !trimmed.is_empty() && !trimmed.starts_with(['#', '%']) && !trimmed.starts_with("--")
            {
                lines.push(self.line(at + 1, trimmed, start + indent)?);
            }
            start += line.len();
        }
        Ok(())
    }

    fn line(&self, number: usize, line: &str, start: usize) -> Result<Line, ArgumentError> {
        let place = self.place(number, line, start);
        let (state, rest) = split_word(line);
        let (next, predicate) = split_word(rest);
        if next.is_empty() || is_comment(next) {
            let help = "a line has a state, the state behind it, and a predicate";
            return Err(place.fault("has no state to go to", Some(help)));
        }
        if predicate.is_empty() || is_comment(split_word(predicate).0) {
            let help = "write `true` where any object will do";
            return Err(place.fault("has no predicate", Some(help)));
        }
        Ok(Line {
            state: state.to_owned(),
            next: next.to_owned(),
            text: ExpressionText {
                // The predicate ends where the line does.
                word: self.word(predicate, start + line.len() - predicate.len()),
                place: self.is_file.then(|| place.name.clone()),
            },
            place,
        })
    }
}

/// The first word of a text, and what follows behind white space.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// Whether a word begins a comment, as it does in queries.
fn is_comment(word: &str) -> bool {
    matches!(word, "#" | "%" | "--")
}

/// The lines of the file, or of the texts, that the arguments give.
pub(super) fn read(arguments: &Arguments) -> Result<Vec<Line>, ArgumentError> {
    let mut lines = Vec::new();
    match (arguments.words().first(), arguments.value("-e")) {
        (Some(_), Some(word)) => {
            let help = Some("write all transitions in the file, or all with -e".to_owned());
            let fault = ArgumentError::at(NAME, word, "stands beside a file");
            return Err(ArgumentError { help, ..fault });
        }
        (Some(word), None) => {
            let origin = Origin {
                word,
                is_file: true,
            };
            origin.lines(&read_file(&origin)?, &mut lines)?;
        }
        (None, None) => {
            return Err(ArgumentError {
                module: NAME.into(),
                argument: "FILE".into(),
                message: "is missing".into(),
                help: Some("name a file with transitions, or write them with -e".into()),
                span: None,
            });
        }
        (None, Some(_)) => {
            for word in arguments.values("-e") {
                let origin = Origin {
                    word,
                    is_file: false,
                };
                origin.lines(&word.text, &mut lines)?;
            }
        }
    }
    Ok(lines)
}

fn read_file(origin: &Origin<'_>) -> Result<String, ArgumentError> {
    let fault = |message: String| ArgumentError::at(NAME, origin.word, message);
    let unreadable = |error: io::Error| fault(format!("cannot be read: {error}"));
    let file = File::open(&origin.word.text).map_err(unreadable)?;
    // What can't be read again, such as a pipe, can be no machine: it is read once for the
    // predicates, once for the states.
    if !file.metadata().map_err(unreadable)?.is_file() {
        let help = Some("put the transitions in a file, or write them with -e".to_owned());
        return Err(ArgumentError {
            help,
            ..fault("is no regular file".into())
        });
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(fault(format!(
            "is larger than {FILE_MAX} bytes, which no machine is"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let number = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let place = origin.place(number, "", 0);
        place.fault("is not UTF-8", None)
    })
}
