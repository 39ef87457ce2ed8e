//! What `flowid` does with objects.

use super::columns::{NEVER, number, time};
use super::flowid::Limits;
use super::key::{Key, KeyFields, Keys, RowKey};
use super::said::{Ending, Said};
use super::summary::{Firsts, Rows};
use super::sums::Flow;
use super::table::{Entry, Table};
use std::any::Any;
use std::mem::take;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Error, Operator, Pieces, Progress, View};
use wireq_typesys::{Column, Position, Value, Zone};

/// Flows are all in one list.
pub(super) const LIST: usize = 0;

/// The operator of `flowid`.
pub(super) struct FlowId {
    limits: Limits,
    fields: KeyFields,
    zone: Arc<Zone>,
    table: Table<Flow>,
    next: u64,
    /// The latest time so far.
    clock: i64,
    /// While the clock is not later than this, no flow is idle for too long.
    due: i64,
    rows: Arc<Rows>,
    keys: Keys,
    seed: u64,
    ending: Ending<Flow>,
}

/// A view as it is taken in: its columns, and first objects that are not given yet.
struct Taking<'a, 'o> {
    view: View<'a>,
    bytes: Option<&'a Column>,
    firsts: Firsts,
    out: &'o mut Output,
}

impl FlowId {
    pub(super) fn new(limits: Limits, fields: KeyFields, context: &Context) -> FlowId {
        FlowId {
            limits,
            zone: Arc::clone(&context.zone),
            table: Table::new(context.seed),
            next: 0,
            clock: NEVER,
            due: NEVER,
            rows: Arc::new(Rows::new(fields.len(), context)),
            fields,
            keys: Keys::default(),
            seed: context.seed,
            ending: Ending::default(),
        }
    }

    #[inline]
    fn take(
        &mut self,
        row: usize,
        time: Option<i64>,
        key: RowKey<'_>,
        taking: &mut Taking<'_, '_>,
    ) {
        let bytes = number(taking.bytes, row);
        if let Some(at) = self.table.find_at(key.found, key.hash, key.key) {
            let flow = &mut self.table.entry_mut(at).state;
            if !time.is_some_and(|time| flow.is_far(time, self.limits.idle)) {
                flow.take(time, bytes, key.from_high);
                return self.table.touch(at, LIST, LIST, self.clock);
            }
            self.end(at, row, taking);
        }
        self.begin(row, time, bytes, key, taking);
    }

    fn begin(
        &mut self,
        row: usize,
        time: Option<i64>,
        bytes: u64,
        key: RowKey<'_>,
        taking: &mut Taking<'_, '_>,
    ) {
        while self.table.len() >= self.limits.flows {
            let Some(at) = self.table.oldest(LIST) else {
                break;
            };
            let [packets, back] = self.table.entry(at).state.packets;
            // They were counted as absorbed when they came, maybe in an earlier step.
            let (rows, account) = (packets.saturating_add(back), &mut taking.out.account);
            account.absorbed = account.absorbed.wrapping_sub(rows);
            account.evicted = account.evicted.wrapping_add(rows);
            self.end(at, row, taking);
        }
        let mut flow = Flow {
            number: self.next,
            start: time.unwrap_or(NEVER),
            from_high: key.from_high,
            kept: self.rows.kept(taking.view, row),
            ..Flow::default()
        };
        flow.take(time, bytes, key.from_high);
        taking.firsts.add(row, flow.number, flow.start, bytes);
        self.table
            .insert((key.hash, key.key), flow, self.clock, LIST);
        self.next = self.next.wrapping_add(1);
    }

    /// Ends one flow, in its place among first objects.
    fn end(&mut self, at: u32, row: usize, taking: &mut Taking<'_, '_>) {
        let position = taking.view.part.data.position(row);
        let entry = self.table.remove(at);
        self.rows
            .give_firsts(taking.view, &mut taking.firsts, taking.out);
        self.give(&[entry], position, taking.out);
    }

    /// Gives what is known of flows that ended, and closes them.
    fn give(&self, flows: &[Entry<Flow>], position: Position, out: &mut Output) {
        let of = |entry| -> (Key<'_>, &Flow) { (Entry::key(entry), &entry.state) };
        let summaries: Vec<_> = flows.iter().map(of).collect();
        self.rows
            .give_summaries(&self.fields, &summaries, position, out);
        for (key, flow) in summaries {
            out.control(position, self.rows.close(&self.fields, key, flow));
        }
    }

    /// What is to be said at the end, of all flows; none are left.
    fn all(&mut self) -> Said<Flow> {
        let table = std::mem::replace(&mut self.table, Table::new(self.seed));
        let mut order = table.in_slab();
        order.sort_by_key(|at| table.entry(*at).state.number);
        let (fields, rows) = (self.fields.clone(), Arc::clone(&self.rows));
        let say = move |table: &Table<Flow>, flows: &[u32], out: &mut Output| {
            let of = |at: &u32| {
                let entry = table.entry(*at);
                (entry.key(), &entry.state)
            };
            let flows: Vec<(Key<'_>, &Flow)> = flows.iter().map(of).collect();
            rows.give_summaries(&fields, &flows, Position::END, out);
        };
        Said::new(table, order, Box::new(say))
    }

    /// Moves the clock on; gives whether a flow may be idle for too long then.
    #[inline]
    fn advance(&mut self, time: i64) -> bool {
        if time <= self.clock {
            return false;
        }
        if self.clock == NEVER {
            self.table.touch_all(time);
        }
        self.clock = time;
        time > self.due
    }

    /// Takes out what is idle for too long: in the order of times, then of numbers.
    fn idle(&mut self) -> Vec<Entry<Flow>> {
        let mut ended = Vec::new();
        // Flows that begin later are due later.
        self.due = self.clock.saturating_add(self.limits.idle);
        while let Some(at) = self.table.oldest(LIST) {
            let due = self
                .table
                .entry(at)
                .touched
                .saturating_add(self.limits.idle);
            if due >= self.clock {
                self.due = due;
                break;
            }
            ended.push(self.table.remove(at));
        }
        ended.sort_by_key(|entry| (entry.touched, entry.state.number));
        ended
    }
}

impl Operator for FlowId {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let keyed = self.fields.keyed_rows(*view);
            let count = keyed.count() as u64;
            out.account.absorbed = out.account.absorbed.wrapping_add(count);
            out.account.filtered += view.part.count() as u64 - count;
            let times = view.column(self.fields.len());
            let mut keys = take(&mut self.keys);
            let columns = self.fields.columns_of(*view);
            if self.fields.decide(&columns) {
                self.table.make_keys_anew(&self.fields);
            }
            keys.read(&self.fields, &columns, &keyed, &self.table);
            let mut next = keys.iter();
            let mut taking = Taking {
                view: *view,
                bytes: view.column(self.fields.len() + 1),
                firsts: Firsts::default(),
                out,
            };
            view.part.selection.for_each(|row| {
                let time = time(times, row, &self.zone);
                if time.is_some_and(|time| self.advance(time)) {
                    let idle = self.idle();
                    if !idle.is_empty() {
                        let position = view.part.data.position(row);
                        self.rows.give_firsts(*view, &mut taking.firsts, taking.out);
                        self.give(&idle, position, taking.out);
                    }
                }
                if keyed.get(row)
                    && let Some(key) = next.next()
                {
                    self.take(row, time, key, &mut taking);
                }
            });
            drop(next);
            self.keys = keys;
            self.rows.give_firsts(*view, &mut taking.firsts, taking.out);
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Control::Watermark(time) = control
            && self.advance(*time)
        {
            let idle = self.idle();
            self.give(&idle, position, out);
        }
        out.control(position, control.clone());
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        // The end closes all flows by itself.
        let mut ending = take(&mut self.ending);
        ending.give(|| self.all(), out);
        self.ending = ending;
        Ok(())
    }

    fn finish_in_pieces(&mut self) -> Option<Box<dyn Pieces>> {
        let all = self.all();
        self.ending.in_pieces(all)
    }

    fn has_more(&self) -> bool {
        self.ending.has_more()
    }

    fn memory(&self) -> usize {
        let kept = self.table.len() * self.rows.kept_values() * size_of::<Value>();
        self.table.memory() + kept + self.ending.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.clock as u64);
        out.number(self.next);
        self.table.save(&self.fields, out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.clock = from.number()? as i64;
        self.next = from.number()?;
        let kept = self.rows.kept_values();
        let state = |from: &mut Reader<'_>| Flow::load(kept, from);
        self.table.load(from, &self.fields, state)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
