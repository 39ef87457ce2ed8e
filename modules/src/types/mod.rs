//! Record types.

pub mod packet;
