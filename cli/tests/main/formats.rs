//! What is written in each format can be read, whatever the packets hold.

use crate::json::Json;
use crate::run::{OFFICE_PACKETS, read, scratch, wireq};

/// The captures with the oddest packets.
const CAPTURES: [&str; 4] = ["office.pcap", "hostile.pcap", "ipv6.pcap", "vlan.pcap"];

/// The records of a CSV text, as RFC 4180 says.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            c => cell.push(c),
        }
    }
    assert!(
        !quoted && cell.is_empty() && record.is_empty(),
        "it ends in a record"
    );
    records
}

#[test]
fn all_fields_of_all_packets_can_be_read() {
    for capture in CAPTURES {
        let print = |format: &str| wireq(&["-q", "-o", format, "print", capture]).results();
        let json = Json::parse(&print("json"));
        let lines: Vec<Json> = print("jsonl").lines().map(Json::parse).collect();
        assert_eq!(json.list(), lines);
        if capture == "office.pcap" {
            assert_eq!(lines.len() as u64, OFFICE_PACKETS);
        }

        let records = csv(&print("csv"));
        assert_eq!(records.len(), lines.len() + 1, "{capture}");
        let tsv = print("tsv");
        let rows: Vec<Vec<&str>> = tsv.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), records.len(), "{capture}");
        for (at, (record, row)) in records.iter().zip(&rows).enumerate() {
            assert_eq!(record.len(), records[0].len(), "{capture}: {at}");
            assert_eq!(
                record, row,
                "{capture}: no text has tabs or backslashes here"
            );
        }
        // A field that is left out in JSON is an empty column.
        for (line, record) in lines.iter().zip(&records[1..]) {
            let there = records[0]
                .iter()
                .zip(record)
                .filter(|(_, cell)| !cell.is_empty());
            let names: Vec<&str> = there.map(|(name, _)| name.as_str()).collect();
            let known: Vec<&str> = line
                .names()
                .into_iter()
                .filter(|name| line.get(name) != &Json::Text(String::new()))
                .collect();
            assert_eq!(names, known, "{capture}");
        }
    }
}

#[test]
fn rows_are_the_same_in_all_formats() {
    let query = "print srcip dstport payload";
    let text = wireq(&[query, "office.pcap"]).results();
    let table = wireq(&["-o", "table", query, "office.pcap"]).results();
    assert_eq!(text.lines().count() + 1, table.lines().count());
    for (line, row) in text.lines().zip(table.lines().skip(1)) {
        let columns: Vec<&str> = line.split('\t').filter(|cell| !cell.is_empty()).collect();
        let at = columns
            .iter()
            .map(|cell| row.find(cell.trim_end()))
            .collect::<Option<Vec<usize>>>();
        assert!(at.is_some_and(|at| at.is_sorted()), "{line}\n{row}");
    }
}

#[test]
fn a_failure_leaves_whole_json() {
    let arguments = ["--strict", "-o", "json", "print len"];
    let outcome = wireq(&[&arguments[..], &["office.pcap", "cut.pcap"]].concat());
    assert_eq!(outcome.status, 3);
    assert!(Json::parse(&outcome.stdout).list().len() as u64 >= OFFICE_PACKETS);
    // Nothing is written where nothing was read.
    wireq(&[&arguments[..], &["missing.pcap"]].concat()).refusal(5);
    let outcome = wireq(&["-q", "-o", "json", "print len", "missing.pcap"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (4, "[\n]\n"));
}

#[test]
fn outputs_are_framed_each_on_its_own() {
    let folder = scratch("framed");
    let path = |name: &str| folder.join(name).display().to_string();
    let (web, vlan) = (path("web"), path("vlan"));
    let (to_web, to_vlan) = (format!("web={web}"), format!("3={vlan}"));
    let query = format!(
        "web: where dstport = 80 | print len; where dstport = 80 | print -f {} len; where vlan | print vlan; print ttl",
        path("other")
    );
    let arguments = [
        "-o",
        "json",
        "--out",
        &to_web,
        "--out",
        &to_vlan,
        &query,
        "five.pcap",
    ];
    let rest = wireq(&arguments).results();
    assert_eq!(read(web.as_ref()), "[\n{\"len\":125},\n{\"len\":54}\n]\n");
    assert_eq!(read(web.as_ref()), read(path("other").as_ref()));
    assert_eq!(read(vlan.as_ref()), "[\n{\"vlan\":7}\n]\n");
    assert_eq!(Json::parse(&rest).list().len(), 4);
}

#[test]
fn rows_of_different_formats_are_wholes_of_their_own() {
    let query = "print -o json len; where vlan | print -o csv len vlan; print -o text ttl | head 2";
    let given = wireq(&[query, "five.pcap"]).results();
    let expected = "[\n{\"len\":74}\n]\n64\n[\n{\"len\":125}\n]\n64\n[\n{\"len\":60}\n]\nlen,vlan\n60,7\n\
                    [\n{\"len\":54},\n{\"len\":76}\n]\n";
    assert_eq!(given, expected);
}

#[test]
fn a_field_named_statement_stands_beside_the_tag() {
    let query = "x: head 1 | const -f statement y | print statement len statement";
    for (format, expected) in [
        (
            "jsonl",
            "{\"statement\":\"x\",\"statement_2\":\"y\",\"len\":74}\n",
        ),
        ("csv", "statement,statement,len,statement\nx,y,74,y\n"),
    ] {
        let given = wireq(&["--tag", "-o", format, query, "five.pcap"]);
        assert_eq!(given.results(), expected);
    }
}

#[test]
fn formats_that_are_none_are_refused() {
    for bad in ["xml", "", "JSON"] {
        wireq(&["-o", bad, "count()", "five.pcap"]).refusal(2);
    }
}
