//! Completion in the shells. What is tested in a shell is skipped, loudly, where it is not installed.

use crate::run::{BINARY, captures, scratch, wireq};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Whether a shell is here.
fn has(shell: &str) -> bool {
    let version = Command::new(shell).args(["-c", "exit"]).output();
    let has = version.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("COMPLETION TESTS SKIPPED: there is no {shell} here");
    }
    has
}

/// What a shell prints of a script, with `wireq` among its commands.
#[track_caller]
fn run(shell: &[&str], script: &str) -> String {
    let binaries = Path::new(BINARY).parent().expect("a folder").display();
    let path = format!("{binaries}:{}", env::var("PATH").unwrap_or_default());
    let home = scratch(&format!("home-of-{}", shell[0]));
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .current_dir(captures())
        .env("PATH", path)
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .expect("the shell is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let messages = text(&output.stderr);
    assert_eq!(messages, "", "{script}");
    text(&output.stdout)
}

/// What bash offers for a line: it calls the function as bash does, with the words as readline
/// divides them.
#[track_caller]
fn bash(line: &str, words: &[&str]) -> Vec<String> {
    let quote = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    let script = format!(
        "source <(wireq completions bash)
         COMP_LINE={} COMP_POINT=${{#COMP_LINE}}
         COMP_WORDS=({}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
         _wireq
         ((${{#COMPREPLY[@]}})) && printf '%s\\n' \"${{COMPREPLY[@]}}\"
         exit 0",
        quote(line),
        words.join(" ")
    );
    let reply = run(&["bash", "--norc"], &script);
    reply.lines().map(str::to_owned).collect()
}

#[test]
fn scripts_are_right_for_their_shells() {
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = wireq(&["completions", shell]).results();
        let file = scratch(&format!("script-for-{shell}")).join("script");
        fs::write(&file, script).expect("a file");
        if has(shell) {
            let checked = Command::new(shell).arg(check).arg(&file).output();
            let checked = checked.expect("the shell is there");
            let said = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert_eq!((checked.status.success(), said.as_str()), (true, ""));
        }
    }
    wireq(&["completions", "tcsh"]).refusal(2);
    wireq(&["completions"]).refusal(2);
}

#[test]
fn bash_completes() {
    if !has("bash") {
        return;
    }
    for (line, words, expected) in [
        ("wireq mod", &["wireq", "mod"][..], &["modules"][..]),
        (
            "wireq modules uniqo",
            &["wireq", "modules", "uniqo"],
            &["uniqobj"],
        ),
        (
            "wireq types packet srcp",
            &["wireq", "types", "packet", "srcp"],
            &["srcport"],
        ),
        (
            "wireq help forma",
            &["wireq", "help", "forma"],
            &["formats"],
        ),
        (
            "wireq completions ",
            &["wireq", "completions", ""],
            &["bash", "fish", "zsh"],
        ),
        ("wireq --col", &["wireq", "--col"], &["--color"]),
        (
            "wireq --color a",
            &["wireq", "--color", "a"],
            &["always", "auto"],
        ),
        // readline divides words at `=`.
        (
            "wireq --color=al",
            &["wireq", "--color", "=", "al"],
            &["always"],
        ),
        (
            "wireq --color=",
            &["wireq", "--color", "="],
            &["always", "auto", "never"],
        ),
        ("wireq -o js", &["wireq", "-o", "js"], &["json", "jsonl"]),
        ("wireq --lang s", &["wireq", "--lang", "s"], &["sql"]),
        (
            "wireq --no-rewrite sh",
            &["wireq", "--no-rewrite", "sh"],
            &["share"],
        ),
        (
            "wireq 'where dstpo",
            &["wireq", "'where dstpo"],
            &["where dstport"],
        ),
        (
            "wireq \"uniq srcip | print --boul",
            &["wireq", "\"uniq srcip | print --boul"],
            &["uniq srcip | print --boulder"],
        ),
        (
            "wireq explain 'count() group by dstpo",
            &["wireq", "explain", "'count() group by dstpo"],
            &["count() group by dstport"],
        ),
        (
            "wireq -e 'web: where x' --out we",
            &["wireq", "-e", "'web: where x'", "--out", "we"],
            &["web="],
        ),
        (
            "wireq 'where dstport = $port' --arg ",
            &["wireq", "'where dstport = $port'", "--arg", ""],
            &["port="],
        ),
        (
            "wireq 'pcapfile off",
            &["wireq", "'pcapfile off"],
            &["pcapfile office.pcap"],
        ),
        // Files are the shell's own matter.
        ("wireq 'count()' of", &["wireq", "'count()'", "of"], &[]),
        ("wireq 'frobnicat", &["wireq", "'frobnicat"], &[]),
    ] {
        assert_eq!(bash(line, words), expected, "{line}");
    }
}

#[test]
fn fish_completes() {
    if !has("fish") {
        return;
    }
    for (line, expected) in [
        ("wireq mod", "modules"),
        ("wireq modules uniqo", "uniqobj"),
        ("wireq --col", "--color"),
        ("wireq --color al", "always"),
        ("wireq \\'where dstpo", "where dstport"),
        ("wireq count of", "office.pcap"),
    ] {
        let script = format!("wireq completions fish | source; complete -C '{line}'");
        let reply = run(&["fish", "--no-config"], &script);
        let words: Vec<&str> = reply
            .lines()
            .map(|line| line.split('\t').next().unwrap_or(line))
            .collect();
        assert_eq!(words, [expected], "{line}");
    }
}

/// zsh calls its functions only from its editor: a terminal for it is made by its own module.
#[test]
fn zsh_completes() {
    if !has("zsh") || fs::metadata("/dev/ptmx").is_err() {
        return;
    }
    for (line, expected) in [
        ("wireq modules uniqo", "wireq modules uniqobj "),
        ("wireq --color=al", "wireq --color=always"),
        ("wireq 'where dstpo", "wireq 'where dstport"),
        (
            "wireq \"uniq srcip | print dstpo",
            "wireq \"uniq srcip | print dstport",
        ),
        ("wireq 'count()' of", "wireq 'count()' office.pcap "),
    ] {
        let line = line.replace('\'', "'\\''");
        let script = format!(
            "zmodload zsh/zpty
             zpty shell 'TERM=dumb zsh -f -i'
             zpty -w shell 'PS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D'
             zpty -w shell 'source <(wireq completions zsh)'
             zpty -w shell 'show() {{ print -r -- \"<$BUFFER>\"; BUFFER=; zle accept-line }}; zle -N show; bindkey ^X show'
             zpty -w shell 'print re\"\"ady'
             zpty -r -m shell all '*ready*'
             zpty -w -n shell '{line}'$'\\t'$'\\x18'
             zpty -r -m shell all '*<*>*'
             print -r -- \"$all\"
             zpty -d shell"
        );
        let shown = run(&["zsh", "-f"], &script);
        assert!(shown.contains(&format!("<{expected}>")), "{shown:?}");
    }
}

#[test]
fn any_line_has_an_answer() {
    for line in [
        "",
        "wireq",
        "wireq ",
        "wireq '",
        "wireq \"",
        "wireq \\",
        "wireq é 'ü",
        "wireq --",
        "wireq -",
    ] {
        let given = wireq(&["__complete", "--line", line]).results();
        let head = given.lines().next().unwrap_or_default();
        assert_eq!(head.split(' ').count(), 3, "{line}: {given}");
    }
    assert!(!wireq(&["--help"]).results().contains("__complete"));
}
