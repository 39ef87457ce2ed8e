//! `flow`: one record of each bidirectional flow.

use super::record;
use super::table::{FLOWS_MAX, LISTS};
use super::track::Flows;
use crate::process::clockwork::period;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Gives, Module, Needs, OnControl, OperatorSpec, StateClass};
use wireq_typesys::{FieldPath, Kind, Zone};

pub(super) const NAME: &str = "flow";

pub(in crate::process) static MODULE: Module = Module {
    name: NAME,
    summary: "Makes one record of each flow of packets, both directions together.",
    details: "A flow is the packets with the same addresses, ports and protocol, whichever end sends \
              them; other fields may be given (srcip and dstip, srcport and dstport and the like \
              change places in the other direction, others stay). An object with none of the \
              fields is filtered. Later fragments have no ports, and are a flow of their own.\n\
              \n\
              A record has the fields as the originator sends them, then `start`, `end`, \
              `duration`, `packets`, `bytes` (of `len`: the whole frames), `flags` (the TCP flags \
              of all packets together), each of the last three also for the other direction \
              (`packetsback` and so on), `state` and `reason`. The originator is who sent the \
              first packet; where that is a SYN-ACK, who it was sent to.\n\
              \n\
              `state` is what Zeek calls conn_state, by TCP flags: S0 attempt without answer, S1 \
              established, SF established and ended, S2 and S3 ended by originator or responder \
              alone, REJ rejected, RSTO and RSTR aborted by originator or responder, RSTOS0 SYN and \
              then RST without answer, RSTRH, SHR and SH where one side is missing, OTH all else. \
              For UDP it is S0 one way, SF both ways. It is there where both ports are among the \
              fields.\n\
              \n\
              `reason` is why the record was made: `idle` after -i without a packet, `active` after \
              -a (the flow goes on in further records, which keep its direction and state), `fin` or \
              `rst` where the connection ended and -l passed, `syn` where another connection with \
              the same addresses and ports began, `end` with the input, `flush` at a Flush, \
              `evicted` where there were more flows than --max.\n\
              \n\
              Time is that of the packets, and its latest is what counts: a flow is idle when it is \
              more than -i behind the time at which the flow's last packet came, or when a packet \
              of the flow is more than -i away from the times that the flow has seen. So packets \
              out of order and files out of order end no flow too early; a packet that comes after \
              the record of its flow begins another one. Records come in the order of their ends, \
              at the end of the input in the order of first packets. A packet without ts counts \
              to the latest time.\n\
              \n\
              Close and watermarks end here: what they say of packets does not hold for flows. A \
              watermark makes idle flows end.",
    parameters: &[
        Parameter {
            name: "-i",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "A flow ends after so long without a packet, such as 15s; 60s unless given.",
        },
        Parameter {
            name: "-a",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "No record is longer than this; 30m unless given.",
        },
        Parameter {
            name: "-l",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "A connection that FIN or RST ended takes its last packets for so long; 5s unless given.",
        },
        Parameter {
            name: "-b",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "The field that is summed as bytes, such as iplen; len unless given.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N flows: what is over or idle longest goes first; 4000000 unless given, about 170 bytes each.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Any,
            summary: "The fields that the packets of a flow have in common; srcip srcport dstip dstport ipprotocol unless given.",
        },
    ],
    examples: &[
        Example {
            title: "who talked to whom, and how it ended",
            query: "flow | print srcip dstip dstport packets bytes state reason",
            input: "five.pcap",
            output: "192.0.2.1\t198.51.100.10\t443\t1\t74\tS0\tend\n192.0.2.2\t198.51.100.20\t80\t1\t125\tOTH\tend\n192.0.2.1\t198.51.100.20\t80\t1\t54\tOTH\tend\n192.0.2.2\t198.51.100.53\t53\t1\t76\tS0\tend\n",
        },
        Example {
            title: "attempts without an answer",
            query: "flow | where ipprotocol = tcp and state = S0 | print srcip dstip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t198.51.100.10\t443\n",
        },
        Example {
            title: "flows between hosts",
            query: "flow srcip dstip | print srcip dstip packets packetsback duration",
            input: "five.pcap",
            output: "192.0.2.1\t198.51.100.10\t1\t0\t0\n192.0.2.2\t198.51.100.20\t1\t0\t0\n192.0.2.1\t198.51.100.20\t1\t0\t0\n192.0.2.2\t198.51.100.53\t1\t0\t0\n",
        },
        Example {
            title: "a host is silent for a second",
            query: "flow -i 1s srcip | print srcip start.sec packets reason",
            input: "five.pcap",
            output: "192.0.2.1\t1767225600\t1\tidle\n192.0.2.2\t1767225601\t1\tidle\n192.0.2.1\t1767225603\t1\tend\n192.0.2.2\t1767225604\t1\tend\n",
        },
    ],
    build: Build::Operator(build),
};

const SECOND: i64 = 1_000_000_000;
const DEFAULT_FIELDS: [&str; 5] = ["srcip", "srcport", "dstip", "dstport", "ipprotocol"];
/// What ends flows and records.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long a flow of each list may be without a packet.
    pub(super) idle: [i64; LISTS],
    /// How long a record may be.
    pub(super) active: i64,
    /// How many flows there may be.
    pub(super) flows: usize,
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let limits = limits(arguments)?;
    let fields = fields(arguments)?;
    let keys = fields.len();
    let mut columns: Vec<(FieldPath, Kind)> = Vec::new();
    columns.extend(fields.iter().map(|field| (field.clone(), Kind::Dynamic)));
    columns.extend(record::columns());
    let like = fields.iter().map(|field| (field.clone(), field.clone()));
    let like = like.collect();
    let has_ports = ["srcport", "dstport"].iter().all(|port| {
        let is_port = |field: &FieldPath| field.as_str().ends_with(port);
        fields.iter().any(is_port)
    });
    let bytes = arguments.value("-b").map_or("len", |word| &word.text);
    let bytes = FieldPath::new(bytes);
    let mut needs = fields;
    // Without ports there are no connections, so nothing of TCP is looked at.
    let others = ["ts", "ipprotocol", "tcpflags", "seq"];
    let others = if has_ports { &others[..] } else { &others[..1] };
    let others = others.iter().map(|name| FieldPath::new(name));
    for field in others.chain([bytes.clone()]) {
        if !needs.contains(&field) {
            needs.push(field);
        }
    }
    Ok(OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Made(columns),
        like,
        class: StateClass::Keyed,
        bound: Some("--max flows"),
        on_control: OnControl::React,
        prepares: true,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Flows::new(limits, keys, has_ports, &bytes, context))
        })
    })
}

fn limits(arguments: &Arguments) -> Result<Limits, ArgumentError> {
    let time = |flag: &str, default: i64| match arguments.value(flag) {
        Some(word) => period(NAME, word, &Zone::utc()),
        None => Ok(default),
    };
    Ok(Limits {
        idle: [time("-i", 60 * SECOND)?, time("-l", 5 * SECOND)?],
        active: time("-a", 30 * 60 * SECOND)?,
        flows: flows_max(NAME, arguments)?,
    })
}

/// The value of `--max`.
pub(super) fn flows_max(module: &str, arguments: &Arguments) -> Result<usize, ArgumentError> {
    let Some(word) = arguments.value("--max") else {
        return Ok(4_000_000);
    };
    match word.text.parse() {
        Ok(flows) if (1..=FLOWS_MAX).contains(&flows) => Ok(flows),
        _ => Err(ArgumentError {
            help: Some(format!("a number of flows from 1 to {FLOWS_MAX}")),
            ..ArgumentError::at(module, word, "is no number of flows that can be kept")
        }),
    }
}

fn fields(arguments: &Arguments) -> Result<Vec<FieldPath>, ArgumentError> {
    if arguments.words().is_empty() {
        return Ok(DEFAULT_FIELDS
            .iter()
            .map(|name| FieldPath::new(name))
            .collect());
    }
    let mut fields: Vec<FieldPath> = Vec::new();
    for (field, word) in arguments.fields().into_iter().zip(arguments.words()) {
        let fault = |message| Err(ArgumentError::at(NAME, word, message));
        if record::columns().iter().any(|(name, _)| *name == field) {
            return fault("is the name of a field that flow gives");
        }
        if fields.contains(&field) {
            return fault("is there twice");
        }
        fields.push(field);
    }
    Ok(fields)
}
