//! What was made of rows ahead: see [`crate::Operator::prepare`].

use crate::Prepared;

/// What a node made of the rows of a batch ahead, one for each call, to be used in the same order. Rooms are
/// kept for the next batch.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: Vec<Option<Prepared>>,
    filled: usize,
    used: usize,
}

impl Rooms {
    /// Where the next call puts what it comes to.
    pub(super) fn room(&mut self) -> &mut Option<Prepared> {
        if self.filled == self.rooms.len() {
            self.rooms.push(None);
        }
        self.filled += 1;
        &mut self.rooms[self.filled - 1]
    }

    /// What the next call came to; none where nothing was made ahead.
    pub(super) fn take(&mut self) -> Option<&mut Prepared> {
        let filled = &mut self.rooms[..self.filled];
        let next = filled.get_mut(self.used)?;
        self.used += 1;
        next.as_mut()
    }

    /// Empties it; rooms are kept.
    pub(super) fn clear(&mut self) {
        (self.filled, self.used) = (0, 0);
    }
}
