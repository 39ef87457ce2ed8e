//! Outputs that are inputs.

use crate::run::{captures, command, scratch, spawn, wait, wireq, wireq_on};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Whatever names it, a file that is read is not begun anew.
#[test]
fn what_is_read_is_not_written() {
    let folder = scratch("own-output");
    let path = |name: &str| folder.join(name).display().to_string();
    for name in ["x", "x.2", "y-0001", "z"] {
        fs::copy(captures().join("office.pcap"), path(name)).expect("it is copied");
    }
    fs::hard_link(path("x"), path("hard")).expect("a link");
    std::os::unix::fs::symlink("x", path("soft")).expect("a link");
    let before = fs::read(path("x")).expect("it is there");
    let [x, x2, y1, z, hard, soft] = ["x", "x.2", "y-0001", "z", "hard", "soft"].map(path);
    let (pattern, y) = (path("[xz]"), path("y-%4i"));
    let out = format!("1={x}");
    let query = |writer: &str| format!("{writer} -f {x} | count()");
    let rotated = format!("pcapwrite -f {x} -c 100 | count()");
    let numbered = format!("pcapwrite -f {y} | count()");
    let print = format!("print -f {x} len");
    let analyzed = format!("pcapwrite -f {x}");
    let statement = format!("pcapfile {pattern} | pcapwrite -f {x} | count()");
    let file = path("q");
    fs::write(&file, "print len").expect("it is written");
    let of_query = format!("1={file}");
    let [pcap, netflow, nfcapd] = [
        query("pcapwrite"),
        query("flow | netflowwrite"),
        query("flow | nfcapdwrite"),
    ];
    let runs: [(&[&str], &str, &str); 15] = [
        (&["-r", &x, "-w", &x], &x, &x),
        (&["-r", &hard, "-w", &x], &x, &hard),
        (&["-r", &x, "-w", &soft], &soft, &x),
        (&["-r", &z, "-r", &x, "-w", &x], &x, &x),
        (&["-r", &pattern, "-w", &x], &x, &x),
        (&["-r", &x2, &rotated], &x2, &x2),
        (&["-r", &y1, &numbered], &y1, &y1),
        (&["-r", &x, &print], &x, &x),
        (&["-r", &x, "--out", &out, "print len"], &x, &x),
        (&["-r", &x, &pcap], &x, &x),
        (&["-r", &x, &netflow], &x, &x),
        (&["-r", &x, &nfcapd], &x, &x),
        (&[&statement], &x, &x),
        (&["explain", "--analyze", "-r", &x, &analyzed], &x, &x),
        (&["-r", &z, "--out", &of_query, "-f", &file], &file, &file),
    ];
    for (arguments, output, input) in runs {
        let said = wireq(arguments).refusal(2);
        let expected = format!(
            "wireq: the output `{output}` is the input `{input}`, the same file, which would be lost; \
             write to another one\n"
        );
        assert_eq!(said, expected, "{arguments:?}");
        for name in ["x", "x.2", "y-0001", "z"] {
            let now = fs::read(path(name)).expect("it is there");
            assert!(now == before, "{arguments:?} changed {name}");
        }
    }
    // Others of that kind are fine.
    let other = path("other");
    wireq(&["-r", &x, "-w", &other]).results();
    assert!(fs::read(other).expect("it is there") == before);
    wireq(&["-r", &x, "-w", "/dev/null"]).results();
}

/// The same where the shell opened them.
#[test]
fn standard_input_and_output_are_files_too() {
    let folder = scratch("own-standard");
    let path = folder.join("x");
    let copy = || fs::copy(captures().join("five.pcap"), &path).expect("it is copied");
    let x = path.display().to_string();
    let whole = copy();
    let input = File::open(&path).expect("it is there");
    let refused = command(&["-r", "-", "-w", &x]).stdin(input).output();
    let refused = refused.expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("is the input `standard input`"), "{said}");
    assert_eq!(refused.status.code(), Some(2));
    let output = File::options().append(true).open(&path);
    let refused = command(&["-r", &x, "print len"])
        .stdout(output.expect("it is there"))
        .output();
    let refused = refused.expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("the output `standard output` is"), "{said}");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::metadata(&path).map(|data| data.len()).ok(), Some(whole));
}

/// A run does not follow what it writes.
#[test]
fn what_is_followed_is_not_written() {
    let folder = scratch("followed-output");
    let path = |name: &str| folder.join(name).display().to_string();
    fs::copy(captures().join("five.pcap"), path("x-1")).expect("it is copied");
    let (pattern, name) = (path("x-*"), path("x-1"));
    let print = format!("1={}", path("x-log"));
    for (writer, followed) in [
        (format!("pcapwrite -f {} | count()", path("x-2")), &pattern),
        (format!("pcapwrite -f {} | count()", path("x-%T")), &pattern),
        (
            format!("pcapwrite -f {} | count()", path("%Y-%i")),
            &pattern,
        ),
        (format!("print -f {} len", path("x-2")), &pattern),
        (
            format!("pcapwrite -f {} -c 3 | count()", path("x")),
            &path("x.*"),
        ),
        (
            format!("pcapwrite -f {} -b 3 | count()", path("x")),
            &path("x.2"),
        ),
        (
            format!("pcapwrite -f {} | count()", path("not-yet")),
            &path("not-yet"),
        ),
        ("print len".to_owned(), &pattern),
        ("print len".to_owned(), &name),
    ] {
        let mut arguments = vec!["-F", writer.as_str(), followed.as_str()];
        let own = format!("1={name}");
        if writer == "print len" {
            let out = if *followed == name { &own } else { &print };
            arguments.extend(["--out", out]);
        }
        let said = wireq(&arguments).refusal(2);
        let expected = format!("is what `{followed}` follows");
        assert!(said.contains(&expected), "{arguments:?}: {said}");
    }
    assert!(!Path::new(&path("x-2")).exists());
    let whole = fs::read(captures().join("five.pcap")).expect("it ships");
    assert!(fs::read(path("x-1")).expect("it is there") == whole);
}

/// A file has one writer, whatever names it: nothing is begun where there would be two.
#[test]
fn what_is_written_is_written_once() {
    let folder = scratch("two-outputs");
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path("there"), "what it has").expect("it is written");
    fs::hard_link(path("there"), path("hard")).expect("a link");
    std::os::unix::fs::symlink("new", path("soft")).expect("a link");
    std::os::unix::fs::symlink(".", path("folder")).expect("a link");
    let [there, hard, new, soft, named, odd] = [
        "there",
        "hard",
        "new",
        "soft",
        "%Y-%i",
        "folder/../two-outputs/new",
    ]
    .map(path);
    let out = format!("1={new}");
    let pcap = |name: &str| format!("pcapwrite -f {name} | count()");
    let nfcapd = |name: &str| format!("flow | nfcapdwrite -f {name} | count()");
    let netflow = |name: &str| format!("flow | netflowwrite -f {name} | count()");
    let changes = |name: &str| format!("changes -i srcip -s {name} len | print len");
    let print = |name: &str| format!("print -f {name} len");
    for (one, other) in [
        (pcap(&there), pcap(&there)),
        (pcap(&there), pcap(&hard)),
        (pcap(&new), pcap(&new)),
        (pcap(&new), pcap(&odd)),
        (pcap(&soft), pcap(&new)),
        (pcap(&named), pcap(&named)),
        (
            pcap(&named),
            format!("pcapwrite -f {} | count()", path("folder/%Y-%i")),
        ),
        (pcap(&format!("{new} -c 3")), pcap(&format!("{new} -b 3"))),
        (nfcapd(&new), nfcapd(&new)),
        (netflow(&new), netflow(&soft)),
        (netflow(&new), nfcapd(&new)),
        (changes(&new), changes(&new)),
        (changes(&new), changes(&soft)),
        (changes(&new), pcap(&new)),
        (print(&new), pcap(&new)),
        (print(&new), print(&odd)),
    ] {
        let said = wireq(&["-r", "five.pcap", "-e", &one, "-e", &other]).refusal(2);
        let end = "one would write over the other; write each to a file of its own\n";
        assert!(said.ends_with(end), "{one}, {other}: {said}");
        assert!(!Path::new(&new).exists(), "{one}, {other}");
    }
    let within = format!("pcapwrite -f {new} | where len > 60 | pcapwrite -f {new} | count()");
    let (printed, written) = (print(&new), pcap(&new));
    let out = ["--out", &out, "-e", "print len", "-e"];
    for arguments in [
        vec![within.as_str()],
        [&out[..], &[&printed]].concat(),
        [&out[..], &[&written]].concat(),
    ] {
        let said = wireq(&[&["-r", "five.pcap"], &arguments[..]].concat()).refusal(2);
        let expected = format!("wireq: the output `{new}` is written twice: one would");
        assert!(said.starts_with(&expected), "{arguments:?}: {said}");
        assert!(!Path::new(&new).exists(), "{arguments:?}");
    }
    let whole = fs::read_to_string(&there).expect("it is there");
    assert_eq!(whole, "what it has");
}

/// Those that write by turns share a file, and devices take what comes.
#[test]
fn some_outputs_may_be_shared() {
    let folder = scratch("shared-outputs");
    let path = |name: &str| folder.join(name).display().to_string();
    let [shared, a, b] = ["shared", "%Y-a", "%Y-b"].map(path);
    let run = |one: &str, other: &str| {
        wireq(&["-r", "five.pcap", "-e", one, "-e", other]).results();
    };
    let print = format!("print -f {shared} len");
    run(&print, &print);
    assert_eq!(
        fs::read_to_string(&shared)
            .map(|text| text.lines().count())
            .ok(),
        Some(10)
    );
    let outs = [format!("1={shared}"), format!("2={shared}")];
    let outs = ["--out", &outs[0], "--out", &outs[1]];
    let queries = ["-r", "five.pcap", "-e", "print len", "-e", "print len"];
    wireq(&[&outs[..], &queries[..]].concat()).results();
    assert_eq!(
        fs::read_to_string(&shared)
            .map(|text| text.lines().count())
            .ok(),
        Some(10)
    );
    for writer in ["pcapwrite", "flow | netflowwrite", "flow | nfcapdwrite"] {
        let query = format!("{writer} -f /dev/null | count()");
        run(&query, &query);
    }
    let stdout = "pcapwrite -f /dev/stdout | where false | count()";
    let both = wireq(&["-r", "five.pcap", "-e", stdout, "-e", stdout]);
    assert_eq!((both.status, both.stderr.as_str()), (0, ""));
    let named = |name: &str| format!("pcapwrite -f {name} | count()");
    run(&named(&a), &named(&b));
}

fn make_pipe(path: &str) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("there are pipes").success());
}

/// What is put right at the end is written to files alone, and that is said before the run.
#[test]
fn what_is_put_right_is_no_pipe() {
    let folder = scratch("nfcapd-pipe");
    let pipe = folder.join("pipe").display().to_string();
    make_pipe(&pipe);
    for name in [&pipe, "/dev/stdout"] {
        let query = format!("flow | nfcapdwrite -f {name} | count()");
        let said = wireq(&["-r", "five.pcap", &query]).refusal(2);
        let expected = format!("`{name}` is no file whose begin can be put right at the end");
        assert!(said.contains(&expected), "{said}");
    }
}

/// A pipe that nobody reads is waited for, until the run is to end.
#[test]
fn waiting_for_a_reader_is_ended_by_one_interrupt() {
    let folder = scratch("no-reader");
    let pipe = folder.join("pipe").display().to_string();
    make_pipe(&pipe);
    let long = Duration::from_millis(400);
    let netflow = format!("flow | netflowwrite -f {pipe} | count()");
    let analyzed = format!("pcapwrite -f {pipe}");
    for arguments in [
        &["-r", "five.pcap", "-w", &pipe][..],
        &["-r", "five.pcap", "--threads=2", "-w", &pipe],
        &["-r", "five.pcap", &netflow],
        &["explain", "--analyze", "-r", "five.pcap", &analyzed],
    ] {
        let mut child = spawn(arguments);
        std::thread::sleep(long);
        let still = child.try_wait().expect("it can be waited for");
        assert!(still.is_none(), "{arguments:?} does not wait");
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &id]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(wait(&mut child), 130, "{arguments:?}");
    }
    // A reader that comes late has all of it.
    let mut child = spawn(&["-r", "five.pcap", "-w", &pipe]);
    std::thread::sleep(long);
    let mut read = Vec::new();
    let mut reader = File::open(&pipe).expect("it is a pipe");
    reader.read_to_end(&mut read).expect("it is written");
    assert_eq!(wait(&mut child), 0);
    let lens = wireq_on(&["print len", "-"], &read).results();
    assert_eq!(lens, "74\n125\n60\n54\n76\n");
}

/// What is written once for many statements stands where each of them writes it, also where another
/// output is written piece by piece before the last of them has its turn.
#[test]
fn a_file_of_many_statements_is_in_their_order() {
    let folder = scratch("order-of-statements");
    let path = |name: &str| folder.join(name).display().to_string();
    let [table, own, big, queries] = ["t.csv", "own", "big", "q"].map(path);
    let rows = (0..5000).map(|row| format!("{row},{}\n", row % 3));
    fs::write(&table, format!("k,v\n{}", rows.collect::<String>())).expect("it is written");
    let filtered = |least: std::ops::Range<u32>| -> String {
        let statement =
            |k| format!("'{table}' | where k > {k} | print -f {own} v count() group by v\n");
        least.map(statement).collect()
    };
    let between = format!(
        "big: '{table}' | print k count() group by k\n'{table}' | print -f {own} count()\n"
    );
    let text = filtered(0..4) + &between + &filtered(4..8);
    fs::write(&queries, text).expect("it is written");
    let out = format!("big={big}");
    let written = |flags: &[&str]| {
        let usual = ["--threads", "1", "--out", &out, "-f", &queries];
        wireq(&[flags, &usual].concat()).results();
        [&own, &big].map(|path| fs::read_to_string(path).expect("it is there"))
    };
    let with_tables = written(&[]);
    let lines: Vec<&str> = with_tables[0].lines().collect();
    assert_eq!((lines.len(), lines[12]), (25, "5000"));
    assert_eq!(with_tables, written(&["--no-rewrite", "table"]));
}
