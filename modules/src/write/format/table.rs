//! `table`: aligned columns below a header, for people.
//!
//! How wide a column is follows from its kind, or from the rows where they come all together at the
//! end; it becomes wider where a value is. So rows are written as they come, and batches don't show.
//! With a limit, lines keep to it: what does not fit is cut, and ends in `…`.

use super::{Columns, Format, Layout};
use wireq_engine::schedule::output::{Frame, TextRows};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Error, View};
use wireq_typesys::{Kind, Position, Value, write_column_text, write_value};

/// A column is made this wide at most; what is longer stands beyond it, or is cut.
const WIDTH_MAX: usize = 64;
/// Rows that are looked at before the first is written, where they come together.
const ROWS_MAX: usize = 1000;
/// What columns are made narrow to, in this order, where lines are too long.
const TEXT_MIN: usize = 12;
const TIME_MIN: usize = 20;
const ANY_MIN: usize = 5;

pub(super) struct Table {
    columns: Columns,
    layout: Layout,
    drawn: Vec<Drawn>,
    /// Blanks between columns.
    gap: usize,
    /// Whether something was written: from then on the header stands.
    begun: bool,
    cell: Vec<u8>,
}

/// A column as it is drawn.
struct Drawn {
    name: String,
    kind: Kind,
    width: usize,
}

impl Drawn {
    fn is_number(&self) -> bool {
        self.kind.is_number() && !matches!(self.kind, Kind::Named(_)) || self.kind == Kind::Duration
    }

    fn is_text(&self) -> bool {
        matches!(
            self.kind,
            Kind::Text | Kind::Bytes | Kind::List(_) | Kind::Object | Kind::Dynamic
        )
    }
}

/// How wide values of a kind usually are.
fn usual_width(kind: Kind) -> usize {
    match kind {
        Kind::Bool => 5,
        Kind::Signed | Kind::Unsigned | Kind::Named(_) => 6,
        Kind::Double | Kind::Duration => 10,
        Kind::Time => 32,
        Kind::Address => 15,
        Kind::Prefix => 18,
        Kind::Mac => 17,
        Kind::Bytes | Kind::Text | Kind::List(_) | Kind::Object | Kind::Dynamic => 16,
    }
}

impl Table {
    pub fn new(columns: Columns, layout: Layout) -> Table {
        let first = columns.statement.as_deref().map(|statement| Drawn {
            name: super::STATEMENT.to_owned(),
            kind: Kind::Text,
            width: statement.chars().count(),
        });
        let fields = columns.fields.iter().zip(&columns.kinds);
        let others = fields.map(|(field, kind)| Drawn {
            name: field.to_string(),
            kind: *kind,
            width: usual_width(*kind),
        });
        let mut table = Table {
            drawn: first.into_iter().chain(others).collect(),
            columns,
            layout,
            gap: 2,
            begun: false,
            cell: Vec::new(),
        };
        for drawn in &mut table.drawn {
            drawn.width = drawn.width.max(drawn.name.chars().count()).min(WIDTH_MAX);
        }
        table.shrink();
        table
    }

    /// The number of columns before the fields.
    fn before(&self) -> usize {
        usize::from(self.columns.statement.is_some())
    }

    fn total(&self) -> usize {
        let gaps = self.gap * self.drawn.len().saturating_sub(1);
        self.drawn.iter().map(|drawn| drawn.width).sum::<usize>() + gaps
    }

    /// Makes lines as short as they have to be: first what hurts least.
    fn shrink(&mut self) {
        let Some(limit) = self.layout.width.filter(|limit| self.total() > *limit) else {
            return;
        };
        self.gap = 1;
        self.squeeze(limit, &|drawn| drawn.is_text().then_some(TEXT_MIN));
        self.squeeze(limit, &|drawn| {
            (drawn.kind == Kind::Time).then_some(TIME_MIN)
        });
        // Names longer than the values below them.
        self.squeeze(limit, &|drawn| Some(usual_width(drawn.kind)));
        self.squeeze(limit, &|_| Some(ANY_MIN));
    }

    /// Makes the widest columns narrower, each down to what `least` says.
    fn squeeze(&mut self, limit: usize, least: &dyn Fn(&Drawn) -> Option<usize>) {
        while self.total() > limit {
            let wide = self.drawn.iter_mut();
            let wide = wide.filter(|drawn| least(drawn).is_some_and(|least| drawn.width > least));
            match wide.max_by_key(|drawn| drawn.width) {
                Some(widest) => widest.width -= 1,
                None => return,
            }
        }
    }

    /// Makes columns as wide as what is in them, where all rows are here.
    fn fit(&mut self, views: &[View<'_>]) {
        let before = self.before();
        for drawn in &mut self.drawn[before..] {
            drawn.width = drawn.name.chars().count();
        }
        let rows = views
            .iter()
            .flat_map(|view| view.part.selection.iter().map(move |row| (*view, row)));
        for (view, row) in rows.take(ROWS_MAX) {
            for at in 0..self.columns.fields.len() {
                let width = self.read(view, at, row);
                let drawn = &mut self.drawn[before + at];
                drawn.width = drawn.width.max(width).min(WIDTH_MAX);
            }
        }
        self.shrink();
    }

    /// Brings the text of a value into the cell, and gives how wide it is.
    fn read(&mut self, view: View<'_>, at: usize, row: usize) -> usize {
        self.cell.clear();
        if let Some(column) = view.column(at) {
            write_column_text(column, row, &self.columns.zone, &mut self.cell);
        }
        width(&self.cell)
    }

    /// Makes a column wide enough for a value, as far as the line has room.
    fn grow(&mut self, at: usize, wanted: usize) {
        let room = match self.layout.width {
            Some(limit) => limit.saturating_sub(self.total()),
            None => WIDTH_MAX,
        };
        let drawn = &mut self.drawn[at];
        if wanted > drawn.width {
            let most = (drawn.width + room).min(WIDTH_MAX);
            drawn.width = wanted.min(most).max(drawn.width);
        }
    }

    /// Writes the cell, `width` wide, as a column.
    fn put(&self, at: usize, cell: &[u8], width: usize, out: &mut Vec<u8>) {
        if at > 0 {
            pad(self.gap, out);
        }
        let drawn = &self.drawn[at];
        if width > drawn.width && self.layout.width.is_some() {
            return cut(cell, drawn.width, out);
        }
        let room = drawn.width.saturating_sub(width);
        if drawn.is_number() {
            pad(room, out);
        }
        out.extend_from_slice(cell);
        if !drawn.is_number() {
            pad(room, out);
        }
    }

    fn write_row(&mut self, view: View<'_>, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        let before = self.before();
        if let Some(statement) = &self.columns.statement {
            let mut cell = Vec::new();
            write_value(&Value::text(statement), &self.columns.zone, &mut cell);
            self.put(0, &cell, width(&cell), out);
        }
        for at in 0..self.columns.fields.len() {
            let width = self.read(view, at, row);
            self.grow(before + at, width);
            self.put(before + at, &self.cell, width, out);
        }
        trim(start, out);
        out.push(b'\n');
    }

    fn header(&self) -> Vec<u8> {
        // An empty line before it, where it does not stand first.
        let mut header = b"\n".to_vec();
        let mut names = Vec::new();
        for (at, drawn) in self.drawn.iter().enumerate() {
            let mut name = Vec::new();
            write_value(&Value::text(&drawn.name), &self.columns.zone, &mut name);
            self.put(at, &name, width(&name), &mut names);
        }
        trim(0, &mut names);
        let (bold, plain): (&[u8], &[u8]) = match self.layout.bold {
            true => (b"\x1b[1m", b"\x1b[0m"),
            false => (b"", b""),
        };
        for part in [bold, &names, plain, b"\n"] {
            header.extend_from_slice(part);
        }
        header
    }
}

/// How many columns of the screen text takes: one for each character.
fn width(text: &[u8]) -> usize {
    // Text forms are UTF-8: what begins no character continues one.
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn pad(count: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + count, b' ');
}

/// Writes the begin of text, so that it is `width` wide with the sign behind it.
fn cut(text: &[u8], width: usize, out: &mut Vec<u8>) {
    let begins = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte & 0xc0 != 0x80);
    let end = begins.map(|(at, _)| at).nth(width.saturating_sub(1));
    out.extend_from_slice(&text[..end.unwrap_or(text.len())]);
    out.extend_from_slice("…".as_bytes());
}

/// Takes blanks away that end a line.
fn trim(start: usize, out: &mut Vec<u8>) {
    while out.len() > start && out.last() == Some(&b' ') {
        out.pop();
    }
}

impl Format for Table {
    fn frame(&self) -> Frame {
        Frame {
            header: self.header(),
            separator: 1,
            ..Frame::default()
        }
    }

    fn look(&mut self, views: &[View<'_>]) -> Option<Frame> {
        if self.begun {
            return None;
        }
        let first = views.iter().find_map(|view| {
            let row = view.part.selection.lowest()?;
            Some(view.part.data.position(row))
        })?;
        self.begun = true;
        if first != Position::END {
            return None;
        }
        self.fit(views);
        Some(self.frame())
    }

    fn write(&mut self, view: View<'_>, text: &mut TextRows) {
        self.columns.rows(view).for_each(|row| {
            self.write_row(view, row, text.bytes());
            text.end_row_of(view.part, row);
        });
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.begun));
        out.number(self.gap as u64);
        for drawn in &self.drawn {
            out.number(drawn.width as u64);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.begun = from.number()? != 0;
        self.gap = (from.number()? as usize).min(2);
        for drawn in &mut self.drawn {
            drawn.width = usize::try_from(from.number()?)
                .unwrap_or(WIDTH_MAX)
                .min(WIDTH_MAX);
        }
        Ok(())
    }
}
