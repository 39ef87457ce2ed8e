//! Writers: objects in, bytes out.

mod capture;
mod capture_files;
mod format;
mod looks;
mod packet_writer;
mod packets;
mod pcap_file;
mod print;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[&pcap_file::MODULE, &print::MODULE];
