//! `sum`: the sum of a field.

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

/// What a group had so far.
const INTEGERS: u8 = 1;
const DOUBLES: u8 = 2;
const DURATIONS: u8 = 4;

#[derive(Default)]
struct Sums {
    /// The sum of integers.
    whole: Vec<i128>,
    /// The sum of durations, in nanoseconds; empty until a group has one.
    nanos: Vec<i128>,
    had: Vec<u8>,
    /// Sums of doubles; empty until a group has one.
    doubles: Vec<ExactSum>,
    /// What these take beyond their size.
    chunks: usize,
}

impl Sums {
    #[inline(always)]
    fn add_whole(&mut self, group: u32, number: i128) {
        let group = group as usize;
        self.whole[group] = self.whole[group].saturating_add(number);
        self.had[group] |= INTEGERS;
    }

    fn add_nanos(&mut self, group: u32, nanos: i128) {
        self.nanos.resize(self.whole.len().max(self.nanos.len()), 0);
        let group = group as usize;
        self.nanos[group] = self.nanos[group].saturating_add(nanos);
        self.had[group] |= DURATIONS;
    }

    fn add_double(&mut self, group: u32, double: f64) {
        if self.doubles.len() < self.whole.len() {
            self.doubles.resize(self.whole.len(), ExactSum::default());
        }
        self.change_double(group as usize, |sum| sum.add(double));
        self.had[group as usize] |= DOUBLES;
    }

    fn change_double(&mut self, group: usize, change: impl FnOnce(&mut ExactSum)) {
        let sum = &mut self.doubles[group];
        self.chunks -= sum.memory();
        change(sum);
        self.chunks += sum.memory();
    }

    #[inline]
    fn merge_one(&mut self, group: u32, other: &Sums, from: usize) {
        let to = group as usize;
        self.whole[to] = self.whole[to].saturating_add(other.whole[from]);
        if other.had[from] & DURATIONS != 0 {
            self.add_nanos(group, other.nanos[from]);
        }
        self.had[to] |= other.had[from];
        if let Some(doubles) = other.doubles.get(from) {
            self.doubles.resize(
                self.whole.len().max(self.doubles.len()),
                ExactSum::default(),
            );
            self.change_double(to, |sum| sum.merge(doubles));
        }
    }

    fn add_value(&mut self, group: u32, value: &Value) {
        match value {
            Value::Integer(integer) => self.add_whole(group, *integer),
            Value::Named(number, _) => self.add_whole(group, (*number).into()),
            Value::Bool(b) => self.add_whole(group, (*b).into()),
            Value::Double(double) => self.add_double(group, *double),
            Value::Duration(nanos) => self.add_nanos(group, (*nanos).into()),
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
                self.add_whole(*group, values[row].into());
            }
        }
    }

    /// Adds the selected rows to group 0. Values of at most 32 bits are summed in 64.
    fn all<T: Copy + Into<i128>>(&mut self, values: &[T], rows: &Bitmap) {
        let mut sum = 0i128;
        rows.for_each(|row| sum = sum.saturating_add(values[row].into()));
        if !rows.is_empty() {
            self.add_whole(0, sum);
        }
    }
}

/// Reads a sum back.
fn whole(from: &mut Reader<'_>) -> Result<i128, Error> {
    let bytes = from.bytes()?.try_into();
    let bytes = bytes.map_err(|_| Error::Snapshot("sum: not sixteen bytes".into()))?;
    Ok(i128::from_le_bytes(bytes))
}

impl Accumulator for Sums {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.whole.len());
        self.whole.resize(groups, 0);
        self.had.resize(groups, 0);
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
        let at = group as usize;
        let had = self.had[at];
        if had & DOUBLES != 0 {
            let mut sum = self.doubles[at].clone();
            sum.add_integer(self.whole[at]);
            return Value::Double(sum.value());
        }
        if had & INTEGERS != 0 || is_planted("sum-absent-is-absent") {
            return Value::Integer(self.whole[at]);
        }
        if had & DURATIONS != 0 {
            let nanos = self.nanos[at].clamp(i64::MIN.into(), i64::MAX.into());
            return Value::Duration(nanos as i64);
        }
        Value::Absent
    }

    fn column(&self, groups: &[u32]) -> Option<Column> {
        if !self.doubles.is_empty() || !self.nanos.is_empty() || is_planted("sum-absent-is-absent")
        {
            return None;
        }
        let sums = groups.iter().map(|group| self.whole[*group as usize]);
        let sums: Vec<i64> = sums
            .map(|sum| i64::try_from(sum).ok())
            .collect::<Option<_>>()?;
        Some(Column {
            data: Data::I64(sums),
            valid: Bitmap::from_slice(groups, |group| self.had[group as usize] != 0),
            names: None,
        })
    }

    fn clear(&mut self, group: u32) {
        self.whole[group as usize] = 0;
        self.had[group as usize] = 0;
        if let Some(nanos) = self.nanos.get_mut(group as usize) {
            *nanos = 0;
        }
        if (group as usize) < self.doubles.len() {
            self.change_double(group as usize, |sum| *sum = ExactSum::default());
        }
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        if let Some(other) = other.as_any().downcast_ref::<Sums>() {
            self.merge_one(group, other, from as usize);
        }
    }

    fn merge_all(&mut self, other: &dyn Accumulator, groups: &[(u32, u32)]) {
        let Some(other) = other.as_any().downcast_ref::<Sums>() else {
            return;
        };
        for (group, from) in groups {
            self.merge_one(*group, other, *from as usize);
        }
    }

    fn memory(&self) -> usize {
        self.whole.capacity() * size_of::<i128>()
            + self.nanos.capacity() * size_of::<i128>()
            + self.had.capacity()
            + self.doubles.capacity() * size_of::<ExactSum>()
            + self.chunks
    }

    fn save(&self, group: u32, out: &mut Writer) {
        let at = group as usize;
        out.bytes(&self.whole[at].to_le_bytes());
        out.number(self.had[at].into());
        if self.had[at] & DURATIONS != 0 {
            out.bytes(&self.nanos[at].to_le_bytes());
        }
        let (chunks, specials) = self
            .doubles
            .get(at)
            .map(ExactSum::parts)
            .unwrap_or_default();
        out.number(chunks.len() as u64);
        for (number, value) in chunks {
            out.number(i64::from(number) as u64);
            out.number(value as u64);
        }
        specials.iter().for_each(|count| out.number(*count));
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        let at = group as usize;
        self.whole[at] = whole(from)?;
        self.had[at] = from.number()? as u8;
        if self.had[at] & DURATIONS != 0 {
            let nanos = whole(from)?;
            self.add_nanos(group, nanos);
        }
        let mut chunks = Vec::new();
        for _ in 0..from.number()? {
            chunks.push((from.number()? as i64 as i16, from.number()? as i64));
        }
        let specials = [from.number()?, from.number()?, from.number()?];
        if self.had[at] & DOUBLES != 0 {
            self.doubles.resize(
                self.whole.len().max(self.doubles.len()),
                ExactSum::default(),
            );
            let loaded = ExactSum::from_parts(chunks, specials);
            self.change_double(at, |sum| *sum = loaded);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
