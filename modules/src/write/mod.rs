//! Writers: objects in, bytes out.

mod capture;
mod capture_files;
mod format;
mod looks;
mod names;
mod open_file;
mod packet_writer;
mod packets;
mod packing;
mod pcap_file;
mod pcapng;
mod print;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[&pcap_file::MODULE, &print::MODULE];
