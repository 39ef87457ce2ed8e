//! Readers: bytes in, objects out.

mod blocks;
mod capture;
mod packed;
mod table;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &capture::MODULE,
    &table::csv::CSV,
    &table::tabular_input::MODULE,
    &table::csv::TSV,
];
