//! Any bytes as a table: every cell is printed as text and as each kind, and every byte accounted for.
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

const QUERY: &str = "
    tabularinput -d ',' -f FILE | print 1 2 3 line
    tabularinput -d ' ' -f FILE a:unsigned b:address c:time d:double e:mac | print
    tabularinput -q -f FILE a:signed b:prefix c:duration d:bool e:ip-protocol f:bytes | print
    csv FILE | uniq line | print
    tsv -q --no-header FILE | sort 1 2 | print
";

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("wireq-fuzz-{}.csv", std::process::id()));
    std::fs::write(&path, bytes).expect("the temporary folder takes files");
    let zone = Zone::utc();
    let text = QUERY.replace("FILE", &path.to_string_lossy());
    let texts = [Text { name: "query".into(), text }];
    let options = wireq_query_lang::Options::new(&zone);
    let Ok(plan) = compile(&texts, &wireq_modules::registry(), &options) else { panic!("the query compiles") };
    let report = run(plan, &Options::default(), &mut Nowhere).expect("damage ends no run");
    let inputs = report.accounts.iter().filter_map(|node| node.input.as_ref()).flat_map(|input| &input.inputs);
    for input in inputs.filter(|input| input.unusable.is_none()) {
        let skipped = input.bytes_skipped();
        assert_eq!(input.bytes_used + skipped, bytes.len() as u64);
    }
});
