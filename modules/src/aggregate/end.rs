//! `first` and `final`: the value of the first and of the last object that has one.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Bitmap, Column, Value};

const FIELD: &[Parameter] = &[Parameter {
    name: "FIELD",
    takes: Takes::Field,
    count: Count::One,
    summary: "A field of any kind.",
}];

const DETAILS: &str = "First and last are meant in the order in which the objects come, whatever \
                       their times are. Objects that lack the field don't count; where all do, \
                       there is no value.";

pub(super) static FIRST: Module = Module {
    name: "first",
    summary: "Gives the value that the first object with this field has.",
    details: DETAILS,
    parameters: FIELD,
    examples: &[
        Example {
            title: "the first port, though not all packets have one",
            query: "first(dstport)",
            input: "five.pcap",
            output: "443\n",
        },
        Example {
            title: "when each sender was first seen",
            query: "print srcip first(ts) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t2026-01-01T00:00:00.123456+00:00\n\
                     192.0.2.2\t2026-01-01T00:00:01.123456+00:00\n",
        },
        Example {
            title: "the first length beside the greatest",
            query: "print dstport first(len) max(len) group by dstport",
            input: "five.pcap",
            output: "53\t76\t76\n80\t125\t125\n443\t74\t74\n",
        },
    ],
    build: Build::Aggregate(|arguments| build(arguments, End::First)),
};

pub(super) static FINAL: Module = Module {
    name: "final",
    summary: "Gives the value that the last object with this field has.",
    details: DETAILS,
    parameters: FIELD,
    examples: &[
        Example {
            title: "the last port",
            query: "final(dstport)",
            input: "five.pcap",
            output: "53\n",
        },
        Example {
            title: "when each sender was last seen",
            query: "print srcip final(ts) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t2026-01-01T00:00:03.123456+00:00\n\
                     192.0.2.2\t2026-01-01T00:00:04.123456+00:00\n",
        },
        Example {
            title: "first and last beside each other",
            query: "print dstport first(len) final(len) group by dstport",
            input: "five.pcap",
            output: "53\t76\t76\n80\t125\t54\n443\t74\t74\n",
        },
    ],
    build: Build::Aggregate(|arguments| build(arguments, End::Last)),
};

fn build(arguments: &Arguments, end: End) -> Result<AggregateSpec, ArgumentError> {
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: Ok,
        class: StateClass::Ordered,
        any_order: |_| false,
        make: Arc::new(move || Box::new(Ends::new(end))),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

struct Ends {
    end: End,
    values: Vec<Value>,
    /// What these take beyond their size.
    beyond: usize,
    /// Per group the number of the call that last gave it a value. Rows are walked backwards for
    /// the last value, so that one is read a group and call, not one a row.
    set_in: Vec<u64>,
    calls: u64,
}

impl Ends {
    fn new(end: End) -> Ends {
        Ends {
            end,
            values: Vec::new(),
            beyond: 0,
            set_in: Vec::new(),
            calls: 0,
        }
    }

    fn set(&mut self, group: usize, value: Value) {
        let kept = &mut self.values[group];
        self.beyond += value.memory();
        self.beyond -= kept.memory();
        *kept = value;
    }
}

impl Accumulator for Ends {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.values.len());
        self.values.resize(groups, Value::Absent);
        self.set_in.resize(groups, 0);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        self.calls += 1;
        let pairs = rows.iter().map(|row| usize::from(*row)).zip(groups);
        let with_value = pairs.filter(|(row, _)| column.valid.get(*row));
        match self.end {
            End::First => with_value.for_each(|(row, group)| {
                if self.values[*group as usize].is_absent() {
                    self.set(*group as usize, column.value(row));
                }
            }),
            End::Last => with_value.rev().for_each(|(row, group)| {
                let set_in = &mut self.set_in[*group as usize];
                if *set_in != self.calls {
                    *set_in = self.calls;
                    self.set(*group as usize, column.value(row));
                }
            }),
        }
    }

    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let Some(column) = column else { return };
        let rows = column.valid.and(selection);
        let row = match self.end {
            End::First if !self.values[0].is_absent() => None,
            End::First => rows.iter().next(),
            End::Last => rows.highest(),
        };
        if let Some(row) = row {
            self.set(0, column.value(row));
        }
    }

    fn value(&self, group: u32) -> Value {
        self.values[group as usize].clone()
    }

    fn clear(&mut self, group: u32) {
        self.set(group as usize, Value::Absent);
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        let Some(other) = other.as_any().downcast_ref::<Ends>() else {
            return;
        };
        let (own, later) = (&self.values[group as usize], &other.values[from as usize]);
        if !later.is_absent() && (self.end == End::Last || own.is_absent()) {
            self.set(group as usize, later.clone());
        }
    }

    fn memory(&self) -> usize {
        self.values.capacity() * size_of::<Value>() + self.set_in.capacity() * 8 + self.beyond
    }

    fn save(&self, group: u32, out: &mut Writer) {
        out.value(&self.values[group as usize]);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        self.set(group as usize, from.value()?);
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

    #[test]
    fn are_the_first_and_the_last_value() {
        let has_value = |value: &&Value| !value.is_absent();
        let first = Check::new(|| Box::new(Ends::new(End::First)));
        first.ordered(anything, |values| {
            values.iter().find(has_value).cloned().unwrap_or_default()
        });
        let last = Check::new(|| Box::new(Ends::new(End::Last)));
        last.ordered(anything, |values| {
            values.iter().rfind(has_value).cloned().unwrap_or_default()
        });
    }
}
