//! What the tests over captures share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod beside;

use std::io;
use std::path::{Path, PathBuf};
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_engine::{Error, Report};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

/// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Keeps what is written.
#[derive(Default)]
pub struct Kept(pub Vec<u8>);

impl Outputs for Kept {
    fn write(&mut self, _: Target<'_>, bytes: &[u8], _: bool) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Runs a query over a capture.
pub fn run_query(query: &str, path: &str, options: &Options) -> Result<(Vec<u8>, Report), Error> {
    run_files(query, vec![path.to_owned()], options)
}

/// Runs a query over captures, one after the other.
pub fn run_files(
    query: &str,
    paths: Vec<String>,
    options: &Options,
) -> Result<(Vec<u8>, Report), Error> {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let files = Some(Files {
        module: "pcapfile",
        flags: Vec::new(),
        paths,
    });
    let language = wireq_query_lang::Options {
        files,
        ..wireq_query_lang::Options::new(&zone)
    };
    let plan = compile(&texts, &wireq_modules::registry(), &language)
        .unwrap_or_else(|_| panic!("{query} compiles"));
    let mut text = Kept::default();
    let report = run(plan, options, &mut text)?;
    Ok((text.0, report))
}

/// Runs a query that names its source; what it wrote, even where it fails.
pub fn run_with(query: &str, options: &Options) -> (Result<Report, Error>, Vec<u8>) {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let language = wireq_query_lang::Options::new(&zone);
    let plan = compile(&texts, &wireq_modules::registry(), &language).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.into_iter().map(|f| f.diagnostic.message).collect();
        panic!("{query}: {faults:?}")
    });
    let mut text = Kept::default();
    let result = run(plan, options, &mut text);
    (result, text.0)
}

/// Runs a query that names its source and ends well.
pub fn run_alone(query: &str) -> (String, Report) {
    let (result, text) = run_with(query, &Options::default());
    let report = result.unwrap_or_else(|error| panic!("{query}: {error}"));
    (String::from_utf8_lossy(&text).into_owned(), report)
}

/// A folder of its own for a test, removed at the end.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let folder = tempfile::Builder::new()
            .prefix(&format!("wireq-{name}-"))
            .tempdir();
        Folder(folder.expect("the temporary folder takes folders"))
    }

    /// Removes all that is in it.
    pub fn clear(&self) {
        std::fs::remove_dir_all(self.root()).expect("it can be removed");
        std::fs::create_dir(self.root()).expect("the temporary folder takes folders");
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> String {
        self.root().join(name).to_string_lossy().into_owned()
    }
}

/// What nfdump prints; none where it is not installed, which is said.
pub fn nfdump(arguments: &[&str]) -> Option<String> {
    let mut command = std::process::Command::new("nfdump");
    match command.env("TZ", "UTC").args(arguments).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            println!("SKIPPED: nfdump is not installed, so nothing is compared with it");
            None
        }
    }
}

/// A number from the environment, for longer runs.
pub fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// The captures that ship.
pub fn own_captures() -> Vec<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/captures"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("testdata/captures ships")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pcap")
        })
        .collect();
    paths.sort();
    assert!(paths.len() >= 9, "captures ship");
    paths
}

/// The folder of outside test material; says loudly where it is missing.
pub fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("WIREQ_SHARED").map(PathBuf::from);
    let folder = named
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")));
    if folder.join("data/captures/index.tsv").exists() {
        return Some(folder);
    }
    eprintln!(
        "OUTSIDE TESTS SKIPPED: no test material at {}; set WIREQ_SHARED",
        folder.display()
    );
    None
}

/// One row of the index of the shared captures.
pub struct Indexed {
    pub path: PathBuf,
    pub packets: u64,
    pub format: String,
    pub state: String,
}

/// The shared captures in the classic format.
pub fn shared_pcaps(folder: &Path) -> Vec<Indexed> {
    let mut captures = shared_captures(folder);
    captures.retain(|capture| matches!(&*capture.format, "pcap" | "pcap-be" | "pcap-ns"));
    captures
}

/// All shared captures.
pub fn shared_captures(folder: &Path) -> Vec<Indexed> {
    let captures = folder.join("data/captures");
    let index = std::fs::read_to_string(captures.join("index.tsv")).expect("the index can be read");
    let rows = index
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row.len() > 5)
        .map(|row| Indexed {
            path: captures.join(row[0]),
            packets: row[2].parse().expect("the index counts packets"),
            format: row[4].to_owned(),
            state: row[5].to_owned(),
        })
        .collect()
}

/// Goes through captures on all cores; what was gathered on each.
pub fn in_parallel<T: Default + Send>(
    captures: &[Indexed],
    each: impl Fn(&Indexed, &mut T) + Sync,
) -> Vec<T> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut gathered = T::default();
        while let Some(capture) =
            captures.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        {
            each(capture, &mut gathered);
        }
        gathered
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let gathered = workers.into_iter().map(|worker| worker.join());
        gathered
            .map(|worker| worker.expect("a worker ends"))
            .collect()
    })
}

/// What tshark writes; that it reads a damaged capture up to the damage is no failure. None where
/// it does not know the link type or the version.
pub fn tshark_output(command: &mut std::process::Command, path: &str) -> Option<Vec<u8>> {
    let output = command
        .output()
        .expect("tshark runs: `make setup` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("that TShark doesn't support") {
        return None;
    }
    let is_damaged = said.contains("cut short") || said.contains("damaged or corrupt");
    assert!(
        output.status.success() || is_damaged,
        "tshark reads {path}: {said}"
    );
    Some(output.stdout)
}

/// The rows of packets: tshark has rows for other blocks of a file too, which have no link type.
pub fn packets(mut rows: Vec<Vec<String>>, link_type: usize) -> Vec<Vec<String>> {
    rows.retain(|row| row.get(link_type).is_some_and(|link| !link.is_empty()));
    rows
}
