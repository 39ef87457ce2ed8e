//! Any bytes as a capture: every field of every packet is printed, and every byte accounted for.
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

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("wireq-fuzz-{}.pcap", std::process::id()));
    std::fs::write(&path, bytes).expect("the temporary folder takes files");
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
