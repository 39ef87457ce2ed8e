//! Machines that wait: by state in the order of their ages, by the values that transitions ask for,
//! and by the time of their last move.

use super::compiled::Layout;
use super::graph::START;
use super::links::{Chain, Links};
use std::collections::BTreeMap;
use wireq_engine::Error;
use wireq_engine::operator::Index;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Value;

/// No time at all.
pub(super) const NEVER: i64 = i64::MIN;

/// One machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The last objects that moved it.
    pub(super) chain: Chain,
    /// The time of the last of them.
    pub(super) time: i64,
    /// The latest time of all when it came: what timeouts go by.
    pub(super) moved: i64,
}

/// About what a machine takes beside its chain: its place in a tree that is two thirds full.
const MACHINE: usize = (size_of::<Machine>() + 8) * 3 / 2;
/// What its place in the queue takes.
const QUEUED: usize = 36;
/// What a state takes that has few machines: a tree has a node for eleven of them from the first on.
const STATE: usize = size_of::<Waiting>() + 11 * (size_of::<Machine>() + 8);

/// The machines of one state, by age.
pub(super) struct Waiting {
    pub(super) machines: BTreeMap<u64, Machine>,
    pub(super) indexes: Vec<Index>,
}

pub(super) struct Machines {
    pub(super) links: Links,
    states: Vec<Waiting>,
    /// The age of the next one.
    next: u64,
    len: usize,
    /// The state of each machine by the time of its move; kept where there is a timeout.
    queue: Option<BTreeMap<(i64, u64), usize>>,
    memory: usize,
    values: Vec<Value>,
}

impl Machines {
    pub(super) fn new(layout: &Layout, timed: bool, seed: u64) -> Machines {
        let states = layout.indexes.iter().map(|indexes| Waiting {
            machines: BTreeMap::new(),
            indexes: indexes
                .iter()
                .map(|columns| Index::new(columns.clone(), seed))
                .collect(),
        });
        Machines {
            links: Links::new(layout.kept.clone(), layout.depth),
            states: states.collect(),
            next: 0,
            len: 0,
            queue: timed.then(BTreeMap::new),
            memory: 0,
            values: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn waiting(&self, state: usize) -> &Waiting {
        &self.states[state]
    }

    /// Adds a machine that is younger than all others.
    pub(super) fn begin(&mut self, state: usize, machine: Machine) {
        self.next += 1;
        self.add(state, self.next - 1, machine);
    }

    /// Adds a machine of an age that no other has.
    pub(super) fn add(&mut self, state: usize, age: u64, machine: Machine) {
        let waiting = &mut self.states[state];
        if !waiting.indexes.is_empty() {
            self.values.clear();
            self.links.values(&machine.chain, &mut self.values);
            let values = &self.values;
            let indexes = waiting.indexes.iter_mut();
            indexes.for_each(|index| index.add(age, values));
        }
        self.memory += MACHINE + machine.chain.memory();
        if let Some(queue) = self.queue.as_mut().filter(|_| machine.moved != NEVER) {
            queue.insert((machine.moved, age), state);
            self.memory += QUEUED;
        }
        waiting.machines.insert(age, machine);
        self.len += 1;
    }

    /// Removes a machine.
    pub(super) fn remove(&mut self, state: usize, age: u64) -> Option<Machine> {
        let waiting = &mut self.states[state];
        let machine = waiting.machines.remove(&age)?;
        if !waiting.indexes.is_empty() {
            self.values.clear();
            self.links.values(&machine.chain, &mut self.values);
            let values = &self.values;
            let indexes = waiting.indexes.iter_mut();
            indexes.for_each(|index| index.remove(age, values));
        }
        self.memory -= MACHINE + machine.chain.memory();
        if let Some(queue) = &mut self.queue
            && queue.remove(&(machine.moved, age)).is_some()
        {
            self.memory -= QUEUED;
        }
        self.len -= 1;
        Some(machine)
    }

    /// Removes the oldest machine.
    pub(super) fn remove_oldest(&mut self) {
        let oldest = |(state, waiting): (usize, &Waiting)| {
            let (age, _) = waiting.machines.first_key_value()?;
            Some((*age, state))
        };
        let ages = self.states.iter().enumerate().filter_map(oldest);
        if let Some((age, state)) = ages.min() {
            self.remove(state, age);
        }
    }

    /// Removes the machines that moved before a time; gives how many.
    pub(super) fn remove_before(&mut self, time: i64) -> u64 {
        let mut removed = 0;
        while let Some(((moved, age), state)) = self
            .queue
            .as_ref()
            .and_then(|queue| queue.first_key_value())
            .map(|(key, state)| (*key, *state))
            && moved < time
        {
            self.remove(state, age);
            removed += 1;
        }
        removed
    }

    pub(super) fn memory(&self) -> usize {
        let indexes = self.states.iter().flat_map(|waiting| &waiting.indexes);
        let indexes = indexes.map(|index| size_of::<Index>() + index.memory());
        self.memory + self.states.len() * STATE + indexes.sum::<usize>()
    }

    /// All machines by age, with their states.
    fn by_age(&self) -> Vec<(u64, usize, &Machine)> {
        let machines = self.states.iter().enumerate().flat_map(|(state, waiting)| {
            let machines = waiting.machines.iter();
            machines.map(move |(age, machine)| (*age, state, machine))
        });
        let mut machines: Vec<_> = machines.collect();
        machines.sort_unstable_by_key(|(age, ..)| *age);
        machines
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.len as u64);
        for (_, state, machine) in self.by_age() {
            out.number(state as u64);
            out.number(machine.time as u64);
            out.number(machine.moved as u64);
            self.links.save(&machine.chain, out);
        }
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let state = usize::try_from(from.number()?).ok();
            let state = state.filter(|state| *state != START && *state < self.states.len());
            let state = state.ok_or_else(|| Error::Snapshot("there is no such state".into()))?;
            let machine = Machine {
                time: from.number()? as i64,
                moved: from.number()? as i64,
                chain: self.links.load(from)?,
            };
            self.begin(state, machine);
        }
        Ok(())
    }

    /// Takes in machines that objects moved which moved none of these.
    pub(super) fn adopt(&mut self, other: &Machines) {
        for (_, state, machine) in other.by_age() {
            let chain = self.links.adopt(&other.links, &machine.chain);
            let machine = Machine {
                chain,
                ..machine.clone()
            };
            self.begin(state, machine);
        }
    }
}
