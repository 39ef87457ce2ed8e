//! Which way conditions are matched.

use super::alone::Compared;
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
    /// The index; without vector functions condition by condition.
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
        let is_alone = match self {
            Strategy::Auto => !vector,
            other => other == Strategy::Naive,
        };
        let all = Arc::clone(&conditions);
        let matcher = match self {
            Strategy::Snort => by_tests(conditions, Snort::boxed),
            Strategy::Counting => by_tests(conditions, Counting::boxed),
            Strategy::Dataflow => by_tests(conditions, Dataflow::boxed),
            Strategy::Auto if vector => Box::new(Index::new(conditions, context)),
            Strategy::Auto | Strategy::Naive => Box::new(Naive::new(&conditions, context)),
        };
        match context.matching.compared {
            true => Box::new(Compared::new(matcher, is_alone, &all, context)),
            false => matcher,
        }
    }
}

/// Which way operators match many conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matching {
    /// The strategy.
    pub strategy: Strategy,
    /// Whether many tests of one field are one look-up.
    pub vector: bool,
    /// Whether it is counted what each condition alone would take: see [`super::Work`].
    pub compared: bool,
}

impl Default for Matching {
    fn default() -> Matching {
        Matching {
            strategy: Strategy::Auto,
            vector: true,
            compared: false,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut known = Strategy::ALL.iter();
        f.write_str(known.find(|(_, s)| s == self).map_or("", |(name, _)| name))
    }
}
