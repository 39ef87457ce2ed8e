//! Kept objects by the values of some of their fields.
//!
//! A join compares as the language does: numbers by value, and text beside another kind is read as
//! that kind. So a key is made that is the same wherever two values can be equal; values of which
//! that can't be said are looked at each time. What is found is tested again.

use super::condition::Row;
use crate::operator::Groups;
use std::net::IpAddr;
use wireq_typesys::{Literal, Value, key};

/// Whose value a column of an index is looked up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) alias: usize,
    /// The number among the values that are kept.
    pub(super) value: usize,
}

pub(super) struct Index {
    columns: Vec<usize>,
    keys: Groups,
    /// The objects of each key, ascending, by its number.
    lists: Vec<Vec<u64>>,
    /// Objects that may be equal to anything.
    wild: Vec<u64>,
    entries: usize,
    /// How many of the objects have a number with names, and how many a text that may be a name.
    named: usize,
    texts: usize,
}

impl Index {
    pub(super) fn new(columns: Vec<usize>, seed: u64) -> Index {
        Index {
            columns,
            keys: Groups::new(seed),
            lists: Vec::new(),
            wild: Vec::new(),
            entries: 0,
            named: 0,
            texts: 0,
        }
    }

    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub(super) fn add(&mut self, number: u64, row: &Row) {
        let (named, text) = self.classes(row);
        self.named += usize::from(named);
        self.texts += usize::from(text);
        match self.key_of(row) {
            Key::Bytes(key) => {
                let (at, _) = self.keys.number_key(&key);
                if at as usize >= self.lists.len() {
                    self.lists.resize_with(at as usize + 1, Vec::new);
                }
                self.lists[at as usize].push(number);
                self.entries += 1;
            }
            Key::Wild => self.wild.push(number),
            // What is absent is equal to nothing.
            Key::Never => {}
        }
    }

    pub(super) fn remove(&mut self, number: u64, row: &Row) {
        let (named, text) = self.classes(row);
        self.named -= usize::from(named);
        self.texts -= usize::from(text);
        match self.key_of(row) {
            Key::Bytes(key) => {
                let Some(at) = self.keys.find(&key) else {
                    return;
                };
                let list = &mut self.lists[at as usize];
                if let Ok(place) = list.binary_search(&number) {
                    list.remove(place);
                    self.entries -= 1;
                }
                if list.is_empty() {
                    *list = Vec::new();
                    self.keys.remove(&key);
                }
            }
            Key::Wild => {
                if let Ok(place) = self.wild.binary_search(&number) {
                    self.wild.remove(place);
                }
            }
            Key::Never => {}
        }
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.lists.clear();
        self.wild.clear();
        (self.entries, self.named, self.texts) = (0, 0, 0);
    }

    /// The objects that may be equal to values, ascending; none where all may be.
    pub(super) fn find(&self, values: &[Value]) -> Option<Vec<u64>> {
        // A text beside a number with names is equal to it where it is its name.
        let names = self.named > 0 && values.iter().any(may_be_name);
        if names || self.texts > 0 && values.iter().any(is_named) {
            return None;
        }
        let key = match key_of(values.iter()) {
            Key::Bytes(key) => key,
            Key::Wild => return None,
            Key::Never => return Some(Vec::new()),
        };
        let list = self.keys.find(&key).map(|at| &self.lists[at as usize]);
        let mut found = list.cloned().unwrap_or_default();
        if !self.wild.is_empty() {
            found.extend(&self.wild);
            found.sort_unstable();
        }
        Some(found)
    }

    fn values<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = &'r Value> {
        self.columns.iter().map(|column| &row[*column])
    }

    /// Whether some value has a name, and whether one may be a name.
    fn classes(&self, row: &Row) -> (bool, bool) {
        let named = self.values(row).any(is_named);
        (named, self.values(row).any(may_be_name))
    }

    fn key_of(&self, row: &Row) -> Key {
        key_of(self.values(row))
    }

    pub(super) fn memory(&self) -> usize {
        let lists = self.lists.capacity() * size_of::<Vec<u64>>() + self.entries * 16;
        self.keys.memory() + lists + self.wild.len() * 8
    }
}

fn is_named(value: &Value) -> bool {
    matches!(value, Value::Named(..))
}

/// Whether a value is a text that no number reads as.
fn may_be_name(value: &Value) -> bool {
    let text = match value {
        Value::Text(text) | Value::Bytes(text) => std::str::from_utf8(text),
        _ => return false,
    };
    text.is_ok_and(|text| !Literal::new(text).is_number())
}

enum Key {
    /// Equal values have this key.
    Bytes(Vec<u8>),
    /// It may be equal to values of any key.
    Wild,
    /// It is equal to nothing.
    Never,
}

fn key_of<'v>(values: impl Iterator<Item = &'v Value>) -> Key {
    let mut bytes = Vec::new();
    for value in values {
        match value {
            Value::Absent => return Key::Never,
            Value::Integer(_) | Value::Named(..) | Value::Double(_) | Value::Address(_) => {
                key::encode(value, &mut bytes);
            }
            Value::Text(text) | Value::Bytes(text) => match std::str::from_utf8(text) {
                Ok(text) if text.contains('/') && prefix(text) => return Key::Wild,
                Ok(text) => match text.parse::<IpAddr>() {
                    Ok(address) => key::encode(&Value::Address(address), &mut bytes),
                    Err(_) => key::encode(&Literal::new(text).natural(), &mut bytes),
                },
                Err(_) => key::encode(value, &mut bytes),
            },
            _ => return Key::Wild,
        }
    }
    Key::Bytes(bytes)
}

/// Whether a text beside an address is a block, which holds many of them.
fn prefix(text: &str) -> bool {
    let address = text.split_once('/').map(|(address, _)| address);
    address.is_some_and(|address| address.parse::<IpAddr>().is_ok())
}
