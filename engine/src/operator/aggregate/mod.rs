//! Aggregate: groups by keys, functions over each group.
//!
//! | part | what |
//! |---|---|
//! | [`states`] | what is known of groups, by their numbers |
//! | [`emit`] | the objects that are given |
//! | [`first`] | which groups those are, where not all are wanted |
//! | [`names`] | what numbers among keys are called |
//! | [`spilled`] | groups in files, where memory does not hold all |
//! | [`tally`] | many aggregates without keys as one |

mod emit;
mod first;
mod names;
mod spilled;
mod states;
pub(crate) mod tally;

use self::emit::{Emitter, Listed, Source};
use self::spilled::{Reading, Spilled};
use self::states::States;
use crate::operator::groups::{Drained, Groups, KEY_ROOM};
use crate::operator::keyed::{Around, whole_key};
use crate::plan::{Aggregate, First};
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{
    Context, Control, Error, Gives, GroupKeys, Needs, OnControl, Operator, OperatorSpec,
    PIECES_MIN, Pieces, Progress, StateClass, Verdict, View, same_operator,
};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::{Bitmap, FieldPath, Kind, Position, ROWS_MAX, Recipe, Value, key};

/// The operator of an aggregate: per group the last object plus a column for each function.
pub(crate) fn aggregate(aggregate: &Aggregate) -> OperatorSpec {
    let around = aggregate.group.iter().map(|group| group.column.clone());
    let mut needs: Vec<FieldPath> = around.chain(aggregate.keys.iter().cloned()).collect();
    needs.extend(
        aggregate
            .functions
            .iter()
            .filter_map(|function| function.spec.field.clone()),
    );
    let class = aggregate
        .functions
        .iter()
        .map(|f| f.spec.class)
        .max_by_key(|class| *class as u8);
    let aggregate = aggregate.clone();
    let around = aggregate.group.iter().flat_map(GroupKeys::columns);
    let functions = aggregate.functions.iter();
    let columns = around.chain(functions.map(|f| (f.name.clone(), f.kind)));
    OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Retained(columns.collect()),
        class: class.unwrap_or(StateClass::Commutative),
        bound: Some("one state for each group; past a limit of memory in files"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Grouping::new(&aggregate, context))
        })
    }
}

struct Grouping {
    emitter: Arc<Emitter>,
    /// How many columns the key has.
    width: usize,
    /// Whether objects with no key are a group, and one group is there without any object.
    all: bool,
    /// Which groups are wanted at the end, where not all are.
    first: Option<First>,
    groups: Groups,
    states: States,
    /// Whether the one group that there is without keys is there.
    any: bool,
    spilled: Option<Spilled>,
    giving: Giving,
    rows: Vec<u16>,
    numbers: Vec<u32>,
    /// How many threads may merge groups and look which are wanted.
    threads: usize,
}

/// How far the end is.
enum Giving {
    /// Not there yet.
    NotYet,
    /// These are still to be given.
    Kept(Drained),
    /// What is still to be given is in files.
    Spilled(Reading),
    Done,
}

/// What groups of one piece may take when they are put together from files.
const PIECE_BYTES: usize = 4 << 20;

/// What is given of an aggregate's groups, and their states: `before` columns of the view stand before
/// those of the functions.
fn parts(aggregate: &Aggregate, before: usize, context: &Context) -> (Emitter, States) {
    let around = aggregate.group.iter().flat_map(|group| &group.keys);
    let keys: Vec<FieldPath> = around.chain(&aggregate.keys).cloned().collect();
    let column = aggregate.group.as_ref().map(|group| &group.column);
    let own = before - aggregate.keys.len().min(before);
    let named = (own..before).filter(|at| context.kinds.get(*at) == Some(&Kind::Dynamic));
    let named: Vec<usize> = named.collect();
    let names_of = |at: usize| {
        let around = keys.len() - aggregate.keys.len();
        let column = own + at.checked_sub(around)?;
        named.iter().position(|named| *named == column)
    };
    let mut next = before;
    let functions = aggregate.functions.iter().map(|function| {
        let column = function.spec.field.is_some().then(|| {
            next += 1;
            next - 1
        });
        (column, Arc::clone(&function.spec.make))
    });
    let functions: Vec<_> = functions.collect();
    let mut kept = Vec::new();
    let mut columns = Vec::new();
    let given = context
        .shape
        .iter()
        .flat_map(|shape| &shape.base)
        .filter(|def| matches!(def.recipe, Recipe::Given));
    for def in given {
        let source = if let Some(at) = aggregate.functions.iter().rposition(|f| f.name == def.path)
        {
            Source::Function(at)
        } else if column == Some(&def.path) {
            Source::Around
        } else if let Some(at) = keys.iter().rposition(|key| *key == def.path) {
            Source::Key(at, names_of(at))
        } else {
            let live = context.live.iter().position(|path| *path == def.path);
            kept.push(
                context
                    .fields
                    .len()
                    .saturating_add(live.unwrap_or(usize::MAX)),
            );
            Source::Kept(kept.len() - 1)
        };
        columns.push((source, def.kind));
    }
    let emitter = Emitter {
        around: aggregate.group.as_ref().map(|group| group.keys.len()),
        keys,
        columns,
        shape: context.shape.clone(),
        origin: context.origin,
    };
    (
        emitter,
        States::new(functions.into_iter(), kept.into_iter(), named.into_iter()),
    )
}

impl Grouping {
    fn new(aggregate: &Aggregate, context: &Context) -> Grouping {
        let width = aggregate.keys.len() + usize::from(aggregate.group.is_some());
        let (emitter, states) = parts(aggregate, width, context);
        let mut grouping = Grouping {
            emitter: Arc::new(emitter),
            width,
            all: aggregate.all,
            first: aggregate.first.clone(),
            groups: Groups::new(context.seed),
            states,
            any: false,
            spilled: None,
            giving: Giving::NotYet,
            rows: Vec::new(),
            numbers: Vec::new(),
            threads: 1,
        };
        if grouping.all && width == 0 {
            grouping.number_of(&[]);
        }
        grouping
    }

    fn step_keyed(&mut self, view: View<'_>, selection: &Bitmap) {
        self.rows.clear();
        selection.for_each(|row| self.rows.push(row as u16));
        let columns = (0..self.width).map(|at| view.column(at));
        self.groups
            .number_rows(columns, &self.rows, &mut self.numbers, |_| {});
        self.states.grow(self.groups.limit());
        self.states.take(view, &self.rows, &self.numbers);
    }

    /// How many groups there are in memory.
    fn len(&self) -> usize {
        if self.width == 0 {
            usize::from(self.any)
        } else {
            self.groups.len()
        }
    }

    /// The number of a group in memory.
    fn find(&self, key: &[u8]) -> Option<u32> {
        if self.width == 0 {
            return self.any.then_some(0);
        }
        self.groups.find(key)
    }

    fn number_of(&mut self, key: &[u8]) -> u32 {
        if self.width == 0 {
            self.any = true;
            self.states.grow(1);
            return 0;
        }
        let (number, _) = self.groups.number_key(key);
        self.states.grow(self.groups.limit());
        number
    }

    /// All groups in memory in ascending order of key.
    fn sorted(&self) -> Listed {
        let mut listed = Listed::default();
        if self.width == 0 {
            if self.any {
                listed.push(&[], 0);
            }
            return listed;
        }
        let mut groups = self.groups.sorted();
        if is_planted("aggregate-descending") {
            groups.reverse();
        }
        for group in groups {
            listed.push(group.bytes(&mut [0; KEY_ROOM]), group.number);
        }
        listed
    }

    /// Takes all groups out of memory but for their states, in ascending order of key.
    fn drain(&mut self) -> Drained {
        if self.width == 0 && std::mem::take(&mut self.any) {
            self.groups.number_key(&[]);
        }
        self.groups.drain()
    }

    /// Takes all groups that are wanted out of memory.
    fn drain_wanted(&mut self) -> Drained {
        let first = self.first.as_ref();
        match first.and_then(|first| first::wanted(first, &self.groups, &self.states, self.threads))
        {
            Some(wanted) => {
                let groups = &mut self.groups;
                groups.drain_wanted(wanted.count_ones(..), |number| {
                    wanted.contains(number as usize)
                })
            }
            None => self.drain(),
        }
    }

    /// Gives one object for each of all groups.
    fn emit_all(&mut self, position: Position, out: &mut Output) -> Result<(), Error> {
        if self.spilled.is_some() {
            return self.emit_spilled(None, position, out);
        }
        self.emitter
            .emit(&self.states, &self.sorted(), position, out);
        Ok(())
    }

    /// Gives one object for each of all groups, of which some are in files; behind a Close for those
    /// that it concerns, which are forgotten.
    fn emit_spilled(
        &mut self,
        close: Option<&[(FieldPath, Value)]>,
        position: Position,
        out: &mut Output,
    ) -> Result<(), Error> {
        self.spill_all()?;
        let Some(spilled) = &self.spilled else {
            return Ok(());
        };
        let mut reading = spilled.read()?;
        let mut forgotten = Vec::new();
        while let Some(mut piece) = self.next_piece(&mut reading)? {
            let numbers: Vec<u32> = piece.iter().map(|(_, number)| number).collect();
            if let Some(fields) = close {
                let around = Around::of(fields);
                piece.retain(|key| self.emitter.closes(key, &around));
                forgotten.extend(piece.iter().map(|(key, _)| key.to_vec()));
            }
            self.emitter.emit(&self.states, &piece, position, out);
            numbers.iter().for_each(|number| self.states.clear(*number));
        }
        match &mut self.spilled {
            Some(spilled) if close.is_some_and(|fields| !fields.is_empty()) => {
                forgotten.iter().for_each(|key| spilled.forget(key));
            }
            spilled if close.is_some() => *spilled = None,
            _ => {}
        }
        Ok(())
    }

    /// Puts the next groups together from files; none at the end.
    fn next_piece(&mut self, reading: &mut Reading) -> Result<Option<Listed>, Error> {
        let Some(spilled) = &self.spilled else {
            return Ok(None);
        };
        let (mut piece, mut bytes, mut key) = (Listed::default(), 0, Vec::new());
        while piece.len() < ROWS_MAX && bytes < PIECE_BYTES {
            let number = piece.len() as u32;
            self.states.grow(piece.len() + 1);
            key.clear();
            let read = reading.next(spilled.names(), &mut self.states, number, &mut key, true)?;
            let Some(read) = read else { break };
            bytes += read;
            piece.push(&key, number);
        }
        Ok((piece.len() > 0).then_some(piece))
    }

    /// Moves all groups to files.
    fn spill_all(&mut self) -> Result<(), Error> {
        let mut drained = self.drain();
        self.spill_drained(&mut drained)
    }

    fn spill_drained(&mut self, drained: &mut Drained) -> Result<(), Error> {
        let states = &mut self.states;
        let spilled = self.spilled.get_or_insert_with(|| Spilled::new(states));
        spilled.write(states, drained.len(), |key| drained.next(key))?;
        self.states = self.states.fresh();
        Ok(())
    }

    /// Gives the next objects at the end.
    fn give(&mut self, out: &mut Output) -> Result<(), Error> {
        match std::mem::replace(&mut self.giving, Giving::Done) {
            Giving::NotYet | Giving::Done => {}
            Giving::Kept(mut drained) => {
                let mut piece = Listed::default();
                while piece.len() < ROWS_MAX && piece.push_with(|key| drained.next(key)) {}
                self.emitter.emit(&self.states, &piece, Position::END, out);
                if !drained.is_empty() {
                    self.giving = Giving::Kept(drained);
                }
            }
            Giving::Spilled(mut reading) => {
                if let Some(piece) = self.next_piece(&mut reading)? {
                    self.emitter.emit(&self.states, &piece, Position::END, out);
                    piece
                        .iter()
                        .for_each(|(_, number)| self.states.clear(number));
                    self.giving = Giving::Spilled(reading);
                }
            }
        }
        Ok(())
    }

    /// The key of the one group that a Close concerns, where it names all fields.
    fn whole_key(&self, fields: &[(FieldPath, Value)]) -> Option<Vec<u8>> {
        let names = |key: &FieldPath| fields.iter().any(|(path, _)| path == key);
        let all = is_planted("close-ends-all-groups");
        let (outer, own) = self.emitter.keys.split_at(self.emitter.around.unwrap_or(0));
        // A name that both have is that of the group around: what is within it is complete.
        let all = all || own.iter().any(|key| outer.contains(key));
        let all = all || is_planted("close-of-more-ends-groups");
        let within = Around::of(fields).fields > 0;
        if self.width == 0 || within || all || !self.emitter.keys.iter().all(names) {
            return None;
        }
        let mut key = match self.emitter.around {
            Some(_) => whole_key(outer, fields).unwrap_or_default(),
            None => Vec::new(),
        };
        for name in own {
            let value = fields.iter().find(|(path, _)| path == name);
            key::encode(value.map_or(&Value::Absent, |(_, value)| value), &mut key);
        }
        Some(key)
    }

    /// Gives and forgets the groups that a Close concerns. One that names all keys is found without
    /// looking at every group: a flow that ends closes one of a million. Where groups are in files
    /// that costs a look at each run, any other Close a reading of all.
    fn close(
        &mut self,
        fields: &[(FieldPath, Value)],
        position: Position,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Some(key) = self.whole_key(fields) {
            return self.close_one(&key, position, out);
        }
        if self.spilled.is_some() {
            return self.emit_spilled(Some(fields), position, out);
        }
        let around = Around::of(fields);
        let mut groups = self.sorted();
        groups.retain(|key| self.emitter.closes(key, &around));
        self.emitter.emit(&self.states, &groups, position, out);
        for (key, number) in groups.iter() {
            self.forget(key, number);
        }
        Ok(())
    }

    fn close_one(&mut self, key: &[u8], position: Position, out: &mut Output) -> Result<(), Error> {
        let mut one = Listed::default();
        let number = self.find(key);
        if let Some(spilled) = &mut self.spilled {
            let mut whole = self.states.fresh();
            whole.grow(1);
            if spilled.find(key, &mut whole)? {
                if let Some(number) = number {
                    whole.merge(0, &self.states, number);
                }
                one.push(key, 0);
                self.emitter.emit(&whole, &one, position, out);
                spilled.forget(key);
                if let Some(number) = number {
                    self.forget(key, number);
                }
                return Ok(());
            }
        }
        if let Some(number) = number {
            one.push(key, number);
            self.emitter.emit(&self.states, &one, position, out);
            self.forget(key, number);
        }
        Ok(())
    }

    /// Forgets a group in memory.
    fn forget(&mut self, key: &[u8], number: u32) {
        self.states.clear(number);
        if self.width == 0 {
            self.any = false;
        } else {
            self.groups.remove(key);
        }
    }

    /// Calls `each` for all groups in ascending order of key: the key, and where its state is.
    fn each_group(&self, each: &mut dyn FnMut(&[u8], &States, u32)) -> Result<(), Error> {
        let kept = self.sorted();
        let mut kept = kept.iter().peekable();
        if let Some(spilled) = &self.spilled {
            let mut groups = spilled.groups()?;
            let mut whole = self.states.fresh();
            whole.grow(1);
            let mut key = Vec::new();
            while groups.next(&mut whole, &mut key)? {
                while let Some((lower, number)) = kept.next_if(|(kept, _)| *kept < &*key) {
                    each(lower, &self.states, number);
                }
                if let Some((_, number)) = kept.next_if(|(kept, _)| *kept == &*key) {
                    whole.merge(0, &self.states, number);
                }
                each(&key, &whole, 0);
                whole.clear(0);
            }
        }
        kept.for_each(|(key, number)| each(key, &self.states, number));
        Ok(())
    }
}

/// All that is to be given at the end.
struct Said {
    emitter: Arc<Emitter>,
    states: States,
    groups: Listed,
}

impl Pieces for Said {
    fn len(&self) -> usize {
        self.groups.len().div_ceil(ROWS_MAX)
    }

    fn give(&self, piece: usize, out: &mut Output) {
        let rows = piece * ROWS_MAX..self.groups.len().min((piece + 1) * ROWS_MAX);
        let groups = rows.map(|at| self.groups.get(at));
        self.emitter
            .emit_rows(&self.states, groups, Position::END, out);
    }
}

impl Operator for Grouping {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = view.part.selection;
            if self.width == 0 {
                out.account.absorbed += selection.count() as u64;
                self.number_of(&[]);
                self.states.take_one(*view);
                continue;
            }
            let mut has_key = Bitmap::EMPTY;
            let mut has_all = selection;
            let own = usize::from(self.emitter.around.is_some())..self.width;
            let divides = !own.is_empty();
            for at in own {
                let valid = view.column(at).map_or(Bitmap::EMPTY, |column| column.valid);
                has_key = has_key.or(&valid);
                has_all = has_all.and(&valid);
            }
            let keyed = if is_planted("aggregate-absent-key-filtered") {
                has_all
            } else if self.all || !divides {
                selection
            } else {
                selection.and(&has_key)
            };
            let count = keyed.count() as u64;
            out.account.absorbed += count;
            out.account.filtered += selection.count() as u64 - count;
            if count > 0 {
                self.step_keyed(*view, &keyed);
            }
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        match control {
            Control::Close(fields) => {
                if self.emitter.is_about_groups(&Around::of(fields)) {
                    self.close(fields, position, out)?;
                    // Complete for those behind too.
                    out.control(position, control.clone());
                }
            }
            Control::Flush => {
                self.emit_all(position, out)?;
                out.control(position, Control::Flush);
            }
            Control::Watermark(_) => out.control(position, control.clone()),
            // What is given is no row of that input.
            Control::Beside(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        if let Giving::NotYet = self.giving {
            if is_planted("aggregate-descending") {
                self.giving = Giving::Done;
                return self.emit_all(Position::END, out);
            }
            if self.spilled.is_some() {
                self.spill_all()?;
            }
            self.giving = match &self.spilled {
                Some(spilled) => Giving::Spilled(spilled.read()?),
                None => Giving::Kept(self.drain_wanted()),
            };
        }
        self.give(out)
    }

    fn share(&mut self, threads: usize) {
        self.threads = threads;
        self.groups.share(threads);
    }

    fn finish_in_pieces(&mut self) -> Option<Box<dyn Pieces>> {
        let fits = matches!(self.giving, Giving::NotYet) && self.spilled.is_none();
        if !fits || self.len() < PIECES_MIN * ROWS_MAX || is_planted("aggregate-descending") {
            return None;
        }
        let mut drained = self.drain_wanted();
        if drained.len() < PIECES_MIN * ROWS_MAX {
            self.giving = Giving::Kept(drained);
            return None;
        }
        self.giving = Giving::Done;
        let mut groups = Listed::default();
        while groups.push_with(|key| drained.next(key)) {}
        let states = self.states.fresh();
        Some(Box::new(Said {
            emitter: Arc::clone(&self.emitter),
            states: std::mem::replace(&mut self.states, states),
            groups,
        }))
    }

    fn has_more(&self) -> bool {
        matches!(self.giving, Giving::Kept(_) | Giving::Spilled(_))
    }

    fn memory(&self) -> usize {
        let giving = match &self.giving {
            Giving::Kept(drained) => drained.memory(),
            Giving::Spilled(reading) => reading.memory(),
            Giving::NotYet | Giving::Done => 0,
        };
        let spilled = self.spilled.as_ref().map_or(0, Spilled::memory);
        self.groups.memory() + self.states.memory() + spilled + giving
    }

    fn spill(&mut self) -> Result<bool, Error> {
        // Without keys there is one state, and of that only members can be moved.
        if self.width == 0 && !self.states.has_members() {
            return Ok(false);
        }
        match std::mem::replace(&mut self.giving, Giving::Done) {
            Giving::NotYet => {
                self.giving = Giving::NotYet;
                if self.len() == 0 {
                    return Ok(false);
                }
                self.spill_all()?;
            }
            Giving::Kept(mut drained) => {
                self.spill_drained(&mut drained)?;
                if let Some(spilled) = &self.spilled {
                    self.giving = Giving::Spilled(spilled.read()?);
                }
            }
            giving => {
                self.giving = giving;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn save(&self, out: &mut Writer) {
        // A number before each group and none at the end: how many there are in files is known late.
        let saved = self.each_group(&mut |key, states, number| {
            out.number(1);
            out.bytes(key);
            states.save(number, out);
        });
        // What can't be read makes no state: loading says so.
        if saved.is_ok() {
            out.number(0);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        while from.number()? != 0 {
            let number = self.number_of(from.bytes()?);
            self.states.load(number, from)?;
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Grouping>("aggregate", right)?;
        if self.width > 0 && right.spilled.is_none() {
            let pairs = self.groups.absorb(&right.groups);
            self.states.grow(self.groups.limit());
            self.states.merge_all(&right.states, &pairs, self.threads);
            return Ok(Verdict::All);
        }
        right.each_group(&mut |key, states, from| {
            let number = self.number_of(key);
            self.states.merge(number, states, from);
        })?;
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
