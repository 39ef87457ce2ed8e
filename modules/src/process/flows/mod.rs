//! Flows: packets that have their ends in common.
//!
//! [`flow`] makes one record of each, [`flowid`] numbers them and passes their first objects. What
//! they share is here: keys that are the same in both directions ([`key`], [`keys`]), what is done with rows
//! on any thread ([`ahead`]), and a table of flows that knows which one was idle longest ([`table`]).

mod ahead;
mod columns;
pub(super) mod flow;
pub(super) mod flowid;
mod kept_key;
mod key;
mod keys;
mod number;
mod packet;
mod record;
mod said;
mod snapshot;
mod state;
mod summary;
mod sums;
mod table;
mod tcp;
mod track;
