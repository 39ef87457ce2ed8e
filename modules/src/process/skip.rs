//! `skip`: passes all objects but the first.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict, View,
    same_operator,
};

pub(super) static MODULE: Module = Module {
    name: "skip",
    summary: "Passes all objects but the first N.",
    details: "What is skipped has been read: `print srcip | skip 2` prints all lines.",
    parameters: &[Parameter {
        name: "N",
        takes: Takes::Number,
        count: Count::One,
        summary: "How many objects.",
    }],
    examples: &[
        Example {
            title: "all but the first three packets",
            query: "skip 3 | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "the second and the third",
            query: "skip 1 | head 2 | print len",
            input: "five.pcap",
            output: "125\n60\n",
        },
        Example {
            title: "the second longest",
            query: "sort -r len | skip 1 | head 1 | print len",
            input: "five.pcap",
            output: "76\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let count = arguments.number(0).unwrap_or(0);
    Ok(OperatorSpec {
        class: StateClass::Ordered,
        skips: Some(count),
        bound: Some("one number"),
        ..OperatorSpec::stateless(Vec::new(), move |_| {
            Box::new(Skip {
                count,
                skipped: 0,
                part: None,
            })
        })
    })
}

struct Skip {
    count: u64,
    skipped: u64,
    /// In a part that does not know how many objects were before it: how many it has had. All of
    /// them stand until the merge.
    part: Option<u64>,
}

impl Operator for Skip {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            if let Some(objects) = &mut self.part {
                *objects = objects.saturating_add(view.part.count() as u64);
                out.pass(view.part, view.part.selection);
                continue;
            }
            let left = usize::try_from(self.count - self.skipped).unwrap_or(usize::MAX);
            let (first, rest) = view.part.selection.split_at_count(left);
            self.skipped += first.count() as u64;
            out.account.filtered += first.count() as u64;
            out.pass(view.part, rest);
        }
        Ok(Progress::Continue)
    }

    fn partial(&mut self) {
        self.part = Some(0);
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.skipped);
        // 0 where it is not a part, else one more than the objects it has had.
        out.number(self.part.map_or(0, |objects| objects.saturating_add(1)));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.skipped = from.number()?.min(self.count);
        self.part = from.number()?.checked_sub(1);
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Skip>("skip", right)?;
        let objects = right.part.unwrap_or(0);
        if let Some(mine) = &mut self.part {
            *mine = mine.saturating_add(objects);
            return Ok(Verdict::All);
        }
        let left = self.count - self.skipped;
        self.skipped += objects.min(left);
        Ok(Verdict::Each((0..objects).map(|at| at >= left).collect()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
