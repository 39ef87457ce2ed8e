//! Files, read one after another.
//!
//! What is not compressed stays where it was read; a compressed block is unpacked into one of its own.

use super::blocks::{BLOCK_HEADER, BlockHeader, FileHeader, HEADER_MAX};
use super::unpack::{BLOCK_MAX, Compression, unpack};
use super::{layout_1, layout_2, le16};
use crate::read::blocks::{Blocks, Pool};
use crate::read::reuse::reusable;
use crate::types::netflow::{Header, Records};
use std::io;
use std::sync::Arc;
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputMark, InputReport, Source, SourceContext};
use wireq_typesys::{Block, Part, Position};

/// The files of one source.
pub(super) struct NfFiles {
    paths: std::vec::IntoIter<String>,
    current: Option<NfFile>,
    pool: Pool,
    /// Blocks that were unpacked and that nobody may read any more.
    unpacked: Vec<Arc<Block>>,
    reports: Vec<InputReport>,
    segment: u32,
    /// What ends the run, once the records before it are given.
    pending: Option<Error>,
}

/// One open file.
struct NfFile {
    input: Blocks,
    header: FileHeader,
    framer: Framer,
    /// The bytes of the block at hand that are left in the input, where it is not compressed.
    left: usize,
    unpacked: Option<Unpacked>,
}

struct Unpacked {
    block: Arc<Block>,
    at: usize,
    end: usize,
    /// Where it stands in the file, and how many bytes it has there.
    place: u64,
    size: usize,
}

/// By the file's layout.
enum Framer {
    One(layout_1::Framer),
    Two(layout_2::Framer),
}

impl Framer {
    fn begin(&mut self) {
        match self {
            Framer::One(framer) => framer.begin(),
            Framer::Two(framer) => framer.begin(),
        }
    }

    /// Frames records and gives a part the layouts that they have.
    fn frame(
        &mut self,
        bytes: &[u8],
        at: usize,
        records: &mut Records,
        rows_max: usize,
    ) -> (usize, bool) {
        match self {
            Framer::One(framer) => {
                let framed = framer.frame_records(bytes, at, records, rows_max);
                framer.layouts(records);
                framed
            }
            Framer::Two(framer) => {
                let framed = framer.frame_records(bytes, at, records, rows_max);
                framer.layouts(records);
                framed
            }
        }
    }
}

/// What became of a try to read on.
enum Step {
    /// Records were framed, or there is more to come.
    On,
    /// The file is at its end.
    End,
    /// Bytes of the input have to be skipped.
    Skip(usize, &'static str),
    /// Bytes of the input could not be used, which were read already: from where, how many.
    Unused(u64, u64, &'static str),
    /// Nothing can be made of the rest.
    Lost(&'static str),
}

const DAMAGED: &str = "a record is damaged";
const WITHIN_BLOCK: &str = "the file ends within a block";
const WITHIN_RECORD: &str = "a block ends within a record";
/// Blocks kept for use again.
const POOL_MAX: usize = 4;

impl NfFile {
    /// Makes `need` bytes unread, or as many as there are.
    fn want(
        &mut self,
        need: usize,
        pool: &mut Pool,
        context: &SourceContext<'_>,
    ) -> io::Result<bool> {
        while self.input.unread().len() < need && !self.input.at_end {
            self.input.more(need, pool, context.interrupt)?;
        }
        Ok(self.input.unread().len() >= need)
    }

    /// Reads on: some records, a block's header, or a compressed block.
    fn step(
        &mut self,
        records: &mut Records,
        pool: &mut Pool,
        blocks: &mut Vec<Arc<Block>>,
        context: &SourceContext<'_>,
        report: &mut InputReport,
    ) -> io::Result<Step> {
        if self.unpacked.is_some() {
            return Ok(self.frame_unpacked(records, blocks, context, report));
        }
        if self.left > 0 {
            return self.frame_in_place(records, pool, context, report);
        }
        if !self.want(BLOCK_HEADER, pool, context)? {
            return Ok(match self.input.unread().len() {
                0 => Step::End,
                _ => Step::Lost("the file ends within the header of a block"),
            });
        }
        let Some(header) = BlockHeader::read(self.input.unread(), self.header.layout) else {
            return Ok(Step::End);
        };
        let is_plain = header.is_plain || self.header.compression == Compression::None;
        if header.size > BLOCK_MAX {
            return Ok(Step::Lost("a block claims to be larger than any is"));
        }
        self.input.at += BLOCK_HEADER;
        report.bytes_used += BLOCK_HEADER as u64;
        if !header.is_data {
            return Ok(Step::Skip(
                header.size,
                "a block of a kind that is not known",
            ));
        }
        if is_plain {
            self.left = header.size;
            return Ok(Step::On);
        }
        if !self.want(header.size, pool, context)? {
            return Ok(Step::Lost(WITHIN_BLOCK));
        }
        let packed = &self.input.unread()[..header.size];
        let mut block = take(blocks);
        let target = Arc::get_mut(&mut block).map(|block| &mut block.0);
        let compression = self.header.compression;
        let end = target.and_then(|target| unpack(compression, packed, target));
        let Some(end) = end else {
            return Ok(Step::Skip(header.size, "a compressed block is damaged"));
        };
        let (place, size) = (self.input.place(), header.size);
        self.input.at += size;
        report.bytes_used += size as u64;
        self.unpacked = Some(Unpacked {
            block,
            at: 0,
            end,
            place,
            size,
        });
        Ok(Step::On)
    }

    fn frame_unpacked(
        &mut self,
        records: &mut Records,
        blocks: &mut Vec<Arc<Block>>,
        context: &SourceContext<'_>,
        report: &mut InputReport,
    ) -> Step {
        let Some(unpacked) = &mut self.unpacked else {
            return Step::On;
        };
        let bytes = &unpacked.block.0[..unpacked.end];
        let before = (unpacked.at, records.rows.len());
        let (at, damaged) = self
            .framer
            .frame(bytes, unpacked.at, records, context.rows_max);
        unpacked.at = at;
        if records.rows.len() > before.1 {
            records.blocks.push(Arc::clone(&unpacked.block));
        }
        let is_stuck = at == before.0 && records.rows.is_empty();
        if !damaged && at < unpacked.end && !is_stuck {
            return Step::On;
        }
        let step = unused(unpacked, damaged, report);
        if let Some(done) = self.unpacked.take()
            && blocks.len() < POOL_MAX
        {
            blocks.push(done.block);
        }
        step
    }

    fn frame_in_place(
        &mut self,
        records: &mut Records,
        pool: &mut Pool,
        context: &SourceContext<'_>,
        report: &mut InputReport,
    ) -> io::Result<Step> {
        if self.left < 4 {
            return Ok(Step::Skip(self.left, WITHIN_RECORD));
        }
        if !self.want(4, pool, context)? {
            return Ok(Step::Lost(WITHIN_BLOCK));
        }
        let len = le16(self.input.unread(), 2).map_or(0, usize::from);
        if len > self.left {
            return Ok(Step::Skip(self.left, WITHIN_RECORD));
        }
        if !self.want(len, pool, context)? {
            return Ok(Step::Lost(WITHIN_BLOCK));
        }
        let start = self.input.at;
        let end = self.input.end.min(start + self.left);
        let bytes = &self.input.block.0[..end];
        let rows = records.rows.len();
        let (at, damaged) = self.framer.frame(bytes, start, records, context.rows_max);
        if records.rows.len() > rows {
            records.blocks.push(Arc::clone(&self.input.block));
        }
        self.input.at = at;
        self.left -= at - start;
        report.bytes_used += (at - start) as u64;
        // A part always has room for a first record: without one there is nothing to wait for.
        let is_stuck = at == start && records.rows.is_empty();
        Ok(match damaged || is_stuck {
            true => Step::Skip(self.left, DAMAGED),
            false => Step::On,
        })
    }
}

/// What becomes of the end of an unpacked block. What is not used of it is as much of the packed block
/// in proportion: nothing else says which bytes of that it is.
fn unused(unpacked: &Unpacked, damaged: bool, report: &mut InputReport) -> Step {
    let left = (unpacked.end - unpacked.at) as u128;
    if left == 0 {
        return Step::On;
    }
    let bytes = unpacked.size as u128 * left / unpacked.end as u128;
    // A block that packs well is there by a byte at least.
    let bytes = (bytes as u64).max(1).min(unpacked.size as u64);
    report.bytes_used -= bytes;
    let reason = if damaged { DAMAGED } else { WITHIN_RECORD };
    Step::Unused(unpacked.place + unpacked.size as u64 - bytes, bytes, reason)
}

/// A block to unpack into that nobody reads.
fn take(blocks: &mut Vec<Arc<Block>>) -> Arc<Block> {
    let free = blocks
        .iter_mut()
        .position(|block| Arc::get_mut(block).is_some());
    free.map_or_else(Arc::default, |at| blocks.swap_remove(at))
}

impl NfFiles {
    pub(super) fn new(paths: Vec<String>) -> NfFiles {
        NfFiles {
            paths: paths.into_iter(),
            current: None,
            pool: Pool::default(),
            unpacked: Vec::new(),
            reports: Vec::new(),
            segment: 0,
            pending: None,
        }
    }

    fn unusable(&mut self, error: Error, strict: bool) -> Result<bool, Error> {
        if strict {
            return Err(error);
        }
        let reason = match error {
            Error::File { action, source, .. } => format!("cannot {action} it: {source}"),
            Error::Damaged { reason, .. } => reason,
            error => error.to_string(),
        };
        if let Some(report) = self.reports.last_mut() {
            report.unusable = Some(reason);
        }
        Ok(true)
    }

    /// Opens the next file; false where there is none.
    fn open_next(&mut self, context: &SourceContext<'_>) -> Result<bool, Error> {
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        self.reports.push(InputReport {
            name: path.clone(),
            ..InputReport::default()
        });
        let mut input = match Blocks::open(&path, &mut self.pool) {
            Ok(input) => input,
            Err(error) => return self.unusable(Error::file("open", path, error), context.strict),
        };
        while input.unread().len() < HEADER_MAX && !input.at_end {
            if let Err(error) = input.more(HEADER_MAX, &mut self.pool, context.interrupt) {
                if error.kind() == io::ErrorKind::Interrupted {
                    return Ok(false);
                }
                cannot_read(&mut input, self.reports.last_mut());
                return self.unusable(Error::file("read", path, error), context.strict);
            }
        }
        let header = match FileHeader::read(input.unread()) {
            Ok(header) => header,
            Err(reason) => {
                let len = input.unread().len() as u64 + input.drain(context.interrupt);
                if let Some(report) = self.reports.last_mut() {
                    report.skip(0, len, reason);
                }
                let reason = reason.to_owned();
                return self.unusable(Error::Damaged { path, reason }, context.strict);
            }
        };
        input.at += header.len;
        if let Some(report) = self.reports.last_mut() {
            report.bytes_used = header.len as u64;
        }
        self.current = Some(NfFile {
            input,
            header,
            framer: match header.layout {
                1 => Framer::One(layout_1::Framer::default()),
                _ => Framer::Two(layout_2::Framer::default()),
            },
            left: 0,
            unpacked: None,
        });
        Ok(true)
    }

    /// Fills a part with records of the current file; false where it has no more.
    fn fill(&mut self, records: &mut Records, context: &SourceContext<'_>) -> Result<bool, Error> {
        let Some(file) = &mut self.current else {
            return Ok(false);
        };
        file.framer.begin();
        loop {
            let Some(report) = self.reports.last_mut() else {
                return Ok(false);
            };
            let (pool, blocks) = (&mut self.pool, &mut self.unpacked);
            let step = file.step(records, pool, blocks, context, report);
            let damage = match step {
                Ok(Step::On) => None,
                Ok(Step::End) => return Ok(!records.rows.is_empty()),
                Ok(Step::Skip(len, reason)) => {
                    skip(file, len, reason, pool, context, report);
                    Some(reason)
                }
                Ok(Step::Unused(place, bytes, reason)) => {
                    report.skip(place, bytes, reason);
                    Some(reason)
                }
                Ok(Step::Lost(reason)) => {
                    let place = file.input.place();
                    let left = file.input.unread().len() as u64;
                    let rest = left + file.input.drain(context.interrupt);
                    report.skip(place, rest, reason);
                    file.input.at = file.input.end;
                    file.input.at_end = true;
                    file.left = 0;
                    Some(reason)
                }
                Err(error) => {
                    file.left = 0;
                    if error.kind() != io::ErrorKind::Interrupted {
                        cannot_read(&mut file.input, Some(report));
                        let error = Error::file("read", report.name.clone(), error);
                        if let Err(error) = self.unusable(error, context.strict) {
                            self.pending = Some(error);
                        }
                    } else {
                        file.input.at = file.input.end;
                        file.input.at_end = true;
                    }
                    return Ok(!records.rows.is_empty());
                }
            };
            if let (Some(reason), true) = (damage, context.strict) {
                // What was framed before is given first.
                self.pending = Some(Error::Damaged {
                    path: report.name.clone(),
                    reason: reason.to_owned(),
                });
                return Ok(!records.rows.is_empty());
            }
            if !records.rows.is_empty() {
                return Ok(true);
            }
        }
    }
}

/// Ends a file that cannot be read on: what was read of it is not used.
fn cannot_read(input: &mut Blocks, report: Option<&mut InputReport>) {
    let left = input.unread().len() as u64;
    if let Some(report) = report.filter(|_| left > 0) {
        report.skip(input.place(), left, "the file cannot be read on");
    }
    input.at = input.end;
    input.at_end = true;
}

/// Skips bytes of the input.
fn skip(
    file: &mut NfFile,
    len: usize,
    reason: &str,
    pool: &mut Pool,
    context: &SourceContext<'_>,
    report: &mut InputReport,
) {
    let place = file.input.place();
    let mut rest = len;
    while rest > 0 {
        let have = file.input.unread().len().min(rest);
        file.input.at += have;
        rest -= have;
        let at_end = file.input.at_end && file.input.unread().is_empty();
        if rest == 0 || at_end || file.want(1, pool, context).is_err() {
            break;
        }
    }
    file.left = 0;
    if len > rest {
        let skipped = (len - rest) as u64;
        report.skip(place, skipped, reason);
    }
}

impl Source for NfFiles {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        loop {
            if let Some(error) = self.pending.take() {
                return Err(error);
            }
            if self.current.is_none() {
                if !self.open_next(context)? {
                    return Ok(None);
                }
                continue;
            }
            let mut data = reusable(context, |_| Records::default());
            let Some(records) = Arc::get_mut(&mut data).and_then(|data| data.rows_mut::<Records>())
            else {
                return Ok(None);
            };
            records.clear();
            records.headers.push(Header::default());
            if !self.fill(records, context)? {
                self.current = None;
                continue;
            }
            let rows = records.rows.len();
            self.segment += 1;
            if let Some(report) = self.reports.last_mut() {
                report.records += rows as u64;
            }
            if let Some(data) = Arc::get_mut(&mut data) {
                data.set_rows(rows, Position::new(self.segment, 0));
            }
            return Ok(Some(Item::Rows(Part::new(data))));
        }
    }

    fn mark(&self) -> InputMark {
        InputMark::of(&self.reports)
    }

    fn input_account(&self) -> InputAccount {
        InputAccount {
            inputs: self.reports.clone(),
        }
    }
}
