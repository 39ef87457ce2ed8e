//! Wrong operators for testing the tests.
//!
//! With the feature `planted` (test builds only), each place that asks [`is_planted`] can be
//! switched to a one-line mistake; the random harness has to find every one of them.

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
    "match-route-to-next",
    "branch-of-shared-rows",
    "spill-first-run-lost",
    "pieces-whatever-the-order",
    "flow-one-way",
    "lag-is-none",
    "active-for-ever",
    "falls-are-changes",
    "share-below",
    "share-of-objects",
    "fragment-has-ports",
    "vlan-second-tag",
    "ihl-ignored",
];

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Switches one mistake on for this thread, or all off.
#[cfg(feature = "planted")]
pub fn plant(name: Option<&'static str>) {
    PLANTED.with(|planted| planted.set(name));
}

/// Whether a mistake is switched on.
#[cfg(feature = "planted")]
pub fn is_planted(name: &str) -> bool {
    debug_assert!(NAMES.contains(&name), "{name}");
    PLANTED.with(|planted| planted.get() == Some(name))
}

/// Whether a mistake is switched on: never, outside test builds.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is_planted(_name: &str) -> bool {
    false
}

/// The mistake that is switched on for this thread.
pub(crate) fn current() -> Option<&'static str> {
    #[cfg(feature = "planted")]
    return PLANTED.with(std::cell::Cell::get);
    #[cfg(not(feature = "planted"))]
    None
}

/// Switches the mistake of the thread that began this one on here too.
pub(crate) fn inherit(_name: Option<&'static str>) {
    #[cfg(feature = "planted")]
    plant(_name);
}
