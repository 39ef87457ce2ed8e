//! One field of many objects: a typed vector with validity.
//!
//! The layouts of the vectors are those that Arrow uses (fixed-width values next to each other, a
//! validity bit a row), so that batches can leave the process without a copy.

use crate::{Bitmap, Kind, Mac, Names, Part, Prefix, ROWS_MAX, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Bytes that were read once and that rows and columns refer to.
#[derive(Debug, Default)]
pub struct Block(pub Vec<u8>);

/// An address of either family in a fixed width: what a column of mixed addresses holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Whether it is an IPv6 address; first, so that IPv4 sorts before IPv6.
    pub v6: bool,
    /// The 128 bits, or the 32 of an IPv4 address.
    pub bits: u128,
}

impl Address {
    /// An IPv4 address, in host byte order.
    #[inline]
    pub fn v4(bits: u32) -> Address {
        Address {
            v6: false,
            bits: bits.into(),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> IpAddr {
        if address.v6 {
            IpAddr::V6(Ipv6Addr::from(address.bits))
        } else {
            IpAddr::V4(Ipv4Addr::from(address.bits as u32))
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(v4) => Address::v4(v4.into()),
            IpAddr::V6(v6) => Address {
                v6: true,
                bits: v6.into(),
            },
        }
    }
}

/// Runs of bytes: slices of the blocks that the rows stand in, without a copy.
#[derive(Clone, Debug, Default)]
pub struct Slices {
    /// The blocks referred to.
    pub blocks: Vec<Arc<Block>>,
    /// Per row: number of the block, first byte, length.
    pub rows: Vec<(u32, u32, u32)>,
}

impl Slices {
    /// The bytes of a row; empty where the reference is not within its block.
    #[inline]
    pub fn get(&self, row: usize) -> &[u8] {
        let Some((block, start, len)) = self.rows.get(row) else {
            return &[];
        };
        let range = *start as usize..*start as usize + *len as usize;
        self.blocks
            .get(*block as usize)
            .and_then(|block| block.0.get(range))
            .unwrap_or(&[])
    }
}

/// Objects by reference: parts, and per row which part and which row of it.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// The parts referred to.
    pub parts: Vec<Part>,
    /// Per row: number of the part, row in it.
    pub rows: Vec<(u32, u32)>,
}

/// The values of a column, by physical type.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named after what they hold")]
pub enum Data {
    Bool(Vec<bool>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    I128(Vec<i128>),
    Double(Vec<f64>),
    Time(Vec<i64>),
    Duration(Vec<i64>),
    /// Addresses that are all IPv4, in host byte order.
    Address4(Vec<u32>),
    Address(Vec<Address>),
    Prefix(Vec<Prefix>),
    Mac(Vec<Mac>),
    Bytes(Slices),
    Text(Slices),
    /// Per row a range of the values of another column.
    List(Vec<(u32, u32)>, Box<Data>),
    Object(Objects),
    Dynamic(Vec<Value>),
}

/// One field of the rows of a part. Rows outside the selection it was filled for hold nothing
/// that means anything.
#[derive(Clone, Debug)]
pub struct Column {
    /// The values; as many as the part has rows.
    pub data: Data,
    /// The rows that have a value.
    pub valid: Bitmap,
    /// The names of the numbers, where they have names.
    pub names: Option<&'static Names>,
}

impl Default for Column {
    fn default() -> Self {
        Column {
            data: Data::U8(Vec::new()),
            valid: Bitmap::EMPTY,
            names: None,
        }
    }
}

macro_rules! refill {
    ($($name:ident, $variant:ident, $type:ty;)*) => { $(
        /// Makes this a column of `len` zero values of this type that are all absent, and gives
        /// access to values and validity; buffers of an earlier use are kept.
        pub fn $name(&mut self, len: usize) -> (&mut [$type], &mut Bitmap) {
            if !matches!(self.data, Data::$variant(_)) {
                self.data = Data::$variant(Vec::with_capacity(len));
            }
            self.valid = Bitmap::EMPTY;
            self.names = None;
            let Data::$variant(values) = &mut self.data else { unreachable!("set above") };
            values.resize(len, Default::default());
            (values, &mut self.valid)
        }
    )* };
}

impl Column {
    refill! {
        refill_bool, Bool, bool;
        refill_u8, U8, u8;
        refill_u16, U16, u16;
        refill_u32, U32, u32;
        refill_u64, U64, u64;
        refill_i64, I64, i64;
        refill_i128, I128, i128;
        refill_double, Double, f64;
        refill_time, Time, i64;
        refill_duration, Duration, i64;
        refill_address4, Address4, u32;
        refill_address, Address, Address;
        refill_mac, Mac, Mac;
        refill_dynamic, Dynamic, Value;
    }

    /// Makes this a column of `len` empty runs of bytes of a block.
    pub fn refill_slices(
        &mut self,
        len: usize,
        block: &Arc<Block>,
        kind: Kind,
    ) -> (&mut [(u32, u32, u32)], &mut Bitmap) {
        self.refill_slices_of(len, [block], kind)
    }

    /// Makes this a column of `len` empty runs of bytes of several blocks.
    pub fn refill_slices_of<'a>(
        &mut self,
        len: usize,
        blocks: impl IntoIterator<Item = &'a Arc<Block>>,
        kind: Kind,
    ) -> (&mut [(u32, u32, u32)], &mut Bitmap) {
        let mut slices = match std::mem::replace(&mut self.data, Data::U8(Vec::new())) {
            Data::Bytes(slices) | Data::Text(slices) => slices,
            _ => Slices::default(),
        };
        slices.blocks.clear();
        slices.blocks.extend(blocks.into_iter().cloned());
        slices.rows.clear();
        slices.rows.resize(len, (0, 0, 0));
        self.valid = Bitmap::EMPTY;
        self.names = None;
        self.data = if kind == Kind::Text {
            Data::Text(slices)
        } else {
            Data::Bytes(slices)
        };
        match &mut self.data {
            Data::Bytes(slices) | Data::Text(slices) => (&mut slices.rows, &mut self.valid),
            _ => unreachable!("set above"),
        }
    }

    /// Lets go of what the column shares with others, so that it can be used again; keeps buffers.
    pub fn release(&mut self) {
        self.data.release();
    }

    /// A column of the given values, all of one kind where possible.
    pub fn from_values(values: impl IntoIterator<Item = Value>) -> Column {
        let mut builder = ColumnBuilder::default();
        values.into_iter().for_each(|value| builder.push(value));
        builder.finish()
    }

    /// The kind that all values have: what a constant beside them is read as. Dynamic where each
    /// has its own.
    pub fn kind(&self) -> Kind {
        match (&self.data, self.names) {
            (Data::List(..) | Data::Object(_) | Data::Dynamic(_), _) => Kind::Dynamic,
            (_, Some(names)) => Kind::Named(names),
            (Data::Bool(_), _) => Kind::Bool,
            (Data::U8(_) | Data::U16(_) | Data::U32(_) | Data::U64(_), _) => Kind::Unsigned,
            (Data::I64(_) | Data::I128(_), _) => Kind::Signed,
            (Data::Double(_), _) => Kind::Double,
            (Data::Time(_), _) => Kind::Time,
            (Data::Duration(_), _) => Kind::Duration,
            (Data::Address4(_) | Data::Address(_), _) => Kind::Address,
            (Data::Prefix(_), _) => Kind::Prefix,
            (Data::Mac(_), _) => Kind::Mac,
            (Data::Bytes(_), _) => Kind::Bytes,
            (Data::Text(_), _) => Kind::Text,
        }
    }

    /// The value of a row, on its own.
    pub fn value(&self, row: usize) -> Value {
        if !self.valid.get(row) {
            return Value::Absent;
        }
        match (&self.data, self.names) {
            (Data::U8(v), Some(names)) => Value::Named(v[row].into(), names),
            (Data::U16(v), Some(names)) => Value::Named(v[row].into(), names),
            (Data::U32(v), Some(names)) => Value::Named(v[row].into(), names),
            (Data::U64(v), Some(names)) => Value::Named(v[row], names),
            (Data::List(..), Some(names)) => data_named(&self.data, row, names),
            (data, _) => data.value(row),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A list of numbers that have names.
fn data_named(data: &Data, row: usize, names: &'static Names) -> Value {
    match data.value(row) {
        Value::List(values) => {
            let values = values.iter().cloned();
            Value::List(values.map(|v| v.of_kind(Kind::Named(names))).collect())
        }
        value => value,
    }
}

impl Data {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Data::Bool(v) => v.len(),
            Data::U8(v) => v.len(),
            Data::U16(v) => v.len(),
            Data::U32(v) | Data::Address4(v) => v.len(),
            Data::U64(v) => v.len(),
            Data::I64(v) | Data::Time(v) | Data::Duration(v) => v.len(),
            Data::I128(v) => v.len(),
            Data::Double(v) => v.len(),
            Data::Address(v) => v.len(),
            Data::Prefix(v) => v.len(),
            Data::Mac(v) => v.len(),
            Data::Bytes(v) | Data::Text(v) => v.rows.len(),
            Data::List(v, _) => v.len(),
            Data::Object(v) => v.rows.len(),
            Data::Dynamic(v) => v.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn release(&mut self) {
        match self {
            Data::Bytes(slices) | Data::Text(slices) => slices.blocks.clear(),
            Data::Object(objects) => objects.parts.clear(),
            Data::Dynamic(values) => values.clear(),
            Data::List(_, data) => data.release(),
            _ => {}
        }
    }

    /// About how many bytes the values take.
    pub fn memory(&self) -> usize {
        let width = match self {
            Data::Bool(_) | Data::U8(_) => 1,
            Data::U16(_) => 2,
            Data::U32(_) | Data::Address4(_) => 4,
            Data::U64(_) | Data::I64(_) | Data::Time(_) | Data::Duration(_) | Data::Double(_) => 8,
            Data::I128(_) => 16,
            Data::Address(_) => size_of::<Address>(),
            Data::Prefix(_) => size_of::<Prefix>(),
            Data::Mac(_) => size_of::<Mac>(),
            Data::Bytes(_) | Data::Text(_) => 12,
            Data::List(..) | Data::Object(_) => 8,
            Data::Dynamic(_) => size_of::<Value>(),
        };
        let beyond: usize = match self {
            Data::Bytes(v) | Data::Text(v) => v.blocks.iter().map(|block| block.0.len()).sum(),
            Data::List(_, data) => data.memory(),
            Data::Object(v) => v.parts.iter().map(|part| part.data.memory()).sum(),
            Data::Dynamic(v) => v.iter().map(Value::memory).sum(),
            _ => 0,
        };
        self.len() * width + beyond
    }

    /// The value at a place, without a name.
    ///
    /// # Panics
    /// Where there is no such place.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Data::Bool(v) => Value::Bool(v[row]),
            Data::U8(v) => Value::Integer(v[row].into()),
            Data::U16(v) => Value::Integer(v[row].into()),
            Data::U32(v) => Value::Integer(v[row].into()),
            Data::U64(v) => Value::Integer(v[row].into()),
            Data::I64(v) => Value::Integer(v[row].into()),
            Data::I128(v) => Value::Integer(v[row]),
            Data::Double(v) => Value::Double(v[row]),
            Data::Time(v) => Value::Time(v[row]),
            Data::Duration(v) => Value::Duration(v[row]),
            Data::Address4(v) => Value::Address(IpAddr::V4(v[row].into())),
            Data::Address(v) => Value::Address(v[row].into()),
            Data::Prefix(v) => Value::Prefix(v[row]),
            Data::Mac(v) => Value::Mac(v[row]),
            Data::Bytes(v) => Value::Bytes(v.get(row).into()),
            Data::Text(v) => Value::Text(v.get(row).into()),
            Data::List(v, data) => {
                let (start, end) = v[row];
                Value::List(
                    (start as usize..end as usize)
                        .map(|row| data.value(row))
                        .collect(),
                )
            }
            Data::Object(v) => {
                let (part, row) = v.rows[row];
                v.parts.get(part as usize).map_or(Value::Absent, |part| {
                    Value::Object(part.record(row as usize).into())
                })
            }
            Data::Dynamic(v) => v[row].clone(),
        }
    }
}

/// Builds a column value by value. The physical type is that of the first value; a value that
/// does not fit makes the column dynamic.
#[derive(Debug, Default)]
pub struct ColumnBuilder {
    data: Option<Data>,
    names: Option<&'static Names>,
    valid: Bitmap,
    len: usize,
    bytes: Vec<u8>,
}

impl ColumnBuilder {
    /// Adds the value of the next row. A column ends at [`ROWS_MAX`] rows.
    pub fn push(&mut self, value: Value) {
        assert!(self.len < ROWS_MAX, "a part has at most ROWS_MAX rows");
        if value.is_absent() {
            if let Some(data) = &mut self.data {
                data.push_default();
            }
        } else {
            let data = match &mut self.data {
                Some(data) => data,
                empty => {
                    self.names = if let Value::Named(_, names) = &value {
                        Some(names)
                    } else {
                        None
                    };
                    empty.insert(Data::for_value(&value, self.len))
                }
            };
            let same_names = match &value {
                Value::Named(_, names) => self.names == Some(*names),
                _ => self.names.is_none(),
            };
            if !same_names || !data.push(&value, &mut self.bytes) {
                self.make_dynamic();
                let Some(Data::Dynamic(values)) = &mut self.data else {
                    unreachable!("just made")
                };
                values.push(value);
            }
            self.valid.set(self.len);
        }
        self.len += 1;
    }

    /// The rows pushed so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The column.
    pub fn finish(mut self) -> Column {
        self.seal_bytes();
        let data = self.data.unwrap_or_else(|| Data::U8(vec![0; self.len]));
        Column {
            data,
            valid: self.valid,
            names: self.names,
        }
    }

    /// Bytes are gathered in one buffer, which becomes the block that the rows refer to.
    fn seal_bytes(&mut self) {
        if let Some(Data::Bytes(slices) | Data::Text(slices)) = &mut self.data {
            slices.blocks = vec![Arc::new(Block(std::mem::take(&mut self.bytes)))];
        }
    }

    fn make_dynamic(&mut self) {
        self.seal_bytes();
        let valid = self.valid;
        let data = self.data.take().unwrap_or(Data::U8(vec![0; self.len]));
        let old = Column {
            data,
            valid,
            names: self.names.take(),
        };
        self.data = Some(Data::Dynamic(
            (0..self.len).map(|row| old.value(row)).collect(),
        ));
    }
}

impl Data {
    fn for_value(value: &Value, rows: usize) -> Data {
        let mut data = match value {
            Value::Bool(_) => Data::Bool(Vec::new()),
            Value::Integer(_) => Data::I128(Vec::new()),
            Value::Named(..) => Data::U64(Vec::new()),
            Value::Double(_) => Data::Double(Vec::new()),
            Value::Time(_) => Data::Time(Vec::new()),
            Value::Duration(_) => Data::Duration(Vec::new()),
            Value::Address(_) => Data::Address(Vec::new()),
            Value::Prefix(_) => Data::Prefix(Vec::new()),
            Value::Mac(_) => Data::Mac(Vec::new()),
            Value::Bytes(_) => Data::Bytes(Slices::default()),
            Value::Text(_) => Data::Text(Slices::default()),
            Value::Absent | Value::List(_) | Value::Object(_) => Data::Dynamic(Vec::new()),
        };
        (0..rows).for_each(|_| data.push_default());
        data
    }

    fn push(&mut self, value: &Value, bytes: &mut Vec<u8>) -> bool {
        match (self, value) {
            (Data::Bool(v), Value::Bool(b)) => v.push(*b),
            (Data::I128(v), Value::Integer(i)) => v.push(*i),
            (Data::U64(v), Value::Named(n, _)) => v.push(*n),
            (Data::Double(v), Value::Double(d)) => v.push(*d),
            (Data::Time(v), Value::Time(t)) => v.push(*t),
            (Data::Duration(v), Value::Duration(d)) => v.push(*d),
            (Data::Address(v), Value::Address(a)) => v.push((*a).into()),
            (Data::Prefix(v), Value::Prefix(p)) => v.push(*p),
            (Data::Mac(v), Value::Mac(m)) => v.push(*m),
            (Data::Bytes(v), Value::Bytes(b)) | (Data::Text(v), Value::Text(b)) => {
                v.rows.push((0, bytes.len() as u32, b.len() as u32));
                bytes.extend_from_slice(b);
            }
            (Data::Dynamic(v), value) => v.push(value.clone()),
            _ => return false,
        }
        true
    }

    fn push_default(&mut self) {
        match self {
            Data::Bool(v) => v.push(false),
            Data::U8(v) => v.push(0),
            Data::U16(v) => v.push(0),
            Data::U32(v) | Data::Address4(v) => v.push(0),
            Data::U64(v) => v.push(0),
            Data::I64(v) | Data::Time(v) | Data::Duration(v) => v.push(0),
            Data::I128(v) => v.push(0),
            Data::Double(v) => v.push(0.0),
            Data::Address(v) => v.push(Address::default()),
            Data::Prefix(v) => v.push(Prefix {
                address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                bits: 0,
            }),
            Data::Mac(v) => v.push(Mac::default()),
            Data::Bytes(v) | Data::Text(v) => v.rows.push((0, 0, 0)),
            Data::List(v, _) => v.push((0, 0)),
            Data::Object(v) => v.rows.push((0, 0)),
            Data::Dynamic(v) => v.push(Value::Absent),
        }
    }
}

impl Column {
    /// The values of some rows, one after the other, as a column of their own. Bytes stay where they are.
    pub fn gather(&self, rows: &Bitmap) -> Column {
        let rows: Vec<u16> = rows.iter().map(|row| row as u16).collect();
        self.take(&rows)
    }

    /// The values of rows in this order, of some more than once; at most [`crate::ROWS_MAX`] of them. Bytes
    /// stay where they are.
    pub fn take(&self, rows: &[u16]) -> Column {
        if self.valid.is_empty() {
            // It may have no data either.
            return Column {
                data: Data::U8(vec![0; rows.len()]),
                ..Column::default()
            };
        }
        let row = |at: usize| usize::from(rows[at]);
        Column {
            data: self.data.gather(rows),
            valid: Bitmap::from_fn(rows.len(), |at| self.valid.get(row(at))),
            names: self.names,
        }
    }
}

impl Data {
    fn gather(&self, rows: &[u16]) -> Data {
        fn pick<T: Clone>(values: &[T], rows: &[u16]) -> Vec<T> {
            let values = rows.iter().map(|row| &values[usize::from(*row)]);
            values.cloned().collect()
        }
        let slices = |v: &Slices| Slices {
            blocks: v.blocks.clone(),
            rows: pick(&v.rows, rows),
        };
        match self {
            Data::Bool(v) => Data::Bool(pick(v, rows)),
            Data::U8(v) => Data::U8(pick(v, rows)),
            Data::U16(v) => Data::U16(pick(v, rows)),
            Data::U32(v) => Data::U32(pick(v, rows)),
            Data::U64(v) => Data::U64(pick(v, rows)),
            Data::I64(v) => Data::I64(pick(v, rows)),
            Data::I128(v) => Data::I128(pick(v, rows)),
            Data::Double(v) => Data::Double(pick(v, rows)),
            Data::Time(v) => Data::Time(pick(v, rows)),
            Data::Duration(v) => Data::Duration(pick(v, rows)),
            Data::Address4(v) => Data::Address4(pick(v, rows)),
            Data::Address(v) => Data::Address(pick(v, rows)),
            Data::Prefix(v) => Data::Prefix(pick(v, rows)),
            Data::Mac(v) => Data::Mac(pick(v, rows)),
            Data::Bytes(v) => Data::Bytes(slices(v)),
            Data::Text(v) => Data::Text(slices(v)),
            Data::List(v, data) => Data::List(pick(v, rows), data.clone()),
            Data::Object(v) => Data::Object(Objects {
                parts: v.parts.clone(),
                rows: pick(&v.rows, rows),
            }),
            Data::Dynamic(v) => Data::Dynamic(pick(v, rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total_order;
    use std::cmp::Ordering;

    fn back(values: &[Value]) {
        let column = Column::from_values(values.iter().cloned());
        assert_eq!(column.len(), values.len());
        for (row, value) in values.iter().enumerate() {
            assert_eq!(
                total_order(&column.value(row), value),
                Ordering::Equal,
                "row {row} of {values:?}"
            );
        }
    }

    #[test]
    fn gives_back_what_was_pushed() {
        let v4: IpAddr = "10.0.0.1".parse().unwrap();
        let v6: IpAddr = "fd00::1".parse().unwrap();
        back(&[]);
        back(&[Value::Absent, Value::Absent]);
        back(&[
            Value::Absent,
            Value::Address(v4),
            Value::Address(v6),
            Value::Absent,
        ]);
        back(&[Value::text("a"), Value::Absent, Value::text("bc")]);
        back(&[
            Value::text("a"),
            Value::Integer(7),
            Value::Bytes(b"x".as_slice().into()),
            Value::Absent,
        ]);
        back(&[
            Value::Bool(true),
            Value::Double(0.5),
            Value::Time(3),
            Value::Duration(-3),
        ]);
        back(&[
            Value::Mac(Mac([1; 6])),
            Value::Prefix(Prefix::new(v4, 8).unwrap()),
        ]);
        back(&[
            Value::List(vec![Value::Integer(1), Value::text("x")].into()),
            Value::Absent,
        ]);
    }
}
