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
fn what_was_taken_is_remembered_where_no_more_is_wanted() {
    let folder = scratch("remembered-head");
    let five = capture("five.pcap");
    let state = folder.join("usual");
    let query = QUERY.replace("-a", &format!("-a -s {}", state.display()));
    let rest = wireq(&[&format!("{query} | head 3"), &five]).results();
    assert_eq!(rest.lines().count(), 3);
    // What four packets left, of which one has no sender, and nothing of the others.
    let whole = wireq(&[&format!("head 4 | {QUERY}"), &five]).results();
    assert_eq!(rest, whole);
    let further = wireq(&[&query, &five]).results();
    let four = folder.join("four.pcap").display().to_string();
    wireq(&[&format!("head 4 | pcapwrite -f {four}"), &five]).results();
    let both = wireq(&[QUERY, &four, &five]).results();
    let both: Vec<&str> = both.lines().skip(3).collect();
    assert_eq!(further.lines().collect::<Vec<_>>(), both);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_state_stays_one() {
    let folder = scratch("remembered-link");
    let (state, link) = (folder.join("usual"), folder.join("link"));
    std::os::unix::fs::symlink(&state, &link).expect("links can be made");
    let query = QUERY.replace("-a", &format!("-a -s {}", link.display()));
    for _ in 0..2 {
        wireq(&[&query, &capture("five.pcap")]).results();
    }
    let about = std::fs::symlink_metadata(&link).expect("the link is there");
    assert!(about.is_symlink() && state.is_file());
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
