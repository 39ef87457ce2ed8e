//! Any bytes as flow records: every field of every record is printed, and every byte accounted for.
//! The first byte says which reader takes the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io;
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_query_lang::{Text, compile};
use wireq_typesys::Zone;

struct Nowhere;

impl Outputs for Nowhere {
    fn write(&mut self, _: Target<'_>, _: &[u8], _: bool) -> io::Result<()> {
        Ok(())
    }
}

const READERS: [&str; 4] = ["netflow --options", "nfcapd", "cflow", "netflow"];

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let path = std::env::temp_dir().join(format!("wireq-fuzz-netflow-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("the temporary folder takes files");
    let zone = Zone::utc();
    let reader = READERS[usize::from(*first) % READERS.len()];
    let text = format!("{reader} {} | print", path.to_string_lossy());
    let texts = [Text { name: "query".into(), text }];
    let options = wireq_query_lang::Options::new(&zone);
    let Ok(plan) = compile(&texts, &wireq_modules::registry(), &options) else { panic!("the query compiles") };
    let report = run(plan, &Options::default(), &mut Nowhere).expect("damage ends no run");
    let inputs = report.accounts.iter().filter_map(|node| node.input.as_ref()).flat_map(|input| &input.inputs);
    for input in inputs {
        let skipped = input.bytes_skipped();
        assert_eq!(input.bytes_used + skipped, bytes.len() as u64);
    }
});
