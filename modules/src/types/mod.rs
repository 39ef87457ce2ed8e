//! Record types.

pub mod netflow;
pub mod packet;
pub mod table;
