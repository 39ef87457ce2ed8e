//! What tests share: compiling with fake modules, plans and faults as text.
#![allow(dead_code, reason = "not every test uses all of it")]

mod modules;

use wireq_engine::Registry;
use wireq_engine::plan::Plan;
use wireq_engine::plan::explain::explain;
use wireq_query_lang::{Fault, Files, Options, Text, compile};
use wireq_typesys::Zone;

/// All fake modules.
fn registry() -> Registry {
    let mut registry = Registry::default();
    modules::MODULES
        .iter()
        .for_each(|module| registry.add_module(module));
    modules::FUNCTIONS
        .iter()
        .for_each(|function| registry.add_function(function));
    registry
}

/// Compiles texts, with files for statements without a source.
pub fn compile_all(texts: &[&str], files: &[&str]) -> Result<Plan, Vec<Fault>> {
    let text = |text: &&str| Text {
        name: "query".to_owned(),
        text: (*text).to_owned(),
    };
    let texts: Vec<Text> = texts.iter().map(text).collect();
    let paths = files.iter().map(|path| (*path).to_owned()).collect();
    let files = (!files.is_empty()).then_some(Files {
        module: "pcapfile",
        paths,
    });
    compile(
        &texts,
        &registry(),
        &Options {
            zone: &Zone::utc(),
            files,
        },
    )
}

/// A fault as the tests write it.
pub fn show(fault: &Fault, texts: &[&str]) -> String {
    let diagnostic = &fault.diagnostic;
    let place = &texts[fault.text][diagnostic.span.start..diagnostic.span.end];
    let mut shown = format!(
        "{} at [{}]: {}\n",
        diagnostic.code,
        place.replace('\n', "\\n"),
        diagnostic.message
    );
    if !diagnostic.label.is_empty() {
        shown += &format!("  label: {}\n", diagnostic.label);
    }
    if let Some(help) = &diagnostic.help {
        shown += &format!("  help: {help}\n");
    }
    shown
}

/// The plan of a text over files.
pub fn plan_over(text: &str, files: &[&str]) -> String {
    match compile_all(&[text], files) {
        Ok(plan) => explain(&plan),
        Err(faults) => panic!(
            "{text}\n{}",
            faults
                .iter()
                .map(|fault| show(fault, &[text]))
                .collect::<String>()
        ),
    }
}

/// The nodes of a plan that is a chain, without numbers and indentation.
pub fn chain(text: &str) -> String {
    let plan = plan_over(text, &[]);
    let line = |line: &str| {
        line.trim_start()
            .split_once(' ')
            .map(|(_, node)| node.to_owned())
    };
    let nodes: Vec<String> = plan
        .lines()
        .filter(|line| line.contains('#'))
        .filter_map(line)
        .collect();
    nodes.join(" | ").replace("  [statement 1]", "")
}

/// The codes of the faults of a text.
pub fn codes(text: &str, files: &[&str]) -> Vec<&'static str> {
    match compile_all(&[text], files) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|fault| check(fault, text)).collect(),
    }
}

/// Every fault stands at a piece of the text.
fn check(fault: &Fault, text: &str) -> &'static str {
    let span = fault.diagnostic.span;
    assert!(
        text.get(span.start..span.end).is_some(),
        "{span:?} in {text:?}"
    );
    fault.diagnostic.code
}
