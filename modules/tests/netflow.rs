//! Flow records: hostile bytes never panic and are accounted for, and other programs see the same.
//!
//! `make test` runs a seeded sample of changes; `make check-all` more.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Kept, Random, number, own_captures, shared};
use wireq_engine::Report;
use wireq_engine::schedule::{Options, run};
use wireq_query_lang::{Text, compile};
use wireq_typesys::Zone;

/// Runs a query that names its source.
fn query(text: &str) -> (String, Report) {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: text.into(),
    }];
    let language = wireq_query_lang::Options::new(&zone);
    let plan = compile(&texts, &wireq_modules::registry(), &language)
        .unwrap_or_else(|_| panic!("{text} compiles"));
    let mut output = Kept::default();
    let report = run(plan, &Options::default(), &mut output)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
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

/// The shared flows, or none: which is said.
fn flows() -> Option<PathBuf> {
    let folder = shared()?.join("data/flows");
    folder.exists().then_some(folder)
}

fn nfdump(arguments: &[&str]) -> Option<String> {
    match Command::new("nfdump")
        .env("TZ", "UTC")
        .args(arguments)
        .output()
    {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            println!("SKIPPED: nfdump is not installed, so nothing is compared with it");
            None
        }
    }
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
                    assert_eq!(
                        all.get(address.as_str()),
                        Some(value),
                        "{file}: {theirs}: {address}"
                    );
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
