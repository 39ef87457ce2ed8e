//! One file of a table: what stands at its current place, and what is to be said of it.

use super::files::Plan;
use super::grammar::{Grammar, Search};
use super::header::{RECORD_LEN_MAX, without_return};
use super::layout::Layout;
use crate::read::blocks::Blocks;
use crate::types::table::{Records, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wireq_engine::InputReport;

/// What is to be said of a file.
#[derive(Default)]
pub(super) struct FileReport {
    pub(super) input: InputReport,
    /// For each field that is read, how many of its cells could not be read.
    pub(super) unreadable: Arc<[AtomicU64]>,
    /// Columns that the file should have and has not.
    pub(super) missing: Vec<String>,
}

impl FileReport {
    /// What was wrong with its records.
    pub(super) fn faults(&self, fields: &[usize], table: &Table) -> Vec<(String, u64)> {
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
pub(super) struct OpenFile {
    pub(super) input: Blocks,
    pub(super) layout: Layout,
    /// The search for the end of the record at the current place, and the end once it is found.
    search: Search,
    end: Option<usize>,
    /// The row of the segment that the next record is.
    pub(super) row: u32,
}

/// What stands at the current place of a file.
pub(super) enum Next {
    Record,
    TooLong,
    Unclosed,
    End,
}

impl OpenFile {
    /// A file that is read from the current place of `input` on.
    pub(super) fn new(input: Blocks, layout: Layout) -> OpenFile {
        OpenFile {
            input,
            layout,
            search: Search::default(),
            end: None,
            row: 0,
        }
    }

    /// What stands at the current place; none where more has to be read to say.
    #[inline]
    pub(super) fn look(&mut self, grammar: Grammar) -> Option<Next> {
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
    pub(super) fn pass(&mut self, len: usize) {
        self.input.at = (self.input.at + len + 1).min(self.input.end);
        self.search = Search::default();
        self.end = None;
    }

    /// Adds records from the current place on; gives how many. The one loop that every record goes
    /// through.
    pub(super) fn split(&mut self, plan: &Plan, records: &mut Records, rows_max: usize) -> usize {
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
