//! Flow records of a part: where each one's bytes are, how they are laid out, who sent them.

use super::layout::Layout;
use std::ops::Range;
use std::sync::Arc;
use wireq_typesys::{Address, Block};

/// One record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Its first byte in the block.
    pub start: u32,
    /// Its bytes.
    pub len: u16,
    /// The number of the block.
    pub block: u16,
    /// The number of the layout.
    pub layout: u16,
    /// The number of the header.
    pub header: u16,
}

/// What a message says of all its records.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Header {
    /// The version of the export protocol: 1, 5, 7, 9, 10 for IPFIX; 0 where there is none.
    pub version: u8,
    /// When the message was exported, in nanoseconds since 1970.
    pub exported: Option<i64>,
    /// When the message was received.
    pub received: Option<i64>,
    /// The milliseconds since the exporter started.
    pub uptime: Option<u32>,
    /// When the exporter started, where the message does not say how long it runs.
    pub boot: Option<i64>,
    /// Who sent it.
    pub router: Option<Address>,
    /// The observation domain: IPFIX's, v9's source.
    pub domain: Option<u32>,
    /// The message's number.
    pub sequence: Option<u32>,
    /// The kind and number of the exporter's part that saw the flows.
    pub engine: Option<(u8, u8)>,
    /// One of so many packets was looked at.
    pub sampling: Option<u32>,
}

/// The records of a part.
#[derive(Debug, Default)]
pub struct Records {
    /// The blocks that records are in.
    pub blocks: Vec<Arc<Block>>,
    /// The records.
    pub rows: Vec<Row>,
    /// How they are laid out.
    pub layouts: Vec<Arc<Layout>>,
    /// Where they came from.
    pub headers: Vec<Header>,
}

/// The most blocks, layouts and headers of a part: what fits into the numbers of [`Row`].
pub const PARTS_MAX: usize = u16::MAX as usize;

impl Records {
    /// Lets go of all records; keeps buffers.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.rows.clear();
        self.layouts.clear();
        self.headers.clear();
    }

    /// Some of the records, over the same blocks.
    pub fn chunk(&self, rows: Range<usize>) -> Records {
        Records {
            blocks: self.blocks.clone(),
            rows: self.rows[rows].to_vec(),
            layouts: self.layouts.clone(),
            headers: self.headers.clone(),
        }
    }

    /// The block of a record.
    #[inline]
    pub(super) fn block(&self, row: &Row) -> &[u8] {
        self.blocks
            .get(usize::from(row.block))
            .map_or(&[], |block| &block.0)
    }

    /// The bytes of a record.
    #[inline]
    pub(super) fn bytes(&self, row: &Row) -> &[u8] {
        let start = row.start as usize;
        self.block(row)
            .get(start..start + usize::from(row.len))
            .unwrap_or(&[])
    }

    pub(super) fn header(&self, row: &Row) -> Option<&Header> {
        self.headers.get(usize::from(row.header))
    }
}
