//! What modules declare is true.

use crate::run::{captures, wireq};
use wireq_engine::arguments::Arguments;
use wireq_engine::{Build, Example, Module};

fn modules() -> Vec<&'static Module> {
    let modules = wireq_modules::registry().modules().to_vec();
    assert!(!modules.is_empty(), "there are no modules");
    modules
}

/// What differs from the example's output, if anything.
fn fault(module: &Module, example: &Example) -> Option<String> {
    let mut arguments = vec![example.query];
    arguments.extend((!example.input.is_empty()).then_some(example.input));
    let outcome = wireq(&arguments);
    let right = outcome.stdout == example.output && outcome.stderr.is_empty();
    (!(right && outcome.status == 0)).then(|| {
        format!(
            "{}, \"{}\": {}\n  declared {:?}\n  gives {outcome:?}\n",
            module.name, example.title, example.query, example.output
        )
    })
}

/// Whether a module listens where nothing else is said: `cli/tests/live` runs its examples.
fn is_live(module: &Module) -> bool {
    let Build::Source(build) = module.build else {
        return false;
    };
    build(&Arguments::default()).is_ok_and(|spec| spec.live.is_some())
}

#[test]
fn every_example_runs_as_printed() {
    let finite = modules().into_iter().filter(|module| !is_live(module));
    let faults = finite.flat_map(|module| {
        let examples = module.examples.iter();
        examples.filter_map(|example| fault(module, example))
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{}", faults.concat());
}

#[test]
fn every_module_is_described() {
    let is_sentence = |text: &str| text.len() > 5 && text.ends_with('.');
    for module in modules() {
        let name = module.name;
        assert!(is_sentence(module.summary), "{name}: {}", module.summary);
        assert!(module.examples.len() >= 3, "{name} has too few examples");
        for parameter in module.parameters {
            let (parameter, summary) = (parameter.name, parameter.summary);
            assert!(is_sentence(summary), "{name} {parameter}: {summary}");
        }
        for example in module.examples {
            assert!(!example.title.is_empty(), "{name}: {}", example.query);
            let input = captures().join(example.input);
            assert!(input.exists(), "{name}: {}", example.input);
        }
    }
}

#[test]
fn help_shows_every_parameter_and_example() {
    let list = wireq(&["modules"]).results();
    for module in modules() {
        assert!(list.contains(module.summary), "{}", module.name);
        let help = wireq(&["modules", module.name]).results();
        assert!(help.contains(module.summary) && help.contains(module.details));
        for parameter in module.parameters {
            assert!(help.contains(parameter.name) && help.contains(parameter.summary));
        }
        for example in module.examples {
            assert!(help.contains(example.title) && help.contains(example.query));
        }
    }
}

#[test]
fn help_shows_every_function() {
    let registry = wireq_modules::registry();
    let list = wireq(&["functions"]).results();
    assert_eq!(list.lines().count(), registry.functions().len());
    for (line, function) in list.lines().zip(registry.functions()) {
        let (signature, summary) = (function.signature(), function.summary);
        assert!(
            line.starts_with(&signature) && line.ends_with(summary),
            "{line}"
        );
        let help = wireq(&["functions", &function.name.to_uppercase()]).results();
        assert!(
            help.starts_with(&format!("{signature}: {summary}\n")),
            "{help}"
        );
        for parameter in function.parameters {
            assert!(help.contains(parameter.name) && help.contains(parameter.summary));
        }
        for (call, result) in function.examples {
            assert!(
                help.contains(&format!("  {call}\n      {result}\n")),
                "{help}"
            );
        }
    }
}

#[test]
fn unknown_names_are_faults_with_advice() {
    for (arguments, message) in [
        (
            ["functions", "uper"],
            "wireq: there is no function `uper`; did you mean `upper`?\n",
        ),
        (
            ["functions", "xyzzy"],
            "wireq: there is no function `xyzzy`; `wireq functions` lists them\n",
        ),
    ] {
        let outcome = wireq(&arguments);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (2, message));
    }
}

#[test]
fn types_lists_every_field_and_its_names() {
    let registry = wireq_modules::registry();
    let list = wireq(&["types"]).results();
    for record_type in registry.types() {
        assert!(list.contains(record_type.summary()));
        let fields = wireq(&["types", record_type.name()]).results();
        assert_eq!(fields.lines().count(), record_type.fields().len());
        for (line, field) in fields.lines().zip(record_type.fields()) {
            let names = [&[field.name], field.aliases].concat().join(", ");
            assert!(
                line.starts_with(&names) && line.contains(field.summary),
                "{line}"
            );
            assert!(!field.source.is_empty(), "{line}");
        }
    }
    let ports = wireq(&["types", "packet", "srcp"]).results();
    assert!(ports.starts_with("srcport ") && ports.lines().count() == 1);
}

#[test]
fn every_field_can_be_printed() {
    for record_type in wireq_modules::registry().types() {
        for field in record_type.fields() {
            for name in [&[field.name], field.aliases].concat() {
                let query = format!("print {name} | count()");
                assert_eq!(wireq(&[&query, "empty.pcap"]).results(), "", "{name}");
            }
        }
    }
}
