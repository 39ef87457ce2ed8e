//! One value, on its own: what columns hold many of.

use crate::{Kind, Names, allocated};
use std::net::IpAddr;
use std::sync::Arc;

/// A hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// An address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The first address of the block.
    pub address: IpAddr,
    /// How many leading bits all addresses of the block share.
    pub bits: u8,
}

impl Prefix {
    /// The block of `bits` leading bits around an address; host bits are cleared. None where
    /// `bits` is more than the address has.
    pub fn new(address: IpAddr, bits: u8) -> Option<Prefix> {
        let address = match address {
            IpAddr::V4(v4) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
            _ => return None,
        };
        Some(Prefix { address, bits })
    }

    /// Whether an address is in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Prefix::new(address, self.bits).is_some_and(|p| p.address == self.address)
    }
}

/// One value of any kind.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// The object lacks the field.
    #[default]
    Absent,
    /// True or false.
    Bool(bool),
    /// An integer; wide enough for the sum of any column of 64-bit integers.
    Integer(i128),
    /// A number that has a name for some values.
    Named(u64, &'static Names),
    /// A floating-point number.
    Double(f64),
    /// Nanoseconds since 1970.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// An address block.
    Prefix(Prefix),
    /// A hardware address.
    Mac(Mac),
    /// Any bytes.
    Bytes(Arc<[u8]>),
    /// Bytes meant to be read; not necessarily valid UTF-8.
    Text(Arc<[u8]>),
    /// Several values.
    List(Arc<[Value]>),
    /// Another object.
    Object(Arc<Record>),
}

/// An object on its own: names and values. What is left of an object when it is kept.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The fields that were kept, with their paths.
    pub fields: Vec<(String, Value)>,
}

impl Value {
    /// Text from a string.
    pub fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().into())
    }

    /// Whether the object lacks the field.
    pub fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// The kind of the value; absence has none.
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Value::Absent => return None,
            Value::Bool(_) => Kind::Bool,
            Value::Integer(_) => Kind::Signed,
            Value::Named(_, names) => Kind::Named(names),
            Value::Double(_) => Kind::Double,
            Value::Time(_) => Kind::Time,
            Value::Duration(_) => Kind::Duration,
            Value::Address(_) => Kind::Address,
            Value::Prefix(_) => Kind::Prefix,
            Value::Mac(_) => Kind::Mac,
            Value::Bytes(_) => Kind::Bytes,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List(&Kind::Dynamic),
            Value::Object(_) => Kind::Object,
        })
    }

    /// The value with the names and the finer kind that its column has: keys and snapshots forget
    /// names and the difference of bytes and text.
    pub fn of_kind(self, kind: Kind) -> Value {
        match (self, kind) {
            (Value::Integer(number), Kind::Named(names)) => match u64::try_from(number) {
                Ok(number) => Value::Named(number, names),
                Err(_) => Value::Integer(number),
            },
            (Value::Text(bytes), Kind::Bytes) => Value::Bytes(bytes),
            (Value::List(values), Kind::List(kind @ (Kind::Named(_) | Kind::Bytes))) => {
                Value::List(
                    values
                        .iter()
                        .map(|value| value.clone().of_kind(*kind))
                        .collect(),
                )
            }
            (value, _) => value,
        }
    }

    /// About how many bytes the value takes beyond its own size.
    pub fn memory(&self) -> usize {
        // Two counts stand beside shared values.
        const COUNTS: usize = 16;
        match self {
            Value::Bytes(bytes) | Value::Text(bytes) => allocated(COUNTS + bytes.len()),
            Value::List(values) => {
                let beyond = values.iter().map(Value::memory).sum::<usize>();
                allocated(COUNTS + size_of_val(&**values)) + beyond
            }
            Value::Object(record) => {
                let fields = record.fields.iter();
                let beyond =
                    fields.map(|(name, value)| allocated(name.capacity()) + value.memory());
                let own = record.fields.capacity() * size_of::<(String, Value)>();
                allocated(COUNTS + size_of::<Record>()) + allocated(own) + beyond.sum::<usize>()
            }
            _ => 0,
        }
    }

    /// The bytes of bytes or text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) | Value::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The integer that this is, if it is one.
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Value::Integer(integer) => Some(*integer),
            Value::Named(number, _) => Some(i128::from(*number)),
            _ => None,
        }
    }
}
