//! `pcaplive`: packets of network interfaces, through libpcap.
//!
//! A thread takes packets out of the kernel's buffers and hands them on in batches; a bounded queue
//! stands between it and the queries. Where that is full, whole batches are dropped and counted.

mod batch;
mod capture;
mod merge;
mod prefilter;
mod reader;
mod source;

pub use capture::{Interface, interfaces};
pub use prefilter::filter;

use crate::types::packet::{LINKTYPE_ETHERNET, Packet};
use capture::{SNAPLEN_MAX, Settings, check_filter};
use prefilter::SNAPLEN_MIN;
use source::Interfaces;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::plan::expr::Expr;
use wireq_engine::{Build, Example, Live, Module, Prefilter, SourceSpec};

const NAME: &str = "pcaplive";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Reads packets from network interfaces.",
    details: "Packets of several interfaces come in the order of their time. SIGINT and SIGTERM end \
              it: what came until then is taken, and the results are given. Results come within a \
              tenth of a second on a slow link. Where queries can't keep up, whole batches of \
              packets are dropped and counted, as are those that the kernel and the interface \
              dropped: they are told at the end, and by --stats. `wireq interfaces` lists the \
              interfaces. Where all that reads from them is filters, the kernel leaves out packets \
              that none of these can pass: `wireq explain` and --stats show what it takes, no count \
              has the others, and `--no-rewrite prefilter` lets it take all.",
    parameters: &[
        Parameter {
            name: "-i",
            takes: Takes::Text,
            count: Count::Any,
            summary: "An interface; may be given often; `any`, which is all of them, unless given.",
        },
        Parameter {
            name: "-s",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The most bytes to keep of a packet; 262144 unless given.",
        },
        Parameter {
            name: "-p",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Takes only what is meant for this machine: no promiscuous mode.",
        },
        Parameter {
            name: "--buffer",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The kernel's buffer for each interface, such as 64M; 16M unless given.",
        },
        Parameter {
            name: "--immediate",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Hands each packet on as it comes, instead of some together after 10 ms: costs more \
                      for each.",
        },
        Parameter {
            name: "FILTER",
            takes: Takes::Text,
            count: Count::Any,
            summary: "Which packets to take, as pcap-filter(7) says it: `tcp port 80`.",
        },
    ],
    // What they print is for `five.pcap` on the wire, until SIGINT.
    examples: &[
        Example {
            title: "who sends, while it happens",
            query: "pcaplive -i eth0 | print srcip len",
            input: "",
            output: "192.0.2.1\t74\n192.0.2.2\t125\n\t60\n192.0.2.1\t54\n192.0.2.2\t76\n",
        },
        Example {
            title: "only what a filter lets through, the first 96 bytes of each",
            query: "pcaplive -i eth0 -s 96 udp port 53 | print srcip len caplen",
            input: "",
            output: "192.0.2.2\t76\t76\n",
        },
        Example {
            title: "two interfaces, and what there is when SIGINT comes",
            query: "pcaplive -i eth0 -i eth1 | print ipprotocol count() group by ipprotocol every 1h",
            input: "",
            output: "\t1\ntcp\t3\nudp\t1\n",
        },
    ],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    Ok(spec(settings(arguments)?, None))
}

/// The source that takes no more than what may pass a test; none where that is all.
fn narrow(arguments: &Arguments, test: &Expr) -> Option<SourceSpec> {
    let mut settings = settings(arguments).ok()?;
    if settings.snaplen < SNAPLEN_MIN {
        return None;
    }
    // Other link layers have filters of their own, which say the same.
    let takes = filter(test, LINKTYPE_ETHERNET)?;
    settings.prefilter = Some(test.clone());
    Some(spec(settings, Some(takes.into())))
}

fn spec(settings: Settings, takes: Option<Arc<str>>) -> SourceSpec {
    let settings = Arc::new(settings);
    SourceSpec {
        record_type: Arc::new(Packet),
        time_ordered: false,
        live: Some(Live {
            inputs: settings.interfaces.clone(),
        }),
        prefilter: Some(Prefilter {
            counting: &["frame.number"],
            narrow,
            takes,
        }),
        open: Arc::new(move || Ok(Box::new(Interfaces::open(&settings)?))),
    }
}

fn settings(arguments: &Arguments) -> Result<Settings, ArgumentError> {
    let mut interfaces: Vec<String> = Vec::new();
    for word in arguments.values("-i") {
        if word.text.is_empty() || word.text.contains('\0') {
            return Err(ArgumentError {
                help: Some("`wireq interfaces` lists them".into()),
                ..ArgumentError::at(NAME, word, "is no interface")
            });
        }
        if !interfaces.contains(&word.text) {
            interfaces.push(word.text.clone());
        }
    }
    if interfaces.is_empty() {
        interfaces.push("any".to_owned());
    }
    Ok(Settings {
        interfaces,
        snaplen: snaplen(arguments)?,
        promiscuous: !arguments.flag("-p"),
        buffer: buffer(arguments)?,
        immediate: arguments.flag("--immediate"),
        filter: words_as_filter(arguments.words())?,
        prefilter: None,
    })
}

fn snaplen(arguments: &Arguments) -> Result<u32, ArgumentError> {
    let Some(word) = arguments.value("-s") else {
        return Ok(SNAPLEN_MAX);
    };
    let number = word.text.parse().ok();
    number
        .filter(|number| (1..=SNAPLEN_MAX).contains(number))
        .ok_or_else(|| ArgumentError {
            help: Some(format!("-s is a number from 1 to {SNAPLEN_MAX}")),
            ..ArgumentError::at(NAME, word, "is no length")
        })
}

/// The bytes of the kernel's buffer where a query has none: a hundredth of a second at 10 Gbit/s.
const BUFFER: i32 = 16 << 20;

fn buffer(arguments: &Arguments) -> Result<i32, ArgumentError> {
    let Some(word) = arguments.value("--buffer") else {
        return Ok(BUFFER);
    };
    let (digits, shift) = match word.text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&word.text[..at], 10),
        Some((at, 'm' | 'M')) => (&word.text[..at], 20),
        Some((at, 'g' | 'G')) => (&word.text[..at], 30),
        _ => (word.text.as_str(), 0),
    };
    let bytes = digits.parse::<i32>().ok();
    let bytes = bytes.and_then(|bytes| bytes.checked_mul(1 << shift));
    bytes
        .filter(|bytes| *bytes >= 1 << 16)
        .ok_or_else(|| ArgumentError {
            help: Some("write a number of bytes from 64K on, below 2G, such as 64M".into()),
            ..ArgumentError::at(NAME, word, "is no size of a buffer")
        })
}

/// The words of a filter as one text, once it is known that it means something.
fn words_as_filter(words: &[Word]) -> Result<Option<String>, ArgumentError> {
    let Some(first) = words.first() else {
        return Ok(None);
    };
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let text = texts.join(" ");
    check_filter(&text).map_err(|message| ArgumentError {
        argument: format!("`{text}`"),
        help: Some("a filter is what tcpdump takes, see pcap-filter(7): `tcp port 80`".into()),
        ..ArgumentError::at(NAME, first, format!("is no filter: {message}"))
    })?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
