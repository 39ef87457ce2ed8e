//! Which module reads a file that a SELECT names.

use super::word_of;
use crate::ast::Call;
use crate::lower::{Lowering, bare};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use wireq_engine::arguments::Word;
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, FileReader, Recognized, Span};

/// Ends of names of compressed files, before which the end stands that counts.
const COMPRESSED: [&str; 6] = ["gz", "zst", "xz", "bz2", "lz4", "z"];

impl Lowering<'_> {
    /// The rows of a file.
    pub(in crate::lower) fn file(&mut self, file: &Word, span: Span) -> NodeId {
        match reader(&file.text, self.registry.readers()) {
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
fn reader(name: &str, readers: &[FileReader]) -> Option<&'static str> {
    let begin = begin(Path::new(name));
    let by_content = |wanted: Recognized| {
        let mut readers = readers.iter();
        readers.find(|reader| (reader.recognizes)(&begin) == wanted)
    };
    let lower = name.to_ascii_lowercase();
    let mut ends = lower.rsplit('.');
    let mut end = ends.next();
    if end.is_some_and(|end| COMPRESSED.contains(&end)) {
        end = ends.next();
    }
    let by_name = || {
        let mut readers = readers.iter();
        readers.find(|reader| end.is_some_and(|end| reader.endings.contains(&end)))
    };
    let reader = by_content(Recognized::Surely)
        .or_else(by_name)
        .or_else(|| by_content(Recognized::Perhaps));
    reader.map(|reader| reader.module)
}

/// The first bytes of a file; none where it is no file that can be read.
fn begin(path: &Path) -> Vec<u8> {
    let mut begin = Vec::new();
    if std::fs::metadata(path).is_ok_and(|file| file.is_file())
        && let Ok(file) = File::open(path)
    {
        // What cannot be read says nothing; its reader will say why.
        let _ = file
            .take(FileReader::BEGIN_LEN as u64)
            .read_to_end(&mut begin);
    }
    begin
}
