//! Captures written are the captures read: packets, times, link types; divided as asked for.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Folder, own_captures, run_query, run_with, shared, shared_pcaps};
use wireq_engine::schedule::Options;
use wireq_engine::{Error, Report};

/// The files of a folder and what is in them, by name.
fn files(folder: &Folder) -> BTreeMap<String, Capture> {
    let entries = std::fs::read_dir(folder.root()).expect("the folder is there");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, Capture::read(&entry.path()))
    };
    entries.map(file).collect()
}

/// A capture as this test reads it.
#[derive(Debug, Default, PartialEq)]
struct Capture {
    link_type: u32,
    snaplen: u32,
    nanos: bool,
    /// Time in nanoseconds, length, bytes.
    packets: Vec<(u64, u32, Vec<u8>)>,
}

impl Capture {
    fn read(path: &Path) -> Capture {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Capture::parse(&bytes).unwrap_or_else(|| panic!("{} is a capture", path.display()))
    }

    /// Records up to the first that is not whole.
    fn parse(bytes: &[u8]) -> Option<Capture> {
        let (big, unit) = match bytes.get(..4)? {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            _ => return None,
        };
        let number = |at: usize| -> Option<u32> {
            let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(if big {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            })
        };
        let mut capture = Capture {
            snaplen: number(16)?,
            link_type: number(20)? & 0x03ff_ffff,
            nanos: unit == 1,
            packets: Vec::new(),
        };
        let mut at = 24;
        while let (Some(seconds), Some(fraction), Some(caplen), Some(len)) =
            (number(at), number(at + 4), number(at + 8), number(at + 12))
        {
            let Some(packet) = bytes.get(at + 16..at + 16 + caplen as usize) else {
                break;
            };
            let time = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
            capture.packets.push((time, len, packet.to_vec()));
            at += 16 + caplen as usize;
        }
        Some(capture)
    }
}

fn write(query: &str, path: &Path, options: &Options) -> Result<(Vec<u8>, Report), Error> {
    let result = run_query(query, &path.to_string_lossy(), options);
    if let Ok((_, report)) = &result {
        for node in &report.accounts {
            assert!(node.account.adds_up(), "{query}: {node:?}");
        }
    }
    result
}

fn five() -> PathBuf {
    own_captures()
        .into_iter()
        .find(|path| path.ends_with("five.pcap"))
        .expect("it ships")
}

fn office() -> PathBuf {
    own_captures()
        .into_iter()
        .find(|path| path.ends_with("office.pcap"))
        .expect("it ships")
}

/// Our captures but the one that others stop reading where we go on.
fn readable_captures() -> impl Iterator<Item = PathBuf> {
    let captures = own_captures().into_iter();
    captures.filter(|path| !path.ends_with("bad-length.pcap"))
}

#[test]
fn own_captures_come_out_as_they_went_in() {
    let folder = Folder::new("pcapwrite-own");
    for path in readable_captures() {
        let expected = Capture::read(&path);
        for (rows_max, resume_every) in [(2048, 0), (1, 0), (3, 0), (1, 1), (3, 2), (64, 1)] {
            let options = Options {
                rows_max,
                resume_every,
                ..Options::default()
            };
            let out = folder.path("out.pcap");
            write(&format!("pcapwrite -f {out} | count()"), &path, &options).expect("a capture");
            let mut got = Capture::read(Path::new(&out));
            if expected.packets.is_empty() {
                // There is no first packet to know it from.
                got.snaplen = expected.snaplen;
            }
            assert_eq!(
                got,
                expected,
                "{} by {rows_max}, {resume_every}",
                path.display()
            );
            let (text, _) = write("pcapwrite", &path, &options).expect("a capture");
            assert!(
                text == std::fs::read(&out).expect("it was written"),
                "{}",
                path.display()
            );
        }
    }
}

/// The shared captures: a sample, or all with `WIREQ_CAPTURES=all`. What is damaged comes out up to
/// the damage.
#[test]
fn shared_captures_come_out_as_they_went_in() {
    let folder = Folder::new("pcapwrite-shared");
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let (mut compared, mut damaged, mut packets) = (0, 0, 0);
    for (at, indexed) in shared()
        .iter()
        .flat_map(|shared| shared_pcaps(shared))
        .enumerate()
    {
        if !all && at % 10 != 0 {
            continue;
        }
        let expected = Capture::read(&indexed.path);
        let out = folder.path("out.pcap");
        let query = format!("pcapwrite -f {out} | count()");
        let written = write(&query, &indexed.path, &Options::default());
        let (_, report) = written.expect("a capture");
        let mut got = Capture::read(Path::new(&out));
        if expected.packets.is_empty() {
            (got.snaplen, got.link_type, got.nanos) =
                (expected.snaplen, expected.link_type, expected.nanos);
        }
        let path = indexed.path.display();
        if is_damaged(&report) {
            // Others stop there, or take what stands there for packets.
            let mut rest = expected.packets.iter();
            let mut ours = got.packets.iter();
            let within = ours.all(|packet| rest.any(|other| other == packet));
            assert!(
                within || got.packets.starts_with(&expected.packets),
                "{path}"
            );
            damaged += 1;
            continue;
        }
        assert_eq!(got.packets.len() as u64, indexed.packets, "{path}");
        assert!(got == expected, "{path}");
        compared += 1;
        packets += got.packets.len();
    }
    println!(
        "{compared} captures with {packets} packets written and compared; {damaged} are damaged"
    );
    assert!(damaged * 10 <= compared, "most are sound");
}

/// Whether something was passed over, or taken for what it may not be.
fn is_damaged(report: &Report) -> bool {
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let mut inputs = inputs.flat_map(|input| &input.inputs);
    inputs.any(|input| !input.skipped.is_empty() || !input.faults.is_empty())
}

/// What others read and write: tshark sees the same packets, and editcap writes the same bytes.
#[test]
fn other_programs_agree() {
    let folder = Folder::new("pcapwrite-others");
    let (out, theirs) = (folder.path("out.pcap"), folder.path("theirs.pcap"));
    for path in readable_captures() {
        let nanos = Capture::read(&path).nanos;
        write(
            &format!("pcapwrite -f {out} | count()"),
            &path,
            &Options::default(),
        )
        .expect("a capture");
        let format = if nanos { "nsecpcap" } else { "pcap" };
        let status = Command::new("editcap")
            .args(["-F", format])
            .arg(&path)
            .arg(&theirs)
            .output()
            .expect("editcap runs: `make setup` installs it")
            .status;
        let (ours, theirs) = (std::fs::read(&out), std::fs::read(&theirs));
        let (ours, theirs) = (
            ours.expect("it was written"),
            theirs.expect("it was written"),
        );
        // editcap gives up at damage with what it has, and writes a snaplen of its own choice.
        assert!(status.success() || path.ends_with("cut.pcap"));
        assert_eq!(ours[..16], theirs[..16], "{}", path.display());
        assert!(ours[20..] == theirs[20..], "{}", path.display());
    }
}

#[test]
fn files_follow_each_other_by_size() {
    let folder = Folder::new("pcapwrite-size");
    let expected = Capture::read(&office());
    // A capture of several million bytes: one file many times.
    let many = vec![office().to_string_lossy().into_owned(); 60].join(" ");
    let out = folder.path("x");
    let query = format!("pcapfile {many} | pcapwrite -s 1 -f {out} | count()");
    let mut sizes = Vec::new();
    for (rows_max, resume_every) in [(2048, 0), (7, 3)] {
        folder.clear();
        run_alone(&query, rows_max, resume_every);
        let files = files(&folder);
        assert!(files.len() > 2, "{} files", files.len());
        let mut packets = Vec::new();
        for number in 0..files.len() {
            let name = if number == 0 {
                "x".to_owned()
            } else {
                format!("x.{number}")
            };
            packets.extend(&files[&name].packets);
            let size = std::fs::metadata(folder.path(&name))
                .expect("it is there")
                .len();
            let last = number + 1 == files.len();
            assert!(
                last || (1_000_000..1_000_300).contains(&size),
                "{name}: {size}"
            );
            sizes.push(size);
        }
        assert_eq!(packets.len(), 60 * expected.packets.len());
        let times = expected.packets.len();
        assert!(
            packets
                .iter()
                .enumerate()
                .all(|(at, packet)| **packet == expected.packets[at % times])
        );
    }
    assert_eq!(sizes[..sizes.len() / 2], sizes[sizes.len() / 2..]);
}

fn run_alone(query: &str, rows_max: usize, resume_every: u64) {
    let options = Options {
        rows_max,
        resume_every,
        ..Options::default()
    };
    let (result, _) = run_with(query, &options);
    result.expect("the run ends well");
}

/// The five packets are a second apart, from a second that 2 divides on.
#[test]
fn files_follow_each_other_by_time() {
    let folder = Folder::new("pcapwrite-time");
    let all = Capture::read(&five()).packets;
    for (name, query, expected) in [
        (
            "%T.pcap",
            "",
            vec![
                ("2026-01-01T00:00:00+00:00.pcap", vec![0, 1]),
                ("2026-01-01T00:00:02+00:00.pcap", vec![2, 3]),
                ("2026-01-01T00:00:04+00:00.pcap", vec![4]),
            ],
        ),
        (
            "x",
            "",
            vec![("x", vec![0, 1]), ("x.1", vec![2, 3]), ("x.2", vec![4])],
        ),
        // Backwards: the interval before is late, those before that are a step of the clock.
        (
            "x",
            "sort -r ts | ",
            vec![("x", vec![4, 3, 2]), ("x.1", vec![1, 0])],
        ),
    ] {
        for rows_max in [1, 2048] {
            folder.clear();
            let options = Options {
                rows_max,
                ..Options::default()
            };
            let out = folder.path(name);
            let query = format!("{query}pcapwrite -t 2 -f {out} | count()");
            write(&query, &five(), &options).expect("a capture");
            let got: Vec<_> = files(&folder)
                .into_iter()
                .map(|(name, c)| (name, c.packets))
                .collect();
            let packets = |numbers: &Vec<usize>| numbers.iter().map(|n| all[*n].clone()).collect();
            let expected: Vec<(String, Vec<_>)> = expected
                .iter()
                .map(|(name, at)| ((*name).to_owned(), packets(at)))
                .collect();
            assert_eq!(got, expected, "{query}");
        }
    }
}

/// Each packet is in one file, both directions of a conversation in the same.
#[test]
fn files_side_by_side_keep_conversations_together() {
    let folder = Folder::new("pcapwrite-buckets");
    let out = folder.path("x");
    let query = format!("pcapwrite -b 5 -f {out} | count()");
    write(&query, &office(), &Options::default()).expect("a capture");
    let first = files(&folder);
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["x.0", "x.1", "x.2", "x.3", "x.4"]
    );
    let total: usize = first.values().map(|capture| capture.packets.len()).sum();
    assert_eq!(total, Capture::read(&office()).packets.len());
    assert!(
        first
            .values()
            .filter(|capture| !capture.packets.is_empty())
            .count()
            > 2
    );
    let mut homes: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for name in first.keys() {
        let path = PathBuf::from(folder.path(name));
        let (text, _) = write("print srcip dstip ipprotocol", &path, &Options::default())
            .expect("what was written can be read");
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words: Vec<String> = line.split('\t').map(str::to_owned).collect();
            words[..2].sort();
            let home = homes.entry(words.clone()).or_insert_with(|| name.clone());
            assert_eq!(home, name, "{words:?}");
        }
    }
    // In batches and resumed, and in another run, it is the same.
    for (rows_max, resume_every, seed) in [(1, 1, 7), (100, 1, 8)] {
        folder.clear();
        let options = Options {
            rows_max,
            resume_every,
            seed,
            ..Options::default()
        };
        write(&query, &office(), &options).expect("a capture");
        assert_eq!(files(&folder), first);
    }
}

#[test]
fn only_what_was_taken_is_written() {
    let folder = Folder::new("pcapwrite-taken");
    let out = folder.path("x");
    for rows_max in [1, 2048] {
        let options = Options {
            rows_max,
            ..Options::default()
        };
        let query = format!("pcapwrite -f {out} | head 2 | print len");
        write(&query, &five(), &options).expect("a capture");
        assert_eq!(
            Capture::read(Path::new(&out)).packets,
            Capture::read(&five()).packets[..2]
        );
    }
}

/// Old results are no results: where no packet comes there is a capture without packets.
#[test]
fn nothing_is_written_as_a_capture_too() {
    let folder = Folder::new("pcapwrite-nothing");
    let out = folder.path("x");
    write(
        &format!("pcapwrite -f {out} | count()"),
        &five(),
        &Options::default(),
    )
    .expect("a capture");
    let query = format!("where len > 1000 | pcapwrite -f {out} | count()");
    write(&query, &five(), &Options::default()).expect("a capture");
    let empty = Capture::read(Path::new(&out));
    assert!(empty.packets.is_empty() && empty.link_type == 1 && empty.snaplen > 65_535);
    let (text, _) =
        write("where len > 1000 | pcapwrite", &five(), &Options::default()).expect("a capture");
    assert_eq!(text, std::fs::read(&out).expect("it was written"));
}

/// What comes at the end of the input is no less a packet.
#[test]
fn packets_that_come_at_the_end_are_written() {
    let folder = Folder::new("pcapwrite-end");
    let out = folder.path("x");
    let mut expected = Capture::read(&five());
    expected.packets.reverse();
    expected.link_type = 113;
    let query = "const -t unsigned -f linktype 113 | sort -r ts | pcapwrite";
    write(
        &format!("{query} -f {out} | count()"),
        &five(),
        &Options::default(),
    )
    .expect("a capture");
    assert_eq!(Capture::read(Path::new(&out)), expected);
    let (text, _) = write(query, &five(), &Options::default()).expect("a capture");
    assert_eq!(Capture::parse(&text), Some(expected));
    folder.clear();
    write(
        &format!("{query} -b 2 -f {out} | count()"),
        &five(),
        &Options::default(),
    )
    .expect("a capture");
    let files = files(&folder);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["x.0", "x.1"]);
    assert_eq!(
        files
            .values()
            .map(|capture| capture.packets.len())
            .sum::<usize>(),
        5
    );
}

/// A capture that keeps more of its packets than the one before: a file's header is corrected, and
/// readers see all bytes; on the way to another program that cannot be.
#[test]
fn longer_packets_raise_the_snaplen() {
    let folder = Folder::new("pcapwrite-snaplen");
    let (short, out) = (folder.path("short.pcap"), folder.path("x"));
    let mut bytes = std::fs::read(five()).expect("it ships");
    bytes[16..20].copy_from_slice(&100u32.to_le_bytes());
    bytes.truncate(24 + 16 + 74);
    std::fs::write(&short, bytes).expect("the folder takes files");
    let query = format!("pcapfile {short} {} | pcapwrite", five().display());
    run_alone(&format!("{query} -f {out} | count()"), 3, 1);
    let written = Capture::read(Path::new(&out));
    assert_eq!(
        (written.packets.len(), written.snaplen),
        (6, Capture::read(&five()).snaplen)
    );
    let (result, _) = run_with(&query, &Options::default());
    let error = result.expect_err("it cannot be corrected").to_string();
    assert!(error.contains("a snaplen of 100"), "{error}");
}

/// A named pipe takes captures, though their header cannot be corrected: its snaplen is a large one.
#[test]
fn pipes_take_captures() {
    let folder = Folder::new("pcapwrite-pipe");
    let (short, pipe) = (folder.path("short.pcap"), folder.path("pipe"));
    let mut bytes = std::fs::read(five()).expect("it ships");
    bytes[16..20].copy_from_slice(&100u32.to_le_bytes());
    bytes.truncate(24 + 16 + 74);
    std::fs::write(&short, bytes).expect("the folder takes files");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    for flags in ["", "--format pcapng"] {
        let from = pipe.clone();
        let reader = std::thread::spawn(move || std::fs::read(from));
        run_alone(
            &format!(
                "pcapfile {short} {} | pcapwrite {flags} -f {pipe} | count()",
                five().display()
            ),
            3,
            0,
        );
        let got = reader.join().expect("it reads").expect("it can be read");
        let out = folder.path("out");
        std::fs::write(&out, got).expect("the folder takes files");
        let (count, report) =
            write("count()", Path::new(&out), &Options::default()).expect("a capture");
        assert_eq!(String::from_utf8_lossy(&count), "6\n", "{flags}");
        assert!(!is_damaged(&report), "{flags}");
    }
}

/// What came before a packet that does not belong into a file is in the file.
#[test]
fn what_was_written_before_a_failure_stays() {
    let folder = Folder::new("pcapwrite-failure");
    let out = folder.path("x");
    let query = format!(
        "(where len < 60 or len = 76 | const -t unsigned -f linktype 113) + (where len > 59 and len != 76) \
         | pcapwrite -f {out} | count()"
    );
    for rows_max in [1, 2048] {
        let options = Options {
            rows_max,
            ..Options::default()
        };
        let error = write(&query, &five(), &options).expect_err("two link types");
        assert!(error.to_string().contains("1 (Ethernet)"), "{error}");
        assert_eq!(
            Capture::read(Path::new(&out)).packets,
            Capture::read(&five()).packets[..3]
        );
    }
}
