//! Completion of command lines. The scripts for the shells only ask `wireq __complete`, which knows
//! flags, modules and fields from their declarations.
//!
//! The answer's first line holds the length of the last word, how many characters of it stay as they
//! are, and `files` where the shell is to add the names of files, else `words`. Then come the whole
//! words, each with a tab and a description.

mod fields;
mod query;
mod shell;
mod words;

use crate::{Failure, sinks};
use std::fmt::Write;

/// What a word can become.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// How many characters of the word stay as they are.
    stem: usize,
    /// Whether it can be the name of a file.
    files: bool,
    /// What can stand behind the stem, and what it is.
    candidates: Vec<(String, String)>,
}

impl Completions {
    /// Those of the candidates that begin with `prefix`, behind a stem.
    fn new(
        stem: usize,
        prefix: &str,
        candidates: impl IntoIterator<Item = (String, String)>,
    ) -> Completions {
        let candidates = candidates.into_iter();
        let mut candidates: Vec<_> = candidates.filter(|(c, _)| c.starts_with(prefix)).collect();
        candidates.sort();
        candidates.dedup_by(|a, b| a.0 == b.0);
        Completions {
            stem,
            files: false,
            candidates,
        }
    }

    fn files() -> Completions {
        Completions {
            files: true,
            ..Completions::default()
        }
    }
}

/// Prints the script of a shell.
pub fn script(shell: &str) -> Result<u8, Failure> {
    sinks::print(match shell {
        "fish" => include_str!("wireq.fish"),
        "zsh" => include_str!("wireq.zsh"),
        _ => include_str!("wireq.bash"),
    })?;
    Ok(0)
}

/// Prints what the last word of a command line can become.
pub fn complete(line: Option<&str>, words: Vec<String>) -> Result<u8, Failure> {
    let words = line.map_or(words, shell::split);
    let last = words.last().cloned().unwrap_or_default();
    let completions = words::complete(words.get(1..).unwrap_or_default());
    let kind = if completions.files { "files" } else { "words" };
    let stem: String = last.chars().take(completions.stem).collect();
    let mut text = format!("{} {} {kind}\n", last.chars().count(), completions.stem);
    for (candidate, description) in &completions.candidates {
        let description = description.replace(['\n', '\t'], " ");
        let _ = writeln!(text, "{stem}{candidate}\t{description}");
    }
    // Words of several lines are beyond what the scripts read.
    if !stem.contains('\n') {
        sinks::print(&text)?;
    }
    Ok(0)
}
