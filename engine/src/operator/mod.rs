//! Operators that the rewrites must know by name: filter, compute, group, aggregate, join, union.
//! All others are modules.

mod aggregate;
mod columns;
mod compute;
mod filter;
mod group;
mod groups;
mod index;
mod join;
mod keyed;
mod matched;
mod stateless;
mod table;
mod union;

pub use compute::compute;
pub use groups::{Drained, Groups, KEY_ROOM, KeyedHash, Numbered, SHARDS};
pub use index::{Candidates, Index};
pub use stateless::{of_ports, stateless};

use crate::OperatorSpec;
use crate::plan::NodeKind;

/// The operator of a node; none for sources.
pub fn operator_spec(kind: &NodeKind) -> Option<OperatorSpec> {
    match kind {
        NodeKind::Source(..) => None,
        NodeKind::Operator(_, _, spec) => Some(match (&spec.group, &spec.table) {
            (Some(group), _) => keyed::keyed(spec, group),
            (None, Some(_)) => table::of_each_branch(spec),
            (None, None) => spec.clone(),
        }),
        NodeKind::Compute(list) => Some(compute(list)),
        NodeKind::Group(group) => Some(group::group(group)),
        NodeKind::Join(join) => Some(join::join(join)),
        NodeKind::Filter(expr) => Some(filter::filter(expr)),
        NodeKind::Aggregate(aggregate) => Some(aggregate::aggregate(aggregate)),
        NodeKind::Columns(list) => Some(columns::columns(list)),
        NodeKind::Union => Some(union::union()),
        NodeKind::Match(matched) => Some(matched::matched(matched)),
        NodeKind::Branch(_) => Some(matched::branch()),
        NodeKind::Tally(tally) => Some(aggregate::tally::tally(tally)),
        NodeKind::Table(begin) => Some(table::table(begin)),
        NodeKind::Deal(deal) => Some(table::deal(deal)),
    }
}
