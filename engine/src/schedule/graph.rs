//! The nodes while they run: what has input is run once, in topological rank.

use super::account::NodeReport;
use super::done::{self, Taken, Trace};
use super::merge::{Run, sequence, take_first};
use super::multiplexer::{Picked, Share, Target};
use super::output::{Item, Output};
use super::prepared::Rooms;
use super::run::Options;
use crate::frontier::{self, Place};
use crate::physical::{Body, Maker, PhysicalNode};
use crate::plan::{Label, Plan};
use crate::planted::is_planted;
use crate::{
    Control, Error, InputAccount, InputMark, OnControl, Operator, Owner, Progress, Source, View,
};
use hashbrown::HashMap;
use std::sync::Arc;
use std::time::Instant;
use wireq_typesys::{Bitmap, Part, PartData, Shape, Slot, Zone};

/// One node while it runs.
pub(super) struct RunNode {
    pub(super) name: Label,
    /// None for sources.
    pub(super) operator: Option<Box<dyn Operator>>,
    pub(super) make: Option<Maker>,
    pub(super) source: Option<Box<dyn Source>>,
    pub(super) spec: Option<crate::SourceSpec>,
    pub(super) statement: usize,
    /// Where it was written: see [`Share::written`].
    pub(super) written: u32,
    pub(super) target: usize,
    pub(super) output_file: Option<String>,
    /// Where it writes for many statements: by their numbers in the table.
    pub(super) writers: Vec<Writer>,
    pub(super) side_effect: bool,
    on_control: OnControl,
    depth: usize,
    /// How it runs where there are several threads.
    pub(super) place: Place,
    /// Whether it may run batch by batch on any thread, as far as it is for itself to say.
    pub(super) goes_ahead: bool,
    /// Whether rows may be prepared for it, as far as it is for itself to say.
    prepares: bool,
    /// Whether threads prepare rows for it.
    pub(super) is_prepared: bool,
    /// Whether it is there, on one of these threads, for that alone.
    pub(super) only_prepares: bool,
    /// What they prepared.
    pub(super) prepared: Rooms,
    /// Whether what it gives is read behind the frontier; always of sources, whose rows are counted.
    pub(super) read_behind: bool,
    /// Whether it ran on another thread in this step, what it does beyond giving rows included.
    pub(super) acted: bool,
    /// How far its input was read when it was done, where more was read ahead.
    pub(super) mark: Option<InputMark>,
    /// What its source had read, while the threads have that.
    pub(super) input: Option<InputAccount>,
    pub(super) inputs: Vec<usize>,
    pub(super) readers: Vec<usize>,
    /// Where each reader has rows of its own: by branch, its rank.
    pub(super) branches: Vec<Option<usize>>,
    /// The readers that have all rows.
    pub(super) direct: Vec<usize>,
    makes_up: bool,
    /// Whether it has rows of its own of what its input gives.
    pub(super) is_branch: bool,
    /// Where there are several inputs: the time before which nothing comes of each that tells it.
    marks: Vec<Option<i64>>,
    bindings: Vec<(Arc<Shape>, Vec<Option<Slot>>)>,
    fills: Vec<(Arc<Shape>, Vec<usize>)>,
    pub(super) shape: Option<Arc<Shape>>,
    pub(super) out: Output,
    /// How long it ran, where that is measured.
    pub(super) nanos: u64,
    /// Whether it gave anything, since the end began.
    pub(super) spoke: bool,
    /// It takes no more rows.
    pub(super) done: bool,
    /// What it took in this step, item by item, where that has to be known.
    pub(super) trace: Option<Trace>,
    /// Where it became done in this step: per port, what of this step was taken.
    pub(super) taken: Option<Vec<Taken>>,
}

impl RunNode {
    pub(super) fn new(plan: &Arc<Plan>, node: PhysicalNode, options: &Options) -> RunNode {
        let (operator, make, spec) = match node.body {
            Body::Operator(make) => (Some(make()), Some(make), None),
            Body::Source(spec) => (None, None, Some(spec)),
        };
        let mut out = Output {
            annotated: node.annotated,
            zone: Some(Arc::clone(&options.zone)),
            ..Output::default()
        };
        if let Some(operator) = &operator {
            out.text.frame = operator.frame();
        }
        RunNode {
            name: Label::new(plan, node.node),
            operator,
            make,
            source: None,
            spec,
            target: options.targets.get(node.statement).copied().unwrap_or(0),
            statement: node.statement,
            written: match node.table.as_deref() {
                Some([first, ..]) => first.place,
                _ => node.node.index() as u32,
            },
            output_file: node.output_file,
            writers: writers(node.table.as_deref().unwrap_or(&[]), &options.targets),
            side_effect: node.side_effect,
            on_control: node.on_control,
            depth: node.depth,
            place: node.place,
            goes_ahead: node.goes_ahead,
            prepares: node.prepares,
            is_prepared: false,
            only_prepares: false,
            prepared: Rooms::default(),
            read_behind: false,
            acted: false,
            mark: None,
            input: None,
            inputs: node.inputs,
            readers: node.readers,
            branches: node.branches,
            direct: node.direct,
            makes_up: node.makes_up,
            is_branch: node.is_branch,
            marks: marks_of(&node.live),
            bindings: node.bindings,
            fills: node.fills,
            shape: node.shape,
            out,
            nanos: 0,
            spoke: false,
            done: false,
            trace: node.traced.then(Trace::default),
            taken: None,
        }
    }

    /// The same node for another thread, with nothing done yet.
    pub(super) fn twin(&self, operator: Option<Box<dyn Operator>>) -> RunNode {
        RunNode {
            name: self.name.clone(),
            operator,
            make: None,
            source: None,
            spec: None,
            statement: self.statement,
            written: self.written,
            target: self.target,
            output_file: None,
            writers: Vec::new(),
            side_effect: self.side_effect,
            on_control: self.on_control,
            depth: self.depth,
            place: self.place,
            goes_ahead: self.goes_ahead,
            prepares: self.prepares,
            is_prepared: false,
            only_prepares: self.is_prepared,
            prepared: Rooms::default(),
            read_behind: self.read_behind,
            acted: false,
            mark: None,
            input: None,
            inputs: self.inputs.clone(),
            readers: self.readers.clone(),
            branches: self.branches.clone(),
            direct: self.direct.clone(),
            makes_up: self.makes_up,
            is_branch: self.is_branch,
            marks: self.marks.clone(),
            bindings: self.bindings.clone(),
            fills: self.fills.clone(),
            shape: self.shape.clone(),
            out: self.out.twin(),
            nanos: 0,
            spoke: false,
            done: self.done,
            trace: None,
            taken: None,
        }
    }

    /// Where its text goes.
    pub(super) fn target(&self) -> Target<'_> {
        let file = self.output_file.as_deref();
        file.map_or(Target::Number(self.target), Target::File)
    }

    /// Whether it and another node write to an output that both have.
    pub(super) fn shares_output(&self, other: &RunNode) -> bool {
        if self.output_file.is_some() || other.output_file.is_some() {
            return self.target() == other.target();
        }
        let has = |node: &RunNode, target: usize| match &node.writers[..] {
            [] => node.target == target,
            writers => writers.iter().any(|writer| writer.target == target),
        };
        match &self.writers[..] {
            [] => has(other, self.target),
            writers => writers.iter().any(|writer| has(other, writer.target)),
        }
    }

    /// Whether what it writes at once is a matter of the order of statements.
    pub(super) fn writes_for_many(&self) -> bool {
        self.writers.len() > 1
    }

    /// Nobody reads an output any more: gives whether it writes to no other.
    pub(super) fn close_output(&mut self, target: Option<usize>) -> bool {
        let writers = self.writers.iter_mut();
        for writer in writers.filter(|writer| target.is_none_or(|target| writer.target == target)) {
            writer.closed = true;
        }
        self.writers.iter().all(|writer| writer.closed)
    }

    /// Whether it does something of its own on controls.
    pub(super) fn reacts(&self) -> bool {
        self.on_control == OnControl::React
    }

    /// What came to a branch is what came to the node that it is a branch of.
    pub(super) fn end_branch(&mut self, rows_in: u64) {
        let account = &mut self.out.account;
        account.rows_in = rows_in;
        account.filtered = rows_in - account.passed;
    }

    /// What came to each branch of it.
    pub(super) fn came_to_branches(&self) -> u64 {
        match self.makes_up {
            true => self.out.account.emitted,
            false => self.out.account.rows_in,
        }
    }

    pub(super) fn report(&self) -> NodeReport {
        NodeReport {
            name: self.name.clone(),
            is_source: self.spec.is_some(),
            statement: self.statement,
            readers: self.readers.len(),
            account: self.out.account,
            nanos: self.nanos,
            input: match (&self.source, &self.operator) {
                (Some(source), _) => Some(match &self.mark {
                    Some(mark) => source.input_account_at(mark),
                    None => source.input_account(),
                }),
                (None, Some(operator)) => operator.input_account(),
                (None, None) => self.input.clone(),
            },
        }
    }

    /// Fills the columns that are due behind this node, for the rows it gave.
    fn fill(&self, zone: &Zone) {
        for (shape, columns) in &self.fills {
            let mut rows = self
                .out
                .rows()
                .filter(|part| Arc::ptr_eq(&part.data.shape, shape))
                .peekable();
            let mut last: Option<&Arc<PartData>> = None;
            while let Some(part) = rows.next() {
                // Rows that come one by one are of one part mostly: all of it is filled at once.
                let before = last.replace(&part.data);
                if before.is_some_and(|before| Arc::ptr_eq(before, &part.data)) {
                    continue;
                }
                // The same rows may have come on several ways: fill for all of them at once.
                let mut selection = part.selection;
                let more_to_come = rows.peek().is_some();
                if more_to_come && !is_planted("fill-first-selection-only") {
                    for other in self
                        .out
                        .rows()
                        .filter(|other| Arc::ptr_eq(&other.data, &part.data))
                    {
                        selection = selection.or(&other.selection);
                    }
                }
                for column in columns {
                    part.data.fill(*column, &selection, zone);
                }
            }
        }
    }
}

/// The nodes that have input, by rank.
#[derive(Default)]
pub(super) struct Pending {
    bits: Vec<u64>,
}

impl Pending {
    pub(super) fn add(&mut self, rank: usize) {
        self.bits[rank / 64] |= 1 << (rank % 64);
    }

    /// Whether no node has input.
    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// Whether a node has input; it is removed.
    pub(super) fn take(&mut self, rank: usize) -> bool {
        let (word, bit) = (&mut self.bits[rank / 64], 1 << (rank % 64));
        let has = *word & bit != 0;
        *word &= !bit;
        has
    }

    /// The lowest rank from `from` on, removed.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        let (first, bit) = (from / 64, from % 64);
        for word in first..self.bits.len() {
            let mask = if word == first {
                u64::MAX << bit
            } else {
                u64::MAX
            };
            let found = self.bits[word] & mask;
            if found != 0 {
                let at = found.trailing_zeros() as usize;
                self.bits[word] &= !(1 << at);
                return Some(word * 64 + at);
            }
        }
        None
    }
}

/// The nodes of a plan and what goes on in them in a step.
pub(super) struct Graph {
    pub(super) nodes: Vec<RunNode>,
    pub(super) pending: Pending,
    /// The nodes that ran in this step.
    pub(super) ran: Vec<usize>,
    /// Those that became done, until other threads are told.
    pub(super) finished: Vec<usize>,
    /// How many nodes that are done on other threads are known to be.
    pub(super) done_known: usize,
    pub(super) timed: bool,
    pub(super) zone: Arc<Zone>,
}

impl Graph {
    pub(super) fn new(nodes: Vec<RunNode>, timed: bool, zone: Arc<Zone>) -> Graph {
        let pending = Pending {
            bits: vec![0; nodes.len().div_ceil(64)],
        };
        Graph {
            nodes,
            pending,
            ran: Vec::new(),
            finished: Vec::new(),
            done_known: 0,
            timed,
            zone,
        }
    }

    /// Where each node runs on several threads, if what a node gives is divided among them.
    pub(super) fn set_frontier(&mut self, rank: usize, place: impl Fn(&[RunNode], usize) -> Place) {
        for at in 0..self.nodes.len() {
            self.nodes[at].place = place(&self.nodes, at);
        }
        for at in 0..self.nodes.len() {
            let mut readers = self.nodes[at].readers.iter();
            let in_order = |reader: &usize| self.nodes[*reader].place == Place::InOrder;
            // What is divided is counted: who stops it asks for its rows.
            self.nodes[at].read_behind = at == rank || readers.any(in_order);
            let node = &self.nodes[at];
            let inputs = node.inputs.iter().map(|input| self.nodes[*input].place);
            let is_prepared = frontier::is_prepared(node.prepares, node.place, inputs);
            self.nodes[at].is_prepared = is_prepared;
        }
    }

    /// Lets nodes run for an item of a source.
    pub(super) fn run_source(&mut self, rank: usize, item: Item) -> Result<(), Error> {
        let source = &mut self.nodes[rank];
        if let Item::Rows(part) = &item {
            source.out.account.rows_in += part.count() as u64;
            source.out.account.passed += part.count() as u64;
        }
        source.out.items.push(item);
        self.gave(rank);
        self.run_pending()
    }

    /// Runs the nodes that have input, and those that get some by that.
    pub(super) fn run_pending(&mut self) -> Result<(), Error> {
        // Readers have higher ranks than what they read from.
        let mut from = 0;
        while let Some(next) = self.pending.next(from) {
            self.run_node(next)?;
            self.gave(next);
            from = next + 1;
        }
        Ok(())
    }

    /// What a node gave is made ready for its readers.
    pub(super) fn gave(&mut self, rank: usize) {
        let node = &mut self.nodes[rank];
        self.ran.push(rank);
        if node.out.items.is_empty() {
            return;
        }
        node.spoke = true;
        node.fill(&self.zone);
        for reader in &node.direct {
            self.pending.add(*reader);
        }
        if !node.branches.is_empty() {
            self.route(rank);
        }
    }

    /// Takes into the accounts of the branches of a node what came to it so far.
    pub(super) fn end_branches(&mut self, rank: usize) {
        let rows_in = self.nodes[rank].came_to_branches();
        for branch in self.nodes[rank].branches.clone().into_iter().flatten() {
            if !self.nodes[branch].done {
                self.nodes[branch].end_branch(rows_in);
            }
        }
    }

    /// Hands what a node gave to its branches, each its own rows and all of them controls.
    fn route(&mut self, rank: usize) {
        let node = &mut self.nodes[rank];
        let items = std::mem::take(&mut node.out.items);
        let branches = std::mem::take(&mut node.branches);
        let mut routed = std::mem::take(&mut node.out.routed);
        let mut rows = routed.drain(..).peekable();
        let mut reached: Vec<usize> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            while let Some((branch, part, _)) = rows.next_if(|(_, _, before)| *before <= at) {
                let next = usize::from(is_planted("match-route-to-next"));
                let branch = branches[(branch as usize + next) % branches.len()];
                let Some(branch) = branch.filter(|branch| !self.nodes[*branch].done) else {
                    continue;
                };
                let part = match item {
                    Item::Rows(all) if is_planted("branch-of-shared-rows") => all.clone(),
                    _ => part,
                };
                let out = &mut self.nodes[branch].out;
                out.account.passed += part.count() as u64;
                if out.items.is_empty() {
                    reached.push(branch);
                }
                out.items.push(Item::Rows(part));
            }
            let Item::Control(position, control) = item else {
                continue;
            };
            for branch in branches.iter().flatten() {
                let node = &mut self.nodes[*branch];
                if node.done || control.depth() > node.depth {
                    continue;
                }
                if node.out.items.is_empty() {
                    reached.push(*branch);
                }
                node.out.control(*position, control.clone());
            }
        }
        drop(rows);
        for branch in reached {
            self.gave(branch);
        }
        let node = &mut self.nodes[rank];
        (node.out.items, node.branches, node.out.routed) = (items, branches, routed);
    }

    /// Hands a node what its inputs gave in this step.
    pub(super) fn run_node(&mut self, rank: usize) -> Result<(), Error> {
        if !self.timed {
            return self.hand_over(rank);
        }
        let start = Instant::now();
        let ran = self.hand_over(rank);
        self.nodes[rank].nanos += start.elapsed().as_nanos() as u64;
        ran
    }

    fn hand_over(&mut self, rank: usize) -> Result<(), Error> {
        let (before, rest) = self.nodes.split_at_mut(rank);
        let node = &mut rest[0];
        if node.done {
            return Ok(());
        }
        let Some(operator) = node.operator.as_mut() else {
            return Ok(());
        };
        let mut done = None;
        let inputs = node
            .inputs
            .iter()
            .map(|input| before[*input].out.items.as_slice());
        let (bindings, out) = (&node.bindings, &mut node.out);
        let (on_control, depth, trace) = (node.on_control, node.depth, &mut node.trace);
        let (marks, ports, prepared) = (&mut node.marks, &node.inputs, &mut node.prepared);
        if node.only_prepares {
            return sequence(inputs, &mut |run| {
                if let Run::Rows(port, parts) = run {
                    with_views(bindings, parts, |views| {
                        operator.prepare(port, views, prepared.room());
                    });
                }
                Ok(())
            });
        }
        let is_traced = trace.is_some();
        let mut take = |run: Run<'_>| {
            if done.is_some() {
                out.account.cut += run.rows() as u64;
                out.account.rows_in += run.rows() as u64;
                return Ok(());
            }
            match run {
                Run::Rows(port, parts) => {
                    let rows: usize = parts.iter().map(|part| part.count()).sum();
                    out.account.rows_in += rows as u64;
                    let prepared = prepared.take();
                    let progress = with_views(bindings, parts, |views| match prepared {
                        Some(prepared) => operator.step_prepared(port, views, prepared, out),
                        None => operator.step(port, views, out),
                    })?;
                    if let Progress::Done { taken } = progress {
                        done = Some((port, done::position_of(parts, taken)));
                    }
                    if let Some(trace) = trace {
                        trace.note(done::position_of(parts, 1), port, true, &out.items);
                    }
                }
                Run::Control(port, position, control) => {
                    match on_control {
                        _ if control.depth() > depth => {}
                        OnControl::Forward => {
                            let is_done = |port: usize| before[ports[port]].done;
                            out.control(position, of_all_ports(marks, port, control, is_done));
                        }
                        OnControl::Consume => {}
                        OnControl::React => {
                            operator.control_on_port(port, position, control, out)?
                        }
                    }
                    if let Some(trace) = trace {
                        trace.note(position, port, false, &out.items);
                    }
                }
            }
            Ok(())
        };
        if is_traced {
            sequence(inputs, &mut |run| match run {
                Run::Rows(port, parts) => {
                    for part in parts {
                        for row in part.selection.iter() {
                            let mut only = Bitmap::EMPTY;
                            only.set(row);
                            take(Run::Rows(port, &[&part.select(only)]))?;
                        }
                    }
                    Ok(())
                }
                control => take(control),
            })?;
        } else {
            sequence(inputs, &mut take)?;
        }
        if let Some((port, position)) = done {
            let taken = self.nodes[rank].taken_at(port, position);
            self.finish_node(rank, taken);
        }
        Ok(())
    }

    /// Lets operators with a side effect act on the rows that were taken.
    pub(super) fn act(&mut self) -> Result<(), Error> {
        self.ran.sort_unstable();
        self.ran.dedup();
        for rank in &self.ran {
            let (before, rest) = self.nodes.split_at_mut(*rank);
            let node = &mut rest[0];
            // A node that was done before this step took nothing of it.
            let takes = !node.done || node.taken.is_some();
            let acts = node.side_effect && takes && !node.acted;
            let (true, Some(operator)) = (acts, node.operator.as_mut()) else {
                continue;
            };
            let start = self.timed.then(Instant::now);
            let rows = |taken: &Vec<Taken>| {
                let each = taken.iter().map(|taken| taken.rows);
                each.fold(0, usize::saturating_add)
            };
            let mut left = node.taken.as_ref().map_or(usize::MAX, rows);
            if is_planted("print-acts-after-done") {
                left = usize::MAX;
            }
            let inputs = node
                .inputs
                .iter()
                .map(|input| before[*input].out.items.as_slice());
            let (bindings, out) = (&node.bindings, &mut node.out);
            sequence(inputs, &mut |run| {
                let Run::Rows(_, parts) = run else {
                    return Ok(());
                };
                let rows: usize = parts.iter().map(|part| part.count()).sum();
                let taken = rows.min(left);
                left -= taken;
                if taken == rows {
                    return with_views(bindings, parts, |views| operator.act(views, out));
                }
                let first = take_first(parts, taken);
                let first: Vec<&Part> = first.iter().collect();
                with_views(bindings, &first, |views| operator.act(views, out))
            })?;
            if let Some(start) = start {
                node.nanos += start.elapsed().as_nanos() as u64;
            }
        }
        Ok(())
    }
}

/// A statement that a node writes for which many have in common.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) owner: Owner,
    /// The number of its output.
    pub(super) target: usize,
    /// Nobody reads that any more.
    pub(super) closed: bool,
}

fn writers(owners: &[Owner], targets: &[usize]) -> Vec<Writer> {
    let writer = |owner: &Owner| Writer {
        owner: *owner,
        target: targets.get(owner.statement).copied().unwrap_or(0),
        closed: false,
    };
    owners.iter().map(writer).collect()
}

/// What a node writes for each output, where it writes for many statements.
pub(super) fn pick(node: &RunNode) -> Vec<Picked> {
    if node.writers.is_empty() {
        return Vec::new();
    }
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut all: Vec<Picked> = Vec::new();
    for (row, number) in &node.out.text.owners {
        let writer = &node.writers[*number as usize];
        if writer.closed {
            continue;
        }
        let target = match node.output_file {
            Some(_) => 0,
            None => writer.target,
        };
        let place = match all.last() {
            Some(last) if last.target == target => all.len() - 1,
            _ => *places.entry(target).or_insert_with(|| {
                all.push(Picked {
                    target,
                    rows: Vec::new(),
                });
                all.len() - 1
            }),
        };
        all[place].rows.push((*row, *number));
    }
    for picked in &mut all {
        let owner = |number: u32| order_of(node.writers[number as usize].owner);
        node.out.text.order_picked(&mut picked.rows, owner);
    }
    all
}

/// By what the rows of one position are ordered.
pub(super) fn order_of(owner: Owner) -> (usize, u32) {
    match is_planted("table-writes-backwards") {
        true => (owner.statement, u32::MAX - owner.place),
        false => (owner.statement, owner.place),
    }
}

/// The text of a node in a step, for each output that it writes to; `picked` is what [`pick`] gave.
pub(super) fn shares<'a>(
    (rank, node): (usize, &'a RunNode),
    picked: &'a [Picked],
) -> impl Iterator<Item = Share<'a>> {
    let share = move |target, picks| Share {
        node: rank,
        statement: node.statement,
        written: node.written,
        target,
        text: &node.out.text,
        picks,
        writers: &node.writers,
    };
    let whole = node.writers.is_empty().then(|| share(node.target(), None));
    let number = |number| match node.output_file {
        Some(_) => node.target(),
        None => Target::Number(number),
    };
    let parts = picked.iter();
    let parts = parts.map(move |part| share(number(part.target), Some(&part.rows[..])));
    whole.into_iter().chain(parts)
}

/// Whatever a node may write, with nothing of what it wrote.
pub(super) fn writers_of((rank, node): (usize, &RunNode)) -> impl Iterator<Item = Share<'_>> {
    let share = move |(statement, written), target| Share {
        node: rank,
        statement,
        written,
        target,
        text: &node.out.text,
        picks: None,
        writers: &[],
    };
    let own = (node.writers.is_empty() || node.output_file.is_some())
        .then(|| share((node.statement, node.written), node.target()));
    let writers = node.writers.iter().filter(move |_| own.is_none());
    let each =
        writers.map(move |writer| share(order_of(writer.owner), Target::Number(writer.target)));
    own.into_iter().chain(each)
}

/// Shows parts to an operator with its columns bound. One part, the usual case, needs no list.
fn with_views<R>(
    bindings: &[(Arc<Shape>, Vec<Option<Slot>>)],
    parts: &[&Part],
    call: impl FnOnce(&[View<'_>]) -> R,
) -> R {
    let bind = |part: &Part| {
        bindings
            .iter()
            .find(|(shape, _)| Arc::ptr_eq(shape, &part.shape))
            .map_or(&[] as &[Option<Slot>], |(_, slots)| slots)
    };
    match parts {
        [only] => call(&[View {
            part: only,
            slots: bind(only),
        }]),
        several => {
            let views: Vec<View<'_>> = several
                .iter()
                .map(|part| View {
                    part,
                    slots: bind(part),
                })
                .collect();
            call(&views)
        }
    }
}

/// No mark yet of the inputs that will tell one, where there are several inputs.
fn marks_of(live: &[bool]) -> Vec<Option<i64>> {
    match live {
        [_] => Vec::new(),
        several => several
            .iter()
            .map(|live| live.then_some(i64::MIN))
            .collect(),
    }
}

/// A control of one of several inputs, as it is true of all: nothing comes before the least of the marks
/// that those have told that are not done. Files tell none: they are read as one goes along.
fn of_all_ports(
    marks: &mut [Option<i64>],
    port: usize,
    control: &Control,
    is_done: impl Fn(usize) -> bool,
) -> Control {
    let (Control::Watermark(time), Some(Some(mark))) = (control, marks.get_mut(port)) else {
        return control.clone();
    };
    *mark = (*mark).max(*time);
    let marks = marks.iter().enumerate();
    let told = marks.filter_map(|(port, mark)| mark.filter(|_| !is_done(port)));
    Control::Watermark(told.min().unwrap_or(*time))
}
