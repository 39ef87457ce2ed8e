//! Keys as they are kept.

/// The bytes of a key: those of an IPv4 5-tuple stand in the entry itself.
#[derive(Clone, Debug)]
pub(super) enum KeyBytes {
    Short(u8, [u8; SHORT_MAX]),
    Long(Box<[u8]>),
}

const SHORT_MAX: usize = 22;

impl Default for KeyBytes {
    fn default() -> KeyBytes {
        KeyBytes::Short(0, [0; SHORT_MAX])
    }
}

impl KeyBytes {
    pub(super) fn new(bytes: &[u8]) -> KeyBytes {
        match short(bytes) {
            Some(short) => KeyBytes::Short(bytes.len() as u8, short),
            None => KeyBytes::Long(bytes.into()),
        }
    }

    /// Whether these are the bytes. Short ones are compared at their full width, which takes a
    /// few instructions and no call.
    #[inline]
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        match (self, short(bytes)) {
            (KeyBytes::Short(len, own), Some(short)) => {
                usize::from(*len) == bytes.len() && *own == short
            }
            (KeyBytes::Long(own), None) => **own == *bytes,
            _ => false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            KeyBytes::Short(len, bytes) => &bytes[..usize::from(*len)],
            KeyBytes::Long(bytes) => bytes,
        }
    }

    /// The bytes that are not in the entry.
    pub(super) fn heap(&self) -> usize {
        match self {
            KeyBytes::Short(..) => 0,
            KeyBytes::Long(bytes) => bytes.len(),
        }
    }
}

/// Bytes behind which zeros stand; none where they are too many.
#[inline]
fn short(bytes: &[u8]) -> Option<[u8; SHORT_MAX]> {
    let mut short = [0; SHORT_MAX];
    short.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length_come_back() {
        let bytes: Vec<u8> = (0..60).collect();
        for len in 0..bytes.len() {
            let key = KeyBytes::new(&bytes[..len]);
            assert_eq!(key.bytes(), &bytes[..len]);
            for other in 0..bytes.len() {
                assert_eq!(key.is(&bytes[..other]), other == len);
            }
            assert!(len == 0 || !key.is(&vec![7; len]));
        }
        assert_eq!(size_of::<KeyBytes>(), 24);
    }
}
