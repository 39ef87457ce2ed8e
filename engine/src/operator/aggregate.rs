//! Aggregate: groups by keys, functions over each group.

use crate::operator::groups::{Groups, Numbered};
use crate::plan::Aggregate;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{
    Accumulator, Context, Control, Error, Gives, Needs, OnControl, Operator, OperatorSpec,
    Progress, StateClass, Verdict, View, same_operator,
};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, ColumnBuilder, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX, Recipe, Shape,
    Value, key,
};

/// The operator of an aggregate: per group the last object plus a column for each function.
pub(crate) fn aggregate(aggregate: &Aggregate) -> OperatorSpec {
    let mut needs = aggregate.keys.clone();
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
    OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Retained(
            aggregate
                .functions
                .iter()
                .map(|f| (f.name.clone(), f.kind))
                .collect(),
        ),
        like: Vec::new(),
        class: class.unwrap_or(StateClass::Commutative),
        side_effect: false,
        reads_identity: false,
        bound: Some("one state for each group"),
        on_control: OnControl::React,
        output_file: None,
        make: Arc::new(move |context| Box::new(Grouping::new(&aggregate, context))),
    }
}

/// Where a column of the result comes from.
enum Source {
    /// A key, which the group's key bytes hold already.
    Key(usize),
    /// A field of the last object.
    Kept(usize),
    /// A function.
    Function(usize),
}

struct Grouping {
    keys: Vec<FieldPath>,
    functions: Vec<(Option<usize>, Box<dyn Accumulator>)>,
    groups: Groups,
    /// Fields of the last object of each group: number in the view, values by group.
    kept: Vec<(usize, Vec<Value>)>,
    columns: Vec<(Source, Kind)>,
    shape: Option<Arc<Shape>>,
    origin: u32,

    any: bool,
    rows: Vec<u16>,
    numbers: Vec<u32>,
    /// Per group the last row of the current part, and which groups have one.
    last_row: Vec<u16>,
    touched: Vec<u32>,
}

/// The key of a group and its number.
type Group = (Vec<u8>, u32);

const NO_ROW: u16 = u16::MAX;

impl Grouping {
    fn new(aggregate: &Aggregate, context: &Context) -> Grouping {
        let mut next = aggregate.keys.len();
        let functions = aggregate.functions.iter().map(|function| {
            let column = function.spec.field.is_some().then(|| {
                next += 1;
                next - 1
            });
            (column, (function.spec.make)())
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
            let source =
                if let Some(at) = aggregate.functions.iter().rposition(|f| f.name == def.path) {
                    Source::Function(at)
                } else if let Some(at) = aggregate.keys.iter().position(|key| *key == def.path) {
                    Source::Key(at)
                } else {
                    let live = context
                        .live
                        .iter()
                        .position(|path| *path == def.path)
                        .unwrap_or(usize::MAX);
                    kept.push((context.fields.len().saturating_add(live), Vec::new()));
                    Source::Kept(kept.len() - 1)
                };
            columns.push((source, def.kind));
        }
        Grouping {
            keys: aggregate.keys.clone(),
            functions,
            groups: Groups::new(context.seed),
            kept,
            columns,
            shape: context.shape.clone(),
            origin: context.origin,

            any: false,
            rows: Vec::new(),
            numbers: Vec::new(),
            last_row: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Takes in rows that are all of the one group there is.
    fn step_one(&mut self, view: View<'_>) {
        let selection = view.part.selection;
        if !self.any {
            self.any = true;
            self.grow(1);
        }
        for (column, state) in &mut self.functions {
            state.update_one(column.and_then(|at| view.column(at)), &selection);
        }
        if let Some(last) = selection.highest() {
            for (at, values) in &mut self.kept {
                values[0] = view.value(*at, last);
            }
        }
    }

    fn step_keyed(&mut self, view: View<'_>, selection: &Bitmap) {
        self.rows.clear();
        selection.for_each(|row| self.rows.push(row as u16));
        let columns = (0..self.keys.len()).map(|at| view.column(at));
        self.groups
            .number_rows(columns, &self.rows, &mut self.numbers, |_| {});
        self.grow(self.groups.limit());
        for (column, state) in &mut self.functions {
            state.update(
                column.and_then(|at| view.column(at)),
                &self.rows,
                &self.numbers,
            );
        }
        if !self.kept.is_empty() {
            self.keep_last(view);
        }
    }

    /// Keeps the fields of each group's last row: read once a group, not once a row.
    fn keep_last(&mut self, view: View<'_>) {
        for (row, number) in self.rows.iter().zip(&self.numbers) {
            let last = &mut self.last_row[*number as usize];
            if *last == NO_ROW {
                self.touched.push(*number);
            } else if is_planted("aggregate-keeps-first-object") {
                continue;
            }
            *last = *row;
        }
        for number in self.touched.drain(..) {
            let row = std::mem::replace(&mut self.last_row[number as usize], NO_ROW);
            for (at, values) in &mut self.kept {
                values[number as usize] = view.value(*at, usize::from(row));
            }
        }
    }

    fn grow(&mut self, groups: usize) {
        for (_, state) in &mut self.functions {
            state.grow(groups);
        }
        if !self.kept.is_empty() {
            self.last_row
                .resize(groups.max(self.last_row.len()), NO_ROW);
            for (_, values) in &mut self.kept {
                values.resize(groups.max(values.len()), Value::Absent);
            }
        }
    }

    /// How many groups there are.
    fn len(&self) -> usize {
        if self.keys.is_empty() {
            usize::from(self.any)
        } else {
            self.groups.len()
        }
    }

    /// All groups in ascending order of key: key and number.
    fn sorted(&self) -> Vec<Group> {
        if self.keys.is_empty() {
            return if self.any {
                vec![(Vec::new(), 0)]
            } else {
                Vec::new()
            };
        }
        let own =
            |numbered: &Numbered<'_>| (numbered.bytes(&mut [0; 32]).to_vec(), numbered.number);
        self.groups.sorted().iter().map(own).collect()
    }

    /// Gives one object for each of all groups.
    fn emit_all(&self, position: Position, out: &mut Output) {
        if self.keys.is_empty() {
            return self.emit(&self.sorted(), position, out);
        }
        let mut groups = self.groups.sorted();
        if is_planted("aggregate-descending") {
            groups.reverse();
        }
        for chunk in groups.chunks(ROWS_MAX) {
            self.emit_rows(
                chunk.iter().map(|group| (group, group.number)),
                |group, keys| {
                    decode_key(group.bytes(&mut [0; 32]), keys);
                },
                position,
                out,
            );
        }
    }

    /// Gives one object for each of the groups.
    fn emit(&self, groups: &[Group], position: Position, out: &mut Output) {
        for chunk in groups.chunks(ROWS_MAX) {
            self.emit_rows(
                chunk.iter().map(|(key, number)| (key, *number)),
                |key, keys| decode_key(key, keys),
                position,
                out,
            );
        }
    }

    /// Gives one object for each of at most [`ROWS_MAX`] groups.
    fn emit_rows<K>(
        &self,
        groups: impl ExactSizeIterator<Item = (K, u32)>,
        decode: impl Fn(K, &mut [Value]),
        position: Position,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        let rows = groups.len();
        let mut builders: Vec<ColumnBuilder> = self
            .columns
            .iter()
            .map(|_| ColumnBuilder::default())
            .collect();
        let mut keys = vec![Value::Absent; self.keys.len()];
        for (key, number) in groups {
            decode(key, &mut keys);
            for (builder, (source, kind)) in builders.iter_mut().zip(&self.columns) {
                let value = match source {
                    Source::Key(at) => keys[*at].clone(),
                    Source::Kept(at) => self.kept[*at]
                        .1
                        .get(number as usize)
                        .cloned()
                        .unwrap_or_default(),
                    Source::Function(at) => self.functions[*at].1.value(number),
                };
                builder.push(value.of_kind(*kind));
            }
        }
        let columns = builders.into_iter().map(ColumnBuilder::finish).collect();
        out.emit(PartData::from_columns(
            Arc::clone(shape),
            columns,
            rows,
            Positions::All(position),
            self.origin,
        ));
    }

    fn clear_group(&mut self, key: &[u8], number: u32) {
        for (_, state) in &mut self.functions {
            state.clear(number);
        }
        for (_, values) in &mut self.kept {
            if let Some(value) = values.get_mut(number as usize) {
                *value = Value::Absent;
            }
        }
        if self.keys.is_empty() {
            self.any = false;
        } else {
            self.groups.remove(key);
        }
    }

    /// Whether a group has the field values of a Close; fields that are no keys don't matter.
    fn closes(&self, key: &[u8], fields: &[(FieldPath, Value)]) -> bool {
        let mut values = vec![Value::Absent; self.keys.len()];
        decode_key(key, &mut values);
        let mut concerned = false;
        for (path, value) in fields {
            if let Some(at) = self.keys.iter().position(|key| key == path) {
                concerned = true;
                if !wireq_typesys::total_order(&values[at], value).is_eq() {
                    return false;
                }
            }
        }
        concerned || fields.is_empty()
    }

    /// The groups that a Close concerns, in ascending order of key. One that names all keys is looked
    /// up: behind flows that end one by one, looking through all groups would take quadratic time.
    fn closed_by(&self, fields: &[(FieldPath, Value)]) -> Vec<Group> {
        let value = |key: &FieldPath| fields.iter().find(|(path, _)| path == key);
        let named: Vec<_> = self.keys.iter().filter_map(value).collect();
        if named.is_empty() && !fields.is_empty() {
            return Vec::new();
        }
        if named.is_empty() || named.len() < self.keys.len() {
            let mut groups = self.sorted();
            groups.retain(|(key, _)| self.closes(key, fields));
            return groups;
        }
        let mut key = Vec::new();
        named
            .iter()
            .for_each(|(_, value)| key::encode(value, &mut key));
        let found = self.groups.find(&key);
        found.map(|number| (key, number)).into_iter().collect()
    }

    fn close(&mut self, groups: Vec<Group>, position: Position, out: &mut Output) {
        self.emit(&groups, position, out);
        for (key, number) in groups {
            self.clear_group(&key, number);
        }
    }

    fn number_of(&mut self, key: &[u8]) -> u32 {
        if self.keys.is_empty() {
            self.any = true;
            self.grow(1);
            return 0;
        }
        let (number, _) = self.groups.number_key(key);
        self.grow(self.groups.limit());
        number
    }
}

/// Reads the values of a key.
fn decode_key(mut bytes: &[u8], values: &mut [Value]) {
    for value in values {
        *value = key::decode(&mut bytes).unwrap_or_default();
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
            if self.keys.is_empty() {
                out.account.absorbed += selection.count() as u64;
                self.step_one(*view);
                continue;
            }
            let mut has_key = Bitmap::EMPTY;
            let mut has_all = selection;
            for at in 0..self.keys.len() {
                let valid = view.column(at).map_or(Bitmap::EMPTY, |column| column.valid);
                has_key = has_key.or(&valid);
                has_all = has_all.and(&valid);
            }
            let keyed = if is_planted("aggregate-absent-key-filtered") {
                has_all
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
            Control::Close(fields) => self.close(self.closed_by(fields), position, out),
            Control::Flush => {
                self.emit_all(position, out);
            }
            Control::Watermark(_) => out.control(position, control.clone()),
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.emit_all(Position::END, out);
        Ok(())
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for (key, number) in &self.sorted() {
            out.bytes(key);
            for (_, state) in &self.functions {
                state.save(*number, out);
            }
            for (_, values) in &self.kept {
                out.value(&values[*number as usize]);
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let number = self.number_of(from.bytes()?);
            for (_, state) in &mut self.functions {
                state.load(number, from)?;
            }
            for (_, values) in &mut self.kept {
                values[number as usize] = from.value()?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Grouping>("aggregate", right)?;
        for (key, from) in right.sorted() {
            let number = self.number_of(&key);
            for ((_, state), (_, other)) in self.functions.iter_mut().zip(&right.functions) {
                state.merge(number, &**other, from);
            }
            for ((_, values), (_, others)) in self.kept.iter_mut().zip(&right.kept) {
                values[number as usize] = others[from as usize].clone();
            }
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
