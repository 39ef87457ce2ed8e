//! The rows that `flowid` gives: first objects of flows, and what is known of flows that ended.

use super::columns::{NEVER, counts, narrow, times};
use super::key::KeyFields;
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
    fields: KeyFields,
    paths: Vec<FieldPath>,
    kinds: Vec<Kind>,
    places: Vec<Place>,
    shape: Option<Arc<Shape>>,
    origin: u32,
}

/// Values of the columns of [`OWN`].
#[derive(Default)]
struct OwnColumns {
    numbers: Vec<u64>,
    starts: Vec<i64>,
    finishes: Vec<i64>,
    counts: [Vec<u64>; 4],
}

impl OwnColumns {
    fn push(&mut self, flow: &Flow, finish: i64) {
        self.numbers.push(flow.number);
        self.starts.push(flow.start);
        self.finishes.push(finish);
        let counts = flow.packets.iter().chain(&flow.bytes);
        for (column, count) in self.counts.iter_mut().zip(counts) {
            column.push(*count);
        }
    }

    fn finish(self) -> Vec<Column> {
        let mut columns = vec![
            counts(self.numbers),
            times(self.starts, Data::Time),
            times(self.finishes, Data::Time),
        ];
        columns.extend(self.counts.map(counts));
        columns
    }
}

/// First objects of a view that are not given yet.
#[derive(Default)]
pub(super) struct Firsts {
    rows: Bitmap,
    own: OwnColumns,
}

impl Firsts {
    /// Adds the first object of a flow.
    pub(super) fn add(&mut self, row: usize, flow: &Flow) {
        self.rows.set(row);
        self.own.push(flow, NEVER);
    }
}

impl Rows {
    pub(super) fn new(fields: KeyFields, context: &Context) -> Rows {
        let keys = fields.len().min(context.fields.len());
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
        Rows {
            places: place.collect(),
            kinds: context.kinds.iter().take(keys).copied().collect(),
            fields,
            paths,
            shape: context.shape.clone(),
            origin: context.origin,
        }
    }

    /// How many values a flow keeps beside its key.
    pub(super) fn kept_values(&self) -> usize {
        let kept = |place: &&Place| matches!(place.source, Source::Kept(_));
        self.places.iter().filter(kept).count()
    }

    /// About how many bytes a flow keeps beside its key and counts.
    pub(super) fn kept_bytes(&self) -> usize {
        let kept = |place: &&Place| matches!(place.source, Source::Kept(_));
        self.places.iter().filter(kept).count() * size_of::<Value>()
    }

    /// What a flow keeps of its first object beside its key.
    pub(super) fn kept(&self, view: View<'_>, row: usize) -> Box<[Value]> {
        let kept = |place: &&Place| matches!(place.source, Source::Kept(_));
        let places = self.places.iter().filter(kept);
        places.map(|place| view.value(place.live, row)).collect()
    }

    /// Gives first objects where they stand.
    pub(super) fn give_firsts(&self, view: View<'_>, firsts: &mut Firsts, out: &mut Output) {
        let Firsts { rows, own } = take(firsts);
        let (Some(shape), false) = (&self.shape, rows.is_empty()) else {
            return;
        };
        let (count, mut own) = (rows.count(), own.finish());
        let columns = self.places.iter().map(|place| match place.source {
            Source::Own(at) => take(&mut own[at]),
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
        flows: &[(&[u8], &Flow)],
        position: Position,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        for flows in flows.chunks(ROWS_MAX) {
            let mut own = OwnColumns::default();
            let mut others: Vec<ColumnBuilder> = Vec::new();
            others.resize_with(self.places.len(), ColumnBuilder::default);
            for (key, flow) in flows {
                own.push(flow, flow.finish);
                let keys = self.fields.decode(key, flow.from_high).unwrap_or_default();
                for (column, place) in others.iter_mut().zip(&self.places) {
                    let value = match place.source {
                        Source::Key(at) => keys.get(at),
                        Source::Kept(at) => flow.kept.get(at),
                        Source::Own(_) | Source::Other => None,
                    };
                    column.push(value.cloned().unwrap_or_default().of_kind(place.kind));
                }
            }
            let mut own = own.finish();
            let columns = others.into_iter().zip(&self.places);
            let columns = columns.map(|(column, place)| match place.source {
                Source::Own(at) => take(&mut own[at]),
                _ => narrow(column.finish()),
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
    pub(super) fn close(&self, key: &[u8], flow: &Flow) -> Control {
        let values = self.fields.decode(key, flow.from_high).unwrap_or_default();
        let values = values.into_iter().zip(&self.kinds);
        let fields = self.paths.iter().zip(values);
        Control::Close(
            fields
                .map(|(path, (value, kind))| (path.clone(), value.of_kind(*kind)))
                .collect(),
        )
    }
}
