//! The rows of several ports as ONE sequence: by position, then port.

use super::output::Item;
use crate::planted::is_planted;
use crate::{Control, Error};
use wireq_typesys::{Bitmap, Part, Position, ROWS_MAX};

/// A stretch of the sequence: rows of one port, or a control of one.
pub(crate) enum Run<'a> {
    Rows(usize, &'a [&'a Part]),
    Control(usize, Position, &'a Control),
}

impl Run<'_> {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Run::Rows(_, parts) => parts.iter().map(|part| part.count()).sum(),
            Run::Control(..) => 0,
        }
    }
}

/// Calls `each` for the stretches of the sequence that the items of all ports make.
pub(crate) fn sequence<'a>(
    mut ports: impl ExactSizeIterator<Item = &'a [Item]>,
    each: &mut dyn FnMut(Run<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if ports.len() == 1 {
        return ports.next().map_or(Ok(()), |items| one_port(items, each));
    }
    several_ports(ports.collect(), each)
}

fn one_port(
    items: &[Item],
    each: &mut dyn FnMut(Run<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // One part is the usual case, and worth doing without a list.
    if let [Item::Rows(part)] = items {
        return each(Run::Rows(0, &[part]));
    }
    let mut parts: Vec<&Part> = Vec::new();
    for item in items {
        match item {
            Item::Rows(part) => parts.push(part),
            Item::Control(position, control) => {
                if !parts.is_empty() {
                    each(Run::Rows(0, &parts))?;
                    parts.clear();
                }
                each(Run::Control(0, *position, control))?;
            }
        }
    }
    if parts.is_empty() {
        Ok(())
    } else {
        each(Run::Rows(0, &parts))
    }
}

/// How far a port has been read: the item, and which of its rows are left.
struct Cursor<'a> {
    items: &'a [Item],
    left: Bitmap,
}

impl<'a> Cursor<'a> {
    fn new(items: &'a [Item]) -> Cursor<'a> {
        let mut cursor = Cursor {
            items,
            left: Bitmap::EMPTY,
        };
        cursor.enter();
        cursor
    }

    fn enter(&mut self) {
        while let Some(Item::Rows(part)) = self.items.first() {
            self.left = part.selection;
            if !self.left.is_empty() {
                return;
            }
            self.items = &self.items[1..];
        }
    }

    fn head(&self) -> Option<Position> {
        match self.items.first()? {
            Item::Rows(part) => self.left.lowest().map(|row| part.data.position(row)),
            Item::Control(position, _) => Some(*position),
        }
    }

    fn next_item(&mut self) {
        self.items = &self.items[1..];
        self.enter();
    }

    /// The rows left of the current part that stand before a limit, or at it where `inclusive`.
    fn rows_before(&self, part: &Part, limit: Option<(Position, bool)>) -> Bitmap {
        let Some((limit, inclusive)) = limit else {
            return self.left;
        };
        let beyond = self.left.iter().find(|row| {
            let position = part.data.position(*row);
            position > limit || position == limit && !inclusive
        });
        beyond.map_or(self.left, |row| self.left.range(0, row))
    }
}

fn several_ports(
    ports: Vec<&[Item]>,
    each: &mut dyn FnMut(Run<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut cursors: Vec<Cursor<'_>> = ports.into_iter().map(Cursor::new).collect();
    loop {
        let heads = cursors
            .iter()
            .enumerate()
            .filter_map(|(port, cursor)| Some((cursor.head()?, port)));
        let mut heads: Vec<(Position, usize)> = heads.collect();
        if is_planted("union-port-order") {
            heads.sort_by_key(|(position, port)| (*position, usize::MAX - port));
        } else {
            heads.sort_unstable();
        }
        let Some((_, port)) = heads.first().copied() else {
            return Ok(());
        };
        let limit = heads
            .get(1)
            .map(|(position, other)| (*position, port < *other));
        let cursor = &mut cursors[port];
        match &cursor.items[0] {
            Item::Control(position, control) => {
                each(Run::Control(port, *position, control))?;
                cursor.next_item();
            }
            Item::Rows(part) => {
                let rows = cursor.rows_before(part, limit);
                // The head itself always goes: it is the first in the sequence.
                let rows = if rows.is_empty() {
                    cursor.left.split_at_count(1).0
                } else {
                    rows
                };
                each(Run::Rows(port, &[&part.select(rows)]))?;
                cursor.left = cursor.left.minus(&rows);
                if cursor.left.is_empty() {
                    cursor.next_item();
                }
            }
        }
    }
}

/// The first `count` rows of parts.
pub(super) fn take_first(parts: &[&Part], count: usize) -> Vec<Part> {
    let mut left = count;
    let mut first = Vec::new();
    for part in parts {
        let (mine, _) = part.selection.split_at_count(left.min(ROWS_MAX));
        left -= mine.count();
        if !mine.is_empty() {
            first.push(part.select(mine));
        }
    }
    first
}
