//! Cells -> columns.
//!
//! A cell of a typed column that cannot be read as its kind is absent and counted. Cells of other
//! columns are numbers where they are written as such, else text; how a column is laid out follows
//! from the cells at hand and shows nowhere, since values are compared by what they are.

use super::number::{Number, number};
use super::records::{Cells, Records};
use std::net::{IpAddr, Ipv4Addr};
use std::str::from_utf8;
use wireq_typesys::{
    Address, Bitmap, Column, ColumnBuilder, Data, Kind, Literal, Value, Zone, parse_time,
};

/// Fills a column with the cells of a field for the selected records.
pub(super) fn fill(
    records: &Records,
    field: usize,
    kind: Kind,
    selection: &Bitmap,
    column: &mut Column,
) {
    let Some(cells) = records.column(field) else {
        return;
    };
    let unreadable = match kind {
        Kind::Dynamic => {
            natural(cells, selection, column);
            0
        }
        Kind::Bytes | Kind::Text => {
            slices(cells, selection, kind, column);
            0
        }
        kind => typed(cells, selection, kind, column),
    };
    if unreadable > 0 {
        cells.count_unreadable(unreadable);
    }
}

/// Fills a typed column; gives how many cells could not be read.
fn typed(cells: Cells<'_>, selection: &Bitmap, kind: Kind, column: &mut Column) -> u64 {
    let len = cells.len();
    let mut reader = Reader::new(kind, &cells.records.zone);
    match kind {
        Kind::Unsigned => each(cells, selection, column.refill_u64(len), |text| {
            text.parse().ok().or_else(|| match reader.read(text)? {
                Value::Integer(integer) => integer.try_into().ok(),
                _ => None,
            })
        }),
        Kind::Signed => each(cells, selection, column.refill_i128(len), |text| {
            text.parse()
                .ok()
                .or_else(|| reader.read(text)?.as_integer())
        }),
        Kind::Double => each(
            cells,
            selection,
            column.refill_double(len),
            |text| match reader.read(text)? {
                Value::Integer(integer) => Some(integer as f64),
                Value::Double(double) => Some(double),
                _ => None,
            },
        ),
        Kind::Time => each(cells, selection, column.refill_time(len), |text| {
            parse_time(text, &cells.records.zone)
        }),
        Kind::Address => addresses(cells, selection, column),
        _ => values(cells, selection, &mut reader, column),
    }
}

/// Reads text as a kind that has constants in queries.
struct Reader<'a> {
    /// Keeps its buffer from cell to cell.
    literal: Literal,
    kind: Kind,
    zone: &'a Zone,
}

impl Reader<'_> {
    fn new(kind: Kind, zone: &Zone) -> Reader<'_> {
        Reader {
            literal: Literal::new(""),
            kind,
            zone,
        }
    }

    fn read(&mut self, text: &str) -> Option<Value> {
        self.literal.text.clear();
        self.literal.text.push_str(text);
        self.literal.read(self.kind, self.zone)
    }
}

/// Fills a column of a fixed width with what `read` makes of the text of each selected cell; gives
/// how many it made nothing of. White space is nothing.
#[inline(always)]
fn each<T>(
    cells: Cells<'_>,
    selection: &Bitmap,
    (values, valid): (&mut [T], &mut Bitmap),
    mut read: impl FnMut(&str) -> Option<T>,
) -> u64 {
    let mut unreadable = 0;
    selection.for_each(|row| {
        let cell = cells.get(row).map_or(&[] as &[u8], <[u8]>::trim_ascii);
        if cell.is_empty() {
            return;
        }
        match from_utf8(cell).ok().and_then(&mut read) {
            Some(value) => {
                values[row] = value;
                valid.set(row);
            }
            None => unreadable += 1,
        }
    });
    unreadable
}

/// Addresses: four bytes wide where all are IPv4.
fn addresses(cells: Cells<'_>, selection: &Bitmap, column: &mut Column) -> u64 {
    let len = cells.len();
    let mut other = 0;
    each(cells, selection, column.refill_address4(len), |text| {
        let v4 = text.parse().map(|v4: Ipv4Addr| u32::from(v4)).ok();
        other += u64::from(v4.is_none());
        v4
    });
    if other == 0 {
        return 0;
    }
    each(cells, selection, column.refill_address(len), |text| {
        text.parse().map(|ip: IpAddr| Address::from(ip)).ok()
    })
}

/// Kinds that are read by value.
fn values(
    cells: Cells<'_>,
    selection: &Bitmap,
    reader: &mut Reader<'_>,
    column: &mut Column,
) -> u64 {
    let mut builder = ColumnBuilder::default();
    let mut unreadable = 0;
    for row in 0..cells.len() {
        let cell = cells.get(row).filter(|_| selection.get(row));
        let cell = cell.map_or(&[] as &[u8], <[u8]>::trim_ascii);
        let text = from_utf8(cell).ok();
        let value = text.and_then(|text| named(reader.read(text)?, reader.kind));
        unreadable += u64::from(value.is_none() && !cell.is_empty());
        builder.push(value.unwrap_or_default());
    }
    *column = builder.finish();
    unreadable
}

/// A number of a kind that has names for numbers has the kind's names.
fn named(value: Value, kind: Kind) -> Option<Value> {
    match (value, kind) {
        (Value::Integer(number), Kind::Named(names)) => {
            Some(Value::Named(number.try_into().ok()?, names))
        }
        (Value::Double(_), Kind::Named(_)) => None,
        (value, _) => Some(value),
    }
}

/// Bytes and text stay where they are.
fn slices(cells: Cells<'_>, selection: &Bitmap, kind: Kind, column: &mut Column) {
    let (places, valid) = column.refill_slices(cells.len(), &cells.records.block, kind);
    selection.for_each(|row| {
        if let Some(place) = cells.place(row) {
            places[row] = place;
            valid.set(row);
        }
    });
    if let Data::Bytes(slices) | Data::Text(slices) = &mut column.data {
        slices.blocks.push(cells.records.copied.clone());
    }
}

/// How the cells of a column are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Integers,
    Doubles,
    Text,
    /// Several of these, or what is too wide for them.
    Mixed,
}

fn layout_of(cell: &[u8]) -> Layout {
    match number(cell) {
        None => Layout::Text,
        Some(Number::Integer(_)) => Layout::Integers,
        Some(Number::Double(_)) => Layout::Doubles,
        Some(Number::Wide(_)) => Layout::Mixed,
    }
}

/// Cells that are numbers or text, each as it is written. They are laid out as the first one is;
/// where another one does not fit, value by value.
fn natural(cells: Cells<'_>, selection: &Bitmap, column: &mut Column) {
    let first = selection.iter().find_map(|row| cells.get(row));
    let len = cells.len();
    let misfits = match first.map_or(Layout::Text, layout_of) {
        Layout::Integers => numbers(cells, selection, column.refill_i64(len), |n| match n {
            Number::Integer(integer) => Some(integer),
            _ => None,
        }),
        Layout::Doubles => numbers(cells, selection, column.refill_double(len), |n| match n {
            Number::Double(double) => Some(double),
            _ => None,
        }),
        Layout::Text => {
            let is_number = |row: usize| cells.get(row).is_some_and(|cell| number(cell).is_some());
            let misfits = selection.iter().any(is_number);
            if !misfits {
                slices(cells, selection, Kind::Text, column);
            }
            misfits
        }
        Layout::Mixed => true,
    };
    if misfits {
        mixed(cells, selection, column);
    }
}

/// Fills a column of one type of numbers; gives whether a cell does not fit it.
#[inline(always)]
fn numbers<T>(
    cells: Cells<'_>,
    selection: &Bitmap,
    (values, valid): (&mut [T], &mut Bitmap),
    fits: impl Fn(Number) -> Option<T>,
) -> bool {
    selection.iter().any(|row| {
        let Some(cell) = cells.get(row) else {
            return false;
        };
        match number(cell).and_then(&fits) {
            Some(value) => {
                values[row] = value;
                valid.set(row);
                false
            }
            None => true,
        }
    })
}

fn mixed(cells: Cells<'_>, selection: &Bitmap, column: &mut Column) {
    let (values, valid) = column.refill_dynamic(cells.len());
    selection.for_each(|row| {
        if let Some(cell) = cells.get(row) {
            values[row] = match number(cell) {
                None => Value::Text(cell.into()),
                Some(Number::Integer(integer)) => Value::Integer(integer.into()),
                Some(Number::Wide(integer)) => Value::Integer(integer),
                Some(Number::Double(double)) => Value::Double(double),
            };
            valid.set(row);
        }
    });
}
