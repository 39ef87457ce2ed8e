//! `changes`: how unusual values are for who they belong to.

use super::quantity::each_quantity;
use super::recent::Recent;
use super::usual::{NOTHING, Setting, Usual};
use super::{bound, remembered, stateless};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Gives, Module, Operator, OperatorSpec, Progress, StateClass, Verdict,
    View, same_operator,
};
use wireq_typesys::{Bitmap, Column, FieldPath, Kind};

const NAME: &str = "changes";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Attaches how far fields are from what is usual for an ID, in deviations, as `severity`.",
    details: "For each ID and field it keeps an exponential mean and deviation. A value x is \
              |x - mean| / max(1, deviation) away; the severity is the root of the sum of the \
              squares of these over the fields. Then the mean becomes h mean + (1 - h) x, where h is \
              --histup if x is above the mean, else --histdown; the deviation becomes \
              d deviation + (1 - d) |x - mean|, where d is --histdev and the mean is the old one. \
              Unless --histup and --histdown are equal, only values above the mean count. The \
              first value of an ID has no severity but 0: it is the first mean, and its size the \
              first deviation. By default the mean follows a rise at once and forgets it slowly: \
              it is nearly the highest value, and what counts is to exceed that. Numbers, text \
              that is a number, durations and times (in seconds) are values; a field without one \
              adds nothing. An object that has no ID or no value at all is filtered, and so is one \
              whose severity is at most -t. With -s the state goes on from run to run: it is read from FILE \
              where there is one, and takes its place at the end. The fields have to be the same \
              then; the other flags may be others. Each FILE is that of one statement. Else it is in memory, and in \
              snapshots. Controls pass. Of more IDs than --max those go that came longest ago: if they come again, they \
              are new.",
    parameters: &[
        Parameter {
            name: "-i",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field that says who values belong to; it must be given.",
        },
        Parameter {
            name: "-s",
            takes: Takes::File,
            count: Count::Optional,
            summary: "Go on from what FILE says is usual, and say there at the end what is usual now.",
        },
        Parameter {
            name: "--histup",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How much of the mean stays when a value above it comes, from 0 to 1; 0 unless given.",
        },
        Parameter {
            name: "--histdown",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How much of the mean stays when another value comes, from 0 to 1; 0.9995 unless given.",
        },
        Parameter {
            name: "--histdev",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How much of the deviation stays, from 0 to 1; 0.8 unless given.",
        },
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "Pass only objects of a severity above this; -1, which passes all, unless given.",
        },
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the severity, `severity` unless given.",
        },
        Parameter {
            name: "-a",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Attaches to each FIELD what it is compared with, as FIELD.mean and FIELD.sigma.",
        },
        Parameter {
            name: "--base",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The values are logarithms with this base, to be undone; 1, for none, unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N IDs; what came longest ago goes first; 10000000 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields whose values are compared.",
        },
    ],
    examples: &[
        Example {
            title: "how unusual lengths are for their senders",
            query: "changes -i srcip --histup 0.5 --histdown 0.5 len | print srcip len severity",
            input: "five.pcap",
            output: "192.0.2.1\t74\t0\n192.0.2.2\t125\t0\n192.0.2.1\t54\t0.2702702702702703\n192.0.2.2\t76\t0.392\n",
        },
        Example {
            title: "with what they are compared with",
            query: "where srcip = 192.0.2.1 | changes -a -i srcip len | print len len.mean len.sigma severity",
            input: "five.pcap",
            output: "74\t\t\t0\n54\t74\t74\t0\n",
        },
        Example {
            title: "only what is unusual",
            query: "changes -i linktype -t 0.5 len | print len severity",
            input: "five.pcap",
            output: "125\t0.6891891891891891\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let Some(id) = arguments.value("-i") else {
        return Err(ArgumentError {
            module: NAME.into(),
            argument: "-i".into(),
            message: "is missing".into(),
            help: Some("-i is the field that says who values belong to".into()),
            span: None,
        });
    };
    let setting = Setting::read(arguments)?;
    let attach = arguments.flag("-a");
    let max = bound::read(NAME, arguments)?;
    let severity = stateless::column_name(NAME, arguments, "severity")?;
    let fields = arguments.fields();
    let mut columns = vec![(severity, Kind::Double)];
    if attach {
        let both = |field: &FieldPath| [field.join("mean"), field.join("sigma")];
        let more = fields.iter().flat_map(both);
        columns.extend(more.map(|path| (path, Kind::Double)));
    }
    let mut needs = vec![FieldPath::new(&id.text)];
    needs.extend(fields);
    let file = arguments.value("-s").map(|word| {
        let check = |from: &mut Reader<'_>| Changes::empty(setting, needs.len() - 1, 0).load(from);
        remembered::Remembered::read(NAME, word, &needs, check)
    });
    let file = file.transpose()?;
    Ok(OperatorSpec {
        gives: Gives::Annotated(columns),
        class: match file {
            Some(_) => StateClass::Serial,
            None => StateClass::Keyed,
        },
        side_effect: file.is_some(),
        bound: Some("a mean and a deviation for each field of --max IDs"),
        ..OperatorSpec::stateless(needs, move |context| {
            Box::new(Changes {
                attach,
                max,
                kept: file.clone().map(|file| Kept {
                    file,
                    state: Box::new(Changes {
                        max,
                        ..Changes::empty(setting, context.fields.len() - 1, context.seed)
                    }),
                }),
                ..Changes::empty(setting, context.fields.len() - 1, context.seed)
            })
        })
    })
}

struct Changes {
    setting: Setting,
    attach: bool,
    max: usize,
    fields: usize,
    ids: Recent,
    /// By number of ID, a place for each field.
    usual: Vec<Usual>,
    /// What goes on from run to run.
    kept: Option<Kept>,
    /// Whether the state was read from there, or is a later one.
    begun: bool,

    rows: Vec<u16>,
    /// The values of the rows of a part, field by field; not a number where there is none.
    values: Vec<Vec<f64>>,
}

/// A state that is left for the next run: that of the rows that were taken. Where those behind want no
/// more, a batch has rows that were looked at and not taken, and how many is a matter of its size.
struct Kept {
    file: Arc<remembered::Remembered>,
    state: Box<Changes>,
}

impl Changes {
    fn empty(setting: Setting, fields: usize, seed: u64) -> Changes {
        Changes {
            setting,
            attach: false,
            max: usize::MAX,
            fields,
            ids: Recent::new(seed),
            usual: Vec::new(),
            kept: None,
            begun: false,
            rows: Vec::new(),
            values: vec![Vec::new(); fields],
        }
    }

    /// Goes on from where the run before ended.
    fn begin(&mut self) -> Result<(), Error> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let file = self.kept.as_ref().map(|kept| Arc::clone(&kept.file));
        match file.as_ref().and_then(|file| file.before()) {
            Some(mut from) => self.load(&mut from),
            None => Ok(()),
        }
    }

    fn grow(&mut self) {
        let places = self.ids.limit() * self.fields;
        if self.usual.len() < places {
            self.usual.resize(places, NOTHING);
        }
    }

    /// Reads the values of a part; gives the rows that have an ID and a value.
    fn read(&mut self, view: View<'_>) -> Bitmap {
        let has_id = view.column(0).map_or(Bitmap::EMPTY, |column| column.valid);
        let rows = view.part.selection.and(&has_id);
        let base = self.setting.base;
        let mut any = Bitmap::EMPTY;
        for (at, values) in self.values.iter_mut().enumerate() {
            values.clear();
            values.resize(view.part.data.len(), f64::NAN);
            each_quantity(view.column(at + 1), &rows, |row, value| {
                let value = if base == 1.0 { value } else { base.powf(value) };
                if value.is_finite() {
                    values[row] = value;
                    any.set(row);
                }
            });
        }
        any
    }

    /// Takes in a part; gives the rows that pass, and their columns.
    fn take(&mut self, view: View<'_>) -> (Bitmap, Vec<Column>) {
        let attached = if self.attach { self.fields } else { 0 };
        let known = self.read(view);
        self.rows.clear();
        known.for_each(|row| self.rows.push(row as u16));
        let rows = std::mem::take(&mut self.rows);
        let numbers = self.ids.number_rows(std::iter::once(view.column(0)), &rows);
        self.grow();
        let mut columns = vec![Column::default(); 1 + 2 * attached];
        for column in &mut columns {
            column.refill_double(view.part.data.len());
        }
        let mut passing = Bitmap::EMPTY;
        for (row, number) in rows.iter().zip(&numbers) {
            let row = usize::from(*row);
            let severity = self.row(row, *number, &mut columns);
            if severity > self.setting.threshold {
                passing.set(row);
                set(&mut columns[0], row, severity);
            }
            while self.ids.len() > self.max {
                self.ids.forget_oldest();
            }
        }
        self.ids.sweep();
        self.ids.reuse(numbers);
        self.rows = rows;
        (passing, columns)
    }

    /// Takes in the values of a row; gives its severity. What they were compared with is written to
    /// the columns behind that.
    fn row(&mut self, row: usize, number: u32, columns: &mut [Column]) -> f64 {
        let first = number as usize * self.fields;
        if self.ids.touch(number, 0) {
            self.usual[first..first + self.fields].fill(NOTHING);
        }
        let mut severity = 0.0f64;
        for (field, values) in self.values.iter().enumerate() {
            let usual = &mut self.usual[first + field];
            if let Some([mean, sigma]) = columns.get_mut(1 + 2 * field..3 + 2 * field)
                && !usual.mean.is_nan()
            {
                set(mean, row, usual.mean);
                set(sigma, row, usual.sigma);
            }
            if !values[row].is_nan() {
                severity = severity.hypot(usual.take(values[row], &self.setting));
            }
        }
        severity
    }
}

fn set(column: &mut Column, row: usize, value: f64) {
    if let wireq_typesys::Data::Double(values) = &mut column.data {
        values[row] = value;
        column.valid.set(row);
    }
}

impl Operator for Changes {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.begin()?;
        for view in views {
            let (passing, columns) = self.take(*view);
            out.account.filtered += (view.part.count() - passing.count()) as u64;
            out.annotate(view.part, passing, columns);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], _out: &mut Output) -> Result<(), Error> {
        let kept = self.kept.as_mut();
        kept.into_iter().for_each(|kept| {
            for view in views {
                kept.state.take(*view);
            }
        });
        Ok(())
    }

    fn finish(&mut self, _out: &mut Output) -> Result<(), Error> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), Error> {
        self.begin()?;
        match &self.kept {
            Some(kept) => kept.file.write(|out| kept.state.save(out)),
            None => Ok(()),
        }
    }

    fn memory(&self) -> usize {
        let kept = self.kept.as_ref().map_or(0, |kept| kept.state.memory());
        self.ids.memory() + self.usual.capacity() * size_of::<Usual>() + kept
    }

    fn save(&self, out: &mut Writer) {
        let ids = self.ids.in_order();
        out.number(ids.len() as u64);
        for (key, number, _) in ids {
            out.bytes(key);
            let first = number as usize * self.fields;
            for usual in &self.usual[first..first + self.fields] {
                out.number(usual.mean.to_bits());
                out.number(usual.sigma.to_bits());
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.begun = true;
        for _ in 0..from.number()? {
            let (number, is_new) = self.ids.adopt(from.bytes()?, 0);
            if !is_new {
                return Err(Error::Snapshot("an ID comes twice".into()));
            }
            self.grow();
            for at in 0..self.fields {
                let mean = f64::from_bits(from.number()?);
                let sigma = f64::from_bits(from.number()?);
                let is_sound = mean.is_finite() && sigma.is_finite();
                let usual = if is_sound {
                    Usual { mean, sigma }
                } else {
                    NOTHING
                };
                self.usual[number as usize * self.fields + at] = usual;
            }
        }
        if let Some(mut kept) = self.kept.take() {
            // At the end of a step all that was looked at was taken, or there is none behind.
            Operator::merge(&mut *kept.state, self)?;
            self.kept = Some(kept);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Changes>(NAME, right)?;
        for (key, from, _) in right.ids.in_order() {
            let (number, is_new) = self.ids.adopt(key, 0);
            if !is_new {
                return Err(Error::Module {
                    module: NAME,
                    message: "it is keyed: parts that share an ID cannot be merged".into(),
                });
            }
            self.grow();
            let (from, to) = (from as usize * self.fields, number as usize * self.fields);
            self.usual[to..to + self.fields]
                .copy_from_slice(&right.usual[from..from + self.fields]);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
