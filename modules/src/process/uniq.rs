//! `uniq`: passes the first object of each distinct value.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::Groups;
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict,
    View, same_operator,
};
use wireq_typesys::{Bitmap, key};

pub(super) static MODULE: Module = Module {
    name: "uniq",
    summary: "Passes the first object of each distinct combination of values.",
    details: "A field that an object lacks is a value of its own: objects that lack all of the fields pass once.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::Some,
        summary: "The fields that must differ.",
    }],
    examples: &[
        Example {
            title: "who sends",
            query: "where srcip | uniq srcip | print srcip",
            input: "five.pcap",
            output: "192.0.2.1\n192.0.2.2\n",
        },
        Example {
            title: "who talks to which port",
            query: "uniq srcip dstport | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t443\n192.0.2.2\t80\n192.0.2.1\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "how many senders",
            query: "where srcip | uniq srcip | count()",
            input: "five.pcap",
            output: "2\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec {
        class: StateClass::Ordered,
        bound: Some("one key for each distinct combination"),
        ..OperatorSpec::stateless(arguments.fields(), |context| Box::new(Uniq::new(context)))
    })
}

struct Uniq {
    fields: usize,
    seen: Groups,
    /// The keys of the objects passed, in order, for those that come before this part.
    offered: Vec<Vec<u8>>,
    /// Whether what is passed are candidates only: see [`Operator::partial`].
    partial: bool,
    seed: u64,
    rows: Vec<u16>,
    numbers: Vec<u32>,
}

impl Uniq {
    fn new(context: &Context) -> Uniq {
        let fields = if is_planted("uniq-first-field-only") {
            1
        } else {
            context.fields.len()
        };
        Uniq {
            fields,
            seen: Groups::new(context.seed),
            offered: Vec::new(),
            partial: false,
            seed: context.seed,
            rows: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

impl Operator for Uniq {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        if is_planted("uniq-per-batch") {
            self.seen = Groups::new(self.seed);
        }
        for view in views {
            self.rows.clear();
            view.part
                .selection
                .for_each(|row| self.rows.push(row as u16));
            let mut first = Bitmap::EMPTY;
            let rows = &self.rows;
            let columns = (0..self.fields).map(|at| view.column(at));
            self.seen
                .number_rows(columns.clone(), rows, &mut self.numbers, |at| {
                    first.set(usize::from(rows[at]))
                });
            if self.partial {
                self.offered.extend(first.iter().map(|row| {
                    let mut bytes = Vec::new();
                    columns
                        .clone()
                        .for_each(|column| key::encode_row(column, row, &mut bytes));
                    bytes
                }));
            }
            out.account.filtered += (rows.len() - first.count()) as u64;
            out.pass(view.part, first);
        }
        Ok(Progress::Continue)
    }

    fn partial(&mut self) {
        self.partial = true;
    }

    fn save(&self, out: &mut Writer) {
        let keys = self.seen.sorted();
        out.number(keys.len() as u64);
        keys.iter()
            .for_each(|key| out.bytes(key.bytes(&mut [0; 32])));
        out.number(self.offered.len() as u64);
        self.offered.iter().for_each(|key| out.bytes(key));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            self.seen.number_key(from.bytes()?);
        }
        for _ in 0..from.number()? {
            self.offered.push(from.bytes()?.to_vec());
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Uniq>("uniq", right)?;
        let stands: Vec<bool> = right
            .offered
            .iter()
            .map(|key| self.seen.number_key(key).1)
            .collect();
        if self.partial {
            let kept = right
                .offered
                .iter()
                .zip(&stands)
                .filter(|(_, stands)| **stands);
            self.offered.extend(kept.map(|(key, _)| key.clone()));
        }
        Ok(Verdict::Each(stands))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
