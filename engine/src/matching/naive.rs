//! Condition by condition, as if each stood alone.

use super::{Condition, Content, Hits, Matcher, Work};
use crate::evaluate::Predicate;
use crate::{Context, View};
use wireq_typesys::{Bitmap, Data, FieldPath, Kind, Slot, Zone};

/// A test, and where the columns of its fields are in the view of all conditions.
pub(super) struct Placed {
    predicate: Predicate,
    places: Vec<usize>,
    slots: Vec<Option<Slot>>,
}

impl Placed {
    pub(super) fn new(test: &crate::plan::expr::Expr, context: &Context) -> Placed {
        let fields = test.fields();
        let place = |field: &FieldPath| context.fields.iter().position(|known| known == field);
        let places: Vec<usize> = fields
            .iter()
            .map(|f| place(f).unwrap_or(usize::MAX))
            .collect();
        let kind = |at: &usize| context.kinds.get(*at).copied().unwrap_or(Kind::Dynamic);
        let own = Context {
            kinds: places.iter().map(kind).collect(),
            fields,
            ..context.clone()
        };
        Placed {
            predicate: Predicate::new(test, &own),
            places,
            slots: Vec::new(),
        }
    }

    /// The rows of `rows` for which the test holds.
    pub(super) fn select(&mut self, view: View<'_>, rows: &Bitmap, zone: &Zone) -> Bitmap {
        let slot = |place: &usize| view.slots.get(*place).copied().flatten();
        self.slots.clear();
        self.slots.extend(self.places.iter().map(slot));
        let part = view.part.select(*rows);
        let own = View {
            part: &part,
            slots: &self.slots,
        };
        self.predicate.select(own, zone)
    }
}

/// The bytes of a row of a column; none where it has none.
#[inline]
pub(super) fn bytes_of(column: Option<&wireq_typesys::Column>, row: usize) -> Option<&[u8]> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::Bytes(slices) | Data::Text(slices) => Some(slices.get(row)),
        _ => None,
    }
}

impl Content {
    /// Whether the pattern is in a text where it has to be.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let len = self.pattern.bytes.len();
        let Some(first) = self.pattern.bytes.first() else {
            return false;
        };
        // It begins here at the latest.
        let depth = self.depth.unwrap_or(usize::MAX);
        let end = self.offset.saturating_add(depth).min(text.len());
        let Some(last) = end.checked_sub(len) else {
            return false;
        };
        let same = |here: &[u8]| match self.pattern.nocase {
            true => here.eq_ignore_ascii_case(&self.pattern.bytes),
            false => here == self.pattern.bytes,
        };
        let at = |at: usize| text[at].eq_ignore_ascii_case(first) && same(&text[at..at + len]);
        match self.at_end {
            true => last >= self.offset && end == text.len() && at(last),
            false => (self.offset..=last).any(at),
        }
    }
}

/// Conditions that are tried one by one.
pub struct Naive {
    conditions: Vec<(Vec<Placed>, Vec<(usize, Content)>)>,
    work: Work,
}

impl Naive {
    /// Makes conditions ready; the view has the columns of `context.fields`.
    pub fn new(conditions: &[Condition], context: &Context) -> Naive {
        let ready = |condition: &Condition| {
            let tests = condition.tests.iter();
            let contents = condition.contents.iter().map(|content| {
                let place = context.fields.iter().position(|f| *f == content.field);
                (place.unwrap_or(usize::MAX), content.clone())
            });
            (
                tests.map(|test| Placed::new(test, context)).collect(),
                contents.collect(),
            )
        };
        let lens = conditions.iter().map(|c| c.tests.len() + c.contents.len());
        Naive {
            conditions: conditions.iter().map(ready).collect(),
            work: Work {
                tests: lens.clone().sum::<usize>() as u64,
                depth: lens.max().unwrap_or(0) as u64,
                ..Work::default()
            },
        }
    }
}

impl Matcher for Naive {
    fn select(&mut self, view: View<'_>, zone: &Zone, hits: &mut Hits) {
        let all = view.part.selection;
        self.work.rows += all.count() as u64;
        let mut passing = Vec::with_capacity(self.conditions.len());
        for (tests, contents) in &mut self.conditions {
            let mut rows = all;
            for test in tests {
                if rows.is_empty() {
                    break;
                }
                self.work.tried += rows.count() as u64;
                rows = test.select(view, &rows, zone);
            }
            for (place, content) in contents {
                self.work.tried += rows.count() as u64;
                let column = view.column(*place);
                let has = |row: &usize| bytes_of(column, *row).is_some_and(|t| content.is_in(t));
                rows = rows.iter().filter(has).collect();
            }
            passing.push(rows);
        }
        hits.clear();
        for row in 0..view.part.data.len() {
            hits.end_rows_to(row);
            if all.get(row) {
                let ids = passing.iter().zip(0u32..).filter(|(rows, _)| rows.get(row));
                hits.ids.extend(ids.map(|(_, id)| id));
            }
        }
        hits.end_rows_to(view.part.data.len());
    }

    fn work(&mut self) -> Work {
        let none = Work {
            rows: 0,
            tried: 0,
            ..self.work
        };
        std::mem::replace(&mut self.work, none)
    }
}
