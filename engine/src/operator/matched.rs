//! Many filters of one stream: one node says which of them pass each row, and gives each of them
//! its rows.

use super::stateless::stateless;
use crate::matching::{Condition, Hits, Matcher};
use crate::plan::Match;
use crate::schedule::output::Output;
use crate::{OperatorSpec, View};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Zone};

/// The operator of many conditions. What it passes are rows for which any of them holds.
pub(crate) fn matched(matched: &Match) -> OperatorSpec {
    let Match {
        conditions,
        strategy,
        vector,
    } = matched.clone();
    let fields = Condition::fields(&conditions);
    OperatorSpec::stateless(fields, move |context| {
        let mut matched = Matched {
            matcher: strategy.matcher(Arc::clone(&conditions), vector, context),
            hits: Hits::default(),
            rows: vec![Bitmap::EMPTY; conditions.len()],
            met: Vec::new(),
            zone: Arc::clone(&context.zone),
        };
        stateless(move |view, out| matched.step(view, out))
    })
}

struct Matched {
    matcher: Box<dyn Matcher>,
    hits: Hits,
    /// For each condition the rows for which it holds: empty between parts.
    rows: Vec<Bitmap>,
    /// The conditions that hold for any row.
    met: Vec<u32>,
    zone: Arc<Zone>,
}

impl Matched {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        self.matcher.select(view, &self.zone, &mut self.hits);
        let mut any = Bitmap::EMPTY;
        for row in view.part.selection.iter() {
            let ids = self.hits.of(row);
            if ids.is_empty() {
                continue;
            }
            any.set(row);
            for id in ids {
                let rows = &mut self.rows[*id as usize];
                if rows.is_empty() {
                    self.met.push(*id);
                }
                rows.set(row);
            }
        }
        self.met.sort_unstable();
        out.account.filtered += (view.part.count() - any.count()) as u64;
        for id in self.met.drain(..) {
            let rows = std::mem::take(&mut self.rows[id as usize]);
            out.route(id, view.part, rows);
        }
        out.pass(view.part, any);
    }
}

/// The operator of one branch. The scheduler hands it what is its own, so there is nothing left to
/// do.
pub(crate) fn branch() -> OperatorSpec {
    OperatorSpec::stateless(Vec::new(), |_| {
        stateless(|view, out| out.pass(view.part, view.part.selection))
    })
}
