//! Files of rules: their lines, and where in them something stands.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// No file of rules is larger.
const FILE_MAX: u64 = 1 << 30;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The byte in the line, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A line with those that it goes on in: `\` at the end of a line joins the next to it.
pub struct Line {
    file: Arc<str>,
    /// What stands in it.
    pub text: Vec<u8>,
    /// Where each line of the file begins in the text: offset, number, bytes cut off before.
    starts: Vec<(usize, u32, u32)>,
}

impl Line {
    /// Where a byte of the text stands.
    pub fn place(&self, offset: usize) -> Place {
        let at = self
            .starts
            .partition_point(|(start, _, _)| *start <= offset);
        let (start, line, cut) = self.starts[at.saturating_sub(1)];
        Place {
            file: Arc::clone(&self.file),
            line,
            column: (offset - start) as u32 + cut + 1,
        }
    }
}

/// The bytes of a file.
///
/// # Errors
/// Where it can't be read.
pub fn read_file(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(io::Error::other(format!("is larger than {FILE_MAX} bytes")));
    }
    Ok(bytes)
}

/// The lines that hold something: not those that are empty or begin with `#`.
pub fn lines(path: &str, bytes: &[u8]) -> Vec<Line> {
    let file: Arc<str> = path.into();
    let mut lines: Vec<Line> = Vec::new();
    let mut goes_on = false;
    for (at, raw) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = at as u32 + 1;
        let line = raw.trim_ascii();
        let cut = (raw.len() - raw.trim_ascii_start().len()) as u32;
        let joined = std::mem::take(&mut goes_on);
        if !joined && (line.is_empty() || line.starts_with(b"#")) {
            continue;
        }
        let text = match line.strip_suffix(b"\\") {
            Some(text) => {
                goes_on = true;
                text
            }
            None => line,
        };
        if !joined {
            lines.push(Line {
                file: Arc::clone(&file),
                text: Vec::new(),
                starts: Vec::new(),
            });
        }
        if let Some(last) = lines.last_mut() {
            last.starts.push((last.text.len(), number, cut));
            last.text.extend_from_slice(text);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_behind_a_backslash() {
        let text = b"# no\n\n  one \\\n  two\\\n# three\nfour\n  # five\nsix\\";
        let lines = lines("x.rules", text);
        let texts: Vec<&str> = lines
            .iter()
            .map(|line| std::str::from_utf8(&line.text).expect("text"))
            .collect();
        assert_eq!(texts, ["one two# three", "four", "six"]);
        let place = |line: usize, offset| lines[line].place(offset).to_string();
        assert_eq!(place(0, 0), "x.rules:3:3");
        assert_eq!(place(0, 4), "x.rules:4:3");
        assert_eq!(place(0, 7), "x.rules:5:1");
        assert_eq!(place(1, 3), "x.rules:6:4");
    }
}
