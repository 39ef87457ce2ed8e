//! Packet counts, first and last times and link types beside those of `capinfos`: on the shared
//! captures and on re-encodings of them.
//!
//! `make test` compares a seeded sample; `WIREQ_CAPTURES=all` compares every capture, and 12
//! re-encodings of 200 of them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{Folder, Random, run_query, shared};
use wireq_engine::InputReport;
use wireq_engine::schedule::Options;
use wireq_typesys::{Zone, parse_time};

/// What is said of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    packets: u64,
    /// Nanoseconds since 1970.
    first: Option<i128>,
    last: Option<i128>,
    /// The nanoseconds that the two times are given to.
    units: [i128; 2],
}

/// What we say, with the packets of each link type.
#[derive(Debug)]
struct Ours {
    told: Told,
    link_types: BTreeMap<u64, u64>,
    report: InputReport,
}

fn ours(path: &Path) -> Ours {
    let path = path.to_string_lossy();
    let query = "print linktype count() min(ts) max(ts) group by linktype";
    let (text, report) = run_query(query, &path, &Options::default()).expect("it is read");
    let input = report.accounts.iter().find_map(|node| node.input.clone());
    let inputs = input.expect("a source").inputs;
    let mut ours = Ours {
        told: Told::default(),
        link_types: BTreeMap::new(),
        report: inputs.into_iter().next().expect("an input"),
    };
    for line in String::from_utf8_lossy(&text).lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let count: u64 = cells[1].parse().expect("a count");
        ours.link_types
            .insert(cells[0].parse().expect("a link type"), count);
        ours.told.packets += count;
        let time = |at: usize| {
            let text = cells.get(at).filter(|text| !text.is_empty())?;
            Some(i128::from(parse_time(text, &Zone::utc()).expect("a time")))
        };
        let (first, last) = (time(2), time(3));
        ours.told.first = ours.told.first.into_iter().chain(first).min();
        ours.told.last = ours.told.last.into_iter().chain(last).max();
    }
    ours
}

/// What capinfos says of files, with its word for the link type; none where it has an error.
fn theirs(paths: &[PathBuf]) -> Vec<Option<(Told, String)>> {
    let mut found = Vec::new();
    for some in paths.chunks(50) {
        let mut command = Command::new("capinfos");
        command
            .args(["-T", "-r", "-S", "-E", "-c", "-a", "-e"])
            .args(some);
        let output = command
            .output()
            .expect("capinfos runs: `make setup` installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let rows: BTreeMap<&str, Vec<&str>> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, rest)| (name, rest.split('\t').collect()))
            .collect();
        for path in some {
            let name = path.to_string_lossy();
            let row = rows.get(&*name).filter(|_| !errors.contains(&*name));
            found.push(row.map(|row| {
                let told = Told {
                    packets: row[1].parse().expect("capinfos counts packets"),
                    first: epoch(row[2]),
                    last: epoch(row[3]),
                    units: [row[2], row[3]].map(unit),
                };
                (told, row[0].to_owned())
            }));
        }
    }
    found
}

/// What the last digit of seconds with a fraction stands for.
fn unit(text: &str) -> i128 {
    let digits = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    10i128.pow(9u32.saturating_sub(digits as u32))
}

/// Seconds with a fraction as nanoseconds.
fn epoch(text: &str) -> Option<i128> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i128 = seconds.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}")[..9].parse().ok()?;
    let sign = if seconds.starts_with('-') { -1 } else { 1 };
    Some(whole * 1_000_000_000 + sign * fraction)
}

/// A difference that is meant, and why.
struct Rule {
    reason: &'static str,
    holds: fn(&Ours, &Told) -> bool,
}

const RULES: [Rule; 3] = [
    Rule {
        reason: "zeros amid other records are a hole in the file, not packets without bytes of 1970",
        holds: |ours, theirs| {
            let zeros = "zeros where a record should be";
            let skipped = ours
                .report
                .skipped
                .iter()
                .any(|skipped| skipped.reason == zeros);
            skipped && ours.told.packets < theirs.packets
        },
    },
    Rule {
        reason: "capinfos wraps fractions of four seconds and more",
        holds: |ours, theirs| {
            let late = "records whose fraction of a second is a second or more";
            let counted = ours.report.faults.iter().any(|(reason, _)| reason == late);
            counted && ours.told.packets == theirs.packets
        },
    },
    Rule {
        reason: "times beyond the year 2262 are absent, and counted",
        holds: |ours, theirs| {
            let far = "packets with times that are too far from 1970";
            let counted = ours.report.faults.iter().any(|(reason, _)| reason == far);
            counted && ours.told.packets == theirs.packets
        },
    },
];

/// Collects differences.
#[derive(Default)]
struct Comparison {
    compared: usize,
    left_out: usize,
    excused: Vec<String>,
    wrong: Vec<String>,
    /// Our link types, with the words of capinfos for them.
    words: BTreeMap<u64, BTreeSet<String>>,
}

impl Comparison {
    fn add(&mut self, name: &str, ours: &Ours, theirs: Option<&(Told, String)>) {
        let Some((told, word)) = theirs else {
            self.left_out += 1;
            return;
        };
        self.compared += 1;
        // Interfaces without packets count for capinfos too.
        if let [(link_type, _)] = ours.link_types.iter().collect::<Vec<_>>()[..]
            && word != "per-packet"
        {
            self.words
                .entry(*link_type)
                .or_default()
                .insert(word.clone());
        }
        // Where some packets have no time, capinfos says none.
        let silent = told.first.is_none() && ours.told.packets == told.packets;
        // Interfaces of one capture may have other units.
        let cut = |time: Option<i128>, unit: i128| time.map(|time| time.div_euclid(unit) * unit);
        let alike = ours.told.packets == told.packets
            && cut(ours.told.first, told.units[0]) == told.first
            && cut(ours.told.last, told.units[1]) == told.last;
        if alike || silent {
            return;
        }
        match RULES.iter().find(|rule| (rule.holds)(ours, told)) {
            Some(rule) => self.excused.push(format!("{name}: {}", rule.reason)),
            None => self
                .wrong
                .push(format!("{name}\n  ours   {ours:?}\n  theirs {told:?}")),
        }
    }

    fn conclude(&self) {
        println!(
            "{} captures compared with capinfos, {} left out where it has an error, {} excused",
            self.compared,
            self.left_out,
            self.excused.len()
        );
        self.excused.iter().for_each(|line| println!("  {line}"));
        let wrong = self.wrong.join("\n");
        assert!(
            self.wrong.is_empty(),
            "{} differ:\n{wrong}",
            self.wrong.len()
        );
        assert!(
            self.excused.len() * 200 <= self.compared.max(200),
            "too many are excused"
        );
        for (link_type, words) in &self.words {
            // capinfos has one word for link types that differ; never two for one.
            assert!(words.len() == 1, "link type {link_type}: {words:?}");
        }
    }
}

/// The shared captures: all, or one in so many.
fn captures(one_in: usize) -> Vec<(PathBuf, BTreeSet<u64>)> {
    let Some(folder) = shared() else {
        return Vec::new();
    };
    let folder = folder.join("data/captures");
    let index = std::fs::read_to_string(folder.join("index.tsv")).expect("there is an index");
    let mut random = Random(7);
    let rows = index.lines().skip(1);
    let rows = rows.filter(|_| all() || random.below(one_in) == 0);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let link_types = cells[3].split(',').filter_map(|n| n.parse().ok());
        (folder.join(cells[0]), link_types.collect())
    })
    .collect()
}

fn all() -> bool {
    std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all")
}

#[test]
fn captures_are_what_capinfos_says() {
    let captures = captures(8);
    let paths: Vec<PathBuf> = captures.iter().map(|(path, _)| path.clone()).collect();
    let mut comparison = Comparison::default();
    for ((path, link_types), theirs) in captures.iter().zip(theirs(&paths)) {
        let ours = ours(path);
        let name = path.display().to_string();
        comparison.add(&name, &ours, theirs.as_ref());
        let covered = ours.report.bytes_used + ours.report.bytes_skipped();
        let len = std::fs::metadata(path).map_or(0, |data| data.len());
        assert_eq!(covered, len, "{name}: bytes used and skipped");
        // The index names the link types of interfaces too that no packet is of; its word for snoop is
        // a media type.
        let found: BTreeSet<u64> = ours.link_types.keys().copied().collect();
        assert!(
            found.is_subset(link_types) || name.ends_with(".snoop"),
            "{name}: {found:?} {link_types:?}"
        );
    }
    comparison.conclude();
    assert!(comparison.compared > 200 || captures.is_empty());
}

/// Runs a program; whether it could do it.
fn done(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What a program makes of the file, on its standard output.
fn filtered(program: &str, path: &str, to: &str) -> bool {
    let output = Command::new(program).args(["-c", path]).output();
    output.is_ok_and(|output| output.status.success() && std::fs::write(to, output.stdout).is_ok())
}

/// A classic little-endian capture in the other order of bytes.
fn swapped(from: &str, to: &str) -> bool {
    let Ok(mut bytes) = std::fs::read(from) else {
        return false;
    };
    let mut at = 24;
    let (mut words, mut halves) = (vec![0, 8, 12, 16, 20], vec![4, 6]);
    while let Some(header) = bytes.get(at..at + 16) {
        let caplen = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        words.extend([at, at + 4, at + 8, at + 12]);
        at += 16 + caplen as usize;
    }
    for at in words {
        bytes[at..at + 4].reverse();
    }
    for at in halves.drain(..) {
        bytes[at..at + 2].reverse();
    }
    std::fs::write(to, bytes).is_ok()
}

/// A file written into a pipe, which stands for standard input.
fn piped(from: &str, to: &str) -> bool {
    if !done("mkfifo", &[to]) {
        return false;
    }
    let (from, to) = (from.to_owned(), to.to_owned());
    std::thread::spawn(move || {
        let bytes = std::fs::read(from).unwrap_or_default();
        let pipe = std::fs::OpenOptions::new().write(true).open(to);
        let mut pipe = pipe.expect("the pipe can be opened");
        for chunk in bytes.chunks(777) {
            if pipe.write_all(chunk).is_err() {
                break;
            }
        }
    });
    true
}

/// Ways to write a capture anew: name, whether capinfos is to be asked about the original, and how.
const ENCODINGS: [(&str, bool, fn(&str, &str) -> bool); 16] = [
    ("pcap", false, |a, b| done("editcap", &["-F", "pcap", a, b])),
    ("nsecpcap", false, |a, b| {
        done("editcap", &["-F", "nsecpcap", a, b])
    }),
    ("pcapng", false, |a, b| {
        done("editcap", &["-F", "pcapng", a, b])
    }),
    ("modpcap", false, |a, b| {
        done("editcap", &["-F", "modpcap", a, b])
    }),
    ("rh6_1pcap", false, |a, b| {
        done("editcap", &["-F", "rh6_1pcap", a, b])
    }),
    ("nokiapcap", false, |a, b| {
        done("editcap", &["-F", "nokiapcap", a, b])
    }),
    ("snoop", false, |a, b| {
        done("editcap", &["-F", "snoop", a, b])
    }),
    ("cut", false, |a, b| done("editcap", &["-s", "60", a, b])),
    ("merged", false, |a, b| done("mergecap", &["-w", b, a, a])),
    ("appended", false, |a, b| {
        done("mergecap", &["-a", "-F", "pcap", "-w", b, a, a])
    }),
    ("sections", false, |a, b| {
        let one = format!("{b}.one");
        done("editcap", &["-F", "pcapng", a, &one])
            && std::fs::read(&one)
                .is_ok_and(|bytes| std::fs::write(b, [bytes.clone(), bytes].concat()).is_ok())
    }),
    ("big-endian", false, |a, b| {
        let one = format!("{b}.one");
        done("editcap", &["-F", "pcap", a, &one]) && swapped(&one, b)
    }),
    ("big-endian-nano", false, |a, b| {
        let one = format!("{b}.one");
        done("editcap", &["-F", "nsecpcap", a, &one]) && swapped(&one, b)
    }),
    ("gzip", true, |a, b| filtered("gzip", a, b)),
    ("zstd", true, |a, b| done("zstd", &["-q", "-f", a, "-o", b])),
    ("pipe", true, piped),
];

#[test]
fn re_encodings_are_what_capinfos_says() {
    let folder = Folder::new("capinfos");
    let mut random = Random(3);
    let mut captures = captures(150);
    if all() {
        while captures.len() > 200 {
            let at = random.below(captures.len());
            captures.swap_remove(at);
        }
    }
    let mut comparison = Comparison::default();
    let mut refused = 0;
    for (number, (path, _)) in captures.iter().enumerate() {
        let from = path.to_string_lossy();
        let mut made = Vec::new();
        for (name, of_original, encode) in ENCODINGS {
            let to = folder.root().join(format!("{number}-{name}"));
            if encode(&from, &to.to_string_lossy()) {
                made.push((to, of_original));
            } else {
                refused += 1;
            }
        }
        let asked: Vec<PathBuf> = made
            .iter()
            .map(|(to, of_original)| {
                if *of_original {
                    path.clone()
                } else {
                    to.clone()
                }
            })
            .collect();
        for ((to, _), theirs) in made.iter().zip(theirs(&asked)) {
            let name = format!("{from} as {}", to.display());
            comparison.add(&name, &ours(to), theirs.as_ref());
            let _ = std::fs::remove_file(to);
        }
    }
    println!("{refused} re-encodings were refused by the programs that make them");
    comparison.conclude();
    assert!(comparison.compared > 100 || captures.is_empty());
}
