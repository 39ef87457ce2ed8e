//! The keyed form of an operator: a state for each group.
//!
//! The operators of a grouped pipeline that keep nothing run once, for all groups; those that
//! keep something run here, one for each group that has come. What they give is put together
//! again in the order of its causes.

use crate::module::within;
use crate::operator::groups::Groups;
use crate::planted::is_planted;
use crate::schedule::merge::{Run, sequence};
use crate::schedule::output::{Item, Output};
use crate::snapshot::{Reader, Writer};
use crate::{
    Context, Control, Error, Gives, GroupKeys, Needs, OnControl, Operator, OperatorSpec, Progress,
    Verdict, View, same_operator,
};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::{Bitmap, Column, FieldPath, Part, Position, Slot, Value, key, total_order};

/// The operator that keeps what another one keeps for each group.
pub(crate) fn keyed(spec: &OperatorSpec, group: &GroupKeys) -> OperatorSpec {
    let Needs::Fields(fields) = &spec.needs else {
        // The plan names the fields of operators in groups.
        return spec.clone();
    };
    let mut needs = vec![group.column.clone()];
    needs.extend(fields.iter().cloned());
    let (make, keys) = (Arc::clone(&spec.make), group.keys.clone());
    let column = group.column.clone();
    let around: Vec<usize> = group.around.iter().map(|(_, fields)| *fields).collect();
    let on_control = spec.on_control;
    let made = matches!(spec.gives, Gives::Made(_));
    OperatorSpec {
        needs: Needs::Fields(needs),
        on_control: OnControl::React,
        // There may be further groups.
        stops: false,
        prepares: false,
        make: Arc::new(move |context| {
            let inner = Context {
                fields: context.fields[1..].to_vec(),
                kinds: context.kinds[1..].to_vec(),
                ..context.clone()
            };
            Box::new(PerGroup {
                idle: make(&inner),
                make: Arc::clone(&make),
                context: inner,
                around: around.clone(),
                column: column.clone(),
                keys: keys.clone(),
                on_control,
                made,
                groups: Groups::new(context.seed),
                states: Vec::new(),
                offered: Vec::new(),
                partial: false,
                memory: 0,
                rows: Vec::new(),
                numbers: Vec::new(),
                touched: Vec::new(),
                scratch: Output::default(),
                given: Vec::new(),
            })
        }),
        ..spec.clone()
    }
}

struct PerGroup {
    make: Arc<dyn Fn(&Context) -> Box<dyn Operator> + Send + Sync>,
    context: Context,
    /// One that no object comes to: it says what becomes of controls.
    idle: Box<dyn Operator>,
    /// How many of the keys make each of the groups around.
    around: Vec<usize>,
    /// The column that holds the group.
    column: FieldPath,
    keys: Vec<FieldPath>,
    on_control: OnControl,
    /// Whether objects are made up: their group has to be said then.
    made: bool,
    groups: Groups,
    /// The state of each group, by its number.
    states: Vec<Option<State>>,
    /// The groups of the rows given, where these are candidates only.
    offered: Vec<u32>,
    partial: bool,
    memory: usize,

    rows: Vec<u16>,
    numbers: Vec<u32>,
    /// The groups of the rows at hand, with their rows.
    touched: Vec<(u32, Bitmap)>,
    scratch: Output,
    /// What groups gave, with the group.
    given: Vec<(u32, Vec<Item>)>,
}

struct State {
    /// The group's key, as [`Groups`] has it.
    key: Box<[u8]>,
    operator: Box<dyn Operator>,
    /// Whether it takes no more rows.
    done: bool,
    /// What it said of its memory last.
    memory: usize,
    /// Where the group's rows of the view at hand are among those touched.
    place: usize,
}

const NO_PLACE: usize = usize::MAX;

/// What an operator takes beyond what it says itself.
const OPERATOR_SIZE: usize = 160;

impl PerGroup {
    fn new_state(&self, key: &[u8]) -> State {
        let mut operator = (self.make)(&self.context);
        if self.partial {
            operator.partial();
        }
        State {
            key: key.into(),
            done: !operator.wants_rows(),
            operator,
            memory: 0,
            place: NO_PLACE,
        }
    }

    /// The state of a group; `key` is asked where it is new.
    fn state(&mut self, number: u32, key: impl FnOnce() -> Vec<u8>) -> &mut State {
        let at = number as usize;
        if at >= self.states.len() {
            self.states.resize_with(at + 1, || None);
        }
        if self.states[at].is_none() {
            let state = self.new_state(&key());
            self.memory += OPERATOR_SIZE + state.key.len();
            self.states[at] = Some(state);
        }
        self.states[at].as_mut().expect("made above")
    }

    /// Finds the groups of a view's rows.
    fn divide(&mut self, view: View<'_>) {
        self.rows.clear();
        let selection = view.part.selection;
        selection.for_each(|row| self.rows.push(row as u16));
        let column = std::iter::once(view.column(0));
        let mut numbers = std::mem::take(&mut self.numbers);
        self.groups
            .number_rows(column, &self.rows, &mut numbers, |_| {});
        if is_planted("keyed-one-group") {
            numbers.fill(0);
        }
        self.touched.clear();
        for (at, number) in numbers.iter().enumerate() {
            let row = usize::from(self.rows[at]);
            let place = self.touched.len();
            let state = self.state(*number, || key_of_row(view, row));
            if state.place == NO_PLACE {
                state.place = place;
                self.touched.push((*number, Bitmap::EMPTY));
            }
            let place = self.states[*number as usize]
                .as_ref()
                .map_or(0, |s| s.place);
            self.touched[place].1.set(row);
        }
        for (number, _) in &self.touched {
            if let Some(state) = &mut self.states[*number as usize] {
                state.place = NO_PLACE;
            }
        }
        self.numbers = numbers;
    }

    fn step_view(
        &mut self,
        port: usize,
        view: View<'_>,
        slots: &[Option<Slot>],
        out: &mut Output,
    ) -> Result<(), Error> {
        self.divide(view);
        if let Some(runs) = self.runs(view) {
            for (number, rows) in runs {
                self.step_group(port, view, number, rows, slots, out)?;
                self.give(view, out)?;
            }
            return Ok(());
        }
        let touched = std::mem::take(&mut self.touched);
        for (number, rows) in &touched {
            self.step_group(port, view, *number, *rows, slots, out)?;
        }
        self.touched = touched;
        self.give(view, out)
    }

    /// The rows in their order, divided where the next one is in another group. None where their
    /// positions tell what comes first: then each group can take all of its rows at once.
    fn runs(&self, view: View<'_>) -> Option<Vec<(u32, Bitmap)>> {
        let position = |at: usize| view.part.data.position(usize::from(self.rows[at]));
        let ties = |at: usize| {
            self.numbers[at - 1] != self.numbers[at] && position(at - 1) == position(at)
        };
        if self.touched.len() < 2 || !(1..self.rows.len()).any(ties) {
            return None;
        }
        let mut runs: Vec<(u32, Bitmap)> = Vec::new();
        for (row, number) in self.rows.iter().zip(&self.numbers) {
            match runs.last_mut() {
                Some((last, rows)) if last == number => rows.set(usize::from(*row)),
                _ => {
                    let mut rows = Bitmap::EMPTY;
                    rows.set(usize::from(*row));
                    runs.push((*number, rows));
                }
            }
        }
        Some(runs)
    }

    /// Lets a group take its rows.
    fn step_group(
        &mut self,
        port: usize,
        view: View<'_>,
        number: u32,
        rows: Bitmap,
        slots: &[Option<Slot>],
        out: &mut Output,
    ) -> Result<(), Error> {
        let Some(state) = &mut self.states[number as usize] else {
            return Ok(());
        };
        self.scratch.begin_within(out);
        let result = if state.done {
            self.scratch.account.cut += rows.count() as u64;
            Ok(Progress::Continue)
        } else {
            let part = view.part.select(rows);
            let mine = View { part: &part, slots };
            state.operator.step(port, &[mine], &mut self.scratch)
        };
        if let Ok(Progress::Done { .. }) = result {
            state.done = true;
        }
        let memory = state.operator.memory();
        self.memory = (self.memory + memory).saturating_sub(state.memory);
        state.memory = memory;
        let items = self.scratch.end_within(out);
        if !items.is_empty() {
            self.given.push((number, items));
        }
        result.map(drop)
    }

    /// Gives what groups gave, in the order of its causes.
    fn give(&mut self, view: View<'_>, out: &mut Output) -> Result<(), Error> {
        let mut given = std::mem::take(&mut self.given);
        for (number, items) in &mut given {
            self.say_group(*number, items, out);
        }
        if let [(number, items)] = &mut given[..] {
            self.offer(*number, items);
            out.items.append(items);
        } else if let Some(part) = self.together(view, &given) {
            out.items.push(Item::Rows(part));
        } else {
            let ports = given.iter().map(|(_, items)| items.as_slice());
            let mut merged = Vec::new();
            let mut order = Vec::new();
            sequence(ports, &mut |run| {
                match run {
                    Run::Rows(port, parts) => {
                        order.push((port, parts.iter().map(|part| part.count()).sum()));
                        merged.extend(parts.iter().map(|part| Item::Rows((*part).clone())));
                    }
                    Run::Control(_, position, control) => {
                        merged.push(Item::Control(position, control.clone()));
                    }
                }
                Ok(())
            })?;
            if self.partial {
                for (port, rows) in order {
                    self.offered
                        .extend(std::iter::repeat_n(given[port].0, rows));
                }
            }
            out.items.append(&mut merged);
        }
        given.clear();
        self.given = given;
        Ok(())
    }

    fn offer(&mut self, number: u32, items: &[Item]) {
        if self.partial {
            let rows = crate::schedule::output::parts(items).map(Part::count).sum();
            self.offered.extend(std::iter::repeat_n(number, rows));
        }
    }

    /// Rows of one view that all groups gave as they came, as one part; none where they gave
    /// something else.
    fn together(&mut self, view: View<'_>, given: &[(u32, Vec<Item>)]) -> Option<Part> {
        let mut parts = Vec::with_capacity(given.len());
        for (number, items) in given {
            match &items[..] {
                [Item::Rows(part)] if Arc::ptr_eq(&part.data, &view.part.data) => {
                    parts.push((*number, part));
                }
                _ => return None,
            }
        }
        let (_, first) = parts.first()?;
        let same = |(_, part): &(u32, &Part)| {
            Arc::ptr_eq(&part.shape, &first.shape) && part.extra.len() == first.extra.len()
        };
        if !parts.iter().all(same) {
            return None;
        }
        let mut part = (*first).clone();
        part.selection = parts
            .iter()
            .fold(Bitmap::EMPTY, |all, (_, part)| all.or(&part.selection));
        for at in view.part.extra.len()..first.extra.len() {
            let mut values = vec![Value::Absent; part.data.len()];
            for (_, one) in &parts {
                let column = &one.extra[at];
                one.selection
                    .for_each(|row| values[row] = column.value(row));
            }
            part.extra[at] = Arc::new(Column::from_values(values));
        }
        if self.partial {
            let group = |row: usize| parts.iter().find(|(_, part)| part.selection.get(row));
            let groups = part.selection.iter().filter_map(|row| Some(group(row)?.0));
            self.offered.extend(groups);
        }
        Some(part)
    }

    /// Attaches the group to objects that an operator made up, and to what it says: that is true
    /// in its group.
    fn say_group(&self, number: u32, items: &mut [Item], out: &Output) {
        for item in items {
            match item {
                Item::Rows(part) if self.made => {
                    let bytes = self.key_of(number);
                    let rows = part.data.len();
                    let columns = self.around.iter().map(|fields| first_of(&bytes, *fields));
                    let columns = columns.chain([bytes.clone()]).map(|key| {
                        let values = (0..rows).map(|_| Value::Bytes(key.clone()));
                        Column::from_values(values)
                    });
                    if let Some(annotated) = out.attached(part, columns) {
                        *part = annotated;
                    }
                }
                Item::Control(_, Control::Close(fields))
                    if within(fields).0.is_none() && !is_planted("close-leaves-its-group") =>
                {
                    let group = Value::Bytes(self.key_of(number));
                    fields.insert(0, (self.column.clone(), group));
                }
                Item::Rows(_) | Item::Control(..) => {}
            }
        }
    }

    /// The key of a group, as its column holds it.
    fn key_of(&self, number: u32) -> Arc<[u8]> {
        match key::decode(&mut self.whole_key_of(number)) {
            Some(Value::Text(bytes)) => bytes,
            _ => Arc::from([]),
        }
    }

    fn whole_key_of(&self, number: u32) -> &[u8] {
        let state = self.states.get(number as usize).and_then(Option::as_ref);
        state.map_or(&[], |state| &state.key)
    }

    /// Lets groups say what they have to say at their end, in ascending order of key.
    fn finish_groups(
        &mut self,
        groups: &[(Vec<u8>, u32)],
        position: Position,
        out: &mut Output,
    ) -> Result<(), Error> {
        for (_, number) in groups {
            self.scratch.begin_within(out);
            let result = match self.states.get_mut(*number as usize) {
                Some(Some(state)) if !state.done => {
                    let mut result = state.operator.finish(&mut self.scratch);
                    while result.is_ok() && state.operator.has_more() {
                        result = state.operator.finish(&mut self.scratch);
                    }
                    result
                }
                _ => Ok(()),
            };
            let mut items = self.scratch.end_within(out);
            for item in &mut items {
                item.move_to(position);
            }
            self.say_group(*number, &mut items, out);
            self.offer(*number, &items);
            out.items.append(&mut items);
            result?;
        }
        Ok(())
    }

    /// Whether a Close is about the fields that make groups.
    fn is_about_groups(&self, around: &Around<'_>) -> bool {
        let keys = self.keys.get(around.fields..).unwrap_or(&[]);
        match around.said {
            [] => !keys.is_empty(),
            said => said.iter().all(|(path, _)| keys.contains(path)),
        }
    }

    /// A Close that is about the fields of groups ends these; any other one goes to each group.
    fn close(
        &mut self,
        fields: &[(FieldPath, Value)],
        position: Position,
        out: &mut Output,
    ) -> Result<(), Error> {
        let around = Around::of(fields);
        if !self.is_about_groups(&around) {
            let groups = self.groups.owned().into_iter();
            let groups = groups.filter(|(key, _)| around.holds(key));
            let control = Control::Close(around.said.to_vec());
            return self.control_groups(groups.collect(), &control, position, out);
        }
        // A name that a group and one around it have is that of the latter.
        let twice = |(at, key): (usize, &FieldPath)| self.keys[..at].contains(key);
        let distinct = !self.keys.iter().enumerate().any(twice);
        let groups: Vec<(Vec<u8>, u32)> = match whole_key(&self.keys, fields) {
            Some(key) if around.fields == 0 && distinct => {
                let number = self.groups.find(&key);
                number.map(|number| (key, number)).into_iter().collect()
            }
            _ => {
                let mut groups = self.groups.owned();
                groups.retain(|(key, _)| {
                    around.holds(key) && matches(&self.keys, around.fields, key, around.said)
                });
                groups
            }
        };
        self.finish_groups(&groups, position, out)?;
        if is_planted("keyed-close-keeps-state") {
            return Ok(());
        }
        for (key, number) in groups {
            self.groups.remove(&key);
            if let Some(state) = self.states[number as usize].take() {
                self.memory = self
                    .memory
                    .saturating_sub(state.memory + OPERATOR_SIZE + state.key.len());
            }
        }
        Ok(())
    }

    /// Lets groups react to a control. What they say of the control itself is said once, by
    /// [`PerGroup::pass_on`].
    fn control_groups(
        &mut self,
        groups: Vec<(Vec<u8>, u32)>,
        control: &Control,
        position: Position,
        out: &mut Output,
    ) -> Result<(), Error> {
        if self.on_control != OnControl::React {
            return Ok(());
        }
        for (_, number) in groups {
            self.scratch.begin_within(out);
            let result = match self.states.get_mut(number as usize) {
                Some(Some(state)) => state.operator.control(position, control, &mut self.scratch),
                _ => Ok(()),
            };
            let mut items = self.scratch.end_within(out);
            items.retain(|item| matches!(item, Item::Rows(_)));
            self.say_group(number, &mut items, out);
            self.offer(number, &items);
            out.items.append(&mut items);
            result?;
        }
        Ok(())
    }

    /// Sends a control on, where the operator would.
    fn pass_on(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        let passes = match (self.on_control, control) {
            (OnControl::Consume, _) => false,
            (OnControl::Forward, _) => true,
            (OnControl::React, Control::Close(fields)) => {
                let around = Around::of(fields);
                // Of groups that are complete all has been given.
                self.is_about_groups(&around)
                    || self.passes(position, &Control::Close(around.said.to_vec()))?
            }
            (OnControl::React, control) => self.passes(position, control)?,
        };
        if passes {
            out.control(position, control.clone());
        }
        Ok(())
    }

    fn passes(&mut self, position: Position, control: &Control) -> Result<bool, Error> {
        let mut out = Output::default();
        self.idle.control(position, control, &mut out)?;
        let is_control = |item: &Item| matches!(item, Item::Control(..));
        Ok(out.items.iter().any(is_control))
    }
}

/// The group that a Close is true in.
pub(super) struct Around<'a> {
    /// Its key, as its column holds it.
    pub(super) key: &'a [u8],
    /// How many fields make it; none where the Close is true everywhere.
    pub(super) fields: usize,
    /// What the Close says.
    pub(super) said: &'a [(FieldPath, Value)],
}

impl<'a> Around<'a> {
    pub(super) fn of(close: &'a [(FieldPath, Value)]) -> Around<'a> {
        let (group, said) = within(close);
        let key = group
            .and_then(|(_, key)| key.as_bytes())
            .unwrap_or_default();
        let mut rest = key;
        let fields = std::iter::from_fn(|| key::decode(&mut rest)).count();
        Around { key, fields, said }
    }

    /// Whether a group, by its key as [`Groups`] has it, is this one or in it: its key begins so.
    fn holds(&self, key: &[u8]) -> bool {
        match key::decode(&mut &*key) {
            Some(Value::Text(bytes)) => bytes.starts_with(self.key),
            _ => self.key.is_empty(),
        }
    }
}

/// The bytes of the first fields of a key.
fn first_of(key: &Arc<[u8]>, fields: usize) -> Arc<[u8]> {
    let mut rest = &**key;
    for _ in 0..fields {
        // The key was made of at least so many.
        let _ = key::decode(&mut rest);
    }
    Arc::from(&key[..key.len() - rest.len()])
}

/// The key of a row's group, as [`Groups`] has it.
fn key_of_row(view: View<'_>, row: usize) -> Vec<u8> {
    let mut key = Vec::new();
    key::encode_row(view.column(0), row, &mut key);
    key
}

/// The key of a group column from the values of all its fields; none where one is missing.
pub(super) fn whole_key(keys: &[FieldPath], fields: &[(FieldPath, Value)]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for key in keys {
        let (_, value) = fields.iter().find(|(path, _)| path == key)?;
        key::encode(value, &mut bytes);
    }
    let mut whole = Vec::new();
    key::encode(&Value::Bytes(bytes.into()), &mut whole);
    Some(whole)
}

/// Whether the key of a group column has the field values of a Close; its first fields don't
/// matter.
fn matches(keys: &[FieldPath], first: usize, key: &[u8], said: &[(FieldPath, Value)]) -> bool {
    let Some(Value::Text(bytes)) = key::decode(&mut &*key) else {
        return false;
    };
    let mut rest = &*bytes;
    let values = keys.iter().map(|path| {
        let value = key::decode(&mut rest).unwrap_or_default();
        (path, value)
    });
    let own: Vec<(&FieldPath, Value)> = values.skip(first).collect();
    said.iter().all(|(name, value)| {
        let own = own.iter().find(|(path, _)| *path == name);
        own.is_some_and(|(_, own)| total_order(own, value).is_eq())
    })
}

impl Operator for PerGroup {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let slots = view.slots.get(1..).unwrap_or(&[]);
            self.step_view(port, *view, slots, out)?;
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
            Control::Close(fields) => self.close(fields, position, out)?,
            // It is of no group.
            Control::Beside(_) => {}
            Control::Flush | Control::Watermark(_) => {
                self.control_groups(self.groups.owned(), control, position, out)?;
            }
        }
        self.pass_on(position, control, out)
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        let groups = self.groups.owned();
        self.finish_groups(&groups, Position::END, out)
    }

    fn partial(&mut self) {
        self.partial = true;
        let states = self.states.iter_mut().flatten();
        states.for_each(|state| state.operator.partial());
    }

    fn memory(&self) -> usize {
        self.memory + self.groups.memory()
    }

    fn save(&self, out: &mut Writer) {
        let groups = self.groups.owned();
        out.number(groups.len() as u64);
        for (key, number) in &groups {
            out.bytes(key);
            let saved = self.states.get(*number as usize).and_then(Option::as_ref);
            out.number(u64::from(saved.is_some_and(|state| state.done)));
            out.part(|out| {
                if let Some(saved) = saved {
                    saved.operator.save(out);
                }
            });
        }
        out.number(self.offered.len() as u64);
        for number in &self.offered {
            out.bytes(self.whole_key_of(*number));
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            let (number, _) = self.groups.number_key(key);
            let done = from.number()? != 0;
            let mut reader = from.part()?;
            let state = self.state(number, || key.to_vec());
            state.done = done;
            state.operator.load(&mut reader)?;
            if !reader.is_at_end() {
                return Err(Error::Snapshot("a group has more than its state".into()));
            }
        }
        for _ in 0..from.number()? {
            let (number, _) = self.groups.number_key(from.bytes()?);
            self.offered.push(number);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<PerGroup>("group by", right)?;
        let mut verdicts: Vec<Option<std::vec::IntoIter<bool>>> = Vec::new();
        for (key, from) in right.groups.owned() {
            let Some(Some(other)) = right.states.get(from as usize) else {
                continue;
            };
            let (number, _) = self.groups.number_key(&key);
            let state = self.state(number, || key.clone());
            let verdict = state.operator.merge(&*other.operator)?;
            state.done |= other.done;
            if let Verdict::Each(stands) = verdict {
                verdicts.resize_with(verdicts.len().max(from as usize + 1), || None);
                verdicts[from as usize] = Some(stands.into_iter());
            }
        }
        let mut stands = Vec::with_capacity(right.offered.len());
        for from in &right.offered {
            let one = verdicts.get_mut(*from as usize).and_then(Option::as_mut);
            stands.push(one.is_none_or(|one| one.next().unwrap_or(true)));
        }
        if self.partial {
            for (from, _) in right.offered.iter().zip(&stands).filter(|(_, s)| **s) {
                let (number, _) = self.groups.number_key(right.whole_key_of(*from));
                self.offered.push(number);
            }
        }
        Ok(Verdict::Each(stands))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
