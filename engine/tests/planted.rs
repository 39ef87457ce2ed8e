//! Wrong operators, planted one by one, are found by the random query sets.
#![cfg(feature = "planted")]

#[allow(
    dead_code,
    reason = "shared with the other test, which uses more of it"
)]
mod harness;

use harness::faults;
use wireq_engine::planted::NAMES;

const SETS_MAX: usize = 1500;

#[test]
fn planted_faults_are_found() {
    let seed = harness::number_from_environment("WIREQ_SEED", 1);
    // One or several of them, for those who work on what they are about.
    let wanted = std::env::var("WIREQ_PLANTED").unwrap_or_default();
    let names = NAMES.iter().copied();
    let wanted = names.filter(|name| name.contains(&wanted));
    let found = match faults::find(seed, SETS_MAX, wanted) {
        Ok(found) => found,
        Err(mismatch) => panic!("without any fault, {}", mismatch.report()),
    };
    let missed = found.iter().filter(|fault| fault.found.is_none());
    let missed =
        missed.map(|fault| format!("{}, which {} sets ask about", fault.name, fault.asked));
    let missed: Vec<String> = missed.collect();
    assert!(
        missed.is_empty(),
        "not found in {SETS_MAX} sets: {}",
        missed.join("; ")
    );
}
