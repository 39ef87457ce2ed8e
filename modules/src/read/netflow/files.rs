//! Files of messages, one behind the other.

use super::batch::Batch;
use super::decoder::{Decoder, Message};
use super::fault::Fault;
use crate::read::blocks::{Blocks, Pool};
use crate::types::netflow::Records;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputMark, InputReport, Source, SourceContext};
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
    /// What ends the run, once the records before it are given.
    pending: Option<Error>,
}

const NO_MESSAGE: &str = "it is no message of an exporter";

/// Reads until there is a message, or all that is left.
fn read(input: &mut Blocks, pool: &mut Pool, context: &SourceContext<'_>) -> io::Result<()> {
    while input.unread().len() < MESSAGE_MAX && !input.at_end {
        input.more(MESSAGE_MAX, pool, context.interrupt)?;
    }
    Ok(())
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
            pending: None,
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

    /// Decodes messages of the file at hand until there are as many records as are wanted.
    fn decode(&mut self, context: &SourceContext<'_>) -> Result<(), Error> {
        while self.batch.len() < context.rows_max && !self.batch.is_full() {
            let Some(input) = &mut self.current else {
                break;
            };
            match read(input, &mut self.pool, context) {
                Ok(()) if input.unread().is_empty() => self.current = None,
                Ok(()) => self.message(context)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => break,
                Err(error) => self.cannot_read(error, context.strict)?,
            }
        }
        Ok(())
    }

    /// Decodes the next message.
    fn message(&mut self, context: &SourceContext<'_>) -> Result<(), Error> {
        let (Some(input), Some(report)) = (&mut self.current, self.reports.last_mut()) else {
            return Ok(());
        };
        let (bytes, place) = (input.unread(), input.place());
        let message = Message {
            block: &input.block,
            start: input.at,
            bytes: &bytes[..bytes.len().min(MESSAGE_MAX)],
            router: None,
            received: None,
        };
        let before = (self.decoder.strange(), self.decoder.cut());
        let used = self.decoder.message(&message, &mut self.batch).max(1);
        let reason = if self.decoder.strange() > before.0 {
            // Nothing says where the next message begins.
            let skipped = (input.end - input.at) as u64 + input.drain(context.interrupt);
            report.skip(place, skipped, NO_MESSAGE);
            if place == 0 {
                report.unusable = Some(NO_MESSAGE.to_owned());
            }
            self.current = None;
            NO_MESSAGE
        } else {
            input.at += used;
            report.bytes_used += used as u64;
            if self.decoder.cut() == before.1 {
                return Ok(());
            }
            "a message is shorter than it says"
        };
        match context.strict {
            true => Err(Error::Damaged {
                path: report.name.clone(),
                reason: format!("at byte {place}: {reason}"),
            }),
            false => Ok(()),
        }
    }

    /// Ends the file at hand, which cannot be read on.
    fn cannot_read(&mut self, error: io::Error, strict: bool) -> Result<(), Error> {
        let input = self.current.take();
        let Some(report) = self.reports.last_mut() else {
            return Ok(());
        };
        if let Some(input) = input.filter(|input| !input.unread().is_empty()) {
            let left = input.unread().len() as u64;
            report.skip(input.place(), left, "the file cannot be read on");
        }
        let path = report.name.clone();
        self.fail("read", &path, error, strict)
    }

    /// Templates and sequences go on from file to file, and so do faults: they are of the last one.
    fn tell_faults(&self, last: &mut InputReport) {
        let mut faults = self.decoder.faults();
        // That is told as what was skipped.
        faults.take_back(Fault::Unknown, u64::MAX);
        last.faults = faults.list();
    }

    /// Gives the next records of those that are decoded.
    fn give(&mut self, context: &SourceContext<'_>) -> Part {
        let end = (self.given + context.rows_max).min(self.ready.rows.len());
        let rows = if self.given == 0 && end == self.ready.rows.len() {
            std::mem::take(&mut self.ready)
        } else {
            self.ready.chunk(self.given..end)
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
            if let Some(error) = self.pending.take() {
                return Err(error);
            }
            if self.current.is_none() {
                if !self.open_next(context.strict)? {
                    return Ok(None);
                }
                continue;
            }
            let decoded = self.decode(context);
            self.ready = self.batch.take();
            self.given = 0;
            self.segment += 1;
            match decoded {
                Ok(())
                    if self.ready.rows.is_empty() && context.interrupt.load(Ordering::Relaxed) =>
                {
                    return Ok(None);
                }
                Ok(()) => {}
                // What was decoded before is given first.
                Err(error) => self.pending = Some(error),
            }
        }
    }

    fn mark(&self) -> InputMark {
        let mut mark = InputMark::of(&self.reports);
        mark.last.iter_mut().for_each(|last| self.tell_faults(last));
        mark
    }

    fn input_account(&self) -> InputAccount {
        let mut inputs = self.reports.clone();
        inputs
            .last_mut()
            .into_iter()
            .for_each(|last| self.tell_faults(last));
        InputAccount { inputs }
    }
}
