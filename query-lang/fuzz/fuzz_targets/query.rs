//! Any text as queries: it compiles, or its faults point into it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wireq_engine::plan::explain::explain;
use wireq_query_lang::{Files, Options, Text, compile};
use wireq_typesys::Zone;

fuzz_target!(|text: &str| {
    let zone = Zone::utc();
    let texts = [Text { name: "query".into(), text: text.to_owned() }];
    for files in [None, Some(Files { module: "pcapfile", flags: Vec::new(), paths: vec!["x".into()] })] {
        match compile(&texts, &wireq_modules::registry(), &Options { files, ..Options::new(&zone) }) {
            Ok(plan) => drop(explain(&plan)),
            Err(faults) => {
                assert!(!faults.is_empty());
                for fault in faults {
                    assert!(fault.diagnostic.span.start <= fault.diagnostic.span.end);
                    assert!(fault.diagnostic.span.end <= text.len());
                }
            }
        }
    }
});
