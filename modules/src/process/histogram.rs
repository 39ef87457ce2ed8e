//! `histogram`: how often each combination of values comes.

use super::bins::Width;
use super::close::{concerns, is_about};
use super::tally::Tally;
use super::{bound, stateless};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::KEY_ROOM;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Bitmap, Column, FieldPath, Kind, Position, Value};

const NAME: &str = "histogram";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Counts each distinct combination of values.",
    details: "At the end it gives one object for each combination, in ascending order: the fields \
              and `count`. With -w the last field is put into bins: its value becomes that of the \
              bin's begin, a multiple of the width, so `histogram -w 100 dstport len` gives the \
              lengths of each port. Times and durations have bins of a duration, those of times \
              counted from 1970; text that reads as a number is one; values without a distance \
              (addresses, names) stay themselves. Bins that nothing fell into are not given. An \
              object that has none of the fields is filtered; a field that is absent beside \
              others is a value. At a Flush it gives what it has, and keeps it. A Close that names \
              nothing but fields of this module, other than one in bins, gives and forgets what it concerns, \
              and passes; other Close and watermarks end here. Of more combinations than --max \
              the lowest are counted, exactly.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the count, `count` unless given.",
        },
        Parameter {
            name: "-w",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The width of bins for the last field, such as 100, 0.5 or 10m; without it \
                      each value counts on its own.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N combinations; the highest go first; 10000000 unless given.",
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
            title: "how many packets each port gets",
            query: "histogram dstport",
            input: "five.pcap",
            output: "53\t1\n80\t2\n443\t1\n",
        },
        Example {
            title: "lengths in bins of 50 bytes",
            query: "histogram -w 50 len",
            input: "five.pcap",
            output: "50\t4\n100\t1\n",
        },
        Example {
            title: "packets of each sender in every two seconds",
            query: "where srcip | histogram -w 2s -f packets srcip ts | print srcip ts.sec packets",
            input: "five.pcap",
            output: "192.0.2.1\t1767225600\t1\n192.0.2.1\t1767225602\t1\n192.0.2.2\t1767225600\t1\n192.0.2.2\t1767225604\t1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let count = stateless::column_name(NAME, arguments, "count")?;
    let width = arguments.value("-w").map(|word| Width::read(NAME, word));
    let width = width.transpose()?;
    let max = bound::read(NAME, arguments)?;
    let mut fields: Vec<FieldPath> = Vec::new();
    for (field, word) in arguments.fields().into_iter().zip(arguments.words()) {
        if field == count {
            return Err(ArgumentError {
                help: Some("-f gives the count another name".into()),
                ..ArgumentError::at(NAME, word, "is the name of the count")
            });
        }
        if fields.contains(&field) {
            return Err(ArgumentError::at(NAME, word, "was given before"));
        }
        fields.push(field);
    }
    let like = |field: &FieldPath| (field.clone(), field.clone());
    let column = |field: &FieldPath| (field.clone(), Kind::Dynamic);
    let mut columns: Vec<(FieldPath, Kind)> = fields.iter().map(column).collect();
    columns.push((count, Kind::Unsigned));
    Ok(OperatorSpec {
        gives: Gives::Made(columns),
        like: fields.iter().map(like).collect(),
        class: StateClass::Commutative,
        bound: Some("one count for each of --max combinations"),
        on_control: OnControl::React,
        divided: Some(Arc::new({
            let width = width.clone();
            move |context| {
                let tally = Tally::divided(max, context);
                Box::new(Histogram::new(width.clone(), tally, 1, context))
            }
        })),
        ..OperatorSpec::stateless(fields, move |context| {
            let tally = Tally::new(max, context);
            Box::new(Histogram::new(width.clone(), tally, 0, context))
        })
    })
}

struct Histogram {
    fields: Vec<FieldPath>,
    /// How many of the fields, the first ones, make what has a histogram of its own.
    around: usize,
    width: Option<Width>,
    /// What is wrong with the width for the field it is for, if anything.
    fault: Option<String>,
    tally: Tally,
    binned: Column,
    rows: Vec<u16>,
}

impl Histogram {
    fn new(width: Option<Width>, tally: Tally, around: usize, context: &Context) -> Histogram {
        let last = context.fields.last().zip(context.kinds.last());
        let fault = width.as_ref().zip(last).and_then(|(width, (field, kind))| {
            let text = || format!("the width of -w does not suit the field {field} ({kind})");
            (!width.suits(*kind)).then(text)
        });
        Histogram {
            fields: context.fields.clone(),
            around,
            width,
            fault,
            tally,
            binned: Column::default(),
            rows: Vec::new(),
        }
    }

    /// The fields that are counted as they are.
    fn keys(&self) -> &[FieldPath] {
        let binned = usize::from(self.width.is_some());
        &self.fields[..self.fields.len() - binned]
    }

    /// Counts the rows of a view that have a field.
    fn count(&mut self, view: View<'_>, out: &mut Output) {
        let fields = self.fields.len();
        let columns = (self.around..fields).filter_map(|at| view.column(at));
        let any = columns.fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
        let counted = view.part.selection.and(&any);
        self.rows.clear();
        counted.for_each(|row| self.rows.push(row as u16));
        let mut last = view.column(fields - 1);
        if let (Some(width), Some(column)) = (&self.width, last) {
            last = Some(width.bin(column, &counted, &mut self.binned));
        }
        let columns = (0..fields - 1).map(|at| view.column(at)).chain([last]);
        let gone = self.tally.add_rows(columns, &self.rows);
        out.account.absorbed += self.rows.len() as u64;
        out.account.filtered += (view.part.count() - self.rows.len()) as u64;
        bound::evict(&mut out.account, gone);
    }

    fn give(&mut self, position: Position, out: &mut Output) {
        let gone = self.tally.keep_lowest();
        bound::evict(&mut out.account, gone);
        let groups = self.tally.sorted();
        self.tally.emit(&groups, own, position, out);
    }

    /// Gives and forgets what a Close concerns.
    fn close(&mut self, fields: &[(FieldPath, Value)], position: Position, out: &mut Output) {
        // One without fields concerns all.
        let all = fields.is_empty();
        if !all && !is_about(fields, self.keys()) {
            return;
        }
        let gone = self.tally.keep_lowest();
        bound::evict(&mut out.account, gone);
        let mut groups = self.tally.sorted();
        groups
            .retain(|group| all || concerns(fields, self.keys(), group.bytes(&mut [0; KEY_ROOM])));
        self.tally.emit(&groups, own, position, out);
        let keys = groups
            .iter()
            .map(|group| group.bytes(&mut [0; KEY_ROOM]).to_vec());
        for key in keys.collect::<Vec<_>>() {
            self.tally.remove(&key);
        }
        out.control(position, Control::Close(fields.to_vec()));
    }
}

fn own(count: u64) -> [Value; 1] {
    [Value::Integer(count.into())]
}

impl Operator for Histogram {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        if let Some(message) = &self.fault {
            return Err(Error::Module {
                module: NAME,
                message: message.clone(),
            });
        }
        for view in views {
            self.count(*view, out);
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
            Control::Close(fields) => self.close(fields, position, out),
            Control::Flush => {
                self.give(position, out);
                out.control(position, Control::Flush);
            }
            Control::Watermark(_) | Control::Beside(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.give(Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.tally.memory()
    }

    fn save(&self, out: &mut Writer) {
        self.tally.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.tally.load(from)
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Histogram>(NAME, right)?;
        self.tally.merge(&right.tally);
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
