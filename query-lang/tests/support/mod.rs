//! What tests share: compiling with fake modules, plans and faults as text.
#![allow(dead_code, reason = "not every test uses all of it")]

mod modules;

use wireq_engine::plan::Plan;
use wireq_engine::plan::explain::explain;
use wireq_engine::{FileReader, Recognized, Registry};
use wireq_query_lang::{Fault, Files, Language, Options, Text, Writing, compile};
use wireq_typesys::Zone;

/// What reads files, by the ends of their names.
const READERS: [(&str, &[&str]); 3] = [
    ("pcapfile", &["pcap", "pcapng", "cap"]),
    ("csv", &["csv"]),
    ("jsonfile", &["json", "jsonl"]),
];

/// All fake modules.
fn registry() -> Registry {
    let mut registry = Registry::default();
    modules::MODULES
        .iter()
        .for_each(|module| registry.add_module(module));
    modules::FUNCTIONS
        .iter()
        .for_each(|function| registry.add_function(function));
    for (module, endings) in READERS {
        registry.add_reader(FileReader {
            module,
            endings,
            recognizes: |_| Recognized::No,
        });
    }
    modules::types()
        .into_iter()
        .for_each(|record_type| registry.add_type(record_type));
    registry
}

/// What is given beside texts.
#[derive(Default)]
pub struct Besides<'a> {
    /// Files for statements without a source.
    pub files: Vec<&'a str>,
    /// The name of the language that is forced; none where empty.
    pub language: &'a str,
    /// Names and values of arguments.
    pub arguments: Vec<(&'a str, &'a str)>,
    /// The file that what statements give is written to.
    pub writing: Option<&'a str>,
}

/// Compiles texts, with files for statements without a source.
pub fn compile_all(texts: &[&str], files: &[&str]) -> Result<Plan, Vec<Fault>> {
    let files = files.to_vec();
    compile_besides(
        texts,
        &Besides {
            files,
            ..Besides::default()
        },
    )
}

/// Compiles texts with what is given beside them.
pub fn compile_besides(texts: &[&str], besides: &Besides<'_>) -> Result<Plan, Vec<Fault>> {
    let text = |text: &&str| Text {
        name: "query".to_owned(),
        text: (*text).to_owned(),
    };
    let texts: Vec<Text> = texts.iter().map(text).collect();
    let paths = besides.files.iter().map(|path| (*path).to_owned());
    let files = (!besides.files.is_empty()).then(|| Files {
        module: "pcapfile",
        flags: Vec::new(),
        paths: paths.collect(),
    });
    let zone = Zone::utc();
    let language = Language::ALL
        .iter()
        .find(|(name, _)| *name == besides.language);
    let arguments = besides.arguments.iter();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = Options {
        files,
        language: language.map(|(_, language)| *language).unwrap_or_default(),
        arguments: arguments.map(owned).collect(),
        writing: besides.writing.map(|path| Writing {
            module: "pcapwrite",
            flag: "-f",
            path: path.to_owned(),
        }),
        ..Options::new(&zone)
    };
    compile(&texts, &registry(), &options)
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
