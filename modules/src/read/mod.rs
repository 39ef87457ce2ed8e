//! Readers: bytes in, objects out.

mod blocks;
mod live;
mod netflow;
mod pcap_file;
mod table;

pub use live::{Interface, interfaces};

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &netflow::MODULE,
    &pcap_file::MODULE,
    &live::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
