//! Records of flows.

use super::columns::{NEVER, counts, times};
use super::kept_key::KeptKey;
use super::key::{Key, KeyFields};
use super::state::Flow;
use super::tcp::{Ending, STATES};
use std::sync::Arc;
use wireq_engine::Context;
use wireq_engine::schedule::output::Output;
use wireq_typesys::{
    Bitmap, Column, Data, FieldPath, Kind, Names, PartData, Position, Positions, ROWS_MAX, Shape,
};

/// Why a record was made.
pub(super) static REASONS: Names = Names {
    name: "flow-end",
    entries: &[
        (0, "idle"),
        (1, "active"),
        (2, "end"),
        (3, "fin"),
        (4, "rst"),
        (5, "syn"),
        (6, "evicted"),
        (7, "flush"),
    ],
};

/// Why a record is made: the numbers of [`REASONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Idle,
    Active,
    End,
    Fin,
    Rst,
    Syn,
    Evicted,
    Flush,
}

impl From<Ending> for Reason {
    fn from(ending: Ending) -> Reason {
        match ending {
            Ending::Finished => Reason::Fin,
            Ending::Aborted => Reason::Rst,
        }
    }
}

/// The columns of a record behind the key fields.
pub(super) fn columns() -> Vec<(FieldPath, Kind)> {
    let columns = [
        ("start", Kind::Time),
        ("end", Kind::Time),
        ("duration", Kind::Duration),
        ("packets", Kind::Unsigned),
        ("packetsback", Kind::Unsigned),
        ("bytes", Kind::Unsigned),
        ("bytesback", Kind::Unsigned),
        ("flags", Kind::Unsigned),
        ("flagsback", Kind::Unsigned),
        ("state", Kind::Named(&STATES)),
        ("reason", Kind::Named(&REASONS)),
    ];
    let path = |(name, kind)| (FieldPath::new(name), kind);
    columns.into_iter().map(path).collect()
}

/// Makes records, column by column.
pub(super) struct Records {
    /// The key fields, with their kinds.
    keys: Vec<(usize, Kind)>,
    /// Whether records have a state: without ports there are no connections.
    has_state: bool,
    shape: Option<Arc<Shape>>,
    origin: u32,
    rows: Rows,
}

#[derive(Default)]
struct Rows {
    /// Keys, each with whether the originator is the higher end.
    keys: Vec<(KeptKey, bool)>,
    positions: Vec<Position>,
    times: [Vec<i64>; 3],
    counts: [Vec<u64>; 4],
    flags: [Vec<u16>; 2],
    has_flags: Bitmap,
    states: Vec<u8>,
    reasons: Vec<u8>,
}

impl Records {
    pub(super) fn new(keys: usize, has_state: bool, context: &Context) -> Records {
        let kinds = context.kinds.iter().take(keys).copied();
        Records {
            keys: kinds.enumerate().collect(),
            has_state,
            shape: context.shape.clone(),
            origin: context.origin,
            rows: Rows::default(),
        }
    }

    /// The same, without records so far.
    pub(super) fn without_rows(&self) -> Records {
        Records {
            keys: self.keys.clone(),
            has_state: self.has_state,
            shape: self.shape.clone(),
            origin: self.origin,
            rows: Rows::default(),
        }
    }

    /// Adds the record of a flow at the position of what causes it.
    pub(super) fn add(
        &mut self,
        fields: &KeyFields,
        (key, flow): (Key<'_>, &Flow),
        reason: Reason,
        position: Position,
        out: &mut Output,
    ) {
        if self.rows.positions.len() == ROWS_MAX {
            self.give(fields, out);
        }
        let rows = &mut self.rows;
        rows.keys.push((KeptKey::new(key), flow.from_high));
        let has_time = flow.first <= flow.last;
        let duration = flow.last.saturating_sub(flow.first);
        let times = [flow.first, flow.last, duration];
        for (column, time) in rows.times.iter_mut().zip(times) {
            column.push(if has_time { time } else { NEVER });
        }
        let totals = flow.packets.iter().chain(&flow.bytes);
        for (column, count) in rows.counts.iter_mut().zip(totals) {
            column.push(*count);
        }
        if flow.is_tcp {
            rows.has_flags.set(rows.positions.len());
        }
        for (column, flags) in rows.flags.iter_mut().zip(flow.flags) {
            column.push(flags);
        }
        rows.states.push(flow.state() as u8);
        rows.reasons.push(reason as u8);
        rows.positions.push(position);
    }

    /// Gives the records added so far.
    pub(super) fn give(&mut self, fields: &KeyFields, out: &mut Output) {
        let rows = std::mem::take(&mut self.rows);
        let count = rows.positions.len();
        let Some(shape) = self.shape.as_ref().filter(|_| count > 0) else {
            return;
        };
        let all = Bitmap::first(count);
        let named = |values, names, valid| Column {
            data: Data::U8(values),
            valid,
            names: Some(names),
        };
        let has_state = if self.has_state { all } else { Bitmap::EMPTY };
        let [start, end, duration] = rows.times;
        let keys = rows.keys.iter().map(|(key, high)| (key.key(), *high));
        let keys: Vec<(Key<'_>, bool)> = keys.collect();
        let mut columns = fields.columns(&keys, &self.keys);
        columns.push(times(start, Data::Time));
        columns.push(times(end, Data::Time));
        columns.push(times(duration, Data::Duration));
        columns.extend(rows.counts.map(counts));
        columns.extend(rows.flags.map(|flags| Column {
            data: Data::U16(flags),
            valid: rows.has_flags,
            names: None,
        }));
        columns.push(named(rows.states, &STATES, has_state));
        columns.push(named(rows.reasons, &REASONS, all));
        let positions = Positions::Each(rows.positions);
        let shape = Arc::clone(shape);
        out.emit(PartData::from_columns(
            shape,
            columns,
            count,
            positions,
            self.origin,
        ));
    }
}
