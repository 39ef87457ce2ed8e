//! Rows kept for later: what the modules share that give objects of their input again.
//!
//! State never holds batches. A row is kept as the bytes of the fields that anything behind the
//! operator reads, with the identity of the object: about 20 bytes for an address, a port and a
//! length.

use std::iter;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Error, View};
use wireq_typesys::{
    Column, ColumnBuilder, Data, Kind, Names, PartData, Position, Positions, ROWS_MAX, Recipe,
    Shape, Value, allocated, key,
};

/// One kept row.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    identity: (u32, u64),
    /// The values of the live fields one after the other: keys as of [`key`], and what keys
    /// forget behind one of the marks below.
    bytes: Vec<u8>,
}

impl Kept {
    /// A row from the identity of its object and what [`Keeper::append_row`] appended.
    pub(super) fn from_parts(identity: (u32, u64), bytes: Vec<u8>) -> Kept {
        Kept { identity, bytes }
    }

    /// The identity of the object, and the bytes of its fields.
    pub(super) fn parts(&self) -> ((u32, u64), &[u8]) {
        (self.identity, &self.bytes)
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Kept>() + self.beyond()
    }

    /// About how many bytes it takes beyond its own size.
    pub(super) fn beyond(&self) -> usize {
        allocated(self.bytes.capacity())
    }
}

/// Class bytes that no key has. A double, with its bits: keys make 1.0 an integer.
const DOUBLE: u8 = 200;
/// Bytes, as a key of text.
const BYTES: u8 = 201;
/// A number with names that its column did not declare: which names, then the key of the number.
const NAMED: u8 = 202;
/// A list: how many values, then each of them.
const LIST: u8 = 203;

/// The place of a column that is no field of the view but the operator's own.
const OWN: usize = usize::MAX;

/// Keeps the live fields of rows and gives them again.
pub(super) struct Keeper {
    /// For each column given, the number of the field in the view, and its kind.
    columns: Vec<(usize, Kind)>,
    shape: Option<Arc<Shape>>,
    origin: u32,
    /// Names met in columns that did not declare them, for [`NAMED`].
    names: Vec<&'static Names>,
}

impl Keeper {
    pub(super) fn new(context: &Context) -> Keeper {
        let given = context
            .shape
            .iter()
            .flat_map(|shape| &shape.base)
            .filter(|def| matches!(def.recipe, Recipe::Given));
        let place = |path| {
            let live = context.live.iter().position(|live| live == path);
            live.map_or(OWN, |at| context.fields.len() + at)
        };
        Keeper {
            columns: given.map(|def| (place(&def.path), def.kind)).collect(),
            shape: context.shape.clone(),
            origin: context.origin,
            names: Vec::new(),
        }
    }

    /// Keeps a row in the place of what `kept` held; its buffer is used again.
    pub(super) fn keep(&mut self, view: View<'_>, row: usize, kept: &mut Kept) {
        kept.identity = view.part.data.identity(row);
        kept.bytes.clear();
        self.append_row(view, row, &mut kept.bytes);
    }

    fn encode_row(&mut self, column: Option<&Column>, row: usize, kind: Kind, out: &mut Vec<u8>) {
        let Some(column) = column.filter(|column| column.valid.get(row)) else {
            return key::encode(&Value::Absent, out);
        };
        match (&column.data, column.names) {
            (Data::Double(_) | Data::Dynamic(_) | Data::List(..), _) => {
                self.encode(&column.value(row), kind, out)
            }
            (_, Some(names)) if kind != Kind::Named(names) => {
                self.encode(&column.value(row), kind, out)
            }
            (Data::Bytes(_), _) => {
                out.push(BYTES);
                key::encode_row(Some(column), row, out);
            }
            _ => key::encode_row(Some(column), row, out),
        }
    }

    fn encode(&mut self, value: &Value, kind: Kind, out: &mut Vec<u8>) {
        if let Value::Named(_, names) = value
            && kind != Kind::Named(names)
            && let Some(number) = self.number_of(names)
        {
            out.extend([NAMED, number]);
        }
        match value {
            Value::List(values) => {
                begin_list(values.len(), out);
                let each = values.iter();
                each.for_each(|value| self.encode(value, Kind::Dynamic, out));
            }
            value => encode_plain(value, out),
        }
    }

    /// The number of a table of names; none where there are too many to tell apart.
    fn number_of(&mut self, names: &'static Names) -> Option<u8> {
        let known = self.names.iter().position(|known| *known == names);
        let at = known.unwrap_or_else(|| {
            self.names.push(names);
            self.names.len() - 1
        });
        u8::try_from(at).ok()
    }

    /// Reads the value of a column off the front of a row.
    fn decode(&self, bytes: &mut &[u8], kind: Kind) -> Option<Value> {
        self.decode_within(bytes, kind, 0)
    }

    fn decode_within(&self, bytes: &mut &[u8], kind: Kind, depth: usize) -> Option<Value> {
        if let [NAMED, number, rest @ ..] = bytes {
            let names = self.names.get(usize::from(*number))?;
            *bytes = rest;
            return Some(with_names(key::decode(bytes)?, Kind::Named(names)));
        }
        if let Some(len) = list_length(bytes, depth)? {
            let values = (0..len).map(|_| self.decode_within(bytes, Kind::Dynamic, depth + 1));
            return Some(Value::List(values.collect::<Option<Vec<Value>>>()?.into()));
        }
        Some(with_names(decode_plain(bytes)?, kind))
    }

    /// Keeps columns of the view, by their numbers and kinds, for an operator that gives no rows.
    pub(super) fn of_columns(columns: Vec<(usize, Kind)>) -> Keeper {
        Keeper {
            columns,
            shape: None,
            origin: 0,
            names: Vec::new(),
        }
    }

    /// Appends what is kept of a row.
    pub(super) fn append_row(&mut self, view: View<'_>, row: usize, out: &mut Vec<u8>) {
        for at in 0..self.columns.len() {
            let (field, kind) = self.columns[at];
            self.encode_row(view.column(field), row, kind, out);
        }
    }

    /// Appends what is kept of a row with these values.
    pub(super) fn append_values(&mut self, values: &[Value], out: &mut Vec<u8>) {
        for (at, value) in values.iter().enumerate() {
            self.encode(value, self.columns[at].1, out);
        }
    }

    /// Reads the values of a row off the front of what was kept; none where there is none.
    pub(super) fn read_row(&self, bytes: &mut &[u8], out: &mut Vec<Value>) -> Option<()> {
        for (_, kind) in &self.columns {
            out.push(self.decode(bytes, *kind)?);
        }
        Some(())
    }

    /// A row that an equal operator kept, as this one keeps it.
    pub(super) fn adopt(&mut self, other: &Keeper, kept: &Kept) -> Kept {
        if other.names.is_empty() {
            return kept.clone();
        }
        let mut rest = kept.bytes.as_slice();
        let mut adopted = Kept {
            identity: kept.identity,
            bytes: Vec::with_capacity(rest.len()),
        };
        for at in 0..self.columns.len() {
            let kind = self.columns[at].1;
            let value = other.decode(&mut rest, kind).unwrap_or_default();
            self.encode(&value, kind, &mut adopted.bytes);
        }
        adopted
    }

    /// Gives rows, in parts of at most [`ROWS_MAX`], at the position of what causes it.
    pub(super) fn emit<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a Kept>,
        position: Position,
        out: &mut Output,
    ) {
        let rows = rows.into_iter().map(|kept| (kept, Value::Absent));
        self.emit_with(rows, position, out);
    }

    /// Gives rows likewise, each with its value of the one column that is the operator's own.
    pub(super) fn emit_with<'a>(
        &self,
        rows: impl IntoIterator<Item = (&'a Kept, Value)>,
        position: Position,
        out: &mut Output,
    ) {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let part = rows.by_ref().take(ROWS_MAX);
            let part = part.map(|(kept, own)| (kept.identity, &*kept.bytes, own));
            self.emit_part(part, Positions::All(position), out);
        }
    }

    /// Gives rows likewise, at most [`ROWS_MAX`], from the identity of their object and what
    /// [`Keeper::append_row`] appended.
    pub(super) fn emit_encoded<'a>(
        &self,
        rows: impl Iterator<Item = ((u32, u64), &'a [u8])>,
        position: Position,
        out: &mut Output,
    ) {
        let rows = rows.map(|(identity, bytes)| (identity, bytes, Value::Absent));
        self.emit_part(rows, Positions::All(position), out);
    }

    /// Gives rows, each at the position of what causes it; these ascend.
    pub(super) fn emit_each(&self, rows: &[(Kept, Position)], out: &mut Output) {
        for chunk in rows.chunks(ROWS_MAX) {
            let positions = chunk.iter().map(|(_, position)| *position).collect();
            let rows = chunk
                .iter()
                .map(|(kept, _)| (kept.identity, &*kept.bytes, Value::Absent));
            self.emit_part(rows, Positions::Each(positions), out);
        }
    }

    fn emit_part<'a>(
        &self,
        rows: impl Iterator<Item = ((u32, u64), &'a [u8], Value)>,
        positions: Positions,
        out: &mut Output,
    ) {
        let Some(shape) = &self.shape else { return };
        let mut builders: Vec<ColumnBuilder> = iter::repeat_with(ColumnBuilder::default)
            .take(self.columns.len())
            .collect();
        let mut identities = Vec::new();
        for (identity, mut bytes, own) in rows {
            identities.push(identity);
            for (builder, (field, kind)) in builders.iter_mut().zip(&self.columns) {
                let value = self.decode(&mut bytes, *kind).unwrap_or_default();
                builder.push(if *field == OWN { own.clone() } else { value });
            }
        }
        let columns = builders.into_iter().map(ColumnBuilder::finish).collect();
        let data = PartData::from_columns(
            Arc::clone(shape),
            columns,
            identities.len(),
            positions,
            self.origin,
        );
        out.emit(data.with_identities(identities));
    }

    /// Writes a row.
    pub(super) fn save(&self, kept: &Kept, out: &mut Writer) {
        out.number(kept.identity.0.into());
        out.number(kept.identity.1);
        out.number(u64::from(!self.names.is_empty()));
        if self.names.is_empty() {
            return out.bytes(&kept.bytes);
        }
        // The numbers of names are this keeper's own.
        let mut rest = kept.bytes.as_slice();
        for (_, kind) in &self.columns {
            out.value(&self.decode(&mut rest, *kind).unwrap_or_default());
        }
    }

    /// Reads a row back.
    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<Kept, Error> {
        let origin = u32::try_from(from.number()?).map_err(|_| damaged())?;
        let identity = (origin, from.number()?);
        let bytes = if from.number()? == 0 {
            let bytes = from.bytes()?;
            self.check(bytes)?;
            bytes.to_vec()
        } else {
            let mut bytes = Vec::new();
            for at in 0..self.columns.len() {
                self.encode(&from.value()?, self.columns[at].1, &mut bytes);
            }
            bytes
        };
        Ok(Kept { identity, bytes })
    }

    /// Checks that these bytes are what is kept of a row.
    fn check(&self, mut bytes: &[u8]) -> Result<(), Error> {
        for (_, kind) in &self.columns {
            self.decode(&mut bytes, *kind).ok_or_else(damaged)?;
        }
        bytes.is_empty().then_some(()).ok_or_else(damaged)
    }
}

fn encode_plain(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Double(double) => {
            out.push(DOUBLE);
            return out.extend(double.to_bits().to_be_bytes());
        }
        Value::Bytes(_) => out.push(BYTES),
        _ => {}
    }
    key::encode(value, out);
}

fn begin_list(len: usize, out: &mut Vec<u8>) {
    out.push(LIST);
    out.extend((len as u32).to_be_bytes());
}

/// Lists in lists go no deeper: what does is no row of ours.
const DEPTH_MAX: usize = 50;

/// How many values follow, where a list begins; none where it is none.
fn list_length(bytes: &mut &[u8], depth: usize) -> Option<Option<u32>> {
    let (&LIST, rest) = bytes.split_first()? else {
        return Some(None);
    };
    let (len, rest) = rest.split_first_chunk::<4>()?;
    *bytes = rest;
    (depth < DEPTH_MAX).then(|| Some(u32::from_be_bytes(*len)))
}

fn decode_plain(bytes: &mut &[u8]) -> Option<Value> {
    match bytes.split_first()? {
        (&DOUBLE, rest) => {
            let (bits, rest) = rest.split_first_chunk::<8>()?;
            *bytes = rest;
            Some(Value::Double(f64::from_bits(u64::from_be_bytes(*bits))))
        }
        (&BYTES, rest) => {
            *bytes = rest;
            match key::decode(bytes)? {
                Value::Text(text) => Some(Value::Bytes(text)),
                _ => None,
            }
        }
        _ => key::decode(bytes),
    }
}

/// Keys forget names; the column's kind knows them.
fn with_names(value: Value, kind: Kind) -> Value {
    match (value, kind) {
        (Value::Integer(number), Kind::Named(names)) => u64::try_from(number)
            .map_or(Value::Integer(number), |number| Value::Named(number, names)),
        (value, _) => value,
    }
}

fn damaged() -> Error {
    Error::Snapshot("a kept row cannot be read".into())
}
