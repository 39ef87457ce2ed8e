//! Selections and validity: one bit a row.

/// The most rows a part can have. Batches of 512 to 2,048 rows were measured fastest: framing,
/// layers and columns of one batch stay in cache.
pub const ROWS_MAX: usize = 2048;

const WORDS: usize = ROWS_MAX / 64;

/// A set of rows of one part. Fixed size, so that filtering never allocates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bitmap {
    words: [u64; WORDS],
}

impl std::fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Default for Bitmap {
    fn default() -> Self {
        Bitmap::EMPTY
    }
}

impl Bitmap {
    /// No rows.
    pub const EMPTY: Bitmap = Bitmap { words: [0; WORDS] };

    /// The first `len` rows; `len` is at most [`ROWS_MAX`].
    pub fn first(len: usize) -> Bitmap {
        let mut words = [0; WORDS];
        let full = len / 64;
        words[..full].fill(u64::MAX);
        if !len.is_multiple_of(64) {
            words[full] = (1 << (len % 64)) - 1;
        }
        Bitmap { words }
    }

    /// The rows for which `test` holds, of the first `len`.
    ///
    /// Bits are gathered from eight bytes at a time by one multiplication, since a loop of
    /// shifted single bits does not vectorize.
    #[inline(always)]
    pub fn from_fn(len: usize, mut test: impl FnMut(usize) -> bool) -> Bitmap {
        let mut bitmap = Bitmap::EMPTY;
        let mut bytes = [0u8; 64];
        for (word, start) in bitmap.words.iter_mut().zip((0..len).step_by(64)) {
            let rows = (len - start).min(64);
            for (row, byte) in bytes[..rows].iter_mut().enumerate() {
                *byte = u8::from(test(start + row));
            }
            bytes[rows..].fill(0);
            *word = gather_bits(&bytes);
        }
        bitmap
    }

    /// The rows of `values` for which `test` holds.
    #[inline(always)]
    pub fn from_slice<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Bitmap {
        let mut bitmap = Bitmap::EMPTY;
        for (word, chunk) in bitmap.words.iter_mut().zip(values.chunks(64)) {
            let mut bytes = [0u8; 64];
            for (byte, value) in bytes.iter_mut().zip(chunk) {
                *byte = u8::from(test(*value));
            }
            *word = gather_bits(&bytes);
        }
        bitmap
    }

    /// Whether a row is in.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// Puts a row in.
    #[inline]
    pub fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// Takes a row out.
    #[inline]
    pub fn unset(&mut self, row: usize) {
        self.words[row / 64] &= !(1 << (row % 64));
    }

    /// How many rows are in.
    pub fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether no row is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().fold(0, |all, word| all | word) == 0
    }

    /// The lowest row that is in.
    pub fn lowest(&self) -> Option<usize> {
        let at = self.words.iter().position(|word| *word != 0)?;
        Some(at * 64 + self.words[at].trailing_zeros() as usize)
    }

    /// The highest row that is in.
    pub fn highest(&self) -> Option<usize> {
        let at = self.words.iter().rposition(|word| *word != 0)?;
        Some(at * 64 + 63 - self.words[at].leading_zeros() as usize)
    }

    /// Rows in both.
    #[inline]
    pub fn and(&self, other: &Bitmap) -> Bitmap {
        self.zip(other, |a, b| a & b)
    }

    /// Rows in either.
    #[inline]
    pub fn or(&self, other: &Bitmap) -> Bitmap {
        self.zip(other, |a, b| a | b)
    }

    /// Rows in this one and not in the other.
    #[inline]
    pub fn minus(&self, other: &Bitmap) -> Bitmap {
        self.zip(other, |a, b| a & !b)
    }

    /// The rows of this set from `start` up to, not including, `end`.
    pub fn range(&self, start: usize, end: usize) -> Bitmap {
        self.and(&Bitmap::first(end.min(ROWS_MAX)))
            .minus(&Bitmap::first(start.min(ROWS_MAX)))
    }

    /// The first `n` rows of this set, and the rest.
    pub fn split_at_count(&self, n: usize) -> (Bitmap, Bitmap) {
        match self.iter().nth(n) {
            Some(row) => (self.range(0, row), self.range(row, ROWS_MAX)),
            None => (*self, Bitmap::EMPTY),
        }
    }

    #[inline]
    fn zip(&self, other: &Bitmap, op: impl Fn(u64, u64) -> u64) -> Bitmap {
        let mut words = [0; WORDS];
        for ((word, a), b) in words.iter_mut().zip(&self.words).zip(&other.words) {
            *word = op(*a, *b);
        }
        Bitmap { words }
    }

    /// Calls `each` for every row that is in, in ascending order.
    #[inline(always)]
    pub fn for_each(&self, mut each: impl FnMut(usize)) {
        for (at, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            if rest == u64::MAX {
                (at * 64..at * 64 + 64).for_each(&mut each);
                continue;
            }
            while rest != 0 {
                each(at * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// The rows that are in, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let row = at * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    row
                })
            })
        })
    }
}

impl FromIterator<usize> for Bitmap {
    fn from_iter<I: IntoIterator<Item = usize>>(rows: I) -> Self {
        let mut bitmap = Bitmap::EMPTY;
        rows.into_iter().for_each(|row| bitmap.set(row));
        bitmap
    }
}

/// Bit i is the lowest bit of byte i.
#[inline(always)]
fn gather_bits(bytes: &[u8; 64]) -> u64 {
    let mut word = 0u64;
    for (at, eight) in bytes.chunks_exact(8).enumerate() {
        let eight = u64::from_le_bytes(eight.try_into().expect("chunks of eight"));
        word |= (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (at * 8);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_the_bits_that_a_plain_loop_gathers() {
        for len in [0, 1, 63, 64, 65, 200, ROWS_MAX] {
            let test = |row: usize| row.is_multiple_of(3) || row % 7 == 5;
            let expected: Bitmap = (0..len).filter(|row| test(*row)).collect();
            assert_eq!(Bitmap::from_fn(len, test), expected);
            let rows: Vec<usize> = (0..len).collect();
            assert_eq!(Bitmap::from_slice(&rows, test), expected);
            let mut seen = Vec::new();
            expected.for_each(|row| seen.push(row));
            assert_eq!(seen, expected.iter().collect::<Vec<_>>());
            assert_eq!(seen.len(), expected.count());
        }
    }

    #[test]
    fn splits_and_ranges() {
        let set: Bitmap = [1, 5, 64, 700, 2047].into_iter().collect();
        let (left, right) = set.split_at_count(2);
        assert_eq!(left.iter().collect::<Vec<_>>(), [1, 5]);
        assert_eq!(right.iter().collect::<Vec<_>>(), [64, 700, 2047]);
        assert_eq!((set.lowest(), set.highest()), (Some(1), Some(2047)));
        assert_eq!(set.range(5, 700).count(), 2);
        assert_eq!(Bitmap::first(ROWS_MAX).count(), ROWS_MAX);
        assert_eq!(Bitmap::EMPTY.lowest(), None);
    }
}
