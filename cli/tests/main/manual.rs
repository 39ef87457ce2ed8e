//! Help and manual hold all that is declared.

use crate::run::wireq;
use std::io::Write;
use std::process::{Command, Stdio};

/// A page as groff shows it, which must have nothing to say about it; none where there is no groff.
fn shown(page: &str) -> Option<String> {
    let Ok(mut child) = Command::new("groff")
        .args(["-ww", "-man", "-Tutf8", "-P-c", "-rLL=78n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        eprintln!("MANUAL TESTS SKIPPED: there is no groff here");
        return None;
    };
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(page.as_bytes()).expect("groff reads");
    drop(stdin);
    let output = child.wait_with_output().expect("groff ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // Bold text is struck twice.
    let mut text = String::new();
    for c in String::from_utf8_lossy(&output.stdout).chars() {
        match c {
            '\x08' => drop(text.pop()),
            c => text.push(c),
        }
    }
    Some(text)
}

/// The flags of `--help`.
fn flags() -> Vec<String> {
    let help = wireq(&["--help"]).results();
    let words = help.split_whitespace().map(|word| word.trim_matches(','));
    let mut flags: Vec<String> = words
        .map(|word| word.split(['=', '[']).next().unwrap_or(word))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(str::to_owned)
        .collect();
    flags.sort();
    flags.dedup();
    flags
}

#[test]
fn every_flag_is_in_help_and_manual() {
    let flags = flags();
    for flag in [
        "--arg", "--color", "--from", "--to", "--lang", "--limit", "--output", "--tag", "--utc",
        "--now", "--out", "--stats", "--strict",
    ] {
        assert!(flags.iter().any(|known| known == flag), "{flag}: {flags:?}");
    }
    let page = wireq(&["man"]).results();
    for flag in flags
        .iter()
        .filter(|flag| *flag != "--help" && *flag != "--version")
    {
        assert!(page.contains(&flag.replace('-', "\\-")), "{flag}");
    }
    let Some(shown) = shown(&page) else { return };
    let words: Vec<&str> = shown.split_whitespace().collect();
    let words = words.join(" ");
    for part in [
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "EXAMPLES",
        "EXIT STATUS",
        "wireq explain",
        "RFC 4180",
    ] {
        assert!(words.contains(part), "{part}");
    }
    assert!(shown.contains("-o, --output FORMAT") && shown.contains("--stats[=FORMAT]"));
}

#[test]
fn the_language_is_in_its_page() {
    let page = wireq(&["man", "language"]).results();
    for module in wireq_modules::registry().modules() {
        assert!(
            page.contains(&format!("\n.SS {}\n", module.name)),
            "{}",
            module.name
        );
    }
    let Some(shown) = shown(&page) else { return };
    let rows = wireq_query_lang::GRAMMAR.lines();
    for code in rows.filter_map(|line| line.strip_prefix("| Q")) {
        assert!(shown.contains(&format!("Q{}", &code[..3])), "{code}");
    }
    // What is code stays as it is.
    assert!(
        shown.contains("pipeline   = segment (\"|\" segment)*"),
        "{shown}"
    );
    wireq(&["man", "nothing"]).refusal(2);
}

#[test]
fn help_has_topics() {
    let topics = wireq(&["help"]).results();
    for name in ["language", "formats", "explain", "completions", "man"] {
        assert!(topics.contains(&format!("\n  {name} ")), "{topics}");
        assert!(!wireq(&["help", name]).results().is_empty(), "{name}");
    }
    assert!(!topics.contains("__complete"));
    assert_eq!(
        wireq(&["help", "language"]).results(),
        wireq_query_lang::GRAMMAR
    );
    assert_eq!(
        wireq(&["help", "uniq"]).stdout,
        wireq(&["modules", "uniq"]).stdout
    );
    assert_eq!(
        wireq(&["help", "packet"]).stdout,
        wireq(&["types", "packet"]).stdout
    );
    assert!(
        wireq(&["help", "explain"])
            .results()
            .contains("wireq explain")
    );
    assert!(wireq(&["help", "formts"]).refusal(2).contains("`formats`"));
}
