//! Readers: bytes in, objects out.

mod blocks;
pub(crate) mod capture;
mod cflow;
mod live;
mod netflow;
mod nfcapd;
mod packed;
mod paths;
mod reuse;
mod table;

pub use live::{Interface, interfaces};

pub use paths::expand;
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
