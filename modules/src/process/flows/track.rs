//! What `flow` does with packets.

use super::ahead::Ahead;
use super::columns::{NEVER, time};
use super::flow::{Limits, NAME};
use super::key::KeyFields;
use super::keys::{KeyReader, Keys, ViewKey};
use super::packet::{Columns, Packet, Places};
use super::record::{Reason, Records};
use super::said::{Ending, Said};
use super::snapshot::State;
use super::state::Flow;
use super::table::{Entry, Table};
use std::any::Any;
use std::mem::take;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Context, Control, Error, Operator, Pieces, Prepared, Progress, Verdict, View, same_operator,
};
use wireq_typesys::key::KEY_ROOM;
use wireq_typesys::{FieldPath, Position, Zone};

/// The list of flows that go on, and that of connections that are over.
const OPEN: usize = 0;
const OVER: usize = 1;

/// The operator of `flow`.
pub(super) struct Flows {
    limits: Limits,
    fields: KeyFields,
    places: Places,
    zone: Arc<Zone>,
    table: Table<Flow>,
    /// How many packets came.
    count: u64,
    /// The latest time so far.
    clock: i64,
    /// While the clock is not later than this, no flow is idle for too long.
    due: i64,
    records: Records,
    reader: KeyReader,
    keys: Keys,
    /// The flows that the keys of a view had before, as far as these are still there.
    found: Vec<Option<u32>>,
    seed: u64,
    ending: Ending<Flow>,
}

impl Flows {
    pub(super) fn new(
        limits: Limits,
        keys: usize,
        has_ports: bool,
        bytes: &FieldPath,
        context: &Context,
    ) -> Flows {
        let fields = KeyFields::by_name(&context.fields[..keys.min(context.fields.len())]);
        Flows {
            limits,
            places: Places::new(has_ports, bytes, context),
            zone: Arc::clone(&context.zone),
            table: Table::new(context.seed),
            count: 0,
            clock: NEVER,
            due: i64::MAX,
            records: Records::new(fields.len(), has_ports, context),
            fields,
            reader: KeyReader::default(),
            keys: Keys::default(),
            found: Vec::new(),
            seed: context.seed,
            ending: Ending::default(),
        }
    }

    /// Takes in a packet; gives its flow.
    fn take(
        &mut self,
        key: ViewKey<'_>,
        found: Option<u32>,
        packet: &Packet,
        out: &mut Output,
    ) -> u32 {
        let Some(at) = self.table.find_at(found, key.hash, key.key) else {
            return self.begin(key, packet, out);
        };
        let flow = &mut self.table.entry_mut(at).state;
        let list = usize::from(flow.over);
        if let Some(reason) = flow.ends_before(packet, self.limits.idle[list]) {
            let entry = self.table.remove(at);
            let reason = entry.state.reason_or(reason);
            self.give(&entry, reason, packet.position, out);
            return self.begin(key, packet, out);
        }
        let is_long = |time| flow.is_long(time, self.limits.active);
        if list == OPEN && packet.time.is_some_and(is_long) {
            let entry = self.table.entry_mut(at);
            let (records, position) = (&mut self.records, packet.position);
            let of = (entry.key(), &entry.state);
            records.add(&self.fields, of, Reason::Active, position, out);
            entry.state.cut();
        }
        let flow = &mut self.table.entry_mut(at).state;
        flow.take(packet);
        let now_in = usize::from(flow.over);
        self.table.touch(at, list, now_in, self.clock);
        self.is_due_by(now_in);
        at
    }

    fn begin(&mut self, key: ViewKey<'_>, packet: &Packet, out: &mut Output) -> u32 {
        while self.table.len() >= self.limits.flows {
            self.evict(packet.position, out);
        }
        let flow = Flow::of(packet);
        let list = usize::from(flow.over);
        let key = (key.hash, key.key);
        let at = self.table.insert(key, flow, self.clock, list);
        self.is_due_by(list);
        at
    }

    /// Notes that a flow of a list was just seen.
    #[inline]
    fn is_due_by(&mut self, list: usize) {
        self.due = self
            .due
            .min(self.clock.saturating_add(self.limits.idle[list]));
    }

    /// Makes room for a flow: what is over goes first, since nothing is lost with it.
    fn evict(&mut self, position: Position, out: &mut Output) {
        let over = self.table.oldest(OVER);
        if let Some(at) = over.or_else(|| self.table.oldest(OPEN)) {
            let entry = self.table.remove(at);
            let reason = entry.state.reason_or(Reason::Evicted);
            if reason == Reason::Evicted {
                // They were counted as absorbed when they came, maybe in an earlier step.
                let rows = entry.state.count();
                out.account.absorbed = out.account.absorbed.wrapping_sub(rows);
                out.account.evicted = out.account.evicted.wrapping_add(rows);
            }
            self.give(&entry, reason, position, out);
        }
    }

    /// Moves the clock on, and ends what is idle then.
    #[inline]
    fn advance(&mut self, time: i64, position: Position, out: &mut Output) {
        if time > self.clock {
            if self.clock == NEVER {
                self.table.touch_all(time);
            }
            self.clock = time;
            if time > self.due {
                self.expire(position, out);
            }
        }
    }

    fn expire(&mut self, position: Position, out: &mut Output) {
        let mut ended: Vec<(i64, Entry<Flow>)> = Vec::new();
        self.due = i64::MAX;
        for list in [OPEN, OVER] {
            while let Some(at) = self.table.oldest(list) {
                let touched = self.table.entry(at).touched;
                let due = touched.saturating_add(self.limits.idle[list]);
                if due >= self.clock {
                    self.due = self.due.min(due);
                    break;
                }
                ended.push((due, self.table.remove(at)));
            }
        }
        ended.sort_by_key(|(due, entry)| (*due, entry.state.begin.1));
        for (_, entry) in ended {
            let reason = entry.state.reason_or(Reason::Idle);
            self.give(&entry, reason, position, out);
        }
    }

    /// Makes the record of a flow, unless it was cut and nothing came since.
    fn give(&mut self, entry: &Entry<Flow>, reason: Reason, position: Position, out: &mut Output) {
        if entry.state.count() > 0 {
            let of = (entry.key(), &entry.state);
            self.records.add(&self.fields, of, reason, position, out);
        }
    }

    /// All flows in the order in which the first packets of their records came. Positions do not say
    /// that: those of several sources have nothing to do with each other.
    fn in_order(&self) -> Vec<(u64, u32)> {
        let all = self.table.in_slab().into_iter();
        let mut all: Vec<_> = all
            .map(|at| (self.table.entry(at).state.begin.1, at))
            .collect();
        all.sort_unstable();
        all
    }

    /// Numbers flows of several parts anew; parts are of one source, and their packets have numbers of
    /// their own.
    fn renumber(&mut self) {
        let all = self.table.in_slab().into_iter();
        let mut all: Vec<_> = all
            .map(|at| (self.table.entry(at).state.begin, at))
            .collect();
        all.sort_unstable();
        for (number, (_, at)) in (0..).zip(&all) {
            self.table.entry_mut(*at).state.begin.1 = number;
        }
        self.count = self.count.max(all.len() as u64);
    }

    /// Makes records of all flows.
    fn give_all(&mut self, reason: Reason, position: Position, out: &mut Output) {
        for (_, at) in self.in_order() {
            let entry = self.table.entry_mut(at);
            if entry.state.count() > 0 {
                let reason = entry.state.reason_or(reason);
                let of = (entry.key(), &entry.state);
                self.records.add(&self.fields, of, reason, position, out);
                entry.state.cut();
            }
        }
        self.records.give(&self.fields, out);
    }

    /// What is to be said at the end, of all flows; none are left.
    fn all(&mut self) -> Said<Flow> {
        let mut order = self.in_order();
        let table = std::mem::replace(&mut self.table, Table::new(self.seed));
        order.retain(|(_, at)| table.entry(*at).state.count() > 0);
        let (fields, records) = (self.fields.clone(), self.records.without_rows());
        let say = move |table: &Table<Flow>, flows: &[u32], out: &mut Output| {
            let mut records = records.without_rows();
            for at in flows {
                let entry = table.entry(*at);
                let of = (entry.key(), &entry.state);
                let reason = entry.state.reason_or(Reason::End);
                records.add(&fields, of, reason, Position::END, out);
            }
            records.give(&fields, out);
        };
        let order = order.into_iter().map(|(_, at)| at).collect();
        Said::new(table, order, Box::new(say))
    }
}

impl Ahead for Flows {
    type Read = Keys;

    fn decide(&mut self, view: View<'_>) {
        if self.fields.decide(&self.fields.columns_of(view)) {
            self.table.make_keys_anew(&self.fields);
        }
    }

    fn read(&mut self, view: View<'_>, keys: &mut Keys) {
        let (keyed, columns) = (self.fields.keyed_rows(view), self.fields.columns_of(view));
        self.reader
            .read(&self.fields, &columns, keyed, &self.table, keys);
    }

    fn fits(&self, keys: &Keys) -> bool {
        keys.are_of(&self.fields)
    }

    fn take_view(&mut self, view: View<'_>, keys: &Keys, out: &mut Output) {
        let count = keys.keyed.count() as u64;
        out.account.absorbed = out.account.absorbed.wrapping_add(count);
        out.account.filtered += view.part.count() as u64 - count;
        let columns = Columns::new(view, &self.places);
        let mut found = take(&mut self.found);
        keys.find(&self.table, &mut found);
        let mut of_rows = keys.of_rows();
        view.part.selection.for_each(|row| {
            let position = view.part.data.position(row);
            if let Some(time) = time(columns.time, row, &self.zone) {
                self.advance(time, position, out);
            }
            if keys.keyed.get(row)
                && let Some((at, from_high)) = of_rows.next()
            {
                let place = (position, self.count);
                self.count += 1;
                let packet = columns.packet(row, from_high, place, &self.zone);
                let key = keys.key(at);
                found[at] = Some(self.take(key, found[at], &packet, out));
            }
        });
        self.found = found;
    }

    fn room(&mut self) -> &mut Keys {
        &mut self.keys
    }
}

impl Operator for Flows {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.step_views(views, out);
        self.records.give(&self.fields, out);
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
        self.records.give(&self.fields, out);
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        match control {
            Control::Watermark(time) => {
                self.advance(*time, position, out);
                self.records.give(&self.fields, out);
            }
            Control::Flush => {
                self.give_all(Reason::Flush, position, out);
                out.control(position, Control::Flush);
            }
            Control::Close(_) | Control::Beside(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
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
        self.table.memory() + self.ending.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.count);
        out.number(self.clock as u64);
        self.table.save(&self.fields, out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.count = from.number()?;
        self.clock = from.number()? as i64;
        self.table.load(from, &self.fields, Flow::load)?;
        // When the next flow is due is looked up when the clock moves on.
        self.due = NEVER;
        Ok(())
    }

    /// Takes in flows of other keys.
    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Flows>(NAME, right)?;
        let mut buffer = [0; KEY_ROOM];
        for at in right.table.by_touch() {
            let entry = right.table.entry(at);
            let key = self
                .fields
                .key(right.fields.bytes(entry.key(), &mut buffer));
            let hash = self.table.hash(key);
            if self.table.find(hash, key).is_some() {
                return Err(Error::Module {
                    module: NAME,
                    message: "parts that have flows in common cannot be merged".into(),
                });
            }
            let flow = entry.state.clone();
            let list = flow.list();
            self.table.insert((hash, key), flow, entry.touched, list);
        }
        self.table.sort(State::list);
        self.count = self.count.max(right.count);
        self.renumber();
        self.clock = self.clock.max(right.clock);
        self.due = NEVER;
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
