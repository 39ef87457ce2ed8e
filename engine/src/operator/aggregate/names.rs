//! What numbers among keys are called.
//!
//! The keys of groups are bytes that keep no names: the number 17 and the protocol `udp` are one key.
//! Where all objects have the same kind in a field that kind says what its numbers are called. Where one
//! branch of a bag has addresses and another protocols, each group keeps it.

use crate::View;
use hashbrown::HashMap;
use wireq_typesys::{Data, Names, Value};

/// What the numbers in one key are called, by number of group.
pub(super) struct KeyNames {
    /// Its number in the view.
    column: usize,
    names: HashMap<u32, &'static Names>,
}

impl KeyNames {
    pub(super) fn new(column: usize) -> KeyNames {
        KeyNames {
            column,
            names: HashMap::new(),
        }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// Takes in rows of the groups of these numbers.
    pub(super) fn take(&mut self, view: View<'_>, rows: &[u16], numbers: &[u32]) {
        let Some(column) = view.column(self.column) else {
            return;
        };
        let pairs = rows.iter().map(|row| usize::from(*row)).zip(numbers);
        let pairs = pairs.filter(|(row, _)| column.valid.get(*row));
        match (&column.data, column.names) {
            (Data::List(..), _) => {}
            (Data::Dynamic(values), _) => {
                pairs.for_each(|(row, number)| self.add_value(*number, &values[row]));
            }
            (_, Some(names)) => pairs.for_each(|(_, number)| self.add(*number, names)),
            (_, None) => {}
        }
    }

    /// Where the same number has names of two sorts, those of the later one stay: a matter of the sorts
    /// alone, and not of which came first.
    fn add(&mut self, number: u32, names: &'static Names) {
        let known = self.names.entry(number).or_insert(names);
        if known.name < names.name {
            *known = names;
        }
    }

    pub(super) fn add_value(&mut self, number: u32, value: &Value) {
        if let Value::Named(_, names) = value {
            self.add(number, names);
        }
    }

    /// A number that has the names of a group, for files; absent where the group has none.
    pub(super) fn as_value(&self, number: u32) -> Value {
        let names = self.names.get(&number);
        names.map_or(Value::Absent, |names| Value::Named(0, names))
    }

    pub(super) fn named(&self, number: u32, key: Value) -> Value {
        match (&key, self.names.get(&number)) {
            (Value::Integer(integer), Some(names)) => match u64::try_from(*integer) {
                Ok(integer) => Value::Named(integer, names),
                Err(_) => key,
            },
            _ => key,
        }
    }

    pub(super) fn clear(&mut self, number: u32) {
        self.names.remove(&number);
    }

    pub(super) fn merge(&mut self, number: u32, other: &KeyNames, from: u32) {
        self.add_value(number, &other.as_value(from));
    }

    pub(super) fn memory(&self) -> usize {
        self.names.allocation_size()
    }
}
