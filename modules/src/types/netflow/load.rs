//! Bytes of records -> columns.
//!
//! Where a field stands is found once for each layout of a part; then every record is a load.

use super::element::{END_PARTS, Key, START_PARTS, Unit, of_key};
use super::layout::{Layout, Place};
use super::records::{Header, Records, Row};
use wireq_typesys::{Address, Bitmap, Column, Data, Kind, Mac};

/// The places of a field's elements in each layout, the element that counts most first.
pub(super) struct Places {
    each: Vec<Vec<Place>>,
}

impl Places {
    pub(super) fn find(records: &Records, keys: &[Key]) -> Places {
        let of = |layout: &std::sync::Arc<Layout>| {
            keys.iter().filter_map(|key| layout.find(*key)).collect()
        };
        Places {
            each: records.layouts.iter().map(of).collect(),
        }
    }

    fn of(&self, row: &Row) -> &[Place] {
        self.each
            .get(usize::from(row.layout))
            .map_or(&[], Vec::as_slice)
    }

    fn any(&self, test: impl Fn(&Place) -> bool) -> bool {
        self.each.iter().flatten().any(test)
    }
}

/// The bytes of a field of a record.
#[inline]
fn bytes<'a>(records: &'a Records, row: &Row, place: &Place) -> Option<&'a [u8]> {
    let record = records.bytes(row);
    let layout = records.layouts.get(usize::from(row.layout))?;
    let (start, len) = layout.resolve(place, record)?;
    record.get(start..start + len)
}

/// The number that some bytes are; none of more than eight that hold more than 64 bits.
#[inline]
pub(super) fn number(bytes: &[u8], little: bool) -> Option<u64> {
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let rest = bytes.len().saturating_sub(8);
    if little {
        let (low, high) = bytes.split_at(bytes.len().min(8));
        return (high.iter().all(|byte| *byte == 0)).then(|| low.iter().rev().fold(0, add));
    }
    let (high, low) = bytes.split_at(rest);
    (high.iter().all(|byte| *byte == 0)).then(|| low.iter().fold(0, add))
}

/// A column's numbers, of any width.
trait Narrow {
    fn narrow(number: u64) -> Self;
}

macro_rules! narrow {
    ($($type:ty),*) => { $(impl Narrow for $type {
        #[inline(always)]
        fn narrow(number: u64) -> $type { number as $type }
    })* };
}
narrow!(u8, u16, u32, u64);

/// How a number is loaded that stands at the same place of all records of a layout: eight bytes
/// are loaded, and what is not the number's is shifted out.
#[derive(Clone, Copy)]
struct Load {
    at: usize,
    shift: u32,
    little: bool,
}

impl Load {
    fn of(place: &Place) -> Option<Load> {
        let fixed = place.after == 0 && (1..=8).contains(&place.len);
        fixed.then(|| Load {
            at: place.at as usize,
            shift: 64 - 8 * u32::from(place.len),
            little: place.little,
        })
    }

    #[inline(always)]
    fn get(self, block: &[u8], row: &Row) -> Option<u64> {
        let at = row.start as usize + self.at;
        let eight: [u8; 8] = block.get(at..at + 8)?.try_into().ok()?;
        Some(if self.little {
            u64::from_le_bytes(eight) << self.shift >> self.shift
        } else {
            u64::from_be_bytes(eight) >> self.shift
        })
    }
}

/// Calls `take` with each selected row's number, where it has one.
#[inline(always)]
fn each_number(
    records: &Records,
    places: &Places,
    selection: &Bitmap,
    mut take: impl FnMut(usize, u64),
) {
    if let ([block], [places]) = (&records.blocks[..], &places.each[..]) {
        // One layout in one block, which is the rule in files.
        let Some(place) = places.first() else { return };
        if let Some(load) = Load::of(place) {
            selection.for_each(|row| {
                let Some(record) = records.rows.get(row) else {
                    return;
                };
                match load.get(&block.0, record) {
                    Some(number) => take(row, number),
                    None => slow(records, record, place, row, &mut take),
                }
            });
            return;
        }
    }
    let loads: Vec<Option<Load>> = places
        .each
        .iter()
        .map(|places| Load::of(places.first()?))
        .collect();
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let Some(place) = places.of(record).first() else {
            return;
        };
        let load = loads.get(usize::from(record.layout)).copied().flatten();
        match load.and_then(|load| load.get(records.block(record), record)) {
            Some(number) => take(row, number),
            None => slow(records, record, place, row, &mut take),
        }
    });
}

#[cold]
fn slow(
    records: &Records,
    record: &Row,
    place: &Place,
    row: usize,
    take: &mut impl FnMut(usize, u64),
) {
    let number = bytes(records, record, place).and_then(|bytes| match bytes {
        [] => None,
        bytes => number(bytes, place.little),
    });
    if let Some(number) = number {
        take(row, number);
    }
}

/// Numbers; `width` are the bytes that one has as a rule.
pub(super) fn numbers(
    records: &Records,
    places: &Places,
    width: usize,
    fallback: Option<fn(&Header) -> Option<u64>>,
    selection: &Bitmap,
    column: &mut Column,
) {
    fn fill<T: Narrow>(
        records: &Records,
        places: &Places,
        fallback: Option<fn(&Header) -> Option<u64>>,
        selection: &Bitmap,
        (values, valid): (&mut [T], &mut Bitmap),
    ) {
        let mut set = |row: usize, number: u64| {
            if let Some(value) = values.get_mut(row) {
                *value = T::narrow(number);
                valid.set(row);
            }
        };
        each_number(records, places, selection, &mut set);
        if let Some(fallback) = fallback {
            each_without(records, places, selection, |row, header| {
                if let Some(number) = fallback(header) {
                    set(row, number);
                }
            });
        }
    }
    let len = records.rows.len();
    let wider = places.any(|place| usize::from(place.len) > width);
    match if wider { 8 } else { width } {
        1 => fill(records, places, fallback, selection, column.refill_u8(len)),
        2 => fill(records, places, fallback, selection, column.refill_u16(len)),
        4 => fill(records, places, fallback, selection, column.refill_u32(len)),
        _ => fill(records, places, fallback, selection, column.refill_u64(len)),
    }
}

/// Calls `take` with the header of each selected row whose layout has none of the elements.
fn each_without(
    records: &Records,
    places: &Places,
    selection: &Bitmap,
    mut take: impl FnMut(usize, &Header),
) {
    if places.each.iter().all(|places| !places.is_empty()) {
        return;
    }
    selection.for_each(|row| {
        let record = records.rows.get(row);
        let record = record.filter(|record| places.of(record).is_empty());
        if let Some(header) = record.and_then(|record| records.header(record)) {
            take(row, header);
        }
    });
}

/// Signed numbers.
pub(super) fn signed(records: &Records, places: &Places, selection: &Bitmap, column: &mut Column) {
    let (values, valid) = column.refill_i64(records.rows.len());
    each_bytes(records, places, selection, |row, place, bytes| {
        if let (Some(number), 1..=8) = (number(bytes, place.little), bytes.len()) {
            let shift = 64 - 8 * bytes.len() as u32;
            values[row] = (number << shift) as i64 >> shift;
            valid.set(row);
        }
    });
}

/// Floating-point numbers of four or eight bytes.
pub(super) fn doubles(records: &Records, places: &Places, selection: &Bitmap, column: &mut Column) {
    let (values, valid) = column.refill_double(records.rows.len());
    each_bytes(records, places, selection, |row, _, bytes| {
        let double = match *bytes {
            [a, b, c, d] => f32::from_be_bytes([a, b, c, d]).into(),
            [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => return,
        };
        values[row] = double;
        valid.set(row);
    });
}

/// Truth values: 1 is true, 2 is false (RFC 7011, section 6.1.5).
pub(super) fn bools(records: &Records, places: &Places, selection: &Bitmap, column: &mut Column) {
    let (values, valid) = column.refill_bool(records.rows.len());
    each_bytes(records, places, selection, |row, _, bytes| {
        if let [truth @ (1 | 2)] = bytes {
            values[row] = *truth == 1;
            valid.set(row);
        }
    });
}

/// Hardware addresses.
pub(super) fn macs(records: &Records, places: &Places, selection: &Bitmap, column: &mut Column) {
    let (values, valid) = column.refill_mac(records.rows.len());
    each_bytes(records, places, selection, |row, place, bytes| {
        let mac = match *bytes {
            // A number of eight bytes, of which two are nothing.
            [f, e, d, c, b, a, _, _] if place.little => [a, b, c, d, e, f],
            [a, b, c, d, e, f] => [a, b, c, d, e, f],
            _ => return,
        };
        values[row] = Mac(mac);
        valid.set(row);
    });
}

/// Calls `take` with the bytes of each selected row, where it has some.
fn each_bytes(
    records: &Records,
    places: &Places,
    selection: &Bitmap,
    mut take: impl FnMut(usize, &Place, &[u8]),
) {
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let Some(place) = places.of(record).first() else {
            return;
        };
        if let Some(bytes) = bytes(records, record, place) {
            take(row, place, bytes);
        }
    });
}

/// Bytes and text where they stand; text without the zeros behind it that fill up its field.
pub(super) fn slices(
    records: &Records,
    places: &Places,
    kind: Kind,
    selection: &Bitmap,
    column: &mut Column,
) {
    let Some(first) = records.blocks.first() else {
        return;
    };
    let (values, valid) = column.refill_slices(records.rows.len(), first, kind);
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let layout = records.layouts.get(usize::from(record.layout));
        let (Some(place), Some(layout)) = (places.of(record).first(), layout) else {
            return;
        };
        let bytes = records.bytes(record);
        let Some((start, mut len)) = layout.resolve(place, bytes) else {
            return;
        };
        if kind == Kind::Text {
            let zeros = bytes[start..start + len].iter().rev();
            len -= zeros.take_while(|byte| **byte == 0).count();
        }
        values[row] = (record.block.into(), record.start + start as u32, len as u32);
        valid.set(row);
    });
    if let Data::Bytes(slices) | Data::Text(slices) = &mut column.data {
        let rest = records.blocks.iter().skip(1);
        slices.blocks.extend(rest.cloned());
    }
}

/// An address of 4 or 16 bytes.
fn address(bytes: &[u8], little: bool) -> Option<Address> {
    match bytes.len() {
        4 => Some(Address::v4(number(bytes, little)? as u32)),
        16 => {
            let (high, low) = bytes.split_at(8);
            Some(Address {
                v6: true,
                bits: u128::from(number(high, little)?) << 64 | u128::from(number(low, little)?),
            })
        }
        _ => None,
    }
}

/// Addresses. Of several elements in a record the first counts that is not zero: templates for both
/// families leave that of the other one empty.
pub(super) fn addresses(
    records: &Records,
    places: &Places,
    fallback: Option<fn(&Header) -> Option<Address>>,
    selection: &Bitmap,
    column: &mut Column,
) {
    let len = records.rows.len();
    let fallen = fallback.filter(|_| places.each.iter().any(Vec::is_empty));
    let v6_header = |header: &Header| fallen.and_then(|f| f(header)).is_some_and(|a| a.v6);
    let wide = places.any(|place| place.len != 4) || records.headers.iter().any(v6_header);
    let several = places.each.iter().any(|places| places.len() > 1);
    if !wide && !several {
        let (values, valid) = column.refill_address4(len);
        let mut set = |row: usize, bits: u32| {
            if let Some(value) = values.get_mut(row) {
                *value = bits;
                valid.set(row);
            }
        };
        each_number(records, places, selection, |row, bits| {
            set(row, bits as u32)
        });
        if let Some(fallback) = fallen {
            each_without(records, places, selection, |row, header| {
                if let Some(address) = fallback(header) {
                    set(row, address.bits as u32);
                }
            });
        }
        return;
    }
    let (values, valid) = column.refill_address(len);
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let places = places.of(record);
        let mut found: Option<Address> = None;
        for place in places {
            let address = bytes(records, record, place).and_then(|b| address(b, place.little));
            if found.is_none_or(|found| found.bits == 0) && address.is_some() {
                found = match (found, address) {
                    // All are zero: the first.
                    (Some(found), Some(other)) if other.bits == 0 => Some(found),
                    (_, address) => address,
                };
            }
        }
        if places.is_empty() {
            let header = records.header(record);
            found = header.and_then(|header| fallen?(header));
        }
        if let Some(found) = found {
            values[row] = found;
            valid.set(row);
        }
    });
}

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
/// Seconds from 1900 to 1970.
const NTP_EPOCH: i64 = 2_208_988_800;
/// How far behind its message a flow may be, in milliseconds.
const AHEAD_MAX: u32 = 24 * 60 * 60 * 1000;

/// How the times of an element are written.
pub(super) fn unit(key: Key) -> Option<Unit> {
    match key {
        START_PARTS => return Some(Unit::StartParts),
        END_PARTS => return Some(Unit::EndParts),
        _ => {}
    }
    match key as u16 {
        21 | 22 => Some(Unit::Uptime),
        158 | 159 => Some(Unit::BeforeExport),
        _ => of_key(key)?.kind.unit(),
    }
}

/// The nanoseconds since 1970 that a time is.
fn nanoseconds(bytes: &[u8], little: bool, unit: Unit, header: Option<&Header>) -> Option<i64> {
    if let Unit::StartParts | Unit::EndParts = unit {
        let second = usize::from(unit == Unit::EndParts);
        let milliseconds = number(bytes.get(2 * second..2 * second + 2)?, true)? as i64;
        let seconds = number(bytes.get(4 + 4 * second..8 + 4 * second)?, true)? as i64;
        return Some(seconds * SECOND + milliseconds * MILLISECOND);
    }
    let number = number(bytes, little).filter(|_| !bytes.is_empty())?;
    let signed = i64::try_from(number).ok();
    match unit {
        Unit::Seconds => signed?.checked_mul(SECOND),
        Unit::Milliseconds => signed?.checked_mul(MILLISECOND),
        Unit::Ntp if bytes.len() == 8 => {
            let (seconds, fraction) = ((number >> 32) as i64, number & u64::from(u32::MAX));
            let nanoseconds = (fraction * SECOND as u64) >> 32;
            Some((seconds - NTP_EPOCH) * SECOND + nanoseconds as i64)
        }
        Unit::Ntp => None,
        // The clock of an exporter begins anew after 49 days: what counts is how far it is before
        // that of the header, or, where clocks differ, up to a day behind it.
        Unit::Uptime => {
            let header = header?;
            if let (None, Some(boot)) = (header.uptime, header.boot) {
                return boot.checked_add(signed?.checked_mul(MILLISECOND)?);
            }
            let ahead = (number as u32).wrapping_sub(header.uptime?);
            let ahead = match ahead <= AHEAD_MAX {
                true => i64::from(ahead),
                false => i64::from(ahead) - (1 << 32),
            };
            header.exported?.checked_add(ahead * MILLISECOND)
        }
        Unit::StartParts | Unit::EndParts => None,
        Unit::BeforeExport => header?.exported?.checked_sub(signed?.checked_mul(1000)?),
    }
}

/// The time of a record, by the first of the elements that it has.
fn time(records: &Records, places: &Places, record: &Row) -> Option<i64> {
    places.of(record).iter().find_map(|place| {
        let bytes = bytes(records, record, place)?;
        let header = records.header(record);
        nanoseconds(bytes, place.little, unit(place.key)?, header)
    })
}

/// Times.
pub(super) fn times(
    records: &Records,
    places: &Places,
    fallback: Option<fn(&Header) -> Option<i64>>,
    selection: &Bitmap,
    column: &mut Column,
) {
    let (values, valid) = column.refill_time(records.rows.len());
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let time = match (places.of(record), fallback) {
            ([], Some(fallback)) => records.header(record).and_then(fallback),
            _ => time(records, places, record),
        };
        if let Some(time) = time {
            values[row] = time;
            valid.set(row);
        }
    });
}

/// The time from one to the other, or what the exporter said of it.
pub(super) fn durations(
    records: &Records,
    [start, end, said]: [&Places; 3],
    selection: &Bitmap,
    column: &mut Column,
) {
    let (values, valid) = column.refill_duration(records.rows.len());
    selection.for_each(|row| {
        let Some(record) = records.rows.get(row) else {
            return;
        };
        let between = || {
            let (start, end) = (time(records, start, record)?, time(records, end, record)?);
            end.checked_sub(start)
        };
        let said = || {
            let place = said.of(record).first()?;
            let number = number(bytes(records, record, place)?, place.little)?;
            let unit = if place.key == 161 { MILLISECOND } else { 1000 };
            i64::try_from(number).ok()?.checked_mul(unit)
        };
        if let Some(duration) = between().or_else(said) {
            values[row] = duration;
            valid.set(row);
        }
    });
}

/// A number that follows from the layout.
pub(super) fn of_layouts<T: Copy>(
    records: &Records,
    selection: &Bitmap,
    (values, valid): (&mut [T], &mut Bitmap),
    get: impl Fn(&Layout) -> Option<T>,
) {
    selection.for_each(|row| {
        let record = records.rows.get(row);
        let layout = record.and_then(|record| records.layouts.get(usize::from(record.layout)));
        if let Some(value) = layout.and_then(|layout| get(layout)) {
            values[row] = value;
            valid.set(row);
        }
    });
}
