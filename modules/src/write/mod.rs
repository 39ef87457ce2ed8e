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

pub(crate) static MODULES: &[&Module] = &[
    &pcap_file::MODULE,
    &netflow::MODULE,
    &nfcapd::MODULE,
    &print::MODULE,
];
