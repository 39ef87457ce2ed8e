//! Aggregate: groups by keys, functions over each group.

use crate::operator::groups::{Groups, Numbered};
use crate::operator::keyed::{Around, whole_key};
use crate::plan::Aggregate;
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{
    Accumulator, Context, Control, Error, Gives, GroupKeys, Needs, OnControl, Operator,
    OperatorSpec, Progress, StateClass, Verdict, View, same_operator,
};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, ColumnBuilder, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX, Recipe, Shape,
    Value, key,
};

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
        bound: Some("one state for each group"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Grouping::new(&aggregate, context))
        })
    }
}

/// Where a column of the result comes from.
enum Source {
    /// A key, which the group's key bytes hold already.
    Key(usize),
    /// The key of the group around.
    Around,
    /// A field of the last object.
    Kept(usize),
    /// A function.
    Function(usize),
}

struct Grouping {
    /// The fields that the group around is made of, whose key is the first column, then the keys.
    keys: Vec<FieldPath>,
    /// How many of these are of the group around; none where there is none.
    around: Option<usize>,
    /// How many columns the key has.
    width: usize,
    /// Whether objects with no key are a group, and one group is there without any object.
    all: bool,
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
        let width = aggregate.keys.len() + usize::from(aggregate.group.is_some());
        let around = aggregate.group.iter().flat_map(|group| &group.keys);
        let keys: Vec<FieldPath> = around.chain(&aggregate.keys).cloned().collect();
        let column = aggregate.group.as_ref().map(|group| &group.column);
        let mut next = width;
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
                } else if column == Some(&def.path) {
                    Source::Around
                } else if let Some(at) = keys.iter().position(|key| *key == def.path) {
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
        let mut grouping = Grouping {
            around: aggregate.group.as_ref().map(|group| group.keys.len()),
            keys,
            width,
            all: aggregate.all,
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
        };
        if grouping.all && width == 0 {
            grouping.any = true;
            grouping.grow(1);
        }
        grouping
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
        let columns = (0..self.width).map(|at| view.column(at));
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
        if self.width == 0 {
            usize::from(self.any)
        } else {
            self.groups.len()
        }
    }

    /// All groups in ascending order of key: key and number.
    fn sorted(&self) -> Vec<Group> {
        if self.width == 0 {
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
        if self.width == 0 {
            return self.emit(&self.sorted(), position, out);
        }
        let mut groups = self.groups.sorted();
        if is_planted("aggregate-descending") {
            groups.reverse();
        }
        for chunk in groups.chunks(ROWS_MAX) {
            self.emit_rows(
                chunk.iter().map(|group| (group, group.number)),
                |group, key| key.extend_from_slice(group.bytes(&mut [0; 32])),
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
                |key, bytes| bytes.extend_from_slice(key),
                position,
                out,
            );
        }
    }

    /// Gives one object for each of at most [`ROWS_MAX`] groups.
    fn emit_rows<K>(
        &self,
        groups: impl ExactSizeIterator<Item = (K, u32)>,
        write: impl Fn(K, &mut Vec<u8>),
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
        let (mut bytes, mut around) = (Vec::new(), Value::Absent);
        for (key, number) in groups {
            bytes.clear();
            write(key, &mut bytes);
            self.decode(&bytes, &mut around, &mut keys);
            for (builder, (source, kind)) in builders.iter_mut().zip(&self.columns) {
                let value = match source {
                    Source::Key(at) => keys[*at].clone(),
                    Source::Around => around.clone(),
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

    /// Reads the values of a key, and that of the group around.
    fn decode(&self, mut bytes: &[u8], around: &mut Value, values: &mut [Value]) {
        let (outer, own) = values.split_at_mut(self.around.unwrap_or(0));
        if self.around.is_some()
            && let Some(Value::Text(inner)) = key::decode(&mut bytes)
        {
            let mut rest = &*inner;
            decode_key(&mut rest, outer);
            *around = Value::Bytes(inner);
        }
        decode_key(&mut bytes, own);
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
        if self.width == 0 {
            self.any = false;
        } else {
            self.groups.remove(key);
        }
    }

    /// Whether a group is within that of a Close and has the field values that this says; fields
    /// that are no keys don't matter.
    fn closes(&self, key: &[u8], around: &Around<'_>) -> bool {
        let mut values = vec![Value::Absent; self.keys.len()];
        let mut group = Value::Absent;
        self.decode(key, &mut group, &mut values);
        let group = group.as_bytes().unwrap_or_default();
        if !group.starts_with(around.key) {
            return false;
        }
        let keys = self.keys.get(around.fields..).unwrap_or(&[]);
        let mut concerned = around.said.is_empty();
        for (path, value) in around.said {
            if let Some(at) = keys.iter().position(|key| key == path) {
                concerned = true;
                if !wireq_typesys::total_order(&values[around.fields + at], value).is_eq() {
                    return false;
                }
            }
        }
        concerned
    }

    /// The groups that a Close concerns. One that names all keys is found without looking at every
    /// group: a flow that ends closes one of a million.
    fn closed(&self, fields: &[(FieldPath, Value)]) -> Vec<Group> {
        let around = Around::of(fields);
        let names = |key: &FieldPath| fields.iter().any(|(path, _)| path == key);
        if self.width == 0 || around.fields > 0 || !self.keys.iter().all(names) {
            let mut groups = self.sorted();
            groups.retain(|(key, _)| self.closes(key, &around));
            return groups;
        }
        let (outer, own) = self.keys.split_at(self.around.unwrap_or(0));
        let mut key = match self.around {
            Some(_) => whole_key(outer, fields).unwrap_or_default(),
            None => Vec::new(),
        };
        for name in own {
            let value = fields.iter().find(|(path, _)| path == name);
            key::encode(value.map_or(&Value::Absent, |(_, value)| value), &mut key);
        }
        let number = self.groups.find(&key);
        number.map(|number| (key, number)).into_iter().collect()
    }

    fn close(&mut self, groups: Vec<Group>, position: Position, out: &mut Output) {
        self.emit(&groups, position, out);
        for (key, number) in groups {
            self.clear_group(&key, number);
        }
    }

    fn number_of(&mut self, key: &[u8]) -> u32 {
        if self.width == 0 {
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
fn decode_key(bytes: &mut &[u8], values: &mut [Value]) {
    for value in values {
        *value = key::decode(bytes).unwrap_or_default();
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
                self.step_one(*view);
                continue;
            }
            let mut has_key = Bitmap::EMPTY;
            let mut has_all = selection;
            let own = usize::from(self.around.is_some())..self.width;
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
                self.close(self.closed(fields), position, out);
                // Complete for those behind too; a Close of other fields says nothing of groups.
                let around = Around::of(fields);
                let keys = self.keys.get(around.fields..).unwrap_or(&[]);
                let is_key = |(path, _): &(FieldPath, Value)| keys.contains(path);
                if around.said.is_empty() || around.said.iter().any(is_key) {
                    out.control(position, control.clone());
                }
            }
            Control::Flush => {
                self.emit_all(position, out);
                out.control(position, Control::Flush);
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
