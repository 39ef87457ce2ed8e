//! Tables: text with a record a line and cells between separators.
//!
//! | file | what |
//! |---|---|
//! | `tabular_input.rs`, `csv.rs` | the modules and their arguments |
//! | `columns.rs` | columns that arguments or header lines name |
//! | `header.rs` | what the begin of a file tells |
//! | `grammar.rs` | where records and cells end |
//! | `layout.rs` | which columns of a file are read |
//! | `open_file.rs` | one file |
//! | `files.rs` | the source: one file after another |

mod columns;
pub(super) mod csv;
mod files;
mod grammar;
mod header;
mod layout;
mod open_file;
pub(super) mod tabular_input;

use wireq_engine::arguments::{ArgumentError, Word};
use wireq_typesys::unescape;

/// The byte that stands between cells.
fn separator(module: &str, word: &Word, quotes: bool) -> Result<u8, ArgumentError> {
    let text = unescape(word.text.as_bytes());
    let fault = |message: &str, help: &str| ArgumentError {
        help: Some(help.to_owned()),
        ..ArgumentError::at(module, word, message)
    };
    match text[..] {
        [b'\n' | b'\r'] => Err(fault("ends lines", "cells stand on one line")),
        [b'"'] if quotes => Err(fault(
            "is the quote",
            "cells in quotes need another separator",
        )),
        [byte] => Ok(byte),
        _ => Err(fault(
            "is not one character",
            "-d takes one character of ASCII; a comma, a space or `|` is written in quotes: -d ','",
        )),
    }
}
