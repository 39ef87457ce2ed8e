//! `during`: passes objects of a stretch of time.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict,
    View, same_operator,
};
use wireq_typesys::{Bitmap, Column, Data, FieldPath, Value, Zone, parse_time};

pub(super) static MODULE: Module = Module {
    name: "during",
    summary: "Passes objects whose time is from one moment on and before another.",
    details: "Objects without the time do not pass. Where objects are in the order of their time, \
              --ordered ends what only this stage reads from at the first object that is of a later \
              time: that object is the last one taken.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The time; ts unless given.",
        },
        Parameter {
            name: "--ordered",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Ends at the first object of a later time.",
        },
        Parameter {
            name: "FROM",
            takes: Takes::Text,
            count: Count::One,
            summary: "The first moment that passes, such as 2026-01-31T12:00:00Z; `-` for all before TO.",
        },
        Parameter {
            name: "TO",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The first moment that does not pass any more; without it, or with `-`, all from FROM on.",
        },
    ],
    examples: &[
        Example {
            title: "packets of two seconds",
            query: "during 2026-01-01T00:00:01Z 2026-01-01T00:00:03Z | print ts len",
            input: "five.pcap",
            output: "2026-01-01T00:00:01.123456+00:00\t125\n2026-01-01T00:00:02.123456+00:00\t60\n",
        },
        Example {
            title: "all before a moment; the rest is not read",
            query: "during --ordered - 2026-01-01T00:00:01Z | print frame.number",
            input: "five.pcap",
            output: "1\n",
        },
        Example {
            title: "all from a moment on",
            query: "during 1767225604 | count()",
            input: "five.pcap",
            output: "1\n",
        },
    ],
    build: Build::Operator(build),
};

const NAME: &str = "during";

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let field = arguments.value("-t").map_or("ts", |word| &word.text);
    let ordered = arguments.flag("--ordered");
    let bounds = [
        bound(arguments.words().first())?,
        bound(arguments.words().get(1))?,
    ];
    let spec = OperatorSpec::stateless(vec![FieldPath::new(field)], move |context| {
        Box::new(During::new(&bounds, ordered, context))
    });
    Ok(match ordered {
        true => OperatorSpec {
            class: StateClass::Ordered,
            bound: Some("one number"),
            ..spec
        },
        false => spec,
    })
}

/// The text of a bound, none for an open one.
fn bound(word: Option<&Word>) -> Result<Option<String>, ArgumentError> {
    let Some(word) = word.filter(|word| word.text != "-") else {
        return Ok(None);
    };
    // Whether it is a time does not depend on the zone.
    match parse_time(&word.text, &Zone::utc()) {
        Some(_) => Ok(Some(word.text.clone())),
        None => Err(ArgumentError {
            help: Some(
                "write a time such as 2024-01-31T12:00:00Z, seconds since 1970, or `-`".to_owned(),
            ),
            ..ArgumentError::at(NAME, word, "is not a time")
        }),
    }
}

struct During {
    from: i64,
    /// The first moment that does not pass.
    to: Option<i64>,
    ordered: bool,
    /// Whether an object of a later time came, where they are in order.
    over: bool,
    /// How many objects passed.
    passed: u64,
}

impl During {
    fn new(bounds: &[Option<String>; 2], ordered: bool, context: &Context) -> During {
        let moment = |text: &Option<String>| parse_time(text.as_deref()?, &context.zone);
        During {
            from: moment(&bounds[0]).unwrap_or(i64::MIN),
            to: moment(&bounds[1]),
            ordered,
            over: false,
            passed: 0,
        }
    }

    /// The rows of the time, and those of a later time.
    fn select(&self, view: View<'_>) -> (Bitmap, Bitmap) {
        let (mut passing, mut late) = (Bitmap::EMPTY, Bitmap::EMPTY);
        let Some(column) = view.column(0) else {
            return (passing, late);
        };
        let rows = view.part.selection.and(&column.valid);
        if let Data::Time(times) = &column.data {
            passing = Bitmap::from_slice(times, |time| {
                time >= self.from && self.to.is_none_or(|to| time < to)
            });
            late = Bitmap::from_slice(times, |time| self.to.is_some_and(|to| time >= to));
            return (passing.and(&rows), late.and(&rows));
        }
        rows.for_each(|row| {
            let Some(time) = time_of(column, row) else {
                return;
            };
            if self.to.is_some_and(|to| time >= to) {
                late.set(row);
            } else if time >= self.from {
                passing.set(row);
            }
        });
        (passing, late)
    }
}

fn time_of(column: &Column, row: usize) -> Option<i64> {
    match column.value(row) {
        Value::Time(time) => Some(time),
        _ => None,
    }
}

impl Operator for During {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        let mut taken = 0;
        for view in views {
            let rows = view.part.selection;
            if self.over {
                out.account.cut += rows.count() as u64;
                continue;
            }
            let (mut passing, late) = self.select(*view);
            let mut mine = rows;
            if let (true, Some(end)) = (self.ordered, late.lowest()) {
                self.over = true;
                mine = rows.range(0, end + 1);
                passing = passing.and(&mine);
                out.account.cut += (rows.count() - mine.count()) as u64;
            }
            taken += mine.count();
            self.passed += passing.count() as u64;
            out.account.filtered += (mine.count() - passing.count()) as u64;
            out.pass(view.part, passing);
        }
        Ok(match self.over {
            true => Progress::Done { taken },
            false => Progress::Continue,
        })
    }

    fn save(&self, out: &mut Writer) {
        if self.ordered {
            out.number(u64::from(self.over));
            out.number(self.passed);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        if self.ordered {
            self.over = from.number()? != 0;
            self.passed = from.number()?;
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<During>(NAME, right)?;
        if !self.ordered {
            return Ok(Verdict::All);
        }
        if self.over {
            return Ok(Verdict::Each((0..right.passed).map(|_| false).collect()));
        }
        self.over = right.over;
        self.passed = self.passed.saturating_add(right.passed);
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
