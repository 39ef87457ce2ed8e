//! Planted faults, looked for with random query sets.
//!
//! A set is made, compiled and given to the oracle once for all faults. In each way to run it the
//! engine is first watched without any fault: those that it does not ask about there can change
//! nothing, and the others are planted one by one, each until it was found.

use super::Mismatch;
use super::check::{Checker, Failure, Ready, Way};
use super::generate::QuerySet;
use super::modes::Mode;
use wireq_engine::planted::{Asked, plant, watch};

/// A set is run in one of so many modes: each set in others, so that all have their turn.
const MODES_PER_ONE: usize = 7;

/// What became of a fault.
pub struct Fault {
    /// One of [`wireq_engine::planted::NAMES`].
    pub name: &'static str,
    /// How many sets it took to find it; none where all were in vain.
    pub found: Option<usize>,
    /// How many of the sets asked about it.
    pub asked: usize,
}

/// Looks for faults with the sets from a seed on, until all are found.
///
/// # Errors
/// A set for which oracle and engine differ without any fault.
pub fn find(
    seed: u64,
    sets_max: usize,
    names: impl Iterator<Item = &'static str>,
) -> Result<Vec<Fault>, Box<Mismatch>> {
    let checker = Checker::new();
    let asked = Asked::new();
    let fault = |name| Fault {
        name,
        found: None,
        asked: 0,
    };
    let mut faults: Vec<Fault> = names.map(fault).collect();
    for at in 0..sets_max {
        if faults.iter().all(|fault| fault.found.is_some()) {
            break;
        }
        let seed = seed.wrapping_add(at as u64);
        let packets = |capture: &_| checker.packets(capture);
        let set = QuerySet::random(seed, checker.functions(), packets);
        let Ok(ready) = checker.ready(&set) else {
            continue;
        };
        let tried = at + 1;
        let mut told: Vec<&str> = Vec::new();
        for way in ways(at) {
            watch(asked);
            let agreed = checker.attempt(&set, &ready, &way);
            plant(None);
            if let Err(failure) = agreed {
                return Err(Box::new(Mismatch {
                    tried,
                    seed,
                    set,
                    failure,
                }));
            }
            let names = asked.take();
            let open = faults.iter_mut().filter(|fault| fault.found.is_none());
            for fault in open.filter(|fault| names.contains(&fault.name)) {
                if !told.contains(&fault.name) {
                    fault.asked += 1;
                    told.push(fault.name);
                }
                plant(Some(fault.name));
                if shows(&checker, &set, &ready, &way) {
                    let Fault { name, asked, .. } = fault;
                    println!("{name}: found after {tried} sets, {asked} of which ask about it");
                    fault.found = Some(tried);
                }
                plant(None);
            }
        }
    }
    Ok(faults)
}

/// The ways in which the set of a number is run.
fn ways(at: usize) -> impl Iterator<Item = Way> {
    let modes = Mode::all().into_iter();
    let modes = modes.skip(at % MODES_PER_ONE).step_by(MODES_PER_ONE);
    modes.map(Way::Mode).chain([Way::WithoutOne])
}

/// Whether the fault that is planted makes engine and oracle differ.
fn shows(checker: &Checker, set: &QuerySet, ready: &Ready, way: &Way) -> bool {
    let differ = |tried: Result<(), Failure>| tried.is_err();
    // The oracle has to be right with the fault planted: it shares nothing with the engine.
    differ(checker.attempt(set, ready, way))
        && checker
            .ready(set)
            .is_ok_and(|again| differ(checker.attempt(set, &again, way)))
}
