//! Operators that the rewrites must know by name: filter, aggregate, union. All others are modules.

mod aggregate;
mod filter;
mod groups;
mod union;

pub use groups::{Groups, KeyedHash, Numbered, SHARDS};

use crate::OperatorSpec;
use crate::plan::NodeKind;

/// The operator of a node; none for sources.
pub fn operator_spec(kind: &NodeKind) -> Option<OperatorSpec> {
    match kind {
        NodeKind::Source(..) => None,
        NodeKind::Operator(_, _, spec) => Some(spec.clone()),
        NodeKind::Filter(expr) => Some(filter::filter(expr)),
        NodeKind::Aggregate(aggregate) => Some(aggregate::aggregate(aggregate)),
        NodeKind::Union => Some(union::union()),
    }
}
