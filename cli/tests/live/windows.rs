//! Windows and bounds over sources that have no end.

use crate::FIVE;
use crate::namespace::{Listener, Namespace};
use std::process::Command;
use std::time::{Duration, Instant};

/// An idle link ends a window too.
#[test]
fn windows_end_on_an_idle_link() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let query = "print count() every 500ms late 100ms";
    let mut listener = Listener::start(&namespace, &["-i", "eth0", query]);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    let sent = Instant::now();
    let mut sum = 0;
    while sum < 5 {
        sum += listener.line().parse::<u64>().expect("a count");
    }
    let took = sent.elapsed();
    println!("windows of 500 ms, 100 ms late: there after {took:?}");
    assert!(took < Duration::from_millis(1000), "{took:?}");
    assert_eq!((sum, listener.end(5).stdout.as_str()), (5, ""));
}

/// So it does an interval of `last -t` and a tick of `clock`: neither waits for another packet.
#[test]
fn intervals_and_ticks_end_on_an_idle_link() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    for (query, lines) in [
        ("where srcip | last -t 500ms srcip | print srcip", 2),
        ("clock -t 500ms ts | print count() group by clock", 1),
    ] {
        let mut listener = Listener::start(&namespace, &["-i", "eth0", query]);
        namespace.send("peer0", FIVE, &["--topspeed"]);
        let sent = Instant::now();
        for _ in 0..lines {
            assert_ne!(listener.line(), "");
        }
        let took = sent.elapsed();
        println!("{query}: there after {took:?}");
        assert!(took < Duration::from_millis(1000), "{query}: {took:?}");
        listener.end(4);
    }
}

fn refusal(query: &str, flags: &[&str]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wireq"));
    // That there is no such interface is known only once the query is right.
    let arguments = [flags, &["-i", "nosuch0", query]].concat();
    let output = command.args(arguments).output().expect("the binary runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(2) => Some(message),
        Some(5) => None,
        other => panic!("{query}: {other:?} {message}"),
    }
}

/// What would keep more and more is refused, with the clause that bounds it.
#[test]
fn what_grows_without_a_bound_is_refused() {
    for query in [
        "uniq srcip",
        "last srcip",
        "sort len",
        "top srcip",
        "count() group by srcip",
        "distinct(srcip)",
        "delta len group by srcip",
        "clock ts | count() group by srcip",
        "print a.len from (where len) a, b where a.srcip = b.dstip",
    ] {
        let message = refusal(query, &[]).unwrap_or_else(|| panic!("{query} is not refused"));
        assert!(message.contains("error[Q063]"), "{query}: {message}");
        assert!(message.contains("help"), "{message}");
        assert_eq!(refusal(query, &["--allow-unbounded"]), None, "{query}");
    }
    for query in [
        "count()",
        "sum(len) max(len)",
        "head 5",
        "tail 5",
        "uniq srcip every 1h",
        "top srcip every 1m",
        "last -t 10s srcip",
        "count() group by srcip every 10s",
        "count() group by srcip every 10s of 1m",
        "distinct(srcip) every 1m",
        "clock ts | count() group by clock, srcip",
        "last -t 1m srcip | count() group by srcip",
        "flow | print srcip bytes",
    ] {
        assert_eq!(refusal(query, &[]), None, "{query}");
    }
}
