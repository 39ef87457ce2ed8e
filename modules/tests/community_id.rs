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
    captures: usize,
    /// Captures that one of the programs does not read.
    unread: Vec<String>,
    by_crate: usize,
    by_tshark: usize,
    /// Packets with addresses that have no ID in the others either, or are later fragments.
    without: usize,
    /// Packets of which tshark has another ID, and the crate that of ours.
    of_others: usize,
    /// Packets without addresses here, of which tshark has an ID.
    unlinked: usize,
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

/// The ID that the crate has of a row: addresses, ports and the protocol. It says itself where it cannot
/// do without ports, but takes what is missing of ICMP's for 0.
fn of_crate(row: &[&str]) -> Option<String> {
    let end = |at: usize| row.get(at)?.parse::<IpAddr>().ok();
    let protocol: u8 = row.get(4)?.parse().ok()?;
    let (from, to) = ports(row, protocol);
    if matches!(protocol, 1 | 58) && from.or(to).is_none() {
        return None;
    }
    community_id::calculate_community_id(0, end(2)?, end(3)?, from, to, protocol, false).ok()
}

/// What tshark has of a packet.
struct Theirs {
    id: String,
    /// Whether there is one IP header and no fragment: tshark takes the innermost.
    is_plain: bool,
    is_later_fragment: bool,
}

/// What tshark has of each packet, by its number.
fn of_tshark(path: &str) -> Option<HashMap<String, Theirs>> {
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
    command.args(["-e", "ipv6.fraghdr.offset"]);
    let output = tshark_output(&mut command, path)?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let rows = text.lines();
    let rows = rows.map(|line| line.split('\t').map(str::to_owned).collect());
    let packets = packets(rows.collect(), 0).into_iter().enumerate();
    let theirs = packets.map(|(number, row)| {
        let cell = |at: usize| row.get(at).map_or("", String::as_str);
        let is_whole = matches!(cell(3), "" | "0" | "False") && matches!(cell(4), "" | "0");
        let is_later = |offsets: &str| offsets.split(',').any(|offset| !matches!(offset, "" | "0"));
        let theirs = Theirs {
            id: cell(1).to_owned(),
            is_plain: !cell(2).contains(',')
                && is_whole
                && cell(5).is_empty()
                && cell(6).is_empty(),
            is_later_fragment: is_later(cell(4)) || is_later(cell(7)),
        };
        ((number + 1).to_string(), theirs)
    });
    Some(theirs.collect())
}

fn compare(capture: &Indexed, account: &mut Account) {
    let path = capture.path.to_string_lossy().into_owned();
    let query = "print frame.number community_id srcip dstip ipprotocol.number srcport dstport \
                 icmptype icmpcode icmp6type icmp6code sctp.srcport sctp.dstport";
    let Ok((text, _)) = run_query(query, &path, &Options::default()) else {
        account.unread.push(path);
        return;
    };
    let theirs = of_tshark(&path).unwrap_or_else(|| {
        account.unread.push(format!("{path}, by tshark"));
        HashMap::new()
    });
    account.captures += 1;
    for line in String::from_utf8_lossy(&text).lines() {
        let row: Vec<&str> = line.split('\t').collect();
        let ours = row.get(1).copied().unwrap_or("");
        let theirs = theirs.get(row[0]).filter(|theirs| !theirs.id.is_empty());
        let by_crate = of_crate(&row);
        account.by_crate += usize::from(by_crate.is_some());
        let by_tshark = theirs.filter(|theirs| theirs.is_plain);
        account.by_tshark += usize::from(by_tshark.is_some());
        let by_tshark = by_tshark.map(|theirs| theirs.id.clone());
        let (by_crate_too, by_tshark_alone) = (by_crate.clone(), by_tshark.clone());
        let others: Vec<String> = [by_crate, by_tshark].into_iter().flatten().collect();
        let has_addresses = row.get(2).is_some_and(|cell| !cell.is_empty());
        if by_tshark_alone.is_some_and(|id| id != ours) && by_crate_too.is_some_and(|id| id == ours)
        {
            // Of addresses at the end of a source route, or of what is within a tunnel of its own.
            account.of_others += 1;
            continue;
        }
        if ours.is_empty() && !has_addresses && !others.is_empty() {
            // Behind a link that is not read here.
            account.unlinked += 1;
            continue;
        }
        let differ = others.iter().filter(|other| *other != ours);
        let differ = differ.map(|other| format!("{path} {line}: not {other}"));
        account.differences.extend(differ);
        if !ours.is_empty() || !others.is_empty() {
            continue;
        }
        if theirs.is_some_and(|theirs| !theirs.is_later_fragment) {
            let difference = format!("{path} {line}: none, in tshark one");
            account.differences.push(difference);
        } else {
            account.without += usize::from(has_addresses);
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
        account.captures += part.captures;
        account.unread.extend(part.unread);
        account.by_crate += part.by_crate;
        account.by_tshark += part.by_tshark;
        account.without += part.without;
        account.of_others += part.of_others;
        account.unlinked += part.unlinked;
        account.differences.extend(part.differences);
    }
    let (by_crate, by_tshark) = (account.by_crate, account.by_tshark);
    let without = account.without;
    println!(
        "{by_crate} IDs are those of the crate, {by_tshark} those of tshark; {without} packets have none in either, or are later fragments"
    );
    let (of_others, unlinked) = (account.of_others, account.unlinked);
    println!(
        "{of_others} are those of the crate and not of tshark, which has others; {unlinked} packets have no addresses here"
    );
    // Few: a fault of our own shows in many.
    assert!(of_others <= by_tshark / 500 && unlinked <= by_tshark / 500);
    let unread = &account.unread;
    assert!(unread.len() <= account.captures.div_ceil(100), "{unread:?}");
    assert!(by_crate > 100 && by_tshark > 100 && without < by_crate / 10);
    assert!(
        account.differences.is_empty(),
        "{} differ:\n{}",
        account.differences.len(),
        account.differences[..account.differences.len().min(40)].join("\n")
    );
}
