//! What the options do, accept and refuse.

use crate::run::{captures, command, read, scratch, wireq, wireq_on};
use std::fs;

#[test]
fn queries_keep_the_order_of_the_command_line() {
    let folder = scratch("order");
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path("a"), "head 1 | print srcip\nhead 1 | print dstip").expect("a query file");
    fs::write(path("b"), "head 1 | print ipprotocol").expect("a query file");
    let (a, b) = (path("a"), path("b"));
    let (len, ttl) = ("head 1 | print len", "head 1 | print ttl");
    let given = wireq(&["-e", len, "-f", &a, "-e", ttl, "-f", &b, "five.pcap"]);
    assert_eq!(given.results(), "74\n192.0.2.1\n198.51.100.10\n64\ntcp\n");
    let turned = wireq(&["-f", &b, "-e", ttl, "-f", &a, "-e", len, "five.pcap"]);
    assert_eq!(turned.results(), "tcp\n64\n192.0.2.1\n198.51.100.10\n74\n");
}

#[test]
fn queries_are_read_from_standard_input() {
    let query = b"# two\nhead 1 | print len\ncount()\n";
    let outcome = wireq_on(&["-f", "-", "-r", "five.pcap"], query);
    assert_eq!(outcome.results(), "74\n5\n");
    let message = wireq_on(&["-f", "-", "five.pcap"], b"\nprint srcpi").refusal(2);
    assert!(message.contains(" -:2:7\n"), "{message}");
}

#[test]
fn a_fault_names_the_file_of_the_query() {
    let file = scratch("fault-in-file").join("q");
    fs::write(&file, "count()\nprint srcpi\n").expect("a query file");
    let name = file.display().to_string();
    let message = wireq(&["-e", "count()", "-f", &name, "five.pcap"]).refusal(2);
    assert!(message.contains(&format!("{name}:2:7\n")), "{message}");
}

#[test]
fn captures_are_read_from_standard_input() {
    let capture = fs::read(captures().join("five.pcap")).expect("the capture");
    for arguments in [
        &["count()", "-"][..],
        &["count()", "-r", "-"],
        &["pcapfile - | count()"],
        &["pcapfile | count()"],
    ] {
        assert_eq!(
            wireq_on(arguments, &capture).results(),
            "5\n",
            "{arguments:?}"
        );
    }
    assert_eq!(
        wireq_on(&["count()", "five.pcap", "-"], &capture).results(),
        "10\n"
    );
}

#[test]
fn files_of_r_come_before_the_others() {
    let arguments = [
        "print ts.nsec | head 1",
        "five.pcap",
        "-r",
        "five-nano-be.pcap",
    ];
    assert_eq!(wireq(&arguments).results(), "1767225600123456789\n");
}

#[test]
fn quiet_leaves_out_the_account_of_damage() {
    for capture in ["cut.pcap", "bad-length.pcap"] {
        assert_ne!(wireq(&["count()", capture]).stderr, "");
        assert_eq!(wireq(&["-q", "count()", capture]).stderr, "");
        assert_eq!(wireq(&["count()", capture, "--quiet"]).stderr, "");
    }
}

#[test]
fn values_of_options_are_checked() {
    for good in [
        "--batch=1",
        "--batch=2048",
        "--batch=1000000000",
        "--batch=18446744073709551615",
        "--seed=0",
        "--seed=18446744073709551615",
        "--now=2026-01-01",
        "--now=2026-01-01T00:00:00Z",
        "--now=2026-01-01T00:00:00+02:00",
        "--now=0",
    ] {
        assert_eq!(
            wireq(&[good, "count()", "office.pcap"]).results(),
            "421\n",
            "{good}"
        );
    }
    for bad in [
        "--batch=0",
        "--batch=-1",
        "--batch=1.5",
        "--batch=x",
        "--batch=",
        "--seed=-1",
        "--seed=x",
        "--seed=18446744073709551616",
        "--now=soon",
        "--now=",
        "--now=2026-13-01",
    ] {
        wireq(&[bad, "count()", "office.pcap"]).refusal(2);
    }
}

#[test]
fn times_are_shown_in_the_zone() {
    let output = command(&["head 1 | print ts ts.date ts.hour", "five.pcap"])
        .env("TZ", "America/New_York")
        .output();
    let shown = String::from_utf8(output.expect("it runs").stdout);
    let expected = "2025-12-31T19:00:00.123456-05:00\t2025-12-31\t19\n";
    assert_eq!(shown.as_deref(), Ok(expected));
}

#[test]
fn print_writes_the_files_that_it_names() {
    let file = scratch("print-f").join("lens");
    fs::write(&file, "what was there before, and is replaced").expect("a file");
    let name = file.display();
    let query = format!("print -f {name} len | where len > 100 | print srcport");
    assert_eq!(wireq(&[&query, "five.pcap"]).results(), "40002\n");
    assert_eq!(read(&file), "74\n125\n60\n54\n76\n");

    let both = format!("print -f {name} len\nwhere vlan | print -f {name} vlan");
    assert_eq!(wireq(&[&both, "five.pcap"]).results(), "");
    assert_eq!(read(&file), "74\n125\n60\n7\n54\n76\n");
}

#[test]
fn explain_runs_nothing() {
    let outcome = wireq(&["explain", "pcapfile missing.pcap | count()"]);
    let plan = outcome.results();
    assert!(
        plan.starts_with("as written:\n") && plan.contains("\nas run:\n"),
        "{plan}"
    );
}

/// Captures that are named are read as flags of `pcapfile` say.
#[test]
fn captures_are_merged_or_followed() {
    let both = ["five.pcap", "five-nano-be.pcap"];
    let merged = wireq(&[&["--merge", "head 3 | print ts"][..], &both].concat()).results();
    let by_module = wireq(&["pcapfile --merge five.pcap five-nano-be.pcap | head 3 | print ts"]);
    assert_eq!(merged, by_module.results());
    let in_order = wireq(&[&["head 3 | print ts"][..], &both].concat());
    assert_ne!(merged, in_order.results());
    let plan = wireq(&["explain", "-F", "print len", "five.pcap"]).results();
    assert!(plan.contains("--follow"), "{plan}");
    for (flags, said) in [
        (["-F"], "--follow: no captures"),
        (["--merge"], "--merge: no captures"),
    ] {
        let message = wireq(&[&flags[..], &["count()"]].concat()).refusal(2);
        assert!(message.contains(said), "{message}");
    }
    // Nor with interfaces, or what a query names.
    for flag in ["-F", "--merge"] {
        for (arguments, said) in [
            (&["-i", "lo", "count()"][..], "no captures are named"),
            (&["-i", "lo", "count()", "five.pcap"], "-i and `five.pcap`"),
            (&["pcapfile five.pcap | count()"], "no captures are named"),
            (
                &["pcapfile five.pcap | count()", "five.pcap"],
                "files are given, and the query names a source",
            ),
        ] {
            let message = wireq(&[&[flag], arguments].concat()).refusal(2);
            assert!(message.contains(said), "{flag} {arguments:?}: {message}");
        }
    }
    let message = wireq(&["-F", "--merge", "count()", "five.pcap"]).refusal(2);
    assert!(message.contains("cannot be used with"), "{message}");
}

/// -w writes what a query gives, or all there is, in place of printing it.
#[test]
fn packets_are_written() {
    let folder = scratch("write");
    let path = |name: &str| folder.join(name).display().to_string();
    let (some, all) = (path("some.pcap"), path("all.pcapng.gz"));
    let wrote = wireq(&["-w", &some, "where dstport = 80", "five.pcap"]);
    assert_eq!(wrote.results(), "");
    assert_eq!(wireq(&["count()", &some]).results(), "2\n");
    assert_eq!(
        wireq(&["-n", "1", "-w", &some, "where true", "five.pcap"]).results(),
        ""
    );
    assert_eq!(wireq(&["count()", &some]).results(), "1\n");
    assert_eq!(
        wireq(&["-q", "-r", "mixed.pcapng", "-w", &all]).results(),
        ""
    );
    let fields = "print frame.interface_name frame.comment len";
    let read = wireq(&["-q", fields, "mixed.pcapng"]);
    assert_eq!(wireq(&["-q", fields, &all]).results(), read.results());
    assert!(
        fs::read(&all)
            .expect("it was written")
            .starts_with(b"\x1f\x8b")
    );

    for (queries, said) in [
        (vec!["print len"], "does something with its objects"),
        (vec!["count()", "-e", "where len > 3"], "several statements"),
    ] {
        let mut arguments = vec!["-w", some.as_str(), "-r", "five.pcap", "-e"];
        arguments.extend(queries);
        let message = wireq(&arguments).refusal(2);
        assert!(
            message.contains("error[Q064]") && message.contains(said),
            "{message}"
        );
    }
}

/// What interfaces need not bring is shown, for all that reads from them together.
#[test]
fn explain_shows_what_the_kernel_leaves_out() {
    let takes = |arguments: &[&str]| {
        let outcome = wireq(&[&["explain"], arguments].concat());
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let (_, run) = outcome.stdout.split_once("as run:").expect("both plans");
        let line = run.lines().find(|line| line.contains("#1 pcaplive"));
        let line = line.expect("the source").to_owned();
        line.split_once("[takes ")
            .map(|(_, takes)| takes.to_owned())
    };
    let live = ["-i", "nosuch0"];
    let of = |arguments: &[&str]| takes(&[&live[..], arguments].concat());
    let dns = of(&["where dstport = 53 | print srcip"]).expect("a filter");
    assert!(dns.contains("= 53") && dns.contains("not (ip)"), "{dns}");
    let both = of(&[
        "-e",
        "where dstport = 53 | print srcip",
        "-e",
        "where srcip = 10.0.0.0/8 | count()",
    ]);
    let both = both.expect("a filter");
    assert!(
        both.contains("= 53") && both.contains("ip[12:4] >= 167772160"),
        "{both}"
    );
    for nothing in [
        &["count()"][..],
        &["-e", "where dstport = 53 | count()", "-e", "print len"],
        &["where dstport = 53 | print frame.number"],
        &["where vlan = 5 | count()"],
        &["--no-rewrite", "prefilter", "where dstport = 53 | count()"],
    ] {
        assert_eq!(of(nothing), None, "{nothing:?}");
    }
    let short = "pcaplive -i nosuch0 -s 96 | where dstport = 53 | count()";
    assert_eq!(takes(&[short]), None);
    assert!(takes(&[&short.replace("96", "128")]).is_some());
}
