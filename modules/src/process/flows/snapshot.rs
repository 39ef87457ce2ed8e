//! Tables of flows in snapshots.

use super::key::KeyFields;
use super::table::{LISTS, Table};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// What is kept of a flow, as a table saves it.
pub(super) trait State: Default {
    /// Writes it.
    fn save(&self, out: &mut Writer);

    /// The list of the table that it belongs to.
    fn list(&self) -> usize;
}

/// What is said where a snapshot holds no flow.
pub(super) fn damaged() -> Error {
    Error::Snapshot("a flow cannot be read".into())
}

impl<S: State> Table<S> {
    /// Writes all flows.
    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for at in (0..LISTS).flat_map(|list| self.list(list)) {
            let entry = self.entry(at);
            out.bytes(entry.key());
            out.number(entry.touched as u64);
            entry.state.save(out);
        }
    }

    /// Reads flows back, whose keys are of these fields.
    ///
    /// # Errors
    /// Where there is something else, or a key twice.
    pub(super) fn load(
        &mut self,
        from: &mut Reader<'_>,
        fields: &KeyFields,
        state: impl Fn(&mut Reader<'_>) -> Result<S, Error>,
    ) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            let touched = from.number()? as i64;
            let state = state(from)?;
            let hash = self.hash(key);
            if fields.decode(key, false).is_none() || self.find(hash, key).is_some() {
                return Err(damaged());
            }
            let list = state.list();
            self.insert((hash, key), state, touched, list);
        }
        Ok(())
    }
}
