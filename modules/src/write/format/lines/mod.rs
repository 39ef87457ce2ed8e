//! Rows that are values with fixed texts around them: what `text`, `csv`, `tsv` and `json` share.
//!
//! Of some rows at a time the values of each column are written by themselves, with what stands
//! behind them, by a loop that does nothing else; then they are put together, row by row.

mod cells;
#[cfg(test)]
mod tests;

use super::Columns;
use cells::Cells;
use wireq_engine::View;
use wireq_engine::schedule::output::TextRows;
use wireq_typesys::{Bitmap, Column, Second, Short};

/// Rows that are written at once: they stay in the nearest cache with some columns.
const ROWS: usize = 64;

/// How many bytes are copied at once. Behind texts that are copied so there is as much slack, and so
/// there is where they go.
const STEP: usize = 16;

/// A text that stands in every row; slack behind it.
#[derive(Default)]
struct Fixed {
    bytes: Vec<u8>,
    len: usize,
}

impl Fixed {
    fn new(parts: &[&[u8]]) -> Fixed {
        let mut bytes = parts.concat();
        let len = bytes.len();
        bytes.resize(len + STEP, 0);
        Fixed { bytes, len }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn set(&mut self, other: &Fixed) {
        self.bytes.clone_from(&other.bytes);
        self.len = other.len;
    }

    /// The text where it can stand behind a short one.
    fn more(&self) -> Option<([u8; Short::MORE], usize)> {
        let fits = self.len <= Short::MORE;
        fits.then_some((*self.bytes.first_chunk()?, self.len))
    }
}

/// What rows look like.
pub(super) struct Form<'a> {
    /// What they begin with.
    pub begin: &'a [u8],
    /// For each field what stands before its value; none where the field is not written.
    pub before: Vec<Option<Vec<u8>>>,
    /// What stands between two columns.
    pub between: &'a [u8],
    /// What stands for a value that is missing; none where what stands before and behind it is
    /// missing, too.
    pub missing: Option<&'a [u8]>,
    /// Whether addresses and times are in quotes.
    pub quotes: bool,
    pub end: &'a [u8],
    /// Whether rows end behind their last value.
    pub trim: bool,
}

/// What stands around the value of a column.
struct Around {
    before: Fixed,
    behind: Fixed,
    /// Behind a value in quotes.
    closing: Fixed,
    /// What stands behind `before` where there is no value.
    missing: Option<Fixed>,
    /// Whether addresses and times are in quotes.
    quotes: bool,
}

impl Around {
    /// How many bytes stand for a value that is missing.
    fn missing(&self) -> usize {
        let missing = self.missing.as_ref();
        missing.map_or(0, |missing| self.before.len + missing.len)
    }
}

/// How rows are written.
pub(super) struct Lines {
    begin: Fixed,
    /// For each field that is written: its number, and what stands around it. Behind the last is the
    /// end of the row.
    around: Vec<(usize, Around)>,
    end: Fixed,
    trim: bool,
    /// For each piece of a row: at most as many as there are columns.
    cells: Vec<Cells>,
    rows: Vec<usize>,
}

/// A column of the rows at hand.
#[derive(Clone, Copy)]
struct Source<'a> {
    around: &'a Around,
    /// None where no row has a value.
    column: Option<&'a Column>,
    /// None where all rows have one.
    valid: Option<&'a Bitmap>,
}

impl Source<'_> {
    #[inline(always)]
    fn has(&self, row: usize) -> bool {
        self.column.is_some() && self.valid.is_none_or(|valid| valid.get(row))
    }
}

/// What rows are put together from.
enum Piece<'a> {
    Column(Source<'a>),
    /// Columns side by side of which no row has a value.
    Same(Fixed),
}

fn pieces<'a>(sources: &[Source<'a>]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(sources.len());
    let mut same = Vec::new();
    for source in sources {
        let around = source.around;
        if source.column.is_some() {
            if !same.is_empty() {
                pieces.push(Piece::Same(Fixed::new(&[&std::mem::take(&mut same)])));
            }
            pieces.push(Piece::Column(*source));
        } else if let Some(missing) = &around.missing {
            same.extend_from_slice(around.before.text());
            same.extend_from_slice(missing.text());
        }
    }
    if !same.is_empty() {
        pieces.push(Piece::Same(Fixed::new(&[&same])));
    }
    pieces
}

/// Writes into room that is there.
struct Room<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Room<'_> {
    /// Copies the first bytes of a text that has slack behind it.
    #[inline(always)]
    fn put(&mut self, text: &[u8], len: usize) {
        let mut done = 0;
        loop {
            let step = text[done..].first_chunk::<STEP>().expect("slack");
            self.bytes[self.at + done..][..STEP].copy_from_slice(step);
            done += STEP;
            if done >= len {
                break;
            }
        }
        self.at += len;
    }
}

impl Lines {
    pub fn new(form: Form<'_>) -> Lines {
        let written = form.before.into_iter().enumerate();
        let written: Vec<_> = written
            .filter_map(|(at, before)| Some((at, before?)))
            .collect();
        let last = written.last().map(|(at, _)| *at);
        let around = written.into_iter().map(|(at, before)| {
            let behind = if Some(at) == last {
                form.end
            } else {
                form.between
            };
            let around = Around {
                before: Fixed::new(&[&before]),
                behind: Fixed::new(&[behind]),
                missing: form.missing.map(|missing| Fixed::new(&[missing, behind])),
                closing: Fixed::new(&[b"\"", behind]),
                quotes: form.quotes,
            };
            (at, around)
        });
        let around: Vec<_> = around.collect();
        Lines {
            begin: Fixed::new(&[form.begin]),
            end: Fixed::new(&[form.end]),
            trim: form.trim,
            cells: around.iter().map(|_| Cells::default()).collect(),
            around,
            rows: Vec::new(),
        }
    }

    /// Writes the rows of a view; `write` writes values that may have a form of their own.
    pub fn write(
        &mut self,
        columns: &Columns,
        view: View<'_>,
        text: &mut TextRows,
        write: impl Fn(&Column, usize, &mut Vec<u8>),
    ) {
        let selection = columns.rows(view);
        self.rows.clear();
        selection.for_each(|row| self.rows.push(row));
        let sources = self.around.iter().map(|(at, around)| {
            let values = view.column(*at);
            let some = values.map(|column| selection.and(&column.valid));
            let column = values.filter(|_| some.is_some_and(|some| !some.is_empty()));
            Source {
                around,
                column,
                valid: column
                    .filter(|_| some != Some(selection))
                    .map(|column| &column.valid),
            }
        });
        let mut sources: Vec<Source<'_>> = sources.collect();
        if self.trim {
            let some = sources.iter().rposition(|source| source.column.is_some());
            sources.truncate(some.map_or(0, |last| last + 1));
        }
        // Whether what stands behind the last column is the end of the row.
        let whole = !sources.is_empty() && sources.len() == self.around.len();
        let pieces = pieces(&sources);
        let mut second = Second::new(&columns.zone);
        for rows in self.rows.chunks(ROWS) {
            let mut room = rows.len() * (self.begin.len + self.end.len) + STEP;
            for (piece, cells) in pieces.iter().zip(&mut self.cells) {
                room += match piece {
                    Piece::Column(source) => cells.read(*source, rows, &mut second, &write),
                    Piece::Same(text) => cells.repeat(text, rows.len()),
                };
            }
            let bytes = text.bytes();
            let start = bytes.len();
            bytes.resize(start + room, 0);
            let mut out = Room {
                bytes: &mut bytes[start..],
                at: 0,
            };
            let mut ends = [0; ROWS];
            for (at, (row, end)) in rows.iter().zip(&mut ends).enumerate() {
                if self.begin.len > 0 {
                    out.put(&self.begin.bytes, self.begin.len);
                }
                for cells in &self.cells[..pieces.len()] {
                    cells.put(at, &mut out);
                }
                let last = sources.last().filter(|_| whole);
                if !last.is_some_and(|last| !self.trim || last.has(*row)) {
                    self.trim(&sources, *row, &mut out);
                }
                *end = start + out.at;
            }
            let end = start + out.at;
            bytes.truncate(end);
            text.end_rows_of(view.part, rows, &ends);
        }
    }

    /// Takes back what stands behind the last value of a row, and ends it.
    fn trim(&self, sources: &[Source<'_>], row: usize, out: &mut Room<'_>) {
        for source in sources.iter().rev() {
            if source.has(row) {
                out.at -= source.around.behind.len;
                break;
            }
            out.at -= source.around.missing();
        }
        out.put(&self.end.bytes, self.end.len);
    }
}
