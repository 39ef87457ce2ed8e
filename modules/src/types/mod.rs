//! Record types.

pub mod packet;
pub mod table;
