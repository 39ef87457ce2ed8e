//! Records that are gathered for a part.

use crate::types::netflow::{Header, Layout, PARTS_MAX, Records, Row};
use hashbrown::HashMap;
use std::sync::Arc;
use wireq_typesys::Block;

/// Records that are gathered for a part.
#[derive(Default)]
pub(in crate::read) struct Batch {
    pub(in crate::read) records: Records,
    /// The numbers of layouts in the part, by where they are in memory.
    layouts: HashMap<usize, u16>,
    /// The layout that came last.
    last: Option<(Arc<Layout>, u16)>,
}

impl Batch {
    /// Whether there may be no room for all of another message.
    pub(in crate::read) fn is_full(&self) -> bool {
        // A message has at most some thousand layouts and the sets that wait for them.
        let room = |len: usize| len < PARTS_MAX / 2;
        !(room(self.records.blocks.len())
            && room(self.records.headers.len())
            && room(self.records.layouts.len()))
    }

    /// The records gathered, after which there are none.
    pub(in crate::read) fn take(&mut self) -> Records {
        self.layouts.clear();
        self.last = None;
        std::mem::take(&mut self.records)
    }

    /// The number of a block.
    pub(in crate::read) fn block(&mut self, block: &Arc<Block>) -> u16 {
        let blocks = &mut self.records.blocks;
        if !blocks.last().is_some_and(|last| Arc::ptr_eq(last, block)) {
            blocks.push(Arc::clone(block));
        }
        (blocks.len() - 1) as u16
    }

    /// The number of a header.
    pub(in crate::read) fn header(&mut self, header: Header) -> u16 {
        let headers = &mut self.records.headers;
        if headers.last() != Some(&header) {
            headers.push(header);
        }
        (headers.len() - 1) as u16
    }

    /// The number of a layout.
    pub(in crate::read) fn layout(&mut self, layout: &Arc<Layout>) -> u16 {
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, layout)
        {
            return *number;
        }
        let records = &mut self.records;
        let number = *self
            .layouts
            .entry(Arc::as_ptr(layout) as usize)
            .or_insert_with(|| {
                records.layouts.push(Arc::clone(layout));
                (records.layouts.len() - 1) as u16
            });
        self.last = Some((Arc::clone(layout), number));
        number
    }

    /// Adds a record.
    pub(in crate::read) fn push(&mut self, row: Row) {
        self.records.rows.push(row);
    }

    /// The number of records.
    pub(in crate::read) fn len(&self) -> usize {
        self.records.rows.len()
    }
}
