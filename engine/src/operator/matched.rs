//! Many filters of one stream: one node says which of them pass each row, and gives each of them
//! its rows.

use super::stateless::stateless;
use crate::matching::{Condition, Hits, Matcher};
use crate::plan::{Match, hits_column};
use crate::schedule::output::Output;
use crate::{Gives, OperatorSpec, View};
use std::sync::{Arc, LazyLock};
use wireq_typesys::{Bitmap, Kind, Zone};

/// The operator of many conditions. What it passes are rows for which any of them holds.
pub(crate) fn matched(matched: &Match) -> OperatorSpec {
    let Match {
        conditions,
        strategy,
        vector,
        told,
    } = matched.clone();
    let fields = Condition::fields(&conditions);
    let gives = match told {
        Some(_) => Gives::Annotated(vec![(hits_column(), Kind::List(&Kind::Unsigned))]),
        None => Gives::Same,
    };
    let stateless_spec = OperatorSpec::stateless(fields, move |context| {
        let all_told = told
            .as_ref()
            .is_some_and(|told| told.iter().all(|told| *told));
        let mut matched = Matched {
            matcher: strategy.matcher(Arc::clone(&conditions), vector, context),
            hits: Hits {
                // Aggregates take in rows, each its own.
                in_any_order: all_told,
                ..Hits::default()
            },
            rows: vec![Bitmap::EMPTY; conditions.len()],
            met: Vec::new(),
            told: told.clone(),
            all_told,
            zone: Arc::clone(&context.zone),
        };
        stateless(move |view, out| matched.step(view, out))
    });
    OperatorSpec {
        gives,
        ..stateless_spec
    }
}

struct Matched {
    matcher: Box<dyn Matcher>,
    hits: Hits,
    /// For each condition the rows for which it holds: empty between parts.
    rows: Vec<Bitmap>,
    /// The conditions that hold for any row.
    met: Vec<u32>,
    /// The filters that have no rows of their own, where hits are told.
    told: Option<Arc<[bool]>>,
    /// Whether that is all of them.
    all_told: bool,
    zone: Arc<Zone>,
}

impl Matched {
    /// Gives each filter that is not told its rows.
    fn divide(&mut self, any: &Bitmap) {
        for row in any.iter() {
            for id in self.hits.of(row) {
                if self.told.as_ref().is_some_and(|told| told[*id as usize]) {
                    continue;
                }
                let rows = &mut self.rows[*id as usize];
                if rows.is_empty() {
                    self.met.push(*id);
                }
                rows.set(row);
            }
        }
        self.met.sort_unstable();
    }

    fn step(&mut self, view: View<'_>, out: &mut Output) {
        self.matcher.select(view, &self.zone, &mut self.hits);
        out.account.work.add(&self.matcher.work());
        let any = self.hits.rows();
        if !self.all_told {
            self.divide(&any);
        }
        out.account.filtered += (view.part.count() - any.count()) as u64;
        let attached = match self.told {
            Some(_) => out.attached(view.part, std::iter::once(self.hits.column(&any))),
            None => None,
        };
        let part = attached.as_ref().unwrap_or(view.part);
        for id in self.met.drain(..) {
            let rows = std::mem::take(&mut self.rows[id as usize]);
            out.route(id, part, rows);
        }
        out.pass(part, any);
    }
}

/// The operator of any branch. The scheduler hands it what is its own, so there is nothing left to
/// do.
pub(crate) fn branch() -> Arc<OperatorSpec> {
    static BRANCH: LazyLock<Arc<OperatorSpec>> = LazyLock::new(|| {
        Arc::new(OperatorSpec::stateless(Vec::new(), |_| {
            stateless(|view, out| out.pass(view.part, view.part.selection))
        }))
    });
    Arc::clone(&BRANCH)
}
