//! `count`: how many objects.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Accumulator, AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Bitmap, Column, Data, Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "count",
    summary: "Counts objects, or those that have a field.",
    details: "No objects, no row: a count of nothing prints nothing.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::Optional,
        summary: "Count only objects that have this field.",
    }],
    examples: &[
        Example {
            title: "how many packets",
            query: "count()",
            input: "five.pcap",
            output: "5\n",
        },
        Example {
            title: "how many from each address",
            query: "print srcip count() group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t2\n192.0.2.2\t2\n",
        },
        Example {
            title: "how many have a port",
            query: "print count(dstport) count() as all",
            input: "five.pcap",
            output: "4\t5\n",
        },
        Example {
            title: "only the frequent ones",
            query: "print dstport count() group by dstport having count > 1",
            input: "five.pcap",
            output: "80\t2\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    let field = arguments.fields().into_iter().next();
    let with_field = field.is_some();
    Ok(AggregateSpec {
        field,
        kind: |_| Ok(Kind::Unsigned),
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(move || {
            Box::new(Counts {
                with_field,
                counts: Vec::new(),
            })
        }),
    })
}

struct Counts {
    /// Whether only objects count that have the field.
    with_field: bool,
    counts: Vec<u64>,
}

impl Accumulator for Counts {
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups.max(self.counts.len()), 0);
    }

    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]) {
        if !self.with_field {
            for group in groups {
                self.counts[*group as usize] += 1;
            }
            return;
        }
        let Some(column) = column else { return };
        for (row, group) in rows.iter().zip(groups) {
            self.counts[*group as usize] += u64::from(column.valid.get((*row).into()));
        }
    }

    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let counted = match (self.with_field, column) {
            (false, _) => *selection,
            (true, Some(column)) => selection.and(&column.valid),
            (true, None) => Bitmap::EMPTY,
        };
        self.counts[0] += counted.count() as u64;
    }

    fn value(&self, group: u32) -> Value {
        let count = self.counts[group as usize] - u64::from(is_planted("count-one-short"));
        Value::Integer(count.into())
    }

    fn column(&self, groups: &[u32]) -> Option<Column> {
        let short = u64::from(is_planted("count-one-short"));
        let counts = groups.iter().map(|group| self.counts[*group as usize]);
        Some(Column {
            data: Data::U64(counts.map(|count| count - short).collect()),
            valid: Bitmap::first(groups.len()),
            names: None,
        })
    }

    fn clear(&mut self, group: u32) {
        self.counts[group as usize] = 0;
    }

    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32) {
        self.merge_all(other, &[(group, from)]);
    }

    fn merge_all(&mut self, other: &dyn Accumulator, groups: &[(u32, u32)]) {
        if let Some(other) = other.as_any().downcast_ref::<Counts>() {
            for (group, from) in groups {
                self.counts[*group as usize] += other.counts[*from as usize];
            }
        }
    }

    fn memory(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }

    fn save(&self, group: u32, out: &mut Writer) {
        out.number(self.counts[group as usize]);
    }

    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error> {
        self.counts[group as usize] = from.number()?;
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
