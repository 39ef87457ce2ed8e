//! What each condition alone would take: the tests that trying it from left to right tries.
//!
//! The share of tests that are short-circuited is of these. To count them is to do without all that
//! matching conditions together saves, and so only some of the rows are counted where tests are many.

use super::{Condition, Hits, Matcher, Naive, Work};
use crate::{Context, View};
use wireq_typesys::{Bitmap, Zone};

/// Rows are left out where that keeps what is tried on a row, in the mean, below so many tests.
const TESTS_MAX: usize = 64;

/// A matcher, and beside it what conditions alone would take.
pub(super) struct Compared {
    matcher: Box<dyn Matcher>,
    /// None where the matcher itself tries each condition alone.
    naive: Option<Box<Naive>>,
    /// One row of so many is counted: which ones follows from where they stand in the input, so that
    /// threads count the same.
    every: u64,
    hits: Hits,
}

impl Compared {
    /// `is_alone`: whether the matcher itself tries each condition alone.
    pub(super) fn new(
        matcher: Box<dyn Matcher>,
        is_alone: bool,
        conditions: &[Condition],
        context: &Context,
    ) -> Compared {
        let lens = conditions.iter().map(|c| c.tests.len() + c.contents.len());
        let naive = || Box::new(Naive::new(conditions, context));
        Compared {
            matcher,
            naive: (!is_alone).then(naive),
            every: lens.sum::<usize>().div_ceil(TESTS_MAX).max(1) as u64,
            hits: Hits::default(),
        }
    }
}

impl Matcher for Compared {
    fn select(&mut self, view: View<'_>, zone: &Zone, hits: &mut Hits) {
        self.matcher.select(view, zone, hits);
        let Some(naive) = &mut self.naive else {
            return;
        };
        let mut counted = Bitmap::EMPTY;
        view.part.selection.for_each(|row| {
            let position = view.part.data.position(row);
            if u64::from(position.row()) % self.every == 0 {
                counted.set(row);
            }
        });
        if !counted.is_empty() {
            let part = view.part.select(counted);
            let view = View {
                part: &part,
                ..view
            };
            naive.select(view, zone, &mut self.hits);
        }
    }

    fn work(&mut self) -> Work {
        let work = self.matcher.work();
        let alone = self.naive.as_mut().map_or(work, |naive| naive.work());
        Work {
            alone_rows: alone.rows,
            alone_tried: alone.tried,
            ..work
        }
    }
}
