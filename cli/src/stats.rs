//! The account of a run, as text and as JSON.

use crate::args::StatsFormat;
use crate::report;
use std::fmt::Write;
use wireq_engine::{Account, InputReport, Lost, NodeReport, Report};

/// So many characters of an operator say which one it is.
const NAME_MAX: usize = 60;

/// Writes the account of every node.
pub fn write(report: &Report, format: StatsFormat) -> String {
    match format {
        StatsFormat::Text => text(report),
        StatsFormat::Json => json(report),
    }
}

fn counts(account: &Account) -> [(&'static str, u64); 8] {
    [
        ("in", account.rows_in),
        ("passed", account.passed),
        ("filtered", account.filtered),
        ("absorbed", account.absorbed),
        ("evicted", account.evicted),
        ("dropped", account.dropped),
        ("cut", account.cut),
        ("emitted", account.emitted),
    ]
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for (name, _) in counts(&Account::default()) {
        let _ = write!(text, "{name:>12}");
    }
    text.push_str("  node\n");
    for node in &report.accounts {
        for (_, count) in counts(&node.account) {
            let _ = write!(text, "{count:>12}");
        }
        let _ = writeln!(text, "  {}", node.name);
    }
    for node in matching(report) {
        let name: String = node.name.to_string().chars().take(NAME_MAX).collect();
        let _ = writeln!(text, "{name}: {}", node.account.work);
    }
    for input in inputs(report) {
        if let Some(lost) = &input.lost {
            let _ = writeln!(text, "{}", live(input, lost));
            if let Some(takes) = &input.takes {
                let name = &input.name;
                let _ = writeln!(text, "{name}: no count has what does not pass: {takes}");
            }
        } else {
            let skipped = input.bytes_skipped();
            let _ = writeln!(
                text,
                "{}: {} records, {} bytes used, {skipped} skipped",
                input.name, input.records, input.bytes_used
            );
        }
        for skipped in &input.skipped {
            let _ = writeln!(text, "{}: {}", input.name, report::skipped(skipped));
        }
        for (reason, count) in &input.faults {
            let _ = writeln!(text, "{}: {reason}: {count}", input.name);
        }
    }
    text
}

/// The nodes that matched many conditions.
fn matching(report: &Report) -> impl Iterator<Item = &NodeReport> {
    report
        .accounts
        .iter()
        .filter(|node| node.account.work.rows > 0)
}

/// What came to a live input.
pub fn live(input: &InputReport, lost: &Lost) -> String {
    format!(
        "{}: {} packets, {} bytes; dropped {} by the kernel, {} by the interface, {} by wireq",
        input.name, input.records, input.bytes_used, lost.kernel, lost.interface, lost.overload
    )
}

fn inputs(report: &Report) -> impl Iterator<Item = &InputReport> {
    report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref())
        .flat_map(|input| &input.inputs)
}

fn json(report: &Report) -> String {
    let nodes: Vec<String> = report.accounts.iter().map(node_json).collect();
    let inputs: Vec<String> = inputs(report)
        .map(|input| {
            let lost = input.lost.map_or("null".to_owned(), |lost| {
                let Lost {
                    kernel,
                    interface,
                    overload,
                } = lost;
                format!("{{\"kernel\":{kernel},\"interface\":{interface},\"overload\":{overload}}}")
            });
            let takes = input.takes.as_deref();
            let takes = takes.map(|takes| format!(",\"takes\":{}", quote(takes)));
            format!(
                "{{\"name\":{},\"records\":{},\"bytes_used\":{},{},\"lost\":{lost}{}}}",
                quote(&input.name),
                input.records,
                input.bytes_used,
                damage_json(input),
                takes.unwrap_or_default()
            )
        })
        .collect();
    format!(
        "{{\"interrupted\":{},\"nodes\":[{}],\"inputs\":[{}]}}\n",
        report.interrupted,
        nodes.join(","),
        inputs.join(",")
    )
}

/// What could not be used of an input, as members of a JSON object.
pub fn damage_json(input: &InputReport) -> String {
    let skipped: Vec<String> = input
        .skipped
        .iter()
        .map(|skipped| {
            format!(
                "{{\"offset\":{},\"bytes\":{},\"count\":{},\"reason\":{}}}",
                skipped.offset,
                skipped.bytes,
                skipped.count,
                quote(&skipped.reason)
            )
        })
        .collect();
    let faults: Vec<String> = input
        .faults
        .iter()
        .map(|(reason, count)| format!("{{\"reason\":{},\"count\":{count}}}", quote(reason)))
        .collect();
    let unusable = input.unusable.as_deref().map_or("null".to_owned(), quote);
    format!(
        "\"skipped\":[{}],\"faults\":[{}],\"unusable\":{unusable}",
        skipped.join(","),
        faults.join(",")
    )
}

fn node_json(node: &NodeReport) -> String {
    let counts: Vec<String> = counts(&node.account)
        .iter()
        .map(|(name, count)| format!("\"{name}\":{count}"))
        .collect();
    let work = node.account.work;
    let matching = match work.rows {
        0 => String::new(),
        _ => format!(",\"matching\":{}", work.json()),
    };
    format!(
        "{{\"node\":{},\"source\":{},\"statement\":{},\"readers\":{},{}{matching}}}",
        quote(&node.name.to_string()),
        node.is_source,
        node.statement + 1,
        node.readers,
        counts.join(",")
    )
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
