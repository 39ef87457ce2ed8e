//! `tail`: gives the last objects.

use super::keep::{Keeper, Kept};
use std::any::Any;
use std::collections::VecDeque;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::Position;

pub(super) static MODULE: Module = Module {
    name: "tail",
    summary: "Gives the last N objects at the end, in their order.",
    details: "At a Flush it gives the last ones so far, and keeps them. Close and watermarks end \
              here: what they say of objects does not hold for objects given later.",
    parameters: &[Parameter {
        name: "N",
        takes: Takes::Number,
        count: Count::One,
        summary: "How many objects.",
    }],
    examples: &[
        Example {
            title: "the last two packets",
            query: "tail 2 | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "the last packet to a port",
            query: "where dstport = 80 | tail 1 | print srcip len",
            input: "five.pcap",
            output: "192.0.2.1\t54\n",
        },
        Example {
            title: "the third and the second from the end",
            query: "tail 3 | head 2 | print len",
            input: "five.pcap",
            output: "60\n54\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let limit = arguments.number(0).unwrap_or(0);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(OperatorSpec {
        gives: Gives::Retained(Vec::new()),
        class: StateClass::Ordered,
        stops: limit == 0,
        bound: Some("N objects"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Tail::new(limit, context))
        })
    })
}

struct Tail {
    limit: usize,
    keeper: Keeper,
    rows: VecDeque<Kept>,
    /// What these take beyond their size.
    beyond: usize,
}

impl Tail {
    fn new(limit: usize, context: &Context) -> Tail {
        Tail {
            limit,
            keeper: Keeper::new(context),
            rows: VecDeque::new(),
            beyond: 0,
        }
    }

    /// Takes out the oldest row where there are as many as there may be, for its buffer.
    fn make_room(&mut self) -> Kept {
        if self.rows.len() < self.limit {
            return Kept::default();
        }
        let oldest = self.rows.pop_front().unwrap_or_default();
        self.beyond -= oldest.beyond();
        oldest
    }

    fn push(&mut self, kept: Kept) {
        self.beyond += kept.beyond();
        self.rows.push_back(kept);
    }
}

impl Operator for Tail {
    fn wants_rows(&self) -> bool {
        self.limit > 0
    }

    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        if self.limit == 0 {
            let rows = views.iter().map(|view| view.part.count() as u64);
            out.account.cut += rows.sum::<u64>();
            return Ok(Progress::Done { taken: 0 });
        }
        for view in views {
            let selection = view.part.selection;
            let count = selection.count();
            out.account.absorbed += count as u64;
            // Rows that later ones of the same part push out are not kept to begin with.
            let (_, last) = selection.split_at_count(count.saturating_sub(self.limit));
            for row in last.iter() {
                let mut kept = self.make_room();
                self.keeper.keep(*view, row, &mut kept);
                self.push(kept);
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
            self.keeper.emit(&self.rows, position, out);
            out.control(position, Control::Flush);
        } else if matches!(control, Control::Beside(_)) {
            out.control(position, control.clone());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.keeper.emit(&self.rows, Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.rows.capacity() * size_of::<Kept>() + self.beyond
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.rows.len() as u64);
        self.rows
            .iter()
            .for_each(|kept| self.keeper.save(kept, out));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            self.make_room();
            let kept = self.keeper.load(from)?;
            self.push(kept);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Tail>("tail", right)?;
        for kept in &right.rows {
            self.make_room();
            let adopted = self.keeper.adopt(&right.keeper, kept);
            self.push(adopted);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
