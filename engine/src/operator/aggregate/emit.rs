//! What is given of groups: one object for each.

use super::states::States;
use crate::operator::keyed::Around;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use std::sync::Arc;
use wireq_typesys::{
    Column, ColumnBuilder, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX, Shape, Value,
    key, total_order,
};

/// Where a column of the result comes from.
pub(super) enum Source {
    /// A key, which the group's key bytes hold already, and what numbers in it are called.
    Key(usize, Option<usize>),
    /// The key of the group around.
    Around,
    /// A field of the last object.
    Kept(usize),
    /// A function.
    Function(usize),
}

/// Groups to be given: keys one after the other, with where each ends, and numbers.
#[derive(Default)]
pub(super) struct Listed {
    keys: Vec<u8>,
    groups: Vec<(usize, u32)>,
}

impl Listed {
    /// Adds the group whose key `write` appends and whose number it gives; gives whether it did.
    pub(super) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<u32>) -> bool {
        let number = write(&mut self.keys);
        self.groups
            .extend(number.map(|number| (self.keys.len(), number)));
        number.is_some()
    }

    pub(super) fn push(&mut self, key: &[u8], number: u32) {
        self.keys.extend_from_slice(key);
        self.groups.push((self.keys.len(), number));
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// All groups: key and number.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u32)> {
        (0..self.groups.len()).map(|at| self.get(at))
    }

    pub(super) fn get(&self, at: usize) -> (&[u8], u32) {
        let start = if at == 0 { 0 } else { self.groups[at - 1].0 };
        let (end, number) = self.groups[at];
        (&self.keys[start..end], number)
    }

    /// Leaves the groups whose key is `wanted`.
    pub(super) fn retain(&mut self, wanted: impl Fn(&[u8]) -> bool) {
        let mut left = Listed::default();
        for (key, number) in self.iter().filter(|(key, _)| wanted(key)) {
            left.push(key, number);
        }
        *self = left;
    }
}

/// Knows what keys mean and what objects look like.
pub(super) struct Emitter {
    /// The fields that the group around is made of, whose key is the first column, then the keys.
    pub(super) keys: Vec<FieldPath>,
    /// How many of these are of the group around; none where there is none.
    pub(super) around: Option<usize>,
    pub(super) columns: Vec<(Source, Kind)>,
    pub(super) shape: Option<Arc<Shape>>,
    pub(super) origin: u32,
}

impl Emitter {
    /// Gives one object for each group.
    pub(super) fn emit(
        &self,
        states: &States,
        groups: &Listed,
        position: Position,
        out: &mut Output,
    ) {
        let mut rest = groups.iter();
        while rest.len() > 0 {
            self.emit_rows(states, rest.by_ref().take(ROWS_MAX), position, out);
        }
    }

    /// Gives one object for each of at most [`ROWS_MAX`] groups.
    pub(super) fn emit_rows<'a>(
        &self,
        states: &States,
        groups: impl ExactSizeIterator<Item = (&'a [u8], u32)>,
        position: Position,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        let (keys_of, numbers): (Vec<&[u8]>, Vec<u32>) = groups.unzip();
        let rows = numbers.len();
        // A group's state is anywhere in memory: a loop over one function waits for many of them at once.
        let columns = self.columns.iter().map(|(source, kind)| match source {
            Source::Function(at) if matches!(kind, Kind::Unsigned | Kind::Signed) => {
                states.column(*at, &numbers)
            }
            _ => None,
        });
        let mut columns: Vec<Option<Column>> = columns.collect();
        let mut built: Vec<(usize, ColumnBuilder)> = (0..columns.len())
            .filter(|at| columns[*at].is_none())
            .map(|at| (at, ColumnBuilder::default()))
            .collect();
        let mut keys = vec![Value::Absent; self.keys.len()];
        let mut around = Value::Absent;
        for (key, number) in keys_of.into_iter().zip(numbers) {
            self.decode(key, &mut around, &mut keys);
            for (at, builder) in &mut built {
                let (source, kind) = &self.columns[*at];
                let value = match source {
                    Source::Key(at, None) => keys[*at].clone(),
                    Source::Key(at, Some(names)) => states.named(*names, number, keys[*at].clone()),
                    Source::Around => around.clone(),
                    Source::Kept(at) => states.kept(*at, number),
                    Source::Function(at) => states.value(*at, number),
                };
                builder.push(value.of_kind(*kind));
            }
        }
        for (at, builder) in built {
            columns[at] = Some(builder.finish());
        }
        let columns = columns.into_iter().flatten().collect();
        out.emit(PartData::from_columns(
            Arc::clone(shape),
            columns,
            rows,
            Positions::All(position),
            self.origin,
        ));
    }

    /// Reads the values of a key, and that of the group around.
    fn decode(&self, mut bytes: &[u8], around: &mut Value, values: &mut [Value]) {
        let (outer, own) = values.split_at_mut(self.around.unwrap_or(0));
        if self.around.is_some() {
            match key::decode(&mut bytes) {
                Some(Value::Text(inner)) => {
                    let mut rest = &*inner;
                    decode_key(&mut rest, outer);
                    *around = Value::Bytes(inner);
                }
                // The number of a branch of a table.
                number => *around = number.unwrap_or_default(),
            }
        }
        decode_key(&mut bytes, own);
    }

    /// The fields of keys that a Close may be about: those within the groups around it.
    pub(super) fn keys_within(&self, around: &Around<'_>) -> &[FieldPath] {
        self.keys.get(around.fields..).unwrap_or(&[])
    }

    /// Whether a Close says something of groups: all its fields are keys, or it has none. One that
    /// says more concerns a part of a group, of which others may come.
    pub(super) fn is_about_groups(&self, around: &Around<'_>) -> bool {
        let keys = self.keys_within(around);
        let mut said = around.said.iter();
        said.all(|(path, _)| keys.contains(path)) || is_planted("close-of-more-ends-groups")
    }

    /// Whether a group is within that of a Close and has the field values that this says.
    pub(super) fn closes(&self, key: &[u8], around: &Around<'_>) -> bool {
        let mut values = vec![Value::Absent; self.keys.len()];
        let mut group = Value::Absent;
        self.decode(key, &mut group, &mut values);
        let group = group.as_bytes().unwrap_or_default();
        if !group.starts_with(around.key) {
            return false;
        }
        let keys = self.keys_within(around);
        around.said.iter().all(|(path, value)| {
            let Some(at) = keys.iter().position(|key| key == path) else {
                return is_planted("close-of-more-ends-groups");
            };
            let equal = total_order(&values[around.fields + at], value).is_eq();
            equal || is_planted("close-ends-all-groups")
        })
    }
}

/// Reads the values of a key.
fn decode_key(bytes: &mut &[u8], values: &mut [Value]) {
    for value in values {
        *value = key::decode(bytes).unwrap_or_default();
    }
}
