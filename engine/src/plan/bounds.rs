//! What a plan keeps of sources that have no end: it has to have a bound.

use super::{NodeId, NodeKind, Plan};
use crate::module::{GroupKeys, StateClass};
use crate::{Diagnostic, Span};
use hashbrown::{HashMap, HashSet};
use std::rc::Rc;
use wireq_typesys::FieldPath;

const HELP_KEYS: &str = "say for how long: `every 1m` behind the keys; or allow it with \
                         --allow-unbounded, and --memory-limit for how much";
const HELP_KEPT: &str = "say for how long: `every 1h` behind it; or allow it with \
                         --allow-unbounded, and --memory-limit for how much";
const HELP_JOIN: &str = "say how long objects wait: `a until (new.b.ts - a.ts > 10s)`, or how many: \
                         `a max 1000`; or allow it with --allow-unbounded";

impl Plan {
    /// The faults of nodes whose state grows for as long as a source without an end is read.
    pub fn unbounded(&self) -> Vec<Diagnostic> {
        if !self.has_live_source() {
            return Vec::new();
        }
        let mut before: HashMap<NodeId, Before> = HashMap::new();
        let mut faults = Vec::new();
        for node in self.order() {
            let inputs = self.inputs(node);
            let inputs = inputs.iter().filter_map(|input| before.get(input));
            let here = Before::of(inputs.cloned(), &self.graph[node].kind);
            faults.extend(
                here.live
                    .then(|| self.unbounded_at(node, &here.closed))
                    .flatten(),
            );
            before.insert(node, here);
        }
        faults
    }

    fn unbounded_at(&self, node: NodeId, closed: &HashSet<FieldPath>) -> Option<Diagnostic> {
        let weight = &self.graph[node];
        let closes = |keys: &[FieldPath]| keys.iter().any(|key| closed.contains(key));
        let group_ends =
            |group: &Option<GroupKeys>| group.as_ref().is_some_and(|group| closes(&group.keys));
        let (what, help) = match &weight.kind {
            NodeKind::Aggregate(aggregate) => {
                let ends = closes(&aggregate.keys) || group_ends(&aggregate.group);
                let has_groups = !aggregate.keys.is_empty() || aggregate.group.is_some();
                let grows = aggregate.has_members();
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
                let endless = join.aliases.iter().find(|alias| !bounded(alias))?;
                let message = format!(
                    "the join keeps all objects of `{}`, and the source has no end",
                    endless.name
                );
                let fault = Diagnostic::new("Q063", weight.span, message);
                return Some(fault.label("grows without a bound").help(HELP_JOIN));
            }
            _ => return None,
        };
        Some(fault(weight.kind.name(), what, weight.span, help))
    }
}

/// What stands before a node, itself included.
#[derive(Clone, Default)]
struct Before {
    /// Whether a source without an end is there.
    live: bool,
    /// The fields of which it is said that a value does not come again.
    closed: Rc<HashSet<FieldPath>>,
}

impl Before {
    fn of(inputs: impl Iterator<Item = Before>, kind: &NodeKind) -> Before {
        let mut here = inputs.fold(Before::default(), |mut here, input| {
            here.live |= input.live;
            if here.closed.is_empty() {
                here.closed = input.closed;
            } else if !input.closed.is_subset(&here.closed) {
                Rc::make_mut(&mut here.closed).extend(input.closed.iter().cloned());
            }
            here
        });
        match kind {
            NodeKind::Source(_, _, spec) => here.live |= spec.live.is_some(),
            NodeKind::Operator(_, _, spec) if !spec.closes.is_empty() => {
                Rc::make_mut(&mut here.closed).extend(spec.closes.iter().cloned());
            }
            _ => {}
        }
        here
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
