//! What nodes are called.

use super::{NodeId, Plan};
use std::fmt;
use std::sync::Arc;

/// What a node does, as in the plan. It is written when it is read: nobody asks what the ten thousand
/// nodes of a run are called that ends well.
#[derive(Clone)]
pub struct Label {
    plan: Arc<Plan>,
    node: NodeId,
}

impl Label {
    pub(crate) fn new(plan: &Arc<Plan>, node: NodeId) -> Label {
        Label {
            plan: Arc::clone(plan),
            node,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.graph[self.node].kind.fmt(f)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
