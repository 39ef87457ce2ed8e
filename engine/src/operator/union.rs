//! Bags: all objects of all inputs.

use super::stateless::of_ports;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{Control, Error, OnControl, Operator, OperatorSpec, Progress, Verdict, View};
use std::any::Any;
use wireq_typesys::Position;

/// The union of all ports. The scheduler hands rows of several ports over in the order of their
/// positions, then ports, so passing them on is all there is to do. A watermark is that of the port where
/// time is least far, among those that tell it: files do not.
pub(crate) fn union() -> OperatorSpec {
    OperatorSpec {
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |_| {
            Box::new(Union {
                rows: of_ports(|port, view, out| {
                    if port > 0 && is_planted("union-drops-second") {
                        out.account.filtered += view.part.count() as u64;
                    } else {
                        out.pass(view.part, view.part.selection);
                    }
                }),
                marks: Vec::new(),
            })
        })
    }
}

struct Union {
    rows: Box<dyn Operator>,
    /// By port, the time before which nothing comes, where that was told.
    marks: Vec<Option<i64>>,
}

impl Operator for Union {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.rows.step(port, views, out)
    }

    fn control_on_port(
        &mut self,
        port: usize,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        let control = match control {
            Control::Watermark(time) if *time > i64::MIN => {
                if self.marks.len() <= port {
                    self.marks.resize(port + 1, None);
                }
                let mark = &mut self.marks[port];
                *mark = (*mark).max(Some(*time));
                let least = self.marks.iter().flatten().min();
                Control::Watermark(*least.unwrap_or(time))
            }
            other => other.clone(),
        };
        out.control(position, control);
        Ok(())
    }

    // Without a mark all is as if none had been told.
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
