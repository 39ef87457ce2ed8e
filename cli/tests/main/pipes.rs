//! Readers that leave, and interrupts.

use crate::json::Json;
use crate::run::{OFFICE_PACKETS, PATIENCE, captures, read, scratch, spawn, wait, wireq};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How often a capture is read, so that what is printed fills any pipe.
const OFTEN: usize = 60;

fn many_files<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["office.pcap"; OFTEN]].concat()
}

/// Reads a line of what a run prints, then closes the pipe. The line, the status and the messages.
fn read_one_line(child: &mut Child) -> (String, i32, String) {
    drop(child.stdin.take());
    let mut line = String::new();
    let mut reader = lines(child);
    reader.read_line(&mut line).expect("a line");
    drop(reader);
    let status = wait(child);
    (line, status, messages(child))
}

fn lines(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::with_capacity(64, child.stdout.take().expect("it is piped"))
}

fn messages(child: &mut Child) -> String {
    let mut text = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut text).expect("text");
    text
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly() {
    let mut child = spawn(&many_files(&[
        "print frame.number ts srcip dstip srcmac dstmac",
    ]));
    let (line, status, messages) = read_one_line(&mut child);
    assert!(line.starts_with("1\t"), "{line}");
    assert_eq!((status, messages.as_str()), (0, ""));
}

#[test]
fn a_reader_that_leaves_ends_no_other_output() {
    let file = scratch("other-output").join("lens");
    let out = format!("lens={}", file.display());
    let queries = [
        "-e",
        "print ts srcip dstip srcmac dstmac",
        "-e",
        "lens: print len",
    ];
    let arguments = [&queries[..], &["--out", &out, "-r", "office.pcap"]].concat();
    let (_, status, messages) = read_one_line(&mut spawn(&many_files(&arguments)));
    assert_eq!((status, messages.as_str()), (0, ""));
    let lens = read(&file);
    assert_eq!(
        lens.lines().count() as u64,
        OFFICE_PACKETS * (OFTEN as u64 + 1)
    );
    assert!(lens.ends_with('\n'));
}

fn interrupt(child: &Child) {
    let command = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &command]).status();
    assert!(sent.expect("sh is there").success());
}

/// Starts a query over standard input, gives it a capture, and waits for its first lines.
fn start_on_open_pipe(query: &str, count: usize) -> (Child, BufReader<ChildStdout>, String) {
    start_with(&[query, "-"], count)
}

/// The same with other arguments.
fn start_with(arguments: &[&str], count: usize) -> (Child, BufReader<ChildStdout>, String) {
    let mut child = spawn(arguments);
    let capture = fs::read(captures().join("five.pcap")).expect("the capture");
    let stdin = child.stdin.as_mut().expect("it is piped");
    stdin.write_all(&capture).expect("a pipe takes as much");
    stdin.flush().expect("a pipe takes as much");
    let mut reader = lines(&mut child);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        for _ in 0..count {
            reader.read_line(&mut text).expect("a line");
        }
        sender.send((reader, text))
    });
    let Ok((reader, text)) = receiver.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        panic!("nothing is printed while the pipe stays open");
    };
    (child, reader, text)
}

#[test]
fn an_interrupt_gives_what_aggregates_have() {
    let query = "print -B len\nprint srcip count() group by srcip";
    let (mut child, mut reader, text) = start_on_open_pipe(query, 5);
    assert_eq!(text, "74\n125\n60\n54\n76\n");
    interrupt(&child);
    let status = wait(&mut child);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "192.0.2.1\t2\n192.0.2.2\t2\n");
    assert_eq!((status, messages(&mut child).as_str()), (130, ""));
}

#[test]
fn rows_are_printed_while_the_pipe_stays_open() {
    let (mut child, mut reader, text) = start_on_open_pipe("where dstport = 80 | print -B len", 2);
    assert_eq!(text, "125\n54\n");
    drop(child.stdin.take());
    assert_eq!(wait(&mut child), 0);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("text");
    assert_eq!((rest.as_str(), messages(&mut child).as_str()), ("", ""));
}

#[test]
fn head_ends_the_run_while_the_pipe_stays_open() {
    let (mut child, _, text) = start_on_open_pipe("head 1 | print -B len", 1);
    assert_eq!(text, "74\n");
    assert_eq!(wait(&mut child), 0);
}

/// No flag is needed: a source that is slow does not keep back what is there, however many threads.
#[test]
fn rows_do_not_wait_for_a_slow_source() {
    for flags in [
        &["--threads=1"][..],
        &["--threads=2"],
        &["--threads=3", "--batch=100"],
    ] {
        let arguments = [flags, &["print len", "-"]].concat();
        let (mut child, mut reader, text) = start_with(&arguments, 5);
        assert_eq!(text, "74\n125\n60\n54\n76\n");
        // The same again, later: so often that there are threads.
        let capture = fs::read(captures().join("five.pcap")).expect("the capture");
        for _ in 0..10 {
            let stdin = child.stdin.as_mut().expect("it is piped");
            stdin.write_all(&capture[24..]).expect("a pipe takes it");
            stdin.flush().expect("a pipe takes it");
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                let mut text = String::new();
                for _ in 0..5 {
                    reader.read_line(&mut text).expect("a line");
                }
                sender.send((reader, text))
            });
            let Ok((again, more)) = receiver.recv_timeout(PATIENCE) else {
                panic!("{flags:?}: rows wait for more input");
            };
            assert_eq!(more, text, "{flags:?}");
            reader = again;
        }
        drop(child.stdin.take());
        assert_eq!(wait(&mut child), 0);
    }
}

/// Whatever the threads are at: who waits for input is told.
#[test]
fn an_interrupt_ends_the_wait_for_input() {
    let capture = fs::read(captures().join("five.pcap")).expect("the capture");
    for at in 0..40 {
        let mut child = spawn(&["--threads=2", "--batch=100", "print len | count()", "-"]);
        let stdin = child.stdin.as_mut().expect("it is piped");
        stdin.write_all(&capture).expect("a pipe takes as much");
        stdin.flush().expect("a pipe takes as much");
        thread::sleep(Duration::from_micros(3000 + at * 200));
        interrupt(&child);
        // Where it came before the run had begun, the signal itself ended it.
        assert!([130, -1].contains(&wait(&mut child)), "{at}");
    }
}

#[test]
fn files_do_not_wait_for_a_slow_source_either() {
    let file = scratch("slow-source").join("lens");
    let out = format!("1={}", file.display());
    let mut child = spawn(&["print len", "--out", &out, "-"]);
    let capture = fs::read(captures().join("five.pcap")).expect("the capture");
    let stdin = child.stdin.as_mut().expect("it is piped");
    stdin.write_all(&capture).expect("a pipe takes as much");
    stdin.flush().expect("a pipe takes as much");
    let start = Instant::now();
    while fs::read_to_string(&file).unwrap_or_default() != "74\n125\n60\n54\n76\n" {
        assert!(start.elapsed() < PATIENCE, "nothing is written");
        thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    assert_eq!(wait(&mut child), 0);
}

/// A reader that is slow gets everything, in order: nothing is lost, doubled or kept in memory.
#[test]
fn a_slow_reader_gets_everything() {
    let arguments = many_files(&["print frame.number len srcmac dstmac ts"]);
    let expected = wireq(&arguments).results();
    let mut child = spawn(&arguments);
    drop(child.stdin.take());
    let mut stdout = child.stdout.take().expect("it is piped");
    let (mut text, mut buffer) = (Vec::new(), vec![0; 100_000]);
    loop {
        match stdout.read(&mut buffer).expect("it can be read") {
            0 => break,
            count => text.extend_from_slice(&buffer[..count]),
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(wait(&mut child), 0);
    assert!(text == expected.as_bytes(), "the text differs");
}

#[test]
fn an_interrupt_leaves_whole_json() {
    let arguments = ["-o", "json", "-e", "print len", "-e", "count()", "-r", "-"];
    let (mut child, mut reader, text) = start_with(&arguments, 5);
    interrupt(&child);
    assert_eq!(wait(&mut child), 130);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("text");
    let json = Json::parse(&(text + &rest));
    assert_eq!(json.list().len(), 6);
    assert_eq!(json.list()[5].get("count").number(), 5);
}

#[test]
fn a_limit_ends_the_run_while_the_pipe_stays_open() {
    for query in ["print -B len", "project len"] {
        let (mut child, _, text) = start_with(&["-n", "1", query, "-"], 1);
        assert_eq!(text, "74\n");
        assert_eq!(wait(&mut child), 0);
    }
}
