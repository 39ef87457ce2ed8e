//! `pcapwrite`: packets to capture files in the classic pcap format.

use super::capture_files::Rules;
use super::packet_writer::PacketWriter;
use super::packets::{FIELDS, FLOW_FIELDS};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{Build, Example, Module, OperatorSpec, StateClass};
use wireq_typesys::FieldPath;

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
        Box::new(PacketWriter::new(&rules, buckets, nanos, context))
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
