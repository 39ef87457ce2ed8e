//! `top`: the most frequent values.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::{Groups, KEY_ROOM, Numbered};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{
    Bitmap, ColumnBuilder, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX, Shape, Value,
    key,
};

pub(super) static MODULE: Module = Module {
    name: "top",
    summary: "Gives the most frequent combinations of values with their counts.",
    details: "At the end it gives one object for each: the fields and `count`, the highest count first, \
              equal counts in the order of the values. Counts are exact. An object that has none of \
              the fields is not counted; a field that is absent beside others is a value.",
    parameters: &[
        Parameter {
            name: "-n",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "How many; 10 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields whose combinations are counted.",
        },
    ],
    examples: &[
        Example {
            title: "who sends most packets",
            query: "top srcip",
            input: "five.pcap",
            output: "192.0.2.1\t2\n192.0.2.2\t2\n",
        },
        Example {
            title: "the most frequent port",
            query: "top -n 1 dstport",
            input: "five.pcap",
            output: "80\t2\n",
        },
        Example {
            title: "its fields are fields like others",
            query: "top srcip dstport | where dstport = 80 | print srcip count",
            input: "five.pcap",
            output: "192.0.2.1\t1\n192.0.2.2\t1\n",
        },
    ],
    build: Build::Operator(build),
};

const LIMIT: usize = 10;

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let limit = match arguments.value("-n") {
        Some(word) => word
            .text
            .parse()
            .map_err(|_| ArgumentError::at(MODULE.name, word, "is not a whole number"))?,
        None => LIMIT,
    };
    let count = FieldPath::new("count");
    let mut fields: Vec<FieldPath> = Vec::new();
    for (field, word) in arguments.fields().into_iter().zip(arguments.words()) {
        if field == count {
            return Err(ArgumentError::at(
                MODULE.name,
                word,
                "is the name of the count that top gives",
            ));
        }
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let mut columns: Vec<(FieldPath, Kind)> = fields
        .iter()
        .map(|field| (field.clone(), Kind::Dynamic))
        .collect();
    columns.push((count, Kind::Unsigned));
    let like = fields
        .iter()
        .map(|field| (field.clone(), field.clone()))
        .collect();
    Ok(OperatorSpec {
        gives: Gives::Made(columns),
        like,
        class: StateClass::Commutative,
        grows: true,
        bound: Some("one count for each distinct combination"),
        on_control: OnControl::React,
        divided: Some(Arc::new(move |context| {
            Box::new(Top::new(limit, 1, context))
        })),
        ..OperatorSpec::stateless(fields, move |context| Box::new(Top::new(limit, 0, context)))
    })
}

struct Top {
    limit: usize,
    /// How many of the fields, the first ones, make the groups of which each has its own most frequent
    /// combinations.
    around: usize,
    kinds: Vec<Kind>,
    groups: Groups,
    counts: Vec<u64>,
    shape: Option<Arc<Shape>>,
    origin: u32,
    rows: Vec<u16>,
    numbers: Vec<u32>,
}

impl Top {
    fn new(limit: usize, around: usize, context: &Context) -> Top {
        Top {
            limit,
            around,
            kinds: context.kinds.clone(),
            groups: Groups::new(context.seed),
            counts: Vec::new(),
            shape: context.shape.clone(),
            origin: context.origin,
            rows: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn add(&mut self, key: &[u8], count: u64) {
        let (number, _) = self.groups.number_key(key);
        self.counts
            .resize(self.groups.limit().max(self.counts.len()), 0);
        let total = &mut self.counts[number as usize];
        *total = total.saturating_add(count);
    }

    /// What of a key are the values of the fields that make its group.
    fn group_of<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        let mut rest = key;
        for _ in 0..self.around {
            let _ = key::decode(&mut rest);
        }
        &key[..key.len() - rest.len()]
    }

    fn emit(&self, position: Position, out: &mut Output) {
        let Some(shape) = &self.shape else { return };
        let count = |number: u32| self.counts.get(number as usize).copied().unwrap_or(0);
        let groups = self.groups.sorted();
        let same = |a: &Numbered<'_>, b: &Numbered<'_>| {
            let (mut one, mut other) = ([0; KEY_ROOM], [0; KEY_ROOM]);
            self.around == 0 || {
                let own = self.group_of(a.bytes(&mut one));
                b.bytes(&mut other).starts_with(own)
            }
        };
        let mut most = Vec::new();
        for within in groups.chunk_by(same) {
            let begin = most.len();
            most.extend_from_slice(within);
            // Stable: equal counts stay in the order of their keys.
            most[begin..].sort_by_key(|group| std::cmp::Reverse(count(group.number)));
            most.truncate(begin.saturating_add(self.limit));
        }
        let groups = most;
        for chunk in groups.chunks(ROWS_MAX) {
            let mut columns: Vec<ColumnBuilder> = self
                .kinds
                .iter()
                .map(|_| ColumnBuilder::default())
                .collect();
            let mut counts = ColumnBuilder::default();
            for group in chunk {
                let mut buffer = [0; KEY_ROOM];
                let mut bytes = group.bytes(&mut buffer);
                for (column, kind) in columns.iter_mut().zip(&self.kinds) {
                    column.push(key::decode(&mut bytes).unwrap_or_default().of_kind(*kind));
                }
                counts.push(Value::Integer(count(group.number).into()));
            }
            columns.push(counts);
            let columns = columns.into_iter().map(ColumnBuilder::finish).collect();
            let positions = Positions::All(position);
            out.emit(PartData::from_columns(
                Arc::clone(shape),
                columns,
                chunk.len(),
                positions,
                self.origin,
            ));
        }
    }
}

impl Operator for Top {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let columns = (0..self.kinds.len()).map(|at| view.column(at));
            let any = columns
                .clone()
                .skip(self.around)
                .flatten()
                .fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
            let counted = view.part.selection.and(&any);
            self.rows.clear();
            counted.for_each(|row| self.rows.push(row as u16));
            self.groups
                .number_rows(columns, &self.rows, &mut self.numbers, |_| {});
            self.counts
                .resize(self.groups.limit().max(self.counts.len()), 0);
            for number in &self.numbers {
                self.counts[*number as usize] += 1;
            }
            out.account.absorbed += self.rows.len() as u64;
            out.account.filtered += (view.part.count() - self.rows.len()) as u64;
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        match control {
            Control::Flush => self.emit(position, out),
            Control::Close(_) | Control::Watermark(_) | Control::Beside(_) => {}
        }
        out.control(position, control.clone());
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.emit(Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.groups.memory() + self.counts.capacity() * size_of::<u64>()
    }

    fn save(&self, out: &mut Writer) {
        let groups = self.groups.sorted();
        out.number(groups.len() as u64);
        for group in groups {
            out.bytes(group.bytes(&mut [0; KEY_ROOM]));
            out.number(self.counts.get(group.number as usize).copied().unwrap_or(0));
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            self.add(key, from.number()?);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Top>("top", right)?;
        for group in right.groups.sorted() {
            let count = right
                .counts
                .get(group.number as usize)
                .copied()
                .unwrap_or(0);
            self.add(group.bytes(&mut [0; KEY_ROOM]), count);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
