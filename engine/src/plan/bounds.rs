//! What a plan keeps of sources that have no end: it has to have a bound.

use super::{NodeId, NodeKind, Plan};
use crate::module::{GroupKeys, StateClass};
use crate::{Diagnostic, Span};
use hashbrown::HashSet;
use wireq_typesys::FieldPath;

const HELP_KEYS: &str = "say for how long: `every 1m` behind the keys; or allow it with \
                         --allow-unbounded, and --memory-limit for how much";
const HELP_KEPT: &str = "say for how long: `every 1h` behind it; or allow it with \
                         --allow-unbounded, and --memory-limit for how much";
const HELP_JOIN: &str = "say how long objects wait: `a until (new.a.ts > a.ts)`, or allow it with \
                         --allow-unbounded";

impl Plan {
    /// The faults of nodes whose state grows for as long as a source without an end is read.
    pub fn unbounded(&self) -> Vec<Diagnostic> {
        let order = self.order();
        let nodes = order.into_iter().filter(|node| self.is_live(*node));
        nodes.filter_map(|node| self.unbounded_at(node)).collect()
    }

    fn unbounded_at(&self, node: NodeId) -> Option<Diagnostic> {
        let weight = &self.graph[node];
        let closed = self.closed_before(node);
        let closes = |keys: &[FieldPath]| keys.iter().any(|key| closed.contains(key));
        let group_ends =
            |group: &Option<GroupKeys>| group.as_ref().is_some_and(|group| closes(&group.keys));
        let (what, help) = match &weight.kind {
            NodeKind::Aggregate(aggregate) => {
                let ends = closes(&aggregate.keys) || group_ends(&aggregate.group);
                let has_groups = !aggregate.keys.is_empty() || aggregate.group.is_some();
                let mut functions = aggregate.functions.iter();
                let grows = functions.any(|function| (function.spec.make)().has_members());
                match (ends, has_groups) {
                    (false, true) => ("a group for each value of its keys", HELP_KEYS),
                    (false, false) if grows => ("each distinct value", HELP_KEPT),
                    _ => return None,
                }
            }
            NodeKind::Operator(module, _, spec) => {
                let own = module.name == "last" && closes(&weight_fields(spec));
                if own || group_ends(&spec.group) {
                    return None;
                }
                match (spec.grows, &spec.group) {
                    (true, _) => (spec.bound.unwrap_or("all objects"), HELP_KEPT),
                    (false, Some(_)) if spec.class != StateClass::Stateless => {
                        ("a state for each group", HELP_KEYS)
                    }
                    _ => return None,
                }
            }
            NodeKind::Join(join) => {
                let bounded =
                    |alias: &super::JoinAlias| alias.until.is_some() || alias.max.is_some();
                if join.aliases.iter().all(bounded) {
                    return None;
                }
                ("all objects", HELP_JOIN)
            }
            _ => return None,
        };
        Some(fault(weight.kind.name(), what, weight.span, help))
    }

    /// The fields of which it is said somewhere before a node that a value does not come again.
    fn closed_before(&self, node: NodeId) -> HashSet<FieldPath> {
        let (mut closed, mut known) = (HashSet::new(), HashSet::new());
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !known.insert(node) {
                continue;
            }
            if let NodeKind::Operator(_, _, spec) = &self.graph[node].kind {
                closed.extend(spec.closes.iter().cloned());
            }
            open.extend(self.inputs(node));
        }
        closed
    }
}

fn weight_fields(spec: &crate::OperatorSpec) -> Vec<FieldPath> {
    match &spec.needs {
        crate::Needs::Fields(fields) => fields.clone(),
        _ => Vec::new(),
    }
}

fn fault(name: &str, what: &str, span: Span, help: &str) -> Diagnostic {
    let message = format!("`{name}` keeps {what}, and the source has no end");
    let fault = Diagnostic::new("Q063", span, message);
    fault.label("grows without a bound").help(help)
}
