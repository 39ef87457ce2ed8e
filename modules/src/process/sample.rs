//! `sample`: passes every Nth object.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict, View,
    same_operator,
};
use wireq_typesys::Bitmap;

const NAME: &str = "sample";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Passes the first object and then every Nth one.",
    details: "",
    parameters: &[Parameter {
        name: "N",
        takes: Takes::Number,
        count: Count::One,
        summary: "One of how many objects, from 1.",
    }],
    examples: &[
        Example {
            title: "every second packet",
            query: "sample 2 | print frame.number",
            input: "five.pcap",
            output: "1\n3\n5\n",
        },
        Example {
            title: "every second one of a kind",
            query: "where ipprotocol = tcp | sample 2 | print frame.number",
            input: "five.pcap",
            output: "1\n4\n",
        },
        Example {
            title: "the first one alone",
            query: "sample 100 | count()",
            input: "five.pcap",
            output: "1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let every = match arguments.words().first() {
        Some(word) if word.text.parse() == Ok(0u64) => {
            return Err(ArgumentError {
                help: Some("`sample 1` passes all, `sample 2` every second object".into()),
                ..ArgumentError::at(NAME, word, "would pass no object at all")
            });
        }
        _ => arguments.number(0).unwrap_or(1),
    };
    Ok(OperatorSpec {
        class: StateClass::Ordered,
        bound: Some("one number"),
        ..OperatorSpec::stateless(Vec::new(), move |_| {
            Box::new(Sample {
                every,
                seen: 0,
                partial: false,
            })
        })
    })
}

struct Sample {
    /// At least 1.
    every: u64,
    seen: u64,
    /// A part that does not know how many objects came before it offers all of them: each may be
    /// the one. Nothing has to be kept for that.
    partial: bool,
}

impl Operator for Sample {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let rows = &view.part.selection;
            let count = rows.count();
            let mut passing = *rows;
            if !self.partial {
                passing = Bitmap::EMPTY;
                let mut phase = self.seen % self.every;
                rows.for_each(|row| {
                    if phase == 0 {
                        passing.set(row);
                    }
                    phase = if phase + 1 == self.every {
                        0
                    } else {
                        phase + 1
                    };
                });
            }
            self.seen = self.seen.wrapping_add(count as u64);
            out.account.filtered += (count - passing.count()) as u64;
            out.pass(view.part, passing);
        }
        Ok(Progress::Continue)
    }

    fn partial(&mut self) {
        self.partial = true;
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.seen);
        out.number(u64::from(self.partial));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.seen = from.number()?;
        self.partial = from.number()? != 0;
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Sample>("sample", right)?;
        let before = self.seen % self.every;
        self.seen = self.seen.wrapping_add(right.seen);
        if self.partial {
            // The beginning is still unknown: what the right part offered is offered on.
            return Ok(Verdict::All);
        }
        let stands = |at: u64| (before + at % self.every).is_multiple_of(self.every);
        Ok(Verdict::Each((0..right.seen).map(stands).collect()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
