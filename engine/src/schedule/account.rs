//! The account: what became of every row, node by node.

use crate::InputAccount;
use crate::matching::Work;
use crate::plan::Label;

/// What became of the rows that came to a node:
/// `rows_in = passed + filtered + absorbed + evicted + dropped + cut`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Rows that came in; for a source, rows that it read.
    pub rows_in: u64,
    /// Rows of the input given on.
    pub passed: u64,
    /// Rows that a test or a missing key took out.
    pub filtered: u64,
    /// Rows that went into a state.
    pub absorbed: u64,
    /// Rows that a bound pushed out of a state.
    pub evicted: u64,
    /// Rows lost to overload.
    pub dropped: u64,
    /// Rows that were read but came after everything wanted was there.
    pub cut: u64,
    /// Rows that the node made up or gave back from its state.
    pub emitted: u64,
    /// What matching many conditions took.
    pub work: Work,
}

impl Account {
    /// Counts what became of further rows.
    pub(crate) fn add(&mut self, more: &Account) {
        self.rows_in += more.rows_in;
        self.passed += more.passed;
        self.filtered += more.filtered;
        self.absorbed += more.absorbed;
        self.evicted += more.evicted;
        self.dropped += more.dropped;
        self.cut += more.cut;
        self.emitted += more.emitted;
        self.work.add(&more.work);
    }

    /// Whether every row that came in is accounted for.
    pub fn adds_up(&self) -> bool {
        self.rows_in
            == self.passed + self.filtered + self.absorbed + self.evicted + self.dropped + self.cut
    }
}

/// The account of one node.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// What the node does, as in the plan.
    pub name: Label,
    /// Whether it is a source.
    pub is_source: bool,
    /// The statement it was written in, from 0.
    pub statement: usize,
    /// How many nodes read from it.
    pub readers: usize,
    /// The counts.
    pub account: Account,
    /// How long it ran, where [`crate::schedule::Options::timed`] asks for that.
    pub nanos: u64,
    /// What was read: of sources, and of operators that read a format in the rows.
    pub input: Option<InputAccount>,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The accounts, in the order in which nodes ran.
    pub accounts: Vec<NodeReport>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}
