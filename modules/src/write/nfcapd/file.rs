//! The file: a header, blocks of records, and behind them what is said of all flows.

use super::NO_FILE;
use super::record::{self, LEN_MAX};
use crate::write::flow_rows::{Extras, FlowRow};
use crate::write::written_file::WrittenFile;
use std::io;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

const MAGIC: u16 = 0xa50c;
const LAYOUT: u16 = 2;
/// The version of nfdump whose layout this is: 1.7.1.
const NFDUMP: u32 = 0x0107_0100;
const HEADER_LEN: u64 = 40;
/// The number of LZ4 among compressions.
const LZ4: u8 = 3;
/// Blocks of records, as far as they are not larger than nfdump's.
const BLOCK_MAX: usize = 1 << 20;
/// The type of blocks of records that say their length.
const BLOCK: u16 = 3;
/// The types of records behind all blocks.
const IDENT: u16 = 0x8001;
const STATISTICS: u16 = 0x8002;

/// Of all flows together, TCP, UDP, ICMP and others.
#[derive(Clone, Copy, Default)]
struct Sums {
    flows: [u64; 5],
    bytes: [u64; 5],
    packets: [u64; 5],
    first: u64,
    last: u64,
}

/// A file of flows.
pub(super) struct FlowFile {
    file: WrittenFile,
    ident: String,
    lz4: bool,
    block: Vec<u8>,
    records: u32,
    blocks: u32,
    sums: Sums,
}

impl FlowFile {
    pub(super) fn new(path: &str, ident: &str, lz4: bool) -> FlowFile {
        FlowFile {
            file: WrittenFile::new(path),
            ident: ident.to_owned(),
            lz4,
            block: Vec::new(),
            records: 0,
            blocks: 0,
            sums: Sums::default(),
        }
    }

    /// Adds a flow.
    pub(super) fn put(&mut self, flow: &FlowRow, extras: Extras) -> Result<(), Error> {
        if self.block.len() + LEN_MAX > BLOCK_MAX {
            self.end_block()?;
        }
        record::write(flow, extras, &mut self.block);
        self.records += 1;
        self.sums.add(flow);
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), Error> {
        if self.records == 0 {
            return Ok(());
        }
        self.begin()?;
        let bytes = self.framed(self.records, &self.block);
        self.file.add(&bytes)?;
        self.blocks += 1;
        self.records = 0;
        self.block.clear();
        Ok(())
    }

    /// A block with its header. nfdump 1.7.1 takes every block of a compressed file for a compressed
    /// one, those behind all flows too.
    fn framed(&self, records: u32, content: &[u8]) -> Vec<u8> {
        let compressed = self.lz4.then(|| lz4_flex::block::compress(content));
        let content = compressed.as_deref().unwrap_or(content);
        let mut block = Vec::with_capacity(12 + content.len());
        block.extend(records.to_le_bytes());
        block.extend((content.len() as u32).to_le_bytes());
        block.extend(BLOCK.to_le_bytes());
        block.extend([0, 0]);
        block.extend_from_slice(content);
        block
    }

    /// The file's header, which says more when the file is complete.
    fn begin(&mut self) -> Result<(), Error> {
        if self.file.len() > 0 {
            return Ok(());
        }
        self.file.begin()?;
        match self.file.keeps() {
            true => self.file.add(&self.header(0)),
            // It would say that there are no blocks, whatever comes.
            false => Err(Error::file(
                "write",
                self.file.path(),
                io::Error::other(NO_FILE),
            )),
        }
    }

    fn header(&self, appendix: u64) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_LEN as usize);
        header.extend(MAGIC.to_le_bytes());
        header.extend(LAYOUT.to_le_bytes());
        header.extend(NFDUMP.to_le_bytes());
        // Created when its first flow began: the same flows make the same file.
        header.extend((self.sums.first / 1000).to_le_bytes());
        header.extend([if self.lz4 { LZ4 } else { 0 }, 0]);
        header.extend(u16::from(appendix > 0).to_le_bytes());
        header.extend([0; 4]);
        header.extend(appendix.to_le_bytes());
        header.extend([0; 4]);
        header.extend(self.blocks.to_le_bytes());
        header
    }

    /// Makes the file one that can be read, with all flows so far; more may follow.
    pub(super) fn complete(&mut self) -> Result<(), Error> {
        self.end_block()?;
        self.begin()?;
        let end = self.file.len();
        let mut records = Vec::new();
        let ident = self.ident.as_bytes();
        records.extend(IDENT.to_le_bytes());
        records.extend((ident.len() as u16 + 5).to_le_bytes());
        records.extend(ident);
        records.push(0);
        let statistics = self.sums.numbers();
        records.extend(STATISTICS.to_le_bytes());
        records.extend((statistics.len() as u16 * 8 + 4).to_le_bytes());
        records.extend(statistics.iter().flat_map(|number| number.to_le_bytes()));
        let bytes = self.framed(2, &records);
        self.file.put(&bytes, end)?;
        let header = self.header(end);
        self.file.put(&header, 0)
    }

    /// Begins the file anew where it was moved away; what it had is completed there.
    pub(super) fn reopen(&mut self) -> Result<(), Error> {
        if self.file.is_elsewhere() {
            self.complete()?;
            self.file = WrittenFile::new(self.file.path());
            (self.blocks, self.sums) = (0, Sums::default());
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> usize {
        self.block.capacity()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        self.file.save(out);
        out.bytes(&self.block);
        out.number(self.records.into());
        out.number(self.blocks.into());
        let Sums {
            flows,
            bytes,
            packets,
            first,
            last,
        } = &self.sums;
        let all = flows.iter().chain(bytes).chain(packets);
        all.chain([first, last])
            .for_each(|number| out.number(*number));
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.file.load(from)?;
        self.block = from.bytes()?.to_vec();
        self.records = from.number()? as u32;
        self.blocks = from.number()? as u32;
        let Sums {
            flows,
            bytes,
            packets,
            first,
            last,
        } = &mut self.sums;
        let all = flows.iter_mut().chain(bytes).chain(packets);
        for number in all.chain([first, last]) {
            *number = from.number()?;
        }
        Ok(())
    }
}

impl Sums {
    fn add(&mut self, flow: &FlowRow) {
        let kind = match flow.protocol {
            6 => 1,
            17 => 2,
            1 | 58 => 3,
            _ => 4,
        };
        let bytes = flow.bytes.saturating_add(flow.bytes_back);
        let packets = flow.packets.saturating_add(flow.packets_back);
        for at in [0, kind] {
            self.flows[at] += 1;
            self.bytes[at] = self.bytes[at].saturating_add(bytes);
            self.packets[at] = self.packets[at].saturating_add(packets);
        }
        let (start, end) = (flow.start as u64, flow.end as u64);
        self.first = match self.flows[0] {
            1 => start,
            _ => self.first.min(start),
        };
        self.last = self.last.max(end);
    }

    /// The numbers in the order of nfdump's record.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = vec![self.flows[0], self.bytes[0], self.packets[0]];
        for each in [&self.flows, &self.bytes, &self.packets] {
            numbers.extend(&each[1..]);
        }
        // The last one are messages that were missed.
        numbers.extend([self.first, self.last, 0]);
        numbers
    }
}
