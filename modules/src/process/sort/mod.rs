//! `sort`: gives objects in the order of their fields.
//!
//! What does not fit in memory is sorted piece by piece and merged at the end. To reverse the order,
//! keys are turned over bit by bit: no key is the beginning of another, so that turns their order
//! over too.

mod rows;

use self::rows::{IDENTITY_BYTES, Rows, identity_bytes, read_identity};
use super::keep::{Keeper, Kept};
use super::order::orders;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::spill::{Layout, Merge, Runs, keep_all};
use wireq_engine::{
    Build, Context, Control, Error, Example, Gives, Module, OnControl, Operator, OperatorSpec,
    Order, Progress, Sorted, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{FieldPath, Position, ROWS_MAX, key};

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
    let mut orders = orders(arguments, fields.len())?;
    if reverse {
        orders
            .iter_mut()
            .for_each(|order| *order = order.reversed());
    }
    let setting = Setting {
        reverse,
        run,
        orders: orders.into(),
    };
    let whole = spec(&fields, &setting, None);
    if run.is_some() {
        return Ok(whole);
    }
    let by = fields.iter().cloned().zip(setting.orders.iter().copied());
    Ok(OperatorSpec {
        sorted: Some(Sorted {
            fields: by.collect(),
            first: Arc::new(move |count| spec(&fields, &setting, Some(count))),
        }),
        ..whole
    })
}

/// The operator, which gives the first objects in order or all.
fn spec(fields: &[FieldPath], setting: &Setting, first: Option<usize>) -> OperatorSpec {
    let (run, setting) = (setting.run, setting.clone());
    OperatorSpec {
        gives: Gives::Retained(Vec::new()),
        // Where runs begin depends on how many objects came before.
        class: if run.is_some() {
            StateClass::Serial
        } else {
            StateClass::Ordered
        },
        grows: run.is_none(),
        bound: Some(match (run, first) {
            (Some(_), _) => "the objects of one run",
            (None, Some(_)) => "twice as many objects as are taken behind it",
            (None, None) => "all objects; past a limit of memory in files",
        }),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(fields.to_vec(), move |context| {
            Box::new(Sort::new(&setting, first, context))
        })
    }
}

/// What a sort is told.
#[derive(Clone)]
struct Setting {
    /// Of equal objects the last one comes first.
    reverse: bool,
    run: Option<usize>,
    /// For each field, how it is ordered.
    orders: Arc<[Order]>,
}

struct Sort {
    setting: Setting,
    /// Only so many are wanted.
    first: Option<usize>,
    /// The key of the last of those that came first in order, where there were so many: what comes
    /// behind it is not wanted.
    last: Option<Vec<u8>>,
    keeper: Keeper,
    rows: Rows,
    /// What came before the rows in memory: keys, identities and rows.
    spilled: Runs,
    /// How often rows were moved to files: of equal objects in reverse order those of the later
    /// run come first, so keys in files end with this number, turned over too.
    spills: u32,
    giving: Giving,
    key: Vec<u8>,
    row: Vec<u8>,
}

/// How far the end is.
enum Giving {
    /// Not there yet.
    NotYet,
    /// Rows in memory from this one on are still to be given.
    Kept(usize),
    /// These are still to be given.
    Spilled(Merge),
    Done,
}

const LAYOUT: Layout = Layout {
    fan_in: 16,
    index_bytes: 0,
    filter: false,
};

/// Rows are given in parts of at most so many bytes.
const PART_BYTES: usize = 1 << 20;

/// Where only the first are wanted, so few more are not worth a look.
const FEW: usize = 16;

/// The end of a key in files, in reverse order.
const NUMBER_BYTES: usize = 4;

impl Sort {
    fn new(setting: &Setting, first: Option<usize>, context: &Context) -> Sort {
        Sort {
            setting: setting.clone(),
            first,
            last: None,
            keeper: Keeper::new(context),
            rows: Rows::new(setting.reverse),
            spilled: Runs::new(LAYOUT),
            spills: 0,
            giving: Giving::NotYet,
            key: Vec::new(),
            row: Vec::new(),
        }
    }

    fn take(&mut self, view: View<'_>, row: usize) {
        self.key.clear();
        for (at, order) in self.setting.orders.iter().enumerate() {
            let start = self.key.len();
            key::encode_row(view.column(at), row, &mut self.key);
            order.apply(&mut self.key[start..]);
        }
        if !self.is_wanted() {
            return;
        }
        self.row.clear();
        self.keeper.append_row(view, row, &mut self.row);
        let identity = view.part.data.identity(row);
        self.rows.push(identity, &self.key, &self.row);
        self.keep_first(2);
    }

    /// Whether a row with the key at hand can be among the first.
    fn is_wanted(&self) -> bool {
        self.last
            .as_ref()
            .is_none_or(|last| match self.setting.reverse {
                true if !is_planted("limit-loses-equal-rows") => self.key <= *last,
                _ => self.key < *last,
            })
    }

    /// Where only the first are wanted: forgets others, once there are `times` as many.
    fn keep_first(&mut self, times: usize) {
        let Some(first) = self.first else {
            return;
        };
        if self.rows.len() > first.saturating_mul(times).max(FEW) {
            // Of none at all nothing is wanted.
            let last = self.rows.keep_first(first);
            self.last = Some(last.unwrap_or_default());
        }
    }

    fn len(&self) -> u64 {
        self.rows.len() as u64 + self.spilled.len()
    }

    /// Moves the rows in memory, from `first` on of those in order, to a file.
    fn spill_rows(&mut self, first: usize) -> Result<(), Error> {
        let mut run = self.spilled.begin(self.rows.len() - first)?;
        let end = self.end_of_key();
        for at in first..self.rows.len() {
            let (key, identity, row) = self.rows.get(at);
            record(&mut self.key, key, &end);
            record(&mut self.row, &identity_bytes(identity), row);
            run.push(&self.key, &self.row)?;
        }
        self.spilled.add(run, &mut keep_all)?;
        self.spills += 1;
        self.rows.clear();
        Ok(())
    }

    /// What keys in the next file end with.
    fn end_of_key(&self) -> Vec<u8> {
        match self.setting.reverse {
            true => (!self.spills).to_be_bytes().to_vec(),
            false => Vec::new(),
        }
    }

    fn spill_all(&mut self) -> Result<(), Error> {
        self.rows.sort();
        self.spill_rows(0)
    }

    /// Begins to give what there is.
    fn begin(&mut self) -> Result<(), Error> {
        self.giving = if self.spilled.is_empty() {
            self.keep_first(1);
            self.rows.sort();
            Giving::Kept(0)
        } else {
            self.spill_all()?;
            Giving::Spilled(self.spilled.merge()?)
        };
        Ok(())
    }

    /// Gives the next rows.
    fn give_part(&mut self, position: Position, out: &mut Output) -> Result<(), Error> {
        match std::mem::replace(&mut self.giving, Giving::Done) {
            Giving::Kept(first) => {
                let (mut end, mut bytes) = (first, 0);
                while end < self.rows.len() && end < first + ROWS_MAX && bytes < PART_BYTES {
                    bytes += self.rows.get(end).2.len();
                    end += 1;
                }
                let rows = (first..end).map(|at| {
                    let (_, identity, row) = self.rows.get(at);
                    (identity, row)
                });
                self.keeper.emit_encoded(rows, position, out);
                if end < self.rows.len() {
                    self.giving = Giving::Kept(end);
                }
            }
            Giving::Spilled(mut merge) => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                while ends.len() < ROWS_MAX && bytes.len() < PART_BYTES {
                    let Some(record) = merge.head() else { break };
                    bytes.extend_from_slice(record.value);
                    ends.push(bytes.len());
                    merge.advance()?;
                }
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let rows = starts
                    .zip(&ends)
                    .map(|(start, end)| split(&bytes[start..*end]));
                self.keeper.emit_encoded(rows, position, out);
                if merge.head().is_some() {
                    self.giving = Giving::Spilled(merge);
                }
            }
            giving => self.giving = giving,
        }
        Ok(())
    }

    /// Gives what there is, in order, and forgets it.
    fn give_all(&mut self, position: Position, out: &mut Output) -> Result<(), Error> {
        self.begin()?;
        while self.has_more() {
            self.give_part(position, out)?;
        }
        self.giving = Giving::NotYet;
        self.last = None;
        self.rows.clear();
        self.spilled.clear();
        self.spills = 0;
        Ok(())
    }

    /// Writes rows in files in the order in which they would be given.
    fn save_spilled(&self, out: &mut Writer) -> Result<(), Error> {
        let mut merge = self.spilled.merge()?;
        while let Some(record) = merge.head() {
            out.bytes(self.plain_key(record.key));
            self.keeper.save(&kept(record.value), out);
            merge.advance()?;
        }
        Ok(())
    }

    /// The key of a row in files.
    fn plain_key<'a>(&self, key: &'a [u8]) -> &'a [u8] {
        let end = if self.setting.reverse {
            NUMBER_BYTES
        } else {
            0
        };
        &key[..key.len().saturating_sub(end)]
    }

    fn push(&mut self, key: &[u8], kept: &Kept) {
        let (identity, row) = kept.parts();
        self.rows.push(identity, key, row);
    }
}

/// Puts the key or the value of a record together.
fn record(out: &mut Vec<u8>, first: &[u8], second: &[u8]) {
    out.clear();
    out.extend_from_slice(first);
    out.extend_from_slice(second);
}

/// The identity and the bytes of a row in files.
fn split(bytes: &[u8]) -> ((u32, u64), &[u8]) {
    let (identity, row) = bytes.split_at(IDENTITY_BYTES.min(bytes.len()));
    (read_identity(identity), row)
}

fn kept(bytes: &[u8]) -> Kept {
    let (identity, row) = split(bytes);
    Kept::from_parts(identity, row.to_vec())
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
                self.take(*view, row);
                if self.setting.run.is_some_and(|run| self.len() == run as u64) {
                    self.give_all(view.part.data.position(row), out)?;
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
            self.give_all(position, out)?;
            out.control(position, Control::Flush);
        } else if matches!(control, Control::Beside(_)) {
            out.control(position, control.clone());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        if let Giving::NotYet = self.giving {
            self.begin()?;
        }
        self.give_part(Position::END, out)
    }

    fn has_more(&self) -> bool {
        matches!(self.giving, Giving::Kept(_) | Giving::Spilled(_))
    }

    fn memory(&self) -> usize {
        let giving = match &self.giving {
            Giving::Spilled(merge) => merge.memory(),
            _ => 0,
        };
        self.rows.memory() + self.spilled.memory() + giving
    }

    fn spill(&mut self) -> Result<bool, Error> {
        match self.giving {
            Giving::NotYet if self.rows.len() > 0 => self.spill_all()?,
            Giving::Kept(first) => {
                self.spill_rows(first)?;
                self.giving = Giving::Spilled(self.spilled.merge()?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.spilled.len());
        // Where files can't be read rows are missing: loading says so.
        if self.save_spilled(out).is_err() {
            return;
        }
        out.number(self.rows.len() as u64);
        for at in 0..self.rows.len() {
            let (key, identity, row) = self.rows.get(at);
            out.bytes(key);
            self.keeper
                .save(&Kept::from_parts(identity, row.to_vec()), out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        // Rows in order, to be taken in so that equal ones stay in order.
        let mut ordered = Vec::new();
        for _ in 0..from.number()? {
            ordered.push((from.bytes()?, self.keeper.load(from)?));
        }
        if self.setting.reverse {
            ordered.reverse();
        }
        for (key, kept) in ordered {
            self.push(key, &kept);
        }
        for _ in 0..from.number()? {
            let (key, kept) = (from.bytes()?, self.keeper.load(from)?);
            self.push(key, &kept);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        if self.setting.run.is_some() {
            return Err(Error::Module {
                module: "sort",
                message: "with -b it is serial: parts cannot be merged".into(),
            });
        }
        let right = same_operator::<Sort>("sort", right)?;
        if !right.spilled.is_empty() {
            self.spill_all()?;
            let mut merge = right.spilled.merge()?;
            let mut run = self.spilled.begin(0)?;
            let end = self.end_of_key();
            while let Some(head) = merge.head() {
                let adopted = self.keeper.adopt(&right.keeper, &kept(head.value));
                let (identity, row) = adopted.parts();
                record(&mut self.key, right.plain_key(head.key), &end);
                record(&mut self.row, &identity_bytes(identity), row);
                run.push(&self.key, &self.row)?;
                merge.advance()?;
            }
            self.spilled.add(run, &mut keep_all)?;
            self.spills += 1;
        }
        for at in 0..right.rows.len() {
            let (key, identity, row) = right.rows.get(at);
            let kept = Kept::from_parts(identity, row.to_vec());
            let adopted = self.keeper.adopt(&right.keeper, &kept);
            self.push(key, &adopted);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
