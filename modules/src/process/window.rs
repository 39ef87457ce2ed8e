//! `window`: the stretches of time that each object is in. `every` is written with it.
//!
//! Tumbling and hopping windows by event time, with watermarks: Akidau et al., "The Dataflow Model"
//! (VLDB 2015).

use super::clockwork::{nanos, period};
use super::event_time::EventTime;
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Control, Error, Example, Gives, Module, Needs, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View,
};
use wireq_typesys::{Bitmap, Column, Data, FieldPath, Kind, Literal, Position, Value, Zone};

const NAME: &str = "window";
/// An object may be in so many windows.
const WINDOWS_MAX: i64 = 1000;

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Attaches `window`: when the stretch of time begins that an object is in.",
    details: "What `every` in a query is written with: `count() group by srcip every 10s` is \
              `window 10s | count() group by window, srcip`. Windows begin at multiples of the period, \
              counted from 1970; an object without the time does not pass. With --of, windows are \
              longer than what is between them, and an object is given once for each that it is in. \
              With --late, a window is closed, and what is grouped by it given, when an object came \
              that is so much later than its end, or a live source was idle for so long; an object \
              that comes after that is dropped and counted. A time an hour beyond all others closes \
              nothing until two more confirm it. Without --late, windows stay open until the end.",
    parameters: &[
        Parameter {
            name: "--of",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How long a window is, such as 1m; the period unless given.",
        },
        Parameter {
            name: "--late",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "How late an object may come, such as 1s; 0 for not at all.",
        },
        Parameter {
            name: "--by",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The time; ts unless given.",
        },
        Parameter {
            name: "PERIOD",
            takes: Takes::Text,
            count: Count::One,
            summary: "How often a window begins, such as 10s.",
        },
    ],
    examples: &[
        Example {
            title: "two seconds each",
            query: "window 2s | print window len",
            input: "five.pcap",
            output: "2026-01-01T00:00:00+00:00\t74\n2026-01-01T00:00:00+00:00\t125\n2026-01-01T00:00:02+00:00\t60\n2026-01-01T00:00:02+00:00\t54\n2026-01-01T00:00:04+00:00\t76\n",
        },
        Example {
            title: "bytes every two seconds",
            query: "print window.sec sum(len) every 2s",
            input: "five.pcap",
            output: "1767225600\t199\n1767225602\t114\n1767225604\t76\n",
        },
        Example {
            title: "packets of four seconds, every two",
            query: "print window.sec count() every 2s of 4s",
            input: "five.pcap",
            output: "1767225598\t2\n1767225600\t4\n1767225602\t3\n1767225604\t1\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let period_of = |word: &Word| period(NAME, word, &Zone::utc());
    let Some(word) = arguments.words().first() else {
        return Err(ArgumentError {
            module: NAME.into(),
            argument: "PERIOD".into(),
            message: "is missing".into(),
            help: None,
            span: None,
        });
    };
    let step = period_of(word)?;
    let length = match arguments.value("--of") {
        None => step,
        Some(of) => {
            let length = period_of(of)?;
            if length < step || length / step >= WINDOWS_MAX {
                return Err(ArgumentError {
                    help: Some(format!(
                        "windows are at least as long as their period, and at most {WINDOWS_MAX} times"
                    )),
                    ..ArgumentError::at(NAME, of, "does not fit the period")
                });
            }
            length
        }
    };
    let late = match arguments.value("--late") {
        Some(word) if is_nothing(word) => Some(0),
        Some(word) => Some(period_of(word)?),
        None => None,
    };
    let field = arguments.value("--by").map_or("ts", |word| &word.text);
    Ok(OperatorSpec {
        needs: Needs::Fields(vec![FieldPath::new(field)]),
        gives: Gives::Annotated(vec![(FieldPath::new(NAME), Kind::Time)]),
        class: match late {
            Some(_) => StateClass::Serial,
            None => StateClass::Stateless,
        },
        bound: late.is_some().then_some(
            "one number for each open window; a time an hour beyond all others opens one that \
             closes when others confirm it, or at the end",
        ),
        closes: late.iter().map(|_| FieldPath::new(NAME)).collect(),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Window {
                step,
                length,
                late,
                path: FieldPath::new(NAME),
                zone: Arc::clone(&context.zone),
                time: EventTime::default(),
                open: BTreeSet::new(),
                closed: i64::MIN,
                times: Vec::new(),
            })
        })
    })
}

/// Whether a word is a length of time of 0.
fn is_nothing(word: &Word) -> bool {
    let value = Literal::new(&word.text).read(Kind::Duration, &Zone::utc());
    matches!(value, Some(Value::Duration(0)))
}

struct Window {
    step: i64,
    length: i64,
    late: Option<i64>,
    path: FieldPath,
    zone: Arc<Zone>,
    time: EventTime,
    /// The windows that objects came in and that are not closed; only where they are ever.
    open: BTreeSet<i64>,
    /// Windows that end here or before are closed.
    closed: i64,
    /// The times of the rows at hand.
    times: Vec<i64>,
}

impl Window {
    /// Reads the times of the rows of a view; gives the rows that have one.
    fn read_times(&mut self, view: View<'_>) -> Bitmap {
        let rows = view.part.data.len();
        self.times.clear();
        if let Some(column) = view.column(0)
            && let Data::Time(times) = &column.data
            && times.len() >= rows
        {
            self.times.extend_from_slice(&times[..rows]);
            return view.part.selection.and(&column.valid);
        }
        self.times.resize(rows, 0);
        let mut timed = Bitmap::EMPTY;
        view.part.selection.for_each(|row| {
            let time = nanos(&view.value(0, row), &self.zone);
            if let Some(time) = time.and_then(|nanos| i64::try_from(nanos).ok()) {
                self.times[row] = time;
                timed.set(row);
            }
        });
        timed
    }

    /// The most windows that a time is in.
    fn windows(&self) -> i64 {
        (self.length - 1).div_euclid(self.step) + 1
    }

    /// The windows that a time is in: where the latest begins, and how many there are.
    #[inline]
    fn of(&self, time: i64) -> (i64, i64) {
        let into = time.rem_euclid(self.step);
        // The earliest is over behind what its length has beyond whole steps.
        let windows = self.windows();
        let earliest = into < self.length - (windows - 1) * self.step;
        (time.saturating_sub(into), windows - i64::from(!earliest))
    }

    /// Closes the windows that are over when the latest time is this one.
    fn close(&mut self, latest: Option<i64>, position: Position, out: &mut Output) {
        let (Some(latest), Some(late)) = (latest, self.late) else {
            return;
        };
        self.closed = self.closed.max(latest.saturating_sub(late));
        while let Some(first) = self.open.first().copied() {
            if first.saturating_add(self.length) > self.closed {
                return;
            }
            self.open.pop_first();
            let close = vec![(self.path.clone(), Value::Time(first))];
            out.control(position, Control::Close(close));
        }
    }

    /// Where the window begins that is so many before the latest one.
    fn start(&self, last: i64, back: i64) -> i64 {
        last.saturating_sub(back.saturating_mul(self.step))
    }

    fn is_closed(&self, start: i64) -> bool {
        self.late.is_some() && start.saturating_add(self.length) <= self.closed
    }

    /// Takes the rows one by one.
    fn take(&mut self, view: View<'_>, out: &mut Output) {
        let part = view.part;
        let mut timed = self.read_times(view);
        out.account.filtered += (part.selection.count() - timed.count()) as u64;
        let columns = self.columns(timed);
        if self.late.is_none() && columns.len() == 1 {
            return give(&mut timed, &columns, view, out);
        }
        // Rows of one window each go on together, up to one that closes windows.
        let mut together = Bitmap::EMPTY;
        for row in timed.iter() {
            let time = self.times[row];
            if self.late.is_some() {
                let latest = self.time.take(time);
                if self.would_close(latest) {
                    give(&mut together, &columns, view, out);
                }
                self.close(latest, part.data.position(row), out);
            }
            let (last, count) = self.of(time);
            // Those that are closed are the earlier ones.
            let given = (0..count).take_while(|back| !self.is_closed(self.start(last, *back)));
            let given = given.count() as i64;
            if given == 0 {
                out.account.dropped += 1;
                continue;
            }
            if self.late.is_some() {
                for back in 0..given {
                    self.open.insert(self.start(last, back));
                }
            }
            if columns.len() == 1 {
                together.set(row);
            } else {
                give_each(&columns[..given as usize], view, row, out);
            }
        }
        give(&mut together, &columns, view, out);
    }

    /// Whether the first open window is over when the latest time is this one.
    fn would_close(&self, latest: Option<i64>) -> bool {
        let over = latest.zip(self.late);
        let over = over.map(|(latest, late)| latest.saturating_sub(late));
        let first = self.open.first();
        first
            .zip(over)
            .is_some_and(|(first, over)| first.saturating_add(self.length) <= over)
    }

    /// The latest window of each row, the one before it, and so on.
    fn columns(&self, timed: Bitmap) -> Vec<Arc<Column>> {
        let of: Vec<(i64, i64)> = self.times.iter().map(|time| self.of(*time)).collect();
        let column = |back: i64| {
            let mut valid = timed;
            // Only the earliest is not that of each row.
            if back > 0 && back + 1 == self.windows() {
                valid = Bitmap::EMPTY;
                let mine = timed.iter().filter(|row| back < of[*row].1);
                mine.for_each(|row| valid.set(row));
            }
            let starts = of.iter().map(|(last, _)| self.start(*last, back));
            Arc::new(Column {
                data: Data::Time(starts.collect()),
                valid,
                names: None,
            })
        };
        (0..self.windows()).map(column).collect()
    }
}

/// Gives rows of one window each.
fn give(rows: &mut Bitmap, columns: &[Arc<Column>], view: View<'_>, out: &mut Output) {
    let rows = std::mem::replace(rows, Bitmap::EMPTY);
    out.annotate_shared(view.part, rows, columns.iter().take(1).cloned());
}

/// Gives a row once for each of its windows, the earliest first.
fn give_each(columns: &[Arc<Column>], view: View<'_>, row: usize, out: &mut Output) {
    let mut only = Bitmap::EMPTY;
    only.set(row);
    let passed = out.account.passed;
    for column in columns.iter().rev() {
        out.annotate_shared(view.part, only, [Arc::clone(column)]);
    }
    // However often it is given, it came once.
    out.account.passed = passed + 1;
    out.account.emitted += columns.len() as u64 - 1;
}

impl Operator for Window {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        views.iter().for_each(|view| self.take(*view, out));
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let (Control::Watermark(time), Some(_)) = (control, self.late) {
            let latest = self.time.advance(*time);
            self.close(latest, position, out);
        }
        out.control(position, control.clone());
        Ok(())
    }

    fn memory(&self) -> usize {
        self.open.len() * 4 * size_of::<i64>()
    }

    fn save(&self, out: &mut Writer) {
        self.time.save(out);
        out.value(&Value::Time(self.closed));
        out.number(self.open.len() as u64);
        for start in &self.open {
            out.value(&Value::Time(*start));
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.time = EventTime::load(from)?;
        let time = |value| match value {
            Value::Time(time) => Ok(time),
            _ => Err(Error::Snapshot(format!("{NAME}: no time"))),
        };
        self.closed = time(from.value()?)?;
        for _ in 0..from.number()? {
            self.open.insert(time(from.value()?)?);
        }
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        match self.late {
            None => Ok(Verdict::All),
            Some(_) => Err(Error::Module {
                module: NAME,
                message: "with --late it is serial: parts cannot be merged".into(),
            }),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
