//! Files of messages, one behind the other.

use super::batch::Batch;
use super::decoder::{Decoder, Message};
use super::fault::Fault;
use crate::read::blocks::{Blocks, Pool};
use crate::types::netflow::Records;
use std::io;
use std::sync::Arc;
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputReport, Source, SourceContext};
use wireq_typesys::{Part, PartData, Position, Positions};

/// The most bytes of a message.
const MESSAGE_MAX: usize = 65_535;

/// The files of one source, read one after another.
pub(super) struct Files {
    paths: std::vec::IntoIter<String>,
    current: Option<Blocks>,
    pool: Pool,
    reports: Vec<InputReport>,
    decoder: Decoder,
    /// Records that were decoded and not given yet, and how many of them were.
    ready: Records,
    given: usize,
    batch: Batch,
    segment: u32,
}

impl Files {
    pub(super) fn new(paths: Vec<String>, options: bool) -> Files {
        Files {
            paths: paths.into_iter(),
            current: None,
            pool: Pool::default(),
            reports: Vec::new(),
            decoder: Decoder::new(options),
            ready: Records::default(),
            given: 0,
            batch: Batch::default(),
            segment: 0,
        }
    }

    /// Opens the next file; false where there is none.
    fn open_next(&mut self, strict: bool) -> Result<bool, Error> {
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        self.reports.push(InputReport {
            name: path.clone(),
            ..InputReport::default()
        });
        match Blocks::open(&path, &mut self.pool) {
            Ok(input) => self.current = Some(input),
            Err(error) => self.fail("open", &path, error, strict)?,
        }
        Ok(true)
    }

    fn fail(
        &mut self,
        action: &'static str,
        path: &str,
        error: io::Error,
        strict: bool,
    ) -> Result<(), Error> {
        if strict {
            return Err(Error::file(action, path, error));
        }
        if let Some(report) = self.reports.last_mut() {
            report.unusable = Some(format!("cannot {action} it: {error}"));
        }
        Ok(())
    }

    /// Decodes messages until there are records to give; false where the file has no more.
    fn decode(&mut self, context: &SourceContext<'_>) -> Result<bool, io::Error> {
        let Some(input) = &mut self.current else {
            return Ok(false);
        };
        while self.batch.len() < context.rows_max && !self.batch.is_full() {
            while input.unread().len() < MESSAGE_MAX && !input.at_end {
                input.more(MESSAGE_MAX, &mut self.pool, context.interrupt)?;
            }
            let bytes = input.unread();
            if bytes.is_empty() {
                break;
            }
            let message = Message {
                block: &input.block,
                start: input.at,
                bytes: &bytes[..bytes.len().min(MESSAGE_MAX)],
                router: None,
                received: None,
            };
            let before = self.decoder.strange();
            let used = self.decoder.message(&message, &mut self.batch).max(1);
            let place = input.place();
            input.at += used;
            let Some(report) = self.reports.last_mut() else {
                break;
            };
            if self.decoder.strange() > before {
                // Nothing says where the next message begins.
                let skipped = (input.end - input.at + used) as u64 + input.drain();
                report.skip(place, skipped, "it is no message of an exporter");
                input.at = input.end;
                input.at_end = true;
            } else {
                report.bytes_used += used as u64;
            }
        }
        Ok(self.batch.len() > 0)
    }

    /// Gives the next records of those that are decoded.
    fn give(&mut self, context: &SourceContext<'_>) -> Part {
        let end = (self.given + context.rows_max).min(self.ready.rows.len());
        let rows = if self.given == 0 && end == self.ready.rows.len() {
            std::mem::take(&mut self.ready)
        } else {
            Records {
                blocks: self.ready.blocks.clone(),
                rows: self.ready.rows[self.given..end].to_vec(),
                layouts: self.ready.layouts.clone(),
                headers: self.ready.headers.clone(),
            }
        };
        let len = end - self.given;
        let first = Position::new(self.segment, self.given as u32);
        self.given = end;
        if let Some(report) = self.reports.last_mut() {
            report.records += len as u64;
        }
        let shape = Arc::clone(context.shape);
        let positions = Positions::Run(first);
        Part::new(Arc::new(PartData::new(
            shape,
            Box::new(rows),
            len,
            positions,
            context.origin,
        )))
    }
}

impl Source for Files {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        loop {
            if self.given < self.ready.rows.len() {
                return Ok(Some(Item::Rows(self.give(context))));
            }
            if self.current.is_none() {
                if !self.open_next(context.strict)? {
                    return Ok(None);
                }
                continue;
            }
            match self.decode(context) {
                Ok(true) => {
                    self.ready = self.batch.take();
                    self.given = 0;
                    self.segment += 1;
                }
                Ok(false) => self.current = None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
                Err(error) => {
                    self.current = None;
                    let path = self.reports.last().map(|report| report.name.clone());
                    self.fail("read", &path.unwrap_or_default(), error, context.strict)?;
                }
            }
        }
    }

    fn input_account(&self) -> InputAccount {
        let mut inputs = self.reports.clone();
        // Templates and sequences go on from file to file, and so do faults.
        if let Some(last) = inputs.last_mut() {
            let mut faults = self.decoder.faults();
            // That is told as what was skipped.
            faults.take_back(Fault::Unknown, u64::MAX);
            last.faults = faults.list();
        }
        InputAccount { inputs }
    }
}
