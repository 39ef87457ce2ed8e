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

    fn give_next(&mut self, out: &mut Output) {
        self.say(self.given, out);
        self.given += 1;
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

/// How far the end is that flows are given at: nothing was asked of it, or these are left.
pub(super) struct Ending<S>(Option<Said<S>>);

impl<S> Default for Ending<S> {
    fn default() -> Ending<S> {
        Ending(None)
    }
}

impl<S: Default + Send + Sync + 'static> Ending<S> {
    /// Gives the next piece; `all` is asked for the first one.
    pub(super) fn give(&mut self, all: impl FnOnce() -> Said<S>, out: &mut Output) {
        self.0.get_or_insert_with(all).give_next(out);
    }

    /// For several threads to give, where there is enough for them. Else it stays here.
    pub(super) fn in_pieces(&mut self, all: Said<S>) -> Option<Box<dyn Pieces>> {
        if all.pieces() >= PIECES_MIN {
            return Some(Box::new(all));
        }
        self.0 = Some(all);
        None
    }

    /// Whether there are pieces left.
    pub(super) fn has_more(&self) -> bool {
        let left = |said: &Said<S>| said.given < said.pieces();
        self.0.as_ref().is_some_and(left)
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        let of = |said: &Said<S>| said.table.memory() + said.order.capacity() * size_of::<u32>();
        self.0.as_ref().map_or(0, of)
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
