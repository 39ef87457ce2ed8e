//! What `nfcapdwrite` does.

use super::file::FlowFile;
use crate::write::flow_rows::{Extras, FlowRow, Limits, flows};
use std::any::Any;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Error, Operator, Progress, View};

pub(super) struct Sink {
    file: FlowFile,
    biflow: bool,
    /// The input has ended: after each call the file is whole.
    ended: bool,
}

impl Sink {
    pub(super) fn new(path: &str, ident: &str, lz4: bool, biflow: bool) -> Sink {
        Sink {
            file: FlowFile::new(path, ident, lz4),
            biflow,
            ended: false,
        }
    }
}

impl Operator for Sink {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let flows = flows(*view, Limits::NONE);
            out.account.filtered += (view.part.count() - flows.count()) as u64;
            out.pass(view.part, flows);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], _out: &mut Output) -> Result<(), Error> {
        for view in views {
            let extras = Extras::of(*view);
            for row in view.part.selection.iter() {
                let Some(flow) = FlowRow::of(*view, row, Limits::NONE) else {
                    continue;
                };
                match self.biflow {
                    true => self.file.put(&flow, extras)?,
                    false => flow
                        .directions()
                        .try_for_each(|flow| self.file.put(&flow, extras))?,
                }
            }
        }
        match self.ended {
            true => self.file.complete(),
            false => Ok(()),
        }
    }

    fn reopen(&mut self, _output: bool) -> Result<(), Error> {
        self.file.reopen()
    }

    fn finish(&mut self, _out: &mut Output) -> Result<(), Error> {
        self.ended = true;
        self.file.complete()
    }

    fn memory(&self) -> usize {
        self.file.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.ended));
        self.file.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.ended = from.number()? != 0;
        self.file.load(from)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
