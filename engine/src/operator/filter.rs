//! `where`: passes objects for which an expression is known and true.

use super::stateless::stateless;
use crate::evaluate::Predicate;
use crate::plan::expr::Expr;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::{OperatorSpec, View};
use std::sync::Arc;
use wireq_typesys::Zone;

/// The filter of an expression.
pub(crate) fn filter(expr: &Expr) -> OperatorSpec {
    let expr = expr.clone();
    OperatorSpec::stateless(expr.fields(), move |context| {
        let mut filter = Filter {
            predicate: Predicate::new(&expr, context),
            zone: Arc::clone(&context.zone),
        };
        stateless(move |view, out| filter.step(view, out))
    })
}

struct Filter {
    predicate: Predicate,
    zone: Arc<Zone>,
}

impl Filter {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        let mut passing = self.predicate.select(view, &self.zone);
        if is_planted("filter-unknown-passes") {
            let absent = view.column(0).map_or(view.part.selection, |column| {
                view.part.selection.minus(&column.valid)
            });
            passing = passing.or(&absent);
        }
        out.account.filtered += (view.part.count() - passing.count()) as u64;
        out.pass(view.part, passing);
    }
}
