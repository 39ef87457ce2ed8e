//! What may be asked of a run that lasts.

use crate::FIVE;
use crate::namespace::{BINARY, Listener, Namespace};
use std::fs;
use std::net::UdpSocket;
use std::process::Command;

/// SIGTERM ends a run as SIGINT does: what it has by then is given.
#[test]
fn sigterm_ends_with_what_there_is() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let mut listener = Listener::start(&namespace, &["-i", "eth0", "count() sum(len)"]);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    listener.wait_for(5);
    listener.signal("TERM");
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("5\t389\n", 0));
}

/// A collector of flows is a live source too: what the kernel has for it at the end is taken, and what
/// would keep more and more is refused.
#[test]
fn sigterm_ends_a_collector() {
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = free.expect("there is a free port").to_string();
    let collector = |query: &str| {
        let mut command = Command::new(BINARY);
        command.arg(format!("netflow -l {address} | {query}"));
        command
    };
    let listener = Listener::spawn(collector("count() sum(packets)"));
    let sender = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    let mut message = vec![0; 24 + 2 * 48];
    (message[1], message[3], message[24 + 19]) = (5, 2, 7);
    sender.send_to(&message, &address).expect("it is there");
    listener.signal("TERM");
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("2\t7\n", 0));

    let refused = collector("uniq srcip").output().expect("the binary runs");
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(message.contains("error[Q063]"), "{message}");
}

#[test]
fn sigusr1_shows_the_account_and_goes_on() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    // All packets are counted, those that the kernel could leave out too.
    let all = ["--no-rewrite", "prefilter", "-i", "eth0"];
    let arguments = [&all[..], &["where len > 60 | count()"]].concat();
    let mut listener = Listener::start(&namespace, &arguments);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    listener.wait_for(5);
    listener.signal("USR1");
    let line = listener.wait_for_message(" packets, ");
    assert!(
        line.starts_with("eth0: 5 packets, 389 bytes; dropped 0 by"),
        "{line}"
    );
    namespace.send("peer0", FIVE, &["--topspeed"]);
    assert_eq!(listener.end(10).stdout, "6\n");
}

/// Files that were moved away begin anew, each a whole of its format; others go on.
#[test]
fn sighup_begins_files_anew() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let path = |name: &str| namespace.folder().join(name).display().to_string();
    let (moved, kept) = (path("moved.json"), path("kept.csv"));
    let (capture, output) = (path("x.pcap"), path("y.pcap"));
    let (out, other) = (format!("j={moved}"), format!("c={kept}"));
    let third = format!("p={output}");
    let record = format!("pcapwrite -f {capture} | print len");
    let arguments = [
        "-i",
        "eth0",
        "--out",
        &out,
        "--out",
        &other,
        "--out",
        &third,
        "-e",
        "j: print -o json len",
        "-e",
        "c: print -o csv len",
        "-e",
        "p: pcapwrite",
        "-e",
        &record,
    ];
    let mut listener = Listener::start(&namespace, &arguments);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    listener.wait_for(5);
    for name in [&moved, &capture, &output] {
        fs::rename(name, format!("{name}.old")).expect("it is there");
    }
    listener.signal("HUP");
    // It is done before anything else is read.
    listener.wait_for(5);
    namespace.send("peer0", FIVE, &["--topspeed", "--limit=2"]);
    let outcome = listener.end(7);
    assert_eq!(outcome.stdout, "74\n125\n60\n54\n76\n74\n125\n");
    let read = |name: &str| fs::read_to_string(name).expect("it is there");
    let lens = |text: String| text.split_whitespace().collect::<String>();
    let old = "[{\"len\":74},{\"len\":125},{\"len\":60},{\"len\":54},{\"len\":76}]";
    assert_eq!(lens(read(&format!("{moved}.old"))), old);
    assert_eq!(lens(read(&moved)), "[{\"len\":74},{\"len\":125}]");
    assert_eq!(lens(read(&kept)), "len741256054767412".to_owned() + "5");
    for name in [&capture, &output] {
        let count = |name: &str| crate::wireq(&["count()", name]);
        assert_eq!(count(&format!("{name}.old")), "5\n");
        assert_eq!(count(name), "2\n");
    }
}
