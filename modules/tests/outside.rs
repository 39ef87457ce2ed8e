//! Outside tests: shared captures, and other programs' word on them.

mod support;

use std::process::Command;
use support::{Random, run_query, shared, shared_pcaps};
use wireq_engine::schedule::Options;

/// The shared captures: a sample, or all with `WIREQ_CAPTURES=all`.
fn sample(one_in: usize) -> Vec<support::Indexed> {
    let Some(folder) = shared() else {
        return Vec::new();
    };
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut random = Random(7);
    shared_pcaps(&folder)
        .into_iter()
        .filter(|_| all || random.below(one_in) == 0)
        .collect()
}

#[test]
fn as_many_packets_as_the_index_says() {
    let mut compared = 0;
    for capture in sample(5) {
        let path = capture.path.to_string_lossy();
        let (text, _) =
            run_query("count()", &path, &Options::default()).expect("the capture is read");
        let count = String::from_utf8_lossy(&text)
            .trim()
            .parse()
            .unwrap_or(0u64);
        assert_eq!(
            count, capture.packets,
            "{path} ({} {})",
            capture.format, capture.state
        );
        compared += 1;
    }
    println!("{compared} captures counted");
}

/// Addresses, ports, protocol and length of every packet, beside tshark's. Packets for which tshark
/// shows several values of a field (tunnels, quoted packets) or that have IPv6 extension headers,
/// fragments or a link type other than Ethernet are for later decoders and left out, with a count,
/// as are those of which tshark shows no ports.
#[test]
fn fields_are_those_of_tshark() {
    let (mut compared, mut left_out, mut differences) = (0, 0, Vec::new());
    for capture in sample(25) {
        let path = capture.path.to_string_lossy();
        let (text, _) = run_query(
            "print frame.number len ip.version srcip dstip ttl ipprotocol.number srcport dstport",
            &path,
            &Options::default(),
        )
        .expect("the capture is read");
        let theirs = tshark(&path);
        for (ours, theirs) in String::from_utf8_lossy(&text).lines().zip(&theirs) {
            let Some(theirs) = comparable(theirs) else {
                left_out += 1;
                continue;
            };
            let mut ours: Vec<&str> = ours.split('\t').collect();
            ours.resize(9, "");
            compared += 1;
            if ours != theirs {
                differences.push(format!("{path}\n  ours   {ours:?}\n  theirs {theirs:?}"));
            }
        }
    }
    println!("{compared} packets compared with tshark, {left_out} left out");
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

const FIELDS: [&str; 17] = [
    "frame.number",
    "frame.len",
    "ip.version",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "ip.proto",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.hlim",
    "ipv6.nxt",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "frame.protocols",
    "ip.frag_offset",
];

fn tshark(path: &str) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args([
        "-n",
        "-r",
        path,
        "-T",
        "fields",
        "-o",
        "ip.defragment:FALSE",
        "-o",
        "tcp.desegment_tcp_streams:FALSE",
    ]);
    FIELDS.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output = command
        .output()
        .expect("tshark runs: `make setup` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// tshark's row in our columns; none where today's decoder is not meant to agree.
fn comparable(row: &[String]) -> Option<Vec<&str>> {
    let cell = |at: usize| row.get(at).map_or("", String::as_str);
    let protocols = cell(15);
    let plain = [
        "eth:ethertype:ip:",
        "eth:ethertype:ipv6:",
        "eth:ethertype:vlan:ethertype:ip:",
    ];
    let is_plain = plain.iter().any(|prefix| {
        protocols.starts_with(&format!("{prefix}tcp"))
            || protocols.starts_with(&format!("{prefix}udp"))
    });
    let single = row.iter().all(|cell| !cell.contains(',')) && !protocols.contains("icmp");
    if !is_plain
        || !single
        || cell(16) != "0" && !cell(16).is_empty()
        || protocols.contains("malformed")
    {
        return None;
    }
    let either = |a: usize, b: usize| if cell(a).is_empty() { cell(b) } else { cell(a) };
    // tshark holds lengths in 31 bits.
    if cell(1) == "2147483647" {
        return None;
    }
    // Where tshark names the protocol and shows no ports it gave up on the lengths, as it does for
    // segments over 64 KiB whose length field is 0.
    if either(11, 13).is_empty() {
        return None;
    }
    let version = if cell(7).is_empty() { "4" } else { "6" };
    Some(vec![
        cell(0),
        cell(1),
        version,
        either(3, 7),
        either(4, 8),
        either(5, 9),
        either(6, 10),
        either(11, 13),
        either(12, 14),
    ])
}
