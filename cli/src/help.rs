//! `wireq help`: topics, commands, modules, types.

use crate::flags::{TOPICS, command};
use crate::{Failure, catalog, sinks};
use std::fmt::Write;
use wireq_engine::diagnostic::suggest;

/// What values look like in each format, in Markdown.
pub const FORMATS: &str = include_str!("formats.md");

/// Describes what has a name, or lists the topics.
pub fn help(name: Option<&str>) -> Result<u8, Failure> {
    let Some(name) = name else {
        sinks::print(&topics())?;
        return Ok(0);
    };
    let registry = wireq_modules::registry();
    let mut command = command();
    match name {
        "language" => sinks::print(wireq_query_lang::GRAMMAR)?,
        "formats" => sinks::print(FORMATS)?,
        "wireq" => sinks::print(&command.render_long_help().to_string())?,
        // A command, a module and a type may have one name.
        _ => {
            let mut known = false;
            let mut next = || match std::mem::replace(&mut known, true) {
                true => sinks::print("\n"),
                false => Ok(()),
            };
            if let Some(command) = command.find_subcommand_mut(name) {
                next()?;
                let command = std::mem::take(command).bin_name(format!("wireq {name}"));
                sinks::print(&command.clone().render_long_help().to_string())?;
            }
            if registry.module(name).is_some() {
                next()?;
                catalog::modules(&registry, Some(name))?;
            }
            if registry.types().iter().any(|t| t.name() == name) {
                next()?;
                catalog::types(&registry, Some(name), None)?;
            }
            if !known {
                return Err(unknown(name));
            }
        }
    }
    Ok(0)
}

fn topics() -> String {
    let mut text = "wireq help TOPIC, where a topic is\n\n".to_owned();
    for (name, summary) in TOPICS {
        let _ = writeln!(text, "  {name:<12} {summary}");
    }
    for command in command().get_subcommands().filter(|c| !c.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string);
        let _ = writeln!(
            text,
            "  {:<12} {}",
            command.get_name(),
            about.unwrap_or_default()
        );
    }
    text += "  MODULE       a module: `wireq modules` lists them\n";
    text += "  TYPE         a record type with its fields: `wireq types` lists them\n";
    text += "\n`wireq --help` lists the flags.\n";
    text
}

/// All names that there is help for.
pub fn names() -> Vec<String> {
    let registry = wireq_modules::registry();
    let topics = TOPICS.iter().map(|(name, _)| (*name).to_owned());
    let command = command();
    let commands = command.get_subcommands().filter(|c| !c.is_hide_set());
    let mut names: Vec<String> = topics.collect();
    names.extend(commands.map(|command| command.get_name().to_owned()));
    names.extend(registry.modules().iter().map(|m| m.name.to_owned()));
    names.extend(registry.types().iter().map(|t| t.name().to_owned()));
    names
}

fn unknown(name: &str) -> Failure {
    let names = names();
    let advice = suggest(name, names.iter().map(String::as_str)).map_or_else(
        || "`wireq help` lists the topics".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Failure::usage(format!("there is no help on `{name}`; {advice}"))
}
