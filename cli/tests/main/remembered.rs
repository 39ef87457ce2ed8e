//! States that go on from run to run.

use crate::run::{captures, read, scratch, wireq};

const QUERY: &str =
    "changes -a -i srcip --histup 0.5 --histdown 0.5 len | print srcip len len.mean severity";

fn capture(name: &str) -> String {
    captures().join(name).display().to_string()
}

#[test]
fn two_runs_are_one() {
    let folder = scratch("remembered");
    let state = folder.join("usual").display().to_string();
    let first = capture("five.pcap");
    let with_state = QUERY.replace("-a", &format!("-a -s {state}"));
    let whole = wireq(&[QUERY, &first, &first]).results();
    for threads in ["--threads=1", "--threads=3"] {
        let _ = std::fs::remove_file(&state);
        let one = wireq(&[threads, &with_state, &first]).results();
        let other = wireq(&[threads, &with_state, &first]).results();
        assert_eq!(one + &other, whole, "{threads}");
    }
    // What was there until then is moved over, not kept beside.
    let left: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it is readable").file_name())
        .collect();
    assert_eq!(left, ["usual"]);
}

#[test]
fn a_file_that_is_no_such_state_is_refused_and_left() {
    let folder = scratch("remembered-faults");
    let five = capture("five.pcap");
    let state = |name: &str| folder.join(name).display().to_string();
    let query = |path: &str, field: &str| format!("changes -i srcip -s {path} {field}");
    wireq(&[&query(&state("len"), "len"), &five]).results();
    let whole = std::fs::read(state("len")).expect("it was written");
    std::fs::write(state("cut"), &whole[..whole.len() - 3]).expect("it can be written");
    std::fs::write(state("more"), [&whole[..], b"x"].concat()).expect("it can be written");
    std::fs::write(state("text"), "usual\n").expect("it can be written");
    for (path, field, message) in [
        (
            state("len"),
            "srcport",
            "is the state of other fields: srcip len",
        ),
        (state("cut"), "len", "is damaged"),
        (
            state("more"),
            "len",
            "is damaged: there is more than a state",
        ),
        (state("text"), "len", "is no state of `changes`"),
        (folder.display().to_string(), "len", "cannot be read"),
        (state("no/where"), "len", "cannot be read: No such file"),
    ] {
        let before = std::fs::read(&path).ok();
        let said = wireq(&[&query(&path, field), &five]).refusal(2);
        assert!(said.contains(message), "{path}: {said}");
        assert_eq!(std::fs::read(&path).ok(), before, "{path} is as it was");
    }
    assert_eq!(read(folder.join("text").as_path()), "usual\n");
}
