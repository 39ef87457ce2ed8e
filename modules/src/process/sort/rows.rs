//! Rows with their keys in memory, and the order of them.

/// What makes the object of a row the one it is, as of `PartData::identity`.
pub(super) type Identity = (u32, u64);

/// Rows, one after the other in pages: lengths of key and row, key, identity, row. Nothing is
/// allocated for a row, and pages are as large as what stands before them, up to a limit, so that
/// neither few rows take much nor many are moved.
pub(super) struct Rows {
    pages: Vec<Vec<u8>>,
    /// The begin of each row's key, and where the row stands: page and place in it.
    order: Vec<(u64, u64)>,
    /// What pages take.
    bytes: usize,
    /// Of equal keys the last row comes first.
    last_first: bool,
}

const PAGE_BYTES_MIN: usize = 1 << 10;
const PAGE_BYTES_MAX: usize = 1 << 20;

/// What stands before a key: two lengths and an identity.
const HEAD_BYTES: usize = 4 + 4 + IDENTITY_BYTES;
pub(super) const IDENTITY_BYTES: usize = 4 + 8;

impl Rows {
    pub(super) fn new(last_first: bool) -> Rows {
        Rows {
            pages: Vec::new(),
            order: Vec::new(),
            bytes: 0,
            last_first,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        *self = Rows::new(self.last_first);
    }

    /// Adds a row: its key and what is kept of it.
    pub(super) fn push(&mut self, identity: Identity, key: &[u8], row: &[u8]) {
        let len = HEAD_BYTES + key.len() + row.len();
        let has_room = |page: &Vec<u8>| page.capacity() - page.len() >= len;
        if !self.pages.last().is_some_and(has_room) {
            let size = self.bytes.clamp(PAGE_BYTES_MIN, PAGE_BYTES_MAX).max(len);
            self.pages.push(Vec::with_capacity(size));
            self.bytes += size;
        }
        let at = self.pages.len() - 1;
        let page = &mut self.pages[at];
        self.order.push((prefix(key), place(at, page.len())));
        page.extend((key.len() as u32).to_le_bytes());
        page.extend((row.len() as u32).to_le_bytes());
        page.extend(identity_bytes(identity));
        page.extend_from_slice(key);
        page.extend_from_slice(row);
    }

    /// Puts the rows in order.
    pub(super) fn sort(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        let last_first = self.last_first;
        order.sort_unstable_by(|a, b| {
            let keys = || self.at(a.1).0.cmp(self.at(b.1).0);
            let places = if last_first {
                b.1.cmp(&a.1)
            } else {
                a.1.cmp(&b.1)
            };
            a.0.cmp(&b.0).then_with(keys).then(places)
        });
        self.order = order;
    }

    /// Forgets the rows behind the first `count` in order; the others stay as they came. Gives the key
    /// of the last one of `count`.
    pub(super) fn keep_first(&mut self, count: usize) -> Option<Vec<u8>> {
        self.sort();
        self.order.truncate(count);
        let full = self.order.len() == count;
        let last = self.order.last().filter(|_| full);
        let last = last.map(|(_, place)| self.at(*place).0.to_vec());
        // Where a row stands says when it came.
        let mut places: Vec<u64> = self.order.iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        let mut kept = Rows::new(self.last_first);
        for place in places {
            let (key, identity, row) = self.at(place);
            kept.push(read_identity(identity), key, row);
        }
        *self = kept;
        last
    }

    /// The row of a number: key, and identity and what is kept of it one after the other.
    pub(super) fn get(&self, number: usize) -> (&[u8], Identity, &[u8]) {
        let (key, identity, row) = self.at(self.order[number].1);
        (key, read_identity(identity), row)
    }

    fn at(&self, place: u64) -> (&[u8], &[u8], &[u8]) {
        let page = &self.pages[(place >> 32) as usize][place as u32 as usize..];
        let len = |at: usize| {
            let bytes = page[at..at + 4].try_into();
            u32::from_le_bytes(bytes.expect("four bytes")) as usize
        };
        let (key, row) = (len(0), len(4));
        let (head, rest) = page.split_at(HEAD_BYTES);
        (&rest[..key], &head[8..], &rest[key..key + row])
    }

    /// About how many bytes the rows take.
    pub(super) fn memory(&self) -> usize {
        let pages = self.pages.capacity() * size_of::<Vec<u8>>();
        self.bytes + pages + self.order.capacity() * size_of::<(u64, u64)>()
    }
}

fn place(page: usize, at: usize) -> u64 {
    (page as u64) << 32 | at as u64
}

/// The first eight bytes of a key, which most comparisons end with.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = key.len().min(8);
    bytes[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(bytes)
}

pub(super) fn identity_bytes(identity: Identity) -> [u8; IDENTITY_BYTES] {
    let mut bytes = [0; IDENTITY_BYTES];
    bytes[..4].copy_from_slice(&identity.0.to_le_bytes());
    bytes[4..].copy_from_slice(&identity.1.to_le_bytes());
    bytes
}

/// Reads an identity; bytes that are none are the first object.
pub(super) fn read_identity(bytes: &[u8]) -> Identity {
    let part = |bytes: Option<&[u8]>| bytes.unwrap_or(&[]).try_into();
    let origin = bytes.get(..4).unwrap_or(&[]).try_into();
    (
        u32::from_le_bytes(origin.unwrap_or_default()),
        u64::from_le_bytes(part(bytes.get(4..IDENTITY_BYTES)).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_their_keys() {
        for last_first in [false, true] {
            let mut rows = Rows::new(last_first);
            let mut plain = Vec::new();
            for number in 0..5000u64 {
                let key = (number.wrapping_mul(0x9e37_79b9) % 97).to_be_bytes();
                let row = vec![number as u8; (number % 700) as usize];
                rows.push((3, number), &key[..], &row);
                plain.push((key, number, row));
            }
            let large = vec![7; PAGE_BYTES_MAX + 5];
            rows.push((0, 0), &[255; 9], &large);
            rows.sort();
            plain.sort_by(|a, b| {
                let numbers = a.1.cmp(&b.1);
                let numbers = if last_first {
                    numbers.reverse()
                } else {
                    numbers
                };
                a.0.cmp(&b.0).then(numbers)
            });
            for (at, (key, number, row)) in plain.iter().enumerate() {
                assert_eq!(rows.get(at), (&key[..], (3, *number), &row[..]));
            }
            assert_eq!(rows.get(5000).2, large);
            let kept = 5001 * (HEAD_BYTES + 8) + 5000 * 350 + large.len();
            assert!(rows.memory() > kept && rows.memory() < 2 * kept);
            rows.clear();
            assert_eq!((rows.len(), rows.memory()), (0, 0));
        }
    }
}
