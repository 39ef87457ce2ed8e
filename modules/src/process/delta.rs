//! `delta` and `derivative`: differences from the object before.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::evaluate::arithmetic;
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Gives, Module, Operator, OperatorSpec, Progress, StateClass, View,
};
use wireq_typesys::{ColumnBuilder, FieldPath, Kind, Value};

pub(super) static DELTA: Module = Module {
    name: "delta",
    summary: "Attaches the difference of a field from its value in the object before.",
    details: "Differences of integers are exact, those of times are durations. The object before \
              is the latest one that had a number, time or duration there; the first one has no \
              delta, nor has a value that cannot be subtracted from the one before.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the attached field, `delta` unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "A field of numbers, times or durations.",
        },
    ],
    examples: &[
        Example {
            title: "how much longer than the packet before",
            query: "delta len | print len delta",
            input: "five.pcap",
            output: "74\n125\t51\n60\t-65\n54\t-6\n76\t22\n",
        },
        Example {
            title: "time between packets to a port",
            query: "where dstport = 80 | delta ts | print srcip delta",
            input: "five.pcap",
            output: "192.0.2.2\n192.0.2.1\t2\n",
        },
        Example {
            title: "the longest silence",
            query: "where srcip | delta -f gap ts | max(gap)",
            input: "five.pcap",
            output: "2\n",
        },
    ],
    build: Build::Operator(build_delta),
};

pub(super) static DERIVATIVE: Module = Module {
    name: "derivative",
    summary: "Attaches how fast a field changes with another: the difference of Y from the object before, divided by that of X.",
    details: "The object before is the latest one that had both fields as numbers, times or \
              durations; times and durations count in seconds. There is no derivative for the \
              first such object, and where X did not change.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the attached field, `derivative` unless given.",
        },
        Parameter {
            name: "Y",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field that changes.",
        },
        Parameter {
            name: "X",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field that it changes with, mostly a time.",
        },
    ],
    examples: &[
        Example {
            title: "change of length a second",
            query: "derivative len ts | print len derivative",
            input: "five.pcap",
            output: "74\n125\t51\n60\t-65\n54\t-6\n76\t22\n",
        },
        Example {
            title: "only packets with ports",
            query: "where srcport | derivative srcport ts | print srcport derivative",
            input: "five.pcap",
            output: "40001\n40002\t1\n40004\t1\n40005\t1\n",
        },
        Example {
            title: "where nothing changes there is none",
            query: "derivative -f slope len ttl | where slope | count()",
            input: "five.pcap",
            output: "",
        },
    ],
    build: Build::Operator(build_derivative),
};

fn build_delta(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    build(arguments, "delta", |before, now| {
        arithmetic(ArithmeticOp::Subtract, &now[0], &before[0])
    })
}

fn build_derivative(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    build(arguments, "derivative", slope)
}

fn build(
    arguments: &Arguments,
    module: &'static str,
    difference: fn(&[Value], &[Value]) -> Value,
) -> Result<OperatorSpec, ArgumentError> {
    let name = match arguments.value("-f") {
        Some(word) if word.text.is_empty() => {
            return Err(ArgumentError::at(module, word, "is no name of a field"));
        }
        Some(word) => FieldPath::new(&word.text),
        None => FieldPath::new(module),
    };
    Ok(OperatorSpec {
        // What a difference is depends on the kind of the field.
        gives: Gives::Annotated(vec![(name, Kind::Dynamic)]),
        // The first object of a part needs the last one before it, and was given on already.
        class: StateClass::Serial,
        bound: Some("the values of one object"),
        ..OperatorSpec::stateless(arguments.fields(), move |context| {
            Box::new(Difference {
                difference,
                now: vec![Value::Absent; context.fields.len()],
                before: None,
            })
        })
    })
}

struct Difference {
    /// From the values before and now.
    difference: fn(&[Value], &[Value]) -> Value,
    now: Vec<Value>,
    /// The fields of the latest object that had all of them.
    before: Option<Vec<Value>>,
}

/// Whether something can be subtracted from a value.
fn is_quantity(value: &Value) -> bool {
    match value {
        Value::Absent => false,
        Value::Integer(_) | Value::Double(_) | Value::Time(_) | Value::Duration(_) => true,
        other => !arithmetic(ArithmeticOp::Subtract, other, other).is_absent(),
    }
}

/// The rise of the first value over that of the second.
fn slope(before: &[Value], now: &[Value]) -> Value {
    let rise = |at: usize| {
        Some(
            match arithmetic(ArithmeticOp::Subtract, &now[at], &before[at]) {
                Value::Integer(number) => (number as f64, false),
                Value::Double(number) => (number, false),
                Value::Duration(nanos) => (nanos as f64, true),
                _ => return None,
            },
        )
    };
    let (Some((y, y_nanos)), Some((x, x_nanos))) = (rise(0), rise(1)) else {
        return Value::Absent;
    };
    let slope = match (y_nanos, x_nanos) {
        (false, true) => y * 1e9 / x,
        (true, false) => y / (x * 1e9),
        _ => y / x,
    };
    if x == 0.0 || slope.is_nan() {
        Value::Absent
    } else {
        Value::Double(slope)
    }
}

impl Difference {
    /// The difference of a row from the one before.
    fn row(&mut self, view: View<'_>, row: usize) -> Value {
        for (at, value) in self.now.iter_mut().enumerate() {
            *value = view.value(at, row);
        }
        if !self.now.iter().all(is_quantity) {
            return Value::Absent;
        }
        match &mut self.before {
            Some(before) => {
                let difference = (self.difference)(before, &self.now);
                std::mem::swap(before, &mut self.now);
                difference
            }
            None => {
                self.before = Some(self.now.clone());
                Value::Absent
            }
        }
    }
}

impl Operator for Difference {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = view.part.selection;
            let mut column = ColumnBuilder::default();
            for row in 0..view.part.data.len() {
                column.push(if selection.get(row) {
                    self.row(*view, row)
                } else {
                    Value::Absent
                });
            }
            out.annotate(view.part, selection, vec![column.finish()]);
        }
        Ok(Progress::Continue)
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.before.is_some()));
        for value in self.before.iter().flatten() {
            out.value(value);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        if from.number()? != 0 {
            let values = self.now.iter().map(|_| from.value());
            self.before = Some(values.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
