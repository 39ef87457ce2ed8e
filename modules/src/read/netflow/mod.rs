//! `netflow`: records of flows in messages of exporters, from packets or from files of messages.

mod batch;
mod decoder;
mod fault;
mod files;
mod fixed;
mod held;
mod live;
mod operator;
mod sequence;
mod sets;
mod sflow;
mod state;
mod template;

use crate::types::netflow::Netflow;
use files::Files;
use live::Live;
use operator::Exports;
use std::net::SocketAddr;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{
    Build, EitherModule, Example, Gives, Module, Needs, OnControl, OperatorSpec, SourceSpec,
    StateClass,
};
use wireq_typesys::FieldPath;

const NAME: &str = "netflow";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives the records of flows that exporters send: NetFlow 1, 5, 7, 9, IPFIX and sFlow 5.",
    details: "With -l it listens for datagrams until it is interrupted. With FILE it reads files of messages \
              one after another, such as IPFIX files (RFC 5655). Without either it takes packets and decodes the messages in them: UDP datagrams to a \
              port that exports are sent to (2055, 4432, 4739, 6343, 9995, 9996) or one of -p, and \
              datagrams to other ports that are a whole message. Other packets are filtered.\n\
              \n\
              `wireq types netflow` lists the fields. Templates are kept for each exporter's address \
              and observation domain, up to 4,096 of these and 1,048,576 fields; those not heard for \
              longest are forgotten first. Data that comes before its template is held for 10 \
              minutes, 4 MiB at most. What is missing in the sequence of an exporter's messages, and \
              all that could not be decoded, is counted by reason.\n\
              \n\
              A sample of sFlow is a record of one packet: what its header has are the fields, `bytes` is \
              the length of the frame, `sampling` the rate; `dataLinkFrameSection` are the bytes. \
              Samples of counters are counted.\n\
              \n\
              Records that tell of the exporter (data of options templates) are given with \
              --options; `options` is true in them and absent in others.",
    parameters: &[
        Parameter {
            name: "-p",
            takes: Takes::Number,
            count: Count::Any,
            summary: "Of packets: decode what is sent to this port, and nothing else.",
        },
        Parameter {
            name: "-l",
            takes: Takes::Text,
            count: Count::Any,
            summary: "Listen for datagrams on this address and port, such as 127.0.0.1:2055.",
        },
        Parameter {
            name: "--options",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Give records about the exporter too.",
        },
        Parameter {
            name: "FILE",
            takes: Takes::File,
            count: Count::Any,
            summary: "Files of messages; without any it takes packets. `-` is standard input.",
        },
    ],
    examples: &[
        Example {
            title: "flows that a router exported, found in a capture",
            query: "pcapfile netflow.pcap | netflow | print version srcip dstip dstport packets bytes",
            input: "",
            output: "5\t192.0.2.1\t198.51.100.20\t80\t10\t5000\n5\t198.51.100.20\t192.0.2.1\t40001\t12\t15000\n5\t192.0.2.2\t198.51.100.53\t53\t1\t62\n5\t192.0.2.1\t198.51.100.53\t53\t2\t130\n1\t192.0.2.2\t198.51.100.20\t443\t3\t300\n7\t192.0.2.2\t198.51.100.20\t443\t4\t400\n9\t192.0.2.1\t198.51.100.20\t80\t20\t2000\n9\t192.0.2.2\t198.51.100.53\t53\t1\t80\n10\t2001:db8::1\t2001:db8::53\t53\t1\t90\n10\t2001:db8::2\t2001:db8::80\t80\t5\t900\n5\t192.0.2.1\t198.51.100.20\t8080\t1\t60\n",
        },
        Example {
            title: "who sends most, of flows as of packets",
            query: "pcapfile netflow.pcap | netflow | where dstport = 53 | top srcip",
            input: "",
            output: "192.0.2.2\t2\n192.0.2.1\t1\n2001:db8::1\t1\n",
        },
        Example {
            title: "a file of IPFIX messages",
            query: "netflow flows.ipfix | print srcip dstip protocolIdentifier octetDeltaCount start",
            input: "",
            output: "2001:db8::1\t2001:db8::53\tudp\t90\t2026-01-01T00:00:01.250000+00:00\n2001:db8::2\t2001:db8::80\ttcp\t900\t2026-01-01T00:00:01.250000+00:00\n",
        },
        Example {
            title: "what exporters say of themselves",
            query: "pcapfile netflow.pcap | netflow --options | where options | print domain template samplingInterval",
            input: "",
            output: "5\t257\t100\n",
        },
    ],
    build: Build::Either(EitherModule {
        is_source,
        source,
        operator,
    }),
};

/// The ports that exports are sent to as a rule: NetFlow's, IPFIX's (IANA), and what collectors
/// listen to.
const PORTS: [u16; 6] = [2055, 4432, 4739, 6343, 9995, 9996];

fn is_source(words: &[Word]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-p" if !word.quoted => {
                words.next();
            }
            "-l" if !word.quoted => return true,
            "-" => return true,
            text if text.starts_with('-') && !word.quoted => {}
            _ => return true,
        }
    }
    false
}

fn source(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    if let Some(port) = arguments.value("-p") {
        return Err(ArgumentError::at(
            NAME,
            port,
            "is for packets: files have no ports",
        ));
    }
    let paths: Vec<String> = arguments
        .words()
        .iter()
        .map(|word| word.text.clone())
        .collect();
    let options = arguments.flag("--options");
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for word in arguments.values("-l") {
        addresses.push(word.text.parse().map_err(|_| ArgumentError {
            help: Some("write an address and a port: 127.0.0.1:2055, [::]:2055".into()),
            ..ArgumentError::at(NAME, word, "is no address to listen on")
        })?);
    }
    if let (Some(word), false) = (arguments.words().first(), addresses.is_empty()) {
        let message = "is a file: with -l messages come from elsewhere";
        return Err(ArgumentError::at(NAME, word, message));
    }
    if !addresses.is_empty() {
        return Ok(SourceSpec {
            record_type: Arc::new(Netflow),
            time_ordered: false,
            live: Some(wireq_engine::Live {
                inputs: addresses.iter().map(SocketAddr::to_string).collect(),
            }),
            prefilter: None,
            open: Arc::new(move || Ok(Box::new(Live::new(&addresses, options)?))),
        });
    }
    Ok(SourceSpec {
        record_type: Arc::new(Netflow),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || Ok(Box::new(Files::new(paths.clone(), options)))),
    })
}

fn operator(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let mut ports: Vec<u16> = Vec::new();
    for word in arguments.values("-p") {
        let port = word.text.parse();
        ports.push(port.map_err(|_| ArgumentError::at(NAME, word, "is not the number of a port"))?);
    }
    let options = arguments.flag("--options");
    let needs = ["carried", "srcip", "dstport", "ts", "transport"];
    Ok(OperatorSpec {
        needs: Needs::Fields(needs.iter().map(|name| FieldPath::new(name)).collect()),
        gives: Gives::Made(Vec::new()),
        record_type: Some(Arc::new(Netflow)),
        class: StateClass::Serial,
        bound: Some("4096 exporters, 1048576 fields of templates, 4 MiB of data without template"),
        on_control: OnControl::Consume,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Exports::new(ports.clone(), options, context))
        })
    })
}
