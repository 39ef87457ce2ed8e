//! Which module reads a file that a SELECT names.

use super::word_of;
use crate::ast::Call;
use crate::lower::{Lowering, bare};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use wireq_engine::arguments::Word;
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, Span};

/// Modules and the ends of names of files that they read, where the content does not tell.
const READERS: [(&str, &[&str]); 6] = [
    ("pcapfile", &["pcap", "pcapng", "cap", "dmp", "ntar"]),
    ("csv", &["csv"]),
    ("tsv", &["tsv", "tab"]),
    ("jsonfile", &["json", "jsonl", "ndjson"]),
    ("parquet", &["parquet"]),
    ("nffile", &["nf", "nfcapd"]),
];

/// Ends of names of compressed files, before which the end stands that counts.
const COMPRESSED: [&str; 6] = ["gz", "zst", "xz", "bz2", "lz4", "z"];

/// What captures begin with: pcap in both orders of bytes with micro- and nanoseconds, modified, and
/// of IXIA; pcapng; snoop.
const CAPTURES: [[u8; 4]; 12] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0x1c, 0x00, 0x01, 0xab],
    [0xab, 0x01, 0x00, 0x1c],
    [0x1c, 0x00, 0x01, 0xac],
    [0xac, 0x01, 0x00, 0x1c],
    [0x0a, 0x0d, 0x0d, 0x0a],
    *b"snoo",
];

/// What compressed files and archives begin with: they are taken for captures unless their names say
/// otherwise.
const PACKED: [&[u8]; 6] = [
    &[0x1f, 0x8b],
    &[0x28, 0xb5, 0x2f, 0xfd],
    &[0x04, 0x22, 0x4d, 0x18],
    b"BZh",
    &[0xfd, b'7', b'z', b'X'],
    &[b'P', b'K', 3, 4],
];

impl Lowering<'_> {
    /// The rows of a file.
    pub(in crate::lower) fn file(&mut self, file: &Word, span: Span) -> NodeId {
        let reader = reader(&file.text);
        match reader.filter(|name| self.registry.module(name).is_some()) {
            Some(name) => {
                // As it is written behind the module's name, so that it is the same source.
                let path = word_of(&file.text, file.span);
                let call = Call::of_words(bare(name, file.span), vec![path]);
                self.source(&call, span)
            }
            None => {
                let message = format!("nothing says what kind of file `{}` is", file.text);
                let fault = Diagnostic::new("Q055", file.span, message).label("unknown file");
                self.faults
                    .push(fault.help(format!("name what reads it: `from csv('{}')`", file.text)));
                self.unknown()
            }
        }
    }
}

/// The module that reads a file: by what it begins with, else by the end of its name.
fn reader(name: &str) -> Option<&'static str> {
    let begin = begin(Path::new(name));
    if begin.is_some_and(|begin| CAPTURES.contains(&begin)) {
        return Some("pcapfile");
    }
    let lower = name.to_ascii_lowercase();
    let mut ends = lower.rsplit('.');
    let mut end = ends.next();
    if end.is_some_and(|end| COMPRESSED.contains(&end)) {
        end = ends.next();
    }
    let mut readers = READERS.iter();
    let named = readers.find(|(_, known)| end.is_some_and(|end| known.contains(&end)));
    let is_packed =
        || begin.is_some_and(|begin| PACKED.iter().any(|magic| begin.starts_with(magic)));
    named
        .map(|(module, _)| *module)
        .or_else(|| is_packed().then_some("pcapfile"))
}

/// The first bytes of a file.
fn begin(path: &Path) -> Option<[u8; 4]> {
    let mut begin = [0; 4];
    let is_file = std::fs::metadata(path).is_ok_and(|file| file.is_file());
    let read =
        is_file && File::open(path).is_ok_and(|mut file| file.read_exact(&mut begin).is_ok());
    read.then_some(begin)
}
