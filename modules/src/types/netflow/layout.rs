//! Layouts: where the fields of records of one template stand.

use super::element::Key;

/// The length of a field that says its length itself (RFC 7011, section 7).
pub const VARIABLE: u16 = u16::MAX;

/// One field of a template as it was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The element.
    pub key: Key,
    /// Its bytes; [`VARIABLE`] where each record says it.
    pub len: u16,
}

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The element.
    pub key: Key,
    /// The first byte: from the record's, or behind the last field of variable length before it.
    pub at: u32,
    /// The bytes of the field; [`VARIABLE`] where the record says it.
    pub len: u16,
    /// Whether a number stands with its lowest byte first.
    pub little: bool,
    /// How many fields of variable length stand before it.
    pub after: u16,
}

impl Place {
    /// A field of a fixed place, its highest byte first.
    pub const fn new(key: Key, at: u32, len: u16) -> Place {
        Place {
            key,
            at,
            len,
            little: false,
            after: 0,
        }
    }

    /// A field of a fixed place, its lowest byte first.
    pub const fn little(key: Key, at: u32, len: u16) -> Place {
        Place {
            little: true,
            ..Place::new(key, at, len)
        }
    }
}

/// How records of one kind are laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The fields, in the order of their keys; of equal keys in the order of the record.
    places: Vec<Place>,
    /// For each field of variable length, the bytes of fixed fields before it that follow the one
    /// before.
    gaps: Vec<u32>,
    /// The bytes of the fixed fields, and one for each of variable length.
    pub len_min: usize,
    /// The bytes of fixed fields behind the last one of variable length.
    tail: u32,
    /// The template's number; 0 where there is none.
    pub template: u16,
    /// Whether the records tell of the exporter rather than of flows.
    pub options: bool,
}

impl Layout {
    /// The layout of a template; none where its records would have no bytes.
    pub fn of_template(fields: &[Field], template: u16, options: bool) -> Option<Layout> {
        let mut layout = Layout {
            template,
            options,
            ..Layout::default()
        };
        let (mut at, mut after) = (0u32, 0u16);
        for field in fields {
            layout.places.push(Place {
                key: field.key,
                at,
                len: field.len,
                little: false,
                after,
            });
            if field.len == VARIABLE {
                layout.gaps.push(at);
                layout.len_min += at as usize + 1;
                at = 0;
                after = after.checked_add(1)?;
            } else {
                at = at.checked_add(field.len.into())?;
            }
        }
        layout.tail = at;
        layout.len_min += at as usize;
        layout.places.sort_by_key(|place| place.key);
        (layout.len_min > 0).then_some(layout)
    }

    /// A layout of fixed places in `len` bytes.
    pub fn of_places(mut places: Vec<Place>, len: usize) -> Layout {
        places.sort_by_key(|place| place.key);
        Layout {
            places,
            len_min: len,
            tail: len as u32,
            ..Layout::default()
        }
    }

    /// The first field with this key that has bytes.
    pub fn find(&self, key: Key) -> Option<Place> {
        let at = self.places.partition_point(|place| place.key < key);
        let mut same = self.places[at..]
            .iter()
            .take_while(|place| place.key == key);
        same.find(|place| place.len > 0).copied()
    }

    /// The length of the record that begins `bytes`; none where it does not end there.
    #[inline]
    pub fn record_len(&self, bytes: &[u8]) -> Option<usize> {
        if self.gaps.is_empty() {
            return (self.len_min <= bytes.len()).then_some(self.len_min);
        }
        let mut at = 0usize;
        for gap in &self.gaps {
            let (start, len) = variable(bytes, at + *gap as usize)?;
            at = start + len;
        }
        let end = at + self.tail as usize;
        (end <= bytes.len()).then_some(end)
    }

    /// Where the bytes of a field begin in a record, and how many there are.
    #[inline]
    pub fn resolve(&self, place: &Place, record: &[u8]) -> Option<(usize, usize)> {
        let mut at = 0usize;
        for gap in self.gaps.get(..usize::from(place.after))? {
            let (start, len) = variable(record, at + *gap as usize)?;
            at = start + len;
        }
        let at = at + place.at as usize;
        let (start, len) = if place.len == VARIABLE {
            variable(record, at)?
        } else {
            (at, usize::from(place.len))
        };
        (start + len <= record.len()).then_some((start, len))
    }
}

/// The place and length of a field of variable length whose length stands at `at`: one byte, or 255
/// and two bytes. What is longer than what is left is no field.
#[inline]
fn variable(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let (start, len) = match *bytes.get(at)? {
        255 => {
            let long = bytes.get(at + 1..at + 3)?;
            (at + 3, usize::from(u16::from_be_bytes([long[0], long[1]])))
        }
        short => (at + 1, usize::from(short)),
    };
    (start + len <= bytes.len()).then_some((start, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: Key, len: u16) -> Field {
        Field { key, len }
    }

    #[test]
    fn fields_behind_those_of_variable_length() {
        let fields = [
            field(1, 2),
            field(82, VARIABLE),
            field(2, 1),
            field(83, VARIABLE),
            field(3, 4),
        ];
        let layout = Layout::of_template(&fields, 256, false).unwrap();
        let mut record = vec![
            0, 7, 3, b'a', b'b', b'c', 9, 255, 0, 2, b'x', b'y', 1, 2, 3, 4,
        ];
        assert_eq!(layout.len_min, 9);
        assert_eq!(layout.record_len(&record), Some(16));
        let bytes = |key: Key, record: &[u8]| {
            let (start, len) = layout.resolve(&layout.find(key)?, record)?;
            Some(record[start..start + len].to_vec())
        };
        assert_eq!(bytes(82, &record).as_deref(), Some(&b"abc"[..]));
        assert_eq!(bytes(2, &record).as_deref(), Some(&[9][..]));
        assert_eq!(bytes(83, &record).as_deref(), Some(&b"xy"[..]));
        assert_eq!(bytes(3, &record).as_deref(), Some(&[1, 2, 3, 4][..]));
        assert_eq!(bytes(9, &record), None);
        for len in 0..record.len() {
            assert_eq!(layout.record_len(&record[..len]), None, "{len}");
        }
        record[9] = 200;
        assert_eq!(layout.record_len(&record), None);
        assert_eq!(bytes(3, &record), None);
    }

    #[test]
    fn a_template_without_bytes_is_none() {
        assert_eq!(Layout::of_template(&[], 256, false), None);
        assert_eq!(Layout::of_template(&[field(1, 0)], 256, false), None);
        let layout = Layout::of_template(&[field(1, 0), field(1, 4)], 256, false).unwrap();
        assert_eq!(layout.find(1).map(|place| place.len), Some(4));
    }
}
