//! Kept objects by the values of some of their fields.
//!
//! Fields are compared as the language does: numbers by value, and text beside another kind is read
//! as that kind. So a key is made that is the same wherever two values can be equal. Where text
//! meets what no key can be made of beforehand, all objects are candidates. What is found may be
//! equal; whether it is, is for the caller to test.

use crate::operator::Groups;
use std::collections::{BTreeSet, btree_set};
use std::net::IpAddr;
use std::{iter, option};
use wireq_typesys::{Literal, Value, key};

/// Numbers of objects by the values of some columns of these.
pub struct Index {
    columns: Vec<usize>,
    /// For each column, what its values are.
    kinds: Vec<Kinds>,
    keys: Groups,
    /// The objects of each key, by its number.
    lists: Vec<List>,
    memory: usize,
}

/// The objects of one key. Most keys have one object, and a set would take a node for it.
#[derive(Default)]
#[allow(clippy::box_collection, reason = "two words a key instead of four")]
enum List {
    #[default]
    Empty,
    One(u64),
    Many(Box<BTreeSet<u64>>),
}

/// About what one object more in a set takes.
const ENTRY: usize = 16;

/// The numbers of objects that may be equal to values, ascending.
pub struct Candidates<'a> {
    one: option::IntoIter<u64>,
    many: iter::Flatten<option::IntoIter<iter::Copied<btree_set::Iter<'a, u64>>>>,
}

impl Iterator for Candidates<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.one.next().or_else(|| self.many.next())
    }
}

impl List {
    fn candidates(&self) -> Candidates<'_> {
        let (one, many) = match self {
            List::Empty => (None, None),
            List::One(number) => (Some(*number), None),
            List::Many(numbers) => (None, Some(numbers.iter().copied())),
        };
        Candidates {
            one: one.into_iter(),
            many: many.into_iter().flatten(),
        }
    }

    /// Adds a number; gives how many bytes the list takes more.
    fn add(&mut self, number: u64) -> usize {
        match self {
            List::Empty => *self = List::One(number),
            List::One(first) => {
                *self = List::Many(Box::new(BTreeSet::from([*first, number])));
                return 2 * ENTRY + size_of::<BTreeSet<u64>>();
            }
            List::Many(numbers) => {
                numbers.insert(number);
                return ENTRY;
            }
        }
        0
    }

    /// Removes a number; gives how many bytes the list takes less.
    fn remove(&mut self, number: u64) -> usize {
        match self {
            List::One(only) if *only == number => *self = List::Empty,
            List::Many(numbers) => {
                let removed = usize::from(numbers.remove(&number)) * ENTRY;
                if numbers.is_empty() {
                    *self = List::Empty;
                    return removed + size_of::<BTreeSet<u64>>();
                }
                return removed;
            }
            _ => {}
        }
        0
    }
}

/// How many values of a column are of the kinds that are equal across kinds in ways that a key does
/// not show.
#[derive(Clone, Copy, Default)]
struct Kinds {
    /// Numbers with names.
    named: usize,
    /// Texts that may be such a name.
    names: usize,
    /// All texts.
    texts: usize,
    /// Values of kinds that text is read as in more ways than one.
    others: usize,
    /// Lists, which are equal to what one of their values is equal to.
    lists: usize,
}

impl Kinds {
    fn of(value: &Value) -> Kinds {
        let mut kinds = Kinds::default();
        match value {
            Value::Named(..) => kinds.named = 1,
            Value::Text(text) => {
                kinds.texts = 1;
                kinds.names = usize::from(may_be_name(text));
            }
            Value::Bool(_) | Value::Time(_) | Value::Duration(_) => kinds.others = 1,
            Value::List(_) => (kinds.others, kinds.lists) = (1, 1),
            Value::Prefix(_) | Value::Mac(_) | Value::Object(_) => {
                kinds.others = 1;
            }
            _ => {}
        }
        kinds
    }

    fn add(&mut self, value: &Value) {
        let other = Kinds::of(value);
        self.named += other.named;
        self.names += other.names;
        self.texts += other.texts;
        self.others += other.others;
        self.lists += other.lists;
    }

    fn remove(&mut self, value: &Value) {
        let other = Kinds::of(value);
        self.named -= other.named;
        self.names -= other.names;
        self.texts -= other.texts;
        self.others -= other.others;
        self.lists -= other.lists;
    }

    /// Whether a value may be equal to one of the column that has another key.
    fn hide(&self, value: &Value) -> bool {
        let other = Kinds::of(value);
        self.lists + other.lists > 0
            || self.named > 0 && other.names > 0
            || self.names > 0 && other.named > 0
            || self.texts > 0 && other.others > 0
            || self.others > 0 && other.texts > 0
    }
}

/// Whether a text is one that no number reads as.
fn may_be_name(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !Literal::new(text).is_number())
}

impl Index {
    /// An index over columns of objects; `seed` keys the hash.
    pub fn new(columns: Vec<usize>, seed: u64) -> Index {
        Index {
            kinds: vec![Kinds::default(); columns.len()],
            columns,
            keys: Groups::new(seed),
            lists: Vec::new(),
            memory: 0,
        }
    }

    /// The columns that it is over.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Adds the object of a number, by its values.
    pub fn add(&mut self, number: u64, row: &[Value]) {
        for (kinds, column) in self.kinds.iter_mut().zip(&self.columns) {
            kinds.add(&row[*column]);
        }
        // What is absent is equal to nothing.
        let Some(key) = key_of(self.columns.iter().map(|column| &row[*column])) else {
            return;
        };
        let (at, _) = self.keys.number_key(&key);
        if at as usize >= self.lists.len() {
            self.lists.resize_with(at as usize + 1, List::default);
        }
        self.memory += self.lists[at as usize].add(number);
    }

    /// Removes the object of a number, which was added with these values.
    pub fn remove(&mut self, number: u64, row: &[Value]) {
        for (kinds, column) in self.kinds.iter_mut().zip(&self.columns) {
            kinds.remove(&row[*column]);
        }
        let Some(key) = key_of(self.columns.iter().map(|column| &row[*column])) else {
            return;
        };
        let Some(at) = self.keys.find(&key) else {
            return;
        };
        let list = &mut self.lists[at as usize];
        self.memory -= list.remove(number);
        if matches!(list, List::Empty) {
            self.keys.remove(&key);
        }
    }

    /// Removes all objects.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.lists.clear();
        self.kinds.fill(Kinds::default());
        self.memory = 0;
    }

    /// The objects that may be equal to values, one for each column; none where all may be.
    pub fn find(&self, values: &[Value]) -> Option<Candidates<'_>> {
        let mut columns = self.kinds.iter().zip(values);
        if columns.any(|(kinds, value)| kinds.hide(value)) {
            return None;
        }
        let key = key_of(values.iter());
        let list = key.and_then(|key| Some(&self.lists[self.keys.find(&key)? as usize]));
        Some(list.unwrap_or(&List::Empty).candidates())
    }

    /// About how many bytes it takes.
    pub fn memory(&self) -> usize {
        self.keys.memory() + self.lists.capacity() * size_of::<List>() + self.memory
    }
}

/// The key that equal values have, as long as no text stands beside a kind of [`Kinds::others`] nor
/// a name beside its number; none where a value is equal to nothing.
fn key_of<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(48);
    for value in values {
        match value {
            Value::Absent => return None,
            Value::Text(text) | Value::Bytes(text) => match std::str::from_utf8(text) {
                Ok(text) => match text.parse::<IpAddr>() {
                    Ok(address) => key::encode(&Value::Address(address), &mut bytes),
                    Err(_) => key::encode(&Literal::new(text).natural(), &mut bytes),
                },
                Err(_) => key::encode(value, &mut bytes),
            },
            _ => key::encode(value, &mut bytes),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::{Mac, Names, Prefix, Zone, equal};

    static PROTOCOLS: Names = Names {
        name: "ip-protocol",
        entries: &[(6, "tcp"), (17, "udp")],
    };

    fn values() -> Vec<Value> {
        let address = "10.0.0.1".parse().expect("an address");
        let texts = [
            "6",
            "6.0",
            "0x6",
            "tcp",
            "TCP",
            "10.0.0.1",
            "10.0.0.1/32",
            "true",
            "1",
            "a\\x41",
            "aA",
            "00:00:00:00:00:01",
            "5s",
            "1970-01-01T00:00:05Z",
            "",
            "fd00::1",
        ];
        let bytes = texts
            .iter()
            .map(|text| Value::Bytes(text.as_bytes().into()));
        let texts = texts.iter().map(|text| Value::text(text));
        let others = [
            Value::Absent,
            Value::Bool(true),
            Value::Integer(6),
            Value::Integer(1),
            Value::Double(6.0),
            Value::Double(f64::NAN),
            Value::Double(-0.0),
            Value::Integer(0),
            Value::Named(6, &PROTOCOLS),
            Value::Named(17, &PROTOCOLS),
            Value::Time(5_000_000_000),
            Value::Duration(5_000_000_000),
            Value::Address(address),
            Value::Address("fd00::1".parse().expect("an address")),
            Value::Prefix(Prefix::new(address, 32).expect("a block")),
            Value::Mac(Mac([0, 0, 0, 0, 0, 1])),
            Value::Bytes([0xff].into()),
            Value::List([Value::Integer(6)].into()),
        ];
        texts.chain(bytes).chain(others).collect()
    }

    /// The numbers found, of rows of one column.
    fn found(index: &Index, value: &Value, all: &[u64]) -> Vec<u64> {
        let found = index.find(std::slice::from_ref(value));
        found.map_or_else(|| all.to_vec(), Iterator::collect)
    }

    #[test]
    fn finds_all_that_is_equal() {
        let (values, zone) = (values(), Zone::utc());
        for first in &values {
            for second in &values {
                let mut index = Index::new(vec![1], 7);
                for (number, value) in [(3, first), (5, second)] {
                    index.add(number, &[Value::Absent, value.clone()]);
                }
                for value in &values {
                    let found = found(&index, value, &[3, 5]);
                    for (number, kept) in [(3, first), (5, second)] {
                        let is_equal = equal(value, kept, &zone) == Some(true);
                        assert!(!is_equal || found.contains(&number), "{value:?} {kept:?}");
                    }
                    assert!(found.is_sorted());
                }
                index.remove(3, &[Value::Absent, first.clone()]);
                assert!(!found(&index, first, &[5]).contains(&3));
                assert!(
                    equal(second, second, &zone) != Some(true)
                        || found(&index, second, &[5]).contains(&5)
                );
                index.remove(5, &[Value::Absent, second.clone()]);
                assert!(
                    values
                        .iter()
                        .all(|value| found(&index, value, &[]).is_empty())
                );
                assert!(index.keys.is_empty() && index.memory == 0);
            }
        }
    }

    /// Kinds that meet no text need no look at every object.
    #[test]
    fn finds_little_else() {
        let mut index = Index::new(vec![0, 1], 7);
        let row = |n: u8| [Value::Mac(Mac([n; 6])), Value::text("host")];
        for n in 0..100 {
            index.add(n.into(), &row(n));
        }
        let found = |row: &[Value]| index.find(row).map(Iterator::collect::<Vec<u64>>);
        assert_eq!(found(&row(9)), Some(vec![9]));
        assert_eq!(found(&row(200)), Some(Vec::new()));
        assert_eq!(
            found(&[Value::text("09:09:09:09:09:09"), Value::text("host")]),
            None
        );
    }

    #[test]
    fn many_objects_of_one_key_come_and_go_in_any_order() {
        let mut index = Index::new(vec![0], 7);
        let row = [Value::Integer(1)];
        let order = |step: u64| (0..1000u64).map(move |n| n * step % 1000);
        order(7).for_each(|number| index.add(number, &row));
        assert_eq!(found(&index, &row[0], &[]), (0..1000).collect::<Vec<_>>());
        assert!(index.memory > 0);
        for number in order(13).filter(|number| number % 10 > 0) {
            index.remove(number, &row);
        }
        let left: Vec<u64> = (0..100).map(|n| n * 10).collect();
        assert_eq!(found(&index, &row[0], &[]), left);
        left.iter().for_each(|number| index.remove(*number, &row));
        assert_eq!((found(&index, &row[0], &[]), index.memory), (vec![], 0));
    }
}
