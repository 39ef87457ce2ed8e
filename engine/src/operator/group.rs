//! The key of each object's group, as a column: what operators that keep a state for each group go
//! by.

use super::stateless::stateless;
use crate::plan::GroupBy;
use crate::schedule::output::Output;
use crate::{Gives, OperatorSpec, View};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Block, Column, Kind, key};

/// The operator that attaches the key of a group. Objects that have none of the keys are in no
/// group.
pub(crate) fn group(group: &GroupBy) -> OperatorSpec {
    let outer = group.outer.as_ref().map(|outer| outer.column.clone());
    let around = usize::from(outer.is_some());
    let keys = group.keys.len();
    let needs = outer.into_iter().chain(group.keys.iter().cloned());
    OperatorSpec {
        gives: Gives::Annotated(vec![(group.column.clone(), Kind::Bytes)]),
        ..OperatorSpec::stateless(needs.collect(), move |_| {
            let group = Group { around, keys };
            stateless(move |view, out| group.step(view, out))
        })
    }
}

struct Group {
    /// How many columns stand before the keys: the key of the group around this one.
    around: usize,
    keys: usize,
}

impl Group {
    fn column(&self, view: View<'_>, rows: &Bitmap) -> Column {
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(rows.count());
        rows.for_each(|row| {
            let start = bytes.len();
            if self.around > 0 {
                let outer = view.value(0, row);
                bytes.extend_from_slice(outer.as_bytes().unwrap_or_default());
            }
            for at in 0..self.keys {
                key::encode_row(view.column(self.around + at), row, &mut bytes);
            }
            places.push((row, start as u32, (bytes.len() - start) as u32));
        });
        let block = Arc::new(Block(bytes));
        let mut column = Column::default();
        let (slices, valid) = column.refill_slices(view.part.data.len(), &block, Kind::Bytes);
        for (row, start, len) in places {
            slices[row] = (0, start, len);
            valid.set(row);
        }
        column
    }
}

impl Group {
    fn step(&self, view: View<'_>, out: &mut Output) {
        let columns = (0..self.keys).filter_map(|at| view.column(self.around + at));
        let keyed = columns.fold(Bitmap::EMPTY, |any, column| any.or(&column.valid));
        let rows = view.part.selection.and(&keyed);
        out.account.filtered += (view.part.count() - rows.count()) as u64;
        let column = self.column(view, &rows);
        out.annotate(view.part, rows, vec![column]);
    }
}
