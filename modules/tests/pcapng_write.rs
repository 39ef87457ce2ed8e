//! pcapng written is the pcapng read: block by block, whatever the run does in between; and files
//! follow each other, and are compressed, as asked for.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Random, number, own_captures, run_files, run_query, shared, tshark_output};
use wireq_engine::Report;
use wireq_engine::schedule::Options;

fn options(rows_max: usize, resume_every: u64) -> Options {
    Options {
        rows_max,
        resume_every,
        ..Options::default()
    }
}

fn run(query: &str, path: &Path, options: &Options) -> (String, Report) {
    let (text, report) = run_query(query, &path.to_string_lossy(), options)
        .unwrap_or_else(|error| panic!("{query} of {}: {error}", path.display()));
    (String::from_utf8_lossy(&text).into_owned(), report)
}

/// What a query prints of a capture.
fn print(query: &str, path: &Path) -> String {
    run(query, path, &Options::default()).0
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("the temporary folder takes folders")
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn own(name: &str) -> PathBuf {
    let captures = own_captures();
    captures[0].with_file_name(name)
}

/// The blocks of a capture, up to the first whose lengths are not what the format asks for; and how
/// many bytes they are.
fn blocks(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let (mut found, mut at, mut big) = (Vec::new(), 0, false);
    while let Some(head) = bytes.get(at..at + 12) {
        if head.starts_with(b"\x0a\x0d\x0d\x0a") {
            big = head[8..] == *b"\x1a\x2b\x3c\x4d";
        }
        let number = |at: usize| -> Option<usize> {
            let four = bytes.get(at..at + 4)?.try_into().ok()?;
            let number = match big {
                true => u32::from_be_bytes(four),
                false => u32::from_le_bytes(four),
            };
            usize::try_from(number).ok()
        };
        let len = number(at + 4).unwrap_or(0);
        let sound = len >= 12 && len.is_multiple_of(4);
        if !sound || number((at + len).saturating_sub(4)) != Some(len) {
            break;
        }
        found.push(&bytes[at..at + len]);
        at += len;
    }
    (found, at)
}

/// The blocks without the lengths of sections that are told.
fn without_lengths(blocks: &[&[u8]]) -> Vec<Vec<u8>> {
    let without = |block: &&[u8]| {
        let mut block = block.to_vec();
        if block.starts_with(b"\x0a\x0d\x0d\x0a") {
            block[16..24].fill(0xff);
        }
        block
    };
    blocks.iter().map(without).collect()
}

/// How a capture came out.
#[derive(PartialEq, Debug)]
enum Came {
    /// Byte for byte.
    Same,
    /// But for lengths of sections that were wrong.
    Lengths,
    /// But for what could not be read.
    Damaged,
}

fn compare(path: &Path, out: &Path, report: &Report) -> Came {
    let (read, written) = (bytes(path), bytes(out));
    if read == written {
        return Came::Same;
    }
    let ((expected, sound), (got, whole)) = (blocks(&read), blocks(&written));
    assert_eq!(whole, written.len(), "{}: blocks are whole", path.display());
    let (expected, got) = (without_lengths(&expected), without_lengths(&got));
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let mut inputs = inputs.flat_map(|input| &input.inputs);
    let damaged = inputs.any(|input| !input.skipped.is_empty() || !input.faults.is_empty());
    if sound == read.len() && !damaged {
        assert!(expected == got, "{} has other blocks", path.display());
        return Came::Lengths;
    }
    // Those before the damage are there, in their order, but for those that are damaged themselves.
    assert!(damaged, "{} says what it lacks", path.display());
    let mut rest = expected.iter();
    let known = got
        .iter()
        .take_while(|block| rest.any(|known| known == *block));
    assert!(
        known.count() + 1 >= expected.len(),
        "{} is as it was up to the damage",
        path.display()
    );
    Came::Damaged
}

/// All that tshark says of a capture.
fn dump(path: &Path) -> Option<Vec<u8>> {
    let path = path.to_string_lossy();
    tshark_output(
        Command::new("tshark").args(["-n", "-V", "-r", &path]),
        &path,
    )
}

fn shared_captures() -> Vec<PathBuf> {
    let Some(shared) = shared() else {
        return Vec::new();
    };
    let captures = std::fs::read_dir(shared.join("data/captures")).expect("they can be read");
    let paths = captures.map(|entry| entry.expect("they can be read").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "pcapng"))
        .collect();
    paths.sort();
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let step = if all { 1 } else { 8 };
    paths.into_iter().step_by(step).collect()
}

/// All captures of a sample of the shared ones, or of all with `WIREQ_CAPTURES=all`, and ours.
#[test]
fn captures_come_out_as_they_went_in() {
    let folder = folder();
    let out = folder.path().join("out.pcapng");
    let query = format!("pcapwrite -f {} | count()", out.display());
    let mut captures = shared_captures();
    captures.extend(["mixed.pcapng", "holes.pcapng"].map(own));
    let (mut same, mut lengths, mut damaged) = (0, Vec::new(), Vec::new());
    for path in &captures {
        let (_, report) = run(&query, path, &Options::default());
        match compare(path, &out, &report) {
            Came::Same => same += 1,
            Came::Lengths => {
                assert!(
                    dump(path) == dump(&out),
                    "tshark's dump of {}",
                    path.display()
                );
                lengths.push(path);
            }
            Came::Damaged => damaged.push(path),
        }
    }
    println!(
        "{same} of {} captures came out byte for byte",
        captures.len()
    );
    println!("their sections' lengths were wrong: {lengths:?}; damaged: {damaged:?}");
    assert!(lengths.len() + damaged.len() <= 3 + captures.len() / 100);
}

/// Batches, and states that are saved and read back, do not show.
#[test]
fn batches_and_resumed_states_do_not_show() {
    let folder = folder();
    let first = folder.path().join("first.pcapng");
    let out = folder.path().join("out.pcapng");
    let mut captures: Vec<PathBuf> = shared_captures().into_iter().take(5).collect();
    captures.push(own("mixed.pcapng"));
    for path in captures {
        for packing in ["", ".gz"] {
            let [first, out] = [&first, &out].map(|path| format!("{}{packing}", path.display()));
            print(&format!("pcapwrite -f {first} | count()"), &path);
            for (rows_max, resume_every) in [(1, 0), (3, 2), (64, 1)] {
                let options = options(rows_max, resume_every);
                run(&format!("pcapwrite -f {out} | count()"), &path, &options);
                let [one, other] = [&first, &out].map(|path| bytes(Path::new(path)));
                assert!(one == other, "{} by {rows_max}{packing}", path.display());
            }
        }
    }
}

/// An interface whose block says odd things of its length is one interface, and keeps what is
/// counted of it.
#[test]
fn an_interface_with_odd_lengths_is_one() {
    let folder = folder();
    let [odd, out] = ["odd.pcapng", "out.pcapng"].map(|name| folder.path().join(name));
    let original = bytes(&own("mixed.pcapng"));
    let mut changed = original.clone();
    let (found, _) = blocks(&original);
    let mut at = 0;
    let mut changes = 0;
    for block in found {
        at += block.len();
        if block.starts_with(&[1, 0, 0, 0]) || block.starts_with(&[0, 0, 0, 1]) {
            // The second length is that of a block without its padding.
            let low = if block[0] == 1 { at - 4 } else { at - 1 };
            changed[low] -= 1;
            changes += 1;
        }
    }
    assert!(changes > 0);
    std::fs::write(&odd, &changed).expect("it is written");
    let query = format!("pcapwrite -f {} | count()", out.display());
    run(&query, &own("mixed.pcapng"), &Options::default());
    let expected = bytes(&out);
    for (rows_max, resume_every) in [(2048, 0), (1, 1)] {
        run(&query, &odd, &options(rows_max, resume_every));
        let written = bytes(&out);
        let [one, other] = [&expected, &written].map(|bytes| without_lengths(&blocks(bytes).0));
        assert!(one == other, "by {rows_max}");
    }
}

/// A section whose interfaces are longer than a file is to be does not make a file of each packet.
#[test]
fn a_long_section_does_not_make_many_files() {
    let folder = folder();
    let long = folder.path().join("long.pcapng");
    let mut bytes = Vec::new();
    let block = |kind: u32, body: &[u8], bytes: &mut Vec<u8>| {
        let len = (12 + body.len() as u32).to_le_bytes();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(len);
        bytes.extend_from_slice(body);
        bytes.extend(len);
    };
    let section = [&[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..], &[0xff; 8]].concat();
    block(0x0a0d_0d0a, &section, &mut bytes);
    for name in 0..20u8 {
        let mut interface = vec![1, 0, 0, 0, 0, 0, 4, 0];
        interface.extend([3, 0, 0x60, 0xea]);
        interface.extend([b'a' + name; 60_000]);
        interface.extend([0; 4]);
        block(1, &interface, &mut bytes);
    }
    for time in 0..60u8 {
        let mut packet = vec![0; 8];
        packet.extend([time, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0]);
        packet.extend([0; 60]);
        block(6, &packet, &mut bytes);
    }
    std::fs::write(&long, &bytes).expect("it is written");
    let out = folder.path().join("out%3i.pcapng");
    for (rows_max, resume_every) in [(2048, 0), (7, 1)] {
        let query = format!("pcapwrite -s 1 -f {} | count()", out.display());
        let (count, _) = run(&query, &long, &options(rows_max, resume_every));
        assert_eq!(count, "60\n");
        let files = std::fs::read_dir(folder.path()).expect("it can be read");
        // The capture itself, one with the interfaces, and one with what follows.
        assert_eq!(files.count(), 3, "by {rows_max}");
    }
}

/// The fields that tell a packet and what is said of it.
const ALL: &str = "print -v ts len caplen linktype snaplen frame.interface_name \
                   frame.interface_description frame.comment frame.packet_flags frame.drop_count \
                   frame.custom packet";

/// Whatever stands between reading and writing, packets keep what is said of them, and secrets and
/// names stay.
#[test]
fn packets_keep_what_is_said_of_them() {
    let folder = folder();
    let out = folder.path().join("out.pcapng");
    let mixed = own("mixed.pcapng");
    for between in [
        "where len > 60",
        "sort -r len",
        "deskew -b 2026-01-01T00:00:02.000000001Z ts",
        "head 2",
        "tail 3",
        "uniq len",
    ] {
        let expected = print(&format!("{between} | {ALL}"), &mixed);
        assert!(expected.lines().count() > 1, "{between}");
        print(
            &format!("{between} | pcapwrite -f {} | count()", out.display()),
            &mixed,
        );
        assert_eq!(print(ALL, &out), expected, "{between}");
        let written = bytes(&out);
        assert_eq!(blocks(&written).1, written.len(), "{between}");
    }
}

/// Captures of other formats, of several link types, and of several files in one.
#[test]
fn other_captures_become_pcapng() {
    let folder = folder();
    let out = folder.path().join("out.pcapng");
    let query = format!("pcapwrite -f {} | count()", out.display());
    let fields = "print ts len caplen linktype packet";
    for path in own_captures() {
        let count = print(&query, &path);
        assert_eq!(print("count()", &path), count, "{}", path.display());
        let (read, written) = (print(fields, &path), print(fields, &out));
        assert!(read == written, "{}", path.display());
        let theirs = Command::new("capinfos")
            .args(["-c", "-M"])
            .arg(&out)
            .output();
        let theirs = theirs.expect("capinfos runs: `make setup` installs it");
        let said = String::from_utf8_lossy(&theirs.stdout).into_owned();
        let theirs = said
            .lines()
            .find_map(|line| line.strip_prefix("Number of packets:"));
        let count = count.trim();
        let count = if count.is_empty() { "0" } else { count };
        assert_eq!(theirs.map(str::trim), Some(count), "{said}");
    }
    let files = [
        "five.pcap",
        "mixed.pcapng",
        "five-nano-be.pcap",
        "mixed.pcapng",
    ]
    .map(own);
    let files: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let of_all = |query: &str| {
        let all = run_files(query, files.clone(), &Options::default());
        let (text, _) = all.expect("captures");
        String::from_utf8_lossy(&text).into_owned()
    };
    of_all(&query);
    assert_eq!(print(ALL, &out), of_all(ALL));
}

/// Files of a section that follow each other have all of its interfaces.
#[test]
fn files_follow_each_other_by_count() {
    let folder = folder();
    let mixed = own("mixed.pcapng");
    let out = folder.path().join("%Y-%3i.pcapng.zst");
    let query = format!("pcapwrite -c 2 -f {} | count()", out.display());
    for (rows_max, resume_every) in [(2048, 0), (1, 1)] {
        run(&query, &mixed, &options(rows_max, resume_every));
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder.path())
            .expect("it can be read")
            .map(|entry| entry.expect("it can be read").path())
            .collect();
        files.sort();
        assert!(files.len() >= 3, "{files:?}");
        let printed: String = files.iter().map(|path| print(ALL, path)).collect();
        assert_eq!(printed, print(ALL, &mixed));
        for path in files {
            let count = print("count()", &path);
            assert!(
                ["1\n", "2\n"].contains(&count.as_str()),
                "{}",
                path.display()
            );
            std::fs::remove_file(path).expect("it is there");
        }
    }
}

/// All kinds of compression, by name and by option; and other programs unpack what was written.
#[test]
fn files_are_compressed() {
    let folder = folder();
    let office = own("office.pcap");
    let plain = bytes(&office);
    for (end, kind, program) in [
        (".gz", "gzip", "gzip"),
        (".zst", "zstd", "zstd"),
        (".lz4", "lz4", "lz4"),
        (".bz2", "bzip2", "bzip2"),
        (".xz", "xz", "xz"),
    ] {
        let by_name = folder.path().join(format!("a.pcap{end}"));
        let by_option = folder.path().join("b.pcap");
        print(
            &format!("pcapwrite -f {} | count()", by_name.display()),
            &office,
        );
        let query = format!("pcapwrite --compress {kind} -f {}", by_option.display());
        print(&format!("{query} | count()"), &office);
        assert!(bytes(&by_name) == bytes(&by_option), "{kind}");
        assert!(bytes(&by_name).len() < plain.len() * 9 / 10, "{kind}");
        let fields = "print ts len packet";
        assert!(print(fields, &by_name) == print(fields, &office), "{kind}");
        let packed = std::fs::File::open(&by_name).expect("it was written");
        match Command::new(program).arg("-dc").stdin(packed).output() {
            Ok(unpacked) => {
                assert!(unpacked.status.success(), "{kind}: {unpacked:?}");
                // The snaplen cannot be corrected, so it is a large one.
                assert!(
                    unpacked.stdout[..16] == plain[..16] && unpacked.stdout[20..] == plain[20..]
                );
            }
            Err(_) => eprintln!("{program} is not there: {kind} was read by ourselves only"),
        }
    }
}

#[test]
fn a_capture_without_packets_is_one() {
    let folder = folder();
    let out = folder.path().join("out.pcapng");
    let query = format!("pcapwrite -f {} | count()", out.display());
    print(&query, &own("empty.pcap"));
    assert_eq!(blocks(&bytes(&out)).0.len(), 1);
    print(
        &format!("where len > 100000 | {query}"),
        &own("mixed.pcapng"),
    );
    // What was read and is no packet stays.
    let written = bytes(&out);
    assert!(blocks(&written).0.len() > 3);
    assert_eq!(print("count()", &out), "");
    let none = "where len > 100000 | pcapwrite --format pcapng";
    let path = own("five.pcap").display().to_string();
    let (text, _) = run_query(none, &path, &Options::default()).expect("a capture");
    assert_eq!(blocks(&text), (vec![text.as_slice()], 28));
}

/// Whatever is damaged in a capture, what is written of it is sound, and read without a word.
#[test]
fn what_is_written_of_damaged_captures_is_sound() {
    let folder = folder();
    let [damaged, out] = ["damaged", "out.pcapng"].map(|name| folder.path().join(name));
    let query = format!("pcapwrite -f {} | count()", out.display());
    let mut captures: Vec<PathBuf> = shared_captures().into_iter().take(3).collect();
    captures.extend(["mixed.pcapng", "holes.pcapng"].map(own));
    let (mut random, mut packets) = (Random(5), 0);
    for path in captures {
        let original = bytes(&path);
        for _ in 0..number("WIREQ_MUTATIONS", 60).min(300) {
            let mut changed = original.clone();
            for _ in 0..1 + random.below(6) {
                let at = random.below(changed.len());
                let end = (at + random.below(40)).min(changed.len());
                match random.below(3) {
                    0 => changed[at] = random.next() as u8,
                    1 => changed.truncate(at.max(100)),
                    _ => changed.drain(at..end).for_each(drop),
                }
            }
            std::fs::write(&damaged, &changed).expect("it is written");
            let count = print(&query, &damaged);
            let written = bytes(&out);
            assert_eq!(blocks(&written).1, written.len(), "{}", path.display());
            let (again, report) = run("count()", &out, &Options::default());
            assert_eq!(again, count, "{}", path.display());
            let mut inputs = report
                .accounts
                .iter()
                .filter_map(|node| node.input.as_ref());
            let unknown = "blocks of types that are not known";
            assert!(inputs.all(|input| input.inputs.iter().all(|input| {
                input
                    .skipped
                    .iter()
                    .all(|skipped| skipped.reason == unknown)
            })));
            packets += count.trim().parse::<u64>().unwrap_or(0);
        }
    }
    println!("{packets} packets of damaged captures written");
    assert!(packets > 200);
}
