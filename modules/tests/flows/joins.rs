//! Joins of packets that a script spells: watermarks take what will not be paired any more, and nothing
//! else.

use crate::script::{Packet, run_within, told};
use std::fmt::Write;

/// Packets in the order of their times, some together, with watermarks between them that are true.
fn script(count: usize, seed: u64, marks: bool) -> String {
    let mut random = seed;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) % below
    };
    let (mut text, mut time) = (String::new(), 0.0);
    for number in 0..count {
        let host = |n: u64| char::from(b'a' + n as u8);
        let packet = Packet {
            time,
            from: host(next(3)),
            to: host(next(3)),
            what: 'u',
            bytes: next(50),
            seq: number as u64,
        };
        write!(text, "{} ", packet.word()).expect("texts can be written");
        time += [0.0, 0.0, 0.5, 1.0, 3.0][next(5) as usize];
        let behind = [0.0, 0.0, 1.0, 20.0][next(4) as usize];
        let is_mark = next(2) == 0;
        if marks && is_mark {
            write!(text, "mark{} ", time - behind).expect("texts can be written");
        }
    }
    text
}

const CONDITIONS: &[(&str, &str, &str)] = &[
    ("", "", "b.ts - a.ts < 2s and a.srcip = b.dstip"),
    ("", "", "b.ts - a.ts < 2s and a.ts - b.ts < 3s"),
    ("", "", "a.ts + 1s >= b.ts and b.ts + 1s >= a.ts"),
    (
        "until (new.b.ts - a.ts > 2s)",
        "until (new.a.ts > b.ts + 1s)",
        "a.srcip = b.dstip",
    ),
    (
        "until (b.ts - a.ts >= 1s)",
        "until (new.b)",
        "a.dstip = b.srcip",
    ),
    (
        "until (new.b.ts - a.ts > 2s)",
        "until (new.a.ts > b.ts + 1s)",
        "b.len > 20",
    ),
    (
        "until (new.b.ts - a.ts > 2s and new.b.len > a.len)",
        "max 3",
        "a.dstip = b.srcip",
    ),
    (
        "until (new.a.ts - a.ts > 2s)",
        "",
        "a.dstip = b.srcip and b.ts - a.ts = 1s",
    ),
    (
        "until (new.b.ts - a.ts > 2s or new.b.len = 3)",
        "",
        "a.ts = b.ts",
    ),
    ("", "", "a.ts != b.ts and a.len = b.len"),
];

#[test]
fn watermarks_change_nothing_that_is_given() {
    let mut rows = 0;
    for seed in 0..40 {
        for (first, second, condition) in CONDITIONS {
            let query = |marks| {
                let script = script(40, seed, marks);
                format!(
                    "print a.seq b.seq from (script {script}) a {first}, b {second} where {condition}"
                )
            };
            let without = told(&query(false));
            rows += without.lines().count();
            assert_eq!(told(&query(true)), without, "{}", query(true));
        }
    }
    assert!(rows > 10_000, "{rows} rows are few");
}

#[test]
fn what_waits_too_long_takes_no_memory() {
    for condition in [
        (
            "",
            "where b.ts - a.ts < 2s and a.ts - b.ts < 2s and a.seq = b.seq",
        ),
        (
            "until (new.b.ts - a.ts > 2s)",
            "until (new.a.ts - b.ts > 2s) where a.len = 51 and a.seq = b.seq",
        ),
    ] {
        let (first, second) = condition;
        let query = |marks| {
            let script = script(20_000, 1, marks);
            format!("print a.seq from (script {script}) a {first}, b {second}")
        };
        let with = run_within(&query(true), 1 << 20);
        assert!(with.is_ok(), "{first} {second}: {with:?}");
    }
    let script = script(20_000, 1, false);
    let endless = format!(
        "print a.seq from (script {script}) a, b where b.ts - a.ts < 2s and a.ts - b.ts < 2s and a.seq = b.seq"
    );
    assert!(run_within(&endless, 1 << 20).is_err());
}
