//! Plans as text.

use super::stream::HIDDEN;
use super::{NodeId, NodeKind, Plan};
use crate::frontier::Place;
use crate::{NodeReport, physical};
use hashbrown::HashMap;
use std::fmt::Write;

/// Deeper nodes are indented no further: no pipeline is that long that a person wrote.
const INDENT_MAX: usize = 40;

/// So many characters of an operator say which one it is.
const NAME_MAX: usize = 60;

/// The plan as text: a line for each node, below it and indented those that read from it. A node
/// with several inputs is named where it is met again.
pub fn explain(plan: &Plan) -> String {
    analyzed(plan, &[])
}

/// Likewise, with what came and went in a run of this plan.
pub fn analyzed(plan: &Plan, reports: &[NodeReport]) -> String {
    written(plan, reports, &[])
}

/// Likewise, with where each node runs if there are several threads: see [`crate::frontier`].
pub fn on_threads(plan: &Plan, reports: &[NodeReport]) -> String {
    written(plan, reports, &physical::places(plan))
}

fn written(plan: &Plan, reports: &[NodeReport], places: &[(Place, bool)]) -> String {
    let total: u64 = reports.iter().map(|report| report.nanos).sum();
    let ranks: HashMap<NodeId, usize> = plan.order().into_iter().zip(0..).collect();
    let ran = |node: NodeId| {
        let Some(report) = ranks.get(&node).and_then(|rank| reports.get(*rank)) else {
            return String::new();
        };
        let (account, share) = (report.account, report.nanos as f64 / total.max(1) as f64);
        format!(
            "  ({} in, {} out, {:.1} % of the time)",
            account.rows_in,
            account.passed + account.emitted,
            share * 100.0
        )
    };
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
            "{indent}#{number} {}{}{}{}{}",
            plan.graph[node].kind,
            narrowed(&plan.graph[node].kind),
            remark(plan, node, readers.len()),
            ranks
                .get(&node)
                .and_then(|rank| places.get(*rank))
                .map_or("", place),
            ran(node)
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
    for node in &order {
        if let NodeKind::Match(matched) = &plan.graph[*node].kind {
            let (tests, left, most) = matched.figures(plan.stream(*node));
            let _ = writeln!(
                text,
                "{} conditions: different tests {tests}, with vector functions {left}, at most {most} in one",
                matched.conditions.len()
            );
        }
    }
    for node in &order {
        let report = ranks.get(node).and_then(|rank| reports.get(*rank));
        if let Some(work) = report.map(|report| report.account.work)
            && work.rows > 0
        {
            let name = plan.graph[*node].kind.to_string();
            let name: String = name.chars().take(NAME_MAX).collect();
            let _ = writeln!(text, "{name}: {work}");
        }
    }
    // The plan's own columns.
    text.replace(HIDDEN, "~")
}

fn place((place, is_prepared): &(Place, bool)) -> &'static str {
    match place {
        Place::Ahead => "  [on any thread]",
        Place::InParts => "  [in parts on all threads]",
        Place::InOrder if *is_prepared => "  [prepared on any thread, then in order]",
        Place::InOrder => "  [in order]",
    }
}

/// What a source takes, where it leaves out what no statement wants.
fn narrowed(kind: &NodeKind) -> String {
    let takes = match kind {
        NodeKind::Source(_, _, spec) => spec.prefilter.as_ref().and_then(|p| p.takes.as_deref()),
        _ => None,
    };
    takes.map_or_else(String::new, |takes| format!("  [takes {takes}]"))
}

/// How many read a node, or which statement it ends.
fn remark(plan: &Plan, node: NodeId, readers: usize) -> String {
    let statement = plan.graph[node].statement;
    if let (0, NodeKind::Operator(_, _, spec)) = (readers, &plan.graph[node].kind)
        && let Some(owners) = &spec.table
    {
        // They stand in the order of the statements.
        let statements = owners.chunk_by(|a, b| a.statement == b.statement);
        return format!("  [{} statements]", statements.count());
    }
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
