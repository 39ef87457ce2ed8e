//! Captures cut and mutated: no panic, every byte accounted for, and bounded work.
//!
//! `make test` runs a seeded sample, over captures of every format; `make check-all` cuts every
//! shared capture at each byte of its first 4 KiB and mutates each a thousand times.

use super::open_capture::{Capture, Reading, Stop};
use crate::read::blocks::{Blocks, Pool, Stream};
use crate::read::packed::{Means, Packed};
use crate::types::packet::Frames;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use wireq_engine::InputReport;

/// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Bytes in memory as an input.
struct Memory(Cursor<Vec<u8>>);

impl Stream for Memory {
    fn read(&mut self, room: &mut [u8], _: &AtomicBool) -> io::Result<usize> {
        self.0.read(room)
    }
}

/// Reads bytes as a capture to their end: what the report says, and a sum over the frames. What
/// stands between frames is kept in half of the cases.
fn read(bytes: Vec<u8>, rows_max: usize, pool: &mut Pool) -> (InputReport, u64) {
    let keeps = (bytes.len() + rows_max) % 2 == 1;
    let stream = Box::new(Memory(Cursor::new(bytes)));
    read_stream(stream, rows_max, keeps, pool)
}

fn read_stream(
    stream: Box<dyn Stream>,
    rows_max: usize,
    keeps: bool,
    pool: &mut Pool,
) -> (InputReport, u64) {
    let mut report = InputReport::default();
    let mut reading = Reading {
        pool,
        interrupt: &AtomicBool::new(false),
        report: &mut report,
        strict: false,
    };
    let input = Blocks::stream(stream, reading.pool);
    let mut capture = match Capture::begin(input, 0, &mut reading) {
        Ok(capture) => capture,
        Err(Stop::Damaged(..)) => return (report, 0),
        Err(_) => panic!("bytes in memory can be read"),
    };
    let (mut frames, mut sum) = (Frames::default(), 0u64);
    frames.blocks = keeps;
    while capture.frames(&mut frames, rows_max, &mut reading).is_ok() {
        let kept = capture.beside();
        assert!(kept.is_none() || keeps);
        if frames.rows.is_empty() && kept.is_none() {
            break;
        }
        for frame in &frames.rows {
            let end = frame.start as usize + frame.caplen as usize;
            let bytes = &frames.block.0[frame.start as usize..end];
            let first = bytes.first().copied().unwrap_or_default();
            let interfaces = frames.interfaces.len();
            assert!(
                frames.interface(frame).is_some(),
                "{frame:?} of {interfaces} interfaces"
            );
            sum = (sum.rotate_left(5) ^ frame.ts as u64 ^ u64::from(frame.caplen))
                .wrapping_add(first.into());
        }
        frames.rows.clear();
        frames.let_go();
    }
    report.bytes_searched = capture.searched();
    capture.close(None, &mut report);
    (report, sum)
}

/// Bytes looked at that are free, whatever the length of a file.
const WORK_FREE: u64 = 16 * 1024;

/// Says what was tried where that panics.
struct Tried<F: Fn() -> String>(F);

impl<F: Fn() -> String> Drop for Tried<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("tried: {}", (self.0)());
        }
    }
}

/// Reads bytes and checks what is said of them; gives the work for each byte.
fn survives(bytes: &[u8], pool: &mut Pool, what: impl Fn() -> String) -> f64 {
    let _tried = Tried(&what);
    let (report, _) = read(bytes.to_vec(), 2048, pool);
    let len = bytes.len() as u64;
    let covered = report.bytes_used + report.bytes_skipped();
    assert_eq!(covered, len, "{}: bytes used and skipped", what());
    let work = report.bytes_used + report.bytes_searched;
    assert!(
        work <= 4 * len + WORK_FREE,
        "{}: looks at {work} bytes of {len}",
        what()
    );
    work as f64 / len.max(1) as f64
}

/// The captures to be tried: our own, and the shared ones, where there are any.
fn captures(one_in: usize) -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/captures");
    let shared = std::env::var_os("WIREQ_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let shared = shared.join("data/captures");
    if !shared.exists() {
        eprintln!("NOT TRIED: the shared captures, for lack of them; set WIREQ_SHARED");
    }
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut random = Random(11);
    let mut found = Vec::new();
    for (folder, ours) in [(own, true), (shared, false)] {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end != "tsv"));
        paths.sort();
        // Rarer formats are always there.
        let kept = |path: &PathBuf| {
            let is_pcap = path.extension().is_some_and(|end| end == "pcap");
            ours || all || random.below(if is_pcap { one_in } else { one_in / 4 + 1 }) == 0
        };
        found.extend(paths.into_iter().filter(kept));
    }
    found
}

fn number(name: &str, default: usize) -> usize {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
fn every_prefix_is_read_to_the_cut() {
    let mut pool = Pool::default();
    let (mut runs, mut most) = (0, 0f64);
    let paths = captures(100);
    for path in &paths {
        let bytes = std::fs::read(path).expect("a capture can be read");
        for cut in 0..bytes.len().min(4096) {
            let what = || format!("{} cut at {cut}", path.display());
            let work = survives(&bytes[..cut], &mut pool, what);
            if cut > 1024 {
                most = most.max(work);
            }
            runs += 1;
        }
    }
    println!(
        "{runs} prefixes of {} captures, work at most {most:.2} of a byte",
        paths.len()
    );
    assert!(runs > 1000);
}

#[test]
fn mutations_are_read() {
    let mut pool = Pool::default();
    let count = number("WIREQ_MUTATIONS", 100) as u64;
    let (mut runs, mut sum) = (0, 0f64);
    let paths = captures(20);
    for path in &paths {
        let original = std::fs::read(path).expect("a capture can be read");
        for seed in 0..count {
            let mut random = Random(seed);
            let mut bytes = original.clone();
            for _ in 0..1 + random.below(8) {
                mutate(&mut bytes, &mut random);
            }
            let what = || format!("{} mutated with seed {seed}", path.display());
            sum += survives(&bytes, &mut pool, what);
            runs += 1;
        }
    }
    println!(
        "{runs} mutations of {} captures, work {:.3} of a byte",
        paths.len(),
        sum / f64::from(runs)
    );
    assert!(runs > 500);
}

/// One change: a byte, a number that lies, a stretch lost, repeated or of zeros.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let end = (at + random.below(64)).min(bytes.len());
    match random.below(6) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        2 => {
            let lie = [0, 1, 0x7fff_ffff, u32::MAX, 65_535, 32][random.below(6)];
            if let Some(word) = bytes.get_mut(at..at + 4) {
                word.copy_from_slice(&lie.to_le_bytes());
            }
        }
        3 => {
            bytes.drain(at..end);
        }
        4 => bytes[at..end].fill(0),
        _ => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

#[test]
fn frames_are_the_same_whatever_the_size_of_batches() {
    let mut pool = Pool::default();
    for path in captures(40) {
        let original = std::fs::read(&path).expect("a capture can be read");
        for seed in 0..10 {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut Random(seed));
            let expected = read(bytes.clone(), 2048, &mut pool);
            for rows_max in [1, 3] {
                let (report, sum) = read(bytes.clone(), rows_max, &mut pool);
                assert_eq!(sum, expected.1, "{} seed {seed}", path.display());
                assert_eq!(report.skipped, expected.0.skipped);
                assert_eq!(report.faults, expected.0.faults);
            }
        }
    }
}

/// Compressed captures and archives, damaged: whatever can be unpacked is read, and it ends.
#[test]
fn damaged_packed_captures_are_read_and_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/captures");
    let (mut pool, never) = (Pool::default(), AtomicBool::new(false));
    let (mut files, mut records) = (0, 0);
    for name in ["five.pcap.gz", "cut.pcap.gz", "archive.tar"] {
        let original = std::fs::read(folder.join(name)).expect("it ships");
        for seed in 0..number("WIREQ_MUTATIONS", 100) as u64 {
            let mut random = Random(seed);
            let mut bytes = original.clone();
            // What is packed as before comes first.
            for _ in 0..random.below(4) {
                mutate(&mut bytes, &mut random);
            }
            let input = Blocks::stream(Box::new(Memory(Cursor::new(bytes))), &mut pool);
            let mut packed =
                Packed::new(input.into_source(), &Means::default(), false).expect("a thread");
            // An error ends what is unpacked.
            while let Ok(Some((_, stream))) = packed.next_file(&never) {
                let (report, _) = read_stream(stream, 2048, false, &mut pool);
                records += report.records;
                files += 1;
            }
        }
    }
    println!("{files} files unpacked, {records} records");
    assert!(files > 300 && records > 600);
}

/// Bytes that look like many records and are none cost no more than any others.
#[test]
fn what_nearly_is_a_record_costs_no_more() {
    let mut pool = Pool::default();
    let begins: [(&[u8], &[u8]); 4] = [
        (
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0",
            b"\x01\0\0\0",
        ),
        // Frames of USBPcap may be as large as any.
        (
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\x08\xf9\0\0\0",
            b"\0\0\x08\0",
        ),
        (
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
            b"\x06\0\0\0\x20\0\0\0",
        ),
        (b"snoop\0\0\0\0\0\0\x02\0\0\0\x04", b"\0\0\0\x01"),
    ];
    for (begin, unit) in begins {
        for filler in [unit, b"\0", b"\x01", b"\x06\0\0\0\0\x10\0\0", b"\xff"] {
            let mut bytes = begin.to_vec();
            bytes.extend([0xff; 16]);
            bytes.extend(filler.iter().cycle().take(600_000));
            let what = || format!("{filler:?} behind {:?}", &begin[..4]);
            survives(&bytes, &mut pool, what);
        }
    }
}

/// Blocks that claim millions of bytes, behind some that are read: each would have all of these moved.
#[test]
fn large_claims_that_lie_cost_no_more() {
    let mut pool = Pool::default();
    let section = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0";
    let names = b"\x04\0\0\0\x0c\0\0\0\x0c\0\0\0";
    let mut lies = [&names[..], b"\x04\0\0\0\0\0\xf0\0"].concat();
    lies.resize(60_000, b'-');
    let mut bytes = section.to_vec();
    (0..600).for_each(|_| bytes.extend(&lies));
    survives(&bytes, &mut pool, || {
        "blocks of 15 MiB that are none".to_owned()
    });

    let record = |seconds: u32, caplen: u32, len: u32| {
        [seconds, 0, caplen, len].map(u32::to_le_bytes).concat()
    };
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\x08\xf9\0\0\0".to_vec();
    for second in 0..600 {
        for _ in 0..3 {
            bytes.extend(record(1_000_000 + second, 4, 4));
            bytes.extend(b"data");
        }
        bytes.extend(record(1_000_000 + second, 15 << 20, 1));
        bytes.resize(bytes.len() + 60_000, b'-');
    }
    survives(&bytes, &mut pool, || {
        "records of 15 MiB that are none".to_owned()
    });
}
