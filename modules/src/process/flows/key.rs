//! Keys of flows: the same bytes for both directions.
//!
//! Fields of the two ends stand in pairs (srcip and dstip, srcport and dstport); the others are
//! the same both ways. A key is the lower end, the higher end, the rest, each as of
//! [`wireq_typesys::key`]; which end a packet came from is beside it. Keys of columns of fixed width,
//! as a 5-tuple of IPv4, are one number: see [`Layout`].

use super::columns::{narrow, put};
use wireq_engine::View;
use wireq_typesys::key::{self, KEY_ROOM, Layout};
use wireq_typesys::{Bitmap, Column, ColumnBuilder, FieldPath, Kind, Value};

/// Words that mark a field of one end, and the same of the other end.
const ENDS: [(&str, &str); 3] = [("src", "dst"), ("src", "dest"), ("orig", "resp")];

/// The key fields of a flow module, by their numbers in the view.
#[derive(Clone, Debug)]
pub(super) struct KeyFields {
    /// In the order of a key from the lower end, and from the higher one.
    orders: [Vec<usize>; 2],
    /// How many fields of both ends stand before the rest.
    paired: usize,
    /// Where keys are numbers.
    layout: Option<Layout>,
    /// Whether it is known whether they can be.
    decided: bool,
}

/// A key as it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// Where there is a layout: what has a number in it.
    Number(u128),
    /// All others.
    Bytes(&'a [u8]),
}

impl KeyFields {
    /// Fields that are the same both ways: there is no direction.
    pub(super) fn one_way(count: usize) -> KeyFields {
        KeyFields::new(count, Vec::new())
    }

    /// The first and the second field are a pair, the third and the fourth, and so on.
    pub(super) fn in_pairs(count: usize) -> KeyFields {
        let pairs = (0..count / 2).map(|at| (2 * at, 2 * at + 1));
        KeyFields::new(count, pairs.collect())
    }

    /// Fields are pairs where their names say so.
    pub(super) fn by_name(fields: &[FieldPath]) -> KeyFields {
        let pair = |at: usize| {
            let others = other_ends(fields[at].as_str());
            let is_other = |field: &FieldPath| others.iter().any(|other| other == field.as_str());
            Some((at, fields.iter().position(is_other)?))
        };
        KeyFields::new(fields.len(), (0..fields.len()).filter_map(pair).collect())
    }

    fn new(count: usize, pairs: Vec<(usize, usize)>) -> KeyFields {
        let alone = |at: &usize| pairs.iter().all(|(a, b)| a != at && b != at);
        let (from, to): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let rest: Vec<usize> = (0..count).filter(alone).collect();
        KeyFields {
            orders: [
                [&*from, &*to, &*rest].concat(),
                [&*to, &*from, &*rest].concat(),
            ],
            paired: 2 * pairs.len(),
            layout: None,
            decided: false,
        }
    }

    /// Sees whether keys can be numbers, where columns are there that say so. Gives whether they are
    /// from now on: then those that there are have to be made anew.
    pub(super) fn decide(&mut self, columns: &[Option<&Column>]) -> bool {
        if self.decided || columns.iter().any(Option::is_none) {
            return false;
        }
        self.decided = true;
        let in_order = self.orders[0].iter().filter_map(|at| columns[*at]);
        // Both ends need places of one form: a key has its lower end first, whichever that is.
        self.layout = Layout::of(in_order).filter(|layout| layout.repeats(self.paired));
        self.layout.is_some()
    }

    /// Where keys are numbers, which ones.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// The fields in the order of a key from the lower end, and from the higher one.
    pub(super) fn orders(&self) -> [&[usize]; 2] {
        self.orders.each_ref().map(Vec::as_slice)
    }

    /// Whether any of them are those of two ends.
    pub(super) fn is_paired(&self) -> bool {
        self.paired > 0
    }

    /// The key of these bytes.
    pub(super) fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        let layout = self.layout.as_ref();
        let number = layout.and_then(|layout| layout.read(bytes));
        number.map_or(Key::Bytes(bytes), Key::Number)
    }

    /// The bytes of a key; `buffer` is where they may be put together.
    pub(super) fn bytes<'b>(&self, key: Key<'b>, buffer: &'b mut [u8; KEY_ROOM]) -> &'b [u8] {
        match (key, &self.layout) {
            (Key::Bytes(bytes), _) => bytes,
            (Key::Number(number), Some(layout)) => layout.write(number, buffer),
            (Key::Number(_), None) => unreachable!("numbers are of a layout"),
        }
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.orders[0].len()
    }

    /// The rows that have at least one of the fields.
    pub(super) fn keyed_rows(&self, view: View<'_>) -> Bitmap {
        let columns = (0..self.len()).filter_map(|at| view.column(at));
        let any = columns.fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
        view.part.selection.and(&any)
    }

    /// The columns of the fields.
    pub(super) fn columns_of<'a>(&self, view: View<'a>) -> Vec<Option<&'a Column>> {
        (0..self.len()).map(|at| view.column(at)).collect()
    }

    /// The same where most keys are numbers.
    fn columns_of_numbers(
        &self,
        layout: &Layout,
        keys: &[(Key<'_>, bool)],
        wanted: &[(usize, Kind)],
    ) -> Vec<Column> {
        // The number 0 has nothing at any place.
        let numbers = keys.iter().map(|(key, swapped)| match key {
            Key::Number(number) => (*number, *swapped),
            Key::Bytes(_) => (0, *swapped),
        });
        let decoded = |(row, (key, swapped)): (usize, &(Key<'_>, bool))| match key {
            Key::Number(_) => None,
            Key::Bytes(_) => Some((row, self.decode(*key, *swapped)?)),
        };
        let others: Vec<(usize, Vec<Value>)> =
            keys.iter().enumerate().filter_map(decoded).collect();
        let column = |(field, kind): &(usize, Kind)| {
            let place = |order: &Vec<usize>| order.iter().position(|at| at == field);
            let places = self
                .orders
                .each_ref()
                .map(|order| place(order).unwrap_or(0));
            let mut column = layout.column(places, numbers.clone());
            if let Kind::Named(names) = kind {
                column.names = Some(names);
            }
            for (row, values) in &others {
                put(&mut column, *row, values[*field].clone().of_kind(*kind));
            }
            column
        };
        wanted.iter().map(column).collect()
    }

    /// Writes the key of a row to `key`; gives whether the row comes from the higher end.
    #[inline]
    pub(super) fn encode(
        &self,
        columns: &[Option<&Column>],
        row: usize,
        key: &mut Vec<u8>,
    ) -> bool {
        key.clear();
        let (ends, rest) = self.orders[0].split_at(self.paired);
        let (from, to) = ends.split_at(self.paired / 2);
        for at in from {
            key::encode_row(columns[*at], row, key);
        }
        let middle = key.len();
        for at in to {
            key::encode_row(columns[*at], row, key);
        }
        let swapped = key[..middle] > key[middle..];
        if swapped {
            key.rotate_left(middle);
        }
        for at in rest {
            key::encode_row(columns[*at], row, key);
        }
        swapped
    }

    /// The values of a key in the order of the fields, for packets from the lower end or, where
    /// `swapped`, from the higher one. None where the bytes are no key of these fields.
    pub(super) fn decode(&self, key: Key<'_>, swapped: bool) -> Option<Vec<Value>> {
        let mut buffer = [0; KEY_ROOM];
        let mut bytes = self.bytes(key, &mut buffer);
        let mut values = vec![Value::Absent; self.len()];
        for at in &self.orders[usize::from(swapped)] {
            values[*at] = key::decode(&mut bytes)?;
        }
        bytes.is_empty().then_some(values)
    }

    /// What keys have in some fields, a column each; each key is given with whether it is read from
    /// the higher end.
    pub(super) fn columns(
        &self,
        keys: &[(Key<'_>, bool)],
        wanted: &[(usize, Kind)],
    ) -> Vec<Column> {
        if wanted.is_empty() {
            return Vec::new();
        }
        if let Some(layout) = &self.layout {
            return self.columns_of_numbers(layout, keys, wanted);
        }
        let mut built: Vec<ColumnBuilder> = Vec::new();
        built.resize_with(wanted.len(), ColumnBuilder::default);
        for (key, swapped) in keys {
            let values = self.decode(*key, *swapped).unwrap_or_default();
            for (column, (field, kind)) in built.iter_mut().zip(wanted) {
                let value = values.get(*field).cloned().unwrap_or_default();
                column.push(value.of_kind(*kind));
            }
        }
        built
            .into_iter()
            .map(|column| narrow(column.finish()))
            .collect()
    }
}

/// What a field of the sender would be called for the receiver; nothing where it is neither's.
fn other_ends(name: &str) -> Vec<String> {
    let named = |(word, other): &(&str, &str)| {
        // The word begins the name or a part of it: srcip, ip.src, but not resource.
        let starts = name
            .match_indices(word)
            .find(|(at, _)| *at == 0 || matches!(name.as_bytes()[at - 1], b'.' | b'_'));
        let (at, _) = starts?;
        Some(format!(
            "{}{other}{}",
            &name[..at],
            &name[at + word.len()..]
        ))
    };
    ENDS.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::super::kept_key::KeptKey;
    use super::super::keys::{KeyReader, Keys};
    use super::super::table::Table;
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn paths(names: &[&str]) -> Vec<FieldPath> {
        names.iter().map(|name| FieldPath::new(name)).collect()
    }

    #[test]
    fn finds_pairs_by_name() {
        let pairs = |names: &str| {
            let names: Vec<&str> = names.split(' ').collect();
            let fields = KeyFields::by_name(&paths(&names));
            let (from, to) = fields.orders[0][..fields.paired].split_at(fields.paired / 2);
            let pairs = from.iter().copied().zip(to.iter().copied());
            pairs.collect::<Vec<(usize, usize)>>()
        };
        let five_tuple = "srcip srcport dstip dstport ipprotocol";
        assert_eq!(pairs(five_tuple), [(0, 2), (1, 3)]);
        assert_eq!(pairs("dstip vlan srcip"), [(2, 0)]);
        let wireshark = "ip.src ip.dst tcp.srcport tcp.dstport";
        assert_eq!(pairs(wireshark), [(0, 1), (2, 3)]);
        assert_eq!(pairs("src_ip dest_ip"), [(0, 1)]);
        assert_eq!(pairs("id.orig_h id.resp_h srcip resource"), [(0, 1)]);
        assert_eq!(pairs("srcip dstport"), []);
    }

    #[test]
    fn both_directions_have_one_key() {
        let address = |last: u8| Value::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        let there = [address(9), address(1), Value::Integer(7)];
        let back = [address(1), address(9), Value::Integer(7)];
        let columns: Vec<Column> = (0..3)
            .map(|at| Column::from_values([there[at].clone(), back[at].clone()]))
            .collect();
        let columns: Vec<Option<&Column>> = columns.iter().map(Some).collect();
        let fields = KeyFields::by_name(&paths(&["srcip", "dstip", "vlan"]));
        let (mut key, mut other) = (Vec::new(), Vec::new());
        assert!(fields.encode(&columns, 0, &mut key));
        assert!(!fields.encode(&columns, 1, &mut other));
        assert_eq!(key, other);
        let same = |values: Option<Vec<Value>>, expected: &[Value]| {
            let values = values.expect("it is a key");
            let mut pairs = values.iter().zip(expected);
            assert!(pairs.all(|(a, b)| wireq_typesys::total_order(a, b).is_eq()));
        };
        same(fields.decode(Key::Bytes(&key), true), &there);
        same(fields.decode(Key::Bytes(&key), false), &back);
        assert!(fields.decode(Key::Bytes(&key[1..]), false).is_none());
        key.push(0);
        assert!(fields.decode(Key::Bytes(&key), false).is_none());
    }

    /// As numbers and as bytes, keys are the same ones, from the same end, with the same values.
    #[test]
    fn numbers_are_keys_as_bytes_are() {
        let address = |last: u8| Value::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        let v6 = Value::Address("fd00::1".parse().unwrap());
        let ends = [
            (address(9), address(1)),
            (address(1), address(9)),
            (address(5), address(5)),
            (v6, address(1)),
            (Value::Absent, address(1)),
            (address(1), Value::Absent),
        ];
        let from = Column::from_values(ends.iter().map(|(from, _)| from.clone()));
        let to = Column::from_values(ends.iter().map(|(_, to)| to.clone()));
        let rest = Column::from_values((0..ends.len()).map(|at| Value::Integer(at as i128 / 2)));
        let columns = [Some(&from), Some(&rest), Some(&to)];
        for paired in [true, false] {
            let names = paths(&["srcip", "vlan", "dstip"]);
            let mut fields = if paired {
                KeyFields::by_name(&names)
            } else {
                KeyFields::one_way(3)
            };
            let table: Table<()> = Table::new(1);
            let rows = Bitmap::first(ends.len());
            let read = |fields: &KeyFields| {
                let mut keys = Keys::default();
                KeyReader::default().read(fields, &columns, rows, &table, &mut keys);
                keys
            };
            let (as_bytes, plain) = (read(&fields), fields.clone());
            assert!(fields.decide(&columns));
            let keys = read(&fields);
            assert!(keys.are_of(&fields) && !as_bytes.are_of(&fields));
            let of_rows = keys.of_rows().zip(as_bytes.of_rows()).enumerate();
            for (row, ((at, from_high), (same, same_high))) in of_rows {
                // Rows have a key in common however it is kept.
                assert_eq!((at, from_high), (same, same_high));
                let (key, same) = (keys.key(at).key, as_bytes.key(same).key);
                let mut buffer = [0; KEY_ROOM];
                assert_eq!(Key::Bytes(fields.bytes(key, &mut buffer)), same);
                assert_eq!(fields.key(fields.bytes(key, &mut [0; KEY_ROOM])), key);
                assert_eq!(matches!(key, Key::Number(_)), row != 3);
            }
            assert_eq!(keys.all().count(), if paired { 4 } else { 6 });
            let kept = |keys: &Keys| -> Vec<(KeptKey, bool)> {
                let of_rows = keys.of_rows();
                of_rows
                    .map(|(at, high)| (KeptKey::new(keys.key(at).key), high))
                    .collect()
            };
            let (all, same) = (kept(&keys), kept(&as_bytes));
            let wanted = [(0, Kind::Address), (1, Kind::Unsigned), (2, Kind::Address)];
            for rows in [0..3, 0..ends.len(), 4..6] {
                let some = |kept: &[(KeptKey, bool)], of: &KeyFields| {
                    let some = kept[rows.clone()].iter();
                    let some: Vec<_> = some.map(|(key, high)| (key.key(), *high)).collect();
                    of.columns(&some, &wanted)
                };
                let (ours, theirs) = (some(&all, &fields), some(&same, &plain));
                for (ours, theirs) in ours.iter().zip(&theirs) {
                    for row in 0..rows.len() {
                        assert!(
                            wireq_typesys::total_order(&ours.value(row), &theirs.value(row))
                                .is_eq()
                        );
                    }
                }
            }
        }
    }
}
