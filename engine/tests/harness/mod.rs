//! Random query sets through oracle and engine.
//!
//! | file | what |
//! |---|---|
//! | `random` | choices that a seed determines |
//! | `capture`, `tables` | random captures and tables |
//! | `query`, `scope` | query sets, and what a place in a query may name |
//! | `generate`, `stages`, `measures`, `conditions`, `alike`, `rare` | random query sets |
//! | `check`, `modes` | one set through oracle and engine, in every mode |
//! | `faults` | which sets show planted faults |
//! | `shrink` | the smallest set that still fails |
//! | `census` | how often everything occurred |

mod alike;
mod capture;
pub mod census;
pub mod check;
mod conditions;
#[cfg(feature = "planted")]
#[allow(dead_code, reason = "one of the tests that share this uses it")]
pub mod faults;
mod generate;
mod measures;
mod modes;
#[path = "../oracle/mod.rs"]
mod oracle;
mod query;
mod random;
mod rare;
mod scope;
mod shrink;
mod stages;
mod tables;

use census::Census;
use check::{Checker, Failure, Outcome};
use generate::QuerySet;

/// A set for which oracle and engine differ.
pub struct Mismatch {
    /// How many sets were tried, this one included.
    pub tried: usize,
    seed: u64,
    set: QuerySet,
    failure: Failure,
}

/// Runs sets from a seed on until one fails.
///
/// # Errors
/// The first set for which oracle and engine differ, as it was made.
pub fn run_sets(seed: u64, count: usize) -> Result<Census, Box<Mismatch>> {
    let checker = Checker::new();
    let mut census = Census::default();
    for at in 0..count {
        let seed = seed.wrapping_add(at as u64);
        let functions = checker.functions();
        let set = QuerySet::random(seed, functions, |capture| checker.packets(capture));
        match checker.check(&set) {
            Outcome::Agreed(counts) => census.add(counts),
            Outcome::Invalid(faults) => {
                census.invalid += 1;
                eprintln!("the set of seed {seed} is no query: {faults}");
                assert!(
                    census.invalid <= 3 + at / 30,
                    "set of seed {seed} is no query, as were too many before it:\n{faults}\n{}",
                    checker.show(&set)
                );
            }
            Outcome::Failed(failure) => {
                return Err(Box::new(Mismatch {
                    tried: at + 1,
                    seed,
                    set,
                    failure,
                }));
            }
        }
    }
    Ok(census)
}

impl Mismatch {
    /// What to look at: the smallest set that still fails, and how.
    pub fn report(self) -> String {
        let checker = Checker::new();
        // Panics of the engine are failures like others here, and their messages would come by
        // the hundred.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let fails = |set: &QuerySet| match checker.check(set) {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Agreed(_) | Outcome::Invalid(_) => None,
        };
        let (set, failure) = shrink::shrink(self.set, self.failure, fails);
        std::panic::set_hook(hook);
        format!(
            "oracle and engine differ in set {}; again: WIREQ_SEED={} WIREQ_SETS=1\n\n{}\n{}\n\
             --- the oracle says\n{}\n--- the engine gave\n{}\n---",
            self.tried,
            self.seed,
            checker.show(&set),
            failure.what,
            failure.expected,
            failure.given
        )
    }
}

/// A number from the environment.
pub fn number_from_environment(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is {text} and no number"))
}
