//! `where`: passes objects for which an expression is known and true.

use crate::evaluate::Predicate;
use crate::plan::expr::Expr;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{Error, Operator, OperatorSpec, Progress, Verdict, View};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::Zone;

/// The filter of an expression.
pub(crate) fn filter(expr: &Expr) -> OperatorSpec {
    let expr = expr.clone();
    OperatorSpec::stateless(expr.fields(), move |context| {
        Box::new(Filter {
            predicate: Predicate::new(&expr, context),
            zone: Arc::clone(&context.zone),
        })
    })
}

struct Filter {
    predicate: Predicate,
    zone: Arc<Zone>,
}

impl Operator for Filter {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let mut passing = self.predicate.select(*view, &self.zone);
            if is_planted("filter-unknown-passes") {
                let absent = view.column(0).map_or(view.part.selection, |column| {
                    view.part.selection.minus(&column.valid)
                });
                passing = passing.or(&absent);
            }
            out.account.filtered += (view.part.count() - passing.count()) as u64;
            out.pass(view.part, passing);
        }
        Ok(Progress::Continue)
    }

    fn save(&self, _out: &mut Writer) {}

    fn load(&mut self, _from: &mut Reader<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
