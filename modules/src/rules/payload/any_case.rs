//! The search for bytes of which ASCII letters of either case are the same.
//!
//! Where the first byte is, the others are compared: fast where that is seldom in vain. A text like
//! `aaaa` makes the search for `aaab` take the product of their lengths so; before it does, the
//! search of Knuth, Morris and Pratt ("Fast Pattern Matching in Strings", 1977) takes over, which
//! looks at each byte of the text twice at most.

use memchr::memchr2;

/// Bytes to look for, two or more.
#[derive(Clone)]
pub(super) struct AnyCase {
    /// In lower case.
    bytes: Box<[u8]>,
    /// For each length of a begin of the bytes: how many bytes at its end are a shorter begin.
    borders: Box<[u32]>,
}

/// So many bytes are compared in vain for each byte that was passed, and so many besides.
const IN_VAIN: usize = 4;
const IN_VAIN_BESIDES: usize = 256;

impl AnyCase {
    pub(super) fn new(bytes: &[u8]) -> AnyCase {
        let bytes = bytes.to_ascii_lowercase();
        let mut borders = vec![0u32; bytes.len() + 1];
        let mut border = 0;
        for at in 1..bytes.len() {
            while border > 0 && bytes[at] != bytes[border] {
                border = borders[border] as usize;
            }
            border += usize::from(bytes[at] == bytes[border]);
            borders[at + 1] = border as u32;
        }
        AnyCase {
            bytes: bytes.into(),
            borders: borders.into(),
        }
    }

    /// Where they are first.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let len = self.bytes.len();
        let last = text.len().checked_sub(len)?;
        let (first, upper) = (self.bytes[0], self.bytes[0].to_ascii_uppercase());
        let mut start = 0;
        let mut in_vain = 0;
        while start <= last {
            let at = start + memchr2(first, upper, &text[start..=last])?;
            let same = text[at..at + len]
                .iter()
                .zip(&self.bytes)
                .take_while(|(there, byte)| there.to_ascii_lowercase() == **byte)
                .count();
            if same == len {
                return Some(at);
            }
            in_vain += same;
            start = at + 1;
            if in_vain > IN_VAIN * start + IN_VAIN_BESIDES {
                return self.find_slowly(&text[start..]).map(|at| start + at);
            }
        }
        None
    }

    /// The same, in time that depends on the text alone.
    fn find_slowly(&self, text: &[u8]) -> Option<usize> {
        let mut same = 0;
        for (at, byte) in text.iter().enumerate() {
            let byte = byte.to_ascii_lowercase();
            while same > 0 && self.bytes[same] != byte {
                same = self.borders[same] as usize;
            }
            same += usize::from(self.bytes[same] == byte);
            if same == self.bytes.len() {
                return Some(at + 1 - same);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_find_the_first(bytes in "[abA]{2,6}", text in "[abAB]{0,400}") {
            let (bytes, text) = (bytes.as_bytes(), text.as_bytes());
            let mut places = text.windows(bytes.len());
            let expected = places.position(|there| there.eq_ignore_ascii_case(bytes));
            let finder = AnyCase::new(bytes);
            prop_assert_eq!(finder.find(text), expected);
            prop_assert_eq!(finder.find_slowly(text), expected);
        }
    }

    #[test]
    fn time_is_that_of_the_text() {
        let mut bytes = vec![b'A'; 30_000];
        bytes.push(b'b');
        let finder = AnyCase::new(&bytes);
        let start = std::time::Instant::now();
        for _ in 0..10 {
            assert_eq!(finder.find(&[b'a'; 65_535]), None);
        }
        // The product of the lengths would take minutes.
        assert!(start.elapsed().as_secs() < 10);
    }
}
