//! What functions over numbers have in common: reading them from columns of any kind, and the
//! classes (number, duration, time) that are not mixed.

use std::any::Any;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, Error};
use wireq_typesys::{Bitmap, Column, Data, Literal, Value};

/// What a value is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    #[default]
    Nothing,
    /// Nanoseconds since 1970.
    Time,
    /// Nanoseconds.
    Duration,
    Number,
}

/// The state of one group, for values of one class.
pub(super) trait Statistic: Clone + Default + Send + Sync + 'static {
    /// What the function's flags and arguments say.
    type Setting: Copy + Send + Sync + 'static;
    /// Whether times count.
    const TIMES: bool;

    fn add_whole(&mut self, number: i128);
    fn add_double(&mut self, double: f64);
    fn merge(&mut self, other: &Self);
    fn value(&self, class: Class, setting: Self::Setting) -> Value;
    /// About how many bytes it takes beyond its own size.
    fn memory(&self) -> usize;
    fn save(&self, out: &mut Writer);
    fn load(from: &mut Reader<'_>) -> Result<Self, Error>;
}

/// A statistic for each group.
pub(super) struct Numeric<S: Statistic> {
    groups: Vec<(Class, S)>,
    setting: S::Setting,
    /// What the groups take beyond their size.
    beyond: usize,
}

impl<S: Statistic> Numeric<S> {
    pub(super) fn new(setting: S::Setting) -> Numeric<S> {
        Numeric {
            groups: Vec::new(),
            setting,
            beyond: 0,
        }
    }

    /// Changes the state that takes values of a class, unless a higher class was there. The state of
    /// a lower one is forgotten, so that the order of the values does not show.
    #[inline(always)]
    fn change(&mut self, group: u32, class: Class, change: impl FnOnce(&mut S)) {
        let (had, state) = &mut self.groups[group as usize];
        self.beyond -= state.memory();
        if *had == class {
            change(state);
        } else if class > *had && (class != Class::Time || S::TIMES) {
            *had = class;
            *state = S::default();
            change(state);
        }
        self.beyond += state.memory();
    }

    #[inline(always)]
    fn add_whole(&mut self, group: u32, class: Class, number: i128) {
        self.change(group, class, |state| state.add_whole(number));
    }

    fn set(&mut self, group: u32, state: (Class, S)) {
        self.beyond += state.1.memory();
        let before = std::mem::replace(&mut self.groups[group as usize], state);
        self.beyond -= before.1.memory();
    }

    fn add_value(&mut self, group: u32, value: &Value) {
        match value {
            Value::Integer(integer) => self.add_whole(group, Class::Number, *integer),
            Value::Named(number, _) => self.add_whole(group, Class::Number, (*number).into()),
            Value::Bool(b) => self.add_whole(group, Class::Number, (*b).into()),
            Value::Duration(nanos) => self.add_whole(group, Class::Duration, (*nanos).into()),
            Value::Time(nanos) => self.add_whole(group, Class::Time, (*nanos).into()),
            Value::Double(double) => {
                self.change(group, Class::Number, |state| state.add_double(*double));
            }
            Value::Text(text) => {
                if let Some(number) = number_in(text) {
                    self.add_value(group, &number);
                }
            }
            Value::List(values) => values.iter().for_each(|value| self.add_value(group, value)),
            _ => {}
        }
    }

    fn add_column(&mut self, column: &Column, rows: impl Iterator<Item = (usize, u32)>) {
        let rows = rows.filter(|(row, _)| column.valid.get(*row));
        match &column.data {
            Data::U8(v) => self.each(v, Class::Number, rows),
            Data::U16(v) => self.each(v, Class::Number, rows),
            Data::U32(v) => self.each(v, Class::Number, rows),
            Data::U64(v) => self.each(v, Class::Number, rows),
            Data::I64(v) => self.each(v, Class::Number, rows),
            Data::I128(v) => self.each(v, Class::Number, rows),
            Data::Duration(v) => self.each(v, Class::Duration, rows),
            Data::Time(v) => self.each(v, Class::Time, rows),
            Data::Double(v) => rows.for_each(|(row, group)| {
                self.change(group, Class::Number, |state| state.add_double(v[row]));
            }),
            Data::Text(v) => rows.for_each(|(row, group)| {
                if let Some(number) = number_in(v.get(row)) {
                    self.add_value(group, &number);
                }
            }),
            Data::Bool(_) | Data::Dynamic(_) | Data::List(..) => {
                rows.for_each(|(row, group)| self.add_value(group, &column.value(row)));
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn each<T: Copy + Into<i128>>(
        &mut self,
        values: &[T],
        class: Class,
        rows: impl Iterator<Item = (usize, u32)>,
    ) {
        rows.for_each(|(row, group)| self.add_whole(group, class, values[row].into()));
    }
}

/// The number that a text is, if it is one.
pub(super) fn number_in(text: &[u8]) -> Option<Value> {
    let first = text.first()?;
    if !first.is_ascii_digit() && !b"+-.".contains(first) {
        return None;
    }
    match Literal::new(std::str::from_utf8(text).ok()?).natural() {
        number @ (Value::Integer(_) | Value::Double(_)) => Some(number),
        _ => None,
    }
}

impl<S: Statistic> Accumulator for Numeric<S> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.groups.len());
        self.groups.resize_with(groups, Default::default);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let rows = rows.iter().map(|row| usize::from(*row));
        self.add_column(column, rows.zip(groups.iter().copied()));
    }

    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let Some(column) = column else { return };
        self.add_column(column, selection.iter().map(|row| (row, 0)));
    }

    fn value(&self, group: u32) -> Value {
        match &self.groups[group as usize] {
            (Class::Nothing, _) => Value::Absent,
            (class, state) => state.value(*class, self.setting),
        }
    }

    fn clear(&mut self, group: u32) {
        self.set(group, Default::default());
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        let Some(other) = other.as_any().downcast_ref::<Numeric<S>>() else {
            return;
        };
        let (class, other) = &other.groups[from as usize];
        if *class != Class::Nothing {
            self.change(group, *class, |state| state.merge(other));
        }
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<(Class, S)>() + self.beyond
    }

    fn save(&self, group: u32, out: &mut Writer) {
        let (class, state) = &self.groups[group as usize];
        out.number(*class as u64);
        if *class != Class::Nothing {
            state.save(out);
        }
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        let class = match from.number()? {
            0 => Class::Nothing,
            1 if S::TIMES => Class::Time,
            2 => Class::Duration,
            3 => Class::Number,
            _ => return Err(Error::Snapshot("an unknown class of values".into())),
        };
        let state = match class {
            Class::Nothing => S::default(),
            _ => S::load(from)?,
        };
        self.set(group, (class, state));
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
