//! `nfcapd`: files of flows as nfdump's collectors write them.
//!
//! Source: the headers `nffile.h`, `nffileV2.h` and `nfxV3.h` of nfdump 1.6 and 1.7, which describe
//! the layouts 1 and 2. Numbers stand with the lowest byte first, as on the machines that write them.

mod blocks;
mod extension;
mod file;
mod layout_1;
mod layout_2;
mod unpack;

pub(super) use blocks::recognizes;

use crate::types::netflow::Netflow;
use file::NfFiles;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, SourceSpec};

pub(super) static MODULE: Module = Module {
    name: "nfcapd",
    summary: "Reads flows from the files of nfdump's collectors.",
    details: "Reads what nfcapd, sfcapd, nfpcapd and nfdump -w write: layout 2 of nfdump 1.7 and layout 1 \
              of nfdump 1.6, blocks as they are or compressed with LZO, BZ2, LZ4 or ZSTD. Files are \
              read one after another in the order given. A file that can't be used is reported, and \
              the others are read; so is what damage makes unreadable. Encrypted files are not read.\n\
              \n\
              `wireq types netflow` lists the fields. Records keep zeros for what an exporter did not \
              send, and so the fields show them.",
    parameters: &[Parameter {
        name: "FILE",
        takes: Takes::File,
        count: Count::Any,
        summary: "The files; `-`, or none at all, is standard input.",
    }],
    examples: &[
        Example {
            title: "what is in a file",
            query: "nfcapd flows.nfcapd | print start srcip dstip dstport ipprotocol packets bytes",
            input: "",
            output: "2026-01-01T00:00:00.250000+00:00\t192.0.2.1\t198.51.100.20\t80\ttcp\t10\t5000\n2026-01-01T00:00:00.251000+00:00\t198.51.100.20\t192.0.2.1\t40001\ttcp\t12\t15000\n2026-01-01T00:00:03+00:00\t192.0.2.2\t198.51.100.53\t53\tudp\t1\t62\n2026-01-01T00:00:04+00:00\t2001:db8::1\t2001:db8::53\t53\tudp\t2\t180\n",
        },
        Example {
            title: "the same query as of packets",
            query: "nfcapd flows.nfcapd | where dstport = 53 | top srcip",
            input: "",
            output: "192.0.2.2\t1\n2001:db8::1\t1\n",
        },
        Example {
            title: "bytes and packets of each protocol",
            query: "nfcapd flows.nfcapd | print ipprotocol sum(bytes) as bytes sum(packets) as packets group by ipprotocol",
            input: "",
            output: "tcp\t20000\t22\nudp\t242\t3\n",
        },
    ],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let words = arguments.words().iter();
    let mut paths: Vec<String> = words.map(|word| word.text.clone()).collect();
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    Ok(SourceSpec {
        record_type: Arc::new(Netflow),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || Ok(Box::new(NfFiles::new(paths.clone())))),
    })
}

/// The most extensions of a record: nfdump knows some fifty kinds.
const EXTENSIONS_MAX: usize = 64;

/// The two bytes at `at` as a number, the lowest first.
#[inline(always)]
fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// The four bytes at `at` as a number, the lowest first.
#[inline(always)]
fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
