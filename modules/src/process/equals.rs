//! `equals`: passes objects with one of some values.

use super::blocks::{self, Blocks};
use super::stateless;
use hashbrown::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{Build, Context, Example, Module, OperatorSpec, View};
use wireq_typesys::{Bitmap, Column, Data, FieldPath, Kind, Literal, Prefix, Value, Zone, key};

pub(super) static MODULE: Module = Module {
    name: "equals",
    summary: "Passes objects whose field equals any of the constants.",
    details: "Constants are read as the kind of the field, as in `where FIELD = CONSTANT`: names of \
              numbers, addresses and blocks, times. What cannot be read as that kind equals nothing. \
              The time does not depend on their number. Of a list any value may be the one.",
    parameters: &[
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field.",
        },
        Parameter {
            name: "CONST",
            takes: Takes::Text,
            count: Count::Some,
            summary: "What it may equal.",
        },
    ],
    examples: &[
        Example {
            title: "packets to two ports",
            query: "equals dstport 53 80 | print dstport",
            input: "five.pcap",
            output: "80\n80\n53\n",
        },
        Example {
            title: "a protocol by its name",
            query: "equals ipprotocol udp icmp | print ipprotocol len",
            input: "five.pcap",
            output: "udp\t76\n",
        },
        Example {
            title: "an address and a block",
            query: "equals dstip 198.51.100.53 198.51.100.8/30 | print dstip",
            input: "five.pcap",
            output: "198.51.100.10\n198.51.100.53\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let needs: Vec<FieldPath> = arguments.fields().into_iter().take(1).collect();
    let literal = |word: &Word| Literal {
        text: word.text.clone(),
        quoted: word.quoted,
    };
    let literals: Arc<[Literal]> = arguments.words().iter().skip(1).map(literal).collect();
    Ok(OperatorSpec::stateless(needs, move |context| {
        let mut constants = Constants::new(&literals, context);
        stateless::filter(move |view| constants.select(view))
    }))
}

/// Up to so many numbers are compared one after the other, more are looked up.
const FEW: usize = 8;

/// The constants, with what they read as for each kind met so far.
struct Constants {
    literals: Arc<[Literal]>,
    tables: Vec<(Kind, Table)>,
    zone: Arc<Zone>,
    key: Vec<u8>,
}

/// The constants as read for a kind. The constants are the query's own, so hashes need no key.
#[derive(Default)]
struct Table {
    /// Values by their keys: equal values have equal keys, whatever their kinds.
    keys: HashSet<Box<[u8]>>,
    /// Those that text is read as a number for: constants that are numbers and stand without quotes.
    numbers: HashSet<Box<[u8]>>,
    /// Those that unsigned columns and columns of IPv4 addresses can hold.
    words: Vec<u64>,
    many_words: HashSet<u64>,
    blocks: Blocks,
}

impl Table {
    fn new(kind: Kind, literals: &[Literal], zone: &Zone) -> Table {
        let mut table = Table::default();
        let mut blocks: Vec<Prefix> = Vec::new();
        for literal in literals {
            let as_number = kind == Kind::Text && literal.is_number();
            let read = literal.read(if as_number { Kind::Double } else { kind }, zone);
            match read {
                None => {}
                Some(Value::Prefix(block)) if kind == Kind::Address => blocks.push(block),
                Some(value) => {
                    let mut bytes = Vec::new();
                    key::encode(&value, &mut bytes);
                    table.words.extend(word(&value));
                    if as_number {
                        table.numbers.insert(bytes.into());
                    } else {
                        table.keys.insert(bytes.into());
                    }
                }
            }
        }
        table.words.sort_unstable();
        table.words.dedup();
        if table.words.len() > FEW {
            table.many_words = table.words.iter().copied().collect();
        }
        table.blocks = Blocks::outermost(&blocks);
        table
    }

    /// The rows whose number is among the words.
    fn select_words<T: Copy + Into<u64>>(&self, values: &[T], rows: &Bitmap) -> Bitmap {
        if self.words.len() <= FEW {
            let test = |v: T| {
                self.words
                    .iter()
                    .fold(false, |any, w| any | (*w == v.into()))
            };
            return Bitmap::from_slice(values, test).and(rows);
        }
        let mut passing = Bitmap::EMPTY;
        rows.for_each(|row| {
            if self.many_words.contains(&values[row].into()) {
                passing.set(row);
            }
        });
        passing
    }

    fn holds(&self, value: &Value, zone: &Zone, key: &mut Vec<u8>) -> bool {
        key.clear();
        key::encode(value, key);
        if self.keys.contains(key.as_slice()) {
            return true;
        }
        match value {
            Value::Address(address) => self.blocks.contain((*address).into()),
            Value::Text(text) => self.number_holds(text, zone, key),
            _ => false,
        }
    }

    /// Whether text read as a number is among the numbers.
    fn number_holds(&self, text: &[u8], zone: &Zone, key: &mut Vec<u8>) -> bool {
        // What begins otherwise is no number, and need not be read.
        let may_be = matches!(text.first(), Some(b'0'..=b'9' | b'.' | b'+' | b'-'));
        if self.numbers.is_empty() || !may_be {
            return false;
        }
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| Literal::new(text).read(Kind::Double, zone));
        number.is_some_and(|number| {
            key.clear();
            key::encode(&number, key);
            self.numbers.contains(key.as_slice())
        })
    }
}

/// The number that a value of an unsigned or IPv4 column must have to equal this one.
fn word(value: &Value) -> Option<u64> {
    match value {
        Value::Address(IpAddr::V4(v4)) => Some(u32::from(*v4).into()),
        // Beyond 2^53 a double stands for itself only: 2^64 is the first that no column holds.
        Value::Double(d) if d.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(d) => {
            Some(*d as u64)
        }
        value => value.as_integer()?.try_into().ok(),
    }
}

impl Constants {
    fn new(literals: &Arc<[Literal]>, context: &Context) -> Constants {
        Constants {
            literals: Arc::clone(literals),
            tables: Vec::new(),
            zone: Arc::clone(&context.zone),
            key: Vec::new(),
        }
    }

    /// Where the table for a kind is; it is made when the kind is first met.
    fn table(&mut self, kind: Kind) -> usize {
        let known = self.tables.iter().position(|(known, _)| *known == kind);
        known.unwrap_or_else(|| {
            let table = Table::new(kind, &self.literals, &self.zone);
            self.tables.push((kind, table));
            self.tables.len() - 1
        })
    }

    fn select(&mut self, view: View<'_>) -> Bitmap {
        let Some(column) = view.column(0) else {
            return Bitmap::EMPTY;
        };
        let rows = view.part.selection.and(&column.valid);
        match column.kind() {
            Kind::Dynamic => self.select_values(column, &rows),
            kind => self.select_of_kind(column, kind, &rows),
        }
    }

    fn select_of_kind(&mut self, column: &Column, kind: Kind, rows: &Bitmap) -> Bitmap {
        let at = self.table(kind);
        let table = &self.tables[at].1;
        let mut passing = match &column.data {
            Data::U8(v) => table.select_words(v, rows),
            Data::U16(v) => table.select_words(v, rows),
            Data::U32(v) | Data::Address4(v) => table.select_words(v, rows),
            Data::U64(v) => table.select_words(v, rows),
            _ => select_keys(table, column, rows, &mut self.key),
        };
        if kind == Kind::Address && !table.blocks.is_empty() {
            blocks::each_address(column, &rows.minus(&passing), |row, address| {
                if table.blocks.contain(address) {
                    passing.set(row);
                }
            });
        }
        if let Data::Text(texts) = &column.data {
            rows.minus(&passing).for_each(|row| {
                if table.number_holds(texts.get(row), &self.zone, &mut self.key) {
                    passing.set(row);
                }
            });
        }
        passing
    }

    /// Values of which each has its own kind, and lists.
    fn select_values(&mut self, column: &Column, rows: &Bitmap) -> Bitmap {
        let mut passing = Bitmap::EMPTY;
        rows.for_each(|row| {
            let holds = match &column.data {
                Data::Dynamic(values) => self.holds(&values[row]),
                _ => self.holds(&column.value(row)),
            };
            if holds {
                passing.set(row);
            }
        });
        passing
    }

    fn holds(&mut self, value: &Value) -> bool {
        if let Value::List(values) = value {
            return values.iter().any(|value| self.holds(value));
        }
        let Some(kind) = value.kind() else {
            return false;
        };
        let at = self.table(kind);
        self.tables[at].1.holds(value, &self.zone, &mut self.key)
    }
}

fn select_keys(table: &Table, column: &Column, rows: &Bitmap, key: &mut Vec<u8>) -> Bitmap {
    let mut passing = Bitmap::EMPTY;
    rows.for_each(|row| {
        key.clear();
        key::encode_row(Some(column), row, key);
        if table.keys.contains(key.as_slice()) {
            passing.set(row);
        }
    });
    passing
}
