//! `min` and `max`: the least and the greatest value of a field.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Bitmap, Column, Data, Kind, Value, total_order};

const FIELD: &[Parameter] = &[Parameter {
    name: "FIELD",
    takes: Takes::Field,
    count: Count::One,
    summary: "A field of any kind.",
}];

const DETAILS: &str = "Values are compared in the order of their kind: numbers by size, times by age, \
                       addresses IPv4 before IPv6. Objects that lack the field don't count.";

pub(super) static MIN: Module = Module {
    name: "min",
    summary: "Gives the least value of a field.",
    details: DETAILS,
    parameters: FIELD,
    examples: &[
        Example {
            title: "the smallest packet",
            query: "min(len)",
            input: "five.pcap",
            output: "54\n",
        },
        Example {
            title: "the lowest address",
            query: "min(srcip)",
            input: "five.pcap",
            output: "192.0.2.1\n",
        },
        Example {
            title: "for each port",
            query: "print dstport min(len) max(len) group by dstport",
            input: "five.pcap",
            output: "53\t76\t76\n80\t54\t125\n443\t74\t74\n",
        },
    ],
    build: Build::Aggregate(|arguments| {
        build(arguments, || Box::new(Extremes::new(Ordering::Less)))
    }),
};

pub(super) static MAX: Module = Module {
    name: "max",
    summary: "Gives the greatest value of a field.",
    details: DETAILS,
    parameters: FIELD,
    examples: &[
        Example {
            title: "the largest packet",
            query: "max(len)",
            input: "five.pcap",
            output: "125\n",
        },
        Example {
            title: "the last time",
            query: "max(ts)",
            input: "five.pcap",
            output: "2026-01-01T00:00:04.123456+00:00\n",
        },
        Example {
            title: "for each sender",
            query: "print srcip max(len) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t74\n192.0.2.2\t125\n",
        },
    ],
    build: Build::Aggregate(|arguments| build(arguments, greatest)),
};

fn greatest() -> Box<dyn Accumulator> {
    let better = if is_planted("max-is-min") {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    Box::new(Extremes::new(better))
}

fn build(
    arguments: &Arguments,
    make: fn() -> Box<dyn Accumulator>,
) -> Result<AggregateSpec, ArgumentError> {
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: Ok,
        class: StateClass::Ordered,
        any_order: of_one_form,
        make: Arc::new(make),
    })
}

/// Whether equal values of a kind are the same, so that it doesn't matter which was first.
fn of_one_form(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bool | Kind::Signed | Kind::Unsigned | Kind::Time | Kind::Duration | Kind::Address
    )
}

struct Extremes {
    better: Ordering,
    values: Vec<Value>,
    /// What these take beyond their size.
    beyond: usize,
}

impl Extremes {
    fn new(better: Ordering) -> Extremes {
        Extremes {
            better,
            values: Vec::new(),
            beyond: 0,
        }
    }

    fn set(&mut self, group: u32, value: Value) {
        let kept = &mut self.values[group as usize];
        self.beyond += value.memory();
        self.beyond -= kept.memory();
        *kept = value;
    }

    /// Keeps the better one; of equal values (80 and 80.0) the earlier.
    fn offer(&mut self, group: u32, value: Value) {
        let kept = &self.values[group as usize];
        if !value.is_absent() && (kept.is_absent() || total_order(&value, kept) == self.better) {
            self.set(group, value);
        }
    }

    fn is_better(&self, group: u32, bytes: &[u8]) -> bool {
        match self.values[group as usize].as_bytes() {
            Some(kept) => bytes.cmp(kept) == self.better,
            None => true,
        }
    }

    /// Whether what a row has may be better than what a group has: false only where a look at two
    /// numbers of one kind says so.
    #[inline]
    fn may_be_better(&self, group: u32, data: &Data, row: usize) -> bool {
        let number: i128 = match data {
            Data::U8(v) => v[row].into(),
            Data::U16(v) => v[row].into(),
            Data::U32(v) => v[row].into(),
            Data::U64(v) => v[row].into(),
            Data::I64(v) | Data::Time(v) | Data::Duration(v) => v[row].into(),
            Data::I128(v) => v[row],
            _ => return true,
        };
        let kept: i128 = match (&self.values[group as usize], data) {
            (Value::Time(kept), Data::Time(_)) => (*kept).into(),
            (Value::Duration(kept), Data::Duration(_)) => (*kept).into(),
            (_, Data::Time(_) | Data::Duration(_)) => return true,
            (Value::Integer(kept), _) => *kept,
            _ => return true,
        };
        number.cmp(&kept) == self.better
    }

    /// The first of the rows with the best value, where that can be said without making values.
    fn best_row(&self, column: &Column, rows: &Bitmap) -> Option<usize> {
        fn best<T: Copy + Ord>(values: &[T], rows: &Bitmap, better: Ordering) -> Option<usize> {
            let mut best: Option<(usize, T)> = None;
            rows.for_each(|row| {
                if best.is_none_or(|(_, kept)| values[row].cmp(&kept) == better) {
                    best = Some((row, values[row]));
                }
            });
            best.map(|(row, _)| row)
        }
        match &column.data {
            Data::U8(v) => best(v, rows, self.better),
            Data::U16(v) => best(v, rows, self.better),
            Data::U32(v) => best(v, rows, self.better),
            Data::U64(v) => best(v, rows, self.better),
            Data::I64(v) | Data::Time(v) | Data::Duration(v) => best(v, rows, self.better),
            Data::I128(v) => best(v, rows, self.better),
            _ => None,
        }
    }
}

impl Accumulator for Extremes {
    fn grow(&mut self, groups: usize) {
        self.values
            .resize(groups.max(self.values.len()), Value::Absent);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        for (row, group) in rows.iter().zip(groups) {
            let row = usize::from(*row);
            // A look at the bytes first spares a copy of most values.
            let worth = match &column.data {
                Data::Bytes(v) | Data::Text(v) => {
                    column.valid.get(row) && self.is_better(*group, v.get(row))
                }
                data => column.valid.get(row) && self.may_be_better(*group, data, row),
            };
            if worth {
                self.offer(*group, column.value(row));
            }
        }
    }

    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let Some(column) = column else { return };
        let rows = selection.and(&column.valid);
        match self.best_row(column, &rows) {
            Some(row) => self.offer(0, column.value(row)),
            None => rows.for_each(|row| self.offer(0, column.value(row))),
        }
    }

    fn value(&self, group: u32) -> Value {
        self.values[group as usize].clone()
    }

    fn clear(&mut self, group: u32) {
        self.set(group, Value::Absent);
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Extremes>() {
            self.offer(group, other.values[from as usize].clone());
        }
    }

    fn memory(&self) -> usize {
        self.values.capacity() * size_of::<Value>() + self.beyond
    }

    fn save(&self, group: u32, out: &mut Writer) {
        out.value(&self.values[group as usize]);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        self.set(group, from.value()?);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
