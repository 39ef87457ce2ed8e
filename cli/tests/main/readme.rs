//! The README is true: its commands give what stands below them, and its table is that of the
//! modules. `UPDATE=1` writes the table anew.

use crate::run::{BINARY, captures, read, root, scratch};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wireq_engine::Build;

const TABLE: (&str, &str) = ("<!-- modules -->\n", "<!-- /modules -->");

/// A command of the README and what it prints there.
#[derive(Debug, Default, PartialEq)]
struct Session {
    command: String,
    output: String,
}

/// The commands in blocks fenced as ```console: lines `$ command`, continued by lines `> more`, then
/// the output.
fn sessions(readme: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        let command = line.strip_prefix("$ ");
        let in_command = sessions.last().is_some_and(|last| last.output.is_empty());
        let more = line.strip_prefix("> ").filter(|_| in_command);
        match (inside, sessions.last_mut()) {
            (false, _) => inside = line == "```console",
            (true, _) if line == "```" => inside = false,
            (true, last) => match (command, more, last) {
                (Some(command), ..) => sessions.push(Session {
                    command: command.to_owned(),
                    output: String::new(),
                }),
                (_, Some(more), Some(last)) => last.command += &format!("\n{more}"),
                (_, _, Some(last)) => last.output += &format!("{line}\n"),
                (_, _, None) => panic!("README: output without a command: {line}"),
            },
        }
    }
    sessions
}

/// A folder in which captures have both names: the plain one and that from the repository's root.
fn folder() -> PathBuf {
    let beside = scratch("readme");
    let folder = beside.join("captures");
    fs::create_dir(&folder).expect("a new folder");
    let link = |from: &Path, name: &Path| symlink(from, folder.join(name)).expect("a new name");
    link(&root().join("testdata"), Path::new("testdata"));
    link(&root().join("testdata/rules"), &beside.join("rules"));
    for entry in fs::read_dir(captures()).expect("captures").flatten() {
        link(&entry.path(), Path::new(&entry.file_name()));
    }
    folder
}

/// What a terminal shows of a command.
fn run(command: &str, folder: &Path) -> String {
    let binaries = Path::new(BINARY).parent().expect("a folder").display();
    let path = format!("{binaries}:{}", env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .envs([("PATH", path.as_str()), ("TZ", "UTC")])
        .output();
    let output = output.expect("sh is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn commands_give_what_stands_below_them() {
    let sessions = sessions(&read(&root().join("README.md")));
    let ours = sessions.iter().filter(|s| s.command.starts_with("wireq "));
    let folder = folder();
    let mut count = 0;
    let mut faults = String::new();
    for session in ours {
        count += 1;
        let got = run(&session.command, &folder);
        if got != session.output {
            let (command, output) = (&session.command, &session.output);
            faults += &format!("$ {command}\nREADME:\n{output}it gives:\n{got}\n");
        }
    }
    assert!(
        count > 0,
        "README.md has no ```console block with `$ wireq ...`"
    );
    assert!(faults.is_empty(), "\n{faults}");
}

/// The table of all modules and types.
fn table() -> String {
    let registry = wireq_modules::registry();
    let modules = registry.modules().iter().map(|module| {
        let kind = match module.build {
            Build::Source(_) => "source",
            Build::Operator(_) | Build::Expressions(_) => "operator",
            Build::Aggregate(_) => "aggregate",
            Build::Either(_) => "either",
        };
        (module.name, kind, module.summary)
    });
    let types = registry.types().iter();
    let types = types.map(|t| (t.name(), "type", t.summary()));
    let rows = modules.chain(types).map(|(name, kind, summary)| {
        let summary = summary.replace('|', "\\|");
        format!("| `{name}` | {kind} | {summary} |\n")
    });
    let rows: String = rows.collect();
    format!("| module | kind | what it does |\n|---|---|---|\n{rows}")
}

#[test]
fn table_lists_the_modules_and_types() {
    let path = root().join("README.md");
    let readme = read(&path);
    let (begin, end) = TABLE;
    let (before, rest) = readme
        .split_once(begin)
        .unwrap_or_else(|| panic!("README.md has no line {begin}"));
    let (written, after) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("README.md has no {end}"));
    let right = table();
    if written != right && env::var_os("UPDATE").is_some_and(|value| value == "1") {
        let text = format!("{before}{begin}{right}{end}{after}");
        fs::write(&path, text).expect("README.md can be written");
        return;
    }
    assert!(
        written == right,
        "the right table is:\n\n{begin}{right}{end}"
    );
}

#[test]
fn sessions_are_found() {
    let readme = "$ not this\n```console\n$ wireq a |\n> b\nx\n> y\n\n$ ls\n```\n$ nor this\n";
    let session = |command: &str, output: &str| Session {
        command: command.to_owned(),
        output: output.to_owned(),
    };
    let expected = [session("wireq a |\nb", "x\n> y\n\n"), session("ls", "")];
    assert_eq!(sessions(readme), expected);
}
