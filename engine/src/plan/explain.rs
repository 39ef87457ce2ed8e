//! Plans as text.

use super::stream::HIDDEN;
use super::{NodeId, Plan};
use hashbrown::HashMap;
use std::fmt::Write;

/// Deeper nodes are indented no further: no pipeline is that long that a person wrote.
const INDENT_MAX: usize = 40;

/// The plan as text: a line for each node, below it and indented those that read from it. A node
/// with several inputs is named where it is met again.
pub fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    let mut numbers: HashMap<NodeId, usize> = HashMap::new();
    let order = plan.order();
    let sources = order.iter().filter(|node| plan.inputs(**node).is_empty());
    // A stack of its own: pipelines may be longer than the thread's stack is deep.
    let mut stack: Vec<(NodeId, usize)> = sources.map(|node| (*node, 0)).collect();
    stack.reverse();
    while let Some((node, depth)) = stack.pop() {
        let indent = "  ".repeat(depth.min(INDENT_MAX));
        if let Some(number) = numbers.get(&node) {
            let _ = writeln!(text, "{indent}-> #{number}");
            continue;
        }
        let number = numbers.len() + 1;
        numbers.insert(node, number);
        let readers = plan.outputs(node);
        let _ = writeln!(
            text,
            "{indent}#{number} {}{}",
            plan.graph[node].kind,
            remark(plan, node, readers.len())
        );
        stack.extend(readers.iter().rev().map(|(reader, _)| (*reader, depth + 1)));
    }
    let shared = order
        .iter()
        .filter(|node| plan.outputs(**node).len() > 1)
        .count();
    let _ = writeln!(
        text,
        "statements: {}, nodes: {}, with several readers: {shared}",
        plan.statements.len(),
        order.len()
    );
    // The plan's own columns.
    text.replace(HIDDEN, "~")
}

/// How many read a node, or which statement it ends.
fn remark(plan: &Plan, node: NodeId, readers: usize) -> String {
    let statement = plan.graph[node].statement;
    let name = plan
        .statements
        .get(statement)
        .and_then(|statement| statement.name.as_deref());
    match (readers, name) {
        (0, Some(name)) => format!("  [{name}]"),
        (0, None) => format!("  [statement {}]", statement + 1),
        (1, _) => String::new(),
        (readers, _) => format!("  [{readers} readers]"),
    }
}
