//! `sum`: the sum of a field.

use super::total::{boxed_memory, load_sum, save_sum, sixteen};
use super::wholes::Wholes;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Bitmap, Column, Data, ExactSum, Kind, Literal, Value};

pub(super) static MODULE: Module = Module {
    name: "sum",
    summary: "Adds up a field.",
    details: "Integers are added in 128 bits and doubles exactly, so the order of the objects does not \
              show. Text that reads as a number counts as one. Where a group has numbers and durations, \
              the durations don't count. Objects that lack the field don't count; where all do, \
              there is no sum.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::One,
        summary: "A number or duration.",
    }],
    examples: &[
        Example {
            title: "bytes in all",
            query: "sum(len)",
            input: "five.pcap",
            output: "389\n",
        },
        Example {
            title: "bytes from each address",
            query: "print srcip sum(len) as bytes group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t128\n192.0.2.2\t201\n",
        },
        Example {
            title: "several functions make one row a group",
            query: "print count() sum(len) max(len)",
            input: "five.pcap",
            output: "5\t389\t125\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: |kind| match kind {
            Kind::Signed | Kind::Unsigned | Kind::Named(_) | Kind::Bool => Ok(Kind::Signed),
            Kind::Double => Ok(Kind::Double),
            Kind::Duration => Ok(Kind::Duration),
            Kind::Text | Kind::Dynamic => Ok(Kind::Dynamic),
            _ => Err("is neither a number nor a duration"),
        },
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(|| Box::new(Sums::default())),
    })
}

#[derive(Default)]
struct Sums {
    whole: Wholes,
    /// Sums of durations, in nanoseconds; empty until a group has one.
    nanos: Wholes,
    /// Sums of doubles; empty until a group has one.
    doubles: Vec<Option<Box<ExactSum>>>,
    /// What these take beyond the list.
    double_bytes: usize,
}

impl Sums {
    fn add_nanos(&mut self, group: u32, nanos: impl Into<i128>) {
        self.nanos.grow(self.whole.groups());
        self.nanos.add(group, nanos);
    }

    fn add_double(&mut self, group: u32, double: f64) {
        self.change_double(group, |sum| sum.get_or_insert_default().add(double));
    }

    fn change_double(&mut self, group: u32, change: impl FnOnce(&mut Option<Box<ExactSum>>)) {
        if self.doubles.len() < self.whole.groups() {
            self.doubles.resize(self.whole.groups(), None);
        }
        let sum = &mut self.doubles[group as usize];
        self.double_bytes -= boxed_memory(sum.as_deref());
        change(sum);
        self.double_bytes += boxed_memory(sum.as_deref());
    }

    fn double(&self, group: u32) -> Option<&ExactSum> {
        self.doubles.get(group as usize)?.as_deref()
    }

    #[inline]
    fn merge_one(&mut self, group: u32, other: &Sums, from: u32) {
        if let Some(whole) = other.whole.get(from) {
            self.whole.add(group, whole);
        }
        if let Some(nanos) = other.nanos.get(from) {
            self.add_nanos(group, nanos);
        }
        if let Some(doubles) = other.double(from) {
            self.change_double(group, |sum| sum.get_or_insert_default().merge(doubles));
        }
    }

    fn add_value(&mut self, group: u32, value: &Value) {
        match value {
            Value::Integer(integer) => self.whole.add(group, *integer),
            Value::Named(number, _) => self.whole.add(group, *number),
            Value::Bool(b) => self.whole.add(group, *b),
            Value::Double(double) => self.add_double(group, *double),
            Value::Duration(nanos) => self.add_nanos(group, *nanos),
            Value::Text(text) => {
                let number = std::str::from_utf8(text)
                    .ok()
                    .map(|text| Literal::new(text).natural());
                if let Some(number @ (Value::Integer(_) | Value::Double(_))) = number {
                    self.add_value(group, &number);
                }
            }
            Value::List(values) => values.iter().for_each(|value| self.add_value(group, value)),
            _ => {}
        }
    }

    fn each<T: Copy + Into<i128>>(
        &mut self,
        values: &[T],
        valid: &Bitmap,
        rows: &[u16],
        groups: &[u32],
    ) {
        for (row, group) in rows.iter().zip(groups) {
            let row = usize::from(*row);
            if valid.get(row) {
                self.whole.add(*group, values[row]);
            }
        }
    }

    /// Adds the selected rows to group 0. Values of at most 32 bits are summed in 64.
    fn all<T: Copy + Into<i128>>(&mut self, values: &[T], rows: &Bitmap) {
        let mut sum = 0i128;
        rows.for_each(|row| sum = sum.saturating_add(values[row].into()));
        if !rows.is_empty() {
            self.whole.add(0, sum);
        }
    }
}

fn save_whole(sum: Option<i128>, out: &mut Writer) {
    out.number(sum.is_some().into());
    if let Some(sum) = sum {
        out.bytes(&sum.to_le_bytes());
    }
}

fn load_whole(from: &mut Reader<'_>) -> Result<Option<i128>, Error> {
    Ok(match from.number()? {
        0 => None,
        _ => Some(i128::from_le_bytes(sixteen(from)?)),
    })
}

impl Accumulator for Sums {
    fn grow(&mut self, groups: usize) {
        self.whole.grow(groups);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        let Some(column) = column else { return };
        let valid = &column.valid;
        match &column.data {
            Data::U8(v) => self.each(v, valid, rows, groups),
            Data::U16(v) => self.each(v, valid, rows, groups),
            Data::U32(v) => self.each(v, valid, rows, groups),
            Data::U64(v) => self.each(v, valid, rows, groups),
            Data::I64(v) => self.each(v, valid, rows, groups),
            _ => {
                for (row, group) in rows.iter().zip(groups) {
                    self.add_value(*group, &column.value(usize::from(*row)));
                }
            }
        }
    }

    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let Some(column) = column else { return };
        let rows = column.valid.and(selection);
        match &column.data {
            Data::U8(v) => self.all(v, &rows),
            Data::U16(v) => self.all(v, &rows),
            Data::U32(v) => self.all(v, &rows),
            Data::U64(v) => self.all(v, &rows),
            Data::I64(v) => self.all(v, &rows),
            _ => rows.for_each(|row| self.add_value(0, &column.value(row))),
        }
    }

    fn value(&self, group: u32) -> Value {
        let whole = self.whole.get(group);
        if let Some(doubles) = self.double(group) {
            let mut sum = doubles.clone();
            sum.add_integer(whole.unwrap_or(0));
            return Value::Double(sum.value());
        }
        if let Some(whole) = whole {
            return Value::Integer(whole);
        }
        if let Some(nanos) = self.nanos.get(group) {
            let nanos = nanos.clamp(i64::MIN.into(), i64::MAX.into());
            return Value::Duration(nanos as i64);
        }
        if is_planted("sum-absent-is-absent") {
            return Value::Integer(0);
        }
        Value::Absent
    }

    fn column(&self, groups: &[u32]) -> Option<Column> {
        let whole = self.doubles.is_empty() && self.nanos.groups() == 0;
        if !whole || is_planted("sum-absent-is-absent") {
            return None;
        }
        let (sums, valid) = self.whole.column(groups)?;
        Some(Column {
            data: Data::I64(sums),
            valid,
            names: None,
        })
    }

    fn clear(&mut self, group: u32) {
        self.whole.clear(group);
        self.nanos.clear(group);
        if (group as usize) < self.doubles.len() {
            self.change_double(group, |sum| *sum = None);
        }
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Sums>() {
            self.merge_one(group, other, from);
        }
    }

    fn merge_all(&mut self, other: &dyn Accumulator, groups: &[(u32, u32)]) {
        let Some(other) = other.as_any().downcast_ref::<Sums>() else {
            return;
        };
        for (group, from) in groups {
            self.merge_one(*group, other, *from);
        }
    }

    fn memory(&self) -> usize {
        let doubles = self.doubles.capacity() * size_of::<Option<Box<ExactSum>>>();
        self.whole.memory() + self.nanos.memory() + doubles + self.double_bytes
    }

    fn save(&self, group: u32, out: &mut Writer) {
        save_whole(self.whole.get(group), out);
        save_whole(self.nanos.get(group), out);
        save_sum(self.double(group), out);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        if let Some(sum) = load_whole(from)? {
            self.whole.set(group, sum);
        }
        if let Some(sum) = load_whole(from)? {
            self.nanos.grow(self.whole.groups());
            self.nanos.set(group, sum);
        }
        if let Some(loaded) = load_sum(from)? {
            self.change_double(group, |sum| *sum = Some(loaded));
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
