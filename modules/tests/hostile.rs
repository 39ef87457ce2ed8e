//! Hostile bytes: captures cut and mutated never panic, and every byte is accounted for.
//!
//! `make test` runs a seeded sample; `make check-all` more, over the shared captures too.

mod support;

use std::path::{Path, PathBuf};
use support::{Random, number, own_captures, run_query, shared, shared_pcaps};
use wireq_engine::schedule::Options;

/// A file of its own for this test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(
            std::env::temp_dir().join(format!("wireq-hostile-{name}-{}.pcap", std::process::id())),
        )
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs queries over bytes as a capture and checks that each byte was used or skipped.
fn survives(bytes: &[u8], scratch: &Scratch, what: &str) {
    std::fs::write(&scratch.0, bytes).expect("the temporary folder takes files");
    let path = scratch.0.to_string_lossy();
    let (_, report) = run_query("print", &path, &Options::default())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut covered = 0;
    for input in report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref())
        .flat_map(|input| &input.inputs)
    {
        covered += input.bytes_used + input.bytes_skipped();
    }
    assert_eq!(
        covered,
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

fn captures() -> Vec<PathBuf> {
    let mut paths = own_captures();
    if std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all") {
        let folder = shared();
        paths.extend(
            folder
                .iter()
                .flat_map(|folder| shared_pcaps(folder))
                .map(|capture| capture.path),
        );
    }
    paths
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn cut_captures_are_read_to_the_cut() {
    let scratch = Scratch::new("cut");
    let mut random = Random(1);
    let mut runs = 0;
    for path in captures() {
        let bytes = read(&path);
        let all = path
            .parent()
            .is_some_and(|parent| parent.ends_with("testdata/captures"));
        for cut in 0..bytes.len().min(4096) {
            // Every byte of a file header, and a sample behind it.
            if cut <= 60 && all || random.below(40) == 0 {
                survives(
                    &bytes[..cut],
                    &scratch,
                    &format!("{} cut at {cut}", path.display()),
                );
                runs += 1;
            }
        }
    }
    println!("{runs} cut captures");
    assert!(runs > 500);
}

#[test]
fn mutated_captures_are_read() {
    let scratch = Scratch::new("mutated");
    let count = number("WIREQ_MUTATIONS", 60);
    let mut runs = 0;
    for path in captures() {
        let original = read(&path);
        for seed in 0..count {
            let mut random = Random(seed as u64);
            let mut bytes = original.clone();
            for _ in 0..1 + random.below(8) {
                mutate(&mut bytes, &mut random);
            }
            survives(
                &bytes,
                &scratch,
                &format!("{} mutated with seed {seed}", path.display()),
            );
            runs += 1;
        }
    }
    println!("{runs} mutated captures");
}

/// One change: a byte, a number that lies, a stretch lost or repeated.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(5) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        2 => {
            let lie = [0, 1, 0x7fff_ffff, u32::MAX, 65_535][random.below(5)].to_le_bytes();
            if let Some(word) = bytes.get_mut(at..at + 4) {
                word.copy_from_slice(&lie);
            }
        }
        3 => {
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
