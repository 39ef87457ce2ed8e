//! Several threads give what one gives, byte for byte, account and faults included.
//!
//! `WIREQ_SEEDS=1000` looks at so many damaged captures.

use crate::run::{scratch, wireq};
use std::fs;
use std::path::Path;

/// Query sets: each is one run.
const SETS: &[&[&str]] = &[
    &["where dstport = 80 and ipprotocol = tcp | count()"],
    &["print srcip count() sum(len) avg(len) group by srcip"],
    &["print srcip srcport dstip dstport count() sum(len) group by srcip srcport dstip dstport"],
    &["print ts srcip dstip len"],
    &["print -o csv ts srcip tcp.flags ip.ttl frame.number"],
    &["print -o json srcip len"],
    &["print -o table srcip dstip len"],
    &["head 7 | print ts len"],
    &["where len > 1400 | head 30 | print frame.number len"],
    &["print ts len | head 40"],
    &["uniq srcip | print srcip ts"],
    &["top srcip"],
    &["sort -r len ts | head 20"],
    &["last srcip | print srcip ts len"],
    &["flowid srcip srcport dstip dstport | print flowid len"],
    &["flowid -r -t 500ms srcip dstip | print flowid start finish packets packetsback bytes"],
    &["flowid -t 2s --max 20 srcip | print flowid packets finish"],
    &["where len > 90 | flowid ipprotocol dstport | where finish | print flowid dstport packets"],
    &[
        "flow -i 1s -l 100ms | print srcip srcport start end packets bytesback state reason",
        "flow --max 30 srcip dstip | count() sum(packets)",
    ],
    &["(where dstport = 80) + (where len > 700) | print frame.number"],
    &["(where dstport = 80 | head 3) + (where len > 700 | head 900) | count()"],
    &["print srcip ts count() max(len) first(ts) group by srcip"],
    &["print srcip min(len) max(ts) min(dstip) as least group by srcip"],
    &["distinct(srcip) quantile(0.9, len) stddev(len) list(ipprotocol)"],
    &["delta ts | print delta | head 50"],
    &[
        "clock -t 1s ts | print clock len",
        "print [ len * 8 ] as bits | tail 3",
    ],
    &["project srcip len | uniqobj | count()"],
    &[
        "where dstport = 80 | print srcip",
        "where dstport = 443 | count()",
        "where dstport = 53 | head 5 | print ts",
        "where len > 1000 | print dstip sum(len) group by dstip",
        "uniq srcip | count()",
    ],
];

/// Numbers that look like chance.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// A capture that is read in many stretches, with records of all lengths.
fn capture(seed: u64, frames: u32) -> Vec<u8> {
    let mut random = Random(seed);
    let mut file = vec![0; 24];
    file[..4].copy_from_slice(&0xa1b2_c3d4u32.to_le_bytes());
    file[4..8].copy_from_slice(&[2, 0, 4, 0]);
    file[16..20].copy_from_slice(&262_144u32.to_le_bytes());
    file[20] = 1;
    for number in 0..frames {
        let payload = match random.next(64) {
            0 => random.next(30_000),
            1..=20 => random.next(1400),
            _ => random.next(60),
        };
        let frame = frame(&mut random, payload as u16);
        let len = frame.len() as u32;
        let head = [number / 500, number % 500 * 1999, len, len];
        file.extend(head.map(u32::to_le_bytes).concat());
        file.extend(frame);
    }
    file
}

fn frame(random: &mut Random, payload: u16) -> Vec<u8> {
    let mut frame = vec![2; 12];
    let protocol = [6, 6, 17, 1][random.next(4) as usize];
    match random.next(20) {
        0 => frame.extend([0x08, 0x06]),
        1 => frame.extend([0x81, 0x00, 0, 7, 0x08, 0x00]),
        _ => frame.extend([0x08, 0x00]),
    }
    frame.extend([0x45, 0]);
    frame.extend((40 + payload).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    frame.extend([192, 0, 2, random.next(40) as u8]);
    frame.extend([198, 51, 100, random.next(9) as u8]);
    let port = |random: &mut Random| [80u16, 443, 53, 40_000][random.next(4) as usize];
    frame.extend(port(random).to_be_bytes());
    frame.extend(port(random).to_be_bytes());
    frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    frame.extend((0..payload).map(|at| at as u8));
    frame
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("the target folder can be written");
    path.display().to_string()
}

/// Compares runs on several threads with that on one.
fn compare(queries: &[&str], files: &[&str], flags: &[&str], threads: &[&str]) {
    let run = |threads: &str| {
        let mut arguments = vec!["--utc", "--seed=3", "--stats=json", threads];
        arguments.extend(flags);
        arguments.extend(queries.iter().flat_map(|query| ["-e", *query]));
        arguments.push("-r");
        arguments.extend(files);
        wireq(&arguments)
    };
    let one = run("--threads=1");
    assert!(one.status != 2, "{queries:?} is a query: {}", one.stderr);
    for threads in threads {
        let several = run(threads);
        let same = one == several;
        assert!(
            same,
            "{queries:?} {files:?} {flags:?} {threads}: status {} and {}, output of {} and {} bytes\n{}\n{}",
            one.status,
            several.status,
            one.stdout.len(),
            several.stdout.len(),
            one.stderr,
            several.stderr
        );
    }
}

#[test]
fn results_and_accounts_are_those_of_one_thread() {
    let folder = scratch("threads");
    let long = write(&folder, "long.pcap", &capture(1, 9000));
    let short = write(&folder, "short.pcap", &capture(2, 40));
    for set in SETS {
        let threads = ["--threads=2", "--threads=3", "--threads=8"];
        compare(set, &[&long], &[], &threads);
        compare(set, &[&short, &long, &short], &[], &threads[..1]);
        // Small batches: many turns for each stretch.
        compare(set, &[&long], &["--batch=100"], &threads[..2]);
        compare(set, &[&long], &["--memory-limit=300K"], &threads[..1]);
    }
}

/// Files are read and unpacked before it is their turn; what is given is in their order all the same.
#[test]
fn many_files_are_as_on_one_thread() {
    let folder = scratch("threads-files");
    let mut random = Random(9);
    let mut files: Vec<String> = Vec::new();
    for at in 0..36u64 {
        // Of one packet, of some that one stretch holds, of several stretches.
        let frames = [1, 30, 200, 900, 1500, 6][random.next(6) as usize];
        let mut bytes = capture(at + 20, frames);
        if at % 7 == 3 {
            let cut = random.next(bytes.len() as u64) as usize;
            bytes.truncate(cut);
        }
        let plain = write(&folder, &format!("{at}.pcap"), &bytes);
        let ending = ["", "", ".gz", ".zst", ".lz4", ".xz", ".bz2"][random.next(7) as usize];
        let packed = format!("{plain}{ending}");
        if !ending.is_empty() {
            wireq(&["-w", &packed, "where len >= 0", &plain]);
            if at % 5 == 4 {
                let bytes = fs::read(&packed).expect("it was written");
                fs::write(&packed, &bytes[..bytes.len() * 2 / 3]).expect("it can be written");
            }
        }
        files.push(packed);
    }
    let mut files: Vec<&str> = files.iter().map(String::as_str).collect();
    let empty = write(&folder, "empty.pcap", b"");
    files.insert(3, "missing.pcap");
    files.insert(11, "archive.tar");
    files.insert(20, &empty);
    files.insert(21, ".");
    for set in [
        &["where dstport = 80 | count()"][..],
        &["print frame.number ts len"],
        &[
            "print srcip count() sum(len) group by srcip",
            "uniq srcip dstip | print ts",
        ],
        &["where len > 200 | head 700 | print ts len"],
    ] {
        let threads = ["--threads=2", "--threads=3", "--threads=8"];
        compare(set, &files, &[], &threads);
        compare(set, &files, &["--batch=70"], &threads[..1]);
        compare(set, &files, &["--strict"], &threads[..1]);
    }
}

/// A tape archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(*bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// Changes payloads, so that what is packed stays large.
fn add_noise(capture: &mut [u8], seed: u64) {
    let mut noise = Random(seed);
    for record in capture[24..].chunks_exact_mut(2) {
        if noise.next(3) == 0 && record[0] == record[1].wrapping_sub(1) {
            record[1] = noise.next(256) as u8;
        }
    }
}

/// What one packed file has is the same whoever unpacks which of its pieces.
#[test]
fn pieces_of_a_packed_file_are_as_on_one_thread() {
    let folder = scratch("threads-pieces");
    let mut bytes = capture(23, 7000);
    add_noise(&mut bytes, 5);
    let plain = write(&folder, "plain.pcap", &bytes);
    for ending in ["gz", "zst", "lz4", "bz2", "xz"] {
        let packed = format!("{plain}.{ending}");
        wireq(&["-w", &packed, "where len >= 0", &plain]);
        let whole = fs::read(&packed).expect("it was written");
        assert!(whole.len() > 600_000, "{ending}: {} bytes", whole.len());
        let (middle, len) = (whole.len() / 2, whole.len());
        let mut damaged = whole.clone();
        damaged[middle..middle + len / 50].fill(0x5a);
        for bytes in [&whole, &whole[..len * 4 / 5], &damaged] {
            fs::write(&packed, bytes).expect("it can be written");
            let threads = ["--threads=2", "--threads=3", "--threads=8"];
            compare(&["print ts len srcip"], &[&packed], &[], &threads);
            compare(
                &["count()", "head 3000 | sum(len)"],
                &[&packed],
                &[],
                &threads[..1],
            );
            compare(
                &["head 5 | print ts"],
                &[&packed],
                &["--batch=90"],
                &threads[..2],
            );
            compare(
                &["count()"],
                &[&packed, &plain, &packed],
                &[],
                &threads[..2],
            );
            compare(&["count()"], &[&packed], &["--strict"], &threads[..1]);
        }
    }
}

/// Where the order of rows makes nothing, the largest files are taken first: results, and what is said of
/// the files, are those of the order in which they were named.
#[test]
fn files_in_any_order_are_as_on_one_thread() {
    let folder = scratch("threads-any-order");
    let mut random = Random(17);
    let mut files: Vec<String> = Vec::new();
    for at in 0..26u64 {
        let frames = [3, 150, 700, 1600, 400][random.next(5) as usize];
        let mut bytes = capture(at + 70, frames);
        add_noise(&mut bytes, at + 1);
        if at % 6 == 2 {
            let cut = random.next(bytes.len() as u64) as usize;
            bytes.drain(cut / 2..cut);
        }
        let plain = write(&folder, &format!("{at}.pcap"), &bytes);
        let ending = ["", ".gz", ".zst", ".gz", ".lz4", ".xz", ".tar"][random.next(7) as usize];
        let packed = format!("{plain}{ending}");
        match ending {
            "" => {}
            ".tar" => {
                let (other, text) = (capture(at + 7, frames / 2), &b"no capture"[..]);
                let inside = [("a", &bytes[..]), ("b", text), ("c", &other), ("d", text)];
                fs::write(&packed, archive(&inside)).expect("it can be written");
            }
            _ => _ = wireq(&["-w", &packed, "where len >= 0", &plain]),
        }
        if at % 4 == 3 {
            let mut bytes = fs::read(&packed).expect("it was written");
            let (middle, len) = (bytes.len() / 2, bytes.len());
            match at % 8 {
                3 => bytes.truncate(len * 4 / 5),
                _ => bytes[middle..middle + len / 50].fill(0x5a),
            }
            fs::write(&packed, &bytes).expect("it can be written");
        }
        files.push(packed);
    }
    let mut files: Vec<&str> = files.iter().map(String::as_str).collect();
    let empty = write(&folder, "empty.pcap", b"");
    files.insert(3, "missing.pcap");
    files.insert(9, &empty);
    files.insert(14, ".");
    files.insert(15, files[2]);
    let packed = files.iter().filter(|path| !path.ends_with("pcap"));
    let is_large = |path: &&&str| fs::metadata(path).is_ok_and(|data| data.len() > 100_000);
    assert!(
        packed.filter(is_large).count() > 5,
        "some take a while to unpack"
    );
    let threads = ["--threads=2", "--threads=3", "--threads=5"];
    for set in [
        &["where dstport = 80 | count()"][..],
        &[
            "print srcip count() sum(len) max(ts) group by srcip",
            "distinct(srcip) quantile(0.9, len) stddev(len)",
            "top srcip",
        ],
        // Some of these are in order.
        &[
            "count() group by dstport | head 3",
            "where len > 1200 | uniq srcip | print ts",
        ],
        &[
            "where len > 200 | head 700 | count()",
            "count() group by srcip, len",
        ],
    ] {
        compare(set, &files, &[], &threads);
        compare(set, &files, &["--batch=90"], &threads[..1]);
        compare(set, &files, &["--strict"], &threads[..1]);
        compare(set, &files, &["--memory-limit=1M"], &threads[..1]);
    }
}

/// Inputs that are read beside each other are told of as of the last object that was wanted.
#[test]
fn merged_captures_are_as_on_one_thread() {
    let folder = scratch("threads-merge");
    let files: Vec<String> = (0..40)
        .map(|at| {
            let mut bytes = capture(at + 1, 300 + 50 * (at as u32 % 7));
            if at % 5 == 0 {
                bytes.drain(9000..9100);
            }
            write(&folder, &format!("{at}.pcap"), &bytes)
        })
        .collect();
    let mut files: Vec<&str> = files.iter().map(String::as_str).collect();
    files.extend(["archive.tar", "five.pcap.gz", "missing.pcap"]);
    for set in [
        &["print ts len srcip"][..],
        &["head 3 | print ts"],
        &["head 700 | print ts len"],
        &["head 2500 | print ts len"],
        &["where len > 1000 | head 20 | count()", "head 900 | count()"],
    ] {
        for flags in [&["--merge"][..], &["--merge", "--batch=50"]] {
            compare(set, &files, flags, &["--threads=2", "--threads=3"]);
        }
    }
}

/// What is said at the end comes in pieces where it is much.
#[test]
fn many_groups_are_those_of_one_thread() {
    let folder = scratch("threads-groups");
    let mut file = capture(6, 0);
    for number in 0..45_000u32 {
        let mut frame = frame(&mut Random(u64::from(number) + 1), 0);
        frame[12..14].copy_from_slice(&[8, 0]);
        frame[26..30].copy_from_slice(&(number % 40_000).to_be_bytes());
        let len = frame.len() as u32;
        file.extend(
            [number / 1000, number % 1000, len, len]
                .map(u32::to_le_bytes)
                .concat(),
        );
        file.extend(frame);
    }
    let many = write(&folder, "many.pcap", &file);
    for set in [
        &["count() group by srcip"][..],
        &["count() group by srcip | uniqobj | count()"],
        &["count() group by srcip | where count > 1 | print srcip count"],
        &[
            "print srcip max(len) group by srcip",
            "count() group by srcip | head 9",
        ],
    ] {
        compare(set, &[&many], &[], &["--threads=2", "--threads=3"]);
    }
    // Aggregates of the same groups are one: what it says is as each of them would have said it.
    let count = "print srcip count() group by srcip";
    let sum = "print srcip sum(ttl) group by srcip";
    for set in [
        &[
            count,
            sum,
            "print srcip max(ttl) group by srcip having count() > 1",
        ][..],
        // Where others write between them, or behind what keeps rows.
        &[count, "sort -r srcip | tail 5 | print srcip", sum],
        &["count() group by srcip | sort count | print count", sum],
        &[
            "count() group by srcip | uniq count | head 1 | print count",
            sum,
            count,
        ],
        // In one statement.
        &["(print srcip count() group by srcip) + (print srcip sum(ttl) group by srcip) | count()"],
        &[
            count,
            "(count() group by srcip) + (max(ttl) group by srcip) | print srcip count max",
        ],
    ] {
        compare(set, &[&many], &[], &["--threads=2", "--threads=3"]);
        for flags in [&["--threads=1"][..], &["--threads=2", "--batch=500"]] {
            let run = |more: &[&str]| {
                let queries = set.iter().flat_map(|query| ["-e", *query]);
                let arguments = ["--utc", "--seed=3"].into_iter().chain(queries);
                let arguments: Vec<&str> = arguments.chain(["-r", &many]).collect();
                wireq(&[&arguments, flags, more].concat()).results()
            };
            let (merged, apart) = (run(&[]), run(&["--no-rewrite=merge"]));
            assert!(merged.len() > 10, "{set:?} says something");
            assert!(
                merged == apart,
                "{set:?} {flags:?}: others than without `merge`"
            );
        }
    }
}

#[test]
fn strategies_and_rewrites_are_as_on_one_thread() {
    let folder = scratch("threads-choices");
    let long = write(&folder, "long.pcap", &capture(3, 4000));
    let queries: Vec<String> = (0..40)
        .map(|at| format!("where srcip = 192.0.2.{at} and len > {} | count()", at * 3))
        .collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    for flag in [
        "--strategy=naive",
        "--strategy=snort",
        "--strategy=counting",
        "--strategy=dataflow",
        "--vector=off",
        "--no-rewrite=vector",
        "--no-rewrite=share",
    ] {
        compare(&queries, &[&long], &[flag], &["--threads=2"]);
    }
}

#[test]
fn damage_is_told_as_on_one_thread() {
    let folder = scratch("threads-damage");
    let count = std::env::var("WIREQ_SEEDS").map_or(40, |n| n.parse().expect("a number"));
    let whole = capture(4, 3000);
    let mut random = Random(5);
    for seed in 0..count {
        let mut bytes = whole.clone();
        for _ in 0..=random.next(3) {
            let at = random.next(bytes.len() as u64) as usize;
            let most = bytes.len() - at;
            let len = (random.next(70_000) as usize).min(most);
            match random.next(4) {
                0 => bytes.truncate(at.max(30)),
                1 => _ = bytes.drain(at..at + len),
                2 => bytes[at..at + len].fill(0xff),
                _ => bytes[at] ^= 1 << random.next(8),
            }
            if bytes.len() < 30 {
                break;
            }
        }
        let path = write(&folder, "damaged.pcap", &bytes);
        let strict: &[&str] = if seed % 4 == 0 { &["--strict"] } else { &[] };
        let query = ["print frame.number ts len | count() sum(len)"];
        compare(&query, &[&path], strict, &["--threads=2", "--threads=3"]);
        let query = ["print ts len srcip"];
        compare(&query, &[&path, &path], strict, &["--threads=2"]);
    }
}

#[test]
fn explain_says_what_runs_where() {
    let query = "where dstport = 80 | print srcip sum(len) group by srcip; uniq srcip | head 2";
    let explain = |flags: &[&str]| {
        let arguments = [&["explain"], flags, &[query, "five.pcap"]].concat();
        let text = wireq(&arguments).results();
        let (_, plan) = text.split_once("as run:\n").expect("it shows the plan");
        plan.to_owned()
    };
    let plan = explain(&["--threads=2"]);
    let places: Vec<(&str, &str)> = plan
        .lines()
        .filter_map(|line| line.trim().split_once(' ')?.1.rsplit_once("  ["))
        .map(|(node, place)| (node.split(' ').next().unwrap_or(""), place))
        .collect();
    let any = "on any thread]";
    assert_eq!(
        places,
        [
            ("pcapfile", any),
            ("where", any),
            ("aggregate", "in parts on all threads]"),
            ("print", "in order]"),
            ("uniq", "in order]"),
            ("head", "in order]"),
            ("print", "in order]"),
        ],
        "{plan}"
    );
    let flows = wireq(&["explain", "--threads=2", "flow | print srcip", "five.pcap"]).results();
    let flow = flows.lines().rev().find(|line| line.contains(" flow "));
    assert!(
        flow.is_some_and(|line| line.ends_with("[prepared on any thread, then in order]")),
        "{flows}"
    );
    assert!(!explain(&[]).contains("thread"));
    assert!(!explain(&["--threads=1"]).contains("thread"));
}
