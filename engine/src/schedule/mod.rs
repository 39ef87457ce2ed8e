//! Who runs when.
//!
//! A run is a sequence of steps. A step takes one batch from one source and runs every node that
//! has input, once, in topological rank; what a node gives stays in its own output until the
//! step ends, and the nodes behind read it there. Side effects come last, on rows that were taken.

pub mod account;
mod done;
mod end;
mod graph;
mod live;
mod memory;
pub(crate) mod merge;
mod multiplexer;
pub mod output;
mod prepared;
mod run;
mod threads;
mod turns;

pub use account::{Account, NodeReport, Report};
pub use live::Signals;
pub use multiplexer::{Outputs, Target};
pub use run::{Options, run};
