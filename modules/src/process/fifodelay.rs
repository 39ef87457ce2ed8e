//! `fifodelay`: objects in the order of a time, from a stream that is nearly so.

use super::bound;
use super::clockwork::nanos;
use super::keep::{Keeper, Kept};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, View,
};
use wireq_typesys::{FieldPath, Kind, Literal, Position, Value, Zone};

const NAME: &str = "fifodelay";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Puts objects in the order of a time, holding each back until time has moved on by a lag.",
    details: "Time is the highest input time so far: an object is given when its output time is the \
              lag or more behind that, and the rest at the end. Objects of equal times keep their \
              order. Where no object comes later than the lag, all are in order; one that does is \
              given at once, as is one without an output time; one without an input time does not \
              move time on. A time is also a number of seconds since 1970. At a Flush it gives \
              all it has, and passes it. A watermark gives what it says is complete, and passes, \
              where the output time is ts; other watermarks and Close end here. Of more objects \
              than --max the earliest are given before their time; none is lost.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The lag, such as 250ms or 5s; 0 unless given.",
        },
        Parameter {
            name: "-i",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The input time, which moves time on; `ts` unless given.",
        },
        Parameter {
            name: "-o",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The output time, which objects are ordered by; `ts` unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N objects; the earliest goes first; 10000000 unless given.",
        },
    ],
    examples: &[
        Example {
            title: "what is in order stays so",
            query: "fifodelay -t 2s | print ts.sec len",
            input: "five.pcap",
            output: "1767225600\t74\n1767225601\t125\n1767225602\t60\n1767225603\t54\n1767225604\t76\n",
        },
        Example {
            title: "several captures of the same seconds as one",
            query: "pcapfile five.pcap five-nano-be.pcap | fifodelay -t 10s | print ts.sec | head 3",
            input: "",
            output: "1767225600\n1767225600\n1767225601\n",
        },
        Example {
            title: "then time does not step back",
            query: "pcapfile five.pcap five-nano-be.pcap | fifodelay -t 10s | delta ts | min(delta)",
            input: "",
            output: "0.000000789\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let lag = arguments.value("-t").map_or(Ok(0), lag)?;
    let max = bound::read(NAME, arguments)?;
    let field = |flag| FieldPath::new(arguments.value(flag).map_or("ts", |word| &word.text));
    Ok(OperatorSpec {
        gives: Gives::Retained(Vec::new()),
        // What is given when depends on the times before.
        class: StateClass::Serial,
        bound: Some("the objects of one lag, --max at most"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(vec![field("-i"), field("-o")], move |context| {
            Box::new(FifoDelay::new(lag, max, context))
        })
    })
}

fn lag(word: &Word) -> Result<i128, ArgumentError> {
    match Literal::new(&word.text).read(Kind::Duration, &Zone::utc()) {
        Some(Value::Duration(nanos)) if nanos >= 0 => Ok(nanos.into()),
        _ => Err(ArgumentError {
            help: Some("write a duration from 0, such as 10s, 250ms or 1h30m".into()),
            ..ArgumentError::at(NAME, word, "is no lag")
        }),
    }
}

struct FifoDelay {
    lag: i128,
    max: usize,
    /// Whether watermarks speak of the output time.
    by_ts: bool,
    zone: Arc<Zone>,
    keeper: Keeper,
    /// The objects by output time; equal times in the order in which they came.
    waiting: BTreeMap<(i128, u64), Kept>,
    /// How many objects came.
    came: u64,
    /// The highest input time.
    edge: Option<i128>,
    memory: usize,
    /// What is given in this step.
    given: Vec<(Kept, Position)>,
}

impl FifoDelay {
    fn new(lag: i128, max: usize, context: &Context) -> FifoDelay {
        FifoDelay {
            lag,
            max,
            by_ts: context.fields.last().is_some_and(|o| o.as_str() == "ts"),
            zone: Arc::clone(&context.zone),
            keeper: Keeper::new(context),
            waiting: BTreeMap::new(),
            came: 0,
            edge: None,
            memory: 0,
            given: Vec::new(),
        }
    }

    /// Takes an object in, and what is due then out.
    fn take(&mut self, view: View<'_>, row: usize) {
        let edge = nanos(&view.value(0, row), &self.zone);
        let time = nanos(&view.value(1, row), &self.zone);
        let mut kept = Kept::default();
        self.keeper.keep(view, row, &mut kept);
        let position = view.part.data.position(row);
        match time {
            Some(time) => self.wait(time, kept),
            None => self.given.push((kept, position)),
        }
        self.edge = self.edge.max(edge);
        if let Some(edge) = self.edge {
            let lag = if is_planted("lag-is-none") {
                0
            } else {
                self.lag
            };
            let due = edge.saturating_sub(lag);
            self.release(|time| time <= due, position);
        }
        while self.waiting.len() > self.max {
            self.release_first(position);
        }
    }

    fn wait(&mut self, time: i128, kept: Kept) {
        self.memory += memory(&kept);
        self.waiting.insert((time, self.came), kept);
        self.came += 1;
    }

    fn release(&mut self, is_due: impl Fn(i128) -> bool, position: Position) {
        while let Some(((time, _), _)) = self.waiting.first_key_value() {
            if !is_due(*time) {
                break;
            }
            self.release_first(position);
        }
    }

    fn release_first(&mut self, position: Position) {
        if let Some((_, kept)) = self.waiting.pop_first() {
            self.memory -= memory(&kept);
            self.given.push((kept, position));
        }
    }

    fn give(&mut self, out: &mut Output) {
        self.keeper.emit_each(&self.given, out);
        self.given.clear();
    }
}

/// About how many bytes an object takes with its place in the order.
fn memory(kept: &Kept) -> usize {
    kept.memory() + size_of::<(i128, u64)>()
}

fn optional(time: Option<i128>) -> Value {
    time.map_or(Value::Absent, Value::Integer)
}

impl Operator for FifoDelay {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            out.account.absorbed += view.part.count() as u64;
            for row in view.part.selection.iter() {
                self.take(*view, row);
            }
        }
        self.give(out);
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        match control {
            Control::Flush => self.release(|_| true, position),
            // Held objects are not before it, and none that comes will be.
            Control::Watermark(mark) if self.by_ts => {
                self.release(|time| time < i128::from(*mark), position);
            }
            Control::Beside(_) => {}
            Control::Watermark(_) | Control::Close(_) => return Ok(()),
        }
        self.give(out);
        out.control(position, control.clone());
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.release(|_| true, Position::END);
        self.give(out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.memory
    }

    fn save(&self, out: &mut Writer) {
        out.value(&optional(self.edge));
        out.number(self.waiting.len() as u64);
        for ((time, _), kept) in &self.waiting {
            out.value(&Value::Integer(*time));
            self.keeper.save(kept, out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.edge = from.value()?.as_integer();
        for _ in 0..from.number()? {
            let time = from.value()?.as_integer();
            let time = time.ok_or_else(|| Error::Snapshot("a time is an integer".into()))?;
            let kept = self.keeper.load(from)?;
            // In order already: numbers of the coming follow it.
            self.wait(time, kept);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
