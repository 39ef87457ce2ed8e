//! `pcapfile`: packets of capture files, whatever their format.
//!
//! What a file is shows in its first bytes, not in its name. Frames stay where they were read.
//!
//! To add a format: one file that implements [`format::Format`], and one line in
//! [`format::KINDS`].

mod files;
mod follow;
mod format;
#[cfg(test)]
mod hostile;
mod info;
mod link_types;
mod merged;
mod open_capture;
mod pcap;
mod pcapng;
mod snoop;
mod unordered;
mod upcoming;

pub(super) use format::recognizes;
pub use info::{CaptureInfo, capture_info};
pub use link_types::link_type_name;
pub(crate) use pcapng::{Units, any_number, any_short, order, types};

use super::expand;
use crate::types::packet::Packet;
use files::CaptureFiles;
use follow::Followed;
use merged::{INPUTS_MAX, Merged};
use std::os::unix::fs::FileTypeExt;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{Build, Error, Example, Live, Module, SourceSpec};

pub(super) static MODULE: Module = Module {
    name: "pcapfile",
    summary: "Reads packets from capture files.",
    details: "Reads pcap (micro- and nanoseconds, both byte orders, and the variants that Kuznetzov's, \
              Nokia's, IXIA's and AIX's programs write), pcapng with all its sections and interfaces, \
              and snoop, also compressed (gzip, zstd, lz4, bzip2, xz) or in archives (zip, tar), one within the \
              other. What a file is shows in its first bytes, whatever its name. Files are read one \
              after another in the order given. A file that can't be used is reported, and the others \
              are read. Where a file is damaged, reading goes on at the next record that can be found, \
              and what was skipped is reported. Several threads unpack one compressed file where its \
              format has pieces that need nothing of each other: members of gzip, as bgzip and wireq itself \
              write them, frames of zstd and lz4, blocks of bzip2 and xz; a pipe is unpacked by one.\n\
              With --merge, packets of all files come in the order of their times, up to 500 files, 32 of \
              which may be compressed or archives; the files of an archive are read one after another. Those \
              of a file stay in their order: where it steps back in time, and where a packet has none, a \
              packet comes as if it were of the latest time before it in its file, and keeps the time \
              that it has. Of packets of one time those of the file named first come first.\n\
              With --follow, files are read to the last one, which is read on when it grows, until SIGINT \
              or SIGTERM. Where another file takes its name, or it becomes shorter, what is left of it is \
              read and then that file from its begin; with a pattern, so is one that comes behind it in \
              the order of names. Folders are listed every half second, or after 20 times what listing \
              takes where that is longer, and every 30 seconds at least; a file that is replaced before it \
              was looked at is not seen. A file that is not there is waited for. A compressed file is read \
              to the end that it has, and so is a pipe; with a pattern, pipes are passed over.",
    parameters: &[
        Parameter {
            name: "--merge",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Reads the files side by side, packets in the order of their times.",
        },
        Parameter {
            name: "--follow",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Reads on when the last file grows, and the files that take its place.",
        },
        Parameter {
            name: "-F",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The same as --follow.",
        },
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
        Example {
            title: "two files by time",
            query: "pcapfile --merge five.pcap five-nano-be.pcap | head 3 | print ts",
            input: "",
            output: "2026-01-01T00:00:00.123456+00:00\n2026-01-01T00:00:00.123456789+00:00\n\
                     2026-01-01T00:00:01.123456+00:00\n",
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
    let merge = arguments.flag("--merge");
    if arguments.flag("--follow") || arguments.flag("-F") {
        return follow(paths, arguments.words().last(), recursive, merge);
    }
    Ok(SourceSpec {
        record_type: Arc::new(Packet),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || {
            let paths = paths.iter().flat_map(|path| expand(path, recursive));
            let paths: Vec<String> = paths.collect();
            match merge {
                false => Ok(Box::new(CaptureFiles::new(paths, None))),
                true if paths.len() > INPUTS_MAX => Err(error(format!(
                    "--merge takes up to {INPUTS_MAX} files, which are all open, and not {}",
                    paths.len()
                ))),
                true => Ok(Box::new(Merged::new(paths))),
            }
        }),
    })
}

fn error(message: String) -> Error {
    Error::Module {
        module: MODULE.name,
        message,
    }
}

/// Reads files, the last of which is followed.
fn follow(
    mut paths: Vec<String>,
    word: Option<&Word>,
    recursive: bool,
    merge: bool,
) -> Result<SourceSpec, ArgumentError> {
    let refused = |flag: &str, message: &str, help: &str| ArgumentError {
        module: MODULE.name.to_owned(),
        argument: flag.to_owned(),
        message: message.to_owned(),
        help: Some(help.to_owned()),
        span: None,
    };
    let last = paths.pop().filter(|last| last != "-");
    let Some(last) = last else {
        let help = "name a file; what comes through a pipe is read until it ends in any case";
        return Err(refused("--follow", "is not for standard input", help));
    };
    if merge {
        let help = "what grows has no order of time with other files: leave out one of them";
        return Err(refused("--merge", "does not go with --follow", help));
    }
    if let (Some(word), Ok(data)) = (word, std::fs::metadata(&last)) {
        let what = match data.file_type() {
            kind if kind.is_dir() => "is a folder",
            kind if kind.is_char_device() || kind.is_block_device() => "is a device",
            _ => "",
        };
        let help = match data.is_dir() {
            true => format!("name a pattern such as {}/*", last.trim_end_matches('/')),
            false => "name a file or a pipe".to_owned(),
        };
        if !what.is_empty() {
            let message = format!("{what}, and cannot be followed");
            let refused = ArgumentError::at(MODULE.name, word, message);
            return Err(ArgumentError {
                help: Some(help),
                ..refused
            });
        }
    }
    Ok(SourceSpec {
        record_type: Arc::new(Packet),
        time_ordered: false,
        live: Some(Live {
            inputs: vec![last.clone()],
        }),
        prefilter: None,
        open: Arc::new(move || {
            let before = paths.iter().flat_map(|path| expand(path, recursive));
            let mut before: Vec<String> = before.collect();
            let (matched, followed) = Followed::new(last.clone());
            before.extend(matched);
            Ok(Box::new(CaptureFiles::new(before, Some(followed))))
        }),
    })
}
