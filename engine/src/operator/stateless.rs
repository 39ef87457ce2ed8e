//! What operators that keep nothing have in common.

use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{Error, Operator, Progress, Verdict, View};
use std::any::Any;

/// An operator that does `step` with the rows of each view and has nothing to remember.
pub fn stateless(step: impl FnMut(View<'_>, &mut Output) + Send + 'static) -> Box<dyn Operator> {
    let mut step = step;
    of_ports(move |_, view, out| step(view, out))
}

/// The same, told the port that the rows come from.
pub fn of_ports(
    step: impl FnMut(usize, View<'_>, &mut Output) + Send + 'static,
) -> Box<dyn Operator> {
    Box::new(Stateless(step))
}

struct Stateless<F>(F);

impl<F: FnMut(usize, View<'_>, &mut Output) + Send + 'static> Operator for Stateless<F> {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            (self.0)(port, *view, out);
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
