//! Flow records: hostile bytes never panic and are accounted for, and other programs see the same.
//!
//! `make test` runs a seeded sample of changes; `make check-all` more.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Kept, Random, nfdump, number, own_captures, run_alone as query, shared};
use wireq_engine::Report;
use wireq_engine::schedule::{Options, run};
use wireq_query_lang::{Text, compile};
use wireq_typesys::Zone;

/// What a run gave before it ended, and why it ended where that is an error.
fn ended(text: &str, rows_max: usize, strict: bool) -> (String, Result<Report, String>) {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: text.into(),
    }];
    let language = wireq_query_lang::Options::new(&zone);
    let plan = compile(&texts, &wireq_modules::registry(), &language)
        .unwrap_or_else(|_| panic!("{text} compiles"));
    let options = Options {
        rows_max,
        strict,
        ..Options::default()
    };
    let mut output = Kept::default();
    let report = run(plan, &options, &mut output).map_err(|error| error.to_string());
    (String::from_utf8_lossy(&output.0).into_owned(), report)
}

/// The first number that a query prints.
fn count(text: &str) -> u64 {
    query(text).0.trim().parse().unwrap_or(0)
}

/// Bytes used and skipped of all inputs.
fn covered(report: &Report) -> u64 {
    let nodes = report.accounts.iter().filter(|node| node.is_source);
    let inputs = nodes.filter_map(|node| node.input.as_ref());
    inputs
        .flat_map(|input| &input.inputs)
        .map(|input| input.bytes_used + input.bytes_skipped())
        .sum()
}

/// A file of its own for a test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("wireq-netflow-{name}-{}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.0, bytes).expect("the temporary folder takes files");
    }

    fn path(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn own(name: &str) -> PathBuf {
    let captures = own_captures();
    let folder = captures[0].parent().expect("captures are in a folder");
    folder.join(name)
}

/// The files of our own that hold flows, and what reads them.
const OWN: [(&str, &str); 6] = [
    ("netflow --options", "flows.ipfix"),
    ("netflow --options", "flows.netflow5"),
    ("nfcapd", "flows.nfcapd"),
    ("nfcapd", "flows-1.6.nfcapd"),
    ("cflow", "flows.cflow"),
    ("pcapfile", "netflow-odd.pcap"),
];

/// Prints every field of every record of some bytes; each byte is used or skipped.
fn survives(reader: &str, bytes: &[u8], scratch: &Scratch, what: &str) {
    scratch.write(bytes);
    let stages = match reader {
        "pcapfile" => format!("pcapfile {} | netflow --options", scratch.path()),
        reader => format!("{reader} {}", scratch.path()),
    };
    let (_, report) = query(&format!("{stages} | print"));
    assert_eq!(
        covered(&report),
        bytes.len() as u64,
        "{what}: bytes used and skipped"
    );
    for node in &report.accounts {
        assert!(
            node.account.adds_up(),
            "{what}: {}: {:?}",
            node.name,
            node.account
        );
    }
}

#[test]
fn cut_files_are_read_to_the_cut() {
    let scratch = Scratch::new("cut");
    let mut runs = 0;
    for (reader, name) in OWN {
        let bytes = std::fs::read(own(name)).expect("our files are there");
        let mut random = Random(3);
        for cut in 0..bytes.len() {
            if cut < 30 || random.below(5) == 0 {
                survives(
                    reader,
                    &bytes[..cut],
                    &scratch,
                    &format!("{name} cut at {cut}"),
                );
                runs += 1;
            }
        }
    }
    println!("{runs} cut files");
    assert!(runs > 500);
}

/// One change: a byte, a number that lies, a stretch lost or repeated.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let lie = [0u16, 1, 255, 256, 0x7fff, 0xffff][random.below(6)];
    match random.below(6) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        2 | 3 => {
            let lie = if random.below(2) == 0 {
                lie.to_be_bytes()
            } else {
                lie.to_le_bytes()
            };
            if let Some(word) = bytes.get_mut(at..at + 2) {
                word.copy_from_slice(&lie);
            }
        }
        4 => {
            let end = (at + random.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => {
            let end = (at + random.below(64)).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

#[test]
fn mutated_files_are_read() {
    let scratch = Scratch::new("mutated");
    let mut runs = 0;
    for (reader, name) in OWN {
        let original = std::fs::read(own(name)).expect("our files are there");
        for seed in 0..number("WIREQ_MUTATIONS", 60) {
            let mut random = Random(seed as u64);
            let mut bytes = original.clone();
            for _ in 0..1 + random.below(8) {
                mutate(&mut bytes, &mut random);
            }
            survives(
                reader,
                &bytes,
                &scratch,
                &format!("{name} mutated with seed {seed}"),
            );
            runs += 1;
        }
    }
    println!("{runs} mutated files");
}

/// A message of IPFIX.
fn ipfix(domain: u32, sets: &[u8]) -> Vec<u8> {
    let mut message = Vec::from([0, 10]);
    message.extend((16 + sets.len() as u16).to_be_bytes());
    message.extend([0; 8]);
    message.extend(domain.to_be_bytes());
    message.extend(sets);
    message
}

fn set(number: u16, content: &[u8]) -> Vec<u8> {
    let mut set = Vec::from(number.to_be_bytes());
    set.extend((4 + content.len() as u16).to_be_bytes());
    set.extend(content);
    set
}

/// Far more exporters, templates and data without template than are kept: memory stays within
/// bounds, and so does time.
#[test]
fn floods_stay_within_bounds() {
    let scratch = Scratch::new("flood");
    let mut bytes = Vec::new();
    // Templates of 16,000 fields in ever new domains, each with data of another template.
    let mut template = Vec::from(256u16.to_be_bytes());
    template.extend(16_000u16.to_be_bytes());
    (0..16_000u16).for_each(|field| {
        template.extend((field % 500 + 1).to_be_bytes());
        template.extend(1u16.to_be_bytes());
    });
    for domain in 0..200 {
        bytes.extend(ipfix(domain, &set(2, &template)));
        bytes.extend(ipfix(domain, &set(999, &[7; 60_000])));
    }
    for domain in 0..20_000 {
        bytes.extend(ipfix(domain, &set(300, &[1; 8])));
    }
    scratch.write(&bytes);
    let begin = std::time::Instant::now();
    let (_, report) = query(&format!("netflow {} | count()", scratch.path()));
    assert_eq!(covered(&report), bytes.len() as u64);
    let faults: BTreeMap<String, u64> = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref())
        .flat_map(|input| input.inputs[0].faults.clone())
        .collect();
    assert_eq!(
        faults.get("sets of data without their template"),
        Some(&20_200)
    );
    assert!(
        faults["exporters forgotten, beyond the limit"] > 15_000,
        "{faults:?}"
    );
    println!("{} bytes of floods in {:?}", bytes.len(), begin.elapsed());
    assert!(begin.elapsed().as_secs() < 60);
}

/// A template whose records have one byte each makes many records of a message, and all are there.
#[test]
fn many_records_of_one_message() {
    let scratch = Scratch::new("many");
    let template = set(2, &[1, 0, 0, 1, 0, 4, 0, 1]);
    let data = set(256, &[6; 60_000]);
    scratch.write(&ipfix(1, &[template, data].concat()));
    let path = scratch.path();
    assert_eq!(
        count(&format!(
            "netflow {path} | where ipprotocol = tcp | count()"
        )),
        60_000
    );
}

/// A file of layout 1, which has these blocks and no compression.
fn nfcapd_1(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0x0c, 0xa5, 1, 0];
    file.resize(276, 0);
    for block in blocks {
        file.extend(1u32.to_le_bytes());
        file.extend((block.len() as u32).to_le_bytes());
        file.extend([2, 0, 0, 0]);
        file.extend(block);
    }
    file
}

/// More layouts than are kept at a time, each of a flow that is too short for its own: reading ends.
#[test]
fn flows_too_short_for_their_layouts_do_not_fill_a_part() {
    let scratch = Scratch::new("short");
    let flow = |flags: u16| {
        let [low, high] = flags.to_le_bytes();
        vec![10, 0, 8, 0, low, high, 0, 0]
    };
    let mut whole = flow(0);
    whole[2] = 60;
    whole.resize(60, 0);
    let mut blocks = vec![vec![2, 0, 8, 0, 0, 0, 0, 0]];
    blocks[0].extend(flow(0));
    blocks.extend((1..600).map(flow));
    blocks.push(whole);
    let bytes = nfcapd_1(&blocks);
    scratch.write(&bytes);
    let (text, report) = query(&format!("nfcapd {} | count()", scratch.path()));
    assert_eq!(text, "1\n");
    assert_eq!(covered(&report), bytes.len() as u64);
    let node = report.accounts.iter().find_map(|node| node.input.as_ref());
    let skipped = &node.expect("it has an input").inputs[0].skipped;
    assert_eq!((skipped[0].count, skipped[0].bytes), (600, 600 * 8));
}

/// A flow of layout 1 from this port, without extensions.
fn flow_1(port: u16) -> Vec<u8> {
    let mut flow = vec![10, 0, 48, 0, 0, 0, 0, 0];
    flow.resize(48, 0);
    flow[24..26].copy_from_slice(&port.to_le_bytes());
    flow
}

/// Damage behind records: with --strict these come first, whatever the size of batches, and then the
/// error; without it the rest is skipped and counted.
#[test]
fn damage_ends_strict_runs_behind_what_was_read() {
    let map = vec![2, 0, 8, 0, 0, 0, 0, 0];
    let mut block = map.clone();
    (1..=5).for_each(|port| block.extend(flow_1(port)));
    let mut damaged = block.clone();
    // A record that is shorter than its header.
    damaged.extend([10, 0, 2, 0, 9, 9, 9, 9]);
    let plain = nfcapd_1(&[damaged.clone(), [map, flow_1(6)].concat()]);
    let mut packed = nfcapd_1(&[lz4_flex::block::compress(&damaged)]);
    packed[4] = 0x10;
    let export: Vec<u8> = (0..3).flat_map(|n| netflow_5(n * 30)).collect();
    let junk = [export.clone(), b"this is no message of anybody".to_vec()].concat();
    let cut = export[..export.len() - 20].to_vec();
    let of_flows = ["1", "2", "3", "4", "5"]
        .map(|port| format!("{port}\n"))
        .concat();
    let zeros = |count: usize| "0\n".repeat(count);
    for (reader, bytes, before, behind, reason, skips) in [
        (
            "nfcapd",
            plain,
            of_flows.clone(),
            "6\n",
            "a record is damaged",
            true,
        ),
        ("nfcapd", packed, of_flows, "", "a record is damaged", true),
        (
            "netflow",
            junk,
            zeros(90),
            "",
            "no message of an exporter",
            true,
        ),
        ("netflow", cut, zeros(89), "", "shorter than it says", false),
    ] {
        let scratch = Scratch::new("strict");
        scratch.write(&bytes);
        let text = format!("{reader} {} | print srcport", scratch.path());
        for rows_max in [1, 3, 2048] {
            let (rows, error) = ended(&text, rows_max, true);
            let error = error.expect_err("damage is an error");
            assert!(error.contains(reason), "{error}");
            assert_eq!(rows, before, "{reader}: {reason}, {rows_max}");
            let (rows, report) = ended(&text, rows_max, false);
            let report = report.expect("damage is skipped");
            assert_eq!(rows, format!("{before}{behind}"), "{reader}: {rows_max}");
            assert_eq!(covered(&report), bytes.len() as u64);
            let inputs = report.accounts.iter().find_map(|node| node.input.as_ref());
            let input = &inputs.expect("it has an input").inputs[0];
            assert_eq!((!input.skipped.is_empty(), &input.unusable), (skips, &None));
        }
    }
}

/// A file that is no export cannot be used, which is more than a part of it that is skipped.
#[test]
fn what_is_no_export_is_unusable() {
    let scratch = Scratch::new("other");
    scratch.write(b"something else");
    let (_, report) = query(&format!("netflow {} | count()", scratch.path()));
    let inputs = report.accounts.iter().find_map(|node| node.input.as_ref());
    let unusable = inputs.expect("it has an input").inputs[0].unusable.clone();
    assert_eq!(unusable.as_deref(), Some("it is no message of an exporter"));
    assert_eq!(covered(&report), 14);
}

/// Bytes that are many templates of one set, at each of which something of all others was looked at:
/// zeros behind it, and templates to be withdrawn.
#[test]
fn sets_of_many_templates_take_time_by_their_length() {
    let scratch = Scratch::new("templates");
    let mut bytes = Vec::new();
    // Templates of 1 field for all numbers, in sets that fit.
    let numbers: Vec<u16> = (256..=u16::MAX).collect();
    for numbers in numbers.chunks(8000) {
        let template = |number: &u16| {
            let number = number.to_be_bytes();
            [number[0], number[1], 0, 1, 0, 4, 0, 1]
        };
        let templates: Vec<u8> = numbers.iter().flat_map(template).collect();
        bytes.extend(ipfix(1, &set(2, &templates)));
    }
    // One of options, and all of options withdrawn, again and again.
    let again: [u8; 18] = [1, 0, 0, 1, 0, 1, 0, 4, 0, 1, 0, 3, 0, 0, 0, 3, 0, 0];
    for _ in 0..20 {
        bytes.extend(ipfix(1, &set(3, &again.repeat(3600))));
    }
    let mut zeros = vec![0; 65_000];
    zeros.extend([9, 9, 9, 9]);
    for _ in 0..20 {
        bytes.extend(ipfix(2, &set(2, &zeros)));
    }
    scratch.write(&bytes);
    let begin = std::time::Instant::now();
    let (_, report) = query(&format!("netflow {} | count()", scratch.path()));
    assert_eq!(covered(&report), bytes.len() as u64);
    println!(
        "{} bytes of templates in {:?}",
        bytes.len(),
        begin.elapsed()
    );
    assert!(begin.elapsed().as_secs() < 20);
}

/// The shared flows, or none: which is said.
fn flows() -> Option<PathBuf> {
    let folder = shared()?.join("data/flows");
    folder.exists().then_some(folder)
}

fn nfcapd_files(folder: &Path) -> Vec<String> {
    ["nfcapd_v5", "nfcapd_v9", "nfcapd_v10"]
        .iter()
        .flat_map(|name| {
            std::fs::read_dir(folder.join("made-here").join(name))
                .into_iter()
                .flatten()
        })
        .flatten()
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect()
}

/// What nfdump prints of each record, and the fields that are the same.
const FORMAT: &str = "fmt:%trr|%sa|%da|%sp|%dp|%pr|%pkt|%byt|%opkt|%obyt|%in|%out|%sas|%das|%smk|%dmk|%tos|%dtos|%dir|%nh|%nhb|%ra";
const FIELDS: &str = "srcip dstip srcport dstport ipprotocol packets bytes postPacketDeltaCount \
                      postOctetDeltaCount input output srcAS dstAS src_mask dst_mask tos \
                      postIpClassOfService direction nexthop bgpnexthop router";

/// What nfdump prints as we do: ports of ICMP are type and code, directions are letters.
fn as_ours(at: usize, cell: &str) -> String {
    match (at, cell, cell.split_once('.')) {
        (2 | 3, _, Some((kind, code))) => {
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            (number(kind) * 256 + number(code)).to_string()
        }
        (17, "I", _) => "0".to_owned(),
        (17, "E", _) => "1".to_owned(),
        _ => cell.to_owned(),
    }
}

/// Every record of every file, field by field. Rule: what a record has no extension for nfdump shows
/// as zero, and we as absent.
#[test]
fn records_are_those_of_nfdump() {
    let Some(folder) = flows() else { return };
    let mut cells = 0;
    for file in nfcapd_files(&folder) {
        let Some(theirs) = nfdump(&["-q", "-6", "-N", "-r", &file, "-o", FORMAT]) else {
            return;
        };
        let fields = FIELDS.replace("ipprotocol", "ipprotocol.number");
        let (ours, _) = query(&format!("nfcapd {file} | print -d '|' {fields}"));
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            (ours.lines().collect(), theirs.lines().collect());
        assert_eq!(ours.len(), theirs.len(), "{file}: records");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let mut ours: Vec<&str> = ours.split('|').collect();
            let theirs: Vec<&str> = theirs.split('|').skip(1).map(str::trim).collect();
            ours.resize(theirs.len(), "");
            for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                cells += 1;
                let theirs = as_ours(at, theirs);
                let is_zero = matches!(theirs.as_str(), "0" | "0.0.0.0" | "::");
                assert!(
                    *ours == theirs || ours.is_empty() && is_zero,
                    "{file}: field {at} is {ours:?}, nfdump says {theirs:?}"
                );
            }
        }
    }
    println!("{cells} cells are those of nfdump");
    assert!(cells > 1_000_000);
}

/// Filters in both languages.
const FILTERS: [(&str, &str); 10] = [
    ("any", "packets >= 0"),
    ("proto tcp", "ipprotocol = tcp"),
    (
        "proto udp and dst port 53",
        "ipprotocol = udp and dstport = 53",
    ),
    ("port 443", "srcport = 443 or dstport = 443"),
    ("src net 192.168.0.0/16", "srcip = 192.168.0.0/16"),
    ("not src net 10.0.0.0/8", "not srcip = 10.0.0.0/8"),
    ("packets > 100", "packets > 100"),
    ("bytes > 1M", "bytes > 1000000"),
    (
        "proto tcp and src port > 1023 and dst port < 1024",
        "ipprotocol = tcp and srcport > 1023 and dstport < 1024",
    ),
    ("ipv6 or proto icmp", "srcip = ::/0 or ipprotocol = icmp"),
];

/// An IPv6 address of which nfdump's statistics show the last 32 bits as if they were IPv4: that of
/// ::1 and the like.
fn as_v6(address: &str) -> String {
    let bits = address
        .parse()
        .map_or(0, |v4: std::net::Ipv4Addr| u32::from(v4));
    std::net::Ipv6Addr::from(u128::from(bits)).to_string()
}

/// Counts by ten filters, and the ten sources with most bytes, packets and flows. Where several have
/// as much as the tenth either may be shown: what is compared is what they have.
#[test]
fn filters_and_tops_are_those_of_nfdump() {
    let Some(folder) = flows() else { return };
    let mut compared = 0;
    for file in nfcapd_files(&folder) {
        for (theirs, ours) in FILTERS {
            let Some(listed) = nfdump(&["-q", "-r", &file, "-o", "fmt:%pr", theirs]) else {
                return;
            };
            let counted = count(&format!("nfcapd {file} | where {ours} | count()"));
            assert_eq!(counted, listed.lines().count() as u64, "{file}: {theirs}");
            for (order, sum) in [
                ("bytes", "sum(bytes)"),
                ("packets", "sum(packets)"),
                ("flows", "count()"),
            ] {
                let top = nfdump(&[
                    "-q",
                    "-N",
                    "-r",
                    &file,
                    "-n",
                    "10",
                    "-o",
                    "csv",
                    "-s",
                    &format!("srcip/{order}"),
                    theirs,
                ]);
                let theirs_top = tops(&top.unwrap_or_default(), order);
                let (text, _) = query(&format!(
                    "nfcapd {file} | where {ours} | print srcip {sum} as value group by srcip"
                ));
                let mut all: BTreeMap<&str, u64> = BTreeMap::new();
                for line in text.lines() {
                    let (key, value) = line.split_once('\t').unwrap_or((line, "0"));
                    all.insert(key, value.parse().unwrap_or(0));
                }
                let mut values: Vec<u64> = all.values().copied().collect();
                values.sort_unstable_by(|a, b| b.cmp(a));
                values.truncate(10);
                let their_values: Vec<u64> = theirs_top.iter().map(|(_, value)| *value).collect();
                assert_eq!(values, their_values, "{file}: {theirs}: top by {order}");
                for (address, value) in &theirs_top {
                    let found = all
                        .get(address.as_str())
                        .or_else(|| all.get(as_v6(address).as_str()));
                    assert_eq!(found, Some(value), "{file}: {theirs}: {address}");
                }
                compared += 1;
            }
        }
    }
    println!("{compared} top tens are those of nfdump");
}

/// Addresses and values of nfdump's statistics as CSV.
fn tops(csv: &str, order: &str) -> Vec<(String, u64)> {
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let column = |name: &str| head.iter().position(|known| *known == name);
    let value = match order {
        "bytes" => column("ibyt").or(column("byt")),
        "packets" => column("ipkt").or(column("pkt")),
        _ => column("fl"),
    };
    let (Some(address), Some(value)) = (column("val"), value) else {
        return Vec::new();
    };
    lines
        .map_while(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let address = (*cells.get(address)?).trim().to_owned();
            Some((address, cells.get(value)?.trim().parse().ok()?))
        })
        .collect()
}

/// The same flows in every compression that nfdump writes.
#[test]
fn every_compression_has_the_same_records() {
    let Some(folder) = flows() else { return };
    let Some(file) = nfcapd_files(&folder).into_iter().next() else {
        return;
    };
    let print = "print start end srcip dstip dstport bytes";
    let plain = query(&format!("nfcapd {file} | {print}")).0;
    for (flag, name) in [("-z", "lzo"), ("-y", "lz4"), ("-j", "bz2")] {
        let scratch = Scratch::new(name);
        let path = scratch.path();
        if nfdump(&["-r", &file, flag, "-w", &path]).is_none() {
            return;
        }
        assert!(
            query(&format!("nfcapd {path} | {print}")).0 == plain,
            "{name}"
        );
        let bytes = std::fs::read(&path).expect("nfdump wrote it");
        let mut random = Random(5);
        for seed in 0..number("WIREQ_MUTATIONS", 20) {
            let mut bytes = bytes.clone();
            mutate(&mut bytes, &mut random);
            scratch.write(&bytes);
            let (_, report) = query(&format!("nfcapd {path} | print srcip"));
            assert_eq!(
                covered(&report),
                bytes.len() as u64,
                "{name} mutated, {seed}"
            );
        }
    }
}

/// Every datagram of vendors' exporters: templates first, then data. All records are decoded, or
/// counted with a reason.
#[test]
fn datagrams_of_vendors() {
    let Some(folder) = flows() else { return };
    let folder = folder.join("logstash-plugins+logstash-codec-netflow/spec/codecs");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return;
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".dat"))
        .collect();
    names.sort();
    assert!(names.len() >= 92, "{} files", names.len());
    let (mut records, mut faults) = (0, BTreeMap::<String, u64>::new());
    for (vendor, files) in by_vendor(&names) {
        let paths: Vec<String> = files
            .iter()
            .map(|file| folder.join(file).to_string_lossy().into_owned())
            .collect();
        let total: u64 = paths
            .iter()
            .map(|path| std::fs::metadata(path).map_or(0, |m| m.len()))
            .sum();
        let (text, report) = query(&format!("netflow --options {} | print", paths.join(" ")));
        assert_eq!(covered(&report), total, "{vendor}: every byte");
        records += text.lines().count();
        for input in report
            .accounts
            .iter()
            .filter_map(|node| node.input.as_ref())
        {
            for input in &input.inputs {
                for (reason, count) in &input.faults {
                    if !reason.contains("sequence") {
                        println!("{vendor}: {reason}: {count}");
                        *faults.entry(reason.clone()).or_default() += count;
                    }
                }
                for skipped in &input.skipped {
                    println!("{vendor}: {skipped:?}");
                    *faults.entry(skipped.reason.clone()).or_default() += skipped.count;
                }
            }
        }
    }
    println!("{} files: {records} records; {faults:?}", names.len());
    assert!(records > 500, "{records}");
}

/// Files whose names begin alike belong together; templates are read before data.
fn by_vendor(names: &[String]) -> Vec<(String, Vec<String>)> {
    let mut vendors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let words: Vec<&str> = name.trim_end_matches(".dat").split('_').collect();
        let is_tail = |word: &&str| {
            ["tpl", "opttpl", "data", "dpi", "tpls", "option", "tplopt"]
                .iter()
                .any(|kind| word.starts_with(kind))
        };
        let head = words.iter().take_while(|word| !is_tail(word));
        let head: Vec<&str> = head.copied().collect();
        vendors
            .entry(head.join("_"))
            .or_default()
            .push(name.clone());
    }
    let mut all: Vec<(String, Vec<String>)> = vendors.into_iter().collect();
    for (_, files) in &mut all {
        files.sort_by_key(|file| (!file.contains("tpl"), file.clone()));
    }
    all
}

/// A message of NetFlow 5 with 30 flows.
fn netflow_5(sequence: u32) -> Vec<u8> {
    let mut message = vec![0; 24 + 30 * 48];
    message[1] = 5;
    message[3] = 30;
    message[16..20].copy_from_slice(&sequence.to_be_bytes());
    message
}

/// Records come in by UDP at a bounded rate: what came and what was lost by sequence is what was sent.
#[test]
fn a_collector_accounts_for_every_record() {
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = free.expect("there is a free port");
    let interrupt = Arc::new(AtomicBool::new(false));
    let options = Options {
        interrupt: Arc::clone(&interrupt),
        ..Options::default()
    };
    let collector = std::thread::spawn(move || {
        let zone = Zone::utc();
        let texts = [Text {
            name: "query".into(),
            text: format!("netflow -l {address} | count()"),
        }];
        let language = wireq_query_lang::Options::new(&zone);
        let registry = wireq_modules::registry();
        let plan = compile(&texts, &registry, &language).unwrap_or_else(|_| panic!("it compiles"));
        let mut output = Kept::default();
        let report = run(plan, &options, &mut output).expect("the port is free");
        (
            String::from_utf8_lossy(&output.0)
                .trim()
                .parse::<u64>()
                .unwrap_or(0),
            report,
        )
    });
    let sender = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    sender.connect(address).expect("the loopback is there");
    let messages = number("WIREQ_LIVE_RECORDS", 60_000).div_ceil(30) as u32;
    let mut sent = 0;
    for message in 0..messages {
        // Refused until somebody listens.
        while sender.send(&netflow_5(message * 30)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        if message == 0 {
            // What was sent before the refusal came back is sent again.
            std::thread::sleep(Duration::from_millis(200));
            while sender.send(&netflow_5(0)).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        sent += 30;
        if message % 20 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    std::thread::sleep(Duration::from_millis(1500));
    interrupt.store(true, Ordering::Relaxed);
    let (received, report) = collector.join().expect("the collector ends");
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let faults: Vec<(String, u64)> = inputs
        .flat_map(|input| input.inputs[0].faults.clone())
        .collect();
    let fault = |name: &str| {
        faults
            .iter()
            .find(|(reason, _)| reason == name)
            .map_or(0, |(_, n)| *n)
    };
    let lost = fault("records lost, by sequence");
    // The first message may have come twice: the second one is out of sequence.
    let again = 30 * fault("messages out of sequence").min(2);
    println!("{sent} sent, {received} received, {lost} lost, {again} twice");
    assert!(
        received + lost == sent + again || received + lost == sent,
        "{faults:?}"
    );
}

/// What would keep more and more is refused where messages have no end.
#[test]
fn a_collector_has_no_end() {
    let zone = Zone::utc();
    let refused = |source: &str| -> Vec<&str> {
        let texts = [Text {
            name: "query".into(),
            text: format!("{source} | uniq srcip"),
        }];
        let language = wireq_query_lang::Options::new(&zone);
        let plan = compile(&texts, &wireq_modules::registry(), &language);
        let faults = plan.err().unwrap_or_default();
        faults.iter().map(|fault| fault.diagnostic.code).collect()
    };
    assert!(refused("netflow flows.ipfix").is_empty());
    assert_eq!(refused("netflow -l 127.0.0.1:2055"), ["Q063"]);
}

/// Elements beside tshark's fields.
const ELEMENTS: [(&str, &str); 32] = [
    ("sourceIPv4Address", "cflow.srcaddr"),
    ("destinationIPv4Address", "cflow.dstaddr"),
    ("sourceIPv6Address", "cflow.srcaddrv6"),
    ("destinationIPv6Address", "cflow.dstaddrv6"),
    ("sourceTransportPort", "cflow.srcport"),
    ("destinationTransportPort", "cflow.dstport"),
    ("protocolIdentifier.number", "cflow.protocol"),
    ("ipClassOfService", "cflow.tos"),
    ("tcpControlBits", "cflow.tcpflags"),
    ("packetDeltaCount", "cflow.packets"),
    ("octetDeltaCount", "cflow.octets"),
    ("ingressInterface", "cflow.inputint"),
    ("egressInterface", "cflow.outputint"),
    ("bgpSourceAsNumber", "cflow.srcas"),
    ("bgpDestinationAsNumber", "cflow.dstas"),
    ("sourceIPv4PrefixLength", "cflow.srcmask"),
    ("destinationIPv4PrefixLength", "cflow.dstmask"),
    ("sourceIPv6PrefixLength", "cflow.srcmaskv6"),
    ("destinationIPv6PrefixLength", "cflow.dstmaskv6"),
    ("ipNextHopIPv4Address", "cflow.nexthop"),
    ("ipNextHopIPv6Address", "cflow.nexthopv6"),
    ("bgpNextHopIPv4Address", "cflow.bgpnexthop"),
    ("flowDirection", "cflow.direction"),
    ("minimumTTL", "cflow.ttl_min"),
    ("maximumTTL", "cflow.ttl_max"),
    ("sourceMacAddress", "cflow.srcmac"),
    ("destinationMacAddress", "cflow.dstmac"),
    ("flowStartSysUpTime", "cflow.timestart"),
    ("flowEndSysUpTime", "cflow.timeend"),
    ("ipVersion", "cflow.ip_version"),
    ("ingressVRFID", "cflow.ingress_vrfid"),
    ("egressVRFID", "cflow.egress_vrfid"),
];

/// The values of a field in the messages of one number.
type Cells = BTreeMap<(String, usize), Vec<String>>;

fn tshark(path: &str, more: &[String]) -> Option<String> {
    let mut command = Command::new("tshark");
    command.args([
        "-r",
        path,
        "-T",
        "fields",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ]);
    match command.args(more).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            println!("SKIPPED: tshark is not installed, so nothing is compared with it");
            None
        }
    }
}

/// A value as we print it: flags are hexadecimal there, times seconds.
fn as_number(cell: &str, field: &str) -> String {
    if let Some(digits) = cell.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).map_or(cell.to_owned(), |n| n.to_string());
    }
    match cell.split_once('.') {
        Some((seconds, fraction)) if field.starts_with("cflow.time") && fraction.len() >= 3 => {
            format!("{seconds}{}", &fraction[..3])
                .trim_start_matches('0')
                .to_owned()
        }
        _ => cell.to_owned(),
    }
}

fn theirs(path: &str) -> Option<Cells> {
    let field = |name: &str| ["-e".to_owned(), name.to_owned()];
    let ports = tshark(path, &field("udp.dstport"))?;
    let ports: std::collections::BTreeSet<&str> = ports
        .split([',', '\n'])
        .filter(|port| !matches!(*port, "" | "53" | "6343"))
        .collect();
    let decode = |port: &&str| ["-d".to_owned(), format!("udp.port=={port},cflow")];
    let mut more: Vec<String> = ports.iter().take(20).flat_map(decode).collect();
    more.extend(field("cflow.sequence"));
    ELEMENTS
        .iter()
        .for_each(|(_, name)| more.extend(field(name)));
    let mut cells = Cells::new();
    for line in tshark(path, &more)?.lines() {
        let mut columns = line.split('\t');
        let sequence = columns.next().unwrap_or("").to_owned();
        for (at, column) in columns.enumerate() {
            let name = ELEMENTS[at].1;
            let values = column.split(',').filter(|value| !value.is_empty());
            let values = values.map(|value| as_number(value, name));
            cells
                .entry((sequence.clone(), at))
                .or_default()
                .extend(values);
        }
    }
    Some(cells)
}

fn ours(path: &str) -> Cells {
    let fields: Vec<&str> = ELEMENTS.iter().map(|(name, _)| *name).collect();
    let (text, _) = query(&format!(
        "pcapfile {path} | netflow --options | where version < 100 | print --rows -d '|' sequence {}",
        fields.join(" ")
    ));
    let mut cells = Cells::new();
    for line in text.lines() {
        let mut columns = line.split('|');
        let sequence = columns.next().unwrap_or("").to_owned();
        for (at, column) in columns.enumerate().filter(|(_, column)| !column.is_empty()) {
            cells
                .entry((sequence.clone(), at))
                .or_default()
                .push(column.to_owned());
        }
    }
    cells
}

/// Whether the values of one list stand in another one in their order.
fn stands_in(part: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    part.iter().all(|value| all.any(|other| other == value))
}

/// Whether tshark shows more since elements stand twice in a record: both have the element, and ours
/// stand among theirs in their order.
fn is_twice(ours: &[String], theirs: &[String]) -> bool {
    !ours.is_empty() && ours.len() < theirs.len() && stands_in(ours, theirs)
}

/// Whether tshark stops within a message: it shows what it does of other elements of the message, and
/// what it shows of this one are the first values of ours. Where it shows nothing at all of a message
/// it has not come to the records.
fn is_stopped(ours: &[String], theirs: &[String], shows_records: bool) -> bool {
    theirs.len() < ours.len() && ours.starts_with(theirs) && (!theirs.is_empty() || !shows_records)
}

fn flow_captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            flow_captures(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "pcap")
        {
            found.push(path);
        }
    }
}

/// Every flow capture beside tshark, message by message and element by element. Rules, with counts: of
/// an element that stands twice in a record tshark shows both, we the first; tshark takes the count in
/// version 9's header for one of sets and stops there, and shows nothing of data before their
/// template. A sample of the captures, or all with `WIREQ_CAPTURES=all`.
#[test]
fn elements_are_those_of_tshark() {
    let Some(folder) = flows() else { return };
    let mut captures = Vec::new();
    flow_captures(&folder, &mut captures);
    captures.sort();
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let (mut cells, mut twice, mut stopped, mut differ) = (0, 0, 0, Vec::new());
    for path in &captures {
        let is_small = std::fs::metadata(path).is_ok_and(|data| data.len() < 50_000);
        if !all && !is_small {
            continue;
        }
        let path = path.to_string_lossy();
        let Some(theirs) = theirs(&path) else { return };
        let ours = ours(&path);
        let shown = theirs.iter().filter(|(_, values)| !values.is_empty());
        let shown: std::collections::BTreeSet<&String> =
            shown.map(|((message, _), _)| message).collect();
        let keys: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            let (none, name) = (Vec::new(), ELEMENTS[key.1].0);
            let (a, b) = (
                ours.get(key).unwrap_or(&none),
                theirs.get(key).unwrap_or(&none),
            );
            cells += a.len().max(b.len());
            if a == b {
            } else if is_twice(a, b) {
                twice += b.len() - a.len();
            } else if is_stopped(a, b, shown.contains(&key.0)) {
                stopped += a.len() - b.len();
            } else {
                differ.push(format!(
                    "{path}: {name} of message {}: {a:?}, tshark {b:?}",
                    key.0
                ));
            }
        }
    }
    println!(
        "{cells} cells; {twice} of elements that stand twice, {stopped} that tshark does not show, {} others",
        differ.len()
    );
    assert!(differ.len() * 1000 <= cells, "{}", differ.join("\n"));
    assert!(cells > 1000);
}

/// The payloads of the datagrams in a capture of our own.
fn payloads(name: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(own(name)).expect("our captures are there");
    let mut payloads = Vec::new();
    let mut at = 24;
    while let Some(header) = bytes.get(at..at + 16) {
        let len = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let frame = &bytes[at + 16..at + 16 + len];
        payloads.push(frame.get(42..).unwrap_or(&[]).to_vec());
        at += 16 + len;
    }
    payloads
}

/// A state that is saved and loaded goes on as if nothing had been, wherever it is cut: templates, what
/// waits for them, sequences and counts.
#[test]
fn a_state_goes_on_where_it_was_saved() {
    use std::sync::Arc;
    use wireq_engine::operator::operator_spec;
    use wireq_engine::schedule::output::Output;
    use wireq_engine::snapshot::{Reader, Writer};
    use wireq_engine::{Context, Operator, View};
    use wireq_typesys::{
        Column, ColumnDef, FieldPath, Kind, Part, PartData, Position, Positions, Recipe, Shape,
        Slot, Value,
    };
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: "pcapfile none.pcap | netflow".into(),
    }];
    let language = wireq_query_lang::Options::new(&zone);
    let plan = compile(&texts, &wireq_modules::registry(), &language)
        .unwrap_or_else(|_| panic!("it compiles"));
    let node = plan.order()[1];
    let spec = operator_spec(&plan.graph[node].kind).expect("the second node is an operator");
    let kinds = [Kind::Bytes, Kind::Address, Kind::Unsigned, Kind::Time];
    let context = Context {
        fields: Vec::new(),
        kinds: kinds.to_vec(),
        live: Vec::new(),
        carried: Vec::new(),
        shape: None,
        origin: 1,
        zone: Arc::new(Zone::utc()),
        seed: 1,
        matching: Default::default(),
    };
    let def = |kind: &Kind| ColumnDef {
        path: FieldPath::new(&kind.to_string()),
        kind: *kind,
        recipe: Recipe::Given,
    };
    let shape = Arc::new(Shape {
        record_type: None,
        base: kinds.iter().map(def).collect(),
        extra: Vec::new(),
        summary: Vec::new(),
    });
    let slots: Vec<Option<Slot>> = (0..4).map(|at| Some(Slot::Base(at))).collect();
    let feed = |operator: &mut Box<dyn Operator>, payloads: &[Vec<u8>]| {
        for payload in payloads {
            let router = "192.0.2.9".parse().expect("an address");
            let columns = [
                Value::Bytes(payload.as_slice().into()),
                Value::Address(router),
                Value::Integer(2055),
                Value::Time(7),
            ];
            let columns = columns.map(|value| Column::from_values([value]));
            let positions = Positions::Run(Position::START);
            let data = PartData::from_columns(Arc::clone(&shape), columns.into(), 1, positions, 0);
            let part = Part::new(Arc::new(data));
            let view = View {
                part: &part,
                slots: &slots,
            };
            let step = operator.step(0, &[view], &mut Output::default());
            step.expect("it takes any bytes");
        }
    };
    let saved = |operator: &dyn Operator| {
        let mut out = Writer::default();
        operator.save(&mut out);
        out.into_bytes()
    };
    for name in ["netflow.pcap", "netflow-odd.pcap", "sflow.pcap"] {
        let payloads = payloads(name);
        let mut whole = (spec.make)(&context);
        feed(&mut whole, &payloads);
        for cut in 0..=payloads.len() {
            let mut first = (spec.make)(&context);
            feed(&mut first, &payloads[..cut]);
            let bytes = saved(&*first);
            let mut second = (spec.make)(&context);
            second
                .load(&mut Reader::new(&bytes, &[]))
                .expect("what was saved is loaded");
            assert_eq!(saved(&*second), bytes, "{name} cut at {cut}");
            feed(&mut second, &payloads[cut..]);
            assert_eq!(saved(&*second), saved(&*whole), "{name} cut at {cut}");
            for end in 0..bytes.len() {
                let mut other = (spec.make)(&context);
                // Cut bytes are refused or load a part, and never panic.
                let _ = other.load(&mut Reader::new(&bytes[..end], &[]));
            }
        }
    }
}
