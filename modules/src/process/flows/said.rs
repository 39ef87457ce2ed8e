//! What is said of all flows at the end: some thousand at a time, by any thread.

use super::table::Table;
use wireq_engine::schedule::output::Output;
use wireq_engine::{PIECES_MIN, Pieces};
use wireq_typesys::ROWS_MAX;

/// Says what there is to say of some flows of a table, at most [`ROWS_MAX`].
type Say<S> = Box<dyn Fn(&Table<S>, &[u32], &mut Output) + Send + Sync>;

/// All flows, in the order in which they are spoken of.
pub(super) struct Said<S> {
    table: Table<S>,
    order: Vec<u32>,
    say: Say<S>,
    /// The pieces that were given by one thread.
    given: usize,
}

impl<S> Said<S> {
    pub(super) fn new(table: Table<S>, order: Vec<u32>, say: Say<S>) -> Said<S> {
        Said {
            table,
            order,
            say,
            given: 0,
        }
    }

    /// Gives the next piece.
    pub(super) fn give_next(&mut self, out: &mut Output) {
        self.say(self.given, out);
        self.given += 1;
    }

    /// Whether there are pieces left.
    pub(super) fn has_more(&self) -> bool {
        self.given < self.pieces()
    }

    /// Whether there is enough to say for several threads.
    pub(super) fn is_much(&self) -> bool {
        self.pieces() >= PIECES_MIN
    }

    fn pieces(&self) -> usize {
        self.order.len().div_ceil(ROWS_MAX)
    }

    fn say(&self, piece: usize, out: &mut Output) {
        let mut pieces = self.order.chunks(ROWS_MAX);
        if let Some(flows) = pieces.nth(piece) {
            (self.say)(&self.table, flows, out);
        }
    }
}

impl<S: Default> Said<S> {
    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.table.memory() + self.order.capacity() * size_of::<u32>()
    }
}

impl<S: Send + Sync> Pieces for Said<S> {
    fn len(&self) -> usize {
        self.pieces()
    }

    fn give(&self, piece: usize, out: &mut Output) {
        self.say(piece, out);
    }
}
