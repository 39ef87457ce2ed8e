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
use std::sync::Arc;

/// The operator of a node; none for sources.
pub fn operator_spec(kind: &NodeKind) -> Option<Arc<OperatorSpec>> {
    Some(Arc::new(match kind {
        NodeKind::Source(..) => return None,
        NodeKind::Operator(_, _, spec) => match (&spec.group, &spec.table) {
            (Some(group), _) => keyed::keyed(spec, group),
            (None, Some(_)) => table::of_each_branch(spec),
            (None, None) => return Some(Arc::clone(spec)),
        },
        NodeKind::Compute(list) => compute(list),
        NodeKind::Group(group) => group::group(group),
        NodeKind::Join(join) => join::join(join),
        NodeKind::Filter(expr) => filter::filter(expr),
        NodeKind::Aggregate(aggregate) => aggregate::aggregate(aggregate),
        NodeKind::Columns(list) => columns::columns(list),
        NodeKind::Union => union::union(),
        NodeKind::Match(matched) => matched::matched(matched),
        NodeKind::Branch(_) => return Some(matched::branch()),
        NodeKind::Tally(tally) => aggregate::tally::tally(tally),
        NodeKind::Table(begin) => table::table(begin),
        NodeKind::Deal(deal) => table::deal(deal),
    }))
}
