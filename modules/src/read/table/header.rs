//! What the begin of a file tells: marks of its encoding, and its header line.

use super::grammar::{Grammar, Search};
use crate::read::blocks::{Blocks, Pool};
use crate::types::table::COLUMNS_MAX;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::AtomicBool;

/// The most bytes of one record. A longer one is skipped.
pub(super) const RECORD_LEN_MAX: usize = 16 * 1024 * 1024;

/// The names of the columns of a file from the left; none for a column called by its place.
pub(super) type Names = Vec<Option<String>>;

/// Why a file cannot be used.
pub(super) enum Unusable {
    /// What was tried, and why it failed.
    System(&'static str, io::Error),
    Damaged(String),
    /// The run is to end.
    Interrupted,
}

impl Unusable {
    pub(super) fn damaged(reason: &str) -> Unusable {
        Unusable::Damaged(reason.to_owned())
    }
}

/// What a file begins with.
pub(super) struct Begin {
    /// The cells of the first record.
    pub(super) cells: Vec<Vec<u8>>,
    /// The bytes up to the second one.
    pub(super) len: usize,
}

/// Passes over the mark of UTF-8. What is in an encoding of two bytes a character cannot be read.
pub(super) fn skip_mark(
    input: &mut Blocks,
    pool: &mut Pool,
    interrupt: &AtomicBool,
) -> Result<(), Unusable> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    while input.unread().len() < MARK.len() && !input.at_end {
        // A line shorter than the mark need not wait for the next one.
        if input.unread().contains(&b'\n') {
            break;
        }
        read(input, pool, interrupt)?;
    }
    if input.unread().starts_with(MARK) {
        input.at += MARK.len();
    } else if input.unread().starts_with(b"\xff\xfe") || input.unread().starts_with(b"\xfe\xff") {
        return Err(Unusable::damaged(
            "it is UTF-16 text; tables are read as UTF-8",
        ));
    }
    Ok(())
}

/// Reads on, for a record that did not end yet.
pub(super) fn read(
    input: &mut Blocks,
    pool: &mut Pool,
    interrupt: &AtomicBool,
) -> Result<bool, Unusable> {
    let have = input.unread().len();
    // Twice as much room each time: no byte is moved more often than a few times.
    let need = if input.end < input.block.0.len() {
        have + 1
    } else {
        2 * have
    };
    let need = need.min(RECORD_LEN_MAX + 1).max(have + 1);
    input
        .more(need, pool, interrupt)
        .map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Unusable::Interrupted,
            _ => Unusable::System("read", error),
        })
}

/// The first record of a file that has one; it stays unread.
pub(super) fn begin(
    input: &mut Blocks,
    grammar: Grammar,
    pool: &mut Pool,
    interrupt: &AtomicBool,
) -> Result<Begin, Unusable> {
    let mut search = Search::default();
    loop {
        let unread = input.unread();
        let whole = unread.len() > RECORD_LEN_MAX;
        let looked = &unread[..unread.len().min(RECORD_LEN_MAX + 1)];
        let end = match search.end(looked, grammar) {
            Some(end) => end,
            None if whole => return Err(Unusable::damaged("its first line does not end")),
            None if !input.at_end => {
                read(input, pool, interrupt)?;
                continue;
            }
            None if search.is_quoted() => {
                return Err(Unusable::damaged(
                    "it ends within the quotes of its first line",
                ));
            }
            None => looked.len(),
        };
        let record = without_return(&looked[..end]);
        return Ok(Begin {
            cells: grammar.texts(record, COLUMNS_MAX),
            len: (end + 1).min(unread.len()),
        });
    }
}

/// A line without the carriage return that some systems end lines with.
#[inline]
pub(super) fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The names in a header line. An empty cell names nothing, and neither does a name that a column
/// further left has.
pub(super) fn names(cells: &[Vec<u8>]) -> Names {
    let mut met = HashSet::new();
    let name = |cell: &Vec<u8>| {
        let name = String::from_utf8_lossy(cell.trim_ascii()).into_owned();
        (!name.is_empty() && met.insert(name.clone())).then_some(name)
    };
    cells.iter().map(name).collect()
}

/// What is known of a file before it is read for good.
pub(super) enum Peek {
    /// The cells of its first record.
    Cells(Vec<Vec<u8>>),
    /// It cannot be read, or has no record: that will be said when it is opened.
    Nothing,
    /// A pipe or device, which would lose what is looked at.
    Later,
}

/// Looks at the first record of a file.
pub(super) fn peek(path: &str, grammar: Grammar) -> Peek {
    match std::fs::metadata(path) {
        _ if path == "-" => Peek::Later,
        Ok(data) if data.is_file() => first_cells(path, grammar).map_or(Peek::Nothing, Peek::Cells),
        Ok(data) if !data.is_dir() => Peek::Later,
        _ => Peek::Nothing,
    }
}

fn first_cells(path: &str, grammar: Grammar) -> Option<Vec<Vec<u8>>> {
    let (mut pool, interrupt) = (Pool::default(), AtomicBool::new(false));
    let mut input = Blocks::open(path, &mut pool).ok()?;
    skip_mark(&mut input, &mut pool, &interrupt).ok()?;
    let begin = begin(&mut input, grammar, &mut pool, &interrupt).ok()?;
    (begin.len > 0).then_some(begin.cells)
}
