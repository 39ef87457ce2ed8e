//! Readers: bytes in, objects out.

mod blocks;
pub(crate) mod capture;
mod packed;
mod paths;
mod table;

pub use paths::expand;
use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &capture::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
