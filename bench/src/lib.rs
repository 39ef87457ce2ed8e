//! What the bench programs (`bench/examples/`) share.
//!
//! * [`capture`] frames a classic pcap file, mapped or in blocks.
//! * [`decode`] finds the network and transport layers of an Ethernet frame.
//! * [`traffic`] makes frames of synthetic flows, from [`random`] numbers with a seed.
//!
//! Nothing here uses wireq's own crates: a limit written on top of the engine would
//! measure the engine.

pub mod capture;
pub mod decode;
pub mod random;
pub mod traffic;
