//! Plans as pictures and as data: Graphviz, SVG, JSON.
//!
//! What several nodes read is marked; where a plan was run, nodes say what came and what they gave,
//! and are the warmer the more of the time they took.

use super::stream::HIDDEN;
use super::{NodeId, NodeKind, Plan};
use crate::NodeReport;
use crate::matching::Work;
use hashbrown::HashMap;
use std::fmt::Write;

/// A node of a picture.
struct Drawn {
    label: String,
    /// Its inputs, by number.
    inputs: Vec<usize>,
    readers: usize,
    statement: usize,
    /// Rows in, rows out, share of the time.
    run: Option<(u64, u64, f64)>,
    /// How far from the sources.
    layer: usize,
    /// Of many conditions: how many, their different tests, those left with vector functions, and the
    /// most in one.
    conditions: Option<[usize; 4]>,
    /// What matching them took.
    work: Option<Work>,
}

/// The nodes in the order in which they run; `reports` are those of a run of this plan, or none.
fn drawn(plan: &Plan, reports: &[NodeReport]) -> Vec<Drawn> {
    let order = plan.order();
    let numbers: HashMap<NodeId, usize> = order.iter().copied().zip(0..).collect();
    let total: u64 = reports.iter().map(|report| report.nanos).sum();
    let mut nodes: Vec<Drawn> = Vec::with_capacity(order.len());
    for (at, node) in order.iter().enumerate() {
        let inputs: Vec<usize> = plan.inputs(*node).iter().map(|i| numbers[i]).collect();
        let layers = inputs.iter().map(|input| nodes[*input].layer + 1);
        nodes.push(Drawn {
            label: plan.graph[*node].kind.to_string().replace(HIDDEN, "~"),
            layer: layers.max().unwrap_or(0),
            inputs,
            readers: plan.outputs(*node).len(),
            statement: plan.graph[*node].statement,
            conditions: match &plan.graph[*node].kind {
                NodeKind::Match(matched) => {
                    let (tests, left, most) = matched.figures(plan.stream(*node));
                    Some([matched.conditions.len(), tests, left, most])
                }
                _ => None,
            },
            work: reports
                .get(at)
                .map(|report| report.account.work)
                .filter(|work| work.rows > 0),
            run: reports.get(at).map(|report| {
                let account = report.account;
                let share = report.nanos as f64 / total.max(1) as f64;
                (account.rows_in, account.passed + account.emitted, share)
            }),
        });
    }
    nodes
}

impl Drawn {
    /// What stands in the node, line by line.
    fn lines(&self) -> Vec<String> {
        const WIDTH: usize = 44;
        let label: String = match self.label.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}…", &self.label[..end]),
            None => self.label.clone(),
        };
        let mut lines = vec![label];
        if self.readers > 1 {
            lines.push(format!("{} readers", self.readers));
        }
        if let Some((rows_in, rows_out, share)) = self.run {
            lines.push(format!("{rows_in} → {rows_out}, {:.1} %", share * 100.0));
        }
        if let Some(work) = self.work {
            lines.push(self.matching(&work));
        } else if let Some([conditions, tests, left, most]) = self.conditions {
            lines.push(format!(
                "{conditions} conditions: u {tests}, with vectors {left}, d {most}"
            ));
        }
        lines
    }

    /// The figures of matching in one line.
    fn matching(&self, work: &Work) -> String {
        let share = work.short_circuited().map_or_else(String::new, |share| {
            format!(", {:.1} % short-circuited", share * 100.0)
        });
        format!(
            "u {}, d {}, p {:.2}{share}",
            work.tests,
            work.depth,
            work.fanout()
        )
    }

    /// White where it took no time, red where it took all; without a run, shared nodes stand out.
    fn color(&self) -> String {
        match self.run {
            Some((_, _, share)) => {
                let cold = 255 - (share.clamp(0.0, 1.0).sqrt() * 175.0) as u8;
                format!("#ff{cold:02x}{cold:02x}")
            }
            None if self.readers > 1 => "#ffe9b0".to_owned(),
            None => "#ffffff".to_owned(),
        }
    }
}

/// The plan for Graphviz.
pub fn dot(plan: &Plan, reports: &[NodeReport]) -> String {
    let mut text = "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n".to_owned();
    for (at, node) in drawn(plan, reports).iter().enumerate() {
        let label = node.lines().join("\n");
        let quoted = label
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let width = if node.readers > 1 { 2 } else { 1 };
        let color = node.color();
        let _ = writeln!(
            text,
            "  n{at} [label=\"{quoted}\", fillcolor=\"{color}\", penwidth={width}];"
        );
        for input in &node.inputs {
            let _ = writeln!(text, "  n{input} -> n{at};");
        }
    }
    text + "}\n"
}

/// The plan as JSON: one object with the nodes in the order in which they run.
pub fn json(plan: &Plan, reports: &[NodeReport]) -> String {
    let mut text = "{\"nodes\":[".to_owned();
    for (at, node) in drawn(plan, reports).iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{{\"id\":{at},\"what\":");
        write_string(&node.label, &mut text);
        let _ = write!(
            text,
            ",\"inputs\":{:?},\"readers\":{},\"statement\":{}",
            node.inputs,
            node.readers,
            node.statement + 1
        );
        if let Some((rows_in, rows_out, share)) = node.run {
            let _ = write!(
                text,
                ",\"rows_in\":{rows_in},\"rows_out\":{rows_out},\"time\":{share:.4}"
            );
        }
        if let Some([conditions, tests, left, most]) = node.conditions {
            let _ = write!(
                text,
                ",\"conditions\":{{\"count\":{conditions},\"tests\":{tests},\"with_vector_functions\":{left},\"depth\":{most}}}"
            );
        }
        if let Some(work) = node.work {
            let _ = write!(text, ",\"matching\":{}", work.json());
        }
        text.push('}');
    }
    let _ = writeln!(text, "\n],\"statements\":{}}}", plan.statements.len());
    text
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The width of a node, and its height beyond its lines.
const BOX: (usize, usize) = (330, 9);
const GAP: (usize, usize) = (60, 14);
const LINE: usize = 15;
const LINES_MIN: usize = 3;

/// The plan as a picture: sources on the left, each node right of its inputs.
pub fn svg(plan: &Plan, reports: &[NodeReport]) -> String {
    let nodes = drawn(plan, reports);
    let mut rows: Vec<usize> = Vec::new();
    let mut places: Vec<(usize, usize)> = Vec::with_capacity(nodes.len());
    for node in &nodes {
        rows.resize(rows.len().max(node.layer + 1), 0);
        // Beside its first input, or below what stands there already.
        let beside = node.inputs.first().map_or(0, |input| places[*input].1);
        let row = beside.max(rows[node.layer]);
        rows[node.layer] = row + 1;
        places.push((node.layer, row));
    }
    let lines = nodes.iter().map(|node| node.lines().len()).max();
    let tall = BOX.1 + LINE * lines.unwrap_or(0).max(LINES_MIN);
    let corner = |(layer, row): (usize, usize)| {
        let x = GAP.1 + layer * (BOX.0 + GAP.0);
        (x, GAP.1 + row * (tall + GAP.1))
    };
    let width = corner((rows.len(), 0)).0;
    let height = corner((0, rows.iter().copied().max().unwrap_or(0))).1;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (node, place) in nodes.iter().zip(&places) {
        let (x, y) = corner(*place);
        for input in &node.inputs {
            let (from_x, from_y) = corner(places[*input]);
            let (from_x, from_y) = (from_x + BOX.0, from_y + tall / 2);
            let (to_y, bend) = (y + tall / 2, GAP.0 / 2);
            let _ = writeln!(
                text,
                "<path d=\"M{from_x} {from_y} C{} {from_y} {} {to_y} {x} {to_y}\" fill=\"none\" stroke=\"#888888\"/>",
                from_x + bend,
                x.saturating_sub(bend),
            );
        }
    }
    for (node, place) in nodes.iter().zip(&places) {
        let (x, y) = corner(*place);
        let stroke = if node.readers > 1 { 2 } else { 1 };
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"{}\" stroke=\"#333333\" stroke-width=\"{stroke}\"><title>{}</title></rect>",
            BOX.0,
            tall,
            node.color(),
            escaped(&node.label)
        );
        for (line, at) in node.lines().iter().zip(1..) {
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                x + 8,
                y + at * LINE,
                escaped(line)
            );
        }
    }
    text + "</svg>\n"
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    // No other control characters may stand in XML.
    text.replace(|c: char| c < ' ', " ")
}
