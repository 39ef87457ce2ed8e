//! What `flowid` does with objects.

use super::columns::{NEVER, number, time};
use super::flowid::Limits;
use super::key::{Key, KeyFields, Keys};
use super::summary::{Firsts, Rows};
use super::sums::Flow;
use super::table::{Entry, Table};
use std::any::Any;
use std::mem::take;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Error, Operator, Progress, View};
use wireq_typesys::{Position, Zone};

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
    rows: Rows,
    keys: Keys,
}

/// A view as it is taken in: its columns, and first objects that are not given yet.
struct Taking<'a, 'o> {
    view: View<'a>,
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
            rows: Rows::new(fields.clone(), context),
            fields,
            keys: Keys::default(),
        }
    }

    fn take(&mut self, row: usize, key: Key<'_>, taking: &mut Taking<'_, '_>) {
        let (view, position) = (taking.view, taking.view.part.data.position(row));
        let from_high = key.from_high;
        let time = time(view.column(self.fields.len()), row, &self.zone);
        let bytes = number(view.column(self.fields.len() + 1), row);
        if let Some(at) = self.table.find_at(key.found, key.hash, key.bytes) {
            let flow = &mut self.table.entry_mut(at).state;
            if !time.is_some_and(|time| flow.is_far(time, self.limits.idle)) {
                flow.take(time, bytes, from_high);
                return self.table.touch(at, LIST, LIST, self.clock);
            }
            self.end(at, position, taking);
        }
        while self.table.len() >= self.limits.flows {
            let Some(at) = self.table.oldest(LIST) else {
                break;
            };
            let [packets, back] = self.table.entry(at).state.packets;
            // They were counted as absorbed when they came, maybe in an earlier step.
            let (rows, account) = (packets.saturating_add(back), &mut taking.out.account);
            account.absorbed = account.absorbed.wrapping_sub(rows);
            account.evicted = account.evicted.wrapping_add(rows);
            self.end(at, position, taking);
        }
        let mut flow = Flow {
            number: self.next,
            start: time.unwrap_or(NEVER),
            from_high,
            kept: self.rows.kept(view, row),
            ..Flow::default()
        };
        flow.take(time, bytes, from_high);
        taking.firsts.add(row, &flow);
        let key = (key.hash, key.bytes);
        self.table.insert(key, flow, self.clock, LIST);
        self.next = self.next.wrapping_add(1);
    }

    /// Ends one flow, in its place among first objects.
    fn end(&mut self, at: u32, position: Position, taking: &mut Taking<'_, '_>) {
        let entry = self.table.remove(at, LIST);
        self.rows
            .give_firsts(taking.view, &mut taking.firsts, taking.out);
        self.give(&[entry], position, taking.out);
    }

    /// Gives what is known of flows that ended, and closes them.
    fn give(&self, flows: &[Entry<Flow>], position: Position, out: &mut Output) {
        let of = |entry| -> (&[u8], &Flow) { (Entry::key(entry), &entry.state) };
        let summaries: Vec<_> = flows.iter().map(of).collect();
        self.rows.give_summaries(&summaries, position, out);
        for (key, flow) in summaries {
            out.control(position, self.rows.close(key, flow));
        }
    }

    /// Moves the clock on; gives whether a flow is idle for too long then.
    #[inline]
    fn advance(&mut self, time: i64) -> bool {
        if time <= self.clock {
            return false;
        }
        if self.clock == NEVER {
            self.table.touch_all(time);
        }
        self.clock = time;
        let oldest = self.table.oldest(LIST);
        oldest.is_some_and(|at| self.is_idle(at))
    }

    fn is_idle(&self, at: u32) -> bool {
        let touched = self.table.entry(at).touched;
        self.clock > touched.saturating_add(self.limits.idle)
    }

    /// Takes out what is idle for too long: in the order of times, then of numbers.
    fn idle(&mut self) -> Vec<Entry<Flow>> {
        let idle = self.table.list(LIST).take_while(|at| self.is_idle(*at));
        let idle: Vec<u32> = idle.collect();
        let remove = |at| self.table.remove(at, LIST);
        let mut ended: Vec<Entry<Flow>> = idle.into_iter().map(remove).collect();
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
            let columns = self.fields.columns(*view);
            keys.read(&self.fields, &columns, &keyed, &self.table);
            let mut next = keys.iter();
            let mut taking = Taking {
                view: *view,
                firsts: Firsts::default(),
                out,
            };
            view.part.selection.for_each(|row| {
                let time = time(times, row, &self.zone);
                if time.is_some_and(|time| self.advance(time)) {
                    let position = view.part.data.position(row);
                    self.rows.give_firsts(*view, &mut taking.firsts, taking.out);
                    let idle = self.idle();
                    self.give(&idle, position, taking.out);
                }
                if keyed.get(row)
                    && let Some(key) = next.next()
                {
                    self.take(row, key, &mut taking);
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
        let entries = self.table.list(LIST).map(|at| self.table.entry(at));
        let mut flows: Vec<(&[u8], &Flow)> =
            entries.map(|entry| (entry.key(), &entry.state)).collect();
        flows.sort_unstable_by_key(|(_, flow)| flow.number);
        // The end closes all flows by itself.
        self.rows.give_summaries(&flows, Position::END, out);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.table.memory() + self.table.len() * self.rows.kept_bytes()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.clock as u64);
        out.number(self.next);
        self.table.save(out);
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
