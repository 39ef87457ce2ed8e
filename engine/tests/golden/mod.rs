//! The golden queries through the oracle: what stands in the files is compared with the command by
//! its tests; here the oracle and the engine's modes are compared on the same queries.

use crate::harness;

use harness::check::Checker;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// The queries of a golden file and the captures they read. None where it is about errors, damage
/// or flags of the command.
fn queries(text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let (mut files, mut queries) = (Vec::new(), Vec::new());
    let mut in_query = false;
    for line in text.lines() {
        let word = line.split(' ').next().unwrap_or("");
        match word {
            "files" if !in_query => {
                files = line.split_whitespace().skip(1).map(str::to_owned).collect()
            }
            "flags" | "error" | "status" | "stderr" if !in_query || line == word => return None,
            "query" if line == "query" => {
                queries.push(String::new());
                in_query = true;
            }
            "output" if line == word || line == "output unordered" => in_query = false,
            "plan" if line == word || line.starts_with("plan --") => in_query = false,
            _ if in_query => {
                let query = queries.last_mut().expect("a query was begun");
                query.push_str(line.strip_prefix('\\').unwrap_or(line));
                query.push('\n');
            }
            _ => {}
        }
    }
    Some((files, queries))
}

fn golden_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            golden_files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "test")
        {
            found.push(path);
        }
    }
}

#[test]
fn golden_queries_agree_with_the_oracle() {
    std::env::set_current_dir(Path::new(ROOT).join("captures")).expect("captures ship");
    let mut paths = Vec::new();
    golden_files(&Path::new(ROOT).join("queries"), &mut paths);
    paths.sort();
    let checker = Checker::new();
    let (mut compared, mut left_out, mut failures) = (0, 0, Vec::new());
    for path in &paths {
        let text = std::fs::read_to_string(path).expect("golden files are UTF-8");
        let Some((files, queries)) = queries(&text) else {
            left_out += 1;
            continue;
        };
        for query in queries {
            if names_unknown_field(&query) {
                left_out += 1;
                continue;
            }
            match checker.compile_known(&query, &files) {
                None => left_out += 1,
                Some(plan) => {
                    compared += 1;
                    if let Err(failure) = checker.check_plan(&plan) {
                        failures.push(format!(
                            "{}: {}\n--- the oracle says\n{}\n--- the engine gave\n{}",
                            path.display(),
                            failure.what,
                            failure.expected,
                            failure.given
                        ));
                    }
                }
            }
        }
    }
    println!("{compared} golden queries compared, {left_out} left out");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(compared >= 120, "only {compared} queries were compared");
}

/// Whether a query names a field of packets that the oracle does not decode.
fn names_unknown_field(query: &str) -> bool {
    let decoded = include_str!("../oracle/packet.rs");
    let registry = wireq_modules::registry();
    let types = registry.types();
    let packet = types.iter().find(|known| known.name() == "packet");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    query.split(|c| !is_part(c)).any(|word| {
        let inner = word.starts_with("inner") && word.contains('.');
        let known = decoded.contains(&format!("\"{word}\""));
        inner || !known && packet.is_some_and(|packet| packet.field(word).is_some())
    })
}
