//! `active`: how many are active at once.

use super::clockwork::{nanos, period};
use super::recent::Recent;
use super::{bound, stateless};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Gives, Module, Operator, OperatorSpec, Progress, StateClass,
    View,
};
use wireq_typesys::{Bitmap, Column, FieldPath, Kind, Value, Zone};

const NAME: &str = "active";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Attaches how many distinct combinations of values were seen lately as `active`.",
    details: "A combination is active until it has not been seen for -t of data time: the highest ts \
              so far, which never steps back and which objects \
              without a combination move on too. The object itself counts, unless it comes that late. \
              An object without ts, or without any of the fields, passes without a number; a field \
              that is absent beside others is a value. Controls pass. Of more combinations than \
              --max those are not counted any more that were seen longest ago: the number is at \
              most --max.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "For how long a combination stays active, such as 30s or 5m; for ever unless given.",
        },
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the attached field, `active` unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N combinations; what was seen longest ago goes first; 10000000 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields whose combinations are counted.",
        },
    ],
    examples: &[
        Example {
            title: "hosts that sent something in the last two seconds",
            query: "active -t 2s srcip | print ts.sec srcip active",
            input: "five.pcap",
            output: "1767225600\t192.0.2.1\t1\n1767225601\t192.0.2.2\t2\n1767225602\n1767225603\t192.0.2.1\t1\n1767225604\t192.0.2.2\t2\n",
        },
        Example {
            title: "how many ports each packet finds known",
            query: "where dstport | active dstport | print dstport active",
            input: "five.pcap",
            output: "443\t1\n80\t2\n80\t2\n53\t3\n",
        },
        Example {
            title: "the most conversations at once",
            query: "where srcip | active -t 10s -f talking srcip dstip | max(talking)",
            input: "five.pcap",
            output: "4\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let idle = arguments.value("-t");
    let idle = idle.map(|word| period(NAME, word, &Zone::utc()));
    let idle = idle.transpose()?;
    let column = stateless::column_name(NAME, arguments, "active")?;
    let max = bound::read(NAME, arguments)?;
    let mut needs = arguments.fields();
    needs.push(FieldPath::new("ts"));
    Ok(OperatorSpec {
        gives: Gives::Annotated(vec![(column, Kind::Unsigned)]),
        // The number depends on all objects before, whatever their keys.
        class: StateClass::Serial,
        bound: Some("a time for each of --max combinations"),
        ..OperatorSpec::stateless(needs, move |context| {
            Box::new(Active::new(idle, max, context))
        })
    })
}

struct Active {
    idle: Option<i64>,
    max: usize,
    /// The number of fields; behind them in the view stands `ts`.
    fields: usize,
    zone: Arc<Zone>,
    keys: Recent,
    /// The highest time so far.
    now: i64,

    rows: Vec<u16>,
    /// The time of each of the rows, and the highest time then.
    times: Vec<(i64, i64)>,
}

impl Active {
    fn new(idle: Option<i64>, max: usize, context: &Context) -> Active {
        Active {
            idle,
            max,
            fields: context.fields.len() - 1,
            zone: Arc::clone(&context.zone),
            keys: Recent::new(context.seed),
            now: i64::MIN,
            rows: Vec::new(),
            times: Vec::new(),
        }
    }

    /// Finds the rows that have a field and a time, and their times. Rows without a field move time
    /// on too.
    fn read(&mut self, view: View<'_>) {
        let columns = (0..self.fields).filter_map(|at| view.column(at));
        let any = columns.fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
        self.rows.clear();
        self.times.clear();
        for row in view.part.selection.iter() {
            let time = nanos(&view.value(self.fields, row), &self.zone);
            if let Some(time) = time.and_then(|time| i64::try_from(time).ok()) {
                self.now = self.now.max(time);
                if any.get(row) {
                    self.rows.push(row as u16);
                    self.times.push((time, self.now));
                }
            }
        }
    }

    /// Sees a combination at a time; gives how many are active then.
    fn see(&mut self, number: u32, (time, now): (i64, i64)) -> u64 {
        self.keys.touch(number, time);
        if let Some(idle) = self.idle.filter(|_| !is_planted("active-for-ever")) {
            let end = now.saturating_sub(idle);
            while self.keys.oldest().is_some_and(|seen| seen <= end) {
                self.keys.forget_oldest();
            }
        }
        while self.keys.len() > self.max {
            self.keys.forget_oldest();
        }
        self.keys.len() as u64
    }
}

impl Operator for Active {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            self.read(*view);
            let columns = (0..self.fields).map(|at| view.column(at));
            let numbers = self.keys.number_rows(columns, &self.rows);
            let mut column = Column::default();
            let (values, valid) = column.refill_u64(view.part.data.len());
            for (at, number) in numbers.iter().enumerate() {
                let row = usize::from(self.rows[at]);
                values[row] = self.see(*number, self.times[at]);
                valid.set(row);
            }
            self.keys.sweep();
            self.keys.reuse(numbers);
            out.annotate(view.part, view.part.selection, vec![column]);
        }
        Ok(Progress::Continue)
    }

    fn memory(&self) -> usize {
        self.keys.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.value(&Value::Time(self.now));
        let keys = self.keys.in_order();
        out.number(keys.len() as u64);
        for (key, _, time) in keys {
            out.bytes(key);
            out.value(&Value::Time(time));
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.now = time(from)?;
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            self.keys.adopt(key, time(from)?);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn time(from: &mut Reader<'_>) -> Result<i64, Error> {
    match from.value()? {
        Value::Time(nanos) => Ok(nanos),
        _ => Err(Error::Snapshot("a time was expected".into())),
    }
}
