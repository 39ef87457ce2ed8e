//! What is known of groups, by their numbers: functions, and fields of the last object.

use super::names::KeyNames;
use crate::at_once::at_once;
use crate::planted::is_planted;
use crate::snapshot::{Reader, Writer};
use crate::spill::Members;
use crate::{Accumulator, Error, View};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Column, Value};

type Maker = Arc<dyn Fn() -> Box<dyn Accumulator> + Send + Sync>;

/// The states of groups.
pub(super) struct States {
    functions: Vec<Function>,
    kept: Vec<Kept>,
    names: Vec<KeyNames>,
    /// What kept values take beyond their size.
    kept_bytes: usize,
    /// Per group the last row of the current part, and which groups have one.
    last_row: Vec<u16>,
    touched: Vec<u32>,
}

struct Function {
    /// Its field's number in the view.
    column: Option<usize>,
    make: Maker,
    states: Box<dyn Accumulator>,
}

/// A field of the last object of each group.
struct Kept {
    /// Its number in the view.
    field: usize,
    values: Vec<Value>,
}

const NO_ROW: u16 = u16::MAX;

/// Fewer groups are merged by one thread before others are there.
const MANY: usize = 16 * 1024;

impl States {
    /// The functions with the number of their field in the view, the fields that are kept, and the keys
    /// of which names are kept.
    pub(super) fn new(
        functions: impl Iterator<Item = (Option<usize>, Maker)>,
        kept: impl Iterator<Item = usize>,
        named: impl Iterator<Item = usize>,
    ) -> States {
        let function = |(column, make): (_, Maker)| Function {
            column,
            states: make(),
            make,
        };
        let field = |field| Kept {
            field,
            values: Vec::new(),
        };
        States {
            functions: functions.map(function).collect(),
            kept: kept.map(field).collect(),
            names: named.map(KeyNames::new).collect(),
            kept_bytes: 0,
            last_row: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// The same functions and fields of no groups.
    pub(super) fn fresh(&self) -> States {
        let functions = self.functions.iter();
        States::new(
            functions.map(|function| (function.column, Arc::clone(&function.make))),
            self.kept.iter().map(|kept| kept.field),
            self.names.iter().map(KeyNames::column),
        )
    }

    /// Makes room for group numbers below `groups`.
    pub(super) fn grow(&mut self, groups: usize) {
        for function in &mut self.functions {
            function.states.grow(groups);
        }
        if !self.kept.is_empty() {
            self.last_row
                .resize(groups.max(self.last_row.len()), NO_ROW);
            for kept in &mut self.kept {
                kept.values
                    .resize(groups.max(kept.values.len()), Value::Absent);
            }
        }
    }

    /// Takes in rows that are all of group 0.
    pub(super) fn take_one(&mut self, view: View<'_>) {
        let selection: Bitmap = view.part.selection;
        for function in &mut self.functions {
            let column = function.column.and_then(|at| view.column(at));
            function.states.update_one(column, &selection);
        }
        if let Some(last) = selection.highest() {
            self.keep(view, last, 0);
        }
    }

    /// Takes in rows of the groups of these numbers.
    pub(super) fn take(&mut self, view: View<'_>, rows: &[u16], numbers: &[u32]) {
        for function in &mut self.functions {
            let column = function.column.and_then(|at| view.column(at));
            function.states.update(column, rows, numbers);
        }
        for names in &mut self.names {
            names.take(view, rows, numbers);
        }
        if !self.kept.is_empty() {
            self.keep_last(view, rows, numbers);
        }
    }

    /// Keeps the fields of each group's last row: read once a group, not once a row.
    fn keep_last(&mut self, view: View<'_>, rows: &[u16], numbers: &[u32]) {
        for (row, number) in rows.iter().zip(numbers) {
            let last = &mut self.last_row[*number as usize];
            if *last == NO_ROW {
                self.touched.push(*number);
            } else if is_planted("aggregate-keeps-first-object") {
                continue;
            }
            *last = *row;
        }
        let mut touched = std::mem::take(&mut self.touched);
        for number in touched.drain(..) {
            let row = std::mem::replace(&mut self.last_row[number as usize], NO_ROW);
            self.keep(view, usize::from(row), number);
        }
        self.touched = touched;
    }

    fn keep(&mut self, view: View<'_>, row: usize, number: u32) {
        for at in 0..self.kept.len() {
            let value = view.value(self.kept[at].field, row);
            self.set_kept(at, number, value);
        }
    }

    fn set_kept(&mut self, at: usize, number: u32, value: Value) {
        let kept = &mut self.kept[at].values[number as usize];
        self.kept_bytes += value.memory();
        self.kept_bytes -= kept.memory();
        *kept = value;
    }

    /// The value of a function for a group.
    pub(super) fn value(&self, function: usize, number: u32) -> Value {
        self.functions[function].states.value(number)
    }

    /// The values of a function for groups, where it has a loop for that.
    pub(super) fn column(&self, function: usize, numbers: &[u32]) -> Option<Column> {
        self.functions[function].states.column(numbers)
    }

    /// The field of that number of the group's last object.
    pub(super) fn kept(&self, at: usize, number: u32) -> Value {
        let value = self.kept[at].values.get(number as usize);
        value.cloned().unwrap_or_default()
    }

    /// A key of a group, with its name where it is a number that came with one.
    pub(super) fn named(&self, at: usize, number: u32, key: Value) -> Value {
        self.names[at].named(number, key)
    }

    /// Forgets a group.
    pub(super) fn clear(&mut self, number: u32) {
        for function in &mut self.functions {
            function.states.clear(number);
        }
        for names in &mut self.names {
            names.clear(number);
        }
        for at in 0..self.kept.len() {
            if (number as usize) < self.kept[at].values.len() {
                self.set_kept(at, number, Value::Absent);
            }
        }
    }

    pub(super) fn save(&self, number: u32, out: &mut Writer) {
        for function in &self.functions {
            function.states.save(number, out);
        }
        for kept in &self.kept {
            out.value(&kept.values[number as usize]);
        }
        for names in &self.names {
            out.value(&names.as_value(number));
        }
    }

    pub(super) fn load(&mut self, number: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        for function in &mut self.functions {
            function.states.load(number, from)?;
        }
        for at in 0..self.kept.len() {
            self.set_kept(at, number, from.value()?);
        }
        for names in &mut self.names {
            names.add_value(number, &from.value()?);
        }
        Ok(())
    }

    /// Takes in group `from` of other states as a later part of a group.
    pub(super) fn merge(&mut self, number: u32, other: &States, from: u32) {
        for (function, other) in self.functions.iter_mut().zip(&other.functions) {
            function.states.merge(number, &*other.states, from);
        }
        for at in 0..self.kept.len() {
            self.set_kept(at, number, other.kept(at, from));
        }
        for (names, other) in self.names.iter_mut().zip(&other.names) {
            names.merge(number, other, from);
        }
    }

    /// Takes in groups of other states, each as a later part of one here: its number here and there.
    /// Functions have nothing to do with each other, so that several threads may take some each.
    pub(super) fn merge_all(&mut self, other: &States, pairs: &[(u32, u32)], threads: usize) {
        let functions = self.functions.iter_mut().zip(&other.functions);
        let threads = match pairs.len() {
            ..MANY => 1,
            _ => threads,
        };
        at_once(functions.collect(), threads, |(function, other)| {
            function.states.merge_all(&*other.states, pairs);
        });
        for at in 0..self.kept.len() {
            for (number, from) in pairs {
                self.set_kept(at, *number, other.kept(at, *from));
            }
        }
        for (names, other) in self.names.iter_mut().zip(&other.names) {
            for (number, from) in pairs {
                names.merge(*number, other, *from);
            }
        }
    }

    /// Whether a part of a state is made of members that are stored one by one.
    pub(super) fn has_members(&self) -> bool {
        let mut functions = self.functions.iter();
        functions.any(|function| function.states.has_members())
    }

    /// Takes the members out of a group's state, with the number of their function.
    pub(super) fn take_members(&mut self, number: u32) -> Vec<(usize, Members)> {
        let functions = self.functions.iter_mut().enumerate();
        functions
            .filter_map(|(at, function)| Some((at, function.states.take_members(number)?)))
            .collect()
    }

    pub(super) fn add_member(&mut self, function: usize, number: u32, member: &[u8], count: bool) {
        if let Some(function) = self.functions.get_mut(function) {
            function.states.add_member(number, member, count);
        }
    }

    /// About how many bytes all states take.
    pub(super) fn memory(&self) -> usize {
        let functions = self.functions.iter();
        let functions: usize = functions.map(|function| function.states.memory()).sum();
        let kept = self.kept.iter().map(|kept| kept.values.capacity());
        let kept = kept.sum::<usize>() * size_of::<Value>() + self.kept_bytes;
        let names: usize = self.names.iter().map(KeyNames::memory).sum();
        functions + kept + names + self.last_row.capacity() * size_of::<u16>()
    }
}
