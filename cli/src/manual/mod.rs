//! The pages of the manual, from the declarations of flags and modules and from the documents.

mod roff;

use crate::flags::command;
use crate::{Failure, catalog, help, sinks};
use clap::{Arg, Command as Clap};
use roff::{bold, escape, markdown, term, verbatim};
use wireq_engine::Module;

const DESCRIPTION: &str = "\
wireq runs queries over packets, flows and logs: filters, grouping, uniqueness, output, many queries in \
one pass over the data. A query is one argument; captures follow it. The language is described in \
wireq-language(7).";

const ENVIRONMENT: [(&str, &str); 3] = [
    (
        "TZ",
        "The zone in which times are shown and read; see --utc.",
    ),
    (
        "NO_COLOR",
        "No colors unless --color=always, where it is not empty.",
    ),
    (
        "CLICOLOR_FORCE",
        "Colors also where there is no terminal, where it is neither empty nor 0.",
    ),
];

/// Prints a page.
pub fn page(name: &str) -> Result<u8, Failure> {
    sinks::print(&match name {
        "language" => language(),
        _ => wireq(),
    })?;
    Ok(0)
}

fn title(name: &str, section: u8, summary: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".TH {} {section} \"\" \"wireq {version}\" \"wireq\"\n.SH NAME\n{} \\- {}\n",
        escape(&name.to_uppercase()),
        escape(name),
        escape(summary)
    )
}

/// wireq(1).
fn wireq() -> String {
    let command = command();
    let about = command.get_about().map(ToString::to_string);
    let mut page = title("wireq", 1, &about.unwrap_or_default());
    page.push_str(".SH SYNOPSIS\n");
    let run = "[\\fIFLAGS\\fR] \\fIQUERY\\fR [\\fIFILE\\fR...]";
    page.push_str(&format!(".B wireq\n{run}\n"));
    for command in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = command.get_name();
        let arguments = match name {
            "explain" => run.to_owned(),
            _ => command.get_positionals().map(positional).collect(),
        };
        page.push_str(&format!(".br\n.B wireq {}\n{arguments}\n", escape(name)));
    }
    page.push_str(&format!(".SH DESCRIPTION\n{}\n", escape(DESCRIPTION)));
    page.push_str(".SH OPTIONS\n");
    options(&command, &mut page);
    page.push_str(".SH COMMANDS\n");
    for command in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string);
        term(
            &bold(command.get_name()),
            &escape(&about.unwrap_or_default()),
            &mut page,
        );
    }
    page.push_str(".SH OUTPUT\n");
    markdown(&help::FORMATS.replace("\n# ", "\n## "), &mut page);
    page.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in ENVIRONMENT {
        term(&bold(name), &escape(meaning), &mut page);
    }
    let after = command.get_after_help().map(ToString::to_string);
    let after = after.unwrap_or_default();
    let (examples, rest) = after.split_once("\n\n").unwrap_or((&after, ""));
    page.push_str(".SH EXAMPLES\n");
    let examples: Vec<&str> = examples.lines().skip(1).map(str::trim).collect();
    verbatim(&examples.join("\n"), &mut page);
    let status = rest
        .split_once("Exit status: ")
        .map_or("", |(_, text)| text);
    let status = status.replace('\n', " ");
    page.push_str(&format!(".SH EXIT STATUS\n{}\n", escape(&status)));
    page.push_str(".SH SEE ALSO\n.BR wireq\\-language (7)\n");
    page
}

fn positional(arg: &Arg) -> String {
    let name = arg.get_value_names().and_then(<[_]>::first);
    let name = format!("\\fI{}\\fR ", name.map_or("", |name| name.as_str()));
    match arg.is_required_set() {
        true => name,
        false => format!("[{}] ", name.trim_end()),
    }
}

/// The flags under their headings.
fn options(command: &Clap, page: &mut String) {
    let flags: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in &flags {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        page.push_str(&format!(".SS {}\n", escape(heading.unwrap_or("Query"))));
        for arg in flags.iter().filter(|arg| arg.get_help_heading() == heading) {
            let help = arg.get_help().map(ToString::to_string);
            term(&flag(arg), &escape(&help.unwrap_or_default()), page);
        }
    }
}

/// A flag as it is written: `-o, --output FORMAT`.
fn flag(arg: &Arg) -> String {
    let short = arg.get_short().map(|letter| format!("-{letter}"));
    let long = arg.get_long().map(|name| format!("--{name}"));
    let names: Vec<String> = short
        .into_iter()
        .chain(long)
        .map(|name| bold(&name))
        .collect();
    let takes = arg.get_action().takes_values();
    let value = arg.get_value_names().and_then(<[_]>::first);
    let value = value
        .filter(|_| takes)
        .map(|value| format!("\\fI{}\\fR", escape(value)));
    match (names.is_empty(), value) {
        (true, value) => value.unwrap_or_default(),
        (false, None) => names.join(", "),
        (false, Some(value)) if arg.is_require_equals_set() => {
            format!("{}[={value}]", names.join(", "))
        }
        (false, Some(value)) => format!("{} {value}", names.join(", ")),
    }
}

/// wireq-language(7).
fn language() -> String {
    let mut page = title("wireq-language", 7, "the language of wireq's queries");
    let grammar = wireq_query_lang::GRAMMAR;
    // The first lines tell of the source code.
    let begin = grammar.find("\n# ").map_or(0, |at| at + 1);
    markdown(&grammar[begin..], &mut page);
    page.push_str(".SH MODULES\n");
    for module in wireq_modules::registry().modules() {
        describe(module, &mut page);
    }
    page.push_str(".SH SEE ALSO\n.BR wireq (1)\n");
    page
}

fn describe(module: &Module, page: &mut String) {
    page.push_str(&format!(".SS {}\n", escape(module.name)));
    let usage: Vec<String> = module.parameters.iter().map(catalog::usage).collect();
    let usage = escape(&usage.join(" "));
    page.push_str(&format!("{} {usage}\n", bold(module.name)));
    markdown(&format!("{} {}", module.summary, module.details), page);
    for parameter in module.parameters {
        let meaning = roff::inline(parameter.summary);
        term(&bold(parameter.name), &meaning, page);
    }
    for example in module.examples {
        page.push_str(&format!(".PP\n{}:\n", escape(example.title)));
        let command = format!("wireq {} {}", quoted(example.query), example.input);
        verbatim(
            &format!("$ {}\n{}", command.trim_end(), example.output),
            page,
        );
    }
}

/// A word as a shell reads it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
