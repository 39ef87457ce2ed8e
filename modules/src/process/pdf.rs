//! `pdf`: the share that each object has in a total.

use super::keep::{Keeper, Kept};
use super::quantity::each_quantity;
use super::{bound, stateless};
use std::any::Any;
use std::collections::VecDeque;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{ExactSum, FieldPath, Kind, Position, Value};

const NAME: &str = "pdf";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives all objects at the end, each with its share of the total of a count as `probability`.",
    details: "The order stays. The shares add up to 1: behind a group by, this is the empirical \
              distribution of its keys. A count is a number from 0, or text that is one; durations \
              count in seconds. An object without a count is given without a probability, as are \
              all where the total is 0. At a Flush or a Close it gives what it has, begins anew, \
              and hands the control on: behind a group by that a clock closes, each tick has a \
              distribution of its own. Watermarks end here: what they say of objects does not \
              hold for objects given later. Of more objects than --max the oldest are thrown \
              away, and count no more.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the attached field, `probability` unless given.",
        },
        Parameter {
            name: "-c",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The field that counts, `count` unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N objects; what came longest ago goes first; 10000000 unless given.",
        },
    ],
    examples: &[
        Example {
            title: "how packets are distributed over ports",
            query: "count() group by dstport | pdf | print dstport probability",
            input: "five.pcap",
            output: "53\t0.25\n80\t0.5\n443\t0.25\n",
        },
        Example {
            title: "each sender's share of the bytes",
            query: "where srcip | sum(len) group by srcip | pdf -c sum -f share | where share > 0.5 | print srcip sum",
            input: "five.pcap",
            output: "192.0.2.2\t201\n",
        },
        Example {
            title: "a distribution for every two seconds",
            query: "clock -t 2s ts | count() group by clock srcip | pdf | print clock srcip probability",
            input: "five.pcap",
            output: "883612800\t192.0.2.1\t0.5\n883612800\t192.0.2.2\t0.5\n883612801\t\t0.5\n883612801\t192.0.2.1\t0.5\n883612802\t192.0.2.2\t1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let column = stateless::column_name(NAME, arguments, "probability")?;
    let count = arguments.value("-c").map_or("count", |word| &word.text);
    let max = bound::read(NAME, arguments)?;
    Ok(OperatorSpec {
        gives: Gives::Retained(vec![(column, Kind::Double)]),
        class: StateClass::Ordered,
        bound: Some("--max objects"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(vec![FieldPath::new(count)], move |context| {
            Box::new(Pdf::new(max, context))
        })
    })
}

struct Pdf {
    max: usize,
    keeper: Keeper,
    /// The objects with their counts; none is not a number.
    rows: VecDeque<(Kept, f64)>,
    memory: usize,
    counts: Vec<f64>,
}

const NO_COUNT: f64 = f64::NAN;

impl Pdf {
    fn new(max: usize, context: &Context) -> Pdf {
        Pdf {
            max,
            keeper: Keeper::new(context),
            rows: VecDeque::new(),
            memory: 0,
            counts: Vec::new(),
        }
    }

    /// Takes out the oldest object where there are as many as there may be, for its buffer; says
    /// whether there was one to take.
    fn make_room(&mut self) -> (Kept, bool) {
        if self.rows.len() < self.max {
            return (Kept::default(), false);
        }
        let (kept, _) = self.rows.pop_front().unwrap_or_default();
        self.memory -= memory(&kept);
        (kept, true)
    }

    fn push(&mut self, kept: Kept, count: f64) {
        self.memory += memory(&kept);
        self.rows.push_back((kept, count));
    }

    /// Gives what there is, and begins anew.
    fn give(&mut self, position: Position, out: &mut Output) {
        let mut total = ExactSum::default();
        let counts = self.rows.iter().map(|(_, count)| *count);
        counts.filter(|count| !count.is_nan()).for_each(|count| {
            total.add(if is_planted("share-of-objects") {
                1.0
            } else {
                count
            })
        });
        let total = total.value();
        let share = |count: f64| match count / total {
            share if total.is_finite() && !share.is_nan() => Value::Double(share),
            _ => Value::Absent,
        };
        let rows = self.rows.iter().map(|(kept, count)| (kept, share(*count)));
        self.keeper.emit_with(rows, position, out);
        self.rows.clear();
        self.memory = 0;
    }
}

fn memory(kept: &Kept) -> usize {
    kept.memory() + size_of::<f64>()
}

impl Operator for Pdf {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = &view.part.selection;
            let mut counts = std::mem::take(&mut self.counts);
            counts.clear();
            counts.resize(view.part.data.len(), NO_COUNT);
            each_quantity(view.column(0), selection, |row, count| {
                if count >= 0.0 && count.is_finite() {
                    counts[row] = count.abs(); // not -0
                }
            });
            let mut evicted = 0;
            for row in selection.iter() {
                let (mut kept, is_old) = self.make_room();
                evicted += u64::from(is_old);
                self.keeper.keep(*view, row, &mut kept);
                self.push(kept, counts[row]);
            }
            out.account.absorbed += selection.count() as u64;
            bound::evict(&mut out.account, evicted);
            self.counts = counts;
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if !matches!(control, Control::Watermark(_) | Control::Beside(_)) {
            self.give(position, out);
            out.control(position, control.clone());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.give(Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.memory
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.rows.len() as u64);
        for (kept, count) in &self.rows {
            self.keeper.save(kept, out);
            out.number(count.to_bits());
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            self.make_room();
            let kept = self.keeper.load(from)?;
            let count = f64::from_bits(from.number()?);
            let valid = count >= 0.0 && count.is_finite();
            self.push(kept, if valid { count } else { NO_COUNT });
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Pdf>(NAME, right)?;
        for (kept, count) in &right.rows {
            self.make_room();
            let kept = self.keeper.adopt(&right.keeper, kept);
            self.push(kept, *count);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
