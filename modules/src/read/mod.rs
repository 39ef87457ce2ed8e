//! Readers: bytes in, objects out.

mod blocks;
mod cflow;
mod netflow;
mod nfcapd;
mod pcap_file;
mod table;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &cflow::MODULE,
    &netflow::MODULE,
    &nfcapd::MODULE,
    &pcap_file::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
