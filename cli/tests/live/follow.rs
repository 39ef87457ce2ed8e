//! Captures that grow while they are read.

use crate::namespace::{BINARY, Listener, captures, wireq};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Long enough for a follower to have looked several times.
const LOOKS: Duration = Duration::from_millis(300);
/// Long enough for it to have listed the folder.
const LISTS: Duration = Duration::from_millis(1200);

fn follower(query: &str) -> Listener {
    let mut command = Command::new(BINARY);
    command.arg(query);
    Listener::spawn(command)
}

fn append(path: &Path, bytes: &[u8]) {
    let file = File::options().append(true).create(true).open(path);
    let mut file = file.expect("a file");
    file.write_all(bytes).expect("it is written");
}

/// Two packets of five; the rest cut within a record; another file in its place; a third one behind a
/// file that was cut off.
#[test]
fn a_file_is_read_on_and_what_takes_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let [path, away] = ["x.pcap", "x.pcap.1"].map(|name| folder.path().join(name));
    let five = fs::read(captures().join("five.pcap")).expect("it ships");
    let nano = fs::read(captures().join("five-nano-be.pcap")).expect("it ships");
    let query = format!("pcapfile --follow {} | print len", path.display());
    let mut listener = follower(&query);
    // It is not there yet, and begins with a part of a header.
    sleep(LOOKS);
    append(&path, &five[..10]);
    sleep(LOOKS);
    append(&path, &five[10..24 + 16 + 74 + 7]);
    assert_eq!(listener.line(), "74");
    append(&path, &five[24 + 16 + 74 + 7..]);
    let four = ["125", "60", "54", "76"];
    four.iter()
        .for_each(|len| assert_eq!(listener.line(), *len));
    // What is written to it when it is away already is read too.
    fs::rename(&path, &away).expect("it is moved");
    append(&away, &five[24..24 + 16 + 74]);
    assert_eq!(listener.line(), "74");
    fs::write(&path, &nano).expect("a file");
    ["74", "125", "60", "54", "76"]
        .iter()
        .for_each(|len| assert_eq!(listener.line(), *len));
    // It becomes shorter, and begins anew; at the end there is half a record.
    fs::write(&path, &five[..24 + 16 + 74 + 20]).expect("a file");
    assert_eq!(listener.line(), "74");
    sleep(LOOKS);
    listener.signal("TERM");
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("", 0));
    let said = "skipped 20 bytes at byte 114: the rest of a record was not written yet";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
}

/// A ring of files: those that match come one after another.
#[test]
fn a_pattern_is_followed_from_file_to_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |number: u32| folder.path().join(format!("ring-{number}.pcap"));
    let five = fs::read(captures().join("five.pcap")).expect("it ships");
    let pattern = folder.path().join("ring-*.pcap");
    fs::write(path(1), &five).expect("a file");
    fs::write(path(2), &five[..24]).expect("a file");
    let query = format!("pcapfile -F '{}' | count()", pattern.display());
    let listener = follower(&query);
    sleep(LOOKS);
    append(&path(2), &five[24..]);
    sleep(LOOKS);
    fs::write(path(4), &five[..24 + 16 + 74]).expect("a file");
    sleep(LISTS);
    // Those before the one that is read are not looked at any more.
    fs::write(path(3), &five).expect("a file");
    sleep(LISTS);
    listener.signal("INT");
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("11\n", 0));
}

/// Folders that come to match are within what the run may read, and a file that comes while others are
/// read is the next one.
#[test]
fn a_pattern_of_folders_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |day: u32| folder.path().join(format!("day-{day}/x.pcap"));
    let five = fs::read(captures().join("five.pcap")).expect("it ships");
    let query = format!(
        "pcapfile -F '{}' | count()",
        folder.path().join("day-*/x.pcap").display()
    );
    let listener = follower(&query);
    sleep(LISTS);
    for day in [1, 2] {
        fs::create_dir(folder.path().join(format!("day-{day}"))).expect("a folder");
        fs::write(path(day), &five).expect("a file");
        sleep(LISTS);
    }
    listener.signal("INT");
    let outcome = listener.outcome();
    assert_eq!((outcome.stdout.as_str(), outcome.status), ("10\n", 0));
}

/// A pipe is read as what is live, to its end.
#[test]
fn a_pipe_is_followed_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("there are pipes").success());
    let five = fs::read(captures().join("five.pcap")).expect("it ships");
    let mut listener = follower(&format!("pcapfile -F {} | print len", path.display()));
    let mut pipe = File::options().write(true).open(&path).expect("a pipe");
    pipe.write_all(&five[..24 + 16 + 74]).expect("it is read");
    assert_eq!(listener.line(), "74");
    pipe.write_all(&five[24 + 16 + 74..]).expect("it is read");
    drop(pipe);
    let outcome = listener.outcome();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.status),
        ("125\n60\n54\n76\n", 0)
    );
}

/// A pipe that is in no folder, as the shell makes it for what runs beside.
#[test]
fn a_pipe_of_the_shell_is_followed() {
    let five = captures().join("five.pcap");
    for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let mut before = Command::new("cat")
            .arg(&five)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cat runs");
        let mut command = Command::new(BINARY);
        command.arg(format!("pcapfile -F {path} | count()"));
        command.stdin(before.stdout.take().expect("it is piped"));
        let outcome = Listener::spawn(command).outcome();
        let said = outcome.stderr;
        assert_eq!(
            (outcome.stdout.as_str(), outcome.status),
            ("5\n", 0),
            "{path}: {said}"
        );
        assert!(before.wait().expect("it ends").success());
    }
}

/// Records behind one that claims more than there is are found at the end, as in a file that is read.
#[test]
fn the_end_of_a_run_is_that_of_the_file() {
    for name in ["holes.pcapng", "holes.cap"] {
        let path = captures().join(name);
        let path = path.display();
        let read = Command::new(BINARY)
            .arg(format!("pcapfile {path} | count()"))
            .output()
            .expect("it runs");
        let listener = follower(&format!("pcapfile -F {path} | count()"));
        sleep(LOOKS);
        listener.signal("INT");
        let outcome = listener.outcome();
        let expected = String::from_utf8_lossy(&read.stdout).into_owned();
        assert_eq!((outcome.stdout, outcome.status), (expected, 0), "{name}");
    }
}

#[test]
fn what_cannot_be_followed_is_refused() {
    for (query, said) in [
        ("pcapfile -F | count()", "not for standard input"),
        ("pcapfile -F --merge x | count()", "does not go with"),
        (
            "pcapfile -F . | count()",
            "`.` is a folder, and cannot be followed",
        ),
        (
            "pcapfile -F /dev/zero | count()",
            "`/dev/zero` is a device, and cannot",
        ),
    ] {
        let refused = Command::new(BINARY).arg(query).output().expect("it runs");
        let message = String::from_utf8_lossy(&refused.stderr);
        assert!(message.contains(said), "{message}");
        assert_eq!(refused.status.code(), Some(2));
    }
    assert!(wireq(&["count()", "five.pcap"]).contains('5'));
}
