//! Writers: objects in, bytes out.

mod capture;
mod capture_files;
mod flow_rows;
mod format;
mod looks;
mod names;
mod netflow;
mod nfcapd;
mod open_file;
mod packet_writer;
mod packets;
mod packing;
mod pcap_file;
mod pcapng;
mod print;
mod written_file;

use wireq_engine::Module;
use wireq_engine::arguments::{Arguments, Takes};
pub use written_file::end_when_set;

pub(crate) static MODULES: &[&Module] = &[
    &pcap_file::MODULE,
    &netflow::MODULE,
    &nfcapd::MODULE,
    &print::MODULE,
];

/// A name that an output has, or may come to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputName {
    /// This one.
    One(String),
    /// Any that a pattern matches.
    Any(String),
}

/// The files that a writer with these arguments may replace.
pub fn outputs(module: &Module, arguments: &Arguments) -> Vec<OutputName> {
    if module.name == pcap_file::NAME {
        return pcap_file::outputs(arguments);
    }
    let files = module.parameters.iter();
    let files = files.filter(|parameter| parameter.takes == Takes::File);
    let words = files.flat_map(|parameter| arguments.values(parameter.name));
    let words = words.filter(|word| word.text != "-");
    words
        .map(|word| OutputName::One(word.text.clone()))
        .collect()
}
