//! Any bytes behind the begin of a capture of each format: the first byte says which. Every field of
//! every packet is printed, and every byte accounted for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io;
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

struct Nowhere;

impl Outputs for Nowhere {
    fn write(&mut self, _: Target<'_>, _: &[u8], _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// pcap with nanoseconds, big-endian and modified; pcapng in both byte orders; snoop.
const BEGINS: [&[u8]; 6] = [
    b"\x4d\x3c\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
    b"\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\x01",
    b"\x34\xcd\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
    b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
    b"\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c",
    b"snoop\0\0\0\0\0\0\x02\0\0\0\x04",
];

fuzz_target!(|input: &[u8]| {
    let Some((which, rest)) = input.split_first() else { return };
    let bytes = [BEGINS[usize::from(*which) % BEGINS.len()], rest].concat();
    let path = std::env::temp_dir().join(format!("wireq-fuzz-formats-{}", std::process::id()));
    std::fs::write(&path, &bytes).expect("the temporary folder takes files");
    let zone = Zone::utc();
    let texts = [Text { name: "query".into(), text: "print; uniq srcip dstport payload | count()".into() }];
    let files = Some(Files { module: "pcapfile", paths: vec![path.to_string_lossy().into_owned()], flags: Vec::new() });
    let options = wireq_query_lang::Options { files, ..wireq_query_lang::Options::new(&zone) };
    let Ok(plan) = compile(&texts, &wireq_modules::registry(), &options) else { panic!("the query compiles") };
    let report = run(plan, &Options::default(), &mut Nowhere).expect("damage ends no run");
    let inputs = report.accounts.iter().filter_map(|node| node.input.as_ref()).flat_map(|input| &input.inputs);
    for input in inputs {
        let skipped = input.bytes_skipped();
        assert_eq!(input.bytes_used + skipped, bytes.len() as u64);
    }
});
