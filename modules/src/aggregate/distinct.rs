//! `distinct`: how many distinct values.

use super::hyperloglog::HyperLogLog;
use super::keys::{Key, Keys};
use super::value_set::ValueSet;
use std::any::Any;
use std::hash::RandomState;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::spill::Members;
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Column, Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "distinct",
    summary: "Counts the distinct values of a field.",
    details: "Values are the same if they are equal in the order of all kinds: 80 and 80.0 are one \
              value, 80 and the text \"80\" two. Objects that lack the field don't count; where \
              all do, there are 0. Memory grows with the number of distinct values of each group, \
              and past a limit of memory they are kept in files; with -a it is 4 KiB a group, and \
              the count is right to within 1.6 % (one standard error). The sketch hashes with no secret: who chooses the values can make it wrong.",
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
        any_order: |_| false,
        make: Arc::new(move || match about {
            true => Box::new(Distinct::<HyperLogLog>::default()),
            false => Box::new(Distinct::<Exact>::default()),
        }),
    })
}

/// What knows how many distinct keys it was given.
trait Counter: Clone + Default + Send + Sync + 'static {
    /// Adds a key; what more memory that takes is added to `memory`.
    fn add(&mut self, key: Key<'_>, hasher: &RandomState, memory: &mut usize);
    fn merge(&mut self, other: &Self, hasher: &RandomState, memory: &mut usize);
    fn count(&self) -> u64;
    /// How many bytes it takes, after a look at all of it.
    fn memory(&self) -> usize;
    fn save(&self, out: &mut Writer);
    fn load(from: &mut Reader<'_>, hasher: &RandomState, memory: &mut usize)
    -> Result<Self, Error>;

    /// Takes all keys out, where there are any.
    fn take(&mut self) -> Option<Members> {
        None
    }

    /// Whether there are keys to take out.
    const HAS_KEYS: bool = false;

    /// Counts a key that was taken out.
    fn add_counted(&mut self) {}
}

/// All keys.
#[derive(Clone, Default)]
struct Exact {
    keys: ValueSet,
    /// Keys that were taken out and are counted but not kept.
    counted: u64,
}

impl Counter for Exact {
    const HAS_KEYS: bool = true;

    #[inline]
    fn add(&mut self, key: Key<'_>, hasher: &RandomState, memory: &mut usize) {
        self.keys.add(key, hasher, memory);
    }

    fn merge(&mut self, other: &Exact, hasher: &RandomState, memory: &mut usize) {
        other.keys.each(|key| self.keys.add(key, hasher, memory));
    }

    fn count(&self) -> u64 {
        self.keys.len() as u64 + self.counted
    }

    fn memory(&self) -> usize {
        self.keys.memory()
    }

    fn save(&self, out: &mut Writer) {
        let mut keys = Vec::with_capacity(self.keys.len());
        self.keys
            .each(|key| keys.push(key.bytes(&mut [0; 16]).to_vec()));
        keys.sort_unstable();
        out.number(keys.len() as u64);
        keys.iter().for_each(|key| out.bytes(key));
    }

    fn load(
        from: &mut Reader<'_>,
        hasher: &RandomState,
        memory: &mut usize,
    ) -> Result<Exact, Error> {
        let mut exact = Exact::default();
        for _ in 0..from.number()? {
            exact.add(Key::new(from.bytes()?), hasher, memory);
        }
        Ok(exact)
    }

    fn take(&mut self) -> Option<Members> {
        Some(self.keys.take())
    }

    fn add_counted(&mut self) {
        self.counted += 1;
    }
}

impl Counter for HyperLogLog {
    #[inline]
    fn add(&mut self, key: Key<'_>, _hasher: &RandomState, memory: &mut usize) {
        let before = self.memory();
        self.add(key.bytes(&mut [0; 16]));
        *memory += self.memory() - before;
    }

    fn merge(&mut self, other: &HyperLogLog, _hasher: &RandomState, memory: &mut usize) {
        let before = self.memory();
        self.merge(other);
        *memory += self.memory() - before;
    }

    fn count(&self) -> u64 {
        self.estimate()
    }

    fn memory(&self) -> usize {
        self.registers().len()
    }

    fn save(&self, out: &mut Writer) {
        out.bytes(self.registers());
    }

    fn load(
        from: &mut Reader<'_>,
        _hasher: &RandomState,
        memory: &mut usize,
    ) -> Result<HyperLogLog, Error> {
        let sketch = HyperLogLog::from_registers(from.bytes()?)
            .ok_or_else(|| Error::Snapshot("distinct: no registers of a sketch".into()))?;
        *memory += sketch.memory();
        Ok(sketch)
    }
}

#[derive(Default)]
struct Distinct<C> {
    groups: Vec<C>,
    keys: Keys,
    hasher: RandomState,
    /// What the groups take beyond their size.
    memory: usize,
}

impl<C: Counter> Distinct<C> {
    /// Puts a state in the place of a group's, whose memory is counted already.
    fn set(&mut self, group: u32, counter: C) {
        let before = std::mem::replace(&mut self.groups[group as usize], counter);
        self.memory = self.memory.saturating_sub(before.memory());
    }
}

impl<C: Counter> Accumulator for Distinct<C> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.groups.len());
        self.groups.resize_with(groups, C::default);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let (counters, hasher, memory) = (&mut self.groups, &self.hasher, &mut self.memory);
        self.keys.each(column, rows, |at, key| {
            counters[groups[at] as usize].add(key, hasher, memory)
        });
    }

    fn value(&self, group: u32) -> Value {
        Value::Integer(self.groups[group as usize].count().into())
    }

    fn clear(&mut self, group: u32) {
        self.set(group, C::default());
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Distinct<C>>() {
            let other = &other.groups[from as usize];
            self.groups[group as usize].merge(other, &self.hasher, &mut self.memory);
        }
    }

    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<C>() + self.memory
    }

    fn has_members(&self) -> bool {
        C::HAS_KEYS
    }

    fn take_members(&mut self, group: u32) -> Option<Members> {
        let counter = &mut self.groups[group as usize];
        self.memory = self.memory.saturating_sub(counter.memory());
        let members = counter.take();
        self.memory += counter.memory();
        members
    }

    fn add_member(&mut self, group: u32, member: &[u8], to_count: bool) {
        let counter = &mut self.groups[group as usize];
        if to_count {
            counter.add_counted();
        } else {
            counter.add(Key::new(member), &self.hasher, &mut self.memory);
        }
    }

    fn save(&self, group: u32, out: &mut Writer) {
        self.groups[group as usize].save(out);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        let counter = C::load(from, &self.hasher, &mut self.memory)?;
        self.set(group, counter);
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
