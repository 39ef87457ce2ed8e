//! `nfcapdwrite`: flows to a file as nfdump's collectors write them.
//!
//! Source: the headers `nffileV2.h` and `nfxV3.h` of nfdump 1.7, which describe layout 2.

mod file;
mod record;
mod sink;
#[cfg(test)]
mod tests;

use super::flow_rows::{fields, optional};
use sink::Sink;
use std::os::unix::fs::FileTypeExt;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OperatorSpec, StateClass};

const NAME: &str = "nfcapdwrite";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Writes flows to a file that nfdump reads, and passes them on.",
    details: "Layout 2 of nfdump 1.7, with its figures of all flows at the end. Takes records of `flow`, of \
              `netflow` and of `nfcapd`, and any object with srcip, dstip, start, packets and bytes; ports, \
              ipprotocol, end, flags, tos, interfaces, systems, masks, nexthop and vlan are written where \
              objects have them. Others are filtered. A flow with packets in both directions is two \
              records, or with --biflow one. `flow -b iplen` counts bytes from the IP header on, as \
              nfdump's own programs do. The file is replaced; it is whole when the run ends. Its begin is put \
              right then: it cannot be a pipe.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::One,
            summary: "The file.",
        },
        Parameter {
            name: "--lz4",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Compresses blocks with LZ4.",
        },
        Parameter {
            name: "--biflow",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "One record has both directions of a flow.",
        },
        Parameter {
            name: "--ident",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "What the file says of where flows are from, up to 127 bytes; `none` unless given.",
        },
    ],
    examples: &[
        Example {
            title: "flows of a capture for nfdump",
            query: "flow -b iplen | nfcapdwrite -f /dev/null | count()",
            input: "five.pcap",
            output: "4\n",
        },
        Example {
            title: "both directions in one record",
            query: "flow -b iplen | nfcapdwrite --biflow -f /dev/null | print srcip dstip bytes",
            input: "five.pcap",
            output: "192.0.2.1\t198.51.100.10\t60\n192.0.2.2\t198.51.100.20\t111\n192.0.2.1\t198.51.100.20\t40\n192.0.2.2\t198.51.100.53\t62\n",
        },
        Example {
            title: "what a router exported, compressed",
            query: "pcapfile netflow.pcap | netflow | where dstport = 53 | nfcapdwrite --lz4 -f /dev/null | count()",
            input: "",
            output: "4\n",
        },
    ],
    build: Build::Operator(build),
};

/// Why something else than a file is refused.
const NO_FILE: &str = "is no file whose begin can be put right at the end";

/// Whether it is known before it is opened that there are no places in it.
fn is_pipe(path: &str) -> bool {
    let kind = std::fs::metadata(path).map(|data| data.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let path = match arguments.value("-f") {
        Some(word) if word.text.is_empty() || word.text == "-" => {
            return Err(ArgumentError {
                help: Some("its begin is put right at the end: it has to be a file".into()),
                ..ArgumentError::at(NAME, word, "is not the name of a file")
            });
        }
        Some(word) if is_pipe(&word.text) => {
            return Err(ArgumentError {
                help: Some(
                    "name a file, and let the other end read it when the run is over".into(),
                ),
                ..ArgumentError::at(NAME, word, NO_FILE)
            });
        }
        Some(word) => word.text.clone(),
        None => {
            return Err(ArgumentError {
                module: NAME.into(),
                argument: "-f".into(),
                message: "is missing".into(),
                help: Some("name the file: -f FILE".into()),
                span: None,
            });
        }
    };
    let ident = match arguments.value("--ident") {
        Some(word) if word.text.len() > 127 || word.text.contains('\0') => {
            return Err(ArgumentError::at(
                NAME,
                word,
                "is no ident: it is too long, or has a zero byte",
            ));
        }
        Some(word) => word.text.clone(),
        None => "none".to_owned(),
    };
    let (lz4, biflow) = (arguments.flag("--lz4"), arguments.flag("--biflow"));
    Ok(OperatorSpec {
        class: StateClass::Serial,
        side_effect: true,
        optional: optional().into(),
        bound: Some("one block of a megabyte"),
        ..OperatorSpec::stateless(fields(), move |_| {
            Box::new(Sink::new(&path, &ident, lz4, biflow))
        })
    })
}
