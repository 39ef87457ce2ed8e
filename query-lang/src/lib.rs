#![doc = include_str!("grammar.md")]

mod ast;
mod given;
mod language;
mod lex;
mod lower;
mod names;
mod options;
mod parse;
mod place;
mod scan;
mod split;
mod words;

pub use language::Language;
pub use options::{Files, Options, Period, Printing, Writing};

use ast::Statement;
use given::Given;
use lower::Lowering;
use std::collections::HashSet;
use wireq_engine::plan::Plan;
use wireq_engine::{Diagnostic, Registry, Span};

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

/// A fault of a query.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The number of the text it is in.
    pub text: usize,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

/// Compiles the statements of all texts into one plan. Definitions of one text can be used in later
/// ones too.
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
    let mut given = Given::new(&options.arguments);
    let (whole, begins) = joined(texts);
    for (begin, text) in begins.iter().zip(texts) {
        compile_text(
            &whole,
            *begin,
            &text.text,
            &mut labels,
            &mut given,
            &mut lowering,
        );
    }
    if lowering.faults.is_empty() {
        let first = texts.first().map_or(0, |text| text.text.trim_end().len());
        lowering.faults.extend(given.unused(Span::new(0, first)));
    }
    if lowering.faults.is_empty() && !options.unbounded {
        lowering.faults.extend(lowering.plan.unbounded());
    }
    let faults = in_order(&begins, lowering.faults);
    if faults.is_empty() {
        Ok(lowering.plan)
    } else {
        Err(faults)
    }
}

/// All texts as one, so that a place says which of them it is in, and where each begins.
fn joined(texts: &[Text]) -> (String, Vec<usize>) {
    let mut whole = String::new();
    let mut begins = Vec::with_capacity(texts.len());
    for text in texts {
        begins.push(whole.len());
        whole.push_str(&text.text);
        whole.push('\n');
    }
    (whole, begins)
}

fn compile_text<'a>(
    whole: &'a str,
    begin: usize,
    text: &str,
    labels: &mut HashSet<String>,
    given: &mut Given<'a>,
    lowering: &mut Lowering<'_>,
) {
    let mut raws = scan::scan(text);
    for raw in &mut raws {
        raw.span = Span::new(raw.span.start + begin, raw.span.end + begin);
    }
    for piece in split::split(whole, &raws) {
        if let Some((label, span)) = piece.label {
            lowering
                .faults
                .extend(check_label(label, span, piece.tokens.is_empty(), labels));
        }
        let (mut tokens, mut faults) = lex::lex(whole, &piece.tokens, lowering);
        faults.extend(given.substitute(&mut tokens));
        if tokens.is_empty() || !faults.is_empty() {
            lowering.faults.extend(faults);
            continue;
        }
        let other_language = lowering.options.language.check(&tokens);
        let refused = other_language.is_some();
        lowering.faults.extend(other_language);
        match parse::parse(&tokens, lowering) {
            // Definitions are known all the same: who uses them is not at fault.
            Ok(Statement::Query(_)) | Err(_) if refused => {}
            Ok(Statement::Query(pipeline)) => {
                let name = piece.label.map(|(label, _)| label.to_owned());
                let before = lowering.faults.len();
                lowering.statement(name, &pipeline, piece.span());
                let mut faults = lowering.faults.split_off(before);
                given.explain(&mut faults, |name| lowering.is_field(name));
                lowering.faults.append(&mut faults);
            }
            Ok(Statement::Definition(definition)) => {
                lowering
                    .faults
                    .extend(piece.label.map(|(_, span)| labelled_definition(span)));
                lowering.define(definition);
            }
            Err(fault) => lowering.faults.push(fault),
        }
    }
}

fn labelled_definition(span: Span) -> Diagnostic {
    Diagnostic::new(
        "Q005",
        span,
        "a definition has no output that a label could name",
    )
    .label("label")
    .help("put the label before a query that uses the definition")
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

/// Faults by place, each once, with places in their own texts.
fn in_order(begins: &[usize], mut faults: Vec<Diagnostic>) -> Vec<Fault> {
    faults.sort_by_key(|fault| (fault.span.start, fault.span.end, fault.code));
    faults.dedup_by(|a, b| (a.span.start, a.span.end, &*a) == (b.span.start, b.span.end, &*b));
    let place = |mut diagnostic: Diagnostic| {
        let Span { start, end } = diagnostic.span;
        let text = begins.partition_point(|begin| *begin <= start).max(1) - 1;
        diagnostic.span = Span::new(start - begins[text], end - begins[text]);
        Fault { text, diagnostic }
    };
    faults.into_iter().map(place).collect()
}
