//! `sort`: gives objects in the order of their fields.

use super::keep::{Keeper, Kept};
use super::order::{Order, orders};
use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Position, key};

pub(super) static MODULE: Module = Module {
    name: "sort",
    summary: "Gives all objects at the end, in ascending order of the given fields.",
    details: "Objects without a field come first, then numbers by value, times, addresses (IPv4 \
              before IPv6), bytes and text. Equal objects keep their order. At a Flush it gives, \
              once, the objects that it has. Close and watermarks end here: what they say of \
              objects does not hold for objects given later.",
    parameters: &[
        Parameter {
            name: "-r",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The exact reverse of the ascending order: of equal objects the last one \
                      comes first.",
        },
        Parameter {
            name: "-b",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Sort every run of so many objects by itself, and give it at once.",
        },
        Parameter {
            name: "--order",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How each field is ordered, with colons between: asc or desc, with -first or \
                      -last behind it for where objects go that lack the field; asc-first unless \
                      given, -last with desc. Equal objects keep their order.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields to sort by, the most important one first.",
        },
    ],
    examples: &[
        Example {
            title: "packets by length",
            query: "sort len | print len srcip",
            input: "five.pcap",
            output: "54\t192.0.2.1\n60\n74\t192.0.2.1\n76\t192.0.2.2\n125\t192.0.2.2\n",
        },
        Example {
            title: "the longest packet",
            query: "sort -r len | head 1 | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "by address, then port",
            query: "where dstport | sort srcip dstport | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\n192.0.2.1\t443\n192.0.2.2\t53\n192.0.2.2\t80\n",
        },
        Example {
            title: "by port downwards, then by length; objects without a port come last",
            query: "sort --order desc:asc dstport len | print dstport len",
            input: "five.pcap",
            output: "443\t74\n80\t54\n80\t125\n53\t76\n\t60\n",
        },
        Example {
            title: "two at a time",
            query: "sort -b 2 len | print len",
            input: "five.pcap",
            output: "74\n125\n54\n60\n76\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let reverse = arguments.flag("-r");
    let run = match arguments.value("-b") {
        None => None,
        Some(word) => match word.text.parse::<usize>() {
            Ok(run) if run > 0 => Some(run),
            _ => {
                return Err(ArgumentError {
                    help: Some("-b is the number of objects in a run, at least 1".into()),
                    ..ArgumentError::at("sort", word, "is no number of objects")
                });
            }
        },
    };
    let fields = arguments.fields();
    let orders = orders(arguments, fields.len())?;
    Ok(OperatorSpec {
        gives: Gives::Retained(Vec::new()),
        // Where runs begin depends on how many objects came before.
        class: if run.is_some() {
            StateClass::Serial
        } else {
            StateClass::Ordered
        },
        bound: Some(if run.is_some() {
            "the objects of one run"
        } else {
            "all objects, in memory"
        }),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(fields, move |context| {
            Box::new(Sort::new(reverse, &orders, run, context))
        })
    })
}

struct Sort {
    reverse: bool,
    run: Option<usize>,
    /// For each field, how it is ordered.
    orders: Vec<Order>,
    keeper: Keeper,
    rows: Vec<Kept>,
    /// The keys of the rows, one after the other, and where each ends.
    keys: Vec<u8>,
    ends: Vec<usize>,
}

impl Sort {
    fn new(reverse: bool, orders: &[Order], run: Option<usize>, context: &Context) -> Sort {
        Sort {
            reverse,
            run,
            orders: orders.to_vec(),
            keeper: Keeper::new(context),
            rows: Vec::new(),
            keys: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.keys[start..self.ends[at]]
    }

    /// The first eight bytes of a key, which most comparisons end with.
    fn prefix(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        let key = self.key(at);
        let len = key.len().min(8);
        bytes[..len].copy_from_slice(&key[..len]);
        u64::from_be_bytes(bytes)
    }

    /// Gives what there is, in order, and forgets it.
    fn give(&mut self, position: Position, out: &mut Output) {
        let mut order: Vec<(u64, usize)> = (0..self.rows.len())
            .map(|at| (self.prefix(at), at))
            .collect();
        // The number of the row comes last, so that equal ones keep their order.
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| self.key(a.1).cmp(self.key(b.1)))
                .then(a.1.cmp(&b.1))
        });
        if self.reverse {
            order.reverse();
        }
        let rows = order.iter().map(|(_, at)| &self.rows[*at]);
        self.keeper.emit(rows, position, out);
        self.rows.clear();
        self.keys.clear();
        self.ends.clear();
    }
}

impl Operator for Sort {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            out.account.absorbed += view.part.count() as u64;
            for row in view.part.selection.iter() {
                for (at, order) in self.orders.iter().enumerate() {
                    let start = self.keys.len();
                    key::encode_row(view.column(at), row, &mut self.keys);
                    order.apply(&mut self.keys[start..]);
                }
                self.ends.push(self.keys.len());
                let mut kept = Kept::default();
                self.keeper.keep(*view, row, &mut kept);
                self.rows.push(kept);
                if self.run == Some(self.rows.len()) {
                    self.give(view.part.data.position(row), out);
                }
            }
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if matches!(control, Control::Flush) {
            self.give(position, out);
            out.control(position, Control::Flush);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.give(Position::END, out);
        Ok(())
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.rows.len() as u64);
        for (at, kept) in self.rows.iter().enumerate() {
            out.bytes(self.key(at));
            self.keeper.save(kept, out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            self.keys.extend_from_slice(from.bytes()?);
            self.ends.push(self.keys.len());
            self.rows.push(self.keeper.load(from)?);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        if self.run.is_some() {
            return Err(Error::Module {
                module: "sort",
                message: "with -b it is serial: parts cannot be merged".into(),
            });
        }
        let right = same_operator::<Sort>("sort", right)?;
        for (at, kept) in right.rows.iter().enumerate() {
            self.keys.extend_from_slice(right.key(at));
            self.ends.push(self.keys.len());
            self.rows.push(self.keeper.adopt(&right.keeper, kept));
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
