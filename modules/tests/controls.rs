//! Controls between rows: a Close finishes its groups, a Flush shows all, a Watermark passes; rows
//! and controls of several inputs keep the order of their positions.

use std::any::Any;
use std::io;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Item;
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_engine::{
    Build, Control, Error, InputAccount, Module, RecordType, Source, SourceContext, SourceSpec,
};
use wireq_query_lang::{Text, compile};
use wireq_typesys::{
    Bitmap, Column, FieldDef, FieldPath, Kind, Part, PartData, Position, Positions, Value, Zone,
};

/// A type with two numbers, whose rows are what the test wrote.
struct Pair;

static FIELDS: &[FieldDef] = &[
    FieldDef {
        name: "key",
        aliases: &[],
        kind: Kind::Unsigned,
        summary: "A key.",
        source: "test",
    },
    FieldDef {
        name: "value",
        aliases: &[],
        kind: Kind::Unsigned,
        summary: "A value.",
        source: "test",
    },
];

impl RecordType for Pair {
    fn name(&self) -> &'static str {
        "pair"
    }

    fn summary(&self) -> &'static str {
        "Two numbers."
    }

    fn fields(&self) -> &'static [FieldDef] {
        FIELDS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &["key", "value"]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        let rows = rows
            .downcast_ref::<Vec<[u64; 2]>>()
            .expect("the source makes these rows");
        let (values, valid) = column.refill_u64(rows.len());
        selection.for_each(|row| {
            values[row] = rows[row][field];
            valid.set(row);
        });
    }
}

/// A source that says what its one argument spells: `1=5` is a row, `close1` a Close of key 1,
/// `flush` a Flush, `mark7` a Watermark of 7 seconds.
static SCRIPT: Module = Module {
    name: "script",
    summary: "Gives what its argument spells.",
    details: "",
    parameters: &[Parameter {
        name: "WORD",
        takes: Takes::Text,
        count: Count::Some,
        summary: "Rows and controls.",
    }],
    examples: &[],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let words: Vec<String> = arguments
        .words()
        .iter()
        .map(|word| word.text.clone())
        .collect();
    Ok(SourceSpec {
        record_type: Arc::new(Pair),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || {
            Ok(Box::new(Script {
                words: words.clone().into_iter(),
                row: 0,
            }))
        }),
    })
}

struct Script {
    words: std::vec::IntoIter<String>,
    row: u32,
}

impl Source for Script {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        let Some(word) = self.words.next() else {
            return Ok(None);
        };
        let position = Position::new(0, self.row);
        if let Some((key, value)) = word.split_once('=') {
            self.row += 1;
            let number = |text: &str| text.parse::<u64>().expect("a number");
            let rows = vec![[number(key), number(value)]];
            let data = PartData::new(
                Arc::clone(context.shape),
                Box::new(rows),
                1,
                Positions::Run(position),
                context.origin,
            );
            return Ok(Some(Item::Rows(Part::new(Arc::new(data)))));
        }
        let control = match word.strip_prefix("close") {
            Some(key) => Control::Close(vec![(
                FieldPath::new("key"),
                Value::Integer(key.parse().expect("a number")),
            )]),
            None if word == "flush" => Control::Flush,
            None => {
                let time = word.strip_prefix("mark").unwrap_or_default();
                Control::Watermark(1_000_000_000 * time.parse::<i64>().unwrap_or(0))
            }
        };
        Ok(Some(Item::Control(position, control)))
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

fn output(query: &str) -> String {
    let mut registry = wireq_modules::registry();
    registry.add_module(&SCRIPT);
    let zone = Zone::utc();
    let options = wireq_query_lang::Options::new(&zone);
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let plan = compile(&texts, &registry, &options)
        .unwrap_or_else(|faults| panic!("{query}: {:?}", faults[0].diagnostic));
    let mut kept = Kept::default();
    for (resume_every, spill_every) in [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (3, 1), (1, 1)] {
        let mut again = Kept::default();
        let options = Options {
            resume_every,
            spill_every,
            ..Options::default()
        };
        let report = run(plan.clone(), &options, &mut again).expect("the run ends well");
        assert!(report.accounts.iter().all(|node| node.account.adds_up()));
        assert!(
            (resume_every, spill_every) == (0, 0) || kept.0 == again.0,
            "{query}: resumed every {resume_every} steps, moved to files every {spill_every}: \
             {:?}, not {:?}",
            String::from_utf8_lossy(&again.0),
            String::from_utf8_lossy(&kept.0)
        );
        kept = again;
    }
    String::from_utf8(kept.0).expect("numbers are UTF-8")
}

#[test]
fn a_close_finishes_its_group_and_no_other() {
    let query = "script 1=5 2=7 1=6 close1 1=1 2=1 | print key count() sum(value) group by key";
    assert_eq!(output(query), "1\t2\t11\n1\t1\t1\n2\t2\t8\n");
}

#[test]
fn a_close_of_other_fields_concerns_nobody() {
    let query = "script 1=5 close1 1=6 | print value count() group by value";
    assert_eq!(output(query), "5\t1\n6\t1\n");
}

#[test]
fn groups_in_files_are_closed_as_those_in_memory() {
    // A group that is closed, comes again and is closed again; one that is never closed.
    let query = "script 1=5 2=7 3=1 1=6 close1 1=1 2=2 close1 close1 close4 1=3 close2 2=9 \
                 | print key count() sum(value) distinct(value) first(value) group by key";
    let expected = "1\t2\t11\t2\t5\n1\t1\t1\t1\t1\n2\t2\t9\t2\t7\n1\t1\t3\t1\t3\n\
                    2\t1\t9\t1\t9\n3\t1\t1\t1\t1\n";
    assert_eq!(output(query), expected);
    // A Close that names one key of two, and is said again where nothing came since.
    let query = "script 1=5 2=7 1=6 1=5 close1 close1 1=5 2=7 flush close2 1=4 \
                 | print key value count() distinct(value) group by key value";
    let expected = "1\t5\t2\t1\n1\t6\t1\t1\n1\t5\t1\t1\n2\t7\t2\t1\n2\t7\t2\t1\n\
                    1\t4\t1\t1\n1\t5\t1\t1\n";
    assert_eq!(output(query), expected);
    let query = "script 1=5 2=7 close1 2=7 flush 3=7 | print count() distinct(value)";
    assert_eq!(output(query), "3\t2\n4\t2\n");
}

#[test]
fn a_flush_shows_groups_and_keeps_them() {
    let query = "script 2=5 1=5 flush 1=6 | print key count() group by key";
    assert_eq!(output(query), "1\t1\n2\t1\n1\t2\n2\t1\n");
}

#[test]
fn what_a_group_by_takes_passes_it() {
    let query = "script 1=5 2=7 close1 1=1 | count() group by key | last key | print key count";
    assert_eq!(output(query), "1\t1\n1\t1\n2\t1\n");
    let query = "script 1=5 2=7 close1 1=1 | count() group by value | last value | print value";
    assert_eq!(output(query), "1\n5\n7\n");
    let query = "script 1=5 flush 2=6 | count() group by key | tail 1 | print key count";
    assert_eq!(output(query), "1\t1\n2\t1\n");
}

#[test]
fn controls_pass_filters_in_their_place() {
    let query = "script 1=5 1=50 close1 1=6 | where value < 10 | print key count() group by key";
    assert_eq!(output(query), "1\t1\n1\t1\n");
}

#[test]
fn a_bag_hands_on_the_controls_of_each_input() {
    // Both branches hand on the Close; the second one finds nothing left to close.
    let query = "script 1=5 1=50 close1 1=6 | (where value < 10) + (where value > 10) | print key count() sum(value) group by key";
    assert_eq!(output(query), "1\t2\t55\n1\t1\t6\n");
}

#[test]
fn rows_of_a_closed_group_come_before_later_rows() {
    let query =
        "script 1=5 close1 2=9 | (count() group by key) + (where key = 2) | print key value count";
    assert_eq!(output(query), "1\t5\t1\n2\t9\n2\t9\t1\n");
}

#[test]
fn last_gives_what_a_close_concerns_and_hands_the_close_on() {
    let script = "script 1=5 2=7 1=6 close1 1=1 2=1 | last key";
    assert_eq!(
        output(&format!("{script} | print key value")),
        "1\t6\n1\t1\n2\t1\n"
    );
    // Without the Close, the group by behind it would count two objects of key 1.
    let query = format!("{script} | print key value count() group by key");
    assert_eq!(output(&query), "1\t6\t1\n1\t1\t1\n2\t1\t1\n");
}

#[test]
fn a_close_of_other_fields_ends_at_what_keeps_objects() {
    // Handed on, it would split a group whose objects come in two runs.
    let query = "script 1=5 1=6 1=7 close1 1=8 | sort -b 2 value | print key count() group by key";
    assert_eq!(output(query), "1\t4\n");
    let query = "script 1=5 1=6 close1 1=8 | last value | print value count() group by key";
    assert_eq!(output(query), "8\t3\n");
}

#[test]
fn a_flush_shows_the_last_objects_and_keeps_them() {
    let query = "script 2=5 1=5 flush 1=6 | last key | print key value";
    assert_eq!(output(query), "1\t5\n2\t5\n1\t6\n2\t5\n");
    let query = "script 2=5 1=5 flush 1=6 | tail 2 | print key value";
    assert_eq!(output(query), "2\t5\n1\t5\n1\t5\n1\t6\n");
}

#[test]
fn a_flush_gives_what_is_sorted_once() {
    let query = "script 2=5 1=5 flush 1=6 0=6 | sort key | print key value";
    assert_eq!(output(query), "1\t5\n2\t5\n0\t6\n1\t6\n");
    let query = "script 2=5 1=5 2=3 flush 1=6 0=6 1=4 | sort -r key | print key value";
    assert_eq!(output(query), "2\t3\n2\t5\n1\t5\n1\t4\n1\t6\n0\t6\n");
}

#[test]
fn the_most_frequent_are_shown_at_a_flush_which_passes() {
    let query = "script 1=5 2=5 1=6 flush 2=7 2=8 | top -n 1 key | print key count";
    assert_eq!(output(query), "1\t2\n2\t3\n");
    let query = "script 1=5 2=5 1=6 flush 2=7 | top -n 1 key | tail 1 | print key count";
    assert_eq!(output(query), "1\t2\n1\t2\n");
}

#[test]
fn a_clock_closes_each_tick_before_the_object_that_ends_it() {
    let query = "script 1=0 2=1 3=0 4=2 5=9 | clock -t 2 value | (count() group by clock) + (where key > 3) | print clock key count";
    assert_eq!(output(query), "0\t3\t3\n1\t4\n1\t4\t1\n4\t5\n4\t5\t1\n");
}

#[test]
fn shares_and_entropies_begin_anew_at_controls_and_hand_them_on() {
    let script = "script 1=1 2=3 close1 3=5 flush mark 4=7 | pdf -c value";
    let query = format!("{script} | print key probability");
    assert_eq!(output(&query), "1\t0.25\n2\t0.75\n3\t1\n4\t1\n");
    let query = "script 1=1 2=3 close1 1=4 | pdf -c value | print key count() group by key";
    assert_eq!(output(query), "1\t1\n1\t1\n2\t1\n");
    let script = "script 1=1 2=1 close1 3=1 4=1 mark 5=1 6=1 flush 7=1 | pdf -c value | entropy";
    let query = format!("{script} | print key entropy");
    assert_eq!(output(&query), "2\t1\n6\t2\n7\t0\n");
    let query = format!("{script} | tail 1 | print key entropy");
    assert_eq!(output(&query), "6\t2\n7\t0\n");
}

#[test]
fn a_histogram_gives_what_a_close_concerns_and_hands_the_close_on() {
    let script = "script 1=5 2=7 1=6 close1 1=1 2=1";
    let query = format!("{script} | histogram key | print key count");
    assert_eq!(output(&query), "1\t2\n1\t1\n2\t2\n");
    let query = format!("{script} | histogram key | last key | print key count");
    assert_eq!(output(&query), "1\t2\n1\t1\n2\t2\n");
    let query = format!("{script} | histogram -w 10 key value | print key value count");
    assert_eq!(output(&query), "1\t0\t2\n1\t0\t1\n2\t0\t2\n");
    // The value 1 of a key does not complete its bin, nor has a Close of others a say.
    for field in ["-w 10 key", "-w 10 value"] {
        assert_eq!(output(&format!("{script} | histogram {field}")), "0\t5\n");
    }
    let query = "script 1=5 flush mark 1=6 | histogram key | print key count";
    assert_eq!(output(query), "1\t1\n1\t2\n");
}

#[test]
fn a_cumulative_distribution_is_kept_at_a_flush_and_begins_anew_at_a_close() {
    let query = "script 1=5 2=5 close1 3=6 flush mark 3=7 | cumdist value";
    assert_eq!(output(query), "5\t2\t1\n6\t1\t1\n6\t1\t0.5\n7\t1\t1\n");
    let query = "script 1=5 2=5 close1 3=6 | cumdist value | tail 1 | print value";
    assert_eq!(output(query), "6\n");
    let query = "script 1=5 2=5 flush 3=6 | cumdist value | tail 1 | print value";
    assert_eq!(output(query), "5\n6\n");
}

#[test]
fn delayed_objects_go_at_a_flush_and_at_a_watermark_of_their_time() {
    let by_value = "fifodelay -t 100 -i value -o value";
    let query = format!("script 1=5 2=3 close1 flush 3=1 | {by_value} | print key value");
    assert_eq!(output(&query), "2\t3\n1\t5\n3\t1\n");
    let script = "script 1=5 2=3 3=9 5=6 mark6 4=7";
    let query =
        format!("{script} | rename value ts | (fifodelay -t 100) + (where key = 4) | print key");
    assert_eq!(output(&query), "2\n1\n4\n5\n4\n3\n");
    let query = format!("{script} | ({by_value}) + (where key = 4) | print key");
    assert_eq!(output(&query), "4\n2\n1\n5\n4\n3\n");
}

/// Time goes on while nothing comes: the first interval is given before what stands behind the
/// watermark, which an object that is late then counts to.
#[test]
fn intervals_end_at_a_watermark() {
    let script = "script 1=5 2=7 mark8 mark21 3=15 4=31 5=32";
    let other = "(where key >= 3 | print key)";
    let last = format!("{script} | rename value ts | (last -t 10s key | print key) + {other}");
    assert_eq!(output(&last), "1\n2\n3\n3\n4\n5\n4\n5\n");
    let clock = "clock -t 10s ts | print clock count() group by clock";
    let query = format!("{script} | rename value ts | ({clock}) + {other}");
    assert_eq!(output(&query), "0\t2\n3\n2\t1\n4\n5\n3\t2\n");
    // What is said of ts is not said of other fields.
    let clock = "clock -t 10s value | print clock count() group by clock";
    let query = format!("{script} | ({clock}) + {other}");
    assert_eq!(output(&query), "0\t2\n3\n1\t1\n4\n5\n3\t2\n");
}

#[test]
fn controls_pass_what_only_attaches() {
    for module in ["changes -i key value", "rename value ts | active key"] {
        let query =
            format!("script 1=5 1=7 close1 1=6 | {module} | print key count() group by key");
        assert_eq!(output(&query), "1\t2\n1\t1\n", "{module}");
    }
}
