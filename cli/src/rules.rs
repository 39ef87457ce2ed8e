//! `wireq rules`: what of rules is understood, and rules as queries.

use crate::args::{RulesArguments, RulesCommand};
use crate::stats::quote;
use crate::{Failure, sinks};
use std::fmt::Write;
use wireq_engine::Error;
use wireq_modules::rules::{Options, RuleSet, Variables, query, rule_text};

/// Does what the arguments say.
pub fn run(arguments: &RulesArguments) -> Result<u8, Failure> {
    let mut variables = Variables::default();
    for pair in &arguments.variables {
        variables
            .set_pair(pair)
            .map_err(|fault| Failure::usage(format!("--var: `{pair}` {fault}")))?;
    }
    let options = Options {
        variables,
        packet_only: arguments.packet_only,
    };
    let paths = arguments.files.iter().map(String::as_str);
    let set = RuleSet::read(paths, &options)
        .map_err(|(path, error)| Failure::from(Error::file("read", path, error)))?;
    match &arguments.command {
        RulesCommand::Check { json, list } => {
            sinks::print(&if *json {
                check_json(&set)
            } else {
                check(&set, *list)
            })?;
            Ok(0)
        }
        RulesCommand::Show { sid, as_rule } => show(&set, *sid, *as_rule),
    }
}

fn check(set: &RuleSet, list: bool) -> String {
    let mut text = String::new();
    if list {
        for refusal in &set.refusals {
            let _ = writeln!(text, "{refusal}");
        }
        return text;
    }
    let _ = writeln!(
        text,
        "rules: {} understood, {} not\n\nkeyword                understood     not",
        set.rules.len(),
        set.refused
    );
    for (name, [known, unknown]) in &set.keywords {
        let _ = writeln!(text, "{name:<22} {known:>10} {unknown:>7}");
    }
    let mut lone: Vec<(&String, &u64)> = set.lone.iter().collect();
    lone.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    if !lone.is_empty() {
        text.push_str("\nnot understood for one thing alone     rules\n");
    }
    for (name, count) in lone {
        let _ = writeln!(text, "{name:<34} {count:>9}");
    }
    text
}

fn check_json(set: &RuleSet) -> String {
    let keyword = |(name, [known, unknown]): (&String, &[u64; 2])| {
        let name = quote(name);
        format!("{name}:{{\"understood\":{known},\"refused\":{unknown}}}")
    };
    let keywords: Vec<String> = set.keywords.iter().map(keyword).collect();
    let lone = |(name, count): (&String, &u64)| format!("{}:{count}", quote(name));
    let lone: Vec<String> = set.lone.iter().map(lone).collect();
    let refusal = |refusal: &wireq_modules::rules::Refusal| {
        let place = &refusal.place;
        format!(
            "{{\"file\":{},\"line\":{},\"column\":{},\"what\":{},\"why\":{}}}",
            quote(&place.file),
            place.line,
            place.column,
            quote(&refusal.what),
            quote(&refusal.why)
        )
    };
    let refusals: Vec<String> = set.refusals.iter().map(refusal).collect();
    format!(
        "{{\"understood\":{},\"refused\":{},\"keywords\":{{{}}},\"refused_for\":{{{}}},\"refusals\":[{}]}}\n",
        set.rules.len(),
        set.refused,
        keywords.join(","),
        lone.join(","),
        refusals.join(",")
    )
}

fn show(set: &RuleSet, sid: Option<u32>, as_rule: bool) -> Result<u8, Failure> {
    let written = |rule| match as_rule {
        true => rule_text(rule) + "\n",
        false => query(rule) + "\n",
    };
    let Some(sid) = sid else {
        let text: String = set.rules.iter().map(written).collect();
        sinks::print(&text)?;
        return Ok(0);
    };
    let Some(rule) = set.find(sid) else {
        // The rule may be there, and not be understood.
        let mut message = format!("there is no rule {sid} that is understood");
        if let Some(refusal) = set.refusals.iter().find(|refusal| refusal.sid == Some(sid)) {
            let _ = write!(message, ": {refusal}");
        }
        return Err(Failure::usage(message));
    };
    let mut text = String::new();
    if !rule.dropped.is_empty() {
        let _ = writeln!(text, "# left out: {}", rule.dropped.join(", "));
    }
    text += &written(rule);
    sinks::print(&text)?;
    Ok(0)
}
