//! `head`: passes the first objects.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict, View,
    same_operator,
};

pub(super) static MODULE: Module = Module {
    name: "head",
    summary: "Passes the first N objects, then ends what only it reads from.",
    details: "A source that nothing else reads from is not read any further, and side effects before \
              `head` act only on the objects that it took: `print srcip | head 2` prints two lines.",
    parameters: &[Parameter {
        name: "N",
        takes: Takes::Number,
        count: Count::One,
        summary: "How many objects.",
    }],
    examples: &[
        Example {
            title: "the first two packets",
            query: "head 2 | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t443\n192.0.2.2\t80\n",
        },
        Example {
            title: "the first packet to a port",
            query: "where dstport = 80 | head 1 | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "a side effect before head",
            query: "print srcip | head 1",
            input: "five.pcap",
            output: "192.0.2.1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let limit = arguments.number(0).unwrap_or(0);
    Ok(OperatorSpec {
        class: StateClass::Ordered,
        stops: true,
        takes: Some(limit),
        bound: Some("one number"),
        ..OperatorSpec::stateless(Vec::new(), move |_| Box::new(Head { limit, taken: 0 }))
    })
}

struct Head {
    limit: u64,
    taken: u64,
}

impl Operator for Head {
    fn wants_rows(&self) -> bool {
        self.limit > 0
    }

    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        let limit = self.limit + u64::from(is_planted("head-one-more"));
        if is_planted("head-per-batch") {
            self.taken = 0;
        }
        let mut taken = 0;
        for view in views {
            let left = usize::try_from(limit.saturating_sub(self.taken)).unwrap_or(usize::MAX);
            let (first, rest) = view.part.selection.split_at_count(left);
            let count = first.count();
            out.pass(view.part, first);
            out.account.cut += rest.count() as u64;
            self.taken += count as u64;
            taken += count;
        }
        Ok(if self.taken >= limit {
            Progress::Done { taken }
        } else {
            Progress::Continue
        })
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.taken);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.taken = from.number()?;
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Head>("head", right)?;
        let left = self.limit.saturating_sub(self.taken);
        self.taken += right.taken.min(left);
        Ok(Verdict::Each(
            (0..right.taken).map(|at| at < left).collect(),
        ))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
