//! The Community ID of packets beside that of a crate and of tshark, over the shared captures.

mod support;

use std::collections::HashMap;
use std::net::IpAddr;
use std::process::Command;
use support::{
    Indexed, Random, in_parallel, packets, run_query, shared, shared_captures, tshark_output,
};
use wireq_engine::schedule::Options;

#[derive(Default)]
struct Account {
    by_crate: usize,
    by_tshark: usize,
    /// Packets of protocols with ports in which there are none, as in later fragments.
    without_ports: usize,
    differences: Vec<String>,
}

/// The ports of a row, or ICMP's type and code.
fn ports(row: &[&str], protocol: u8) -> (Option<u16>, Option<u16>) {
    let (from, to) = match protocol {
        1 => (7, 8),
        58 => (9, 10),
        132 => (11, 12),
        _ => (5, 6),
    };
    let port = |at: usize| row.get(at).and_then(|text| text.parse::<u16>().ok());
    (port(from), port(to))
}

/// Whether a row is of a protocol with ports, and has none.
fn lacks_ports(row: &[&str]) -> bool {
    let protocol = row.get(4).and_then(|number| number.parse().ok());
    let protocol = protocol.filter(|number| [1, 6, 17, 58, 132].contains(number));
    protocol.is_some_and(|protocol| !matches!(ports(row, protocol), (Some(_), Some(_))))
}

/// The ID that the crate has of a row: addresses, ports and the protocol.
fn of_crate(row: &[&str]) -> Option<String> {
    let end = |at: usize| row.get(at)?.parse::<IpAddr>().ok();
    let protocol: u8 = row.get(4)?.parse().ok()?;
    let (from, to) = ports(row, protocol);
    community_id::calculate_community_id(0, end(2)?, end(3)?, from, to, protocol, false).ok()
}

/// The IDs that tshark has of the packets with one IP header and no fragments: it takes the innermost.
fn of_tshark(path: &str) -> Option<HashMap<String, String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", path, "--enable-protocol", "communityid"]);
    command.args(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]);
    command.args([
        "-T",
        "fields",
        "-e",
        "frame.encap_type",
        "-e",
        "communityid",
    ]);
    command.args([
        "-e",
        "ip.version",
        "-e",
        "ip.flags.mf",
        "-e",
        "ip.frag_offset",
    ]);
    command.args(["-e", "ipv6.fraghdr.nxt", "-e", "_ws.malformed"]);
    let output = tshark_output(&mut command, path)?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let rows = text.lines();
    let rows = rows.map(|line| line.split('\t').map(str::to_owned).collect());
    let plain = packets(rows.collect(), 0).into_iter().enumerate();
    let ids = plain.filter_map(|(number, row)| {
        let cell = |at: usize| row.get(at).map_or("", String::as_str);
        let is_whole = matches!(cell(3), "" | "0" | "False") && matches!(cell(4), "" | "0");
        let is_plain =
            !cell(2).contains(',') && is_whole && cell(5).is_empty() && cell(6).is_empty();
        let id = is_plain.then(|| cell(1).to_owned());
        Some(((number + 1).to_string(), id.filter(|id| !id.is_empty())?))
    });
    Some(ids.collect())
}

fn compare(capture: &Indexed, account: &mut Account) {
    let path = capture.path.to_string_lossy().into_owned();
    let query = "print frame.number community_id srcip dstip ipprotocol.number srcport dstport \
                 icmptype icmpcode icmp6type icmp6code sctp.srcport sctp.dstport";
    let Ok((text, _)) = run_query(query, &path, &Options::default()) else {
        return;
    };
    let theirs = of_tshark(&path).unwrap_or_default();
    for line in String::from_utf8_lossy(&text).lines() {
        let row: Vec<&str> = line.split('\t').collect();
        let ours = row.get(1).copied().unwrap_or("");
        if ours.is_empty() && lacks_ports(&row) {
            account.without_ports += 1;
            continue;
        }
        let by_crate = of_crate(&row);
        account.by_crate += usize::from(by_crate.is_some());
        let by_tshark = theirs.get(row[0]);
        account.by_tshark += usize::from(by_tshark.is_some());
        for theirs in [&by_crate, &by_tshark.cloned()].into_iter().flatten() {
            if theirs != ours {
                let difference = format!("{path} {line}: not {theirs}");
                account.differences.push(difference);
            }
        }
    }
}

#[test]
fn community_ids_are_those_of_others() {
    let Some(folder) = shared() else {
        return;
    };
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut random = Random(3);
    let mut captures = shared_captures(&folder);
    captures.retain(|_| all || random.below(40) == 0);
    let mut account = Account::default();
    for part in in_parallel(&captures, compare) {
        account.by_crate += part.by_crate;
        account.by_tshark += part.by_tshark;
        account.without_ports += part.without_ports;
        account.differences.extend(part.differences);
    }
    let (by_crate, by_tshark) = (account.by_crate, account.by_tshark);
    let without = account.without_ports;
    println!(
        "{by_crate} IDs are those of the crate, {by_tshark} those of tshark; {without} packets lack ports"
    );
    assert!(by_crate > 100 && by_tshark > 100 && without < by_crate / 10);
    assert!(
        account.differences.is_empty(),
        "{} differ:\n{}",
        account.differences.len(),
        account.differences[..account.differences.len().min(40)].join("\n")
    );
}
