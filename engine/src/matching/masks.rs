//! Tests of small numbers that are no ranges: which bits are set, what is left over.
//!
//! A field of 8 or 16 bits has few values. What such tests say of a value is tried when it is met
//! first, and kept as one bit for each test: from then on a row takes one look-up a field, however
//! many tests there are, and a condition one comparison.

use super::naive::Placed;
use crate::plan::expr::Expr;
use crate::{Context, View};
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, Column, ColumnDef, Data, FieldPath, Kind, Names, Part, PartData, Position, Positions,
    Recipe, Shape, Slot, Zone,
};

/// So many tests have bits; another one says that a value was met.
pub(super) const TESTS_MAX: usize = 63;
const KNOWN: u64 = 1 << 63;

/// Where absence stands, behind all values.
const ABSENT: usize = 1 << 16;

/// Tests that have bits.
#[derive(Default)]
pub(super) struct Masks {
    fields: Vec<Field>,
    tests: usize,
}

/// What is known of the values of a field.
struct Field {
    /// Its place in the view.
    place: usize,
    def: ColumnDef,
    /// By bit.
    tests: Vec<(u32, Placed)>,
    /// By value, and at the end for absence; 0 where it was not met.
    masks: Vec<u64>,
}

impl Masks {
    /// Gives a test of one field a bit, where there is one left.
    pub(super) fn add(
        &mut self,
        test: &Expr,
        path: &FieldPath,
        place: usize,
        kind: Kind,
        context: &Context,
    ) -> Option<u32> {
        if self.tests == TESTS_MAX {
            return None;
        }
        let bit = self.tests as u32;
        self.tests += 1;
        let at = match self.fields.iter().position(|field| field.place == place) {
            Some(at) => at,
            None => {
                self.fields.push(Field::new(path, place, kind));
                self.fields.len() - 1
            }
        };
        let own = Context {
            fields: vec![path.clone()],
            kinds: vec![kind],
            ..context.clone()
        };
        self.fields[at].tests.push((bit, Placed::new(test, &own)));
        Some(bit)
    }

    /// How many fields are looked up.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the fields have few values here, as far as they have any.
    pub(super) fn fit(&self, view: View<'_>) -> bool {
        self.fields.iter().all(|field| field.fits(view))
    }

    /// Lets go of the fields that don't; gives the bits that are left.
    pub(super) fn keep_fitting(&mut self, view: View<'_>) -> u64 {
        self.fields.retain(|field| field.fits(view));
        let tests = self.fields.iter().flat_map(|field| &field.tests);
        tests.fold(0, |all, (bit, _)| all | 1 << bit)
    }

    /// The bits of rows.
    pub(super) fn look_up(
        &mut self,
        view: View<'_>,
        rows: &[u16],
        zone: &Zone,
        out: &mut Vec<u64>,
    ) {
        out.clear();
        out.resize(rows.len(), 0);
        for field in &mut self.fields {
            let column = view.column(field.place).filter(|c| !c.valid.is_empty());
            match column.map(|column| (&column.data, column)) {
                Some((Data::U8(v), column)) => field.look_up(column, v, rows, zone, out),
                Some((Data::U16(v), column)) => field.look_up(column, v, rows, zone, out),
                _ => {
                    field.learn(&[ABSENT], None, zone);
                    out.iter_mut().for_each(|bits| *bits |= field.masks[ABSENT]);
                }
            }
        }
    }
}

impl Field {
    fn new(path: &FieldPath, place: usize, kind: Kind) -> Field {
        Field {
            place,
            def: ColumnDef {
                path: path.clone(),
                kind,
                recipe: Recipe::Given,
            },
            tests: Vec::new(),
            masks: vec![0; ABSENT + 1],
        }
    }

    fn fits(&self, view: View<'_>) -> bool {
        let column = view.column(self.place);
        column.is_none_or(|c| c.valid.is_empty() || matches!(c.data, Data::U8(_) | Data::U16(_)))
    }

    fn look_up<T: Copy + Into<u16>>(
        &mut self,
        column: &Column,
        values: &[T],
        rows: &[u16],
        zone: &Zone,
        out: &mut [u64],
    ) {
        let place = |row: &u16| match column.valid.get(usize::from(*row)) {
            true => usize::from(values[usize::from(*row)].into()),
            false => ABSENT,
        };
        let mut all = KNOWN;
        for (row, out) in rows.iter().zip(out.iter_mut()) {
            let bits = self.masks[place(row)];
            all &= bits;
            *out |= bits;
        }
        if all == 0 {
            let mut new: Vec<usize> = rows.iter().map(place).collect();
            new.sort_unstable();
            new.dedup();
            self.learn(&new, column.names, zone);
            for (row, out) in rows.iter().zip(out) {
                *out |= self.masks[place(row)];
            }
        }
    }

    /// Tries all tests on the values that were not met before.
    fn learn(&mut self, places: &[usize], names: Option<&'static Names>, zone: &Zone) {
        let new = |place: &&usize| self.masks[**place] == 0;
        let places: Vec<usize> = places.iter().filter(new).copied().collect();
        if places.is_empty() {
            return;
        }
        let column = Column {
            data: Data::U16(places.iter().map(|place| *place as u16).collect()),
            valid: Bitmap::from_fn(places.len(), |row| places[row] != ABSENT),
            names,
        };
        let part = part_of(self.def.clone(), column);
        let slots = [Some(Slot::Base(0))];
        let view = View {
            part: &part,
            slots: &slots,
        };
        for place in &places {
            self.masks[*place] = KNOWN;
        }
        for (bit, test) in &mut self.tests {
            for row in test.select(view, &part.selection, zone).iter() {
                self.masks[places[row]] |= 1 << *bit;
            }
        }
    }
}

/// A part of one column.
pub(super) fn part_of(def: ColumnDef, column: Column) -> Part {
    let shape = Arc::new(Shape {
        record_type: None,
        base: vec![def],
        extra: Vec::new(),
        summary: Vec::new(),
    });
    let rows = column.len();
    let positions = Positions::Run(Position::START);
    let data = PartData::from_columns(shape, vec![column], rows, positions, 0);
    Part::new(Arc::new(data))
}
