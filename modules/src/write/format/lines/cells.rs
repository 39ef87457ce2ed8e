//! One column of some rows as text, with what stands behind its values.

use super::{Around, Fixed, Room, STEP, Source};
use wireq_typesys::{Column, Data, Second, Short};

/// One column of some rows as text.
#[derive(Default)]
pub(super) struct Cells {
    /// What stands before each of the short ones.
    before: Fixed,
    /// Where all are short: one for each row, else none.
    short: Vec<Short>,
    /// Whether nothing stands before those of them that are empty.
    gaps: bool,
    /// Else one behind the other, with slack behind the last.
    long: Vec<u8>,
    /// Where these begin, and where the last ends.
    ends: Vec<usize>,
}

impl Cells {
    /// Becomes those of some rows, and gives how long they are together, at most.
    pub fn read(
        &mut self,
        source: Source<'_>,
        rows: &[usize],
        second: &mut Second<'_>,
        write: impl Fn(&Column, usize, &mut Vec<u8>),
    ) -> usize {
        let quotes = source.around.quotes;
        let column = source.column;
        let written = column.is_some_and(|column| match (&column.data, column.names) {
            (Data::U8(v), None) => {
                self.read_short(source, rows, false, |row, out| out.small(v[row].into()))
            }
            (Data::U16(v), None) => {
                self.read_short(source, rows, false, |row, out| out.small(v[row]))
            }
            (Data::U32(v), None) => {
                self.read_short(source, rows, false, |row, out| out.unsigned(v[row].into()))
            }
            (Data::U64(v), None) => {
                self.read_short(source, rows, false, |row, out| out.unsigned(v[row]))
            }
            (Data::Address4(v), _) => {
                self.read_short(source, rows, quotes, |row, out| out.v4(v[row]))
            }
            (Data::Address(v), _) => {
                self.read_short(source, rows, quotes, |row, out| out.address(v[row]))
            }
            (Data::Time(v), _) => {
                self.read_short(source, rows, quotes, |row, out| out.time(v[row], second))
            }
            _ => false,
        });
        if written {
            let len = |short: &Short| short.text().len();
            let before = source.around.before.len;
            return rows.len() * before + self.short.iter().map(len).sum::<usize>();
        }
        self.short.clear();
        self.long.clear();
        self.ends.clear();
        self.ends.push(0);
        for row in rows {
            self.read_long(source, *row, &write);
            self.ends.push(self.long.len());
        }
        let len = self.long.len();
        self.long.resize(len + STEP, 0);
        len
    }

    /// Becomes a text that is the same for some rows, and gives how long they are together.
    pub fn repeat(&mut self, text: &Fixed, rows: usize) -> usize {
        self.before.set(text);
        self.gaps = false;
        self.short.clear();
        self.short.resize(rows, Short::default());
        rows * text.len
    }

    /// Becomes short texts, if what stands around them allows.
    #[inline(always)]
    fn read_short(
        &mut self,
        source: Source<'_>,
        rows: &[usize],
        quotes: bool,
        mut read: impl FnMut(usize, &mut Short),
    ) -> bool {
        let Around {
            before,
            behind,
            closing,
            missing,
            ..
        } = source.around;
        let behind = if quotes { closing } else { behind };
        let Some((behind, behind_len)) = behind.more() else {
            return false;
        };
        self.gaps = missing.is_none();
        let missing = match missing {
            Some(missing) => missing.more(),
            None => Some(Default::default()),
        };
        if source.valid.is_some() && missing.is_none() {
            return false;
        }
        self.before.set(before);
        self.short.resize(rows.len(), Short::default());
        let mut value = |row: usize, short: &mut Short| {
            short.begin(quotes);
            read(row, short);
            short.add(behind, behind_len);
        };
        match (source.valid, missing) {
            (Some(valid), Some((missing, missing_len))) => {
                for (row, short) in rows.iter().zip(&mut self.short) {
                    if valid.get(*row) {
                        value(*row, short);
                    } else {
                        short.begin(false);
                        short.add(missing, missing_len);
                    }
                }
            }
            _ => {
                for (row, short) in rows.iter().zip(&mut self.short) {
                    value(*row, short);
                }
            }
        }
        true
    }

    fn read_long(
        &mut self,
        source: Source<'_>,
        row: usize,
        write: impl Fn(&Column, usize, &mut Vec<u8>),
    ) {
        let Around {
            before,
            behind,
            missing,
            ..
        } = source.around;
        match (source.column, missing) {
            (Some(column), _) if source.has(row) => {
                self.long.extend_from_slice(before.text());
                write(column, row, &mut self.long);
                self.long.extend_from_slice(behind.text());
            }
            (_, Some(missing)) => {
                self.long.extend_from_slice(before.text());
                self.long.extend_from_slice(missing.text());
            }
            (_, None) => {}
        }
    }

    /// Puts that of a row behind the others.
    #[inline(always)]
    pub fn put(&self, at: usize, out: &mut Room<'_>) {
        let Some(short) = self.short.get(at) else {
            let (start, end) = (self.ends[at], self.ends[at + 1]);
            return out.put(&self.long[start..], end - start);
        };
        let (text, len) = short.parts();
        if self.before.len > 0 && !(self.gaps && len == 0) {
            out.put(&self.before.bytes, self.before.len);
        }
        out.put(text, len);
    }
}
