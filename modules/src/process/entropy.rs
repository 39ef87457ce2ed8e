//! `entropy`: how evenly probabilities are spread.

use super::keep::{Keeper, Kept};
use super::quantity::each_quantity;
use crate::aggregate::{load_sum, save_sum};
use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Bitmap, ExactSum, FieldPath, Kind, Position, Value};

const NAME: &str = "entropy";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives the last object at the end, with the entropy of a field of probabilities as `entropy`.",
    details: "The entropy is the sum of -p log2 p, in bits: 0 where one value has all, the logarithm \
              of their number where all are alike. The sum is exact, so the order of the objects \
              does not show. An object whose field is no number from 0 to 1 is filtered; where \
              all are, there is no entropy. Probabilities come from pdf. At a Flush or a Close it \
              gives what it has, begins anew, and hands the control on: one entropy a tick of a \
              clock. Watermarks end here: what they say of objects does not hold for an object \
              given later.",
    parameters: &[Parameter {
        name: "-f",
        takes: Takes::Field,
        count: Count::Optional,
        summary: "The field of probabilities, `probability` unless given.",
    }],
    examples: &[
        Example {
            title: "how evenly packets are spread over ports",
            query: "count() group by dstport | pdf | entropy | print entropy",
            input: "five.pcap",
            output: "1.5\n",
        },
        Example {
            title: "two senders alike have one bit",
            query: "where srcip | count() group by srcip | pdf -f p | entropy -f p | print entropy",
            input: "five.pcap",
            output: "1\n",
        },
        Example {
            title: "of senders, for every two seconds",
            query: "clock -t 2s ts | count() group by clock srcip | pdf | entropy | print clock entropy",
            input: "five.pcap",
            output: "883612800\t1\n883612801\t1\n883612802\t0\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let field = arguments.value("-f");
    let field = field.map_or("probability", |word| &word.text);
    Ok(OperatorSpec {
        gives: Gives::Retained(vec![(FieldPath::new(NAME), Kind::Double)]),
        class: StateClass::Ordered,
        bound: Some("one sum and one object"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(vec![FieldPath::new(field)], move |context| {
            Box::new(Entropy::new(context))
        })
    })
}

struct Entropy {
    keeper: Keeper,
    sum: ExactSum,
    /// The last object that had a probability.
    last: Option<Kept>,
}

impl Entropy {
    fn new(context: &Context) -> Entropy {
        Entropy {
            keeper: Keeper::new(context),
            sum: ExactSum::default(),
            last: None,
        }
    }

    /// Gives what there is, and begins anew.
    fn give(&mut self, position: Position, out: &mut Output) {
        let entropy = Value::Double(self.sum.value());
        let row = self.last.iter().map(|kept| (kept, entropy.clone()));
        self.keeper.emit_with(row, position, out);
        self.sum = ExactSum::default();
        self.last = None;
    }
}

/// What a probability adds to the entropy. Nothing is sure of what never or always happens.
fn surprise(probability: f64) -> f64 {
    if probability == 0.0 {
        return 0.0;
    }
    // The logarithm of 1 would give -0.
    (-probability * probability.log2()).max(0.0)
}

impl Operator for Entropy {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = &view.part.selection;
            let mut counted = Bitmap::EMPTY;
            each_quantity(view.column(0), selection, |row, probability| {
                if (0.0..=1.0).contains(&probability) {
                    counted.set(row);
                    self.sum.add(surprise(probability));
                }
            });
            if let Some(row) = counted.highest() {
                let kept = self.last.get_or_insert_default();
                self.keeper.keep(*view, row, kept);
            }
            let count = counted.count() as u64;
            out.account.absorbed += count;
            out.account.filtered += selection.count() as u64 - count;
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
        // A sum of doubles has few chunks: their exponents lie close together.
        size_of::<Entropy>() + self.last.as_ref().map_or(0, Kept::memory)
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.last.is_some()));
        if let Some(kept) = &self.last {
            self.keeper.save(kept, out);
            save_sum(Some(&self.sum), out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        if from.number()? != 0 {
            self.last = Some(self.keeper.load(from)?);
            self.sum = *load_sum(from)?.unwrap_or_default();
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Entropy>(NAME, right)?;
        if let Some(kept) = &right.last {
            self.last = Some(self.keeper.adopt(&right.keeper, kept));
            self.sum.merge(&right.sum);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
