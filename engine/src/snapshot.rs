//! Snapshots: the bytes of saved states.

use crate::Error;
use wireq_typesys::{Value, key};

/// What stands before a value whose key does not tell all.
const BYTES: u8 = 1;
const DOUBLE: u8 = 2;

/// Writes a state.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    /// Writes bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a value. The names of a number are the column's to know, and are not written.
    pub fn value(&mut self, value: &Value) {
        // A key forgets the difference of bytes and text, and of 2 and 2.0.
        let mut bytes = vec![match value {
            Value::Bytes(_) => BYTES,
            Value::Double(_) => DOUBLE,
            _ => 0,
        }];
        key::encode(value, &mut bytes);
        self.bytes(&bytes);
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a state.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads what a [`Writer`] wrote.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (front, rest) = self
            .bytes
            .split_at_checked(len)
            .ok_or_else(|| Error::Snapshot("it ends early".into()))?;
        self.bytes = rest;
        Ok(front)
    }

    /// Reads a number.
    ///
    /// # Errors
    /// Where the snapshot ends early.
    pub fn number(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(
            self.take(8)?.try_into().expect("eight bytes were taken"),
        ))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// Where the snapshot ends early.
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.number()?)
            .map_err(|_| Error::Snapshot("a length is too large".into()))?;
        self.take(len)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// Where there is none.
    pub fn value(&mut self) -> Result<Value, Error> {
        let bytes = self.bytes()?;
        let value = bytes
            .split_first()
            .and_then(|(tag, mut rest)| Some((*tag, key::decode(&mut rest)?)));
        match value {
            Some((BYTES, Value::Text(bytes))) => Ok(Value::Bytes(bytes)),
            Some((DOUBLE, Value::Integer(whole))) => Ok(Value::Double(whole as f64)),
            Some((_, value)) => Ok(value),
            None => Err(Error::Snapshot("a value cannot be read".into())),
        }
    }

    /// Whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }
}
