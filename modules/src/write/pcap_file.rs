//! `pcapwrite`: packets to capture files in the classic pcap format.

use super::capture::{Header, Packet};
use super::capture_files::{Rules, Series, refuse};
use super::packets::{FIELDS, FLOW_FIELDS, flow_hash, packets, with_packet};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict,
    View,
};
use wireq_typesys::{FieldPath, Position, Zone};

pub(super) const NAME: &str = "pcapwrite";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Writes packets to capture files, and passes them on.",
    details: "The classic pcap format, little-endian, with the link type and the snaplen of the first \
              packet, and with nanoseconds where its capture or its time has them. A file holds one \
              link type: another one ends the run, and so does a time with nanoseconds in a file that \
              was begun with microseconds. The time written is the object's `ts`, such as deskew \
              attaches. Objects without packet, link type or a time from 1970 into 2106 are filtered. \
              `%T` in FILE stands for the time of the file's first packet. Where -s or -t begin another \
              file of the same name, `.1`, `.2` and so on stand behind it; with -b each of the N \
              files has its number behind it, and -s and -t concern each on its own. A packet of \
              the interval before the open file's is written to that file too. Files are replaced; \
              where no packet comes, a capture without packets is written. Compression is left to \
              other programs: `pcapwrite | gzip`.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::Optional,
            summary: "The file, `%T` in it for a time; the statement's output, `-`, unless given.",
        },
        Parameter {
            name: "-s",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Begins another file after this many million bytes; one file unless given.",
        },
        Parameter {
            name: "-t",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Begins another file at multiples of this many seconds of packets' times; one file \
                      unless given.",
        },
        Parameter {
            name: "-b",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Writes N files side by side, up to 512, by addresses and protocol: both directions \
                      of a connection go to one; one file unless given.",
        },
        Parameter {
            name: "--nano",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Times have nanoseconds in any case.",
        },
    ],
    examples: &[
        Example {
            title: "web traffic to a file, and how much it is",
            query: "where dstport = 80 | pcapwrite -f /dev/null | count()",
            input: "five.pcap",
            output: "2\n",
        },
        Example {
            title: "another file at each full hour",
            query: "pcapwrite -f /dev/null -t 3600 | print len",
            input: "five.pcap",
            output: "74\n125\n60\n54\n76\n",
        },
        Example {
            title: "packets with times put right",
            query: "deskew -b 2026-01-01T00:00:02Z ts | pcapwrite --nano -f /dev/null | head 1 | print ts",
            input: "five.pcap",
            output: "2026-01-01T00:00:02+00:00\n",
        },
    ],
    build: Build::Operator(build),
};

/// Each is an open file.
const BUCKETS_MAX: u64 = 512;

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let rules = rules(arguments)?;
    let buckets = number(arguments, "-b", BUCKETS_MAX)?;
    if rules.is_none() {
        for flag in ["-s", "-t", "-b"] {
            if let Some(word) = arguments.value(flag) {
                let message = format!("is for {flag}, which divides into files, and none is named");
                return Err(ArgumentError {
                    help: Some("-f names the file".into()),
                    ..ArgumentError::at(NAME, word, message)
                });
            }
        }
    }
    let flows: &[&str] = if buckets.is_some() { &FLOW_FIELDS } else { &[] };
    let needs = FIELDS.iter().chain(flows);
    let needs: Vec<FieldPath> = needs.map(|name| FieldPath::new(name)).collect();
    let nanos = arguments.flag("--nano");
    let spec = OperatorSpec::stateless(needs, move |context| {
        Box::new(PcapWrite::new(&rules, buckets, nanos, context))
    });
    Ok(OperatorSpec {
        class: StateClass::Serial,
        side_effect: true,
        bound: Some("one open file for each of -b, at most 512"),
        ..spec
    })
}

/// The rules of files; none where the statement's output is written to.
fn rules(arguments: &Arguments) -> Result<Option<Rules>, ArgumentError> {
    const MEGABYTE: u64 = 1_000_000;
    const NANOS: u64 = 1_000_000_000;
    let size = number(arguments, "-s", u64::MAX / MEGABYTE)?;
    let seconds = number(arguments, "-t", i64::MAX as u64 / NANOS)?;
    Ok(match arguments.value("-f") {
        Some(word) if word.text.is_empty() => {
            return Err(ArgumentError::at(NAME, word, "is not the name of a file"));
        }
        Some(word) if word.text != "-" => Some(Rules {
            name: word.text.clone(),
            size_max: size.map(|size| size * MEGABYTE),
            interval: seconds.map(|seconds| (seconds * NANOS) as i64),
            nanos: arguments.flag("--nano"),
        }),
        _ => None,
    })
}

/// The value of a flag, which was checked to be a number.
fn number(arguments: &Arguments, flag: &str, most: u64) -> Result<Option<u64>, ArgumentError> {
    let fault = |word: &Word| {
        let message = format!("is not a number from 1 to {most}");
        ArgumentError::at(NAME, word, message)
    };
    let word = arguments.value(flag);
    word.map(|word| {
        let number: Option<u64> = word.text.parse().ok();
        number
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| fault(word))
    })
    .transpose()
}

struct PcapWrite {
    target: Target,
    /// Whether packets were passed, which are written when it is known that they were taken: at the
    /// end that is after [`Operator::finish`].
    passed: bool,
    nanos: bool,
    zone: Arc<Zone>,
}

enum Target {
    /// The statement's output, with its header once it was written.
    Output(Option<Header>),
    Files {
        rules: Rules,
        series: Vec<Series>,
        /// The header of the first file: one without packets has no other.
        first: Option<Header>,
        key: Vec<u8>,
    },
}

impl PcapWrite {
    fn new(
        rules: &Option<Rules>,
        buckets: Option<u64>,
        nanos: bool,
        context: &Context,
    ) -> PcapWrite {
        let target = match rules {
            None => Target::Output(None),
            Some(rules) => Target::Files {
                rules: rules.clone(),
                series: match buckets {
                    Some(buckets) => (0..buckets as u32).map(|n| Series::new(Some(n))).collect(),
                    None => vec![Series::new(None)],
                },
                first: None,
                key: Vec::new(),
            },
        };
        PcapWrite {
            target,
            passed: false,
            nanos,
            zone: Arc::clone(&context.zone),
        }
    }
}

impl Target {
    fn put(
        &mut self,
        packet: &Packet<'_>,
        nanos: bool,
        zone: &Zone,
        (view, row): (View<'_>, usize),
        out: &mut Output,
    ) -> Result<(), Error> {
        match self {
            Target::Output(header) => {
                let bytes = out.text.bytes();
                let header = header.get_or_insert_with(|| {
                    let header = Header::of(packet, nanos);
                    header.write(bytes);
                    header
                });
                if let Some(misfit) = header.misfit(packet) {
                    return Err(refuse(misfit, "the output", *header, packet, zone));
                }
                header.write_packet(packet, bytes);
                out.text.end_row(view.part.data.position(row));
                Ok(())
            }
            Target::Files {
                rules,
                series,
                first,
                key,
            } => {
                let bucket = match series.len() {
                    1 => 0,
                    buckets => (flow_hash(view, row, key) % buckets as u64) as usize,
                };
                series[bucket].put(packet, rules, zone)?;
                if first.is_none() {
                    *first = series[bucket].header();
                }
                Ok(())
            }
        }
    }
}

impl Operator for PcapWrite {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let packets = packets(*view);
            out.account.filtered += (view.part.count() - packets.count()) as u64;
            self.passed |= !packets.is_empty();
            out.pass(view.part, packets);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        let (target, zone, nanos) = (&mut self.target, &self.zone, self.nanos);
        let mut rows = views
            .iter()
            .flat_map(|view| view.part.selection.iter().map(|row| (*view, row)));
        let put = rows.try_for_each(|(view, row)| {
            let put = |packet: &Packet<'_>| target.put(packet, nanos, zone, (view, row), out);
            with_packet(view, row, put).unwrap_or(Ok(()))
        });
        // What came before a packet that cannot be written is written.
        if let Target::Files { series, .. } = target {
            series.iter_mut().try_for_each(Series::flush)?;
        }
        put
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        match &mut self.target {
            Target::Output(_) if self.passed => {}
            Target::Output(header) => {
                let nothing = Header::of_nothing(self.nanos);
                nothing.write(out.text.bytes());
                out.text.end_row(Position::END);
                *header = Some(nothing);
            }
            Target::Files {
                rules,
                series,
                first,
                ..
            } => {
                let header = first.unwrap_or_else(|| Header::of_nothing(rules.nanos));
                for series in series {
                    series.finish(rules, header, &self.zone)?;
                }
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        match &self.target {
            Target::Output(_) => 0,
            Target::Files { series, .. } => series.len() * size_of::<Series>(),
        }
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.passed));
        let save_header = |header: &Option<Header>, out: &mut Writer| {
            out.number(u64::from(header.is_some()));
            if let Some(header) = header {
                header.save(out);
            }
        };
        match &self.target {
            Target::Output(header) => save_header(header, out),
            Target::Files { series, first, .. } => {
                save_header(first, out);
                series.iter().for_each(|series| series.save(out));
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.passed = from.number()? != 0;
        let mut header = None;
        if from.number()? != 0 {
            header = Some(Header::load(from)?);
        }
        match &mut self.target {
            Target::Output(known) => *known = header,
            Target::Files { series, first, .. } => {
                *first = header;
                series.iter_mut().try_for_each(|series| series.load(from))?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Err(Error::Module {
            module: NAME,
            message: "it is serial: parts cannot be merged".into(),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
