//! Readers: bytes in, objects out.

mod blocks;
mod pcap_file;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[&pcap_file::MODULE];
