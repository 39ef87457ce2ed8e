//! Readers: bytes in, objects out.

mod blocks;
pub(crate) mod capture;
mod cflow;
mod drain;
mod follow;
mod live;
mod netflow;
mod nfcapd;
mod packed;
mod paths;
mod patterns;
mod reuse;
mod stretch;
mod table;

pub use live::{Interface, filter, interfaces};

pub use paths::{expand, is_pattern};
pub use patterns::may_be_one;
use wireq_engine::{FileReader, Module, Recognized};

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

/// Who reads files that a query names without a module.
pub(crate) static READERS: &[FileReader] = &[
    FileReader {
        module: "pcapfile",
        endings: &["pcap", "pcapng", "cap", "dmp", "ntar", "snoop", "tar"],
        recognizes: capture::recognizes,
    },
    FileReader {
        module: "nfcapd",
        endings: &["nf", "nfcapd"],
        recognizes: nfcapd::recognizes,
    },
    FileReader {
        module: "csv",
        endings: &["csv"],
        recognizes: |_| Recognized::No,
    },
    FileReader {
        module: "tsv",
        endings: &["tsv", "tab"],
        recognizes: |_| Recognized::No,
    },
];
