//! Values, languages, limits and times that are given beside the queries.

use crate::run::{command, scratch, wireq};
use std::fs;

#[test]
fn values_stand_where_their_names_do() {
    for (arguments, expected) in [
        (
            &["--arg", "port=80", "where dstport = $port | print len"][..],
            "125\n54\n",
        ),
        (&["--arg", "n=2", "print len | head $n"], "74\n125\n"),
        (
            &["--arg", "f=len", "--arg", "n=1", "head $n | print $f"],
            "74\n",
        ),
        (
            &["--arg", "net=192.0.2.2/31", "where srcip=$net | count()"],
            "2\n",
        ),
        (
            &["--arg", "p=udp", "where ipprotocol = $p | count()"],
            "1\n",
        ),
        (
            &[
                "--arg",
                "a=53",
                "--arg",
                "b=443",
                "where dstport in ($a, $b) | count()",
            ],
            "2\n",
        ),
        (&["--arg", "min=-1", "where len > $min | count()"], "5\n"),
        (
            &["--arg", "t=2026-01-01T00:00:03Z", "where ts > $t | count()"],
            "2\n",
        ),
        (&["--arg", "k=vlan", "count() group by $k"], "7\t1\n"),
        (
            &[
                "--arg",
                "x=5",
                "A(k) :- where dstport = $x or dstport = k; A(80) | count()",
            ],
            "2\n",
        ),
        (
            &["--arg", "x=a$x", "where vlan | const $x | print const"],
            "a$x\n",
        ),
    ] {
        let given = wireq(&[arguments, &["-r", "five.pcap"]].concat());
        assert_eq!(given.results(), expected, "{arguments:?}");
    }
}

/// Whatever a value looks like, it is that text and nothing else.
#[test]
fn values_are_never_syntax() {
    for value in [
        "",
        " ",
        "a b",
        "x | count()",
        "x'; print len; '",
        "\"",
        "a\" or len > 0 or \"",
        "-v",
        "--boulder",
        "$value",
        "srcip",
        "# x",
        "x -- y",
        "a, b",
        "f(x)",
        "a as b",
        "(",
        ")",
        "select",
        "A :- b",
        "é\n;\n",
    ] {
        let pair = format!("value={value}");
        // As an argument it is one word, and no flag; as a constant it is text.
        let query = "const -f c $value | where c = $value | head 1 | print -o jsonl c";
        let given = wireq(&["--arg", &pair, query, "five.pcap"]).results();
        let json = crate::json::Json::parse(&given);
        assert_eq!(json.get("c").text(), value);
        // It names no field, although there is one of that name.
        let given = wireq(&[
            "--arg",
            &pair,
            "where payload = $value and payload.length > 0 | count()",
            "office.pcap",
        ]);
        assert_eq!(given.results(), "", "{value}");
    }
}

#[test]
fn backslashes_in_constants_stay() {
    let query = r"const -f c 'C:\\new\\x41' | where c = $path | count()";
    let given = wireq(&["--arg", r"path=C:\new\x41", query, "five.pcap"]);
    assert_eq!(given.results(), "5\n");
}

#[test]
fn numbers_are_numbers_beside_any_field() {
    // `x` has no kind of its own where one branch makes it text.
    let query =
        "(head 1 | const -t unsigned -f x 10) + (head 1 | const -f x b) | where x > $n | count()";
    let given = wireq(&["--arg", "n=9", query, "five.pcap"]).results();
    let written = wireq(&[&query.replace("$n", "9"), "five.pcap"]).results();
    assert_eq!(given, written);
}

#[test]
fn names_without_a_value_and_values_without_a_name_are_faults() {
    for (arguments, told) in [
        (
            &["--arg", "port=80", "where dstport = $prot"][..],
            "did you mean `$port`?",
        ),
        (&["where dstport = $port"], "--arg port=VALUE"),
        (
            &["--arg", "port=80", "count()"],
            "no query uses the argument `port`",
        ),
        (
            &["--arg", "port=80", "where dstport = '$port'"],
            "cannot be read",
        ),
        (
            &["--arg", "c=len > 1", "filter $c"],
            "cannot stand for a condition",
        ),
        (
            &["--arg", "c=len > 1", "filter ($c)"],
            "cannot stand for a condition",
        ),
        (&["--arg", "m=count", "$m"], "expected a module"),
        (&["--arg", "port", "count()"], "NAME=VALUE"),
        (&["--arg", "1x=5", "count()"], "not a name"),
        (&["--arg", "a b=5", "count()"], "not a name"),
        (&["--arg", "=5", "count()"], "NAME=VALUE"),
        (&["--arg", "a=5", "--arg", "a=6", "head $a"], "two values"),
        (&["--arg", "n=x", "head $n"], "not a whole number"),
    ] {
        let message = wireq(&[arguments, &["-r", "five.pcap"]].concat()).refusal(2);
        assert!(message.contains(told), "{arguments:?}: {message}");
    }
}

#[test]
fn values_are_used_in_any_of_several_texts() {
    let file = scratch("values").join("q");
    fs::write(&file, "where dstport = $port | count()").expect("a query file");
    let file = file.display().to_string();
    let given = wireq(&[
        "--arg",
        "port=80",
        "-e",
        "count()",
        "-f",
        &file,
        "five.pcap",
    ]);
    assert_eq!(given.results(), "5\n2\n");
}

#[test]
fn languages_are_forced_and_refused() {
    let pipe = "where dstport = 80 | count()";
    let define = "Web :- where dstport = 80\nWeb | count()";
    for (language, query) in [
        ("auto", pipe),
        ("auto", define),
        ("pipe", pipe),
        ("datalog", pipe),
        ("datalog", define),
    ] {
        let given = wireq(&["--lang", language, query, "five.pcap"]);
        assert_eq!(given.results(), "2\n", "{language}: {query}");
    }
    for (language, query, told) in [
        ("pipe", define, "this is a definition, and only pipelines"),
        (
            "sql",
            pipe,
            "this is a pipeline, and only SELECT statements",
        ),
        ("datalog", "SELECT len", "this is a SELECT statement"),
        ("pipe", "(SELECT len)", "this is a SELECT statement"),
    ] {
        let message = wireq(&["--lang", language, query, "five.pcap"]).refusal(2);
        assert!(
            message.contains("Q062") && message.contains(told),
            "{message}"
        );
    }
    wireq(&["--lang", "cobol", pipe, "five.pcap"]).refusal(2);
}

#[test]
fn objects_are_of_the_time_asked_for() {
    let count = |arguments: &[&str]| {
        let all = [arguments, &["count()", "five.pcap"]].concat();
        wireq(&all).results().trim().parse::<u64>().unwrap_or(0)
    };
    let second = |at: u32| format!("2026-01-01T00:00:0{at}.123456Z");
    // Five packets, a second apart; the first moment is in, the second is not.
    assert_eq!(count(&["--from", &second(1)]), 4);
    assert_eq!(count(&["--to", &second(1)]), 1);
    assert_eq!(count(&["--from", &second(1), "--to", &second(3)]), 2);
    assert_eq!(count(&["--from", "2030-01-01"]), 0);
    assert_eq!(count(&["--to", "@1767225602"]), 2);
    // The source of the text as well as the files beside it, before anything else.
    for query in [
        "pcapfile five.pcap | head 1 | print frame.number",
        "(pcapfile five.pcap) + (pcapfile five-nano-be.pcap) | head 1 | print frame.number",
        "A :- pcapfile five.pcap\nA | head 1 | print frame.number",
        "print frame.number from head 1 from pcapfile five.pcap",
    ] {
        assert_eq!(wireq(&["--from", &second(2), query]).results(), "3\n");
    }
    for bad in [
        &["--from", "soon"][..],
        &["--to", ""],
        &["--from", "2026-01-02", "--to", "2026-01-01"],
        &["--from", "2026-01-01", "--to", "2026-01-01"],
    ] {
        wireq(&[bad, &["count()", "five.pcap"]].concat()).refusal(2);
    }
}

#[test]
fn times_are_universal_where_asked_for() {
    let show = |arguments: &[&str]| {
        let output = command(&[arguments, &["head 1 | print ts ts.hour", "five.pcap"]].concat())
            .env("TZ", "America/New_York")
            .output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    };
    let universal = "2026-01-01T00:00:00.123456+00:00\t0\n";
    let local = "2025-12-31T19:00:00.123456-05:00\t19\n";
    assert_eq!(show(&["--utc"]), universal);
    assert_eq!(show(&[]), local);
    // What is read is in the same zone.
    assert_eq!(show(&["--utc", "--from", "2026-01-01"]), universal);
    assert_eq!(show(&["--to", "2025-12-31 20:00"]), local);
    assert_eq!(show(&["--utc", "--to", "2025-12-31 20:00"]), "");
}

#[test]
fn limits_count_the_objects_of_each_statement() {
    for (limit, query, expected) in [
        ("0", "print len", ""),
        ("2", "print len", "74\n125\n"),
        ("9", "project len", "74\n125\n60\n54\n76\n"),
        (
            "1",
            "print len\nwhere vlan\ncount()",
            "74\n2026-01-01T00:00:02.123456+00:00\t\t\t\t\t\t60\n5\n",
        ),
        (
            "2",
            "print srcip count() group by srcip",
            "192.0.2.1\t2\n192.0.2.2\t2\n",
        ),
        ("1", "print srcip count() group by srcip", "192.0.2.1\t2\n"),
    ] {
        let given = wireq(&["-n", limit, query, "five.pcap"]).results();
        assert_eq!(given, expected, "{limit}: {query}");
    }
    wireq(&["-n", "-1", "count()", "five.pcap"]).refusal(2);
}
