//! `pcapwrite`: packets to capture files, classic pcap or pcapng.

use super::OutputName;
use super::capture_files::{Format, Rules};
use super::names::Pattern;
use super::packet_writer::PacketWriter;
use super::packets::{BLOCK_FIELDS, FIELDS, FLOW_FIELDS};
use super::packing::Packing;
use std::time::Duration;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::diagnostic::suggest;
use wireq_engine::{Build, Error, Example, Module, OnControl, OperatorSpec, StateClass};
use wireq_typesys::{FieldPath, Zone};

pub(super) const NAME: &str = "pcapwrite";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Writes packets to capture files, and passes them on.",
    details: "The classic pcap format, little-endian, with the link type and the snaplen of the first \
              packet, and with nanoseconds where its capture or its time has them. A file holds one \
              link type: another one ends the run, and so does a time with nanoseconds in a file that \
              was begun with microseconds. The time written is the object's `ts`, such as deskew \
              attaches. Objects without packet, a link type of 16 bits or a time from 1970 into 2106 are filtered.\n\
              Where the name ends with .pcapng, or --format says so, pcapng is written, which has none \
              of these limits. What was read from pcapng stands as it stood: blocks of packets with \
              all their options, interfaces, sections, names, statistics, secrets, and blocks of \
              types that are not known; statistics are left out where interfaces get other numbers \
              since several captures become one. Packets that changed keep their options. A section's \
              length is told where it was, and is right, and the file can be corrected; else it is not \
              told.\n\
              In FILE, `%T` stands for the time of the file's first packet, `%Y`, `%m`, `%H` and so on \
              for parts of it as in strftime(), `%i` for the number of the file (`%4i`: 0001), and \
              `%%` for `%`. Where -s, -c or -t begin another file and nothing of this tells them apart, \
              `.1`, `.2` and so on stand behind the name; with -b each of the N files has its number \
              behind it, and -s, -c and -t concern each on its own. A packet of the interval before \
              the open file's is written to that file too. Files are replaced; where no packet comes, a \
              capture without packets is written. Another file of pcapng begins with the section and \
              its interfaces.\n\
              A name that ends with .gz, .zst, .lz4, .bz2 or .xz, or --compress, compresses a file: by \
              one million bytes at a time, which can be unpacked whatever becomes of those behind them.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::Optional,
            summary: "The file, `%T` and others in it for a time; the statement's output, `-`, unless given.",
        },
        Parameter {
            name: "--format",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The format, pcap or pcapng; as the name of the file ends unless given, and pcap for other names.",
        },
        Parameter {
            name: "-s",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Begins another file after this many million bytes, before they are compressed; one file \
                      unless given.",
        },
        Parameter {
            name: "-c",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Begins another file after this many packets; one file unless given.",
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
            name: "--compress",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "Compresses files by gzip, zstd, lz4, bzip2 or xz, or none; as the name of the file ends unless \
                      given.",
        },
        Parameter {
            name: "--flush",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "What waits to be compressed waits for this many seconds at most; for a million bytes \
                      however long that takes unless given. What is not compressed never waits.",
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
        Example {
            title: "compressed pcapng, another file every 10,000 packets",
            query: "pcapwrite -f /dev/null --format pcapng --compress gzip -c 10000 | count()",
            input: "five.pcap",
            output: "5\n",
        },
    ],
    build: Build::Operator(build),
};

/// Each is an open file.
const BUCKETS_MAX: u64 = 512;

/// What ends a run.
pub(super) fn error(message: String) -> Error {
    Error::Module {
        module: NAME,
        message,
    }
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let format = format(arguments)?;
    let rules = rules(arguments, format)?;
    let buckets = arguments.number_within(NAME, "-b", 1..=BUCKETS_MAX)?;
    if rules.is_none() {
        for flag in ["-s", "-c", "-t", "-b", "--compress", "--flush"] {
            if let Some(word) = arguments.value(flag) {
                let message = format!("is for {flag}, which is about files, and none is named");
                return Err(ArgumentError {
                    help: Some("-f names the file".into()),
                    ..ArgumentError::at(NAME, word, message)
                });
            }
        }
    }
    let blocks: &[&str] = match format {
        Format::Pcapng => &BLOCK_FIELDS,
        Format::Pcap => &[],
    };
    let flows: &[&str] = if buckets.is_some() { &FLOW_FIELDS } else { &[] };
    let needs = FIELDS.iter().chain(blocks).chain(flows);
    let needs: Vec<FieldPath> = needs.map(|name| FieldPath::new(name)).collect();
    let nanos = arguments.flag("--nano");
    let spec = OperatorSpec::stateless(needs, move |context| {
        Box::new(PacketWriter::new(&rules, buckets, (format, nanos), context))
    });
    Ok(OperatorSpec {
        class: StateClass::Serial,
        side_effect: true,
        on_control: OnControl::React,
        bound: Some(
            "one open file for each of -b, at most 512, with one million bytes where they are compressed; \
             of pcapng 32 MiB of interfaces for each, and 64 MiB before the first packet",
        ),
        ..spec
    })
}

/// The value of a flag, which has to be one of these.
fn choice<'a>(
    arguments: &'a Arguments,
    flag: &str,
    known: &[&'static str],
) -> Result<Option<&'a str>, ArgumentError> {
    let Some(word) = arguments.value(flag) else {
        return Ok(None);
    };
    if known.contains(&word.text.as_str()) {
        return Ok(Some(&word.text));
    }
    let help = match suggest(&word.text, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it takes one of {}", known.join(", ")),
    };
    Err(ArgumentError {
        help: Some(help),
        ..ArgumentError::at(NAME, word, format!("is nothing that {flag} takes"))
    })
}

/// The names that files may get.
pub(super) fn outputs(arguments: &Arguments) -> Vec<OutputName> {
    let word = arguments.value("-f").filter(|word| word.text != "-");
    let Some(name) = word.and_then(|word| Pattern::new(&word.text).ok()) else {
        return Vec::new();
    };
    let first = match name.is_timed() || name.is_numbered() {
        true => OutputName::Any(name.glob()),
        false => OutputName::One(name.name(0, 1, &Zone::utc())),
    };
    let is_one = |flag: &&str| arguments.value(flag).is_none();
    match ["-s", "-c", "-t", "-b"].iter().all(is_one) {
        true => vec![first],
        false => vec![first, OutputName::Any(name.glob() + ".[0-9]*")],
    }
}

/// How captures are written: as the name of the file ends unless it is said.
fn format(arguments: &Arguments) -> Result<Format, ArgumentError> {
    let path = arguments.value("-f").map_or("", |word| &word.text);
    let by_name = Packing::of_path(path).1.ends_with(".pcapng");
    Ok(match choice(arguments, "--format", &["pcap", "pcapng"])? {
        Some("pcapng") => Format::Pcapng,
        None if by_name => Format::Pcapng,
        _ => Format::Pcap,
    })
}

/// The rules of files; none where the statement's output is written to.
fn rules(arguments: &Arguments, format: Format) -> Result<Option<Rules>, ArgumentError> {
    const MEGABYTE: u64 = 1_000_000;
    const NANOS: u64 = 1_000_000_000;
    let number = |flag, bounds| arguments.number_within(NAME, flag, bounds);
    let size = number("-s", 1..=u64::MAX / MEGABYTE)?;
    let count = number("-c", 1..=u64::MAX)?;
    let seconds = number("-t", 1..=i64::MAX as u64 / NANOS)?;
    let flush = number("--flush", 1..=u64::from(u32::MAX))?;
    let word = match arguments.value("-f") {
        Some(word) if word.text.is_empty() => {
            return Err(ArgumentError::at(NAME, word, "is not the name of a file"));
        }
        Some(word) if word.text != "-" => word,
        _ => return Ok(None),
    };
    let name = Pattern::new(&word.text);
    let name = name.map_err(|wrong| ArgumentError {
        help: Some("`%T` stands for a time, `%i` for a number, `%%` for `%`".into()),
        ..ArgumentError::at(NAME, word, wrong)
    })?;
    let known = ["gzip", "zstd", "lz4", "bzip2", "xz", "none"];
    let packing = match choice(arguments, "--compress", &known)? {
        Some(packing) => Packing::named(packing),
        None => Packing::of_path(&word.text).0,
    };
    Ok(Some(Rules {
        name,
        format,
        packing,
        size_max: size.map(|size| size * MEGABYTE),
        count_max: count,
        interval: seconds.map(|seconds| (seconds * NANOS) as i64),
        nanos: arguments.flag("--nano"),
        flush: flush.map(Duration::from_secs),
    }))
}
