//! Interfaces: what is sent on one end of a pair comes out of queries on the other.
//!
//! Each test makes a network namespace of its own, with pairs of virtual interfaces in it, and
//! touches no other network. Where that may not be done, tests say so and show nothing.

mod follow;
mod namespace;
mod prefilter;
mod sandbox;
mod signals;
mod sums;
mod windows;

use namespace::{Listener, Namespace, captures, wireq};
use std::time::{SystemTime, UNIX_EPOCH};

const FIVE: &str = "five.pcap";

#[test]
fn packets_come_out_as_they_were_sent() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    // What was cut off is not sent.
    let query = "print srcip dstip srcport dstport ipprotocol caplen";
    let listener = Listener::start(&namespace, &["-i", "eth0", query]);
    namespace.send("peer0", "office.pcap", &["--topspeed"]);
    let outcome = listener.end(421);
    assert!(outcome.stdout == wireq(&[query, "office.pcap"]));
    assert_eq!(outcome.status, 0);
    assert!(
        outcome.stderr.ends_with(
            "wireq: eth0: 421 packets, 43703 bytes; dropped 0 by the kernel, \
             0 by the interface, 0 by wireq\n"
        ),
        "{}",
        outcome.stderr
    );
}

/// The examples that `wireq modules pcaplive` shows.
#[test]
fn the_examples_are_true() {
    let Some(namespace) = Namespace::new(2) else {
        return;
    };
    let registry = wireq_modules::registry();
    let module = registry.module("pcaplive").expect("it is there");
    assert_eq!(module.examples.len(), 3);
    for example in module.examples {
        let listener = Listener::start(&namespace, &[example.query]);
        namespace.send("peer0", FIVE, &["--topspeed"]);
        let expected = if example.query.contains("udp port 53") {
            1
        } else {
            5
        };
        let outcome = listener.end(expected);
        assert_eq!(outcome.stdout, example.output, "{}", example.query);
    }
}

/// What a recording of the same packets gives is the same, times included.
#[test]
fn a_recording_gives_the_same() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let file = namespace.folder().join("seen.pcap");
    let path = file.display().to_string();
    let query = "print ts srcip len count() group by srcip, len";
    for batch in ["1", "3", "2048"] {
        let record = format!("pcapwrite -f {path}");
        let arguments = [
            "--allow-unbounded",
            "-i",
            "eth0",
            "--batch",
            batch,
            "-e",
            &record,
            "-e",
            query,
            "-e",
            "print ts srcip len",
        ];
        let listener = Listener::start(&namespace, &arguments);
        namespace.send("peer0", "office.pcap", &["--topspeed"]);
        let outcome = listener.end(421);
        let offline = wireq(&["-e", query, "-e", "print ts srcip len", &path]);
        assert!(outcome.stdout == offline, "batches of {batch}");
    }
}

/// On a slow link results are there within a tenth of a second.
#[test]
fn results_do_not_wait_for_more() {
    let Some(namespace) = Namespace::new(2) else {
        return;
    };
    for source in ["-i eth0", "--immediate -i eth0", "-i eth1 -i eth0"] {
        let query = format!("pcaplive {source} | print ts.double len");
        let mut listener = Listener::start(&namespace, &[&query]);
        // Five packets, 70 ms from one to the next: what waits for the next one is late.
        let sender = namespace.start_sending("peer0", FIVE, &["--pps=14"]);
        for _ in 0..5 {
            let line = listener.line();
            let ts = line
                .split('\t')
                .next()
                .and_then(|ts| ts.parse::<f64>().ok());
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let late = now.expect("it is later").as_secs_f64() - ts.expect("a time");
            println!("{source}: {:.1} ms", late * 1000.0);
            assert!((0.0..0.1).contains(&late), "{source}: {late} s");
        }
        sender.wait();
        listener.end(5);
    }
}

/// Packets of two interfaces come in the order of their time, each once.
#[test]
fn interfaces_are_merged_by_time() {
    let Some(namespace) = Namespace::new(2) else {
        return;
    };
    let query = "pcaplive -i eth0 -i eth1 | print ts len";
    let listener = Listener::start(&namespace, &["--stats=json", query]);
    let first = namespace.start_sending("peer0", "office.pcap", &["--pps=1000"]);
    let second = namespace.start_sending("peer1", "office.pcap", &["--pps=1000"]);
    first.wait();
    second.wait();
    let outcome = listener.end(842);
    let times: Vec<&str> = outcome.stdout.lines().collect();
    let times: Vec<&str> = times
        .iter()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(times.len(), 842);
    assert!(times.is_sorted(), "{}", outcome.stdout);
    for interface in ["eth0", "eth1"] {
        let counts = format!("{{\"name\":\"{interface}\",\"records\":421,\"bytes_used\":43703,");
        assert!(outcome.stderr.contains(&counts), "{}", outcome.stderr);
    }
}

/// Several live sources are read by turns: neither waits for the end of the other.
#[test]
fn sources_are_read_by_turns() {
    let Some(namespace) = Namespace::new(2) else {
        return;
    };
    let queries = [
        "-e",
        "a: pcaplive -i eth0 | count()",
        "-e",
        "b: pcaplive -i eth1 udp | print dstport",
    ];
    let mut listener = Listener::start(&namespace, &queries);
    namespace.send("peer1", FIVE, &["--topspeed"]);
    assert_eq!(listener.line(), "53");
    namespace.send("peer0", FIVE, &["--topspeed"]);
    assert_eq!(listener.end(6).stdout, "5\n");
}

#[test]
fn interfaces_are_listed() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let list = namespace.wireq(&["interfaces"]);
    let names: Vec<&str> = list
        .stdout
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    for name in ["eth0", "peer0", "lo", "any"] {
        assert!(names.contains(&name), "{list:?}");
    }
    let refused = namespace.wireq(&["-i", "eth7", "count()"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (5, ""));
    assert_eq!(
        refused.stderr,
        "wireq: pcaplive: cannot listen on eth7: No such device exists\n"
    );
}

/// An interface that goes away ends what is read of it; results so far are given.
#[test]
fn an_interface_may_go_away() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let mut listener = Listener::start(&namespace, &["-i", "eth0", "count()"]);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    listener.wait_for(5);
    namespace.run("ip", &["link", "del", "eth0"]);
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("5\n", 4));
    assert!(captures().join(FIVE).exists());
}
