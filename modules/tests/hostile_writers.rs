//! Hostile rows: whatever packets and flows claim, writers don't panic, take little memory, and write
//! what our own readers read back, row by row.
//!
//! `make test` runs a seeded sample; `make check-all` more.

#![allow(unsafe_code, reason = "a global allocator that counts")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Folder, Random, number, run_with};
use wireq_engine::Report;
use wireq_engine::schedule::Options;

/// The system's allocator, with the bytes that are in use, and the most that ever were.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    let used = USED.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(used, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a run may take beyond what was taken before it: inputs are no more than a few MiB.
const MEMORY_MAX: usize = 160 << 20;

/// Runs a query whose rows are all accounted for, in batches and resumed as the seed says.
fn run(query: &str, random: &mut Random) -> Result<(String, Report), String> {
    let options = Options {
        rows_max: [1, 3, 64, 2048][random.below(4)],
        resume_every: [0, 0, 1, 7][random.below(4)],
        ..Options::default()
    };
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let (result, text) = run_with(query, &options);
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    assert!(peak < MEMORY_MAX, "{query} takes {peak} bytes");
    let report = result.map_err(|error| error.to_string())?;
    for node in &report.accounts {
        assert!(node.account.adds_up(), "{query}: {node:?}");
    }
    Ok((String::from_utf8_lossy(&text).into_owned(), report))
}

/// A query that ends well; its lines.
fn lines(query: &str, random: &mut Random) -> (Vec<String>, Report) {
    let (text, report) = run(query, random).unwrap_or_else(|error| panic!("{query}: {error}"));
    (text.lines().map(str::to_owned).collect(), report)
}

/// What a reader has to say against its input.
fn complaints(report: &Report) -> Vec<String> {
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let inputs = inputs.flat_map(|input| &input.inputs);
    let of = |input: &wireq_engine::InputReport| {
        let skipped = input.skipped.iter().map(|skipped| skipped.reason.clone());
        let faults = input.faults.iter().map(|(reason, _)| reason.clone());
        let unusable = input.unusable.iter().cloned();
        let all: Vec<String> = skipped.chain(faults).chain(unusable).collect();
        all
    };
    inputs.flat_map(of).collect()
}

/// How many rows a stage let by, and how many it filtered.
fn passed(report: &Report, module: &str) -> (u64, u64) {
    let mut nodes = report.accounts.iter();
    let node = nodes.find(|node| node.name.to_string().starts_with(module));
    let account = &node.expect("the stage is there").account;
    (account.passed, account.filtered)
}

fn pick<T: Copy>(random: &mut Random, all: &[T]) -> T {
    all[random.below(all.len())]
}

/// One change of some bytes.
fn mutate(bytes: &mut Vec<u8>, from: usize, random: &mut Random) {
    let at = from + random.below(bytes.len().saturating_sub(from));
    match random.below(4) {
        0 => bytes[at] = random.next() as u8,
        1 => {
            let lie = pick(random, &[0, 1, 0x7fff_ffff, u32::MAX, 0xffff]);
            if let Some(word) = bytes.get_mut(at..at + 4) {
                word.copy_from_slice(&lie.to_le_bytes());
            }
        }
        2 => {
            let end = (at + random.below(40)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => bytes.truncate(at.max(from + 1)),
    }
}

/// Bytes of a packet: none, few, many, or about as many as readers take for one.
fn payload(random: &mut Random) -> Vec<u8> {
    let len = match random.below(40) {
        0..8 => 0,
        8..30 => random.below(90),
        30..39 => random.below(3000),
        _ => 262_144 - random.below(2),
    };
    (0..len).map(|_| random.next() as u8).collect()
}

const LINK_TYPES: [u32; 8] = [0, 1, 101, 113, 127, 276, 9999, 65_535];

/// A classic capture whose header and records say the oddest things.
fn classic(random: &mut Random) -> Vec<u8> {
    let big = random.below(2) == 0;
    let word = |number: u32| match big {
        true => number.to_be_bytes(),
        false => number.to_le_bytes(),
    };
    let magic = pick(random, &[0xa1b2_c3d4, 0xa1b2_3c4d]);
    let version = if big { 0x0002_0004 } else { 0x0004_0002 };
    let snaplen = pick(random, &[0, 1, 65_535, 262_144, u32::MAX]);
    let header = [magic, version, 0, 0, snaplen, pick(random, &LINK_TYPES)];
    let mut out: Vec<u8> = header.into_iter().flat_map(word).collect();
    for _ in 0..random.below(60) {
        let bytes = payload(random);
        let len = match random.below(3) {
            0 => pick(random, &[0, 1, u32::MAX]),
            _ => bytes.len() as u32,
        };
        let seconds = pick(random, &[0, 1, 1_700_000_000, i32::MAX as u32, u32::MAX]);
        let fraction = random.below(1_000_000) as u32;
        let record = [seconds, fraction, bytes.len() as u32, len];
        out.extend(record.into_iter().flat_map(word));
        out.extend(bytes);
    }
    out
}

/// Blocks of pcapng of an order of bytes.
struct Blocks {
    big: bool,
    out: Vec<u8>,
}

impl Blocks {
    fn word(&self, number: u32) -> [u8; 4] {
        match self.big {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    fn half(&self, number: u16) -> [u8; 2] {
        match self.big {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    fn block(&mut self, kind: u32, mut body: Vec<u8>) {
        body.resize(body.len().next_multiple_of(4), 0);
        let len = self.word(12 + body.len() as u32);
        let kind = self.word(kind);
        self.out.extend(kind);
        self.out.extend(len);
        self.out.extend(body);
        self.out.extend(len);
    }

    fn section(&mut self, random: &mut Random) {
        let mut body = self.word(0x1a2b_3c4d).to_vec();
        body.extend(self.half(1));
        body.extend(self.half(0));
        let len = pick(random, &[u64::MAX, 0, 1, 28, u64::MAX - 1]);
        body.extend(self.word((len >> 32) as u32));
        body.extend(self.word(len as u32));
        self.block(0x0a0d_0d0a, body);
    }

    fn option(&self, code: u16, value: &[u8], out: &mut Vec<u8>) {
        out.extend(self.half(code));
        out.extend(self.half(value.len() as u16));
        out.extend(value);
        out.resize(out.len().next_multiple_of(4), 0);
    }

    fn interface(&mut self, random: &mut Random) {
        let mut body = self.half(pick(random, &LINK_TYPES) as u16).to_vec();
        body.extend(self.half(random.below(2) as u16));
        body.extend(self.word(pick(random, &[0, 1, 65_535, u32::MAX])));
        if random.below(3) > 0 {
            let name = vec![b'a' + random.below(26) as u8; pick(random, &[0, 1, 5, 3000])];
            self.option(2, &name, &mut body);
        }
        if random.below(2) == 0 {
            let resolution = pick(random, &[0, 3, 6, 9, 19, 20, 127, 128, 190, 191, 255]);
            self.option(9, &[resolution], &mut body);
        }
        if random.below(6) == 0 {
            let offset = pick(random, &[0, 1, i64::MAX as u64, u64::MAX, 1 << 63]);
            let [high, low] = [self.word((offset >> 32) as u32), self.word(offset as u32)];
            let halves = if self.big { [high, low] } else { [low, high] };
            self.option(14, &halves.concat(), &mut body);
        }
        if random.below(2) == 0 {
            self.option(0, &[], &mut body);
        }
        self.block(1, body);
    }

    fn packet(&mut self, interfaces: usize, random: &mut Random) {
        let bytes = payload(random);
        let len = pick(random, &[0, 1, bytes.len() as u32, u32::MAX]);
        let beyond = usize::from(random.below(20) == 0);
        let number = random.below(interfaces + beyond);
        let ticks = pick(
            random,
            &[0, 1, 1_700_000_000_000_000, 1 << 63, u64::MAX, 123_456_789],
        );
        let kind = pick(random, &[6, 6, 6, 2, 3]);
        let mut body = Vec::new();
        match kind {
            6 => body.extend(self.word(number as u32)),
            2 => {
                body.extend(self.half(number as u16));
                body.extend(self.half(pick(random, &[0, 7, u16::MAX])));
            }
            _ => {}
        }
        if kind == 3 {
            body.extend(self.word(bytes.len() as u32));
        } else {
            let words = [(ticks >> 32) as u32, ticks as u32, bytes.len() as u32, len];
            body.extend(words.into_iter().flat_map(|number| self.word(number)));
        }
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        if kind != 3 && random.below(4) == 0 {
            self.option(1, b"odd", &mut body);
            self.option(0, &[], &mut body);
        }
        self.block(kind, body);
    }

    fn other(&mut self, random: &mut Random) {
        let kind = pick(random, &[4, 5, 10, 0xbad, 0x8000_0001]);
        let body = (0..8 + random.below(60)).map(|_| random.next() as u8);
        let body = body.collect();
        self.block(kind, body);
    }
}

/// A capture of pcapng, of sections with no interface, with some, and with very many.
fn pcapng(random: &mut Random) -> Vec<u8> {
    let (mut blocks, mut interfaces) = (
        Blocks {
            big: false,
            out: Vec::new(),
        },
        0,
    );
    for at in 0..random.below(120) {
        match random.below(30) {
            _ if at == 0 => {}
            0 => {}
            1..6 => {
                let many = if random.below(40) == 0 { 3000 } else { 1 };
                (0..many).for_each(|_| blocks.interface(random));
                interfaces += many;
                continue;
            }
            6 | 7 => {
                blocks.other(random);
                continue;
            }
            _ => {
                blocks.packet(interfaces, random);
                continue;
            }
        }
        blocks.big = random.below(2) == 0;
        interfaces = 0;
        blocks.section(random);
    }
    blocks.out
}

const PACKET: &str = "print -d '|' ts.nsec len caplen linktype packet.hex";

/// Whether a capture can't be written as it is asked for, which is said.
fn is_refusal(error: &str) -> bool {
    ["link type", "nanoseconds", "snaplen"]
        .iter()
        .any(|word| error.contains(word))
}

/// The packets of a classic capture as `PACKET` prints them, read to the letter: none where it is not
/// whole, of another order of bytes than is written, or of bytes that no record has.
fn packets_of(capture: &[u8]) -> Option<Vec<String>> {
    let word = |at: usize| {
        let bytes = capture.get(at..)?.first_chunk::<4>()?;
        Some(u64::from(u32::from_le_bytes(*bytes)))
    };
    let nanos = match word(0)? {
        0xa1b2_c3d4 => 1000,
        0xa1b2_3c4d => 1,
        _ => return None,
    };
    let link = word(20)?;
    let (mut at, mut packets) = (24, Vec::new());
    while at < capture.len() {
        let time = word(at)? * 1_000_000_000 + word(at + 4)? * nanos;
        let (caplen, len) = (word(at + 8)?, word(at + 12)?);
        at += 16;
        let bytes = capture.get(at..at + caplen as usize)?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        packets.push(format!("{time}|{len}|{caplen}|{link}|{hex}"));
        at += bytes.len();
    }
    Some(packets)
}

/// Packets: each that was passed is in the capture that was written, as it was.
#[test]
fn odd_packets_are_written_as_they_are() {
    let folder = Folder::new("hostile-packets");
    let [file, out] = ["in", "out"].map(|name| folder.path(name));
    let (mut packets, mut refused) = (0, 0);
    for seed in 0..number("WIREQ_MUTATIONS", 60) * 3 {
        let random = &mut Random(seed as u64);
        let mut bytes = match random.below(3) {
            0 => classic(random),
            _ => pcapng(random),
        };
        if random.below(3) == 0 && bytes.len() > 24 {
            let from = if random.below(3) == 0 { 0 } else { 24 };
            (0..1 + random.below(5)).for_each(|_| mutate(&mut bytes, from, random));
        }
        fs::write(&file, &bytes).expect("the folder takes files");
        let changes = pick(
            random,
            &[
                "",
                "",
                "",
                "sort -r len | ",
                "const -t unsigned -f linktype 70000 | ",
                "const -t unsigned -f len 7 | ",
            ],
        );
        for format in ["pcap", "pcapng"] {
            let nano = pick(random, &["", "--nano"]);
            let what = format!("seed {seed}, {changes}{format}");
            let write = format!("pcapwrite {nano} --format {format} -f {out}");
            let expected = match run(
                &format!("pcapfile {file} | {changes}{write} | {PACKET}"),
                random,
            ) {
                Ok((text, _)) => text,
                Err(error) => {
                    assert!(is_refusal(&error), "{what}: {error}");
                    refused += 1;
                    continue;
                }
            };
            let written = fs::read(&out).expect("it was written");
            // A packet that changed may need an interface of its own, with names of thousands of bytes.
            let described = match changes.starts_with("const") {
                true => expected.lines().count() * (8 << 10),
                false => 0,
            };
            let most = 2 * bytes.len() + described + (64 << 10);
            assert!(written.len() < most, "{what}: {} bytes", written.len());
            // A packet that changed cannot say a time before 1970; without one, no block says a length
            // that is less than what was kept.
            let told = |line: &str| -> String {
                let mut cells: Vec<&str> = line.split('|').collect();
                let number = |at: usize| cells[at].parse::<u64>().unwrap_or(0);
                let is_shorter = number(1) < number(2);
                let is_told = !cells[0].is_empty() && !cells[0].starts_with('-');
                if changes.starts_with("const") && !is_told {
                    cells[0] = "";
                    cells[1] = if is_shorter { cells[2] } else { cells[1] };
                }
                cells.join("|")
            };
            let expected: Vec<String> = expected.lines().map(told).collect();
            let (got, report) = lines(&format!("pcapfile {out} | {PACKET}"), random);
            // Readers guess at headers of classic records where nothing is plausible, zeros that a full
            // disk leaves, or headers with more in them: here they are read to the letter.
            let (got, complaints) = match format {
                "pcap" => {
                    let packets = packets_of(&written);
                    let packets = packets.unwrap_or_else(|| panic!("{what}: not whole"));
                    (packets, Vec::new())
                }
                _ => (got, complaints(&report)),
            };
            assert_eq!(got.len(), expected.len(), "{what}");
            for (got, expected) in got.iter().zip(&expected) {
                assert!(got == expected, "{what}: {got:.200} was {expected:.200}");
            }
            // Blocks stand as they stood.
            let kept = [
                "blocks of types that are not known",
                "packets with times that are too far from 1970",
            ];
            let unkept = |complaint: &&String| !kept.contains(&complaint.as_str());
            let complaints: Vec<&String> = complaints.iter().filter(unkept).collect();
            assert!(complaints.is_empty(), "{what}: {complaints:?}");
            packets += got.len();
        }
    }
    println!("{packets} odd packets written and read back; {refused} captures refused");
    assert!(packets > 1000 && refused > 0);
}

/// Elements of flows with the bytes that they have.
const BASE: [(u16, u16); 10] = [
    (152, 8),
    (153, 8),
    (2, 8),
    (1, 8),
    (7, 2),
    (11, 2),
    (4, 1),
    (6, 1),
    (5, 1),
    (58, 2),
];
const V4: [(u16, u16); 5] = [(8, 4), (12, 4), (15, 4), (9, 1), (13, 1)];
const V6: [(u16, u16); 5] = [(27, 16), (28, 16), (62, 16), (29, 1), (30, 1)];
const MORE: [(u16, u16); 4] = [(10, 4), (14, 4), (16, 4), (17, 4)];

/// An extreme number of so many bytes.
fn extreme(element: u16, len: u16, random: &mut Random) -> Vec<u8> {
    let any: u128 = u128::from(random.next()) << 64 | u128::from(random.next());
    let last = u64::from(u32::MAX) * 1000;
    let now = 1_700_000_000_000;
    let times = [
        0,
        1,
        now,
        now + 1,
        now + (1 << 32),
        last,
        last + 1,
        last - 1,
    ];
    let counts = [
        0,
        1,
        1 << 32,
        1 << 40,
        (1 << 40) + 1,
        i64::MAX as u64,
        u64::MAX,
    ];
    let number: u128 = match element {
        152 | 153 => match random.below(12) {
            0 => pick(random, &[u64::MAX, 1 << 63, i64::MAX as u64]).into(),
            _ => pick(random, &times).into(),
        },
        1 | 2 => pick(random, &counts).into(),
        _ => pick(random, &[0, 1, u128::MAX, any]),
    };
    number.to_be_bytes()[16 - usize::from(len)..].to_vec()
}

/// A message of IPFIX with flows of every extreme.
fn flows(random: &mut Random) -> Vec<u8> {
    let mut message = vec![0; 16];
    for number in 256..257 + random.below(4) as u16 {
        let mut fields: Vec<(u16, u16)> = BASE.to_vec();
        fields.extend(pick(random, &[V4, V4, V6]));
        if random.below(2) == 0 {
            fields.extend(MORE);
        }
        if random.below(3) == 0 {
            fields.remove(random.below(fields.len()));
        }
        let mut template = [number, fields.len() as u16].map(u16::to_be_bytes).concat();
        for (element, len) in &fields {
            template.extend(element.to_be_bytes());
            template.extend(len.to_be_bytes());
        }
        let mut records = Vec::new();
        for _ in 0..random.below(40) {
            for (element, len) in &fields {
                records.extend(extreme(*element, *len, random));
            }
        }
        for (set, body) in [(2, template), (number, records)] {
            message.extend(set.to_be_bytes());
            message.extend((4 + body.len() as u16).to_be_bytes());
            message.extend(body);
        }
    }
    let len = message.len() as u16;
    message[..2].copy_from_slice(&10u16.to_be_bytes());
    message[2..4].copy_from_slice(&len.to_be_bytes());
    message[4..8].copy_from_slice(&1_700_000_001u32.to_be_bytes());
    message
}

const FLOW: &str = "print -d '|' srcip dstip srcport dstport ipprotocol.number packets bytes \
                    tcp_flags start.sec end.sec";

/// A row as it is to be read back: what is absent is written as 0, and no end is before its start.
fn normal(line: &str) -> Vec<String> {
    let mut cells: Vec<String> = line.split('|').map(str::to_owned).collect();
    cells.resize(10, String::new());
    let number = |cell: &String| cell.parse::<i128>().unwrap_or(0);
    let end = match cells[9].is_empty() {
        true => number(&cells[8]),
        false => number(&cells[9]).max(number(&cells[8])),
    };
    cells[9] = end.to_string();
    for cell in cells.iter_mut().filter(|cell| cell.is_empty()) {
        *cell = "0".into();
    }
    cells
}

fn sum(rows: &[Vec<String>], cell: usize) -> u128 {
    let numbers = rows.iter().map(|row| row[cell].parse::<u128>());
    numbers.map(|number| number.unwrap_or(0)).sum()
}

/// Flows: each that was passed is among the records that were written, as it was.
#[test]
fn odd_flows_are_written_as_they_are() {
    let folder = Folder::new("hostile-flows");
    let [file, out] = ["in", "out"].map(|name| folder.path(name));
    let (mut records, mut filtered) = (0, 0);
    for seed in 0..number("WIREQ_MUTATIONS", 60) {
        let random = &mut Random(1_000_000 + seed as u64);
        let mut bytes = flows(random);
        let is_whole = random.below(3) > 0;
        if !is_whole {
            (0..1 + random.below(4)).for_each(|_| mutate(&mut bytes, 16, random));
        }
        fs::write(&file, &bytes).expect("the folder takes files");
        for (module, flags, read) in [
            ("netflowwrite", "-v 5", "netflow"),
            ("netflowwrite", "-v 9 --mtu 576 --refresh 1", "netflow"),
            ("netflowwrite", "-v 9", "netflow"),
            ("netflowwrite", "-v ipfix", "netflow"),
            ("netflowwrite", "--mtu 576 --refresh 2", "netflow"),
            ("nfcapdwrite", "", "nfcapd"),
            ("nfcapdwrite", "--lz4", "nfcapd"),
        ] {
            let what = format!("seed {seed}, {module} {flags}");
            let write = format!("{module} {flags} -f {out}");
            let (text, report) = lines(&format!("netflow {file} | {write} | {FLOW}"), random);
            let (by, dropped) = passed(&report, module);
            assert_eq!(by, text.len() as u64, "{what}");
            filtered += dropped;
            let (got, report) = lines(&format!("{read} {out} | {FLOW}"), random);
            let mut expected: Vec<Vec<String>> = text.iter().map(|row| normal(row)).collect();
            let mut got: Vec<Vec<String>> = got.iter().map(|row| normal(row)).collect();
            let complaints = complaints(&report);
            assert!(
                got.is_empty() || complaints.is_empty(),
                "{what}: {complaints:?}"
            );
            records += got.len();
            if flags == "-v 5" {
                // Divided where counters are beyond 32 bits.
                assert!(got.len() >= expected.len(), "{what}");
                assert!(got.len() <= 257 * expected.len(), "{what}");
                for cell in [5, 6] {
                    assert_eq!(sum(&got, cell), sum(&expected, cell), "{what}");
                }
                continue;
            }
            assert_eq!(got.len(), expected.len(), "{what}");
            if flags.starts_with("-v 9") {
                // Times of 32 bits of milliseconds: a flow of more weeks begins later.
                for row in expected.iter_mut().chain(&mut got) {
                    let of = |cell: &str| cell.parse::<i64>().unwrap_or(0);
                    if of(&row[9]) - of(&row[8]) > 4_208_000 {
                        row[8] = "long".into();
                    }
                }
            }
            // A field of other bytes than it has in messages of ours may be cut.
            if is_whole {
                expected.sort();
                got.sort();
                for (got, expected) in got.iter().zip(&expected) {
                    assert_eq!(got, expected, "{what}");
                }
            }
        }
    }
    println!("{records} odd records written and read back; {filtered} rows were no flows");
    assert!(records > 1000 && filtered > 100);
}
