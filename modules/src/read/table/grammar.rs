//! How records and cells are written: where a record ends, and where its cells are.
//!
//! Source: RFC 4180, read leniently. A cell may stand in quotes, where separators and line ends are
//! text and a quote is written twice; a quote further on in a cell that does not begin with one is
//! text. What stands behind a closing quote belongs to the cell.

use crate::types::table::Cell;
use memchr::{memchr, memchr2};
use std::ops::Range;

const QUOTE: u8 = b'"';

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// What stands between cells.
    pub(super) separator: u8,
    /// Whether cells may stand in quotes.
    pub(super) quotes: bool,
}

/// A search for the end of a record, which goes on where it stopped when more bytes are there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Search {
    /// The bytes of the record that were looked at.
    looked: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// Behind an opening quote.
    Quoted,
    /// Behind a quote in quotes: the closing one, unless another follows.
    Closing,
}

impl Search {
    /// Where the line end of a record is. `bytes` begin with the record, at every call.
    pub(super) fn end(&mut self, bytes: &[u8], grammar: Grammar) -> Option<usize> {
        while self.looked < bytes.len() {
            let rest = &bytes[self.looked..];
            match self.state {
                State::Plain if !grammar.quotes => {
                    let end = memchr(b'\n', rest).map(|at| self.looked + at);
                    self.looked = end.map_or(bytes.len(), |end| end + 1);
                    return end;
                }
                State::Plain => {
                    let Some(at) = memchr2(b'\n', QUOTE, rest).map(|at| self.looked + at) else {
                        self.looked = bytes.len();
                        return None;
                    };
                    self.looked = at + 1;
                    if bytes[at] == b'\n' {
                        return Some(at);
                    }
                    if at == 0 || bytes[at - 1] == grammar.separator {
                        self.state = State::Quoted;
                    }
                }
                State::Quoted => match memchr(QUOTE, rest) {
                    Some(at) => {
                        self.looked += at + 1;
                        self.state = State::Closing;
                    }
                    None => self.looked = bytes.len(),
                },
                State::Closing if rest[0] == QUOTE => {
                    self.looked += 1;
                    self.state = State::Quoted;
                }
                State::Closing => self.state = State::Plain,
            }
        }
        None
    }

    /// Whether what was looked at ends within quotes.
    pub(super) fn is_quoted(self) -> bool {
        self.state == State::Quoted
    }
}

impl Grammar {
    /// Calls `each` with the number and the bytes, quotes included, of the cells of a record up to
    /// column `last`. There is one cell at least.
    #[inline]
    pub(super) fn cells(
        self,
        record: &[u8],
        last: usize,
        mut each: impl FnMut(usize, Range<usize>),
    ) {
        let mut start = 0;
        for column in 0..=last {
            let end = self.cell_end(record, start);
            each(column, start..end);
            if end == record.len() {
                return;
            }
            start = end + 1;
        }
    }

    /// Where the cell that begins at `start` ends: at a separator, or with the record.
    #[inline]
    fn cell_end(self, record: &[u8], start: usize) -> usize {
        let mut at = start;
        if self.quotes && record.get(start) == Some(&QUOTE) {
            at = closing_quote(record, start).map_or(record.len(), |quote| quote + 1);
        }
        memchr(self.separator, &record[at..]).map_or(record.len(), |length| at + length)
    }

    /// A cell of a record that begins at `at` in its block. An empty one is absent unless it stands
    /// in quotes; one with quotes in it is copied.
    #[inline]
    pub(super) fn cell(
        self,
        record: &[u8],
        range: Range<usize>,
        at: usize,
        copied: &mut Vec<u8>,
    ) -> Cell {
        if range.is_empty() {
            return Cell::ABSENT;
        }
        if !self.quotes || record[range.start] != QUOTE {
            return Cell::within(at + range.start, range.len());
        }
        let cell = &record[range.clone()];
        let first = memchr(QUOTE, &cell[1..]).map_or(cell.len(), |length| length + 1);
        if first + 1 >= cell.len() {
            return Cell::within(at + range.start + 1, first - 1);
        }
        let start = copied.len();
        unquote(cell, copied);
        Cell::copied(start, copied.len() - start)
    }

    /// The text of all cells of a record, up to a number of them.
    pub(super) fn texts(self, record: &[u8], cells_max: usize) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        if let Some(last) = cells_max.checked_sub(1) {
            self.cells(record, last, |_, range| {
                let cell = &record[range];
                let mut text = Vec::new();
                if self.quotes && cell.first() == Some(&QUOTE) {
                    unquote(cell, &mut text);
                } else {
                    text.extend_from_slice(cell);
                }
                texts.push(text);
            });
        }
        texts
    }
}

/// The quote that closes the one at `open`.
fn closing_quote(record: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        let quote = at + memchr(QUOTE, record.get(at..)?)?;
        if record.get(quote + 1) != Some(&QUOTE) {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// Appends what a cell that begins with a quote stands for.
fn unquote(cell: &[u8], out: &mut Vec<u8>) {
    let end = closing_quote(cell, 0).unwrap_or(cell.len());
    let mut rest = &cell[1..end];
    while let Some(quote) = memchr(QUOTE, rest) {
        out.extend_from_slice(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(cell.get(end + 1..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Grammar = Grammar {
        separator: b',',
        quotes: true,
    };
    const PLAIN: Grammar = Grammar {
        separator: b',',
        quotes: false,
    };

    /// The records of a text, cell by cell, with `chunk` more bytes at a time to look at.
    fn read(text: &[u8], grammar: Grammar, chunk: usize) -> Vec<Vec<Vec<u8>>> {
        let mut records = Vec::new();
        let mut at = 0;
        let mut search = Search::default();
        let mut seen = 0;
        while at < text.len() {
            seen = (seen + chunk).min(text.len());
            let end = match search.end(&text[at..seen.max(at)], grammar) {
                Some(end) => at + end,
                None if seen < text.len() => continue,
                None => text.len(),
            };
            let record = &text[at..end];
            let cells = grammar.texts(record, usize::MAX);
            check_cells(record, &cells, grammar);
            records.push(cells);
            at = end + 1;
            search = Search::default();
        }
        records
    }

    /// Cells in place are those as texts.
    fn check_cells(record: &[u8], texts: &[Vec<u8>], grammar: Grammar) {
        let mut copied = Vec::new();
        grammar.cells(record, texts.len(), |column, range| {
            let before = copied.len();
            let cell = grammar.cell(record, range, 0, &mut copied);
            let bytes = match cell {
                Cell::ABSENT => &[] as &[u8],
                _ if copied.len() > before => &copied[before..],
                cell => {
                    let found = (0..=record.len())
                        .flat_map(|start| (0..=record.len() - start).map(move |len| (start, len)))
                        .find(|(start, len)| Cell::within(*start, *len) == cell);
                    let (start, len) = found.expect("the cell is within the record");
                    &record[start..start + len]
                }
            };
            assert_eq!(bytes, texts[column], "column {column} of {record:?}");
        });
    }

    fn shown(records: &[Vec<Vec<u8>>]) -> String {
        let record = |record: &Vec<Vec<u8>>| {
            let cells = record
                .iter()
                .map(|cell| String::from_utf8_lossy(cell).into_owned());
            cells.collect::<Vec<_>>().join("|")
        };
        records.iter().map(record).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn reads_quotes_as_rfc_4180_says() {
        for (text, expected) in [
            ("a,b\nc,d\n", "a|b/c|d"),
            ("a,b\nc,d", "a|b/c|d"),
            ("\"a\",b\n", "a|b"),
            ("\"a,b\",c\n", "a,b|c"),
            ("\"a\nb\",c\nd\n", "a\nb|c/d"),
            ("\"a\"\"b\",c\n", "a\"b|c"),
            ("\"\"\"a\"\"\"\n", "\"a\""),
            ("\"\",\"\"\n", "|"),
            (",\n\n,,\n", "|//||"),
            ("a\"b,c\"\n", "a\"b|c\""),
            ("a\"b\nc\"d\n", "a\"b/c\"d"),
            ("\"a\"b,c\n", "ab|c"),
            ("\"a\"\"\"b\"c,d\n", "a\"b\"c|d"),
            ("\"a\" ,b\n", "a |b"),
            ("x,\"a\nb\"\nc", "x|a\nb/c"),
            ("\"a,b\nc", "a,b\nc"),
            ("\"", ""),
            ("\"\"", ""),
            ("\"\"\"", "\""),
        ] {
            for chunk in [1, 2, 3, 100] {
                let records = read(text.as_bytes(), CSV, chunk);
                assert_eq!(shown(&records), expected, "{text:?} by {chunk}");
            }
        }
        assert_eq!(shown(&read(b"\"a,b\"\n\"\n", PLAIN, 2)), "\"a|b\"/\"");
    }

    /// What is read does not depend on how many bytes come at a time, and every record that was
    /// written as it should be is read back.
    #[test]
    fn reads_back_what_was_written() {
        let mut state = 3u64;
        let mut random = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        for _ in 0..3000 {
            let mut records = Vec::new();
            let mut text = Vec::new();
            for _ in 0..1 + random(3) {
                let mut record = Vec::new();
                for column in 0..1 + random(3) {
                    let length = random(4);
                    let cell: Vec<u8> =
                        (0..length).map(|_| b"a\",\n"[random(4) as usize]).collect();
                    if column > 0 {
                        text.push(b',');
                    }
                    if cell.iter().any(|byte| b"\",\n".contains(byte)) || random(3) == 0 {
                        text.push(QUOTE);
                        for byte in &cell {
                            text.extend(std::iter::repeat_n(
                                *byte,
                                1 + usize::from(*byte == QUOTE),
                            ));
                        }
                        text.push(QUOTE);
                    } else {
                        text.extend_from_slice(&cell);
                    }
                    record.push(cell);
                }
                text.push(b'\n');
                records.push(record);
            }
            let chunk = 1 + random(9) as usize;
            assert_eq!(read(&text, CSV, chunk), records, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn any_bytes_are_read_alike_however_they_come() {
        let mut state = 9u64;
        let mut random = |limit: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % limit
        };
        for _ in 0..3000 {
            let text: Vec<u8> = (0..random(20))
                .map(|_| b"a\",\n\"\r"[random(6) as usize])
                .collect();
            for grammar in [CSV, PLAIN] {
                let whole = read(&text, grammar, text.len().max(1));
                for chunk in [1, 2, 5] {
                    assert_eq!(
                        read(&text, grammar, chunk),
                        whole,
                        "{}",
                        text.escape_ascii()
                    );
                }
            }
        }
    }
}
