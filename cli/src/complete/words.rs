//! What a word of the command line can become.

use super::{Completions, fields, query};
use crate::{flags, help};
use clap::{Arg, Command as Clap, ValueHint};

/// What stands before the last word.
struct Before<'a> {
    /// The flag whose value the last word is.
    flag: Option<&'a Arg>,
    /// Words that are no flags and no values of flags.
    plain: usize,
    /// Whether a flag gives a query.
    has_query: bool,
    /// The texts of queries.
    queries: Vec<&'a str>,
}

/// What the last of the words behind the command's name can become.
pub fn complete(words: &[String]) -> Completions {
    let command = flags::command();
    let Some((last, before)) = words.split_last() else {
        return Completions::default();
    };
    let sub = before
        .first()
        .and_then(|word| command.find_subcommand(word));
    let (scope, before) = match sub {
        Some(sub) => (sub, &before[1..]),
        None => (&command, before),
    };
    let before = read(scope, before);
    if let Some(flag) = before.flag {
        return value(flag, last, 0, &before);
    }
    if let Some((name, _)) = last.split_once('=').filter(|_| last.starts_with("--")) {
        let flag = long(scope, &name[2..]);
        let value = |flag| value(flag, last, name.chars().count() + 1, &before);
        return flag.map_or_else(Completions::default, value);
    }
    if last.starts_with('-') {
        return Completions::new(0, last, flag_names(scope));
    }
    match scope.get_name() {
        "wireq" | "explain" => query_or_file(scope, last, &before),
        name => argument(scope, name, last, &before),
    }
}

fn long<'a>(scope: &'a Clap, name: &str) -> Option<&'a Arg> {
    scope
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
}

/// Reads the words before the last one.
fn read<'a>(scope: &'a Clap, words: &'a [String]) -> Before<'a> {
    let mut before = Before {
        flag: None,
        plain: 0,
        has_query: false,
        queries: Vec::new(),
    };
    for word in words {
        if let Some(flag) = before.flag.take() {
            if flag.get_id() == "expression" {
                before.queries.push(word);
            }
            continue;
        }
        let flag = match word.strip_prefix("--") {
            Some(name) => long(scope, name.split('=').next().unwrap_or(name)),
            None => word.strip_prefix('-').and_then(|letters| {
                let letter = letters.chars().next_back();
                let mut flags = scope.get_arguments();
                flags.find(|arg| letter.is_some() && arg.get_short() == letter)
            }),
        };
        match flag {
            Some(flag) => {
                before.has_query |= ["expression", "query-file"].contains(&flag.get_id().as_str());
                let apart = !word.contains('=') && !flag.is_require_equals_set();
                before.flag = Some(flag).filter(|f| apart && f.get_action().takes_values());
            }
            None if word.starts_with('-') && word.len() > 1 => {}
            None => {
                if before.plain == 0 && !before.has_query {
                    before.queries.push(word);
                }
                before.plain += 1;
            }
        }
    }
    before
}

fn flag_names(scope: &Clap) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for arg in scope.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let short = arg.get_short().map(|letter| format!("-{letter}"));
        let long = arg.get_long().map(|name| format!("--{name}"));
        // One name of each is enough, and the long one says more.
        names.extend(long.or(short).map(|name| (name, help)));
    }
    names.push(("--help".to_owned(), "Prints help".to_owned()));
    names
}

/// The value of a flag, behind a stem of the word.
fn value(flag: &Arg, word: &str, stem: usize, before: &Before<'_>) -> Completions {
    let typed: String = word.chars().skip(stem).collect();
    let bare = |name: String| (name, String::new());
    match flag.get_id().as_str() {
        "expression" => {
            let completions = query::complete(&typed);
            let stem = stem + completions.stem;
            Completions {
                stem,
                ..completions
            }
        }
        "no-rewrite" => {
            let rewrites = wireq_engine::rewrite::REWRITES.iter();
            Completions::new(stem, &typed, rewrites.map(|r| bare(r.name.to_owned())))
        }
        "out" => match typed.split_once('=') {
            Some((name, path)) => {
                Completions::new(stem + name.chars().count() + 1, path, fields::paths(path))
            }
            None => {
                let labels = before.queries.iter().flat_map(|text| query::labels(text));
                Completions::new(stem, &typed, labels.map(|label| bare(format!("{label}="))))
            }
        },
        "arg" if !typed.contains('=') => {
            let names = before
                .queries
                .iter()
                .flat_map(|text| query::arguments(text));
            Completions::new(stem, &typed, names.map(|name| bare(format!("{name}="))))
        }
        _ if flag.get_value_hint() == ValueHint::FilePath => Completions::files(),
        _ => {
            let values = flag.get_possible_values();
            let names = values.iter().map(|value| bare(value.get_name().to_owned()));
            Completions::new(stem, &typed, names)
        }
    }
}

fn query_or_file(scope: &Clap, word: &str, before: &Before<'_>) -> Completions {
    if before.has_query || before.plain > 0 {
        return Completions::files();
    }
    let mut completions = query::complete(word);
    if completions.stem == 0 && scope.get_name() == "wireq" {
        let commands = scope.get_subcommands().filter(|c| !c.is_hide_set());
        let commands = commands.map(|command| {
            let about = command.get_about().map(ToString::to_string);
            (command.get_name().to_owned(), about.unwrap_or_default())
        });
        let commands = commands.filter(|(name, _)| name.starts_with(word));
        completions.candidates.extend(commands);
    }
    completions
}

/// An argument of a sub-command.
fn argument(scope: &Clap, name: &str, word: &str, before: &Before<'_>) -> Completions {
    let registry = wireq_modules::registry();
    match (name, before.plain) {
        ("modules", 0) => Completions::new(0, word, fields::modules(&registry)),
        ("types", 0) => Completions::new(0, word, fields::types(&registry)),
        ("types", 1) => {
            let types = registry.types().iter();
            Completions::new(0, word, types.flat_map(|t| fields::of_type(&**t)))
        }
        ("help", 0) => {
            let names = help::names().into_iter();
            Completions::new(0, word, names.map(|name| (name, String::new())))
        }
        (_, at) => {
            let argument = scope.get_positionals().nth(at);
            let values = argument.map(Arg::get_possible_values).unwrap_or_default();
            let names = values
                .iter()
                .map(|v| (v.get_name().to_owned(), String::new()));
            Completions::new(0, word, names)
        }
    }
}
