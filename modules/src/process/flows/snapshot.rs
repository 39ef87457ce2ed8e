//! Tables of flows in snapshots.

use super::key::KeyFields;
use super::table::Table;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::key::KEY_ROOM;

/// What is kept of a flow, as a table saves it.
pub(super) trait State: Default {
    /// Writes it.
    fn save(&self, out: &mut Writer);

    /// The queue of the table that it belongs to.
    fn list(&self) -> usize;
}

/// What is said where a snapshot holds no flow.
pub(super) fn damaged() -> Error {
    Error::Snapshot("a flow cannot be read".into())
}

impl<S: State> Table<S> {
    /// Writes all flows.
    pub(super) fn save(&self, fields: &KeyFields, out: &mut Writer) {
        let mut buffer = [0; KEY_ROOM];
        out.number(self.len() as u64);
        for at in self.by_touch() {
            let entry = self.entry(at);
            out.bytes(fields.bytes(entry.key(), &mut buffer));
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
            let key = fields.key(from.bytes()?);
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
