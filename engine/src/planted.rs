//! Wrong operators for testing the tests.
//!
//! With the feature `planted` (test builds only), each place that asks [`is_planted`] can be
//! switched to a one-line mistake; the random harness has to find every one of them.

#[cfg(feature = "planted")]
use std::cell::Cell;
#[cfg(feature = "planted")]
use std::sync::atomic::{AtomicBool, Ordering};

/// The mistakes that can be planted.
pub const NAMES: &[&str] = &[
    "head-one-more",
    "head-per-batch",
    "uniq-per-batch",
    "uniq-first-field-only",
    "filter-unknown-passes",
    "and-first-part-only",
    "less-is-less-or-equal",
    "not-needs-known",
    "prefix-is-exact",
    "union-port-order",
    "union-drops-second",
    "aggregate-keeps-first-object",
    "aggregate-absent-key-filtered",
    "aggregate-descending",
    "count-one-short",
    "sum-absent-is-absent",
    "max-is-min",
    "project-keeps-all",
    "print-untrimmed",
    "print-acts-after-done",
    "fill-first-selection-only",
    "output-by-statement",
    "share-ignores-arguments",
    "keyed-one-group",
    "keyed-close-keeps-state",
    "close-leaves-its-group",
    "close-ends-all-groups",
    "close-of-more-ends-groups",
    "join-forgets-own-tests",
    "join-pairs-twice",
    "tally-of-next",
    "table-of-next",
    "table-heads-are-one",
    "table-writes-backwards",
    "table-last-drops-a-key",
    "table-histograms-are-one",
    "join-until-after-pairing",
    "compute-shifted-by-one",
    "case-takes-last-arm",
    "normalize-keeps-operator",
    "push-through-what-it-reads",
    "merge-any-keys",
    "merge-any-arguments",
    "merge-next-column",
    "chain-drops-first",
    "imply-the-wrong-way",
    "imply-of-what-is-attached",
    "feed-the-wide-from-the-narrow",
    "limit-one-less",
    "limit-loses-equal-rows",
    "limit-loses-equal-groups",
    "match-access-test-alone",
    "match-classes-of-last-row",
    "match-contents-tell-all",
    "match-next-expression",
    "match-route-to-next",
    "branch-of-shared-rows",
    "spill-first-run-lost",
    "pieces-whatever-the-order",
    "any-order-for-all",
    "flow-one-way",
    "flow-ends-late",
    "lag-is-none",
    "active-for-ever",
    "falls-are-changes",
    "share-below",
    "share-of-objects",
    "fragment-has-ports",
    "vlan-second-tag",
    "ihl-ignored",
];

/// Which of [`NAMES`] were asked about, by number, while they were watched.
#[cfg(feature = "planted")]
pub struct Asked([AtomicBool; NAMES.len()]);

#[cfg(feature = "planted")]
impl Asked {
    /// None so far. It lasts as long as the process: threads that watch for it may be about.
    pub fn new() -> &'static Asked {
        Box::leak(Box::new(Asked(
            [const { AtomicBool::new(false) }; NAMES.len()],
        )))
    }

    /// The names since this was asked last.
    pub fn take(&self) -> Vec<&'static str> {
        let names = NAMES.iter().zip(&self.0);
        let asked = names.filter(|(_, asked)| asked.swap(false, Ordering::Relaxed));
        asked.map(|(name, _)| *name).collect()
    }
}

/// What a thread does where it is asked about a mistake.
#[derive(Clone, Copy)]
pub(crate) enum State {
    Off,
    #[cfg(feature = "planted")]
    Planted(&'static str),
    #[cfg(feature = "planted")]
    Watched(&'static Asked),
}

#[cfg(feature = "planted")]
thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Off) };
}

/// Switches one mistake on for this thread, or all off.
///
/// # Panics
/// Where there is no mistake of the name.
#[cfg(feature = "planted")]
pub fn plant(name: Option<&'static str>) {
    let state = name.map_or(State::Off, |name| {
        assert!(NAMES.contains(&name), "{name}");
        State::Planted(name)
    });
    STATE.set(state);
}

/// Switches all mistakes off for this thread, and keeps which are asked about: one that is not can
/// change nothing.
#[cfg(feature = "planted")]
pub fn watch(asked: &'static Asked) {
    STATE.set(State::Watched(asked));
}

/// Whether a mistake is switched on.
#[cfg(feature = "planted")]
#[inline]
pub fn is_planted(name: &str) -> bool {
    match STATE.get() {
        State::Off => false,
        State::Planted(planted) => planted == name,
        State::Watched(asked) => {
            let number = NAMES.iter().position(|known| *known == name);
            asked.0[number.expect(name)].store(true, Ordering::Relaxed);
            false
        }
    }
}

/// Whether a mistake is switched on: never, outside test builds.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is_planted(_name: &str) -> bool {
    false
}

/// What is switched on for this thread.
pub(crate) fn current() -> State {
    #[cfg(feature = "planted")]
    return STATE.get();
    #[cfg(not(feature = "planted"))]
    State::Off
}

/// Switches on here what is for the thread that began this one.
pub(crate) fn inherit(_state: State) {
    #[cfg(feature = "planted")]
    STATE.set(_state);
}
