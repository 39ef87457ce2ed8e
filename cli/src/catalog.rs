//! What there is: modules, functions and types, from their declarations.

use crate::{Failure, sinks};
use std::fmt::Write;
use wireq_engine::arguments::{Count, Parameter};
use wireq_engine::diagnostic::suggest;
use wireq_engine::{Build, Module, Registry, ScalarFunction};

/// Lists the modules, or describes one.
pub fn modules(registry: &Registry, name: Option<&str>) -> Result<u8, Failure> {
    let text =
        match name {
            None => registry
                .modules()
                .iter()
                .fold(String::new(), |text, module| {
                    text + &format!(
                        "{:<10} {:<10} {}\n",
                        module.name,
                        role(module),
                        module.summary
                    )
                }),
            Some(name) => describe(registry.module(name).ok_or_else(|| {
                unknown("module", name, registry.modules().iter().map(|m| m.name))
            })?),
        };
    sinks::print(&text)?;
    Ok(0)
}

/// Lists the interfaces that packets can be taken from: name, state, addresses, what it is.
pub fn interfaces() -> Result<u8, Failure> {
    let interfaces = wireq_modules::interfaces()?;
    let lines = interfaces.iter().map(|interface| format!("{interface}\n"));
    sinks::print(&lines.collect::<String>())?;
    Ok(0)
}

/// What part a module plays in a query.
fn role(module: &Module) -> &'static str {
    match module.build {
        Build::Source(_) => "source",
        Build::Operator(_) | Build::Expressions(_) => "operator",
        Build::Aggregate(_) => "aggregate",
        Build::Either(_) => "either",
    }
}

fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let advice = suggest(name, names).map_or_else(
        || format!("`wireq {what}s` lists them"),
        |near| format!("did you mean `{near}`?"),
    );
    Failure::usage(format!("there is no {what} `{name}`; {advice}"))
}

fn describe(module: &Module) -> String {
    let mut text = format!("{} ({}): {}\n\n", module.name, role(module), module.summary);
    let usage: Vec<String> = module.parameters.iter().map(usage).collect();
    let _ = writeln!(text, "  {} {}\n", module.name, usage.join(" "));
    for parameter in module.parameters {
        let _ = writeln!(text, "  {:<12} {}", parameter.name, parameter.summary);
    }
    if !module.details.is_empty() {
        let _ = writeln!(text, "\n{}", module.details);
    }
    text.push_str("\nExamples:\n");
    for example in module.examples {
        let _ = writeln!(
            text,
            "\n  {}\n    wireq '{}' {}",
            example.title, example.query, example.input
        );
        for line in example.output.lines() {
            let _ = writeln!(text, "      {line}");
        }
    }
    text
}

pub fn usage(parameter: &Parameter) -> String {
    let value = match (parameter.is_flag(), parameter.takes) {
        (true, wireq_engine::arguments::Takes::Nothing) | (false, _) => parameter.name.to_owned(),
        (true, takes) => format!("{} {}", parameter.name, format!("{takes:?}").to_uppercase()),
    };
    match parameter.count {
        Count::One => value,
        Count::Optional => format!("[{value}]"),
        Count::Any => format!("[{value}...]"),
        Count::Some => format!("{value}..."),
    }
}

/// Lists the functions, or describes one.
pub fn functions(registry: &Registry, name: Option<&str>) -> Result<u8, Failure> {
    let Some(name) = name else {
        let mut text = String::new();
        for function in registry.functions() {
            let _ = writeln!(text, "{:<34} {}", function.signature(), function.summary);
        }
        sinks::print(&text)?;
        return Ok(0);
    };
    let function = registry.function(name).ok_or_else(|| {
        unknown(
            "function",
            name,
            registry.functions().iter().map(|f| f.name),
        )
    })?;
    sinks::print(&describe_function(function))?;
    Ok(0)
}

fn describe_function(function: &ScalarFunction) -> String {
    let mut text = format!("{}: {}\n", function.signature(), function.summary);
    if !function.parameters.is_empty() {
        text.push('\n');
    }
    for parameter in function.parameters {
        let kind = parameter.kind.to_string();
        let _ = writeln!(
            text,
            "  {:<12} {kind:<9} {}",
            parameter.name, parameter.summary
        );
    }
    text.push_str("\nExamples:\n\n");
    for (call, result) in function.examples {
        let _ = writeln!(text, "  {call}\n      {result}");
    }
    text
}

/// Lists the types, or the fields of one.
pub fn types(registry: &Registry, name: Option<&str>, prefix: Option<&str>) -> Result<u8, Failure> {
    let mut text = String::new();
    let Some(name) = name else {
        for record_type in registry.types() {
            let _ = writeln!(text, "{:<10} {}", record_type.name(), record_type.summary());
        }
        sinks::print(&text)?;
        return Ok(0);
    };
    let known = registry.types().iter().find(|t| t.name() == name);
    let record_type =
        known.ok_or_else(|| unknown("type", name, registry.types().iter().map(|t| t.name())))?;
    let prefix = prefix.unwrap_or("");
    for field in record_type.fields() {
        if field.name.starts_with(prefix)
            || field.aliases.iter().any(|alias| alias.starts_with(prefix))
        {
            let names = [&[field.name], field.aliases].concat().join(", ");
            let _ = writeln!(
                text,
                "{names:<32} {:<12} {} ({})",
                field.kind.to_string(),
                field.summary,
                field.source
            );
        }
    }
    sinks::print(&text)?;
    Ok(0)
}
