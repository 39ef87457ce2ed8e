//! Counts of combinations of values, given in the order of the values.
//!
//! Of more combinations than there may be, those lowest in order are counted. A combination that is
//! not among the lowest N of a part of the input is not among those of the whole, so what is left
//! is exact, and neither the order of the objects nor batches nor parts show in it. Where the first field
//! divides them, so it is for each of its values.

use std::sync::Arc;
use wireq_engine::operator::{Groups, KEY_ROOM, Numbered};
use wireq_engine::planted::is_planted;
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
    /// Whether the first field, a number from 0 on, divides the combinations.
    divided: bool,
    /// How many combinations there are: of each of these numbers, or of all.
    lens: Vec<usize>,
    /// About how many bytes they take.
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
            divided: false,
            lens: Vec::new(),
            memory: 0,
            kinds: context.kinds.clone(),
            shape: context.shape.clone(),
            origin: context.origin,

            numbers: Vec::new(),
            new: Vec::new(),
            key: Vec::new(),
        }
    }

    /// The same for each value of the first field.
    pub(super) fn divided(max: usize, context: &Context) -> Tally {
        Tally {
            divided: !is_planted("table-histograms-are-one"),
            ..Tally::new(max, context)
        }
    }

    /// What a combination is counted with against the bound.
    fn part_of(&self, mut key: &[u8]) -> usize {
        match self.divided {
            false => 0,
            true => {
                let first = key::decode(&mut key).and_then(|value| value.as_integer());
                first.map_or(0, |first| first as usize)
            }
        }
    }

    /// How many combinations there are of a part.
    fn len_of(&mut self, part: usize) -> &mut usize {
        self.lens.resize(self.lens.len().max(part + 1), 0);
        &mut self.lens[part]
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
        // Ordering all keys is worth it only where many can go.
        let most = self.max.saturating_add(self.max / 4);
        let mut is_over = false;
        for at in 0..self.new.len() {
            let row = usize::from(self.new[at]);
            self.key.clear();
            for column in columns.clone() {
                key::encode_row(column, row, &mut self.key);
            }
            self.memory += ENTRY + self.key.len();
            let len = self.len_of(self.part_of(&self.key));
            *len += 1;
            is_over |= *len > most;
        }
        match is_over {
            true => self.keep_lowest(),
            false => 0,
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
            *self.len_of(self.part_of(key)) += 1;
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
        *self.len_of(self.part_of(key)) -= 1;
        self.memory = self.memory.saturating_sub(ENTRY + key.len());
        std::mem::take(&mut self.counts[number as usize])
    }

    /// Forgets all but the lowest combinations that there may be; gives how often these came.
    pub(super) fn keep_lowest(&mut self) -> u64 {
        if self.lens.iter().all(|len| *len <= self.max) {
            return 0;
        }
        let mut surplus: Vec<Vec<u8>> = Vec::new();
        let (mut part, mut kept) = (0, 0);
        for group in self.groups.sorted() {
            let mut buffer = [0; KEY_ROOM];
            let bytes = group.bytes(&mut buffer);
            let own = self.part_of(bytes);
            if own != part {
                (part, kept) = (own, 0);
            }
            kept += 1;
            if kept > self.max {
                surplus.push(bytes.to_vec());
            }
        }
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
        self.lens.clear();
        self.memory = 0;
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

    fn context() -> Context {
        Context {
            fields: Vec::new(),
            kinds: Vec::new(),
            live: Vec::new(),
            carried: Vec::new(),
            shape: None,
            origin: 0,
            zone: Arc::new(Zone::utc()),
            seed: 1,
            matching: Default::default(),
        }
    }

    #[test]
    fn each_part_has_a_bound_of_its_own() {
        let mut tally = Tally::divided(2, &context());
        let pairs = [(1, 7), (0, 3), (1, 5), (1, 6), (0, 4), (1, 8), (1, 6)];
        let parts = Column::from_values(pairs.iter().map(|pair| Value::Integer(pair.0)));
        let values = Column::from_values(pairs.iter().map(|pair| Value::Integer(pair.1)));
        let rows: Vec<u16> = (0..7).collect();
        let mut gone = tally.add_rows([Some(&parts), Some(&values)].into_iter(), &rows);
        gone += tally.keep_lowest();
        let groups = tally.sorted();
        let left = groups.iter().map(|group| {
            let mut buffer = [0; KEY_ROOM];
            let mut bytes = group.bytes(&mut buffer);
            let mut next = || key::decode(&mut bytes).and_then(|value| value.as_integer());
            (next(), next(), tally.count(group))
        });
        let left: Vec<_> = left.collect();
        let pair = |part, value, count| (Some(part), Some(value), count);
        let lowest = [pair(0, 3, 1), pair(0, 4, 1), pair(1, 5, 1), pair(1, 6, 2)];
        assert_eq!((left, gone), (lowest.to_vec(), 2));
    }

    #[test]
    fn memory_is_told_of_what_is_there() {
        let mut tally = Tally::new(100, &context());
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
