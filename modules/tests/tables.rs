//! Tables of any bytes: nothing panics, every byte is accounted for, and what is read depends
//! neither on batches nor on how many bytes come at a time.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Kept, Random, number};
use wireq_engine::Report;
use wireq_engine::schedule::{Options, run};
use wireq_query_lang::{Text, compile};
use wireq_typesys::Zone;

/// A file of its own for a test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("wireq-tables-{name}-{}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.0, bytes).expect("the temporary folder takes files");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a query in which `FILE` stands for a path.
fn run_over(query: &str, path: &Path, options: &Options) -> (String, Report) {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.replace("FILE", &path.to_string_lossy()),
    }];
    let language = wireq_query_lang::Options::new(&zone);
    let plan = compile(&texts, &wireq_modules::registry(), &language)
        .unwrap_or_else(|_| panic!("{query} compiles"));
    let mut text = Kept::default();
    let report = run(plan, options, &mut text).unwrap_or_else(|error| panic!("{query}: {error}"));
    (String::from_utf8_lossy(&text.0).into_owned(), report)
}

fn batches(rows_max: usize) -> Options {
    Options {
        rows_max,
        ..Options::default()
    }
}

/// Checks that each byte of a file was used or skipped, and each row is accounted for.
fn is_accounted_for(report: &Report, len: usize, what: &str) {
    for node in &report.accounts {
        assert!(node.account.adds_up(), "{what}: {node:?}");
        for input in node.input.iter().flat_map(|input| &input.inputs) {
            let skipped = input.bytes_skipped();
            let covered = input.bytes_used + skipped;
            let whole = covered == len as u64 || input.unusable.is_some();
            assert!(whole, "{what}: {covered} of {len} bytes: {input:?}");
        }
    }
}

const QUERIES: &[&str] = &[
    "tabularinput -f FILE | print line 1 2 3",
    "tabularinput -d ',' -f FILE | print 1 2 3 4 line.length",
    "tabularinput -d ',' -f FILE a:unsigned b:address c:time d:double | print a b c d 5",
    "tabularinput -d ',' -f FILE a:signed b:prefix c:duration d:mac e:bool | print a b c d e",
    "tabularinput -d ' ' -q -f FILE a:bytes b:text c:ip-protocol | print a b c",
    "tabularinput -d ',' -f FILE | substr 2 1 2 x | print 1 count() sum(2) min(3) group by 1",
    "tabularinput -d ',' -f FILE a b c | where a > 5 or not b = \"x\" or c != 1.5 | print a b c",
    "tabularinput -d ',' -f FILE a b c | uniq a b | sort c a | print a b c",
    "tabularinput -d ',' -f FILE | count()",
    "csv --no-header FILE | print 2 1",
];

/// Something that looks like a table.
fn table(random: &mut Random) -> Vec<u8> {
    const CELLS: [&[u8]; 22] = [
        b"",
        b"1",
        b"-2",
        b"3.5",
        b"007",
        b"x",
        b"\"q,\n\"",
        b"\"a\"\"b\"",
        b"\"\"",
        b"10.0.0.1",
        b"fd00::1",
        b"2026-01-01",
        b"\xff\xfe",
        b"\0",
        b" 7 ",
        b"tcp",
        b"1h",
        b"1e400",
        b"true",
        b"99999999999999999999999999",
        b"00:00:5e:00:53:01",
        b"10.0.0.0/8",
    ];
    const BETWEEN: [&[u8]; 10] = [
        b",", b",", b",", b",", b"\n", b"\n", b"\r\n", b"\t", b" ", b"\"",
    ];
    let mut bytes = Vec::new();
    if random.below(8) == 0 {
        bytes.extend_from_slice(b"\xef\xbb\xbf");
    }
    for _ in 0..random.below(60) {
        bytes.extend_from_slice(CELLS[random.below(CELLS.len())]);
        bytes.extend_from_slice(BETWEEN[random.below(BETWEEN.len())]);
    }
    for _ in 0..random.below(3) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = random.next() as u8;
        }
    }
    bytes
}

#[test]
fn any_bytes_are_read_alike_in_all_batches() {
    let scratch = Scratch::new("any");
    let count = number("WIREQ_MUTATIONS", 60) * 2;
    for seed in 0..count {
        let bytes = table(&mut Random(seed as u64));
        scratch.write(&bytes);
        for query in QUERIES {
            let what = format!("{query} over the table of seed {seed}");
            let (expected, report) = run_over(query, &scratch.0, &batches(2048));
            is_accounted_for(&report, bytes.len(), &what);
            for rows_max in [1, 3] {
                let (text, report) = run_over(query, &scratch.0, &batches(rows_max));
                assert_eq!(text, expected, "{what} in batches of {rows_max}");
                is_accounted_for(&report, bytes.len(), &what);
            }
        }
    }
    println!("{count} tables");
}

/// Headers of any bytes: all columns that they name can be printed.
#[test]
fn any_bytes_are_header_lines() {
    let scratch = Scratch::new("header");
    for seed in 0..number("WIREQ_MUTATIONS", 60) * 2 {
        let bytes = table(&mut Random(1000 + seed as u64));
        scratch.write(&bytes);
        for query in [
            "csv FILE",
            "tsv -q FILE | print",
            "csv -d ' ' FILE | print -v | count()",
        ] {
            let what = format!("{query} over the table of seed {seed}");
            let (expected, report) = run_over(query, &scratch.0, &batches(2048));
            is_accounted_for(&report, bytes.len(), &what);
            let (text, _) = run_over(query, &scratch.0, &batches(1));
            assert_eq!(text, expected, "{what}");
        }
    }
}

/// A pipe in which bytes come by and by gives what a file gives.
#[test]
fn pipes_give_what_files_give() {
    let (file, pipe) = (Scratch::new("file"), Scratch::new("pipe"));
    let made = Command::new("mkfifo").arg(&pipe.0).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo runs");
    for seed in 0..20 {
        let mut random = Random(5000 + seed);
        let mut bytes = Vec::new();
        let wanted = [50, 3000, 700_000][random.below(3)];
        while bytes.len() < wanted {
            bytes.extend(table(&mut random));
        }
        file.write(&bytes);
        for query in [
            "tabularinput -d ',' -f FILE | print 1 2 3 line",
            "csv FILE | print line line.length",
        ] {
            let (expected, _) = run_over(query, &file.0, &Options::default());
            let (path, bytes, mut random) = (pipe.0.clone(), bytes.clone(), Random(seed));
            let writer = std::thread::spawn(move || {
                let mut pipe = std::fs::OpenOptions::new().write(true).open(path)?;
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let most = [1, 100, 70_000][random.below(3)];
                    let (now, later) = rest.split_at((1 + random.below(most)).min(rest.len()));
                    pipe.write_all(now)?;
                    rest = later;
                }
                Ok::<(), std::io::Error>(())
            });
            let (text, report) = run_over(query, &pipe.0, &Options::default());
            writer
                .join()
                .expect("the writer ends")
                .expect("the pipe takes all");
            assert!(text == expected, "{query} over seed {seed}");
            is_accounted_for(&report, bytes_of(&report), query);
        }
    }
}

fn bytes_of(report: &Report) -> usize {
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let inputs = inputs.flat_map(|input| &input.inputs);
    inputs
        .map(|input| {
            let skipped = input.bytes_skipped();
            (input.bytes_used + skipped) as usize
        })
        .sum()
}

/// Records just within and just beyond the bound, with and without quotes; what follows is read.
#[test]
fn records_beyond_the_bound_are_skipped() {
    const BOUND: usize = 16 * 1024 * 1024;
    let scratch = Scratch::new("long");
    for (quote, len, records) in [
        (false, BOUND, 3),
        (false, BOUND + 1, 2),
        (false, 3 * BOUND, 2),
        (true, BOUND, 3),
        (true, BOUND + 1, 2),
        (true, 2 * BOUND, 2),
    ] {
        let mut bytes = b"1,2\n".to_vec();
        let start = bytes.len();
        bytes.resize(start + len, b'x');
        if quote {
            bytes[start] = b'"';
            bytes[start + 5] = b'\n';
            bytes[start + len - 1] = b'"';
        }
        bytes.extend_from_slice(b"\n3,4\n");
        scratch.write(&bytes);
        let query = "tabularinput -d ',' -f FILE | count()";
        let (text, report) = run_over(query, &scratch.0, &Options::default());
        let what = format!("{len} bytes, quotes {quote}");
        assert_eq!(text, format!("{records}\n"), "{what}");
        is_accounted_for(&report, bytes.len(), &what);
    }
}

/// Quotes that nothing closes are looked at once, not once for every line.
#[test]
fn unclosed_quotes_take_linear_time() {
    let scratch = Scratch::new("unclosed");
    let line = b"\"a,b\nc,\"\"d\n";
    scratch.write(&line.repeat(8 * 1024 * 1024 / line.len()));
    let begun = std::time::Instant::now();
    let query = "tabularinput -d ',' -f FILE | count()";
    let (_, report) = run_over(query, &scratch.0, &Options::default());
    is_accounted_for(
        &report,
        8 * 1024 * 1024 / line.len() * line.len(),
        "unclosed",
    );
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
