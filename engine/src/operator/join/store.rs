//! The objects that are kept of one alias.

use super::condition::Row;
use crate::Error;
use crate::operator::Index;
use crate::snapshot::{Reader, Writer};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use wireq_typesys::Value;

/// Whose value a column of an index is looked up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) alias: usize,
    /// The number among the values that are kept.
    pub(super) value: usize,
}

impl Term {
    /// The value among the objects found.
    pub(super) fn of(&self, found: &[Option<Row>]) -> Value {
        let row = found.get(self.alias).and_then(Option::as_ref);
        row.map_or(Value::Absent, |row| row[self.value].clone())
    }
}

/// Kept objects in the order in which they came, with the indexes over them.
pub(super) struct Store {
    rows: BTreeMap<u64, Row>,
    next: u64,
    indexes: Vec<Index>,
    /// The objects in the order of a time they have.
    timed: Vec<Timed>,
    seed: u64,
    bytes: usize,
}

/// Objects in the order of a value that is a time; those without one are not in it.
struct Timed {
    column: usize,
    order: BTreeSet<(i64, u64)>,
    /// Objects of which the value is something else, such as text that may be read as a time.
    others: BTreeSet<u64>,
}

impl Timed {
    fn add(&mut self, number: u64, row: &Row) {
        _ = match row[self.column] {
            Value::Time(time) => self.order.insert((time, number)),
            Value::Absent => false,
            _ => self.others.insert(number),
        };
    }

    fn remove(&mut self, number: u64, row: &Row) {
        _ = match row[self.column] {
            Value::Time(time) => self.order.remove(&(time, number)),
            _ => self.others.remove(&number),
        };
    }

    fn clear(&mut self) {
        self.order.clear();
        self.others.clear();
    }
}

impl Store {
    pub(super) fn new(seed: u64) -> Store {
        Store {
            rows: BTreeMap::new(),
            next: 0,
            indexes: Vec::new(),
            timed: Vec::new(),
            seed,
            bytes: 0,
        }
    }

    /// The number of an index over values of the objects; it is made where there is none yet.
    pub(super) fn index(&mut self, columns: &[usize]) -> usize {
        let known = self
            .indexes
            .iter()
            .position(|index| index.columns() == columns);
        known.unwrap_or_else(|| {
            self.indexes.push(Index::new(columns.to_vec(), self.seed));
            self.indexes.len() - 1
        })
    }

    /// The number of an order by a value that is a time; it is made where there is none yet.
    pub(super) fn timed(&mut self, column: usize) -> usize {
        let known = self.timed.iter().position(|timed| timed.column == column);
        known.unwrap_or_else(|| {
            self.timed.push(Timed {
                column,
                order: BTreeSet::new(),
                others: BTreeSet::new(),
            });
            self.timed.len() - 1
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn keep(&mut self, row: Row) {
        for index in &mut self.indexes {
            index.add(self.next, &row);
        }
        for timed in &mut self.timed {
            timed.add(self.next, &row);
        }
        self.bytes += size_of_row(&row);
        self.rows.insert(self.next, row);
        self.next += 1;
    }

    pub(super) fn forget(&mut self, number: u64) {
        if let Some(row) = self.rows.remove(&number) {
            self.bytes = self.bytes.saturating_sub(size_of_row(&row));
            self.indexes
                .iter_mut()
                .for_each(|index| index.remove(number, &row));
            for timed in &mut self.timed {
                timed.remove(number, &row);
            }
        }
    }

    pub(super) fn forget_oldest(&mut self) {
        if let Some(number) = self.rows.keys().next().copied() {
            self.forget(number);
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.rows.clear();
        self.indexes.iter_mut().for_each(Index::clear);
        self.timed.iter_mut().for_each(Timed::clear);
        self.bytes = 0;
    }

    pub(super) fn all(&self) -> Vec<Row> {
        self.rows.values().cloned().collect()
    }

    /// All objects with their numbers.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u64, &Row)> {
        self.rows.iter().map(|(number, row)| (*number, row))
    }

    /// The numbers of the objects that may be equal in an index to values, ascending; none where
    /// all may be.
    pub(super) fn numbers(&mut self, index: usize, values: &[Value]) -> Option<Vec<u64>> {
        self.indexes[index].find(values).map(Iterator::collect)
    }

    /// The numbers of the objects that may have such a time beside a value, ascending: `times` says
    /// which, beside a time. Beside anything else that is there, all may.
    pub(super) fn within(
        &self,
        timed: usize,
        beside: &Value,
        times: impl Fn(i64) -> RangeInclusive<i64>,
    ) -> Vec<u64> {
        let times = match beside {
            Value::Time(time) => times(*time),
            Value::Absent => return Vec::new(),
            _ => return self.rows.keys().copied().collect(),
        };
        let timed = &self.timed[timed];
        let mut numbers: Vec<u64> = timed.others.iter().copied().collect();
        if !times.is_empty() {
            let range = (*times.start(), 0)..=(*times.end(), u64::MAX);
            numbers.extend(timed.order.range(range).map(|(_, number)| *number));
        }
        numbers.sort_unstable();
        numbers
    }

    /// Forgets the objects whose time is before another.
    pub(super) fn forget_before(&mut self, timed: usize, time: i64) {
        while let Some((first, number)) = self.timed[timed].order.first().copied()
            && first < time
        {
            self.forget(number);
        }
    }

    pub(super) fn row(&self, number: u64) -> Option<&Row> {
        self.rows.get(&number)
    }

    /// The objects that may be equal in an index to what was found before.
    pub(super) fn find(&mut self, index: usize, terms: &[Term], found: &[Option<Row>]) -> Vec<Row> {
        let values: Vec<Value> = terms.iter().map(|term| term.of(found)).collect();
        match self.numbers(index, &values) {
            Some(numbers) => self.rows(&numbers),
            None => self.all(),
        }
    }

    /// The objects with these numbers.
    pub(super) fn rows(&self, numbers: &[u64]) -> Vec<Row> {
        let rows = numbers.iter().filter_map(|number| self.rows.get(number));
        rows.cloned().collect()
    }

    pub(super) fn memory(&self) -> usize {
        let timed = self.timed.iter();
        let timed = timed.map(|timed| timed.order.len() + timed.others.len());
        let timed = timed.sum::<usize>() * size_of::<(i64, u64)>() * 3 / 2;
        self.bytes + timed + self.indexes.iter().map(Index::memory).sum::<usize>()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.rows.len() as u64);
        for row in self.rows.values() {
            row.iter().for_each(|value| out.value(value));
        }
    }

    pub(super) fn load(&mut self, width: usize, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let mut row = Vec::with_capacity(width);
            for _ in 0..width {
                row.push(from.value()?);
            }
            self.keep(row.into());
        }
        Ok(())
    }
}

/// About how many bytes a kept object takes.
fn size_of_row(row: &Row) -> usize {
    let beyond = |value: &Value| value.as_bytes().map_or(0, |bytes| bytes.len() + 16);
    let values: usize = row
        .iter()
        .map(|value| size_of::<Value>() + beyond(value))
        .sum();
    values + 64
}
