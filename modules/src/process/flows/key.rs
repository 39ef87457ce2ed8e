//! Keys of flows: the same bytes for both directions.
//!
//! Fields of the two ends stand in pairs (srcip and dstip, srcport and dstport); the others are
//! the same both ways. A key is the lower end, the higher end, the rest, each as of
//! [`wireq_typesys::key`]; which end a packet came from is beside it.

use super::table::Table;
use wireq_engine::View;
use wireq_typesys::{Bitmap, Column, FieldPath, Value, key};

/// Words that mark a field of one end, and the same of the other end.
const ENDS: [(&str, &str); 3] = [("src", "dst"), ("src", "dest"), ("orig", "resp")];

/// The key fields of a flow module, by their numbers in the view.
#[derive(Clone, Debug)]
pub(super) struct KeyFields {
    /// In the order of a key from the lower end, and from the higher one.
    orders: [Vec<usize>; 2],
    /// How many fields of both ends stand before the rest.
    paired: usize,
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
    pub(super) fn columns<'a>(&self, view: View<'a>) -> Vec<Option<&'a Column>> {
        (0..self.len()).map(|at| view.column(at)).collect()
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
    pub(super) fn decode(&self, mut bytes: &[u8], swapped: bool) -> Option<Vec<Value>> {
        let mut values = vec![Value::Absent; self.len()];
        for at in &self.orders[usize::from(swapped)] {
            values[*at] = key::decode(&mut bytes)?;
        }
        bytes.is_empty().then_some(values)
    }
}

/// The keys of the rows of a view. They are found in a table all at once, before anything is done
/// with them: searches that don't wait for each other take a fraction of the time where flows are
/// many and memory is slow.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    rows: Vec<KeyOfRow>,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy)]
struct KeyOfRow {
    end: u32,
    hash: u32,
    found: Option<u32>,
    from_high: bool,
}

/// The key of a row.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) hash: u32,
    /// The flow that it had before the first row of the view.
    pub(super) found: Option<u32>,
    /// Whether the row comes from the higher end.
    pub(super) from_high: bool,
}

impl Keys {
    /// Reads the keys of rows and looks for their flows.
    pub(super) fn read<S: Default>(
        &mut self,
        fields: &KeyFields,
        columns: &[Option<&Column>],
        rows: &Bitmap,
        table: &Table<S>,
    ) {
        self.bytes.clear();
        self.rows.clear();
        rows.for_each(|row| {
            let from_high = fields.encode(columns, row, &mut self.buffer);
            self.bytes.extend_from_slice(&self.buffer);
            self.rows.push(KeyOfRow {
                end: self.bytes.len() as u32,
                hash: table.hash(&self.buffer),
                found: None,
                from_high,
            });
        });
        let mut start = 0;
        for row in &mut self.rows {
            let end = row.end as usize;
            row.found = table.find(row.hash, &self.bytes[start..end]);
            start = end;
        }
    }

    /// The keys in the order of the rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = Key<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let range = start..row.end as usize;
            start = range.end;
            Key {
                bytes: &self.bytes[range],
                hash: row.hash,
                found: row.found,
                from_high: row.from_high,
            }
        })
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
        same(fields.decode(&key, true), &there);
        same(fields.decode(&key, false), &back);
        assert!(fields.decode(&key[1..], false).is_none());
        key.push(0);
        assert!(fields.decode(&key, false).is_none());
    }
}
