//! `cumdist`: the cumulative distribution of a field.

use super::tally::Tally;
use super::{bound, stateless};
use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec, Progress,
    StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Bitmap, FieldPath, Kind, Position, Value};

const NAME: &str = "cumdist";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives the cumulative distribution of a field: its values in order, with the share of objects up to each.",
    details: "At the end it gives one object for each distinct value, in ascending order: the value, \
              how often it came as `count`, and as `cumulative` the share from 0 to 1 of the \
              objects that have this value or a lower one. The first value whose share is at \
              least q is the q-quantile. Objects without the field are filtered. At a Flush it \
              gives what it has, and keeps it; at a Close it gives what it has and begins anew; \
              both pass. Watermarks end here. Of more values than --max the lowest are given: \
              their counts and shares are exact, but the last share is less than 1.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the cumulative share, `cumulative` unless given.",
        },
        Parameter {
            name: "-n",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the count, `count` unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N values; the highest go first; 10000000 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field.",
        },
    ],
    examples: &[
        Example {
            title: "lengths of packets",
            query: "cumdist len",
            input: "five.pcap",
            output: "54\t1\t0.2\n60\t1\t0.4\n74\t1\t0.6\n76\t1\t0.8\n125\t1\t1\n",
        },
        Example {
            title: "the length that half of the packets don't exceed",
            query: "cumdist len | where cumulative >= 0.5 | head 1 | print len",
            input: "five.pcap",
            output: "74\n",
        },
        Example {
            title: "how many ports have how many packets",
            query: "where dstport | count() group by dstport | cumdist -n ports count",
            input: "five.pcap",
            output: "1\t2\t0.6666666666666666\n2\t1\t1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let share = stateless::column_name(NAME, arguments, "cumulative")?;
    let count = match arguments.value("-n") {
        Some(word) if word.text.is_empty() => {
            return Err(ArgumentError::at(NAME, word, "is not the name of a column"));
        }
        Some(word) => FieldPath::new(&word.text),
        None => FieldPath::new("count"),
    };
    let max = bound::read(NAME, arguments)?;
    let fields = arguments.fields();
    let columns = fields.iter().chain([&count, &share]);
    let mut columns: Vec<FieldPath> = columns.cloned().collect();
    columns.sort();
    columns.dedup();
    if let (Some(word), true) = (arguments.words().first(), columns.len() < 3) {
        return Err(ArgumentError {
            help: Some("-n names the count, -f the cumulative share".into()),
            ..ArgumentError::at(
                NAME,
                word,
                "and the columns beside it need names of their own",
            )
        });
    }
    let field = (fields[0].clone(), Kind::Dynamic);
    Ok(OperatorSpec {
        gives: Gives::Made(vec![field, (count, Kind::Unsigned), (share, Kind::Double)]),
        like: vec![(fields[0].clone(), fields[0].clone())],
        class: StateClass::Commutative,
        bound: Some("one count for each of --max values"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(fields, move |context| {
            Box::new(Cumdist {
                tally: Tally::new(max, context),
                beyond: 0,
                seed: context.seed,
                rows: Vec::new(),
            })
        })
    })
}

struct Cumdist {
    tally: Tally,
    /// How many objects had values that were thrown away: they are part of the total.
    beyond: u64,
    seed: u64,
    rows: Vec<u16>,
}

impl Cumdist {
    fn evict(&mut self, gone: u64, out: &mut Output) {
        self.beyond = self.beyond.saturating_add(gone);
        bound::evict(&mut out.account, gone);
    }

    fn give(&mut self, position: Position, out: &mut Output) {
        let gone = self.tally.keep_lowest();
        self.evict(gone, out);
        let groups = self.tally.sorted();
        let counts = groups.iter().map(|group| self.tally.count(group));
        let total: u128 = counts.map(u128::from).sum::<u128>() + u128::from(self.beyond);
        let mut up_to = 0u128;
        let own = |count: u64| {
            let below = up_to;
            up_to += u128::from(count);
            let up_to = if is_planted("share-below") {
                below
            } else {
                up_to
            };
            let share = up_to as f64 / total as f64;
            [Value::Integer(count.into()), Value::Double(share)]
        };
        self.tally.emit(&groups, own, position, out);
    }
}

impl Operator for Cumdist {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let valid = view.column(0).map_or(Bitmap::EMPTY, |column| column.valid);
            let counted = view.part.selection.and(&valid);
            self.rows.clear();
            counted.for_each(|row| self.rows.push(row as u16));
            let gone = self
                .tally
                .add_rows(std::iter::once(view.column(0)), &self.rows);
            out.account.absorbed += self.rows.len() as u64;
            out.account.filtered += (view.part.count() - self.rows.len()) as u64;
            self.evict(gone, out);
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if matches!(control, Control::Watermark(_) | Control::Beside(_)) {
            return Ok(());
        }
        self.give(position, out);
        if matches!(control, Control::Close(_)) {
            self.tally.clear(self.seed);
            self.beyond = 0;
        }
        out.control(position, control.clone());
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
        out.number(self.beyond);
        self.tally.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.beyond = from.number()?;
        self.tally.load(from)
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Cumdist>(NAME, right)?;
        self.beyond = self.beyond.saturating_add(right.beyond);
        self.tally.merge(&right.tally);
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
