//! Bags: all objects of all inputs.

use super::stateless::of_ports;
use crate::OperatorSpec;
use crate::planted::is_planted;

/// The union of all ports. The scheduler hands rows of several ports over in the order of their
/// positions, then ports, so passing them on is all there is to do.
pub(crate) fn union() -> OperatorSpec {
    OperatorSpec::stateless(Vec::new(), |_| {
        of_ports(|port, view, out| {
            if port > 0 && is_planted("union-drops-second") {
                out.account.filtered += view.part.count() as u64;
            } else {
                out.pass(view.part, view.part.selection);
            }
        })
    })
}
