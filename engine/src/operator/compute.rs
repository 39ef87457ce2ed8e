//! Calculated columns.

use super::stateless::stateless;
use crate::evaluate::Scalar;
use crate::plan::Calculation;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::{Gives, OperatorSpec, View};
use std::sync::Arc;
use wireq_typesys::{FieldPath, Kind, Slot, Zone};

/// The operator of calculated columns. What they hold is known only from the input: their kinds
/// are those that the plan gives its stream.
pub fn compute(list: &[Calculation]) -> OperatorSpec {
    let mut fields: Vec<FieldPath> = Vec::new();
    for field in list
        .iter()
        .flat_map(|calculation| calculation.expr.fields())
    {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let columns = list.iter().map(|c| (c.name.clone(), Kind::Dynamic));
    let list = list.to_vec();
    OperatorSpec {
        gives: Gives::Annotated(columns.collect()),
        passes_all: true,
        ..OperatorSpec::stateless(fields, move |context| {
            let scalar = |calculation: &Calculation| {
                let scalar = Scalar::new(&calculation.expr, context);
                let place = |field| context.fields.iter().position(|f| f == field);
                let places = scalar.fields.iter().map(|f| place(f).unwrap_or(usize::MAX));
                (places.collect(), scalar)
            };
            let mut compute = Compute {
                columns: list.iter().map(scalar).collect(),
                slots: Vec::new(),
                zone: Arc::clone(&context.zone),
            };
            stateless(move |view, out| compute.step(view, out))
        })
    }
}

struct Compute {
    /// For each column the places of its fields in the view, and how it is calculated.
    columns: Vec<(Vec<usize>, Scalar)>,
    slots: Vec<Option<Slot>>,
    zone: Arc<Zone>,
}

impl Compute {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (places, scalar) in &mut self.columns {
            let slot = |place: &usize| view.slots.get(*place).copied().flatten();
            self.slots.clear();
            self.slots.extend(places.iter().map(slot));
            let mine = View {
                part: view.part,
                slots: &self.slots,
            };
            columns.push(scalar.column(mine, &self.zone));
        }
        if is_planted("compute-shifted-by-one") {
            columns.rotate_left(1);
        }
        out.annotate(view.part, view.part.selection, columns);
    }
}
