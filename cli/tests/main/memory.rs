//! The limit of memory: what goes on in files gives the same and stays small, what can't says so.
//!
//! `WIREQ_KEYS=1000000,3000000` runs the sweep of `make check-all`: so many keys under 64 MiB, and no
//! more than 96 MiB resident.

use crate::run::{command, scratch, wireq};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What finishes whatever the limit is, with how often its output has a line for each key.
const FINISH: &[(&str, u64)] = &[
    ("uniq srcip dstip | count()", 0),
    ("uniq srcip dstip | print srcip dstip", 1),
    ("print srcip dstip count() sum(len) group by srcip dstip", 1),
    (
        "print srcip first(ts) final(len) distinct(dstip) avg(len) group by srcip dstip",
        1,
    ),
    ("sort srcip | print srcip dstip len", 2),
    ("sort -r len srcip | print srcip len", 2),
    ("print distinct(srcip) distinct(dstip) as second count()", 0),
    (
        "count() group by srcip dstip | sort -r count dstip | head 3",
        0,
    ),
    (
        "(count() group by srcip) + (count() group by dstip) | print srcip count",
        2,
    ),
];

/// What keeps what it can't move, with the word that the message begins with.
const END: &[(&str, &str)] = &[
    ("last srcip dstip", "last"),
    ("top srcip dstip", "top"),
    ("tail 100000000", "tail"),
    ("median(srcip)", "aggregate"),
    ("quantile(0.9, srcip)", "aggregate"),
    ("list(-n 100000000 srcip)", "aggregate"),
    ("pdf -c len --max 100000000", "pdf"),
    ("histogram --max 100000000 srcip dstip", "histogram"),
    ("uniqobj", "uniqobj"),
    ("active -t 100d --max 100000000 srcip dstip", "active"),
    ("(uniq dstip) group by srcip", "uniq"),
    ("sort srcip group by dstip", "sort"),
];

struct Sizes {
    keys: u64,
    limit: &'static str,
    limit_bytes: u64,
    /// What may be resident beside one and a half times the limit.
    beside: u64,
    /// On how many threads.
    threads: &'static str,
    /// Whether so many keys never fit, so that files have to be there.
    needs_files: bool,
}

fn sizes() -> Vec<Sizes> {
    match std::env::var("WIREQ_KEYS") {
        Ok(keys) => {
            let keys = keys.split(',').map(|keys| keys.parse().expect("a number"));
            keys.map(|keys| Sizes {
                keys,
                limit: "64M",
                limit_bytes: 64 << 20,
                beside: 0,
                threads: "--threads=2",
                needs_files: false,
            })
            .collect()
        }
        // So small a limit is not far above what a run takes that keeps nothing; each thread more
        // takes some, whatever the limit.
        Err(_) => vec![Sizes {
            keys: 200_000,
            limit: "4M",
            limit_bytes: 4 << 20,
            beside: 18 << 20,
            threads: "--threads=1",
            needs_files: true,
        }],
    }
}

/// A capture in which each of so many keys comes twice, far apart.
fn capture(folder: &Path, keys: u64) -> PathBuf {
    let path = folder.join(format!("{keys}.pcap"));
    let file = File::create(&path).expect("the target folder can be written");
    let mut out = BufWriter::new(file);
    let mut header = [0; 24];
    header[..4].copy_from_slice(&0xa1b2_c3d4u32.to_le_bytes());
    header[4..8].copy_from_slice(&[2, 0, 4, 0]);
    header[16..20].copy_from_slice(&65_535u32.to_le_bytes());
    header[20] = 1;
    let mut write = |bytes: &[u8]| out.write_all(bytes).expect("it can be written");
    write(&header);
    for number in 0..2 * keys {
        // A prime, so that all keys come before the first comes again.
        let key = number * 2_147_483_647 % keys;
        write(&record(key, number));
    }
    out.flush().expect("it can be written");
    path
}

/// A datagram whose addresses are those of a key.
fn record(key: u64, number: u64) -> Vec<u8> {
    let payload = (number * 7 % 64) as u16;
    let mut frame = vec![2; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((28 + payload).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    let mixed = (key as u32).wrapping_mul(0x9e37_79b1);
    frame.extend(mixed.to_be_bytes());
    frame.extend((!mixed).to_be_bytes());
    frame.extend(5353u16.to_be_bytes());
    frame.extend(53u16.to_be_bytes());
    frame.extend((8 + payload).to_be_bytes());
    frame.extend([0, 0]);
    frame.resize(frame.len() + usize::from(payload), 0);
    let len = frame.len() as u32;
    let seconds = (number / 1000) as u32;
    let head = [seconds, 0, len, len].map(u32::to_le_bytes);
    [&head.concat()[..], &frame].concat()
}

struct Outcome {
    status: i32,
    stdout: PathBuf,
    stderr: String,
    /// The most memory that was resident.
    resident: u64,
}

/// Runs with standard output in a file; this process must stay small, since what it takes is counted
/// for those that it starts.
#[allow(clippy::zombie_processes, reason = "it is waited for below")]
fn run(folder: &Path, name: &str, arguments: &[&str]) -> Outcome {
    let (stdout, stderr) = (folder.join(name), folder.join("stderr"));
    let file = |path: &Path| File::create(path).expect("the target folder can be written");
    let child = command(arguments)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(file(&stdout))
        .stderr(file(&stderr))
        .spawn()
        .expect("the binary was built with this test");
    let (status, resident) = wait(child.id());
    Outcome {
        status,
        stdout,
        stderr: std::fs::read_to_string(&stderr).expect("it was written"),
        resident,
    }
}

/// Waits for a process: its exit status and the most memory that it had resident.
#[allow(unsafe_code, reason = "std has no wait4")]
fn wait(pid: u32) -> (i32, u64) {
    let mut status = 0;
    // SAFETY: all zeros is a value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to values that live as long as the call, and the process is a
    // child that nobody else waits for.
    let waited = unsafe { libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage) };
    assert_eq!(waited, pid as libc::pid_t, "it can be waited for");
    assert!(libc::WIFEXITED(status), "it ended by itself");
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * 1024)
}

/// The lines of a file, and a hash of all of it.
fn digest(path: &Path) -> (u64, u64) {
    let mut file = File::open(path).expect("it was written");
    let (mut buffer, mut lines, mut hash) = ([0; 1 << 16], 0, 0xcbf2_9ce4_8422_2325u64);
    loop {
        let read = file.read(&mut buffer).expect("it can be read");
        if read == 0 {
            return (lines, hash);
        }
        for byte in &buffer[..read] {
            lines += u64::from(*byte == b'\n');
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[test]
fn what_does_not_fit_goes_on_in_files_and_gives_the_same() {
    let folder = scratch("memory");
    for sizes in sizes() {
        let capture = capture(&folder, sizes.keys);
        let capture = capture.to_str().expect("a path of this test");
        let limit = format!("--memory-limit={}", sizes.limit);
        for (query, lines) in FINISH {
            let free = run(&folder, "free", &[query, capture]);
            let limited = run(&folder, "limited", &[sizes.threads, &limit, query, capture]);
            assert_eq!((free.status, free.stderr.as_str()), (0, ""), "{query}");
            assert_eq!(
                (limited.status, limited.stderr.as_str()),
                (0, ""),
                "{query}"
            );
            if sizes.needs_files {
                let without = command(&[sizes.threads, &limit, query, capture])
                    .env("TMPDIR", "/nonexistent/folder")
                    .output();
                let status = without.expect("it was built with this test").status;
                assert_eq!(status.code(), Some(5), "{query}: all of it fits");
            }
            let expected = digest(&free.stdout);
            assert_eq!(digest(&limited.stdout), expected, "{query}");
            assert!(*lines == 0 || expected.0 == lines * sizes.keys, "{query}");
            let most = sizes.limit_bytes * 3 / 2 + sizes.beside;
            assert!(limited.resident <= most, "{query}: {}", limited.resident);
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            println!(
                "{} keys under {}: {:.1} MiB, free {:.1} MiB: {query}",
                sizes.keys,
                sizes.limit,
                mib(limited.resident),
                mib(free.resident)
            );
        }
        let left: Vec<_> = std::fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("it is there").file_name())
            .collect();
        assert_eq!(left.len(), 4, "nothing is left in TMPDIR: {left:?}");
        std::fs::remove_file(capture).expect("it is there");
    }
}

#[test]
fn what_cannot_go_on_in_files_says_so() {
    let folder = scratch("memory-end");
    if let Some(sizes) = sizes().pop() {
        // Half as many more, so that all of these keep too much: how full tables are is a matter of the run's secret.
        let capture = capture(&folder, sizes.keys * 3 / 2);
        let capture = capture.to_str().expect("a path of this test");
        let limit = format!("--memory-limit={}", sizes.limit);
        let join =
            format!("print a.len b.len from pcapfile({capture}) a, b where a.srcip = b.dstip");
        let end = END.iter().map(|(query, word)| ((*query).to_owned(), *word));
        for (query, word) in end.chain([(join, "join")]) {
            let with_file = [&limit, &query, capture];
            let arguments = if word == "join" {
                &with_file[..2]
            } else {
                &with_file
            };
            let outcome = run(&folder, "out", arguments);
            let message = outcome.stderr;
            assert_eq!(outcome.status, 5, "{query}: {message}");
            let start = format!("wireq: {word}: out of memory: `{word}");
            assert!(message.starts_with(&start), "{query}: {message}");
            let rest = format!(
                "the limit for all is {}, and it cannot move that to files\n",
                sizes.limit
            );
            assert!(
                message.contains("` in statement 1 ") && message.ends_with(&rest),
                "{query}: {message}"
            );
        }
        std::fs::remove_file(capture).expect("it is there");
    }
}

/// Each statement gives what it gives alone, and one after the other, though all give piece by piece.
#[test]
fn pieces_keep_the_order_of_statements_and_branches() {
    let folder = scratch("memory-order");
    let capture = capture(&folder, 5000);
    let capture = capture.to_str().expect("a path of this test");
    let groups = "print srcip count() group by srcip";
    let sorted = "sort len srcip | print len srcip";
    let alone = |query: &str| wireq(&[query, capture]).results();
    let together = alone(groups) + &alone(sorted);
    let branches = alone("sort len | where len > 60 | print len srcip")
        + &alone("sort len | where len <= 60 | print len srcip");
    for limit in ["--memory-limit=1G", "--memory-limit=700K"] {
        let all =
            |arguments: &[&str]| wireq(&[arguments, &["-r", capture, limit]].concat()).results();
        assert_eq!(all(&["-e", groups, "-e", sorted]), together);
        let turned = alone(sorted) + &alone(groups);
        assert_eq!(all(&["-e", sorted, "-e", groups]), turned);
        let bag = "(sort len srcip) + (count() group by srcip) | print len srcip count";
        let bag_of = alone("sort len srcip | print len srcip")
            + &alone("count() group by srcip | print len srcip count");
        assert_eq!(all(&["-e", bag]), bag_of);
        let head = alone("sort len srcip | head 4000 | tail 2 | print len srcip");
        assert_eq!(
            all(&[
                "-e",
                "sort len srcip | head 4000 | tail 2 | print len srcip"
            ]),
            head
        );
    }
    // Branches behind one sort, and statements that share one, are gathered first.
    let shared = [
        "-e",
        "sort len | print len",
        "-e",
        "sort len | print srcip",
        "-r",
        capture,
    ];
    let apart = alone("sort len | print len") + &alone("sort len | print srcip");
    assert_eq!(wireq(&shared).results(), apart);
    let query = "sort len | (where len > 60) + (where len <= 60) | print len srcip";
    assert_eq!(alone(query), branches);
    let message = wireq(&[&["--memory-limit=300K"], &shared[..]].concat()).refusal(5);
    let start = "wireq: sort: out of memory: `sort len` in statement 1 gives ";
    assert!(message.starts_with(start), "{message}");
}

/// Groups that several statements give have to wait as a whole, which a limit forbids; one object can.
#[test]
fn aggregates_without_keys_are_one_under_a_limit() {
    let queries = [
        "count()",
        "sum(len)",
        "count() group by srcip",
        "sum(len) group by srcip",
    ];
    let queries = queries.iter().flat_map(|query| ["-e", *query]);
    let queries: Vec<&str> = queries.chain(["office.pcap"]).collect();
    let merged = |limit: &[&str]| {
        let text = wireq(&[&["explain"], limit, &queries].concat()).results();
        text.matches("columns").count()
    };
    assert_eq!(merged(&[]), 4);
    assert_eq!(merged(&["--memory-limit=1M"]), 2);
}

#[test]
fn a_folder_for_temporary_files_that_is_none_is_named() {
    let folder = scratch("memory-folder");
    let capture = capture(&folder, 3000);
    let capture = capture.to_str().expect("a path of this test");
    let output = command(&["--memory-limit=30K", "uniq srcip | count()", capture])
        .env("TMPDIR", "/nonexistent/folder")
        .output();
    let output = output.expect("the binary was built with this test");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{message}");
    assert!(
        message.starts_with("wireq: cannot make a temporary file in /nonexistent/folder: "),
        "{message}"
    );
}

#[test]
fn sizes_are_checked() {
    for good in ["1G", "64M", "64m", "100K", "1000000", "17179869183G"] {
        let limit = format!("--memory-limit={good}");
        assert_eq!(
            wireq(&[&limit, "count()", "office.pcap"]).results(),
            "421\n"
        );
    }
    for bad in [
        "",
        "0",
        "0M",
        "M",
        "-1",
        "1.5G",
        "1T",
        "1MB",
        " 1",
        "17179869184G",
    ] {
        let limit = format!("--memory-limit={bad}");
        let message = wireq(&[&limit, "count()", "office.pcap"]).refusal(2);
        assert!(message.contains("--memory-limit"), "{bad}: {message}");
    }
    let help = wireq(&["--help"]).results();
    assert!(help.contains("--memory-limit <SIZE>") && help.contains("64M or 1G"));
}
