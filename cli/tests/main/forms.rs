//! The same question in every form gives the same rows: each example of each module is put as a
//! pipeline with its source, in the from form, and as definitions.

use crate::run::{Outcome, wireq};

/// The parts of a text between `|` that stand in no quotes and no brackets.
fn stages(query: &str) -> Vec<&str> {
    let (mut stages, mut begin, mut depth, mut quote) = (Vec::new(), 0, 0, None);
    for (at, c) in query.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, '|') if depth == 0 => {
                stages.push(query[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    stages.push(query[begin..].trim());
    stages
}

/// Whether the text stands outside of quotes and brackets.
fn splits_at<'t>(stage: &'t str, words: &str) -> Option<(&'t str, &'t str)> {
    let at = stage.find(words)?;
    let before = &stage[..at];
    let plain = !before.contains(['\'', '"', '(', '[']) || {
        let count = |c| before.matches(c).count();
        count('(') == count(')') && count('\'') % 2 == 0 && count('"') % 2 == 0
    };
    plain.then_some((before, &stage[at..]))
}

/// `A | B | C` as `C from (B from A)`. None where a stage has no such form: a bag, a join.
fn from_form(source: &str, stages: &[&str]) -> Option<String> {
    let mut query = source.to_owned();
    // A condition stands behind the stage that takes what passes it.
    let mut condition = "";
    for stage in stages {
        let is_condition = stage.starts_with("where ");
        let is_bag = stage.starts_with('(') || splits_at(stage, " from ").is_some();
        if is_bag || is_condition && !condition.is_empty() {
            return None;
        }
        if is_condition {
            condition = stage;
            continue;
        }
        let (call, groups) = splits_at(stage, " group by ").unwrap_or((stage, ""));
        query = format!("({call} from {query} {condition} {groups})");
        condition = "";
    }
    condition.is_empty().then_some(query)
}

/// A form of a question: its name and its text.
type Form = (&'static str, String);

/// All forms of a question over a file. None where the text has statements of its own.
fn forms(query: &str, input: &str) -> Option<Vec<Form>> {
    if query.contains([';', '\n']) || query.contains(":-") || query.contains("${") {
        return None;
    }
    let stages = stages(query);
    let module = stages[0].split([' ', '(']).next()?;
    let registry = wireq_modules::registry();
    let is_source = registry
        .module(module)
        .is_some_and(|module| matches!(module.build, wireq_engine::module::Build::Source(_)));
    // Packets of interfaces come when they come.
    if query.contains("pcaplive") {
        return None;
    }
    let (source, rest) = match (is_source, input) {
        (true, _) => (stages[0].to_owned(), &stages[1..]),
        (false, "") => return None,
        (false, input) => (format!("pcapfile {input}"), &stages[..]),
    };
    if rest.is_empty() {
        return None;
    }
    let behind = rest.join(" | ");
    let mut forms = vec![
        ("pipe", format!("{source} | {behind}")),
        ("brackets", format!("({source}) | ({behind})")),
        (
            "a definition of the source",
            format!("Read :- {source}\nRead | {behind}"),
        ),
        (
            "a definition of the stages",
            format!("Rest :- {behind}\n{source} | Rest"),
        ),
        (
            "a definition of all",
            format!("All :- {source} | {behind}\nAll"),
        ),
    ];
    let each = rest.iter().enumerate();
    let each: String = each
        .map(|(at, stage)| format!("Stage{at} :- {stage}\n"))
        .collect();
    let names: Vec<String> = (0..rest.len()).map(|at| format!("Stage{at}")).collect();
    forms.push((
        "definitions of all stages",
        format!("{each}{source} | {}", names.join(" | ")),
    ));
    forms.extend(from_form(&source, rest).map(|query| ("from", query)));
    Some(forms)
}

#[test]
fn every_form_of_an_example_gives_the_same() {
    let registry = wireq_modules::registry();
    let (mut faults, mut asked, mut from) = (Vec::new(), 0, 0);
    for module in registry.modules() {
        for example in module.examples {
            let Some(forms) = forms(example.query, example.input) else {
                continue;
            };
            for (name, query) in forms {
                asked += 1;
                from += usize::from(name == "from");
                let outcome = wireq(&[&query]);
                let expected = Outcome {
                    stdout: example.output.to_owned(),
                    stderr: String::new(),
                    status: 0,
                };
                if outcome != expected {
                    faults.push(format!(
                        "{name}: {query}\n  {outcome:?}\n  not {expected:?}\n"
                    ));
                }
            }
        }
    }
    println!("{asked} questions, {from} of them in the from form");
    assert!(
        faults.is_empty(),
        "{} differ\n{}",
        faults.len(),
        faults.concat()
    );
    assert!(asked > 1000 && from > 150, "too few: {asked}, {from}");
}
