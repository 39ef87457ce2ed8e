//! What functions declare is true in queries.

use crate::run::{scratch, wireq};
use std::fmt::Write;

/// The text that a call gives for the first packet; the frame's number keeps a place for what is
/// absent.
#[test]
fn every_example_gives_its_result() {
    let registry = wireq_modules::registry();
    let (mut queries, mut expected) = (String::new(), String::new());
    for function in registry.functions() {
        for (call, result) in function.examples {
            let _ = writeln!(queries, "head 1 | print frame.number [ {call} ] as result;");
            let column = if result.is_empty() { "" } else { "\t" };
            let _ = writeln!(expected, "{call} => 1{column}{result}");
        }
    }
    assert!(!queries.is_empty(), "there are no functions");
    let path = scratch("function-examples").join("all.wq");
    std::fs::write(&path, &queries).expect("the folder can be written to");
    let path = path.to_string_lossy().into_owned();
    let outcome = wireq(&["-f", &path, "-r", "five.pcap"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let calls = registry
        .functions()
        .iter()
        .flat_map(|function| function.examples);
    let given: String = calls
        .zip(outcome.stdout.lines())
        .map(|((call, _), line)| format!("{call} => {}\n", line.trim_end_matches('\t')))
        .collect();
    assert_eq!(given, expected);
}
