//! One capture, exported by nfpcapd, by softflowd as NetFlow 5, 9 and IPFIX, and by our own `flow`: the
//! 20 largest pairs of hosts by IP bytes. What differs does so by a stated rule:
//!
//! | rule | who | what |
//! |---|---|---|
//! | version | softflowd, NetFlow 5 | has no IPv6 |
//! | padding | softflowd | counts the bytes of a frame behind its link header: with what fills up short frames |
//! | fragments | nfpcapd | leaves out fragments that it cannot put together |
//! | tunnels | nfpcapd | counts a packet in a tunnel for the hosts within |
//! | misread | nfpcapd | takes bytes behind odd protocol numbers for addresses: pairs that no packet names |

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::{Folder, Random, own_captures, run_alone, shared, shared_pcaps};

/// Two hosts, the lesser address first.
type Pair = (String, String);
type Bytes = BTreeMap<Pair, u64>;

const TOP: usize = 20;
/// An exporter that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn query(text: &str) -> String {
    run_alone(text).0
}

fn pair(a: &str, b: &str) -> Pair {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    (a.to_owned(), b.to_owned())
}

/// The bytes of each pair: two addresses a line, then numbers.
fn pairs(text: &str) -> Bytes {
    let mut bytes = Bytes::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        if let [a, b, numbers @ ..] = &cells[..] {
            let sum = numbers.iter().filter_map(|cell| cell.parse::<u64>().ok());
            *bytes.entry(pair(a, b)).or_default() += sum.sum::<u64>();
        }
    }
    bytes.retain(|_, bytes| *bytes > 0);
    bytes
}

fn of_records(reader: &str) -> Bytes {
    pairs(&query(&format!(
        "{reader} | where srcip | print srcip dstip sum(bytes) group by srcip, dstip"
    )))
}

/// Waits for the end of an exporter; one that hangs is ended.
fn end(mut child: Child) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if child.try_wait().expect("it can be asked").is_some() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("an exporter hangs");
}

/// A program that says nothing; none where it is not installed.
fn start(command: &mut Command) -> Option<Child> {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.env("TZ", "UTC").spawn().ok()
}

fn nfpcapd(capture: &str, folder: &Folder) -> Option<Bytes> {
    folder.clear();
    let mut command = Command::new("nfpcapd");
    command
        .args(["-r", capture, "-t", "86400", "-w"])
        .arg(folder.root());
    end(start(&mut command)?);
    let files = fs::read_dir(folder.root())
        .expect("it can be listed")
        .flatten();
    let mut sum = Bytes::new();
    for file in files {
        for (pair, bytes) in of_records(&format!("nfcapd {}", file.path().display())) {
            *sum.entry(pair).or_default() += bytes;
        }
    }
    Some(sum)
}

fn softflowd(capture: &str, version: &str, folder: &Folder) -> Option<Bytes> {
    folder.clear();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    let to = socket.local_addr().expect("it is bound").to_string();
    let wait = Some(Duration::from_millis(300));
    socket.set_read_timeout(wait).expect("it can be set");
    let mut command = Command::new("softflowd");
    let flags = [
        "-d", "-a", "-c", "none", "-r", capture, "-n", &to, "-v", version,
    ];
    let child = start(command.args(flags).args(["-p", &folder.path("pid")]))?;
    let collector = thread::spawn(move || {
        let (mut messages, mut buffer) = (Vec::new(), vec![0; 65_535]);
        let begun = Instant::now();
        // The first may take a while, where the machine is busy.
        while begun.elapsed() < PATIENCE {
            match socket.recv(&mut buffer) {
                Ok(len) => messages.extend_from_slice(&buffer[..len]),
                Err(_) if messages.is_empty() && begun.elapsed() < Duration::from_secs(3) => {}
                Err(_) => break,
            }
        }
        messages
    });
    end(child);
    let messages = collector.join().expect("it collects");
    let file = folder.path("messages");
    fs::write(&file, messages).expect("it can be written");
    Some(of_records(&format!("netflow {file}")))
}

/// The largest pairs.
fn top(bytes: &Bytes) -> BTreeSet<&Pair> {
    let mut all: Vec<(&Pair, u64)> = bytes.iter().map(|(pair, bytes)| (pair, *bytes)).collect();
    all.sort_by_key(|(pair, bytes)| (std::cmp::Reverse(*bytes), *pair));
    all.into_iter().take(TOP).map(|(pair, _)| pair).collect()
}

/// What is known of a capture's packets by pair.
struct Facts {
    ip: Bytes,
    /// From the IP header to the end of the frame.
    frames: Bytes,
    fragments: BTreeSet<Pair>,
    tunnels: BTreeSet<Pair>,
}

impl Facts {
    fn of(capture: &str) -> Facts {
        let source = format!("pcapfile {capture}");
        let sums = |what: &str| {
            pairs(&query(&format!(
                "{source} | where srcip | print srcip dstip sum({what}) group by srcip, dstip"
            )))
        };
        let counts = query(&format!(
            "{source} | where srcip | print srcip dstip count() group by srcip, dstip"
        ));
        let packets = pairs(&counts);
        let mut frames = sums("len");
        for (pair, bytes) in &mut frames {
            *bytes -= 14 * packets[pair];
        }
        let named = |text: &str| pairs(text).into_keys().collect::<BTreeSet<Pair>>();
        let fragments = query(&format!(
            "{source} | where ip.flags.mf = true or ip.frag_offset > 0 | \
             print srcip dstip count() group by srcip, dstip"
        ));
        let mut tunnels = BTreeSet::new();
        for fields in [
            "srcip dstip",
            "inner.srcip inner.dstip",
            "innermost.srcip innermost.dstip",
        ] {
            let keys = fields.replace(' ', ", ");
            tunnels.extend(named(&query(&format!(
                "{source} | where inner.srcip | print {fields} count() group by {keys}"
            ))));
        }
        Facts {
            ip: sums("iplen"),
            frames,
            fragments: named(&fragments),
            tunnels,
        }
    }

    /// The rule by which what an exporter has of a pair differs.
    fn rule(&self, exporter: &str, pair: &Pair, theirs: Option<u64>) -> Option<&'static str> {
        let is_v6 = pair.0.contains(':');
        match exporter {
            "NetFlow 5" if is_v6 && theirs.is_none() => Some("version"),
            "nfpcapd" if self.fragments.contains(pair) => Some("fragments"),
            "nfpcapd" if self.tunnels.contains(pair) => Some("tunnels"),
            "nfpcapd" if !self.ip.contains_key(pair) => Some("misread"),
            "nfpcapd" => None,
            _ if theirs == self.frames.get(pair).copied() => Some("padding"),
            _ => None,
        }
    }
}

/// Captures of Ethernet: a sample of the shared ones, or all.
fn captures() -> Vec<String> {
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut paths: Vec<PathBuf> = own_captures();
    paths.retain(|path| path.ends_with("office.pcap"));
    let mut random = Random(5);
    if let Some(folder) = shared() {
        let captures = shared_pcaps(&folder).into_iter();
        let chosen = captures.filter(|capture| {
            capture.state == "ok" && capture.packets >= 150 && (all || random.below(6) == 0)
        });
        paths.extend(chosen.map(|capture| capture.path));
    }
    let plain = |path: &String| {
        let odd = query(&format!(
            "pcapfile {path} | where not linktype = 1 | count()"
        ));
        odd.trim().parse().unwrap_or(0u64) == 0
    };
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.filter(plain).collect()
}

#[test]
fn the_largest_pairs_are_the_same() {
    let folder = Folder::new("exporters");
    let (mut compared, mut captures_compared) = (0, 0);
    let mut rules: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut unexplained = Vec::new();
    for capture in captures() {
        let facts = Facts::of(&capture);
        // Our flows have every byte of the packets, whatever ends them.
        let ours = pairs(&query(&format!(
            "pcapfile {capture} | flow -b iplen | where srcip | \
             print srcip dstip sum(bytes) sum(bytesback) as back group by srcip, dstip"
        )));
        assert_eq!(ours, facts.ip, "{capture}");
        let exporters = [
            ("nfpcapd", nfpcapd(&capture, &folder)),
            ("NetFlow 5", softflowd(&capture, "5", &folder)),
            ("NetFlow 9", softflowd(&capture, "9", &folder)),
            ("IPFIX", softflowd(&capture, "10", &folder)),
        ];
        captures_compared += 1;
        for (exporter, theirs) in exporters {
            let Some(theirs) = theirs else {
                println!(
                    "SKIPPED: nfpcapd or softflowd is not installed: {exporter} is not compared"
                );
                return;
            };
            for pair in top(&ours).union(&top(&theirs)) {
                compared += 1;
                let (mine, other) = (ours.get(*pair).copied(), theirs.get(*pair).copied());
                if mine == other {
                    continue;
                }
                match facts.rule(exporter, pair, other) {
                    Some(rule) => *rules.entry((exporter, rule)).or_default() += 1,
                    None => unexplained.push(format!(
                        "{capture}: {exporter}: {pair:?}: {mine:?} {other:?}"
                    )),
                }
            }
        }
    }
    println!("{captures_compared} captures, {compared} pairs compared; differences: {rules:?}");
    assert!(compared > 20);
    assert!(
        unexplained.is_empty(),
        "{} differ: {unexplained:#?}",
        unexplained.len()
    );
}
