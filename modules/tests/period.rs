//! A time from outside of the query (`--from`, `--to`): what passes, and how far sources are read.

use std::any::Any;
use std::io;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::schedule::output::Item;
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_engine::{
    Build, Error, InputAccount, Module, RecordType, Source, SourceContext, SourceSpec,
};
use wireq_query_lang::{Period, Text, compile};
use wireq_typesys::{Bitmap, Column, FieldDef, Kind, Part, PartData, Position, Positions, Zone};

/// The seconds at which the rows are: one comes late.
const SECONDS: [i64; 8] = [1, 2, 3, 5, 4, 6, 7, 8];

/// A type with a time, or with a number of the same name.
struct Moment {
    fields: &'static [FieldDef],
}

const fn field(kind: Kind) -> FieldDef {
    FieldDef {
        name: "ts",
        aliases: &[],
        kind,
        summary: "When.",
        source: "test",
    }
}

static TIMED: &[FieldDef] = &[field(Kind::Time)];
static NUMBERED: &[FieldDef] = &[field(Kind::Unsigned)];

impl RecordType for Moment {
    fn name(&self) -> &'static str {
        "moment"
    }

    fn summary(&self) -> &'static str {
        "A moment."
    }

    fn fields(&self) -> &'static [FieldDef] {
        self.fields
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &["ts"]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        _field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        let second = *rows.downcast_ref::<i64>().expect("the source makes it");
        if self.fields[0].kind == Kind::Time {
            let (values, valid) = column.refill_time(1);
            values[0] = second * 1_000_000_000;
            *valid = *selection;
        } else {
            let (values, valid) = column.refill_u64(1);
            values[0] = second.unsigned_abs();
            *valid = *selection;
        }
    }
}

macro_rules! source {
    ($module:ident, $name:literal, $fields:ident, $ordered:literal) => {
        static $module: Module = Module {
            name: $name,
            summary: "Gives moments, one in a batch.",
            details: "",
            parameters: &[],
            examples: &[],
            build: Build::Source(|_: &Arguments| -> Result<SourceSpec, ArgumentError> {
                Ok(SourceSpec {
                    record_type: Arc::new(Moment { fields: $fields }),
                    time_ordered: $ordered,
                    live: None,
                    prefilter: None,
                    open: Arc::new(|| Ok(Box::new(Moments(0)))),
                })
            }),
        };
    };
}

source!(ORDERED, "ordered", TIMED, true);
source!(UNORDERED, "unordered", TIMED, false);
source!(NUMBERS, "numbers", NUMBERED, true);

struct Moments(u32);

impl Source for Moments {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        let Some(second) = SECONDS.get(self.0 as usize) else {
            return Ok(None);
        };
        let data = PartData::new(
            Arc::clone(context.shape),
            Box::new(*second),
            1,
            Positions::Run(Position::new(0, self.0)),
            context.origin,
        );
        self.0 += 1;
        Ok(Some(Item::Rows(Part::new(Arc::new(data)))))
    }

    fn input_account(&self) -> InputAccount {
        InputAccount::default()
    }
}

#[derive(Default)]
struct Kept(Vec<u8>);

impl Outputs for Kept {
    fn write(&mut self, _: Target<'_>, bytes: &[u8], _: bool) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// What a query prints, and how many rows its source brought.
fn output(query: &str, from: Option<&str>, to: Option<&str>) -> (String, u64) {
    let mut registry = wireq_modules::registry();
    for module in [&ORDERED, &UNORDERED, &NUMBERS] {
        registry.add_module(module);
    }
    let zone = Zone::utc();
    let options = wireq_query_lang::Options {
        period: Period {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        },
        ..wireq_query_lang::Options::new(&zone)
    };
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let plan = compile(&texts, &registry, &options)
        .unwrap_or_else(|faults| panic!("{query}: {:?}", faults[0].diagnostic));
    let mut kept = Kept::default();
    let report = run(plan, &Options::default(), &mut kept).expect("the run ends well");
    let source = report.accounts.iter().find(|node| node.is_source);
    let rows = source.map_or(0, |source| source.account.rows_in);
    let text = String::from_utf8(kept.0).expect("text");
    (text.replace('\n', " ").trim_end().to_owned(), rows)
}

#[test]
fn only_what_is_of_the_time_passes() {
    for (from, to, expected) in [
        (None, None, "1 2 3 5 4 6 7 8"),
        (Some("3"), None, "3 5 4 6 7 8"),
        (Some("3"), Some("6"), "3 5 4"),
        (None, Some("5"), "1 2 3 4"),
        (None, Some("1"), ""),
        (Some("1970-01-01T00:00:08Z"), None, "8"),
    ] {
        let (text, rows) = output("unordered | print ts.sec", from, to);
        assert_eq!(text, expected);
        // What promises no order is read to its end.
        assert_eq!(rows, SECONDS.len() as u64);
    }
}

#[test]
fn sources_in_order_are_read_no_further_than_the_end() {
    // The row at 5 s shows that the time is over: the promise is the source's to keep.
    assert_eq!(
        output("ordered | print ts.sec", None, Some("5")),
        ("1 2 3".to_owned(), 4)
    );
    assert_eq!(
        output("ordered | count()", Some("2"), Some("4")),
        ("2".to_owned(), 4)
    );
    assert_eq!(
        output("ordered | count()", Some("2"), None).1,
        SECONDS.len() as u64
    );
    assert_eq!(
        output("ordered | print ts.sec", None, Some("0")),
        (String::new(), 1)
    );
}

#[test]
fn a_number_called_ts_is_no_time() {
    let all = ("8".to_owned(), SECONDS.len() as u64);
    assert_eq!(output("numbers | count()", Some("3"), Some("5")), all);
}
