//! What is different on a terminal: `script` of util-linux makes one.

use crate::run::{BINARY, captures, read, scratch, wireq};
use std::process::{Command, Stdio};

/// What a terminal of so many columns shows of a command; none where there is no `script`.
fn on_terminal(columns: u32, command: &str) -> Option<String> {
    on_terminal_with("", columns, command)
}

/// The same with variables of the environment.
fn on_terminal_with(variables: &str, columns: u32, command: &str) -> Option<String> {
    let has_script = Command::new("script").arg("--version").output().is_ok();
    if !has_script {
        eprintln!("TERMINAL TESTS SKIPPED: there is no `script` here");
        return None;
    }
    let whole = format!("stty rows 24 cols {columns}; exec env {variables} {BINARY} {command}");
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &whole, "/dev/null"])
        .current_dir(captures())
        .env("TZ", "UTC")
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("script runs");
    Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"))
}

#[test]
fn a_terminal_shows_a_table() {
    let Some(shown) = on_terminal(120, "'print srcip count() group by srcip' five.pcap") else {
        return;
    };
    let expected = "\x1b[1msrcip      count\x1b[0m\n192.0.2.1      2\n192.0.2.2      2\n";
    assert_eq!(shown, expected);
    let shown = on_terminal(120, "--color=never -o text 'count()' five.pcap");
    assert_eq!(shown.as_deref(), Some("5\n"));
    let shown = on_terminal(
        120,
        "'head 1 | print -v len | print -o jsonl len' five.pcap",
    );
    assert_eq!(shown.as_deref(), Some("len = 74\n{\"len\":74}\n"));
}

#[test]
fn lines_fit_the_terminal() {
    for columns in [200, 100, 80, 60] {
        for query in [
            "head 20",
            "head 20 | print ts payload srcip",
            "last srcip dstip",
        ] {
            let command = format!("--color=never '{query}' office.pcap");
            let Some(shown) = on_terminal(columns, &command) else {
                return;
            };
            assert!(shown.lines().count() > 10, "{shown}");
            for line in shown.lines() {
                let width = line.chars().count();
                assert!(width <= columns as usize, "{columns}: {width}: {line}");
            }
        }
    }
}

#[test]
fn files_are_no_terminal() {
    let file = scratch("no-terminal").join("lens");
    let name = file.display();
    for command in [
        format!("'where dstport = 80 | print len' --out 1={name} five.pcap"),
        format!("'where dstport = 80 | print -f {name} len' five.pcap"),
    ] {
        if on_terminal(80, &command).is_none() {
            return;
        }
        assert_eq!(read(&file), "125\n54\n", "{command}");
    }
}

#[test]
fn colors_follow_what_is_asked() {
    let wrong = |color: &str| wireq(&[color, "print srcpi", "five.pcap"]).refusal(2);
    let plain = wrong("--color=auto");
    assert!(!plain.contains('\x1b'));
    assert_eq!(wrong("--color=never"), plain);
    let colored = wrong("--color=always");
    assert!(
        colored.starts_with("\x1b[1;31merror[Q010]\x1b[0m: "),
        "{colored:?}"
    );
    let mut stripped = colored.clone();
    for sign in ["\x1b[1;31m", "\x1b[34m", "\x1b[36m", "\x1b[0m"] {
        stripped = stripped.replace(sign, "");
    }
    assert_eq!(stripped, plain);

    let table = |color: &str| wireq(&[color, "-o", "table", "count()", "five.pcap"]).results();
    assert_eq!(table("--color=always"), "\x1b[1mcount\x1b[0m\n    5\n");
    assert_eq!(table("--color=auto"), "count\n    5\n");
    let rows = wireq(&["--color=always", "-o", "csv", "count()", "five.pcap"]);
    assert_eq!(rows.results(), "count\n5\n");
}

#[test]
fn no_color_is_respected_on_a_terminal() {
    for command in ["'print srcpi' five.pcap", "'head 1' five.pcap"] {
        for (variables, colored) in [
            ("A=1", true),
            ("NO_COLOR=", true),
            ("NO_COLOR=1", false),
            ("TERM=dumb", false),
            ("TERM=dumb CLICOLOR_FORCE=1", true),
            ("CLICOLOR_FORCE=0", false),
            ("NO_COLOR=1 CLICOLOR_FORCE=1", false),
        ] {
            let Some(shown) = on_terminal_with(variables, 120, command) else {
                return;
            };
            assert_eq!(shown.contains('\x1b'), colored, "{variables}: {shown}");
        }
    }
}
