//! Records as a reader found them: the cells of the columns that queries read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wireq_typesys::{Block, Zone};

/// Where the bytes of a cell are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    start: u32,
    /// The length; the top bit says that the bytes are not the input's own.
    len: u32,
}

/// The bit of [`Cell`] that stands for [`Records::copied`].
const COPIED: u32 = 1 << 31;

impl Cell {
    /// The record has no such cell, or it is empty.
    pub const ABSENT: Cell = Cell {
        start: u32::MAX,
        len: 0,
    };

    /// Bytes of the block.
    pub fn within(start: usize, len: usize) -> Cell {
        Cell {
            start: start as u32,
            len: len as u32,
        }
    }

    /// Bytes of [`Records::copied`].
    pub fn copied(start: usize, len: usize) -> Cell {
        Cell {
            start: start as u32,
            len: len as u32 | COPIED,
        }
    }

    /// Number of the block, first byte, length; none where there is no cell.
    #[inline]
    pub(super) fn place(self) -> Option<(u32, u32, u32)> {
        let block = u32::from(self.len & COPIED != 0);
        (self != Cell::ABSENT).then_some((block, self.start, self.len & !COPIED))
    }
}

/// The records of a part, all of one block of one file.
#[derive(Debug)]
pub struct Records {
    /// The bytes that were read.
    pub block: Arc<Block>,
    /// Cells that don't stand in the input as they are: quotes within quotes.
    pub copied: Arc<Block>,
    /// The fields that are read, by their numbers.
    pub fields: Arc<[usize]>,
    /// For each field, how many of its cells could not be read as its kind.
    pub unreadable: Arc<[AtomicU64]>,
    /// The zone of times that are written without one.
    pub zone: Arc<Zone>,
    /// For each record, a cell for each field.
    cells: Vec<Cell>,
}

impl Records {
    /// Records of which these fields are read.
    pub fn new(fields: Arc<[usize]>, zone: Arc<Zone>) -> Records {
        Records {
            block: Arc::default(),
            copied: Arc::default(),
            unreadable: fields.iter().map(|_| AtomicU64::new(0)).collect(),
            fields,
            zone,
            cells: Vec::new(),
        }
    }

    /// Makes ready for the records of another part.
    pub fn reset(&mut self, block: &Arc<Block>, unreadable: &Arc<[AtomicU64]>) {
        self.block = Arc::clone(block);
        self.unreadable = Arc::clone(unreadable);
        self.cells.clear();
        match Arc::get_mut(&mut self.copied) {
            Some(block) => block.0.clear(),
            None => self.copied = Arc::default(),
        }
    }

    /// Adds a record, and gives its cells, absent ones for now, and where to copy to.
    pub fn push(&mut self) -> (&mut [Cell], &mut Vec<u8>) {
        let start = self.cells.len();
        self.cells.resize(start + self.fields.len(), Cell::ABSENT);
        let copied = Arc::get_mut(&mut self.copied).expect("nobody reads what is being made");
        (&mut self.cells[start..], &mut copied.0)
    }

    /// The cells of a field; none where it is not read.
    pub(super) fn column(&self, field: usize) -> Option<Cells<'_>> {
        let at = self.fields.iter().position(|known| *known == field)?;
        Some(Cells { records: self, at })
    }
}

/// The cells of one field.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) records: &'a Records,
    at: usize,
}

impl<'a> Cells<'a> {
    /// The number of records.
    pub(super) fn len(self) -> usize {
        self.records.cells.len() / self.records.fields.len().max(1)
    }

    /// Where the cell of a record is.
    #[inline]
    pub(super) fn place(self, row: usize) -> Option<(u32, u32, u32)> {
        let cell = row * self.records.fields.len() + self.at;
        self.records.cells.get(cell)?.place()
    }

    /// The bytes of the cell of a record.
    #[inline]
    pub(super) fn get(self, row: usize) -> Option<&'a [u8]> {
        let (block, start, len) = self.place(row)?;
        let bytes = if block == 0 {
            &self.records.block.0
        } else {
            &self.records.copied.0
        };
        bytes.get(start as usize..start as usize + len as usize)
    }

    /// Notes that some cells could not be read.
    pub(super) fn count_unreadable(self, count: u64) {
        if let Some(counter) = self.records.unreadable.get(self.at) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}
