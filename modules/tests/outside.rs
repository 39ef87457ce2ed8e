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

/// Flows beside tshark's conversations: as many, between the same ends, with the same packets and
/// bytes each way. Timeouts are off, so that what divides flows is what divides conversations: ends,
/// and a SYN with another sequence number.
#[test]
fn flows_are_the_conversations_of_tshark() {
    let (mut captures, mut flows, mut left_out) = (0, 0, 0);
    let mut differences = Vec::new();
    for capture in sample(1) {
        let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
        let path = capture.path.to_string_lossy();
        if capture.packets < if all { 20 } else { 400 } || path.ends_with(SPLIT_HANDSHAKE) {
            continue;
        }
        let Some(mut theirs) = conversations(&tshark(&path)) else {
            left_out += 1;
            continue;
        };
        let mut ours = flow_records(&path);
        theirs.sort_unstable();
        ours.sort_unstable();
        captures += 1;
        flows += ours.len();
        if ours != theirs {
            ours.retain(|flow| {
                theirs
                    .iter()
                    .position(|other| other == flow)
                    .map(|at| theirs.remove(at))
                    .is_none()
            });
            differences.push(format!("{path}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    println!(
        "{flows} flows of {captures} captures compared with tshark, {left_out} captures left out"
    );
    assert!(captures >= 12 || shared().is_none());
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Both sides send a SYN: one connection (RFC 9293, figure 7), of which tshark makes two.
const SPLIT_HANDSHAKE: &str = "13f12f30b74673be.pcap";

/// What passed between two ends, which are in order: packets and bytes each way.
type Conversation = (bool, [(String, String); 2], [u64; 4]);

fn conversation(
    is_tcp: bool,
    ends: [(String, String); 2],
    [packets, back, bytes, bytes_back]: [u64; 4],
) -> Conversation {
    let [from, to] = ends;
    if from <= to {
        (is_tcp, [from, to], [packets, back, bytes, bytes_back])
    } else {
        (is_tcp, [to, from], [back, packets, bytes_back, bytes])
    }
}

fn flow_records(path: &str) -> Vec<Conversation> {
    let (text, _) = run_query(
        "flow -i 1000000h -a 1000000h -l 1000000h | where srcport | print ipprotocol.number srcip \
         srcport dstip dstport packets packetsback bytes bytesback",
        path,
        &Options::default(),
    )
    .expect("the capture is read");
    let text = String::from_utf8_lossy(&text).into_owned();
    let record = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let end = |at: usize| (cells[at].to_owned(), cells[at + 1].to_owned());
        let count = |at: usize| cells[at].parse().expect("a count");
        let counts = [count(5), count(6), count(7), count(8)];
        conversation(cells[0] == "6", [end(1), end(3)], counts)
    };
    text.lines().map(record).collect()
}

/// The conversations of TCP and UDP among tshark's rows; none where some packets with ports are not
/// those that today's decoder is meant to see alike.
fn conversations(rows: &[Vec<String>]) -> Option<Vec<Conversation>> {
    let mut found: Vec<Conversation> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for row in rows {
        let cell = |at: usize| row.get(at).map_or("", String::as_str);
        if cell(17).is_empty() && cell(18).is_empty() {
            // Ports that tshark does not show, or shows of what is quoted or in a tunnel.
            let has_ports = |protocol: &str| matches!(protocol, "6" | "17");
            if cell(6).contains(',') || has_ports(cell(6)) || has_ports(cell(10)) {
                return None;
            }
            continue;
        }
        // tshark divides UDP further, where one of its dissectors expects an answer elsewhere.
        let stream = cell(17);
        let row = comparable(row)?;
        let end = |at: usize, port: usize| (row[at].to_owned(), row[port].to_owned());
        let length = row[1].parse().ok()?;
        let one = conversation(row[6] == "6", [end(3, 7), end(4, 8)], [1, 0, length, 0]);
        let at = *index
            .entry((one.0, one.1.clone(), stream))
            .or_insert_with(|| {
                found.push((one.0, one.1.clone(), [0; 4]));
                found.len() - 1
            });
        let counts = &mut found[at].2;
        counts
            .iter_mut()
            .zip(one.2)
            .for_each(|(sum, count)| *sum += count);
    }
    Some(found)
}

const FIELDS: [&str; 19] = [
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
    "tcp.stream",
    "udp.stream",
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
