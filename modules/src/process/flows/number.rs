//! What `flowid` does with objects.

use super::ahead::Ahead;
use super::columns::{NEVER, number, time};
use super::flowid::Limits;
use super::key::{Key, KeyFields};
use super::keys::{KeyReader, Keys, ViewKey};
use super::said::{Ending, Said};
use super::summary::{Firsts, Rows};
use super::sums::{Flow, NO_LIMIT, Sum};
use super::table::{Entry, Table};
use std::any::Any;
use std::mem::take;
use std::sync::Arc;
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Error, Operator, Pieces, Prepared, Progress, View};
use wireq_typesys::{Column, Position, ROWS_MAX, Value, Zone};

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
    reader: KeyReader,
    read: Read,
    /// The flows that the keys of a view had before, as far as these are still there.
    found: Vec<Option<u32>>,
    seed: u64,
    ending: Ending<Flow>,
}

/// What follows from the rows of a view alone.
#[derive(Default)]
pub(super) struct Read {
    keys: Keys,
    /// By the number of a key here.
    sums: Vec<Sum>,
    /// The earliest time and the latest; the earliest is later where there is none.
    times: [i64; 2],
}

/// A view as it is taken in: its columns, and first objects that are not given yet.
struct Taking<'a, 'o> {
    view: View<'a>,
    columns: [Option<&'a Column>; 2],
    firsts: Firsts,
    out: &'o mut Output,
}

impl FlowId {
    pub(super) fn new(limits: Limits, fields: KeyFields, context: &Context) -> FlowId {
        FlowId {
            limits,
            zone: Arc::clone(&context.zone),
            table: Table::with_one_queue(context.seed),
            next: 0,
            clock: NEVER,
            due: NEVER,
            rows: Arc::new(Rows::new(fields.len(), context)),
            fields,
            reader: KeyReader::default(),
            read: Read::default(),
            found: Vec::new(),
            seed: context.seed,
            ending: Ending::default(),
        }
    }

    /// The columns of times and of bytes.
    fn columns<'a>(&self, view: View<'a>) -> [Option<&'a Column>; 2] {
        [0, 1].map(|at| view.column(self.fields.len() + at))
    }

    /// Whether no flow can end by the rows of a view: then their order among each other is nothing to the
    /// flows that are there.
    fn ends_nothing(&self, read: &Read, found: &[Option<u32>]) -> bool {
        let ([earliest, latest], idle) = (read.times, self.limits.idle);
        let new = found.iter().filter(|found| found.is_none()).count();
        if self.table.len().saturating_add(new) > self.limits.flows {
            return false;
        }
        if latest == NEVER || is_planted("flow-ends-late") {
            return true;
        }
        // Before the first time flows have none.
        if self.clock == NEVER || latest > self.clock.max(self.due) {
            return false;
        }
        if idle == NO_LIMIT {
            return true;
        }
        latest.saturating_sub(earliest) <= idle
            && found.iter().zip(&read.sums).all(|(found, sum)| {
                let flow = found.map(|at| &self.table.entry(at).state);
                flow.is_none_or(|flow| {
                    !flow.is_before(sum.finish, idle) && !flow.is_after(earliest, idle)
                })
            })
    }

    /// Takes in the rows of a view all at once, key by key.
    fn take_sums(&mut self, read: &Read, found: &[Option<u32>], taking: &mut Taking<'_, '_>) {
        let touches = self.table.touches(ROWS_MAX);
        for ((key, sum), found) in read.keys.all().zip(&read.sums).zip(found) {
            let touched = self.clock.max(sum.clock);
            let touch = (touched, touches + u64::from(sum.rows[1]) + 1);
            if let Some(at) = found {
                let entry = self.table.entry_mut(*at);
                entry.state.add(sum);
                entry.touch(touch.0, touch.1);
                continue;
            }
            let row = usize::from(sum.rows[0]);
            let mut flow = self.new_flow(row, sum.start, sum.from_high, taking);
            flow.add(sum);
            taking.firsts.add(row, flow.number, flow.start, sum.begin);
            self.table
                .insert_touched((key.hash, key.key), flow, touch, LIST);
        }
        self.clock = self.clock.max(read.times[1]);
    }

    /// Takes in the rows of a view one after another.
    fn take_rows(&mut self, read: &Read, found: &mut [Option<u32>], taking: &mut Taking<'_, '_>) {
        let view = taking.view;
        let mut of_rows = read.keys.of_rows();
        view.part.selection.for_each(|row| {
            let time = time(taking.columns[0], row, &self.zone);
            if time.is_some_and(|time| self.advance(time)) {
                let idle = self.idle();
                if !idle.is_empty() {
                    let position = view.part.data.position(row);
                    self.rows.give_firsts(view, &mut taking.firsts, taking.out);
                    self.give(&idle, position, taking.out);
                }
            }
            if read.keys.keyed.get(row)
                && let Some((at, from_high)) = of_rows.next()
            {
                let key = read.keys.key(at);
                found[at] = Some(self.take(row, time, (key, found[at], from_high), taking));
            }
        });
    }

    /// Takes in a row; gives its flow.
    #[inline]
    fn take(
        &mut self,
        row: usize,
        time: Option<i64>,
        (key, found, from_high): (ViewKey<'_>, Option<u32>, bool),
        taking: &mut Taking<'_, '_>,
    ) -> u32 {
        let bytes = number(taking.columns[1], row);
        if let Some(at) = self.table.find_at(found, key.hash, key.key) {
            let flow = &mut self.table.entry_mut(at).state;
            if !time.is_some_and(|time| flow.is_far(time, self.limits.idle)) {
                flow.take(time, bytes, from_high);
                self.table.touch(at, LIST, LIST, self.clock);
                return at;
            }
            self.end(at, row, taking);
        }
        self.begin(row, time, bytes, (key, from_high), taking)
    }

    /// A flow of which nothing was counted yet.
    fn new_flow(
        &mut self,
        row: usize,
        start: i64,
        from_high: bool,
        taking: &Taking<'_, '_>,
    ) -> Flow {
        self.next = self.next.wrapping_add(1);
        Flow {
            number: self.next.wrapping_sub(1),
            start,
            from_high,
            kept: self.rows.kept(taking.view, row),
            ..Flow::default()
        }
    }

    fn begin(
        &mut self,
        row: usize,
        time: Option<i64>,
        bytes: u64,
        (key, from_high): (ViewKey<'_>, bool),
        taking: &mut Taking<'_, '_>,
    ) -> u32 {
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
        let mut flow = self.new_flow(row, time.unwrap_or(NEVER), from_high, taking);
        flow.take(time, bytes, from_high);
        taking.firsts.add(row, flow.number, flow.start, bytes);
        self.table
            .insert((key.hash, key.key), flow, self.clock, LIST)
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
        let none = Table::with_one_queue(self.seed);
        let table = std::mem::replace(&mut self.table, none);
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
        if self.limits.idle == NO_LIMIT {
            self.due = i64::MAX;
            return ended;
        }
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

impl Ahead for FlowId {
    type Read = Read;

    fn decide(&mut self, view: View<'_>) {
        if self.fields.decide(&self.fields.columns_of(view)) {
            self.table.make_keys_anew(&self.fields);
        }
    }

    fn read(&mut self, view: View<'_>, read: &mut Read) {
        let Read { keys, sums, times } = read;
        let (keyed, columns) = (self.fields.keyed_rows(view), self.fields.columns_of(view));
        self.reader
            .read(&self.fields, &columns, keyed, &self.table, keys);
        let [time_of, bytes_of] = self.columns(view);
        *times = [i64::MAX, NEVER];
        sums.clear();
        let mut of_rows = keys.of_rows();
        view.part.selection.for_each(|row| {
            let time = time(time_of, row, &self.zone);
            if let Some(time) = time {
                *times = [times[0].min(time), times[1].max(time)];
            }
            if !keyed.get(row) {
                return;
            }
            let Some((at, from_high)) = of_rows.next() else {
                return;
            };
            let bytes = number(bytes_of, row);
            if at == sums.len() {
                sums.push(Sum::new(row, time, bytes, from_high));
            }
            sums[at].take(row, (time, times[1]), bytes, from_high);
        });
    }

    fn fits(&self, read: &Read) -> bool {
        read.keys.are_of(&self.fields)
    }

    fn take_view(&mut self, view: View<'_>, read: &Read, out: &mut Output) {
        let count = read.keys.keyed.count() as u64;
        out.account.absorbed = out.account.absorbed.wrapping_add(count);
        out.account.filtered += view.part.count() as u64 - count;
        let mut found = take(&mut self.found);
        read.keys.find(&self.table, &mut found);
        let mut taking = Taking {
            view,
            columns: self.columns(view),
            firsts: Firsts::default(),
            out,
        };
        if self.ends_nothing(read, &found) {
            self.take_sums(read, &found, &mut taking);
        } else {
            self.take_rows(read, &mut found, &mut taking);
        }
        self.rows.give_firsts(view, &mut taking.firsts, taking.out);
        self.found = found;
    }

    fn room(&mut self) -> &mut Read {
        &mut self.read
    }
}

impl Operator for FlowId {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.step_views(views, out);
        Ok(Progress::Continue)
    }

    fn prepare(&mut self, _port: usize, views: &[View<'_>], room: &mut Option<Prepared>) {
        self.prepare_views(views, room);
    }

    fn step_prepared(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        prepared: &mut Prepared,
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.step_prepared_views(views, prepared, out);
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
