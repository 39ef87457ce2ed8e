//! Counts of combinations of values, given in the order of the values.
//!
//! Of more combinations than there may be, those lowest in order are counted. A combination that is
//! not among the lowest N of a part of the input is not among those of the whole, so what is left
//! is exact, and neither the order of the objects nor batches nor parts show in it.

use std::sync::Arc;
use wireq_engine::operator::{Groups, KEY_ROOM, Numbered};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Error};
use wireq_typesys::{
    Column, ColumnBuilder, Kind, PartData, Position, Positions, ROWS_MAX, Shape, Value, key,
};

/// How often each combination came.
pub(super) struct Tally {
    groups: Groups,
    /// By number; 0 for numbers that are not in use.
    counts: Vec<u64>,
    max: usize,
    /// How many combinations there are, and about how many bytes they take.
    len: usize,
    memory: usize,
    kinds: Vec<Kind>,
    shape: Option<Arc<Shape>>,
    origin: u32,

    numbers: Vec<u32>,
    new: Vec<u16>,
    key: Vec<u8>,
}

/// About what a table takes for a key and a count, beside the key's bytes.
const ENTRY: usize = 48;

impl Tally {
    pub(super) fn new(max: usize, context: &Context) -> Tally {
        Tally {
            groups: Groups::new(context.seed),
            counts: Vec::new(),
            max,
            len: 0,
            memory: 0,
            kinds: context.kinds.clone(),
            shape: context.shape.clone(),
            origin: context.origin,

            numbers: Vec::new(),
            new: Vec::new(),
            key: Vec::new(),
        }
    }

    /// Counts rows; gives how many of all that were counted go because of the bound.
    pub(super) fn add_rows<'a>(
        &mut self,
        columns: impl Iterator<Item = Option<&'a Column>> + Clone,
        rows: &[u16],
    ) -> u64 {
        self.new.clear();
        let new = &mut self.new;
        self.groups
            .number_rows(columns.clone(), rows, &mut self.numbers, |at| {
                new.push(rows[at]);
            });
        self.grow();
        for number in &self.numbers {
            self.counts[*number as usize] += 1;
        }
        self.len += self.new.len();
        for row in &self.new {
            self.key.clear();
            for column in columns.clone() {
                key::encode_row(column, usize::from(*row), &mut self.key);
            }
            self.memory += ENTRY + self.key.len();
        }
        // Ordering all keys is worth it only where many can go.
        if self.len > self.max.saturating_add(self.max / 4) {
            self.keep_lowest()
        } else {
            0
        }
    }

    fn grow(&mut self) {
        let limit = self.groups.limit().max(self.counts.len());
        self.counts.resize(limit, 0);
    }

    fn add(&mut self, key: &[u8], count: u64) {
        let (number, is_new) = self.groups.number_key(key);
        self.grow();
        if is_new {
            self.len += 1;
            self.memory += ENTRY + key.len();
        }
        let total = &mut self.counts[number as usize];
        *total = total.saturating_add(count);
    }

    /// Forgets a combination; gives how often it came.
    pub(super) fn remove(&mut self, key: &[u8]) -> u64 {
        let Some(number) = self.groups.find(key) else {
            return 0;
        };
        self.groups.remove(key);
        self.len -= 1;
        self.memory = self.memory.saturating_sub(ENTRY + key.len());
        std::mem::take(&mut self.counts[number as usize])
    }

    /// Forgets all but the lowest combinations that there may be; gives how often these came.
    pub(super) fn keep_lowest(&mut self) -> u64 {
        if self.len <= self.max {
            return 0;
        }
        let groups = self.groups.sorted();
        let surplus: Vec<Vec<u8>> = groups
            .iter()
            .skip(self.max)
            .map(|group| group.bytes(&mut [0; KEY_ROOM]).to_vec())
            .collect();
        let mut count = 0u64;
        for key in surplus {
            count = count.saturating_add(self.remove(&key));
        }
        count
    }

    /// Forgets all.
    pub(super) fn clear(&mut self, seed: u64) {
        self.groups = Groups::new(seed);
        self.counts.clear();
        (self.len, self.memory) = (0, 0);
    }

    /// All combinations in order.
    pub(super) fn sorted(&self) -> Vec<Numbered<'_>> {
        self.groups.sorted()
    }

    /// How often a combination came.
    pub(super) fn count(&self, group: &Numbered<'_>) -> u64 {
        let count = self.counts.get(group.number as usize);
        count.copied().unwrap_or(0)
    }

    /// Gives an object for each of the combinations: its values, then what `own` makes of its count.
    pub(super) fn emit<const OWN: usize>(
        &self,
        groups: &[Numbered<'_>],
        mut own: impl FnMut(u64) -> [Value; OWN],
        position: Position,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        let fields = self.kinds.len();
        for chunk in groups.chunks(ROWS_MAX) {
            let mut columns: Vec<ColumnBuilder> = Vec::new();
            columns.resize_with(fields + OWN, ColumnBuilder::default);
            for group in chunk {
                let mut buffer = [0; KEY_ROOM];
                let mut bytes = group.bytes(&mut buffer);
                let values = self
                    .kinds
                    .iter()
                    .map(|kind| key::decode(&mut bytes).unwrap_or_default().of_kind(*kind));
                let values = values.chain(own(self.count(group)));
                for (column, value) in columns.iter_mut().zip(values) {
                    column.push(value);
                }
            }
            out.emit(PartData::from_columns(
                Arc::clone(shape),
                columns.into_iter().map(ColumnBuilder::finish).collect(),
                chunk.len(),
                Positions::All(position),
                self.origin,
            ));
        }
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    pub(super) fn save(&self, out: &mut Writer) {
        let groups = self.sorted();
        out.number(groups.len() as u64);
        for group in groups {
            out.bytes(group.bytes(&mut [0; KEY_ROOM]));
            out.number(self.count(&group));
        }
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            self.add(key, from.number()?);
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, right: &Tally) {
        for group in right.sorted() {
            self.add(group.bytes(&mut [0; KEY_ROOM]), right.count(&group));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::Zone;

    #[test]
    fn memory_is_told_of_what_is_there() {
        let mut tally = Tally::new(
            100,
            &Context {
                fields: Vec::new(),
                kinds: Vec::new(),
                live: Vec::new(),
                carried: Vec::new(),
                shape: None,
                origin: 0,
                zone: Arc::new(Zone::utc()),
                seed: 1,
                matching: Default::default(),
            },
        );
        let texts = (0..500).map(|at| Value::text(&"x".repeat(at % 300)));
        let column = Column::from_values(texts);
        let rows: Vec<u16> = (0..500).collect();
        // More than a quarter beyond the bound is thrown away at once.
        let gone = tally.add_rows(std::iter::once(Some(&column)), &rows);
        let keys: Vec<Vec<u8>> = tally
            .sorted()
            .iter()
            .map(|group| group.bytes(&mut [0; KEY_ROOM]).to_vec())
            .collect();
        let expected: usize = keys.iter().map(|key| ENTRY + key.len()).sum();
        assert_eq!((keys.len(), tally.memory()), (100, expected));
        let left: u64 = keys.iter().map(|key| tally.remove(key)).sum();
        assert_eq!(
            (gone + left, tally.memory(), tally.keep_lowest()),
            (500, 0, 0)
        );
    }
}
