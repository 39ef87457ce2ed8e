//! The keys of the rows of a view, each once, and which rows have it.
//!
//! They follow from the rows alone, so any thread can find them out. Then flows are looked for key by key,
//! all at once before anything is done with them: searches that don't wait for each other take a
//! fraction of the time where flows are many and memory is slow, and rows of one key are one search.

use super::key::{Key, KeyFields};
use super::table::Table;
use wireq_typesys::key::{Layout, NO_PLACE};
use wireq_typesys::{Bitmap, Column};

/// The keys of the rows of a view.
#[derive(Default)]
pub(super) struct Keys {
    /// The rows that have keys.
    pub(super) keyed: Bitmap,
    /// What has a number among them: see [`KeyFields`].
    layout: Option<Layout>,
    /// For each row that has a key, in order: the key's number here, and whether the row comes from the
    /// higher end.
    rows: Vec<(u16, bool)>,
    /// In the order of their first rows.
    keys: Vec<KeyOfView>,
    /// Those that have numbers; [`NO_PLACE`] for others.
    numbers: Vec<u128>,
    /// The others.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct KeyOfView {
    hash: u32,
    /// Where the bytes of this key and of those before end.
    end: u32,
}

/// One of the keys of a view.
#[derive(Clone, Copy)]
pub(super) struct ViewKey<'a> {
    pub(super) key: Key<'a>,
    pub(super) hash: u32,
}

/// What is needed to read keys, for use again.
#[derive(Default)]
pub(super) struct KeyReader {
    /// The rows that have keys.
    at: Vec<u16>,
    /// Where there is a layout, by row: the number, and that of the other direction.
    numbers: Vec<u128>,
    backward: Vec<u128>,
    without: Vec<u16>,
    buffer: Vec<u8>,
    /// Where by hash the numbers of keys stand.
    places: Vec<u16>,
}

/// Where no key stands: there are fewer in a view.
const NOBODY: u16 = u16::MAX;

/// The key that has a number or, without one, bytes.
#[inline]
fn key_of(number: u128, bytes: &[u8]) -> Key<'_> {
    match number {
        NO_PLACE => Key::Bytes(bytes),
        number => Key::Number(number),
    }
}

impl KeyReader {
    /// Reads the keys of rows.
    pub(super) fn read<S: Default>(
        &mut self,
        fields: &KeyFields,
        columns: &[Option<&Column>],
        rows: Bitmap,
        table: &Table<S>,
        keys: &mut Keys,
    ) {
        self.at.clear();
        rows.for_each(|row| self.at.push(row as u16));
        self.pack(fields, columns);
        self.places.clear();
        let places = (2 * self.at.len()).next_power_of_two();
        self.places.resize(places, NOBODY);
        keys.clear(rows, fields);
        for at in 0..self.at.len() {
            let mut number = self.numbers[at];
            let from_high = if number == NO_PLACE {
                let row = usize::from(self.at[at]);
                let from_high = fields.encode(columns, row, &mut self.buffer);
                // In a column of another type a value may have a number all the same: 3.0 is 3.
                if let Key::Number(known) = fields.key(&self.buffer) {
                    number = known;
                }
                from_high
            } else {
                let back = self.backward.get(at).copied().unwrap_or(NO_PLACE);
                let from_high = back < number;
                number = number.min(back);
                from_high
            };
            let hash = table.hash(key_of(number, &self.buffer));
            let key = self.place(hash, number, keys);
            keys.rows.push((key, from_high));
        }
    }

    /// The number among the keys of the view of the one at hand.
    #[inline]
    fn place(&mut self, hash: u32, number: u128, keys: &mut Keys) -> u16 {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let known = self.places[place];
            if known == NOBODY {
                break;
            }
            let at = usize::from(known);
            let is_it = keys.keys[at].hash == hash && keys.numbers[at] == number;
            if is_it && (number != NO_PLACE || keys.bytes_of(at) == self.buffer) {
                return known;
            }
            place = (place + 1) & mask;
        }
        let new = keys.keys.len() as u16;
        self.places[place] = new;
        if number == NO_PLACE {
            keys.bytes.extend_from_slice(&self.buffer);
        }
        keys.numbers.push(number);
        let end = keys.bytes.len() as u32;
        keys.keys.push(KeyOfView { hash, end });
        new
    }

    /// The keys of all rows as numbers, as far as they have such.
    fn pack(&mut self, fields: &KeyFields, columns: &[Option<&Column>]) {
        self.numbers.clear();
        self.backward.clear();
        let Some(layout) = fields.layout() else {
            return self.numbers.resize(self.at.len(), NO_PLACE);
        };
        let [forward, backward] = fields.orders();
        layout.pack(
            forward.iter().map(|at| columns[*at]),
            &self.at,
            &mut self.numbers,
            &mut self.without,
        );
        if fields.is_paired() {
            // What has no number one way has none the other way.
            layout.pack(
                backward.iter().map(|at| columns[*at]),
                &self.at,
                &mut self.backward,
                &mut self.without,
            );
        }
    }
}

impl Keys {
    fn clear(&mut self, keyed: Bitmap, fields: &KeyFields) {
        self.keyed = keyed;
        if !self.are_of(fields) {
            self.layout = fields.layout().cloned();
        }
        self.rows.clear();
        self.keys.clear();
        self.numbers.clear();
        self.bytes.clear();
    }

    /// Whether they are as these fields have them.
    pub(super) fn are_of(&self, fields: &KeyFields) -> bool {
        self.layout.as_ref() == fields.layout()
    }

    fn bytes_of(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.keys[before].end);
        &self.bytes[start as usize..self.keys[at].end as usize]
    }

    /// A key by its number.
    #[inline]
    pub(super) fn key(&self, at: usize) -> ViewKey<'_> {
        ViewKey {
            key: key_of(self.numbers[at], self.bytes_of(at)),
            hash: self.keys[at].hash,
        }
    }

    /// All keys, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = ViewKey<'_>> {
        (0..self.keys.len()).map(|at| self.key(at))
    }

    /// The numbers of the keys of rows, in the order of the rows, each with whether the row comes from the
    /// higher end.
    pub(super) fn of_rows(&self) -> impl Iterator<Item = (usize, bool)> {
        self.rows.iter().map(|(at, high)| (usize::from(*at), *high))
    }

    /// Looks for the flows of all keys.
    pub(super) fn find<S: Default>(&self, table: &Table<S>, found: &mut Vec<Option<u32>>) {
        found.clear();
        found.extend(self.all().map(|key| table.find(key.hash, key.key)));
    }
}
