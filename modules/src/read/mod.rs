//! Readers: bytes in, objects out.

mod blocks;
mod capture;
mod cflow;
mod live;
mod netflow;
mod nfcapd;
mod packed;
mod table;

pub use live::{Interface, interfaces};

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &capture::MODULE,
    &live::MODULE,
    &cflow::MODULE,
    &netflow::MODULE,
    &nfcapd::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
