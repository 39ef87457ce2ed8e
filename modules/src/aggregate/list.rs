//! `list`: the distinct values of a field.

use super::keys::{Key, Keys, Seen};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Column, Kind, Value, allocated};

const DEFAULT_MAX: u64 = 100;

pub(super) static MODULE: Module = Module {
    name: "list",
    summary: "Lists the distinct values of a field in ascending order.",
    details: "Values are listed in the order of their kind: numbers by size, times by age, \
              addresses IPv4 before IPv6. Equal values of different kinds, such as 80 and 80.0, \
              are listed once. Each group keeps the lowest N values and no more; that there were \
              others does not show: `distinct` counts them. Objects that lack the field don't \
              count; where all do, there is no list.",
    parameters: &[
        Parameter {
            name: "-n",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The most values that a list has, from 1; 100 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "A field of any kind.",
        },
    ],
    examples: &[
        Example {
            title: "the senders",
            query: "list(srcip)",
            input: "five.pcap",
            output: "192.0.2.1,192.0.2.2\n",
        },
        Example {
            title: "the ports that each sender goes to",
            query: "print srcip list(dstport) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t80,443\n192.0.2.2\t53,80\n",
        },
        Example {
            title: "the two lowest lengths",
            query: "list(-n 2 len)",
            input: "five.pcap",
            output: "54,60\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    let max = match arguments.value("-n") {
        None => DEFAULT_MAX,
        Some(word) => match word.text.parse() {
            Ok(max @ 1..) => max,
            _ => {
                return Err(ArgumentError {
                    help: Some("-n is the most values that a list has, from 1".into()),
                    ..ArgumentError::at("list", word, "is not a whole number from 1")
                });
            }
        },
    };
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: |kind| Ok(list_of(kind)),
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(move || Box::new(Lists::new(max))),
    })
}

/// The kind of lists of a kind. Lists in lists are known value by value.
fn list_of(kind: Kind) -> Kind {
    Kind::List(match kind {
        Kind::Bool => &Kind::Bool,
        Kind::Signed => &Kind::Signed,
        Kind::Unsigned => &Kind::Unsigned,
        Kind::Double => &Kind::Double,
        Kind::Time => &Kind::Time,
        Kind::Duration => &Kind::Duration,
        Kind::Address => &Kind::Address,
        Kind::Prefix => &Kind::Prefix,
        Kind::Mac => &Kind::Mac,
        Kind::Bytes => &Kind::Bytes,
        Kind::Text => &Kind::Text,
        Kind::Object => &Kind::Object,
        // A few bytes for each such function of a query, since kinds are shared for good.
        Kind::Named(_) => Box::leak(Box::new(kind)),
        Kind::List(_) | Kind::Dynamic => &Kind::Dynamic,
    })
}

/// How many keys a node of the set has that is not full, and what a node takes: room for 11 keys.
const NODE_KEYS: usize = 7;
const NODE_BYTES: usize = allocated(11 * size_of::<Box<[u8]>>() + 16);

/// The lowest keys of a group.
#[derive(Default)]
struct Lowest {
    keys: BTreeSet<Box<[u8]>>,
    /// What the keys take outside the nodes.
    key_bytes: usize,
    seen: Seen,
}

impl Lowest {
    /// Adds a key; what more memory that takes is added to `memory`.
    fn add(&mut self, key: &[u8], max: usize, memory: &mut usize) {
        let full = self.keys.len() >= max;
        if full && self.keys.last().is_none_or(|last| key > &**last) || self.keys.contains(key) {
            return;
        }
        *memory -= self.memory();
        if full && let Some(last) = self.keys.pop_last() {
            self.key_bytes -= allocated(last.len());
        }
        self.keys.insert(key.into());
        self.key_bytes += allocated(key.len());
        *memory += self.memory();
    }

    /// About how many bytes it takes beyond its own size.
    fn memory(&self) -> usize {
        self.keys.len().div_ceil(NODE_KEYS) * NODE_BYTES + self.key_bytes
    }
}

struct Lists {
    max: usize,
    groups: Vec<Lowest>,
    keys: Keys,
    /// What the groups take beyond their size.
    beyond: usize,
}

impl Lists {
    fn new(max: usize) -> Lists {
        Lists {
            max,
            groups: Vec::new(),
            keys: Keys::default(),
            beyond: 0,
        }
    }

    /// Puts a list in the place of a group's, whose memory is counted already.
    fn set(&mut self, group: u32, list: Lowest) {
        let before = std::mem::replace(&mut self.groups[group as usize], list);
        self.beyond -= before.memory();
    }
}

impl Accumulator for Lists {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.groups.len());
        self.groups.resize_with(groups, Lowest::default);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let (lists, max, beyond) = (&mut self.groups, self.max, &mut self.beyond);
        self.keys.each(column, rows, |at, key| {
            let list = &mut lists[groups[at] as usize];
            list.seen.add(Seen::of(column, rows[at].into()));
            list.add(key.bytes(&mut [0; 16]), max, beyond);
        });
    }

    fn value(&self, group: u32) -> Value {
        let list = &self.groups[group as usize];
        if list.keys.is_empty() {
            return Value::Absent;
        }
        let keys = list.keys.iter().map(|key| Key::new(key));
        Value::List(keys.map(|key| list.seen.restored(key.value())).collect())
    }

    fn clear(&mut self, group: u32) {
        self.set(group, Lowest::default());
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        let Some(other) = other.as_any().downcast_ref::<Lists>() else {
            return;
        };
        let (own, other) = (
            &mut self.groups[group as usize],
            &other.groups[from as usize],
        );
        own.seen.add(other.seen);
        let (keys, max) = (other.keys.iter(), self.max);
        keys.for_each(|key| own.add(key, max, &mut self.beyond));
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<Lowest>() + self.beyond
    }

    fn save(&self, group: u32, out: &mut Writer) {
        let list = &self.groups[group as usize];
        list.seen.save(out);
        out.number(list.keys.len() as u64);
        list.keys.iter().for_each(|key| out.bytes(key));
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        let mut list = Lowest {
            seen: Seen::load(from)?,
            ..Lowest::default()
        };
        for _ in 0..from.number()? {
            list.add(from.bytes()?, self.max, &mut self.beyond);
        }
        self.set(group, list);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::{Check, anything};
    use wireq_typesys::total_order;

    /// Of equal values the integer and the text are listed, if any value is one.
    fn naive(values: &[Value], max: usize) -> Value {
        let has = |test: fn(&Value) -> bool| values.iter().any(test);
        let integers = has(|value| matches!(value, Value::Integer(_)));
        let texts = has(|value| matches!(value, Value::Text(_)));
        let one_kind = |value: &Value| match value {
            Value::Double(d) if integers && d.fract() == 0.0 && d.abs() < 1e38 => {
                Value::Integer(*d as i128)
            }
            Value::Bytes(bytes) if texts => Value::Text(bytes.clone()),
            other => other.clone(),
        };
        let present = values.iter().filter(|value| !value.is_absent());
        let mut values: Vec<Value> = present.map(one_kind).collect();
        values.sort_by(total_order);
        values.dedup_by(|a, b| total_order(a, b).is_eq());
        values.truncate(max);
        if values.is_empty() {
            return Value::Absent;
        }
        Value::List(values.into())
    }

    #[test]
    fn lists_the_lowest_whatever_the_order() {
        for max in [1, 3, 100] {
            Check::new(move || Box::new(Lists::new(max)))
                .commutative(anything, |values| naive(values, max));
        }
    }
}
