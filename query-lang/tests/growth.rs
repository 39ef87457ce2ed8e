//! Definitions of definitions: limits on what they stand for, on how deep they go.

mod support;

use support::codes;

/// Definitions, each of which puts the one before into its body in place of `A`.
fn grown(first: &str, body: &str, times: usize) -> String {
    let mut text = format!("A0 :- {first}\n");
    for number in 1..=times {
        let body = body.replace('A', &format!("A{}", number - 1));
        text += &format!("A{number} :- {body}\n");
    }
    text
}

#[test]
fn definitions_grow_up_to_a_limit() {
    for (first, body, end) in [
        ("head 1", "A | A", "pcapfile x | A50"),
        ("pcapfile x", "A + A", "A50"),
        ("pcapfile x", "(A + A) | head 1", "print len from A50"),
        (
            "where len > 5",
            "where A() and A()",
            "pcapfile x | where A50()",
        ),
        ("where len > 5", "where A() or not A()", "pcapfile x | A50"),
        ("where len > 5", "A | A", "pcapfile x | where len or A50()"),
    ] {
        assert_eq!(
            codes(&(grown(first, body, 50) + end), &[]),
            ["Q043"],
            "{body}"
        );
        assert_eq!(codes(&grown(first, body, 50), &[]), [""; 0], "{body}");
    }
}

#[test]
fn definitions_within_definitions_have_a_limit() {
    for (first, body, end) in [
        ("head 1", "A | head 2", "pcapfile x | A9999"),
        ("pcapfile x", "A", "A9999"),
        (
            "where len > 5",
            "where not A()",
            "pcapfile x | where A9999()",
        ),
        ("sum(len)", "A()", "pcapfile x | print A9999()"),
    ] {
        let codes = codes(&(grown(first, body, 9_999) + end), &[]);
        assert!(
            !codes.is_empty() && codes.iter().all(|code| *code == "Q003"),
            "{codes:?}"
        );
    }
}

#[test]
fn what_is_within_the_limit_fits_into_the_stack_of_a_thread() {
    let nots = format!("where {}A(){}", "not (".repeat(12), ")".repeat(12));
    let brackets = format!("{}A{}", "(head 1 | ".repeat(12), ")".repeat(12));
    let deep = [
        grown("where len > 5", "where len or not A()", 60) + "pcapfile x | where A60()",
        grown("where len > 5", &nots, 20) + "pcapfile x | where len or A20()",
        grown("head 1", &brackets, 12) + "pcapfile x | A12",
        grown("head 1", "A | head 2", 125) + "pcapfile x | A125",
        grown("sum(len)", "A()", 120) + "pcapfile x | print A120()",
    ];
    let compile = move || {
        deep.iter()
            .for_each(|text| assert_eq!(codes(text, &[]), [""; 0], "{text}"))
    };
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(compile)
        .expect("a thread starts");
    thread.join().expect("it has room");
}
