//! The frontier: where in the plan rows come back from the threads into their order.
//!
//! With several threads each has nodes of its own for the part of the plan before the frontier, and
//! takes whole batches through them; what they gave is then taken up in the order of the input by
//! the nodes behind it, of which there is one each. So the state that a node behind the frontier
//! keeps sees what it sees on one thread, whatever its class.
//!
//! What a state says at the end, where that is much, is given likewise: in pieces, each of which any
//! thread takes through the nodes behind, up to a frontier of their own.
//!
//! | place | which nodes | what is done with them |
//! |---|---|---|
//! | [`Place::Ahead`] | sources; what keeps nothing, behind nodes that are ahead too | each batch on any thread |
//! | [`Place::InParts`] | commutative states behind nodes that are ahead, unless memory is limited | a part of the state on each thread, merged at the end |
//! | [`Place::InOrder`] | all others | one batch after another, in the order of the input |
//!
//! Where all nodes that take rows of a source are of the first two sorts and write nothing, nothing is made
//! of the order of these rows: then it may give them in any ([`crate::Source::in_any_order`]). Not with
//! `strict`, where the first damage ends the run, nor where objects are told apart, nor where memory is
//! limited. Rows that are written as they come stay in order: what came early would have to be held.
//!
//! What a node that is in order makes of rows whatever came before them (keys, sums of the rows of one
//! key) is prepared on any thread, where it says so ([`crate::Operator::prepare`]) and its input is ahead.
//!
//! A node that may be done before its input ends is in order, and so is one that has to know what
//! was taken of the rows that it gave: both are about the order of rows.

use crate::plan::{Aggregate, NodeKind, Tally};
use crate::{Gives, OnControl, OperatorSpec, StateClass};
use wireq_typesys::FieldPath;

/// How a node runs where there are several threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On any thread, batch by batch.
    Ahead,
    /// On all threads, a part of its state on each.
    InParts,
    /// On one thread at a time, in the order of the input.
    InOrder,
}

/// What decides about the place of a node.
pub(crate) struct Node<'a> {
    pub(crate) kind: &'a NodeKind,
    /// None for sources.
    pub(crate) spec: Option<&'a OperatorSpec>,
    /// The places of its inputs.
    pub(crate) inputs: &'a [Place],
    /// Whether it stands between a side effect and an operator that may be done early.
    pub(crate) traced: bool,
    /// Fields of its input that it keeps, since something behind it reads them.
    pub(crate) live: &'a [FieldPath],
    /// Whether anything in the plan tells objects apart by what they are.
    pub(crate) reads_identity: bool,
}

/// The place of a node.
pub(crate) fn place(node: &Node<'_>) -> Place {
    let Some(spec) = node.spec else {
        return Place::Ahead;
    };
    if node.inputs.iter().any(|input| *input != Place::Ahead) {
        Place::InOrder
    } else if goes_ahead(node) {
        Place::Ahead
    } else if has_parts(node, spec) {
        Place::InParts
    } else {
        Place::InOrder
    }
}

/// Whether rows are prepared on any thread for a node, given whether they may be. Of several inputs there is
/// no sequence before all of them are in their order.
pub(crate) fn is_prepared(
    prepares: bool,
    place: Place,
    mut inputs: impl Iterator<Item = Place>,
) -> bool {
    let reads_ahead = inputs.next() == Some(Place::Ahead) && inputs.next().is_none();
    prepares && place == Place::InOrder && reads_ahead
}

/// Whether all that a node does follows from the rows of one batch.
pub(crate) fn goes_ahead(node: &Node<'_>) -> bool {
    let Some(spec) = node.spec else {
        return true;
    };
    // Objects that are made up are numbered in their order.
    let numbers = !spec.gives.passes_rows() && node.reads_identity;
    let acts = spec.side_effect && !spec.only_writes;
    let about_order = numbers || acts || spec.stops || node.traced;
    spec.class == StateClass::Stateless && !about_order && spec.on_control != OnControl::React
}

/// Whether an operator takes rows in and says nothing before the end, so that each thread may take
/// in some.
fn has_parts(node: &Node<'_>, spec: &OperatorSpec) -> bool {
    let silent = !spec.side_effect && !spec.stops && !spec.gives.passes_rows();
    match node.kind {
        NodeKind::Aggregate(aggregate) | NodeKind::Tally(Tally { aggregate, .. }) => {
            let mut functions = aggregate.functions.iter();
            let any_order = functions.all(|function| {
                let spec = &function.spec;
                spec.class == StateClass::Commutative || (spec.any_order)(function.kind)
            });
            silent && any_order && keeps_no_object(aggregate, node.live)
        }
        // Fields of the last object are kept: the last one is a matter of order.
        NodeKind::Operator(..) => {
            let keeps_object = matches!(spec.gives, Gives::Retained(_));
            let commutes = spec.class == StateClass::Commutative && spec.group.is_none();
            silent && commutes && !keeps_object
        }
        _ => false,
    }
}

/// Whether all that is read of an aggregate's objects is keys and functions.
fn keeps_no_object(aggregate: &Aggregate, live: &[FieldPath]) -> bool {
    live.iter().all(|path| {
        let around = aggregate.group.iter();
        let mut around = around.flat_map(|group| group.keys.iter().chain([&group.column]));
        aggregate.keys.contains(path)
            || aggregate.functions.iter().any(|f| f.name == *path)
            || around.any(|key| key == path)
    })
}
