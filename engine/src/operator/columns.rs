//! Columns of an aggregate that stands for several, under the names that one of these has for them.

use super::stateless::stateless;
use crate::plan::Renamed;
use crate::planted::is_planted;
use crate::{Gives, OperatorSpec};
use wireq_typesys::{Column, FieldPath};

/// The operator that attaches them.
pub(crate) fn columns(list: &[Renamed]) -> OperatorSpec {
    let fields: Vec<FieldPath> = list.iter().map(|renamed| renamed.of.clone()).collect();
    let columns = list
        .iter()
        .map(|renamed| (renamed.name.clone(), renamed.kind));
    let count = list.len();
    OperatorSpec {
        gives: Gives::Annotated(columns.collect()),
        ..OperatorSpec::stateless(fields, move |_| {
            stateless(move |view, out| {
                let shift = usize::from(is_planted("merge-next-column"));
                let own = (0..count).map(|at| (at + shift) % count);
                let column = |at| view.column(at).cloned().unwrap_or_default();
                let columns: Vec<Column> = own.map(column).collect();
                out.annotate(view.part, view.part.selection, columns);
            })
        })
    }
}
