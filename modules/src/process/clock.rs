//! `clock`: the tick that each object stands in.

use super::clockwork::{nanos, period};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec, Progress,
    StateClass, View,
};
use wireq_typesys::{ColumnBuilder, FieldPath, Kind, Position, Value, Zone};

pub(super) static MODULE: Module = Module {
    name: "clock",
    summary: "Attaches `clock`: a field in seconds, divided by a period and rounded down.",
    details: "The clock never goes backwards: where the field steps back, the tick before holds. \
              Before the object that advances it, the old tick is closed, so that a group by \
              clock behind it gives each tick as soon as it is over. Where the field is ts, a \
              watermark advances the clock too: a live source gives them while nothing comes. An \
              object without the field has no clock.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The period, such as 10s or 1m; one second unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "A time, a duration, or a number of seconds.",
        },
    ],
    examples: &[
        Example {
            title: "two seconds a tick",
            query: "clock -t 2s ts | print clock len",
            input: "five.pcap",
            output: "883612800\t74\n883612800\t125\n883612801\t60\n883612801\t54\n883612802\t76\n",
        },
        Example {
            title: "packets a minute",
            query: "clock -t 1m ts | print clock count() group by clock",
            input: "five.pcap",
            output: "29453760\t5\n",
        },
        Example {
            title: "each tick is given when it is over",
            query: "clock -t 2s ts | print clock sum(len) group by clock | head 1",
            input: "five.pcap",
            output: "883612800\t199\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let period = match arguments.value("-t") {
        Some(word) => period("clock", word, &Zone::utc())?,
        None => 1_000_000_000,
    };
    let by_ts = arguments
        .fields()
        .first()
        .is_some_and(|field| field.as_str() == "ts");
    Ok(OperatorSpec {
        gives: Gives::Annotated(vec![(FieldPath::new("clock"), Kind::Signed)]),
        on_control: OnControl::React,
        // Ticks of a part may stand behind those before it, and were given on already.
        class: StateClass::Serial,
        bound: Some("one number"),
        closes: [FieldPath::new("clock")].into(),
        ..OperatorSpec::stateless(arguments.fields(), move |context| {
            Box::new(Clock {
                period: period.into(),
                by_ts,
                path: FieldPath::new("clock"),
                zone: Arc::clone(&context.zone),
                tick: None,
            })
        })
    })
}

struct Clock {
    period: i128,
    /// Whether watermarks are of the same time.
    by_ts: bool,
    path: FieldPath,
    zone: Arc<Zone>,
    tick: Option<i128>,
}

impl Clock {
    /// The tick of a row; where it advances the clock, the old one too.
    fn row(&mut self, view: View<'_>, row: usize) -> (Value, Option<i128>) {
        let Some(nanos) = nanos(&view.value(0, row), &self.zone) else {
            return (Value::Absent, None);
        };
        let tick = nanos.div_euclid(self.period);
        let old = self.tick.filter(|old| *old < tick);
        let tick = self.tick.map_or(tick, |old| old.max(tick));
        self.tick = Some(tick);
        (Value::Integer(tick), old)
    }
}

impl Operator for Clock {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let (part, selection) = (view.part, view.part.selection);
            let mut column = ColumnBuilder::default();
            let mut advances = Vec::new();
            for row in 0..part.data.len() {
                let (tick, old) = if selection.get(row) {
                    self.row(*view, row)
                } else {
                    (Value::Absent, None)
                };
                column.push(tick);
                advances.extend(old.map(|old| (row, old)));
            }
            let column = column.finish();
            let mut rest = selection;
            for (row, old) in advances {
                let before = rest.range(0, row);
                out.annotate(part, before, vec![column.clone()]);
                let close = Control::Close(vec![(self.path.clone(), Value::Integer(old))]);
                out.control(part.data.position(row), close);
                rest = rest.minus(&before);
            }
            out.annotate(part, rest, vec![column]);
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let (Control::Watermark(time), Some(old), true) = (control, self.tick, self.by_ts) {
            let tick = i128::from(*time).div_euclid(self.period);
            if old < tick {
                self.tick = Some(tick);
                let close = Control::Close(vec![(self.path.clone(), Value::Integer(old))]);
                out.control(position, close);
            }
        }
        out.control(position, control.clone());
        Ok(())
    }

    fn save(&self, out: &mut Writer) {
        out.value(&self.tick.map_or(Value::Absent, Value::Integer));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.tick = from.value()?.as_integer();
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
