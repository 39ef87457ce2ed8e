//! The rows that `flowid` gives: first objects of flows, and what is known of flows that ended.

use super::columns::{NEVER, counts, narrow, times};
use super::key::{Key, KeyFields};
use super::sums::Flow;
use crate::process::stateless::absent;
use std::mem::take;
use std::sync::Arc;
use wireq_engine::plan::stream::is_hidden;
use wireq_engine::schedule::output::Output;
use wireq_engine::{Context, Control, View};
use wireq_typesys::{
    Bitmap, Column, ColumnBuilder, Data, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX,
    Recipe, Shape, Value,
};

/// The columns that are the module's own.
pub(super) const OWN: [(&str, Kind); 7] = [
    ("flowid", Kind::Unsigned),
    ("start", Kind::Time),
    ("finish", Kind::Time),
    ("packets", Kind::Unsigned),
    ("packetsback", Kind::Unsigned),
    ("bytes", Kind::Unsigned),
    ("bytesback", Kind::Unsigned),
];

/// Where the values of a column come from.
#[derive(Clone, Copy)]
enum Source {
    /// One of [`OWN`].
    Own(usize),
    /// A key field.
    Key(usize),
    /// A conversion of a key field, by its place in [`Flow::kept`].
    Kept(usize),
    /// Another field of the object.
    Other,
}

/// One column of the rows given: where it comes from, and which of the view's it is.
struct Place {
    source: Source,
    live: usize,
    kind: Kind,
}

/// Gives first objects and summaries in one shape.
pub(super) struct Rows {
    paths: Vec<FieldPath>,
    kinds: Vec<Kind>,
    places: Vec<Place>,
    /// How many values a flow keeps beside its key.
    kept: usize,
    shape: Option<Arc<Shape>>,
    origin: u32,
}

/// First objects of a view that are not given yet. Their flows have numbers one after the other.
#[derive(Default)]
pub(super) struct Firsts {
    rows: Bitmap,
    number: u64,
    starts: Vec<i64>,
    bytes: Vec<u64>,
}

impl Firsts {
    /// Adds the first object of a flow.
    #[inline]
    pub(super) fn add(&mut self, row: usize, number: u64, start: i64, bytes: u64) {
        if self.starts.is_empty() {
            self.number = number;
        }
        self.rows.set(row);
        self.starts.push(start);
        self.bytes.push(bytes);
    }

    /// One of the columns of [`OWN`].
    fn column(&self, own: usize) -> Column {
        let count = self.starts.len();
        match own {
            0 => {
                let number = |at| self.number.wrapping_add(at);
                counts((0..count as u64).map(number).collect())
            }
            1 => times(self.starts.clone(), Data::Time),
            2 => times(vec![NEVER; count], Data::Time),
            3 => counts(vec![1; count]),
            5 => counts(self.bytes.clone()),
            _ => counts(vec![0; count]),
        }
    }
}

/// One of the columns of [`OWN`] for flows that ended.
fn own_column(own: usize, flows: &[(Key<'_>, &Flow)]) -> Column {
    let flows = flows.iter().map(|(_, flow)| *flow);
    match own {
        0 => counts(flows.map(|flow| flow.number).collect()),
        1 => times(flows.map(|flow| flow.start).collect(), Data::Time),
        2 => times(flows.map(|flow| flow.finish).collect(), Data::Time),
        3 | 4 => counts(flows.map(|flow| flow.packets[own - 3]).collect()),
        _ => counts(flows.map(|flow| flow.bytes[own - 5]).collect()),
    }
}

impl Rows {
    pub(super) fn new(keys: usize, context: &Context) -> Rows {
        let keys = keys.min(context.fields.len());
        let paths = context.fields[..keys].to_vec();
        let shape = context.shape.iter().flat_map(|shape| &shape.base);
        let given = shape.filter(|def| matches!(def.recipe, Recipe::Given));
        let mut kept = 0;
        let place = given.map(|def| {
            let path = &def.path;
            let live = context.live.iter().position(|live| live == path);
            let source = if let Some(at) = OWN.iter().position(|own| own.0 == path.as_str()) {
                Source::Own(at)
            } else if let Some(at) = paths.iter().position(|key| key == path) {
                Source::Key(at)
            } else if paths.iter().any(|key| path.is_of(key)) || is_hidden(path) {
                // Also which group the flow is in.
                kept += 1;
                Source::Kept(kept - 1)
            } else {
                Source::Other
            };
            Place {
                source,
                live: live.map_or(usize::MAX, |at| context.fields.len() + at),
                kind: def.kind,
            }
        });
        let places: Vec<Place> = place.collect();
        Rows {
            places,
            kinds: context.kinds.iter().take(keys).copied().collect(),
            kept,
            paths,
            shape: context.shape.clone(),
            origin: context.origin,
        }
    }

    /// How many values a flow keeps beside its key.
    pub(super) fn kept_values(&self) -> usize {
        self.kept
    }

    /// What a flow keeps of its first object beside its key.
    pub(super) fn kept(&self, view: View<'_>, row: usize) -> Box<[Value]> {
        if self.kept == 0 {
            return Box::default();
        }
        let kept = |place: &&Place| matches!(place.source, Source::Kept(_));
        let places = self.places.iter().filter(kept);
        places.map(|place| view.value(place.live, row)).collect()
    }

    /// Gives first objects where they stand.
    pub(super) fn give_firsts(&self, view: View<'_>, firsts: &mut Firsts, out: &mut Output) {
        let firsts = take(firsts);
        let rows = firsts.rows;
        let (Some(shape), false) = (&self.shape, rows.is_empty()) else {
            return;
        };
        let count = rows.count();
        let columns = self.places.iter().map(|place| match place.source {
            Source::Own(own) => firsts.column(own),
            _ => view
                .column(place.live)
                .map_or_else(|| absent(count), |column| column.gather(&rows)),
        });
        let data = &view.part.data;
        let positions = rows.iter().map(|row| data.position(row)).collect();
        let identities = rows.iter().map(|row| data.identity(row)).collect();
        let part = PartData::from_columns(
            Arc::clone(shape),
            columns.collect(),
            count,
            Positions::Each(positions),
            self.origin,
        );
        out.emit(part.with_identities(identities));
    }

    /// Gives rows that say what is known of flows.
    pub(super) fn give_summaries(
        &self,
        fields: &KeyFields,
        flows: &[(Key<'_>, &Flow)],
        position: Position,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        let key_of = |place: &Place| match place.source {
            Source::Key(at) => Some((at, place.kind)),
            _ => None,
        };
        let wanted: Vec<(usize, Kind)> = self.places.iter().filter_map(key_of).collect();
        for flows in flows.chunks(ROWS_MAX) {
            let keys = flows.iter().map(|(key, flow)| (*key, flow.from_high));
            let keys: Vec<_> = keys.collect();
            let mut of_keys = fields.columns(&keys, &wanted).into_iter();
            let columns = self.places.iter().map(|place| match place.source {
                Source::Own(own) => own_column(own, flows),
                Source::Key(_) => of_keys.next().unwrap_or_default(),
                Source::Kept(at) => kept_column(at, place.kind, flows),
                Source::Other => absent(flows.len()),
            });
            out.emit(PartData::from_columns(
                Arc::clone(shape),
                columns.collect(),
                flows.len(),
                Positions::All(position),
                self.origin,
            ));
        }
    }

    /// The control that says that a flow is complete.
    pub(super) fn close(&self, fields: &KeyFields, key: Key<'_>, flow: &Flow) -> Control {
        let values = fields.decode(key, flow.from_high).unwrap_or_default();
        let values = values.into_iter().zip(&self.kinds);
        let fields = self.paths.iter().zip(values);
        Control::Close(
            fields
                .map(|(path, (value, kind))| (path.clone(), value.of_kind(*kind)))
                .collect(),
        )
    }
}

/// What flows keep of their first objects, as a column.
fn kept_column(at: usize, kind: Kind, flows: &[(Key<'_>, &Flow)]) -> Column {
    let mut column = ColumnBuilder::default();
    for (_, flow) in flows {
        let value = flow.kept.get(at).cloned().unwrap_or_default();
        column.push(value.of_kind(kind));
    }
    narrow(column.finish())
}
