//! Exit statuses.

use crate::run::{read, scratch, wireq};

#[test]
fn zero_where_all_went_well() {
    assert_eq!(wireq(&["count()", "five.pcap"]).results(), "5\n");
    assert!(wireq(&["--help"]).results().contains("Exit status"));
    let version = wireq(&["--version"]).results();
    assert_eq!(version, format!("wireq {}\n", env!("CARGO_PKG_VERSION")));
    for help in ["explain", "modules", "types"] {
        assert!(!wireq(&[help, "--help"]).results().is_empty());
    }
}

#[test]
fn two_where_query_or_arguments_are_wrong() {
    for arguments in [
        &["print srcpi", "five.pcap"][..],
        &["explain", "print srcpi", "five.pcap"],
        &["--frobnicate", "count()", "five.pcap"],
        &["count()", "five.pcap", "--stats=xml"],
        &["count()", "five.pcap", "--no-rewrite=nothing"],
        &["count()", "five.pcap", "--out", "1"],
        &["count()", "five.pcap", "--out", "1="],
        &["count()", "five.pcap", "--out", "=x"],
        &["count()", "five.pcap", "--out", "2=x"],
        &["count()", "five.pcap", "--out", "0=x"],
        &["count()", "five.pcap", "--out", "web=x"],
        &["modules", "pritn"],
        &["types", "packte"],
        &[],
    ] {
        wireq(arguments).refusal(2);
    }
    // Captures and query in the wrong order.
    let message = wireq(&["five.pcap", "count()"]).refusal(2);
    assert!(message.contains("`wireq QUERY five.pcap`"), "{message}");
    assert!(wireq(&["modules", "pritn"]).refusal(2).contains("`print`"));
    assert!(wireq(&["types", "packte"]).refusal(2).contains("`packet`"));
}

#[test]
fn three_at_damage_with_strict() {
    for (capture, offset) in [("cut.pcap", "401"), ("bad-length.pcap", "114")] {
        let message = wireq(&["--strict", "count()", capture]).refusal(3);
        assert!(
            message.contains(capture) && message.contains(offset),
            "{message}"
        );
        assert_eq!(wireq(&["count()", capture]).status, 0);
    }
    assert_eq!(
        wireq(&["--strict", "count()", "five.pcap"]).results(),
        "5\n"
    );
}

#[test]
fn four_where_an_input_could_not_be_used() {
    let outcome = wireq(&["count()", "missing.pcap", "five.pcap", "-q"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (4, "5\n"));
    assert!(
        outcome.stderr.contains("missing.pcap"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn five_where_the_system_fails() {
    for (arguments, path) in [
        (
            &["count()", "five.pcap", "--out", "1=/nonexistent/x"][..],
            "/nonexistent/x",
        ),
        (&["print -f /nonexistent/y", "five.pcap"], "/nonexistent/y"),
        (&["-f", "/nonexistent/z", "five.pcap"], "/nonexistent/z"),
        (
            &["count()", "five.pcap", "--out", "1=/dev/full"],
            "/dev/full",
        ),
    ] {
        let message = wireq(arguments).refusal(5);
        assert!(message.contains(path), "{message}");
    }
}

#[test]
fn nothing_is_written_where_the_query_is_wrong() {
    let file = scratch("wrong-query").join("kept");
    std::fs::write(&file, "kept").expect("it can be written");
    let out = format!("1={}", file.display());
    wireq(&["print srcpi", "five.pcap", "--out", &out]).refusal(2);
    let print = format!("print -f {} srcpi", file.display());
    wireq(&[&print, "five.pcap"]).refusal(2);
    assert_eq!(read(&file), "kept");
}
