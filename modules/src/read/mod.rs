//! Readers: bytes in, objects out.

mod blocks;
mod netflow;
mod pcap_file;
mod table;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &netflow::MODULE,
    &pcap_file::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
