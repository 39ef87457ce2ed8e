//! What a query does.
//!
//! The life of a query, stage by stage:
//!
//! | stage | here | in | out |
//! |---|---|---|---|
//! | plan | [`plan`] | what a language lowered | a graph of nodes, all statements together |
//! | rewrite | [`rewrite`], [`matching`] | plan | a plan with the same results and less work |
//! | physical | `physical` | plan | operators with their columns bound, fields placed |
//! | run | [`schedule`] | physical graph | steps: one batch of one source through every node |
//!
//! With several threads, each takes batches of its own through the part of the graph in which rows
//! have nothing to do with those before them; behind it all goes on in the order of the input, so
//! that results don't depend on threads: see [`frontier`].
//!
//! Modules meet the engine through the contract in [`module`] and the [`Registry`]; languages
//! build a [`plan::Plan`]. The engine knows no query text, no protocol and no file format.

pub mod arguments;
mod at_once;
pub mod diagnostic;
mod error;
pub mod evaluate;
pub mod frontier;
pub mod function;
pub mod matching;
pub mod module;
pub mod operator;
mod physical;
pub mod plan;
pub mod planted;
mod registry;
pub mod rewrite;
pub mod schedule;
pub mod snapshot;
mod span;
pub mod spill;

pub use diagnostic::Diagnostic;
pub use error::{Error, Size};
pub use function::{DemandOf, Function as ScalarFunction, FunctionParameter, Times};
pub use module::*;
pub use registry::{FileReader, Recognized, Registry};
pub use schedule::{Account, NodeReport, Report};
pub use span::Span;
pub use wireq_typesys::RecordType;
