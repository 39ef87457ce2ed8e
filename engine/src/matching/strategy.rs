//! Which way conditions are matched.

use super::counting::Counting;
use super::dataflow::Dataflow;
use super::distinct::TestMatcher;
use super::snort::Snort;
use super::{Condition, Index, Matcher, Naive};
use crate::Context;
use std::fmt;
use std::sync::Arc;

/// A way to match many conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// The index.
    #[default]
    Auto,
    /// Condition by condition.
    Naive,
    /// Chains of conditions with equal heads.
    Snort,
    /// Passed tests are counted by condition.
    Counting,
    /// Conditions share the tests that they begin with.
    Dataflow,
}

impl Strategy {
    /// All of them with their names.
    pub const ALL: &'static [(&'static str, Strategy)] = &[
        ("auto", Strategy::Auto),
        ("naive", Strategy::Naive),
        ("snort", Strategy::Snort),
        ("counting", Strategy::Counting),
        ("dataflow", Strategy::Dataflow),
    ];

    /// The strategy of a name.
    pub fn of(name: &str) -> Option<Strategy> {
        let known = Strategy::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, strategy)| *strategy)
    }

    /// Makes conditions ready; the view has the columns of `context.fields`.
    pub fn matcher(
        self,
        conditions: Arc<[Condition]>,
        vector: bool,
        context: &Context,
    ) -> Box<dyn Matcher> {
        let by_tests = |conditions, make| {
            Box::new(TestMatcher::new(conditions, vector, context, make)) as Box<dyn Matcher>
        };
        match self {
            Strategy::Snort => by_tests(conditions, Snort::new),
            Strategy::Counting => by_tests(conditions, Counting::new),
            Strategy::Dataflow => by_tests(conditions, Dataflow::new),
            Strategy::Auto => Box::new(Index::new(conditions, context)),
            Strategy::Naive => Box::new(Naive::new(&conditions, context)),
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut known = Strategy::ALL.iter();
        f.write_str(known.find(|(_, s)| s == self).map_or("", |(name, _)| name))
    }
}
