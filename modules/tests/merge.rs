//! Captures by time: in the order that mergecap gives them, whatever the batches.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Random, own_captures, run_files, run_with, shared, shared_pcaps};
use wireq_engine::schedule::Options;

const FIELDS: &str = "print ts len linktype packet";

fn merged(files: &[String], query: &str, rows_max: usize) -> String {
    let options = Options {
        rows_max,
        ..Options::default()
    };
    let query = format!("pcapfile --merge {} | {query}", files.join(" "));
    let (result, text) = run_with(&query, &options);
    let report = result.unwrap_or_else(|error| panic!("{query}: {error}"));
    assert!(report.accounts.iter().all(|node| node.account.adds_up()));
    String::from_utf8_lossy(&text).into_owned()
}

/// What mergecap makes of them.
fn theirs(files: &[String]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.pcapng");
    let status = Command::new("mergecap")
        .arg("-w")
        .arg(&out)
        .args(files)
        .status();
    assert!(
        status
            .expect("mergecap runs: `make setup` installs it")
            .success()
    );
    let out = vec![out.display().to_string()];
    let (text, _) = run_files(FIELDS, out, &Options::default()).expect("a capture");
    String::from_utf8_lossy(&text).into_owned()
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| path.display().to_string();
    paths.iter().map(name).collect()
}

#[test]
fn captures_come_as_mergecap_gives_them() {
    let own: Vec<PathBuf> = own_captures();
    let whole = [
        "five.pcap",
        "five-nano-be.pcap",
        "office.pcap",
        "ipv6.pcap",
        "vlan.pcap",
    ];
    let own = whole.map(|name| own[0].with_file_name(name));
    let mut sets = vec![names(&own[..2]), names(&own)];
    // In order each, sound, of those that ship not: what steps back is merged otherwise by others.
    let mut random = Random(11);
    let shared: Vec<PathBuf> = shared()
        .iter()
        .flat_map(|shared| shared_pcaps(shared))
        .filter(|indexed| indexed.state == "ok" && indexed.packets < 5000)
        .map(|indexed| indexed.path)
        .collect();
    for _ in 0..if shared.is_empty() { 0 } else { 12 } {
        let count = 2 + random.below(6);
        let chosen: Vec<PathBuf> = (0..count)
            .map(|_| shared[random.below(shared.len())].clone())
            .filter(|path| is_in_order(path))
            .collect();
        sets.push(names(&chosen));
    }
    let mut packets = 0;
    for files in sets.iter().filter(|files| !files.is_empty()) {
        let expected = theirs(files);
        for rows_max in [2048, 1, 7] {
            let got = merged(files, FIELDS, rows_max);
            assert!(same_by_time(&got, &expected), "{files:?} by {rows_max}");
        }
        packets += expected.lines().count();
    }
    println!(
        "{} sets of captures with {packets} packets merged",
        sets.len()
    );
}

/// Whether times are the same in order, and packets of a time are the same ones: mergecap has no order
/// for those.
fn same_by_time(ours: &str, theirs: &str) -> bool {
    let by_time = |text: &str| {
        let mut lines: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let (time, rest) = line.split_once('\t').unwrap_or((line, ""));
            lines.push((time.to_owned(), rest.to_owned()));
        }
        let times: Vec<String> = lines.iter().map(|(time, _)| shortest(time)).collect();
        let mut lines: Vec<(String, String)> = lines
            .into_iter()
            .map(|(time, rest)| (shortest(&time), rest))
            .collect();
        lines.sort();
        (times, lines)
    };
    by_time(ours) == by_time(theirs)
}

/// A time without the zeros that its capture's resolution adds.
fn shortest(time: &str) -> String {
    let (before, zone) = time.rsplit_once('+').unwrap_or((time, ""));
    let before = match before.contains('.') {
        true => before.trim_end_matches('0').trim_end_matches('.'),
        false => before,
    };
    format!("{before}+{zone}")
}

fn is_in_order(path: &Path) -> bool {
    let path = path.display().to_string();
    let info = wireq_modules::capture::capture_info(vec![path], false, &false.into());
    info.is_ok_and(|info| {
        info.iter()
            .all(|info| info.steps_back == 0 && info.timeless == 0)
    })
}

/// Frames of a capture stay in their order where it steps back, and keep their times.
#[test]
fn captures_that_step_back_keep_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let five = own_captures()[0].with_file_name("five.pcap");
    let five = vec![five.display().to_string()];
    let back = path("back.pcapng");
    let write = format!("sort -r ts | pcapwrite -f {back} | count()");
    run_files(&write, five.clone(), &Options::default()).expect("a capture");
    let [plain] = &five[..] else { return };
    for rows_max in [1, 2, 2048] {
        let files = [plain.clone(), back.clone()];
        let text = merged(&files, "print frame.number ts", rows_max);
        let seconds: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_once(":00:0"))
            .map(|(_, rest)| &rest[..1])
            .collect();
        // The last second of the plain one comes with the first of the other.
        assert_eq!(seconds.join(""), "0123443210");
        assert!(
            text.lines()
                .last()
                .is_some_and(|line| line.starts_with("10\t"))
        );
    }
}

/// What is said of packets stays, and blocks between them.
#[test]
fn merged_captures_are_written_without_loss() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.pcapng").display().to_string();
    let all = own_captures();
    let files = ["mixed.pcapng", "five.pcap"].map(|name| all[0].with_file_name(name));
    let files = names(&files);
    let fields = "print -v ts len frame.interface_name frame.comment frame.packet_flags packet";
    let expected = merged(&files, fields, 2048);
    for rows_max in [2048, 1] {
        merged(&files, &format!("pcapwrite -f {out} | count()"), rows_max);
        let (got, _) =
            run_files(fields, vec![out.clone()], &Options::default()).expect("a capture");
        assert_eq!(String::from_utf8_lossy(&got), expected);
    }
}

/// What is packed is unpacked by a thread and with a window of its own: so many there may be.
#[test]
fn so_many_packed_captures_are_merged() {
    let packed = own_captures()[0].with_file_name("five.pcap.gz");
    let packed = packed.display().to_string();
    let query = |count: usize| {
        let files = vec![packed.as_str(); count].join(" ");
        format!("pcapfile --merge {files} | count()")
    };
    let (result, text) = run_with(&query(32), &Options::default());
    result.expect("as many as may be");
    assert_eq!(String::from_utf8_lossy(&text), "160\n");
    let (result, _) = run_with(&query(33), &Options::default());
    let error = result.expect_err("one more").to_string();
    assert!(
        error.contains("unpacks up to 32 files at once") && error.contains(&packed),
        "{error}"
    );
}
