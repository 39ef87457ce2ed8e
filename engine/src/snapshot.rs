//! Snapshots: the bytes of saved states.

use crate::Error;
use wireq_typesys::{Names, Record, Value, key};

/// What stands before a value and says how it is written.
const PLAIN: u8 = 0;
const BYTES: u8 = 1;
const DOUBLE: u8 = 2;
const LIST: u8 = 3;
const OBJECT: u8 = 4;
const NAMED: u8 = 5;

/// Values in values go no deeper: what does is no snapshot of ours.
const DEPTH_MAX: usize = 200;

/// Writes a state.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Tables of names met so far, where the state stays in the process.
    names: Option<Vec<&'static Names>>,
}

impl Writer {
    /// Writes states that stay in the process, and so refer to tables of names by number. Any other
    /// state has what a table is called.
    pub fn within() -> Writer {
        Writer {
            bytes: Vec::new(),
            names: Some(Vec::new()),
        }
    }

    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    /// Writes bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes bytes whose length the reader knows.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a state within a state, to be read by [`Reader::part`].
    pub fn part(&mut self, write: impl FnOnce(&mut Writer)) {
        let at = self.bytes.len();
        self.number(0);
        write(self);
        let len = (self.bytes.len() - at - 8) as u64;
        self.bytes[at..at + 8].copy_from_slice(&len.to_le_bytes());
    }

    /// Writes a value.
    pub fn value(&mut self, value: &Value) {
        self.part(|out| out.put(value));
    }

    /// Writes which table of names something belongs to.
    pub fn names(&mut self, names: Option<&'static Names>) {
        if self.names.is_some() {
            let at = names.map_or(0, |names| 1 + self.number_of(names));
            self.number(at as u64);
        } else {
            self.bytes(names.map_or("", |names| names.name).as_bytes());
        }
    }

    fn number_of(&mut self, names: &'static Names) -> usize {
        let all = self.names.get_or_insert_default();
        let known = all.iter().position(|known| *known == names);
        known.unwrap_or_else(|| {
            all.push(names);
            all.len() - 1
        })
    }

    fn put(&mut self, value: &Value) {
        match value {
            // A key forgets the difference of bytes and text, and of 2 and 2.0.
            Value::Double(double) => {
                self.bytes.push(DOUBLE);
                self.bytes.extend(double.to_bits().to_le_bytes());
            }
            Value::List(values) => {
                self.bytes.push(LIST);
                self.number(values.len() as u64);
                values.iter().for_each(|value| self.put(value));
            }
            Value::Object(record) => {
                self.bytes.push(OBJECT);
                self.number(record.fields.len() as u64);
                for (name, value) in &record.fields {
                    self.bytes(name.as_bytes());
                    self.put(value);
                }
            }
            Value::Named(_, names) => {
                self.bytes.push(NAMED);
                self.names(Some(names));
                key::encode(value, &mut self.bytes);
            }
            _ => {
                let is_bytes = matches!(value, Value::Bytes(_));
                self.bytes.push(if is_bytes { BYTES } else { PLAIN });
                key::encode(value, &mut self.bytes);
            }
        }
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes what another one wrote.
    pub fn append(&mut self, other: &Writer) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Forgets what was written, but not which names there are.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The tables of names met so far, where the state stays in the process.
    pub fn known_names(&self) -> &[&'static Names] {
        self.names.as_deref().unwrap_or_default()
    }
}

/// Reads a state.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a [&'static Names],
    /// Whether tables of names stand there by number.
    within: bool,
}

impl<'a> Reader<'a> {
    /// Reads what a [`Writer`] wrote, with the tables of names that it may refer to: see
    /// [`crate::plan::Plan::names`].
    pub fn new(bytes: &'a [u8], names: &'a [&'static Names]) -> Reader<'a> {
        Reader {
            bytes,
            names,
            within: false,
        }
    }

    /// Reads a state that stayed in the process, with the [`Writer::known_names`] that it refers to.
    pub fn within(bytes: &'a [u8], names: &'a [&'static Names]) -> Reader<'a> {
        Reader {
            bytes,
            names,
            within: true,
        }
    }

    /// Reads a state within a state.
    ///
    /// # Errors
    /// Where the snapshot ends early.
    pub fn part(&mut self) -> Result<Reader<'a>, Error> {
        Ok(Reader {
            bytes: self.bytes()?,
            ..*self
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (front, rest) = self
            .bytes
            .split_at_checked(len)
            .ok_or_else(|| Error::Snapshot("it ends early".into()))?;
        self.bytes = rest;
        Ok(front)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
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
        let mut inner = self.part()?;
        let value = inner.get(0)?;
        if inner.is_at_end() {
            Ok(value)
        } else {
            Err(no_value())
        }
    }

    /// Reads which table of names something belongs to.
    ///
    /// # Errors
    /// Where it is none of those known.
    pub fn names(&mut self) -> Result<Option<&'static Names>, Error> {
        if self.within {
            let at = usize::try_from(self.number()?).unwrap_or(usize::MAX);
            let Some(at) = at.checked_sub(1) else {
                return Ok(None);
            };
            let found = self.names.get(at).copied();
            return found.map(Some).ok_or_else(no_value);
        }
        let name = self.bytes()?;
        if name.is_empty() {
            return Ok(None);
        }
        let mut known = self.names.iter().copied();
        let found = known.find(|names| names.name.as_bytes() == name);
        found.map(Some).ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            Error::Snapshot(format!("the query knows no names called {name}"))
        })
    }

    fn get(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > DEPTH_MAX {
            return Err(no_value());
        }
        Ok(match self.byte()? {
            PLAIN => self.key()?,
            BYTES => match self.key()? {
                Value::Text(bytes) => Value::Bytes(bytes),
                _ => return Err(no_value()),
            },
            DOUBLE => Value::Double(f64::from_bits(self.number()?)),
            LIST => {
                let mut values = Vec::new();
                for _ in 0..self.number()? {
                    values.push(self.get(depth + 1)?);
                }
                Value::List(values.into())
            }
            OBJECT => {
                let mut fields = Vec::new();
                for _ in 0..self.number()? {
                    let name = String::from_utf8_lossy(self.bytes()?).into_owned();
                    fields.push((name, self.get(depth + 1)?));
                }
                Value::Object(Record { fields }.into())
            }
            NAMED => {
                let names = self.names()?;
                match (self.key()?, names) {
                    (Value::Integer(number), Some(names)) => {
                        let number = u64::try_from(number).map_err(|_| no_value())?;
                        Value::Named(number, names)
                    }
                    _ => return Err(no_value()),
                }
            }
            _ => return Err(no_value()),
        })
    }

    fn key(&mut self) -> Result<Value, Error> {
        key::decode(&mut self.bytes).ok_or_else(no_value)
    }

    /// Whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }
}

fn no_value() -> Error {
    Error::Snapshot("a value cannot be read".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    static COLORS: Names = Names {
        name: "colors",
        entries: &[(1, "red")],
    };
    static SHAPES: Names = Names {
        name: "shapes",
        entries: &[(1, "round")],
    };
    static KNOWN: [&Names; 2] = [&SHAPES, &COLORS];

    fn values() -> Vec<Value> {
        vec![
            Value::Absent,
            Value::Integer(-7),
            Value::Double(2.0),
            Value::Double(-0.0),
            Value::Double(1e300),
            Value::Bytes(b"a\0b".as_slice().into()),
            Value::text("a\0b"),
            Value::List([Value::Double(1.0), Value::Integer(1), Value::Absent].into()),
            Value::List([Value::List([].into()), Value::Bytes(b"".as_slice().into())].into()),
            Value::Object(
                Record {
                    fields: vec![("a.b".to_owned(), Value::Double(3.0))],
                }
                .into(),
            ),
        ]
    }

    #[test]
    fn values_come_back_as_they_were() {
        let mut out = Writer::default();
        values().iter().for_each(|value| out.value(value));
        let bytes = out.into_bytes();
        let mut reader = Reader::new(&bytes, &[]);
        for value in values() {
            let back = reader.value().unwrap();
            assert_eq!(format!("{back:?}"), format!("{value:?}"));
        }
        assert!(reader.is_at_end());
    }

    fn check_names(writer: Writer, read: impl Fn(&Writer) -> Reader<'_>) {
        let named = Value::List([Value::Named(1, &COLORS), Value::Integer(1)].into());
        let mut out = writer;
        out.value(&named);
        out.names(None);
        out.names(Some(&COLORS));
        let mut reader = read(&out);
        let back = reader.value().unwrap();
        assert_eq!(format!("{back:?}"), format!("{named:?}"));
        assert_eq!(reader.names().unwrap(), None);
        assert_eq!(reader.names().unwrap(), Some(&COLORS));
        assert!(reader.is_at_end());
    }

    #[test]
    fn names_come_back() {
        check_names(Writer::default(), |out| Reader::new(out.as_bytes(), &KNOWN));
        check_names(Writer::within(), |out| {
            Reader::within(out.as_bytes(), out.known_names())
        });
    }

    #[test]
    fn names_that_the_query_does_not_know_are_refused() {
        let mut out = Writer::default();
        out.value(&Value::Named(1, &COLORS));
        let message = Reader::new(out.as_bytes(), &[&SHAPES]).value();
        let message = message.unwrap_err().to_string();
        assert!(message.contains("no names called colors"), "{message}");
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let deep: Vec<u8> = [LIST, 1, 0, 0, 0, 0, 0, 0, 0].repeat(100_000);
        for bytes in [
            &[][..],
            &[9],
            &[LIST, 1],
            &[DOUBLE, 1],
            &[PLAIN, 255],
            &deep,
        ] {
            let mut out = Writer::default();
            out.bytes(bytes);
            let bytes = out.into_bytes();
            assert!(Reader::new(&bytes, &[]).value().is_err());
        }
        let mut longer = Writer::default();
        longer.bytes(&[PLAIN, 0, 0]);
        assert!(Reader::new(&longer.into_bytes(), &[]).value().is_err());
    }
}
