//! Packets that a query spells.

use crate::support::Kept;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::plan::Plan;
use wireq_engine::schedule::output::Item;
use wireq_engine::schedule::{Options, run};
use wireq_engine::{
    Build, Control, Error, InputAccount, Module, RecordType, Source, SourceContext, SourceSpec,
};
use wireq_query_lang::{Text, compile};
use wireq_typesys::{
    Bitmap, Column, FieldDef, Kind, Part, PartData, Position, Positions, Value, Zone,
};

const SECOND: f64 = 1e9;

/// A packet: a time in seconds (or none: NaN), hosts as letters, what it is, bytes, a sequence number.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub time: f64,
    pub from: char,
    pub to: char,
    /// A TCP packet as in Zeek's histories: S, H, A, F, R; `u` is UDP, `x` has no addresses.
    pub what: char,
    pub bytes: u64,
    pub seq: u64,
}

impl Packet {
    /// From `TIME:FROMTO:WHAT:BYTES:SEQ`, of which the last two may be missing.
    pub fn read(word: &str) -> Packet {
        let mut parts = word.split(':');
        let mut next = || parts.next();
        let time = next().and_then(|time| time.parse().ok()).expect("a time");
        let mut hosts = next().expect("hosts").chars();
        let mut host = || hosts.next().expect("a host");
        Packet {
            time,
            from: host(),
            to: host(),
            what: next().and_then(|what| what.chars().next()).expect("a kind"),
            bytes: next().map_or(1, |bytes| bytes.parse().expect("bytes")),
            seq: next().map_or(0, |seq| seq.parse().expect("a number")),
        }
    }

    pub fn word(&self) -> String {
        let Packet {
            time,
            from,
            to,
            what,
            bytes,
            seq,
        } = self;
        format!("{time}:{from}{to}:{what}:{bytes}:{seq}")
    }

    fn flags(&self) -> Option<u64> {
        Some(match self.what {
            'S' => 2,
            'H' => 18,
            'A' => 16,
            'F' => 17,
            'R' => 20,
            _ => return None,
        })
    }

    /// The field of this number of [`FIELDS`].
    fn field(&self, field: usize) -> Value {
        let number = |number: u64| Value::Integer(number.into());
        if self.what == 'x' && field > 2 {
            return Value::Absent;
        }
        match field {
            0 if self.time.is_nan() => Value::Absent,
            0 => Value::Time((self.time * SECOND) as i64),
            1 => number(self.bytes),
            2 => number(self.seq),
            3 => Value::text(&self.from.to_string()),
            4 => Value::text(&self.to.to_string()),
            5 | 6 => number(1000),
            7 => number(if self.what == 'u' { 17 } else { 6 }),
            _ => self.flags().map_or(Value::Absent, number),
        }
    }
}

const fn field(name: &'static str, kind: Kind) -> FieldDef {
    FieldDef {
        name,
        aliases: &[],
        kind,
        summary: "A field.",
        source: "test",
    }
}

static FIELDS: &[FieldDef] = &[
    field("ts", Kind::Time),
    field("len", Kind::Unsigned),
    field("seq", Kind::Unsigned),
    field("srcip", Kind::Text),
    field("dstip", Kind::Text),
    field("srcport", Kind::Unsigned),
    field("dstport", Kind::Unsigned),
    field("ipprotocol", Kind::Unsigned),
    field("tcpflags", Kind::Unsigned),
];

struct Scripted;

impl RecordType for Scripted {
    fn name(&self) -> &'static str {
        "scripted packet"
    }

    fn summary(&self) -> &'static str {
        "A packet of a script."
    }

    fn fields(&self) -> &'static [FieldDef] {
        FIELDS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &["ts"]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        _selection: &Bitmap,
        column: &mut Column,
    ) {
        let rows = rows
            .downcast_ref::<Vec<Packet>>()
            .expect("the source makes these rows");
        *column = Column::from_values(rows.iter().map(|packet| packet.field(field)));
    }
}

/// A source that gives what its arguments spell: packets, `flush`, and `mark` with a time.
static SCRIPT: Module = Module {
    name: "script",
    summary: "Gives what its arguments spell.",
    details: "",
    parameters: &[Parameter {
        name: "WORD",
        takes: Takes::Text,
        count: Count::Some,
        summary: "Packets and controls.",
    }],
    examples: &[],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let words = arguments.words().iter();
    let words: Vec<String> = words.map(|word| word.text.clone()).collect();
    Ok(SourceSpec {
        record_type: Arc::new(Scripted),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || {
            Ok(Box::new(Script {
                words: words.clone(),
                next: 0,
            }))
        }),
    })
}

struct Script {
    words: Vec<String>,
    next: usize,
}

fn control(word: &str) -> Option<Control> {
    if word == "flush" {
        return Some(Control::Flush);
    }
    let time: f64 = word.strip_prefix("mark")?.parse().ok()?;
    Some(Control::Watermark((time * SECOND) as i64))
}

impl Source for Script {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        let rest = &self.words[self.next..];
        let position = Position::new(0, self.next as u32);
        let Some(first) = rest.first() else {
            return Ok(None);
        };
        if let Some(control) = control(first) {
            self.next += 1;
            return Ok(Some(Item::Control(position, control)));
        }
        let packets = rest.iter().take_while(|word| control(word).is_none());
        let packets = packets
            .take(context.rows_max)
            .map(|word| Packet::read(word));
        let packets: Vec<Packet> = packets.collect();
        self.next += packets.len();
        let len = packets.len();
        let data = PartData::new(
            Arc::clone(context.shape),
            Box::new(packets),
            len,
            Positions::Run(position),
            context.origin,
        );
        Ok(Some(Item::Rows(Part::new(Arc::new(data)))))
    }

    fn input_account(&self) -> InputAccount {
        InputAccount::default()
    }
}

/// What a text with scripts in it means.
fn plan(text: &str) -> Plan {
    let mut registry = wireq_modules::registry();
    registry.add_module(&SCRIPT);
    let zone = Zone::utc();
    let language = wireq_query_lang::Options::new(&zone);
    let texts = [Text {
        name: "query".into(),
        text: text.to_owned(),
    }];
    compile(&texts, &registry, &language)
        .unwrap_or_else(|faults| panic!("{text}: {:?}", faults[0].diagnostic))
}

/// Runs a text with scripts in it under a limit of memory.
pub fn run_within(text: &str, bytes: usize) -> Result<String, Error> {
    let options = Options {
        memory_limit: Some(bytes),
        ..Options::default()
    };
    let mut kept = Kept::default();
    run(plan(text), &options, &mut kept)?;
    Ok(String::from_utf8(kept.0).expect("what is printed is UTF-8"))
}

/// What a query behind a script prints, whatever the batches and where it is resumed.
pub fn output(script: &str, query: &str) -> String {
    told(&format!("script {script} | {query}"))
}

/// What a text with scripts in it prints, whatever the batches and where it is resumed.
pub fn told(query: &str) -> String {
    let plan = plan(query);
    let mut outputs: Vec<String> = Vec::new();
    for (rows_max, resume_every, seed) in [(2048, 0, 0), (1, 0, 1), (1, 1, 2), (3, 2, 3)] {
        let options = Options {
            rows_max,
            resume_every,
            seed,
            ..Options::default()
        };
        let mut kept = Kept::default();
        let report = run(plan.clone(), &options, &mut kept).expect("the run ends well");
        for node in &report.accounts {
            assert!(node.account.adds_up(), "{query}: {node:?}");
        }
        outputs.push(String::from_utf8(kept.0).expect("what is printed is UTF-8"));
    }
    for other in &outputs[1..] {
        assert_eq!(*other, outputs[0], "{query}");
    }
    outputs.swap_remove(0)
}
