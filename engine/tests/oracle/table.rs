//! Tables, read at once.

use super::object::{Fields, Object};
use wireq_engine::arguments::Arguments;
use wireq_typesys::{FieldPath, Kind, Literal, RecordType, Value, Zone};

/// The records of the files that the arguments of `tabularinput` name.
pub fn read(arguments: &Arguments, record_type: &dyn RecordType, zone: &Zone) -> Vec<Object> {
    let grammar = Grammar {
        separator: arguments
            .value("-d")
            .map_or(b'\t', |word| word.text.as_bytes()[0]),
        quotes: arguments.flag("-q") || arguments.value("-d").is_some_and(|word| word.text == ","),
    };
    let header = arguments.flag("-H") || arguments.flag("--header");
    let named = arguments.words().iter().map(|word| {
        let (name, _) = word.text.split_once(':').unwrap_or((&word.text, ""));
        name.to_owned()
    });
    let named: Vec<String> = if header { Vec::new() } else { named.collect() };
    let mut objects = Vec::new();
    for file in arguments.values("-f") {
        // What can't be read has no records.
        let bytes = std::fs::read(&file.text).unwrap_or_default();
        let mut records = grammar.records(&bytes);
        let mut names = named.clone();
        if header {
            names = header_names(records.first());
            records = records.into_iter().skip(1).collect();
            records.retain(|record| !record.line.is_empty());
        }
        for record in records {
            objects.push(Object::Made(fields(&record, &names, record_type, zone)));
        }
    }
    objects
}

struct Grammar {
    separator: u8,
    quotes: bool,
}

/// One record: its text, and its cells.
struct Record {
    line: Vec<u8>,
    cells: Vec<Cell>,
}

#[derive(Default)]
struct Cell {
    text: Vec<u8>,
    quoted: bool,
}

impl Grammar {
    fn records(&self, bytes: &[u8]) -> Vec<Record> {
        let mut records = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (record, behind) = self.record(rest);
            records.push(record);
            rest = behind;
        }
        records
    }

    /// The first record, and what stands behind it.
    fn record<'b>(&self, bytes: &'b [u8]) -> (Record, &'b [u8]) {
        let mut cells = vec![Cell::default()];
        let (mut at, mut within) = (0, false);
        let mut at_begin = true;
        while at < bytes.len() {
            let cell = cells.last_mut().expect("there is a cell");
            match bytes[at] {
                b'"' if within && bytes.get(at + 1) == Some(&b'"') => {
                    cell.text.push(b'"');
                    at += 1;
                }
                b'"' if within => within = false,
                byte if within => cell.text.push(byte),
                b'"' if self.quotes && at_begin => {
                    cell.quoted = true;
                    within = true;
                }
                b'\n' => break,
                byte if byte == self.separator => {
                    cells.push(Cell::default());
                    at += 1;
                    at_begin = true;
                    continue;
                }
                byte => cell.text.push(byte),
            }
            at_begin = false;
            at += 1;
        }
        let mut line = bytes[..at].to_vec();
        let behind = &bytes[(at + 1).min(bytes.len())..];
        if at < bytes.len() && line.last() == Some(&b'\r') {
            line.pop();
            let last = cells.last_mut().expect("there is a cell");
            last.text.pop_if(|byte| *byte == b'\r');
        }
        (Record { line, cells }, behind)
    }
}

/// The names of columns by the header line; a name that was there before is none.
fn header_names(record: Option<&Record>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cell in record.iter().flat_map(|record| &record.cells) {
        let name = String::from_utf8_lossy(&cell.text).into_owned();
        let is_new = !names.contains(&name);
        names.push(if is_new { name } else { String::new() });
    }
    names
}

fn fields(record: &Record, names: &[String], record_type: &dyn RecordType, zone: &Zone) -> Fields {
    let mut fields = vec![(
        FieldPath::new("line"),
        Value::Text(record.line.clone().into()),
    )];
    for (at, cell) in record.cells.iter().enumerate() {
        let name = match names.get(at) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => (at + 1).to_string(),
        };
        let kind = record_type.resolve(&name).map(|(_, kind)| kind);
        let value = value(cell, kind.unwrap_or(Kind::Dynamic), zone);
        fields.push((FieldPath::new(&name), value));
    }
    fields
}

/// A cell as a value of a kind; absent where it is empty or cannot be read as that.
fn value(cell: &Cell, kind: Kind, zone: &Zone) -> Value {
    let raw = || Value::Text(cell.text.clone().into());
    let Ok(text) = std::str::from_utf8(&cell.text) else {
        return match kind {
            Kind::Bytes => Value::Bytes(cell.text.clone().into()),
            Kind::Text | Kind::Dynamic => raw(),
            _ => Value::Absent,
        };
    };
    if text.is_empty() {
        return match kind {
            Kind::Text | Kind::Dynamic if cell.quoted => raw(),
            Kind::Bytes if cell.quoted => Value::Bytes(cell.text.clone().into()),
            _ => Value::Absent,
        };
    }
    let read = Literal::new(text).read(kind, zone);
    match (kind, read) {
        (Kind::Bytes, _) => Value::Bytes(cell.text.clone().into()),
        (Kind::Text, _) => raw(),
        (Kind::Dynamic, _) if !is_written_as_number(text) => raw(),
        (Kind::Dynamic, _) => Literal::new(text).natural(),
        (Kind::Signed | Kind::Unsigned | Kind::Named(_), Some(Value::Double(_))) => Value::Absent,
        (Kind::Unsigned, Some(Value::Integer(integer))) if integer < 0 => Value::Absent,
        (Kind::Double, Some(Value::Integer(integer))) => Value::Double(integer as f64),
        (Kind::Address, Some(Value::Prefix(_))) => Value::Absent,
        (Kind::Named(names), Some(Value::Integer(integer))) => {
            u64::try_from(integer).map_or(Value::Absent, |number| Value::Named(number, names))
        }
        (_, read) => read.unwrap_or_default(),
    }
}

/// Whether text is a number as one writes it: digits without `+` or zeros at their begin.
fn is_written_as_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let zero = digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let is_number = matches!(
        Literal::new(text).natural(),
        Value::Integer(_) | Value::Double(_)
    );
    is_number
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && !zero
        && !digits.contains(['x', 'X'])
}
