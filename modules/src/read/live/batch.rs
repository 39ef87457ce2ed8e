//! Packets on their way from the reader to the queries.

use super::capture::SNAPLEN_MAX;
use crate::types::packet::Frame;
use std::collections::VecDeque;
use std::sync::Arc;
use wireq_typesys::{Block, ROWS_MAX};

/// What a block holds: one packet at least.
pub(super) const BLOCK_LEN: usize = SNAPLEN_MAX as usize;

/// Packets in one block, the earlier ones first.
pub(super) struct Batch {
    pub(super) block: Arc<Block>,
    pub(super) frames: Vec<Frame>,
    /// How many of them each interface brought, and their bytes.
    pub(super) shares: Vec<(u64, u64)>,
}

/// Fills batches, from blocks that nobody reads any more.
pub(super) struct Batches {
    /// Blocks given out, the earlier ones first.
    given: VecDeque<Arc<Block>>,
    /// How many blocks there may be: what is beyond is left to those who read it.
    blocks_max: usize,
    interfaces: usize,
    current: Batch,
    used: usize,
}

impl Batches {
    pub(super) fn new(interfaces: usize, blocks_max: usize) -> Batches {
        Batches {
            given: VecDeque::new(),
            blocks_max,
            interfaces,
            current: batch(fresh(), interfaces),
            used: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.frames.is_empty()
    }

    /// Whether a packet of so many bytes has to go to the next batch.
    pub(super) fn is_full_for(&self, len: usize) -> bool {
        self.current.frames.len() == ROWS_MAX || self.used + len > BLOCK_LEN
    }

    /// Adds a packet that there is room for.
    pub(super) fn push(&mut self, interface: usize, mut frame: Frame, bytes: &[u8]) {
        let Some(block) = Arc::get_mut(&mut self.current.block) else {
            return;
        };
        let bytes = &bytes[..bytes.len().min(BLOCK_LEN - self.used)];
        let end = self.used + bytes.len();
        block.0[self.used..end].copy_from_slice(bytes);
        (frame.start, frame.caplen) = (self.used as u32, bytes.len() as u32);
        self.used = end;
        self.current.frames.push(frame);
        let (packets, sum) = &mut self.current.shares[interface];
        *packets += 1;
        *sum += bytes.len() as u64;
    }

    /// The batch as it is; another one is begun.
    pub(super) fn take(&mut self) -> Batch {
        let next = batch(self.block(), self.interfaces);
        self.used = 0;
        let batch = std::mem::replace(&mut self.current, next);
        if self.given.len() < self.blocks_max {
            self.given.push_back(Arc::clone(&batch.block));
        }
        batch
    }

    /// A block that nobody reads any more, or a new one.
    fn block(&mut self) -> Arc<Block> {
        // Those given out first are read first.
        for _ in 0..self.given.len().min(8) {
            let Some(mut block) = self.given.pop_front() else {
                break;
            };
            if Arc::get_mut(&mut block).is_some() {
                return block;
            }
            self.given.push_back(block);
        }
        fresh()
    }
}

fn fresh() -> Arc<Block> {
    Arc::new(Block(vec![0; BLOCK_LEN]))
}

fn batch(block: Arc<Block>, interfaces: usize) -> Batch {
    Batch {
        block,
        frames: Vec::new(),
        shares: vec![(0, 0); interfaces],
    }
}
