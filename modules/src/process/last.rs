//! `last`: the latest object of each distinct value.

use super::clockwork::{nanos, period};
use super::close::{concerns, fields_of, is_about};
use super::keep::{Keeper, Kept};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::{Groups, KEY_ROOM};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, Needs, OnControl, Operator,
    OperatorSpec, Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Bitmap, FieldPath, Position, ROWS_MAX, Value, Zone};

pub(super) static MODULE: Module = Module {
    name: "last",
    summary: "Gives the latest object of each distinct combination of values at the end, in the order of these.",
    details: "A field that an object lacks is a value of its own. With -t, the first object of each \
              further interval of data time (field ts, intervals counted from 1970) makes it give \
              what came before that object, close each combination (a group by behind it gives \
              its groups), and begin anew; so does a watermark, which a live source gives while \
              nothing comes. Time that steps back opens no earlier interval, and an \
              object without ts counts to the current one. A Close from before that names nothing but \
              fields of this module gives and forgets their objects, and passes; other Close and \
              watermarks end here. At a Flush it gives what it has, and keeps it.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "Give and begin anew after each such interval of data time, such as 10s or 1m.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields that must differ.",
        },
    ],
    examples: &[
        Example {
            title: "the latest packet of each sender",
            query: "where srcip | last srcip | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "the latest of each port and protocol",
            query: "where dstport | last ipprotocol dstport | print ipprotocol dstport len",
            input: "five.pcap",
            output: "tcp\t80\t54\ntcp\t443\t74\nudp\t53\t76\n",
        },
        Example {
            title: "every two seconds",
            query: "last -t 2s srcip | print ts.sec srcip len",
            input: "five.pcap",
            output: "1767225600\t192.0.2.1\t74\n1767225601\t192.0.2.2\t125\n1767225602\t\t60\n1767225603\t192.0.2.1\t54\n1767225604\t192.0.2.2\t76\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let period = arguments
        .value("-t")
        .map(|word| period("last", word, &Zone::utc()))
        .transpose()?;
    let mut needs = arguments.fields();
    let keys = needs.len();
    needs.extend(period.map(|_| FieldPath::new("ts")));
    Ok(OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Retained(Vec::new()),
        // What an interval holds depends on the times before.
        class: if period.is_some() {
            StateClass::Serial
        } else {
            StateClass::Ordered
        },
        grows: period.is_none(),
        closes: match period {
            Some(_) => arguments.fields().into(),
            None => Arc::default(),
        },
        bound: Some("one object for each distinct combination"),
        on_control: OnControl::React,
        // What differs in a further field is another combination.
        divided: match period {
            Some(_) => None,
            None => Some(Arc::new(move |context| {
                let keys = keys + usize::from(!is_planted("table-last-drops-a-key"));
                Box::new(Last::new(keys, None, context))
            })),
        },
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Last::new(keys, period, context))
        })
    })
}

struct Last {
    /// The fields that must differ; behind them in the view stands `ts`, with a period.
    keys: Vec<FieldPath>,
    period: Option<i64>,
    zone: Arc<Zone>,
    seed: u64,
    keeper: Keeper,
    groups: Groups,
    /// The object of each group, by its number.
    kept: Vec<Kept>,
    /// What these take beyond their size.
    beyond: usize,
    /// The number of the interval that objects come in.
    interval: Option<i128>,

    rows: Vec<u16>,
    numbers: Vec<u32>,
    /// Per group the last row of the rows at hand, and which groups have one.
    last_row: Vec<u16>,
    touched: Vec<u32>,
}

const NO_ROW: u16 = u16::MAX;

impl Last {
    fn new(keys: usize, period: Option<i64>, context: &Context) -> Last {
        Last {
            keys: context.fields.iter().take(keys).cloned().collect(),
            period,
            zone: Arc::clone(&context.zone),
            seed: context.seed,
            keeper: Keeper::new(context),
            groups: Groups::new(context.seed),
            kept: Vec::new(),
            beyond: 0,
            interval: None,

            rows: Vec::new(),
            numbers: Vec::new(),
            last_row: Vec::new(),
            touched: Vec::new(),
        }
    }

    fn grow(&mut self) {
        let groups = self.groups.limit().max(self.kept.len());
        self.kept.resize_with(groups, Kept::default);
        self.last_row.resize(groups, NO_ROW);
    }

    fn set(&mut self, number: u32, kept: Kept) {
        self.beyond += kept.beyond();
        let before = std::mem::replace(&mut self.kept[number as usize], kept);
        self.beyond -= before.beyond();
    }

    /// Takes rows in; each group's last one is read, no other.
    fn take(&mut self, view: View<'_>, selection: &Bitmap) {
        self.rows.clear();
        selection.for_each(|row| self.rows.push(row as u16));
        let columns = (0..self.keys.len()).map(|at| view.column(at));
        self.groups
            .number_rows(columns, &self.rows, &mut self.numbers, |_| {});
        self.grow();
        for (row, number) in self.rows.iter().zip(&self.numbers) {
            let last = &mut self.last_row[*number as usize];
            if *last == NO_ROW {
                self.touched.push(*number);
            }
            *last = *row;
        }
        for number in self.touched.drain(..) {
            let row = std::mem::replace(&mut self.last_row[number as usize], NO_ROW);
            let kept = &mut self.kept[number as usize];
            self.beyond -= kept.beyond();
            self.keeper.keep(view, usize::from(row), kept);
            self.beyond += kept.beyond();
        }
    }

    /// Takes rows in, interval by interval.
    fn take_by_time(&mut self, view: View<'_>, period: i64, out: &mut Output) {
        let selection = view.part.selection;
        let mut start = 0;
        for row in selection.iter() {
            let Some(nanos) = nanos(&view.value(self.keys.len(), row), &self.zone) else {
                continue;
            };
            let interval = nanos.div_euclid(period.into());
            if self.interval.is_some_and(|current| current < interval) {
                self.take(view, &selection.range(start, row));
                start = row;
                self.end_interval(view.part.data.position(row), out);
            }
            self.interval = self.interval.max(Some(interval));
        }
        self.take(view, &selection.range(start, ROWS_MAX));
    }

    /// Time is this far, whatever came: an interval that is over is given.
    fn watch(&mut self, time: i64, period: i64, position: Position, out: &mut Output) {
        let interval = i128::from(time).div_euclid(period.into());
        if self.interval.is_some_and(|current| current < interval) {
            self.end_interval(position, out);
            self.interval = Some(interval);
        }
    }

    fn give(&self, position: Position, out: &mut Output) {
        let groups = self.groups.sorted();
        let rows = groups
            .iter()
            .filter_map(|group| self.kept.get(group.number as usize));
        self.keeper.emit(rows, position, out);
    }

    fn end_interval(&mut self, position: Position, out: &mut Output) {
        self.give(position, out);
        for group in self.groups.sorted() {
            let fields = fields_of(&self.keys, group.bytes(&mut [0; KEY_ROOM]));
            out.control(position, Control::Close(fields));
        }
        self.groups = Groups::new(self.seed);
    }

    /// Gives and forgets the objects that a Close concerns.
    fn close(&mut self, fields: &[(FieldPath, Value)], position: Position, out: &mut Output) {
        if !is_about(fields, &self.keys) {
            return;
        }
        let closed: Vec<(Vec<u8>, u32)> = self
            .groups
            .sorted()
            .iter()
            .map(|group| (group.bytes(&mut [0; KEY_ROOM]).to_vec(), group.number))
            .filter(|(key, _)| concerns(fields, &self.keys, key))
            .collect();
        let rows = closed
            .iter()
            .filter_map(|(_, number)| self.kept.get(*number as usize));
        self.keeper.emit(rows, position, out);
        closed.iter().for_each(|(key, _)| self.groups.remove(key));
        out.control(position, Control::Close(fields.to_vec()));
    }
}

impl Operator for Last {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            out.account.absorbed += view.part.count() as u64;
            match self.period {
                None => self.take(*view, &view.part.selection),
                Some(period) => self.take_by_time(*view, period, out),
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
        match control {
            Control::Close(fields) => self.close(fields, position, out),
            Control::Flush => {
                self.give(position, out);
                out.control(position, Control::Flush);
            }
            Control::Beside(_) => out.control(position, control.clone()),
            Control::Watermark(time) => {
                if let Some(period) = self.period {
                    self.watch(*time, period, position, out);
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.give(Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.groups.memory()
            + self.kept.capacity() * size_of::<Kept>()
            + self.beyond
            + self.last_row.capacity() * size_of::<u16>()
    }

    fn save(&self, out: &mut Writer) {
        out.value(&self.interval.map_or(Value::Absent, Value::Integer));
        let groups = self.groups.sorted();
        out.number(groups.len() as u64);
        for group in groups {
            out.bytes(group.bytes(&mut [0; KEY_ROOM]));
            self.keeper.save(&self.kept[group.number as usize], out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.interval = from.value()?.as_integer();
        for _ in 0..from.number()? {
            let (number, _) = self.groups.number_key(from.bytes()?);
            self.grow();
            let kept = self.keeper.load(from)?;
            self.set(number, kept);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        if self.period.is_some() {
            return Err(Error::Module {
                module: "last",
                message: "with -t it is serial: parts cannot be merged".into(),
            });
        }
        let right = same_operator::<Last>("last", right)?;
        for group in right.groups.sorted() {
            let (number, _) = self.groups.number_key(group.bytes(&mut [0; KEY_ROOM]));
            self.grow();
            let kept = &right.kept[group.number as usize];
            let adopted = self.keeper.adopt(&right.keeper, kept);
            self.set(number, adopted);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
