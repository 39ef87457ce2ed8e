//! The files of a table: opened one after another, read record by record.

use super::grammar::{Grammar, Search};
use super::header::{self, Names, RECORD_LEN_MAX, Unusable, without_return};
use super::layout::Layout;
use crate::read::blocks::{Blocks, Pool};
use crate::types::table::{Records, Table};
use memchr::memchr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputReport, Source, SourceContext};
use wireq_typesys::{Part, PartData, Position, Positions, Recipe};

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

#[derive(Default)]
struct FileReport {
    input: InputReport,
    /// For each field that is read, how many of its cells could not be read.
    unreadable: Arc<[AtomicU64]>,
    /// Columns that the file should have and has not.
    missing: Vec<String>,
}

impl FileReport {
    /// What was wrong with its records.
    fn faults(&self, fields: &[usize], table: &Table) -> Vec<(String, u64)> {
        let counts = self.unreadable.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        let unreadable = fields.iter().zip(counts).map(|(field, count)| {
            let (name, kind) = (table.name_of(*field), table.kind_of(*field));
            let reason = format!("cells of `{name}` that cannot be read as {kind}");
            (reason, count)
        });
        let missing = self.missing.iter().map(|name| {
            let reason = format!("records without a column `{name}`");
            (reason, self.input.records)
        });
        unreadable
            .chain(missing)
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// One open file.
struct OpenFile {
    input: Blocks,
    layout: Layout,
    /// The search for the end of the record at the current place, and the end once it is found.
    search: Search,
    end: Option<usize>,
    /// The row of the segment that the next record is.
    row: u32,
}

/// What stands at the current place of a file.
enum Next {
    Record,
    TooLong,
    Unclosed,
    End,
}

impl OpenFile {
    /// What stands at the current place; none where more has to be read to say.
    #[inline]
    fn look(&mut self, grammar: Grammar) -> Option<Next> {
        if self.end.is_some() {
            return Some(Next::Record);
        }
        let unread = self.input.unread();
        let looked = &unread[..unread.len().min(RECORD_LEN_MAX + 1)];
        self.end = self.search.end(looked, grammar);
        match self.end {
            Some(_) => Some(Next::Record),
            None if unread.len() > RECORD_LEN_MAX => Some(Next::TooLong),
            None if !self.input.at_end => None,
            None if unread.is_empty() => Some(Next::End),
            None if self.search.is_quoted() => Some(Next::Unclosed),
            None => {
                self.end = Some(unread.len());
                Some(Next::Record)
            }
        }
    }

    /// Goes on behind the record at the current place.
    fn pass(&mut self, len: usize) {
        self.input.at = (self.input.at + len + 1).min(self.input.end);
        self.search = Search::default();
        self.end = None;
    }

    /// Adds records from the current place on; gives how many. The one loop that every record goes
    /// through.
    fn split(&mut self, plan: &Plan, records: &mut Records, rows_max: usize) -> usize {
        let mut rows = 0;
        while rows < rows_max {
            let (Some(Next::Record), Some(len)) = (self.look(plan.grammar), self.end) else {
                break;
            };
            let at = self.input.at;
            let record = without_return(&self.input.unread()[..len]);
            // Behind a header line an empty line is no record without cells but none at all.
            if !(plan.header && record.is_empty()) {
                self.layout.split(plan.grammar, record, at, records);
                rows += 1;
            }
            self.pass(len);
        }
        rows
    }
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
        Ok(OpenFile {
            input,
            layout,
            search: Search::default(),
            end: None,
            row: 0,
        })
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
        let mut data = self.reusable(context);
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

    /// A part whose buffers can be used again, or a new one.
    fn reusable(&self, context: &mut SourceContext<'_>) -> Arc<PartData> {
        while let Some(mut data) = context.retired.pop() {
            let fits = Arc::ptr_eq(&data.shape, context.shape);
            let reused = data.reuse().filter(|_| fits);
            if reused.is_some_and(|data| data.rows_mut::<Records>().is_some()) {
                return data;
            }
        }
        let records = Records::new(Arc::clone(&self.fields), Arc::clone(context.zone));
        Arc::new(PartData::new(
            Arc::clone(context.shape),
            Box::new(records),
            0,
            Positions::Run(Position::START),
            context.origin,
        ))
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
                let skipped = (offset, file.input.place() - offset, reason);
                self.report().input.skipped.push(skipped);
                break;
            }
            self.read(context)?;
        }
        Ok(())
    }

    /// Ends the current file, noting what is left of it.
    fn close(&mut self, next: Next, strict: bool) -> Result<(), Error> {
        let Some(mut file) = self.current.take() else {
            return Ok(());
        };
        if !matches!(next, Next::Unclosed) {
            return Ok(());
        }
        let offset = file.input.place();
        let reason = "the file ends within quotes";
        if strict {
            return Err(Error::Damaged {
                path: self.path(),
                reason: format!("at byte {offset}: {reason}"),
            });
        }
        let left = file.input.unread().len() as u64 + file.input.drain();
        let skipped = (offset, left, reason.to_owned());
        self.report().input.skipped.push(skipped);
        Ok(())
    }

    /// Ends the current file at a fault of the system, or the run where `strict` asks for that.
    fn fail(&mut self, reason: Unusable, strict: bool) -> Result<(), Error> {
        if let Some(file) = self.current.take() {
            let left = file.input.unread().len() as u64;
            if left > 0 {
                let reason = "the file cannot be read on".to_owned();
                let skipped = (file.input.place(), left, reason);
                self.report().input.skipped.push(skipped);
            }
        }
        self.unusable(reason, strict)
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
                    self.close(next, context.strict)?;
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

    fn input_account(&self) -> InputAccount {
        let account = |report: &FileReport| InputReport {
            faults: report.faults(&self.fields, &self.plan.table),
            ..report.input.clone()
        };
        InputAccount {
            inputs: self.reports.iter().map(account).collect(),
        }
    }
}
