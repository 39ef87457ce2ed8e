//! Texts that are no machines, and such as nobody should write.

use super::support::{Random, number, run_query};
use super::{Scratch, account, capture, is_faulty, packets};
use wireq_engine::schedule::Options;

#[test]
fn hostile_machines_are_refused_or_run() {
    let mut random = Random(2);
    let file = Scratch::new("hostile.dfa");
    let packet = Scratch::new("hostile.pcap");
    let capture = packet.write(&capture(&packets(&mut random)));
    let good = "# a machine\nSTART A srcip and ipid > 1\n\nA B srcport = previous.dstport % x\n\
                A A previous.previous.ipid = ipid\nB STOP not previous.srcip = dstip or len < 9\n\
                B START mask(previous.dstip, 10.0.0.0/8)\n";
    let words = [
        "START",
        "STOP",
        "A",
        "B",
        "previous",
        "previous.",
        ".previous",
        "previous.previous.ipid",
        "=",
        "==",
        "(",
        ")",
        "[",
        "'",
        "\"",
        "#",
        "%",
        "--",
        "\\",
        "\n",
        "\r",
        "\0",
        "\t",
        ";",
        "|",
        ",",
        "and",
        "not",
        "true",
        "null",
        "1e999",
        "ts",
        "len",
        "\u{85}",
        "\u{2028}",
        "é",
    ];
    let (mut faulty, mut run) = (0, 0);
    for _ in 0..number("WIREQ_MUTATIONS", 60) * 20 {
        let mut text = good.as_bytes().to_vec();
        for _ in 0..random.below(3) {
            let at = random.below(text.len() + 1);
            let end = (at + random.below(12)).min(text.len());
            match random.below(4) {
                0 => drop(text.drain(at..end)),
                1 => drop(text.splice(at..at, text[at..end].to_vec())),
                2 => drop(text.splice(at..at, [random.next() as u8])),
                _ => drop(text.splice(at..at, words[random.below(words.len())].bytes())),
            }
        }
        let path = file.write(&text);
        if is_faulty(&format!("dfa {path}")) {
            faulty += 1;
        } else {
            let options = Options::default();
            let (_, report) = run_query(&format!("dfa -t 5 --max 9 {path}"), &capture, &options)
                .expect("the run ends well");
            assert!(account(&report).adds_up());
            run += 1;
        }
        // As text behind -e, faults have places in the query.
        if let Ok(text) = String::from_utf8(text) {
            let _ = is_faulty(&format!("dfa -e '{text}' | print previous.srcip"));
            let _ = is_faulty(&format!("dfa -e \"{text}\""));
        }
    }
    println!("{faulty} faulty, {run} run");
    assert!(faulty > 100 && run > 100);
}

#[test]
fn files_that_are_no_machines_are_refused() {
    let file = Scratch::new("odd.dfa");
    let long = format!("START STOP len = 1{}\n", " ".repeat(1 << 20));
    for bytes in [
        &b""[..],
        b"\n\n# none\n",
        b"START STOP \xff = 1\n",
        long.as_bytes(),
    ] {
        assert!(is_faulty(&format!("dfa {}", file.write(bytes))));
    }
    assert!(is_faulty("dfa /nowhere/at/all"));
    assert!(is_faulty(&format!(
        "dfa {}",
        std::env::temp_dir().display()
    )));
    assert!(!is_faulty(&format!(
        "dfa {}",
        file.write(b"START STOP len\r\n")
    )));
    // Many states, one behind the other, and many ways between a few.
    let chain = |at: usize| {
        format!(
            "{} {} len\n",
            if at == 0 {
                "START".into()
            } else {
                format!("s{at}")
            },
            format_args!("s{}", at + 1)
        )
    };
    let mut text: String = (0..2000).map(chain).collect();
    text += "s2000 STOP len\n";
    assert!(!is_faulty(&format!("dfa {}", file.write(text.as_bytes()))));
}
