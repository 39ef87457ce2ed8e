#![doc = include_str!("grammar.md")]

mod ast;
mod lex;
mod lower;
mod parse;
mod scan;
mod split;

use lower::Lowering;
use std::collections::HashSet;
use wireq_engine::plan::Plan;
use wireq_engine::{Diagnostic, Registry, Span};
use wireq_typesys::Zone;

/// The language and the codes of its faults, in Markdown.
pub const GRAMMAR: &str = include_str!("grammar.md");

/// One text of queries.
#[derive(Clone, Debug)]
pub struct Text {
    /// The name that messages show: `query`, a file's path.
    pub name: String,
    /// The queries.
    pub text: String,
}

/// What statements without a source read.
#[derive(Clone, Debug)]
pub struct Files {
    /// The source that reads them.
    pub module: &'static str,
    /// Their paths.
    pub paths: Vec<String>,
}

/// What queries are compiled with.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The zone in which times are read.
    pub zone: &'a Zone,
    /// What statements without a source read; where there are files, no statement may name a source.
    pub files: Option<Files>,
}

/// A fault of a query.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The number of the text it is in.
    pub text: usize,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

/// Compiles the statements of all texts into one plan.
///
/// # Errors
/// All faults found, in the order of the texts.
pub fn compile(
    texts: &[Text],
    registry: &Registry,
    options: &Options<'_>,
) -> Result<Plan, Vec<Fault>> {
    let mut lowering = Lowering::new(registry, options);
    let mut labels = HashSet::new();
    let mut faults = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        compile_text(&text.text, &mut labels, &mut lowering);
        faults.extend(in_order(number, std::mem::take(&mut lowering.faults)));
    }
    if faults.is_empty() {
        Ok(lowering.plan)
    } else {
        Err(faults)
    }
}

fn compile_text(text: &str, labels: &mut HashSet<String>, lowering: &mut Lowering<'_>) {
    for piece in split::split(text, &scan::scan(text)) {
        let name = piece.label.map(|(label, _)| label.to_owned());
        if let Some((label, span)) = piece.label {
            lowering
                .faults
                .extend(check_label(label, span, piece.tokens.is_empty(), labels));
        }
        let (tokens, faults) = lex::lex(text, &piece.tokens);
        if tokens.is_empty() || !faults.is_empty() {
            lowering.faults.extend(faults);
            continue;
        }
        match parse::parse(&tokens) {
            Ok(pipeline) => lowering.statement(name, &pipeline, piece.span()),
            Err(fault) => lowering.faults.push(fault),
        }
    }
}

fn check_label(
    label: &str,
    span: Span,
    alone: bool,
    labels: &mut HashSet<String>,
) -> Option<Diagnostic> {
    if alone {
        let fault = Diagnostic::new(
            "Q005",
            span,
            format!("no query follows the label `{label}`"),
        );
        return Some(fault.help("write the query on the same line"));
    }
    if !labels.insert(label.to_owned()) {
        let fault = Diagnostic::new("Q006", span, format!("two queries are called `{label}`"));
        return Some(
            fault
                .label("second one")
                .help("give this one another label"),
        );
    }
    None
}

/// Faults of a text by place, each once.
fn in_order(text: usize, mut faults: Vec<Diagnostic>) -> impl Iterator<Item = Fault> {
    faults.sort_by_key(|fault| (fault.span.start, fault.span.end, fault.code));
    faults.dedup_by(|a, b| (a.span.start, a.span.end, &*a) == (b.span.start, b.span.end, &*b));
    faults
        .into_iter()
        .map(move |diagnostic| Fault { text, diagnostic })
}
