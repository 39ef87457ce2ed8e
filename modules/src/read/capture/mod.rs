//! `pcapfile`: packets of capture files, whatever their format.
//!
//! What a file is shows in its first bytes, not in its name. Frames stay where they were read.
//!
//! To add a format: one file that implements [`format::Format`], and one line in
//! [`format::KINDS`].

mod files;
mod format;
#[cfg(test)]
mod hostile;
mod info;
mod link_types;
mod open_capture;
mod pcap;
mod pcapng;
mod snoop;

pub(super) use format::recognizes;
pub use info::{CaptureInfo, capture_info};
pub use link_types::link_type_name;

use super::expand;
use crate::types::packet::Packet;
use files::CaptureFiles;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, SourceSpec};

pub(super) static MODULE: Module = Module {
    name: "pcapfile",
    summary: "Reads packets from capture files.",
    details: "Reads pcap (micro- and nanoseconds, both byte orders, and the variants that Kuznetzov's, \
              Nokia's, IXIA's and AIX's programs write), pcapng with all its sections and interfaces, \
              and snoop, also compressed (gzip, zstd, lz4, bzip2, xz) or in archives (zip, tar), one within the \
              other. What a file is shows in its first bytes, whatever its name. Files are read one \
              after another in the order given. A file that can't be used is reported, and the others \
              are read. Where a file is damaged, reading goes on at the next record that can be found, \
              and what was skipped is reported.",
    parameters: &[
        Parameter {
            name: "--recursive",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Reads all files in folders, and in folders in them, in the order of their names.",
        },
        Parameter {
            name: "FILE",
            takes: Takes::File,
            count: Count::Any,
            summary: "The files, or patterns of names with `*`, `?` and `[...]`; `-`, or none at all, is \
                      standard input.",
        },
    ],
    examples: &[
        Example {
            title: "what is in a capture",
            query: "pcapfile five.pcap | print len srcip",
            input: "",
            output: "74\t192.0.2.1\n125\t192.0.2.2\n60\n54\t192.0.2.1\n76\t192.0.2.2\n",
        },
        Example {
            title: "nanoseconds, big-endian",
            query: "pcapfile five-nano-be.pcap | head 1 | print ts",
            input: "",
            output: "2026-01-01T00:00:00.123456789+00:00\n",
        },
        Example {
            title: "two files, one after the other",
            query: "pcapfile five.pcap five-nano-be.pcap | count()",
            input: "",
            output: "10\n",
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
    let recursive = arguments.flag("--recursive");
    Ok(SourceSpec {
        record_type: Arc::new(Packet),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || {
            let paths = paths.iter().flat_map(|path| expand(path, recursive));
            Ok(Box::new(CaptureFiles::new(paths.collect())))
        }),
    })
}
