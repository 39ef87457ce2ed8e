//! What wrong queries are told: `messages.txt` holds queries and their faults.
//!
//! `UPDATE=1 cargo test` writes the faults anew; read the difference before you keep it.

mod support;

use std::fmt::Write;
use std::path::Path;

#[test]
fn wrong_queries_have_these_messages() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages.txt");
    let expected = std::fs::read_to_string(&path).expect("the file is there");
    let (comment, cases) = expected
        .split_once("\n---\n")
        .expect("a comment comes first");
    let mut actual = comment.to_owned();
    for case in cases.split("\n---\n") {
        let (query, _) = case.split_once("\n=>").expect("each case has an arrow");
        let _ = write!(actual, "\n---\n{query}\n=>\n{}", faults(query).trim_end());
    }
    actual.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, actual).expect("the file can be written");
    } else {
        assert_eq!(actual, expected);
    }
}

fn faults(query: &str) -> String {
    let mut besides = support::Besides::default();
    let mut query = query;
    while let Some((head, rest)) = query.split_once('\n') {
        match head.split_once(": ") {
            Some(("files", files)) => besides.files = files.split(' ').collect(),
            Some(("language", name)) => besides.language = name,
            Some(("arguments", pairs)) => {
                let pairs = pairs.split(' ').filter_map(|pair| pair.split_once('='));
                besides.arguments = pairs.collect();
            }
            Some(("write", path)) => besides.writing = Some(path),
            _ => break,
        }
        query = rest;
    }
    match support::compile_besides(&[query], &besides) {
        Ok(_) => "no fault".to_owned(),
        Err(faults) => faults
            .iter()
            .map(|fault| support::show(fault, &[query]))
            .collect(),
    }
}

#[test]
fn every_code_is_explained_and_shown() {
    let messages = include_str!("messages.txt");
    let rows = wireq_query_lang::GRAMMAR
        .lines()
        .filter(|line| line.starts_with("| Q"));
    let codes: Vec<&str> = rows.map(|row| &row[2..6]).collect();
    // The queries of two are long: see hostile.rs. One needs an interface: see cli/tests/live.
    let limits = ["Q003", "Q058", "Q063"];
    for code in codes.iter().filter(|code| !limits.contains(code)) {
        assert!(
            messages.contains(&format!("\n{code} at")),
            "{code} is not in messages.txt"
        );
    }
    let told = messages
        .lines()
        .filter_map(|line| line.split_once(" at [").map(|(code, _)| code));
    for code in told.filter(|code| code.len() == 4) {
        assert!(codes.contains(&code), "{code} is not in grammar.md");
    }
}
