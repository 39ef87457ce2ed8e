//! Bags: all objects of all inputs.

use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{Error, Operator, OperatorSpec, Progress, Verdict, View};
use std::any::Any;

/// The union of all ports. The scheduler hands rows of several ports over in the order of their
/// positions, then ports, so passing them on is all there is to do.
pub(crate) fn union() -> OperatorSpec {
    OperatorSpec::stateless(Vec::new(), |_| Box::new(Union))
}

struct Union;

impl Operator for Union {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            if port > 0 && is_planted("union-drops-second") {
                out.account.filtered += view.part.count() as u64;
                continue;
            }
            out.pass(view.part, view.part.selection);
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
