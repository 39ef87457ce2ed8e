//! The objects that moved a machine, latest first, as bytes.

use super::super::keep::Keeper;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Error, View};
use wireq_typesys::{Kind, Value};

/// How objects are kept: which columns of them, and how many.
pub(super) struct Links {
    keeper: Keeper,
    kinds: Vec<Kind>,
    depth: usize,
    buffer: Vec<u8>,
}

/// What is kept of the last objects that moved a machine.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    bytes: Box<[u8]>,
    /// How many objects moved the machine, as far as that is asked.
    len: u32,
}

impl Chain {
    /// About how many bytes it takes beyond itself.
    pub(super) fn memory(&self) -> usize {
        self.bytes.len() + 16
    }
}

impl Links {
    /// Keeps columns of the view, by their numbers and kinds, of the last `depth` objects.
    pub(super) fn new(columns: Vec<(usize, Kind)>, depth: usize) -> Links {
        Links {
            kinds: columns.iter().map(|(_, kind)| *kind).collect(),
            keeper: Keeper::of_columns(columns),
            depth,
            buffer: Vec::new(),
        }
    }

    /// How many values an object has in [`Links::values`]: whether it is there, then its columns.
    pub(super) fn width(&self) -> usize {
        self.kinds.len() + 1
    }

    /// The number of a value in [`Links::values`]: that of a column, by its number in the view, of the
    /// object that came so many moves ago; without a column, whether there is one.
    pub(super) fn number(
        kept: &[(usize, Kind)],
        depth: usize,
        column: Option<usize>,
    ) -> Option<usize> {
        let place = match column {
            None => 0,
            Some(column) => 1 + kept.iter().position(|(known, _)| *known == column)?,
        };
        Some((depth - 1) * (kept.len() + 1) + place)
    }

    /// The chain behind an object of the view.
    pub(super) fn link(&mut self, view: View<'_>, row: usize, before: Option<&Chain>) -> Chain {
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        if self.depth > 0 {
            self.keeper.append_row(view, row, &mut bytes);
        }
        let mut len = self.depth.min(1);
        if let Some(before) = before.filter(|_| self.depth > 1) {
            let kept = (before.len as usize).min(self.depth - 1);
            bytes.extend_from_slice(self.first(before, kept));
            len += kept;
        }
        let chain = Chain {
            bytes: bytes.as_slice().into(),
            len: len as u32,
        };
        self.buffer = bytes;
        chain
    }

    /// The bytes of the last `count` objects of a chain.
    fn first<'c>(&self, chain: &'c Chain, count: usize) -> &'c [u8] {
        let (mut rest, mut values) = (&*chain.bytes, Vec::new());
        if count == chain.len as usize {
            return rest;
        }
        for _ in 0..count {
            // What was kept can be read.
            if self.keeper.read_row(&mut rest, &mut values).is_none() {
                break;
            }
        }
        &chain.bytes[..chain.bytes.len() - rest.len()]
    }

    /// Appends the values of the objects of a chain: for each, whether it is there, then its columns.
    pub(super) fn values(&self, chain: &Chain, out: &mut Vec<Value>) {
        let (mut rest, end) = (&*chain.bytes, out.len() + self.depth * self.width());
        for _ in 0..chain.len {
            out.push(Value::Bool(true));
            if self.keeper.read_row(&mut rest, out).is_none() {
                break;
            }
        }
        out.resize(end, Value::Absent);
    }

    /// A chain that equal links made, as these make it.
    pub(super) fn adopt(&mut self, other: &Links, chain: &Chain) -> Chain {
        let mut values = Vec::new();
        other.values(chain, &mut values);
        self.chain_of(chain.len, &values)
    }

    fn chain_of(&mut self, len: u32, values: &[Value]) -> Chain {
        let mut bytes = Vec::new();
        for object in values.chunks(self.width()).take(len as usize) {
            self.keeper.append_values(&object[1..], &mut bytes);
        }
        Chain {
            bytes: bytes.into(),
            len,
        }
    }

    pub(super) fn save(&self, chain: &Chain, out: &mut Writer) {
        let mut values = Vec::new();
        self.values(chain, &mut values);
        out.number(chain.len.into());
        for object in values.chunks(self.width()).take(chain.len as usize) {
            object[1..].iter().for_each(|value| out.value(value));
        }
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<Chain, Error> {
        let len = from.number()?;
        if len > self.depth as u64 {
            return Err(Error::Snapshot(
                "a machine keeps more objects than it may".into(),
            ));
        }
        let mut values = Vec::new();
        for _ in 0..len {
            values.push(Value::Bool(true));
            for _ in &self.kinds {
                values.push(from.value()?);
            }
        }
        Ok(self.chain_of(len as u32, &values))
    }
}
