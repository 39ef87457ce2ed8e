//! What was sent is what was seen and what was dropped.

use crate::namespace::{Listener, Namespace, wireq};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The numbers of what is said of an interface: packets, bytes, dropped by the kernel, the interface
/// and the reader.
fn counts(stderr: &str) -> [u64; 5] {
    let line = stderr
        .lines()
        .rfind(|line| line.starts_with("wireq: eth0: "));
    let line = line.expect("it says what came").split_once("eth0: ");
    let numbers = line.map_or("", |(_, numbers)| numbers);
    let numbers = numbers.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
    numbers.try_into().expect("five numbers")
}

/// A capture of about so many bytes: `office.pcap` over and over.
fn large(namespace: &Namespace, bytes: usize) -> (String, u64) {
    let office = fs::read(crate::captures().join("office.pcap")).expect("it ships");
    let (header, packets) = office.split_at(24);
    let times = bytes.div_ceil(packets.len());
    let path = namespace.folder().join("large.pcap").display().to_string();
    fs::write(&path, [header, &packets.repeat(times)].concat()).expect("there is room");
    (path, 421 * times as u64)
}

/// How many bytes are sent: 100 MB where everything is tested.
fn bytes() -> usize {
    let asked = std::env::var("WIREQ_LIVE_BYTES").ok();
    asked
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(5_000_000)
}

/// At three speeds. Where nothing is dropped, what is printed is what the capture gives.
#[test]
fn sent_is_seen_and_dropped() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let (capture, sent) = large(&namespace, bytes());
    let query = "print srcip dstip srcport dstport ipprotocol caplen";
    let offline = wireq(&[query, &capture]);
    for speed in ["--mbps=80", "--mbps=400", "--topspeed"] {
        let file = namespace.folder().join("results").display().to_string();
        let out = format!("1={file}");
        let listener = Listener::start(&namespace, &["-i", "eth0", "--out", &out, "-e", query]);
        let sender = namespace.start_sending("peer0", &capture, &["--preload-pcap", speed]);
        let said = sender.wait();
        let outcome = listener.settle();
        let [seen, _, kernel, _, overload] = counts(&outcome.stderr);
        println!(
            "{speed}: sent {sent}, seen {seen}, dropped {kernel} by the kernel and {overload} by wireq"
        );
        assert_eq!(
            seen + kernel + overload,
            sent,
            "{speed}: {said}{}",
            outcome.stderr
        );
        let results = fs::read_to_string(&file).expect("there are results");
        if kernel + overload == 0 {
            assert!(results == offline, "{speed}: the results are others");
        }
        assert_eq!(outcome.status, 0);
    }
}

/// A query that is too slow loses whole batches, which are counted; nothing waits without a bound.
#[test]
fn an_overloaded_reader_drops_and_counts() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let (capture, sent) = large(&namespace, 20_000_000);
    // Nobody reads what is printed: the run stands still while packets come.
    let query = "pcaplive -i eth0 --buffer 4M | print srcip dstip srcport dstport len";
    let listener = Listener::start(&namespace, &["--stats=json", query]);
    let said = namespace
        .start_sending("peer0", &capture, &["--preload-pcap", "--mbps=400"])
        .wait();
    listener.signal("INT");
    let outcome = listener.outcome();
    let [seen, _, kernel, _, overload] = counts(&outcome.stderr);
    println!("sent {sent}, seen {seen}, dropped {kernel} by the kernel and {overload} by wireq");
    assert_eq!(seen + kernel + overload, sent, "{said}{}", outcome.stderr);
    assert!(overload > 0, "{}", outcome.stderr);
    assert_eq!(outcome.stdout.lines().count() as u64, seen);
    let account = format!("\"in\":{},\"passed\":{seen},", seen + overload);
    assert!(outcome.stderr.contains(&account), "{}", outcome.stderr);
    let dropped = format!("\"dropped\":{overload},");
    assert!(outcome.stderr.contains(&dropped), "{}", outcome.stderr);
}

/// Flows that are ever new, under a limit of memory: what the run takes stays the same.
#[test]
fn memory_stays_flat() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let asked = std::env::var("WIREQ_LIVE_SOAK").ok();
    let seconds: u64 = asked.and_then(|seconds| seconds.parse().ok()).unwrap_or(8);
    let arguments = [
        "-i",
        "eth0",
        "--memory-limit",
        "64M",
        "-e",
        "print srcip dstip count() sum(len) group by srcip, dstip every 1s late 100ms",
        "-e",
        "print srcip distinct(dstport) group by srcip every 1s of 3s late 100ms",
        "-e",
        "uniq srcip dstip every 1s late 100ms | count() every 1s late 100ms",
    ];
    let out = namespace.folder().join("results").display().to_string();
    let outs = ["1", "2", "3"].map(|number| format!("{number}={out}.{number}"));
    let outs = outs.iter().flat_map(|out| ["--out", out.as_str()]);
    let arguments: Vec<&str> = outs.chain(arguments).collect();
    let mut listener = Listener::start(&namespace, &arguments);
    // Each time round the addresses are others.
    let how = [
        "--unique-ip",
        "--loop=100000000",
        "--pps=20000",
        "--preload-pcap",
    ];
    let duration = format!("--duration={seconds}");
    let sender =
        namespace.start_sending("peer0", "office.pcap", &[&how[..], &[&duration]].concat());
    let begun = Instant::now();
    let mut resident = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds.saturating_sub(1)) {
        thread::sleep(Duration::from_millis(500));
        resident.push(kilobytes(&listener));
    }
    sender.wait();
    listener.wait_for(1);
    let outcome = listener.settle();
    let [seen, _, kernel, _, overload] = counts(&outcome.stderr);
    println!("seen {seen}, dropped {kernel} and {overload}; resident, in KiB: {resident:?}");
    assert!(seen > 10_000 * seconds, "{}", outcome.stderr);
    // The first windows fill what is used again later.
    let (first, second) = resident[2..].split_at((resident.len() - 2) / 2);
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    assert!(most(second) <= most(first) + 16 * 1024, "{resident:?}");
}

/// What a run has in memory.
fn kilobytes(listener: &Listener) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", listener.id()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the kernel says so")
}
