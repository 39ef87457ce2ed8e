//! `distinct`: how many distinct values.

use super::hyperloglog::HyperLogLog;
use super::keys::{Key, Keys};
use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Column, Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "distinct",
    summary: "Counts the distinct values of a field.",
    details: "Values are the same if they are equal in the order of all kinds: 80 and 80.0 are one \
              value, 80 and the text \"80\" two. Objects that lack the field don't count; where \
              all do, there are 0. Memory grows with the number of distinct values of each group; \
              with -a it is 4 KiB a group, and the count is right to within 1.6 % (one standard \
              error). The sketch hashes with no secret: who chooses the values can make it wrong.",
    parameters: &[
        Parameter {
            name: "-a",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Count about, in bounded memory (HyperLogLog, 4,096 registers). Without it \
                      the count is exact.",
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
            title: "how many senders",
            query: "distinct(srcip)",
            input: "five.pcap",
            output: "2\n",
        },
        Example {
            title: "how many ports each sender goes to",
            query: "print srcip distinct(dstport) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t2\n192.0.2.2\t2\n",
        },
        Example {
            title: "about how many lengths, in bounded memory",
            query: "distinct(-a len)",
            input: "five.pcap",
            output: "5\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    let about = arguments.flag("-a");
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: |_| Ok(Kind::Unsigned),
        class: StateClass::Commutative,
        make: Arc::new(move || match about {
            true => Box::new(Distinct::<HyperLogLog>::default()),
            false => Box::new(Distinct::<Exact>::default()),
        }),
    })
}

/// What knows how many distinct keys it was given.
trait Counter: Clone + Default + Send + 'static {
    fn add(&mut self, key: Key<'_>);
    fn merge(&mut self, other: &Self);
    fn count(&self) -> u64;
    fn save(&self, out: &mut Writer);
    fn load(from: &mut Reader<'_>) -> Result<Self, Error>;
}

/// All keys. Their hashes are seeded by the standard library: attackers choose what is in packets.
#[derive(Clone, Default)]
struct Exact {
    short: HashSet<u128>,
    long: HashSet<Box<[u8]>>,
}

impl Counter for Exact {
    #[inline]
    fn add(&mut self, key: Key<'_>) {
        match key {
            Key::Short(packed) => {
                self.short.insert(packed);
            }
            Key::Long(bytes) if !self.long.contains(bytes) => {
                self.long.insert(bytes.into());
            }
            Key::Long(_) => {}
        }
    }

    fn merge(&mut self, other: &Exact) {
        self.short.extend(&other.short);
        other.long.iter().for_each(|key| self.add(Key::Long(key)));
    }

    fn count(&self) -> u64 {
        (self.short.len() + self.long.len()) as u64
    }

    fn save(&self, out: &mut Writer) {
        let mut short: Vec<&u128> = self.short.iter().collect();
        let mut long: Vec<&Box<[u8]>> = self.long.iter().collect();
        short.sort_unstable();
        long.sort_unstable();
        out.number(self.count());
        for packed in short {
            out.bytes(Key::Short(*packed).bytes(&mut [0; 16]));
        }
        long.into_iter().for_each(|bytes| out.bytes(bytes));
    }

    fn load(from: &mut Reader<'_>) -> Result<Exact, Error> {
        let mut exact = Exact::default();
        for _ in 0..from.number()? {
            exact.add(Key::new(from.bytes()?));
        }
        Ok(exact)
    }
}

impl Counter for HyperLogLog {
    #[inline]
    fn add(&mut self, key: Key<'_>) {
        self.add(key.bytes(&mut [0; 16]));
    }

    fn merge(&mut self, other: &HyperLogLog) {
        self.merge(other);
    }

    fn count(&self) -> u64 {
        self.estimate()
    }

    fn save(&self, out: &mut Writer) {
        out.bytes(self.registers());
    }

    fn load(from: &mut Reader<'_>) -> Result<HyperLogLog, Error> {
        HyperLogLog::from_registers(from.bytes()?)
            .ok_or_else(|| Error::Snapshot("distinct: no registers of a sketch".into()))
    }
}

#[derive(Default)]
struct Distinct<C> {
    groups: Vec<C>,
    keys: Keys,
}

impl<C: Counter> Accumulator for Distinct<C> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.groups.len());
        self.groups.resize_with(groups, C::default);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let counters = &mut self.groups;
        self.keys.each(column, rows, |at, key| {
            counters[groups[at] as usize].add(key)
        });
    }

    fn value(&self, group: u32) -> Value {
        Value::Integer(self.groups[group as usize].count().into())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize] = C::default();
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Distinct<C>>() {
            self.groups[group as usize].merge(&other.groups[from as usize]);
        }
    }

    fn save(&self, group: u32, out: &mut Writer) {
        self.groups[group as usize].save(out);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        self.groups[group as usize] = C::load(from)?;
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

    fn naive(values: &[Value]) -> Value {
        let mut distinct: Vec<&Value> = Vec::new();
        for value in values.iter().filter(|value| !value.is_absent()) {
            if !distinct
                .iter()
                .any(|other| total_order(other, value).is_eq())
            {
                distinct.push(value);
            }
        }
        Value::Integer(distinct.len() as i128)
    }

    #[test]
    fn is_exact_whatever_the_order() {
        Check::new(|| Box::new(Distinct::<Exact>::default())).commutative(anything, naive);
    }

    /// So few values that no two of them meet in a register, but for rare ones.
    #[test]
    fn sketches_merge_in_any_order() {
        let sketch = || Check::new(|| Box::new(Distinct::<HyperLogLog>::default()));
        sketch().commutative(anything, |values| sketch().of(values));
        let mut off = 0;
        let mut random = crate::aggregate::check::Random(5);
        for _ in 0..300 {
            let values = anything(&mut random);
            let (got, expected) = (sketch().of(&values), naive(&values));
            let distance = got.as_integer().unwrap() - expected.as_integer().unwrap();
            assert!(distance.abs() <= 2, "{got:?} {expected:?}");
            off += distance.abs();
        }
        assert!(off <= 60, "{off}");
    }
}
