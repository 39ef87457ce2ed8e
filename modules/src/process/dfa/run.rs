//! Machines at work: each object moves at most one.

use super::super::clockwork::nanos;
use super::compiled::{Compiled, Pool};
use super::graph::Next;
use super::links::Chain;
use super::machines::{Machine, Machines, NEVER};
use super::{Bounds, NAME};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Account, Control, Error, Operator, Progress, StateClass, Verdict, View, same_operator,
};
use wireq_typesys::{Position, Zone};

pub(super) struct Dfa {
    pool: Arc<Pool>,
    machines: Machines,
    bounds: Bounds,
    class: StateClass,
    /// The latest time so far.
    clock: i64,
    zone: Arc<Zone>,
}

/// What becomes of an object.
enum Fate {
    /// It reached STOP.
    Given,
    Absorbed,
    Filtered,
}

impl Dfa {
    pub(super) fn new(pool: Arc<Pool>, bounds: Bounds, class: StateClass) -> Dfa {
        let context = pool.context();
        Dfa {
            machines: Machines::new(&pool.layout, bounds.timeout.is_some(), context.seed),
            zone: Arc::clone(&context.zone),
            bounds,
            class,
            clock: NEVER,
            pool,
        }
    }

    fn step_view(&mut self, compiled: &mut Compiled, view: View<'_>, out: &mut Output) {
        let account = &mut out.account;
        let any = compiled.begin(view, &self.zone);
        let timed = self.bounds.timeout.is_some();
        // Every row moves the clock on.
        for row in if timed { view.part.selection } else { any }.iter() {
            let time = self.tick(view, row);
            if !any.get(row) {
                continue;
            }
            self.expire(account);
            match self.arrive(compiled, view, row, time, account) {
                Fate::Given => {}
                Fate::Absorbed => account.absorbed += 1,
                Fate::Filtered => account.filtered += 1,
            }
        }
        self.expire(account);
        account.filtered += view.part.selection.minus(&any).count() as u64;
        let (rows, columns) = compiled.given.take(view.part.data.len());
        out.annotate(view.part, rows, columns);
    }

    /// The time of a row, which moves the clock on; a row without one has that of the clock.
    fn tick(&mut self, view: View<'_>, row: usize) -> i64 {
        if self.bounds.timeout.is_none() {
            return NEVER;
        }
        // The time stands behind all fields that predicates read.
        let field = self.pool.context().fields.len() - 1;
        let time = nanos(&view.value(field, row), &self.zone);
        let time = time
            .and_then(|time| i64::try_from(time).ok())
            .unwrap_or(NEVER);
        self.clock = self.clock.max(time);
        if time == NEVER { self.clock } else { time }
    }

    /// Drops the machines that have not moved for too long.
    fn expire(&mut self, account: &mut Account) {
        if let Some(timeout) = self.bounds.timeout.filter(|_| self.clock != NEVER) {
            let end = self.clock.saturating_sub(timeout);
            evict(account, self.machines.remove_before(end));
        }
    }

    fn arrive(
        &mut self,
        compiled: &mut Compiled,
        view: View<'_>,
        row: usize,
        time: i64,
        account: &mut Account,
    ) -> Fate {
        let at = (time, self.bounds.timeout);
        let Some((rule, age)) = compiled.oldest(view, row, &self.machines, at, &self.zone) else {
            return self.begin(compiled, view, row, time, account);
        };
        let rule = &compiled.rules[rule];
        let Some(machine) = self.machines.remove(rule.from, age) else {
            return Fate::Filtered;
        };
        match rule.next {
            Next::Stop => {
                compiled
                    .given
                    .add(row, &self.machines.links, Some(&machine.chain));
                return Fate::Given;
            }
            Next::State(state) => {
                let machine = self.moved(view, row, time, Some(&machine.chain));
                self.machines.add(state, age, machine);
            }
            Next::Start => {}
        }
        Fate::Absorbed
    }

    /// What an object does that moves no machine: it may make one.
    fn begin(
        &mut self,
        compiled: &mut Compiled,
        view: View<'_>,
        row: usize,
        time: i64,
        account: &mut Account,
    ) -> Fate {
        match compiled.start(row) {
            Some(Next::State(state)) => {
                let machine = self.moved(view, row, time, None);
                self.machines.begin(state, machine);
                if self.machines.len() > self.bounds.max {
                    self.machines.remove_oldest();
                    evict(account, 1);
                }
                Fate::Absorbed
            }
            Some(Next::Stop) => {
                compiled.given.add(row, &self.machines.links, None);
                Fate::Given
            }
            Some(Next::Start) | None => Fate::Filtered,
        }
    }

    /// A machine that an object of the view has just moved.
    fn moved(&mut self, view: View<'_>, row: usize, time: i64, before: Option<&Chain>) -> Machine {
        Machine {
            chain: self.machines.links.link(view, row, before),
            time,
            moved: self.clock,
        }
    }
}

/// Says that objects which were absorbed, some of them in earlier steps, were thrown away after all.
fn evict(account: &mut Account, objects: u64) {
    // After a run is resumed, objects may go whose coming another account has.
    let objects = objects.min(account.absorbed);
    account.absorbed -= objects;
    account.evicted += objects;
}

impl Operator for Dfa {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        let mut compiled = self.pool.take();
        for view in views {
            self.step_view(&mut compiled, *view, out);
        }
        self.pool.put(compiled);
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let (Control::Watermark(time), true) = (control, self.bounds.timeout.is_some()) {
            self.clock = self.clock.max(*time);
            self.expire(&mut out.account);
        }
        out.control(position, control.clone());
        Ok(())
    }

    fn memory(&self) -> usize {
        size_of::<Dfa>() + self.machines.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.clock as u64);
        self.machines.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.clock = from.number()? as i64;
        self.machines.load(from)
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Dfa>(NAME, right)?;
        if self.class == StateClass::Serial {
            return Err(Error::Module {
                module: NAME,
                message: "it is serial: parts cannot be merged".into(),
            });
        }
        self.machines.adopt(&right.machines);
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
