//! Reading bytes one after the other, each read checked.

use memchr::memchr;

#[cfg(test)]
thread_local! {
    /// How many bytes were looked at on this thread: the work that payloads make.
    pub static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts bytes that are looked at, in tests.
#[inline(always)]
pub(super) fn look_at(_len: usize) {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get() + _len);
}

/// The bytes that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes }
    }

    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The next `len` bytes; none where they are not all there.
    #[inline]
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        look_at(len);
        self.bytes = rest;
        Some(taken)
    }

    /// The next `len` bytes, or as many of them as there are: what a list within holds is then
    /// read up to the cut.
    #[inline]
    pub fn within(&mut self, len: usize) -> Cursor<'a> {
        let (taken, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        look_at(taken.len());
        self.bytes = rest;
        Cursor::new(taken)
    }

    /// The next line without its end; none where it does not end.
    pub fn line(&mut self) -> Option<&'a [u8]> {
        let Some(end) = memchr(b'\n', self.bytes) else {
            look_at(self.bytes.len());
            return None;
        };
        let line = &self.take(end + 1)?[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    #[inline]
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Three bytes, as TLS has its lengths.
    #[inline]
    pub fn u24(&mut self) -> Option<u32> {
        self.array()
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    #[inline]
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn reads_no_further_than_there_is() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(cursor.u24(), Some(0x010203));
        assert_eq!(cursor.u16(), Some(0x0405));
        assert_eq!(cursor.u32(), None);
        assert_eq!(cursor.take(3), None);
        assert_eq!(cursor.within(9).bytes, [6, 7]);
        assert!(cursor.is_empty());
        assert_eq!(cursor.u8(), None);
        assert_eq!(cursor.take(0), Some(&[][..]));
    }
}
