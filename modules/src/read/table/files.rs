//! The files of a table: opened one after another, read record by record.

use super::grammar::Grammar;
use super::header::{self, Names, RECORD_LEN_MAX, Unusable};
use super::layout::Layout;
use super::open_file::{FileReport, Next, OpenFile};
use crate::read::blocks::{Blocks, Pool};
use crate::read::reuse::reusable;
use crate::types::table::{Records, Table};
use memchr::memchr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use wireq_engine::schedule::output::Item;
use wireq_engine::{
    Error, InputAccount, InputMark, InputMarks, InputReport, Source, SourceContext,
};
use wireq_typesys::{Part, Position, Recipe};

/// What a source is to read.
pub(super) struct Plan {
    pub(super) paths: Vec<String>,
    pub(super) grammar: Grammar,
    /// Whether files begin with a header line.
    pub(super) header: bool,
    /// The names of the columns where there is no header line.
    pub(super) names: Names,
    pub(super) table: Arc<Table>,
}

/// The files of one source.
pub(super) struct Files {
    plan: Arc<Plan>,
    paths: std::vec::IntoIter<String>,
    current: Option<OpenFile>,
    pool: Pool,
    /// What is to be said of each file so far.
    reports: Vec<FileReport>,
    /// The fields that are read, once that is known.
    fields: Arc<[usize]>,
    segment: u32,
}

impl Files {
    pub(super) fn new(plan: &Arc<Plan>) -> Files {
        Files {
            plan: Arc::clone(plan),
            paths: plan.paths.clone().into_iter(),
            current: None,
            pool: Pool::default(),
            reports: Vec::new(),
            fields: Arc::new([]),
            segment: 0,
        }
    }

    fn report(&mut self) -> &mut FileReport {
        if self.reports.is_empty() {
            self.reports.push(FileReport::default());
        }
        self.reports.last_mut().expect("just pushed")
    }

    fn path(&mut self) -> String {
        self.report().input.name.clone()
    }

    /// Opens the next file; false where there is none.
    fn open_next(&mut self, context: &SourceContext<'_>) -> Result<bool, Error> {
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        if self.reports.is_empty() {
            let fields = context
                .shape
                .base
                .iter()
                .filter_map(|def| match def.recipe {
                    Recipe::Field(field) => Some(field),
                    _ => None,
                });
            self.fields = fields.collect();
        }
        let mut report = FileReport::default();
        report.input.name = path;
        report.unreadable = self.fields.iter().map(|_| AtomicU64::new(0)).collect();
        self.reports.push(report);
        match self.begin(context) {
            Ok(file) => self.current = Some(file),
            Err(Unusable::Interrupted) => return Ok(false),
            Err(reason) => self.unusable(reason, context.strict)?,
        }
        Ok(true)
    }

    fn begin(&mut self, context: &SourceContext<'_>) -> Result<OpenFile, Unusable> {
        let plan = Arc::clone(&self.plan);
        let path = self.path();
        let (pool, interrupt) = (&mut self.pool, context.interrupt);
        let mut input =
            Blocks::open(&path, pool).map_err(|error| Unusable::System("open", error))?;
        header::skip_mark(&mut input, pool, interrupt)?;
        let names = if plan.header {
            let begin = header::begin(&mut input, plan.grammar, pool, interrupt)?;
            if begin.len == 0 {
                return Err(Unusable::damaged("it is empty: there is no header line"));
            }
            input.at += begin.len;
            header::names(&begin.cells)
        } else {
            plan.names.clone()
        };
        self.segment += 1;
        let layout = Layout::new(&self.fields, &plan.table, &names);
        if let Some(name) = layout.missing.first().filter(|_| context.strict) {
            return Err(Unusable::Damaged(format!("it has no column `{name}`")));
        }
        let report = self.report();
        report.input.bytes_used = input.place();
        report.missing.clone_from(&layout.missing);
        Ok(OpenFile::new(input, layout))
    }

    /// Notes that a file cannot be used, from here on; the others are read all the same.
    fn unusable(&mut self, reason: Unusable, strict: bool) -> Result<(), Error> {
        let path = self.path();
        let reason = match reason {
            Unusable::Interrupted => return Ok(()),
            Unusable::System(action, source) if strict => {
                return Err(Error::file(action, path, source));
            }
            Unusable::Damaged(reason) if strict => return Err(Error::Damaged { path, reason }),
            Unusable::System(action, source) => format!("cannot {action} it: {source}"),
            Unusable::Damaged(reason) => reason,
        };
        self.report().input.unusable = Some(reason);
        Ok(())
    }

    /// Reads on in the current file.
    fn read(&mut self, context: &SourceContext<'_>) -> Result<(), Unusable> {
        if let Some(file) = &mut self.current
            && header::read(&mut file.input, &mut self.pool, context.interrupt)?
        {
            self.segment += 1;
            file.row = 0;
        }
        Ok(())
    }

    /// Finds what comes next in the current file, reading on where need be.
    fn advance(&mut self, context: &SourceContext<'_>) -> Result<Next, Unusable> {
        loop {
            let grammar = self.plan.grammar;
            let next = self.current.as_mut().map(|file| file.look(grammar));
            match next {
                None => return Ok(Next::End),
                Some(Some(next)) => return Ok(next),
                Some(None) => self.read(context)?,
            }
        }
    }

    /// A part of the records in the block; none where all of its lines are empty.
    fn part(&mut self, context: &mut SourceContext<'_>) -> Option<Part> {
        let mut data = reusable(context, |context| {
            Records::new(Arc::clone(&self.fields), Arc::clone(context.zone))
        });
        let file = self.current.as_mut()?;
        let report = self.reports.last_mut()?;
        let records: &mut Records = Arc::get_mut(&mut data)?.rows_mut()?;
        records.reset(&file.input.block, &report.unreadable);
        let start = file.input.at;
        let rows = file.split(&self.plan, records, context.rows_max);
        report.input.records += rows as u64;
        report.input.bytes_used += (file.input.at - start) as u64;
        if rows == 0 {
            context.retired.push(data);
            return None;
        }
        let first = Position::new(self.segment, file.row);
        Arc::get_mut(&mut data)?.set_rows(rows, first);
        file.row += rows as u32;
        Some(Part::new(data))
    }

    /// Passes over a record that is longer than records can be, up to a line end.
    fn skip_long(&mut self, context: &SourceContext<'_>) -> Result<(), Unusable> {
        let Some(file) = &mut self.current else {
            return Ok(());
        };
        let offset = file.input.place();
        let reason = format!("a record has more than {RECORD_LEN_MAX} bytes");
        if context.strict {
            let reason = format!("at byte {offset}: {reason}");
            return Err(Unusable::Damaged(reason));
        }
        file.input.at += RECORD_LEN_MAX;
        while let Some(file) = &mut self.current {
            let end = memchr(b'\n', file.input.unread());
            file.pass(end.unwrap_or_else(|| file.input.unread().len()));
            if end.is_some() || file.input.at_end {
                let skipped = file.input.place() - offset;
                self.report().input.skip(offset, skipped, &reason);
                break;
            }
            self.read(context)?;
        }
        Ok(())
    }

    /// Ends the current file, noting what is left of it.
    fn close(&mut self, next: Next, context: &SourceContext<'_>) -> Result<(), Error> {
        let Some(mut file) = self.current.take() else {
            return Ok(());
        };
        if !matches!(next, Next::Unclosed) {
            return Ok(());
        }
        let offset = file.input.place();
        let reason = "the file ends within quotes";
        if context.strict {
            return Err(Error::Damaged {
                path: self.path(),
                reason: format!("at byte {offset}: {reason}"),
            });
        }
        let left = file.input.unread().len() as u64 + file.input.drain(context.interrupt);
        self.report().input.skip(offset, left, reason);
        Ok(())
    }

    /// Ends the current file at a fault of the system, or the run where `strict` asks for that.
    fn fail(&mut self, reason: Unusable, strict: bool) -> Result<(), Error> {
        if let Some(file) = self.current.take() {
            let left = file.input.unread().len() as u64;
            if left > 0 {
                let offset = file.input.place();
                let report = &mut self.report().input;
                report.skip(offset, left, "the file cannot be read on");
            }
        }
        self.unusable(reason, strict)
    }

    /// What is to be said of a file.
    fn account_of(&self, report: &FileReport) -> InputReport {
        InputReport {
            faults: report.faults(&self.fields, &self.plan.table),
            ..report.input.clone()
        }
    }

    /// With `--strict`, cells that could not be read end the run too.
    fn check_cells(&self) -> Result<(), Error> {
        let Some(report) = self.reports.last() else {
            return Ok(());
        };
        match report.faults(&self.fields, &self.plan.table).first() {
            // How many there are so far depends on how many were read at once.
            Some((reason, _)) => Err(Error::Damaged {
                path: report.input.name.clone(),
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl Source for Files {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        if context.strict {
            self.check_cells()?;
        }
        loop {
            if self.current.is_none() {
                if !self.open_next(context)? {
                    return Ok(None);
                }
                continue;
            }
            let result = match self.advance(context) {
                Ok(Next::Record) => {
                    if let Some(part) = self.part(context) {
                        return Ok(Some(Item::Rows(part)));
                    }
                    Ok(())
                }
                Ok(Next::TooLong) => self.skip_long(context),
                Ok(next) => {
                    self.close(next, context)?;
                    Ok(())
                }
                Err(unusable) => Err(unusable),
            };
            match result {
                Ok(()) => {}
                Err(Unusable::Interrupted) => return Ok(None),
                Err(reason) => self.fail(reason, context.strict)?,
            }
        }
    }

    fn tells_of_columns(&self) -> bool {
        true
    }

    fn mark(&self) -> InputMark {
        let last = self.reports.last();
        InputMark {
            inputs: self.reports.len(),
            last: last.map(|report| self.account_of(report)),
            beside: InputMarks::default(),
        }
    }

    fn input_account(&self) -> InputAccount {
        let reports = self.reports.iter();
        InputAccount {
            inputs: reports.map(|report| self.account_of(report)).collect(),
        }
    }
}
