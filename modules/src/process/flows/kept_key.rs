//! Keys as they are kept.

use super::key::Key;

/// A key that is kept: that of an IPv4 5-tuple stands in the entry itself.
#[derive(Clone, Debug)]
pub(super) enum KeptKey {
    /// A number, without alignment.
    Number([u8; 16]),
    /// Bytes, and how many they are.
    Short(u8, [u8; SHORT_MAX]),
    Long(Box<[u8]>),
}

const SHORT_MAX: usize = 22;

impl Default for KeptKey {
    fn default() -> KeptKey {
        KeptKey::Short(0, [0; SHORT_MAX])
    }
}

impl KeptKey {
    pub(super) fn new(key: Key<'_>) -> KeptKey {
        match key {
            Key::Number(number) => KeptKey::Number(number.to_ne_bytes()),
            Key::Bytes(bytes) => match short(bytes) {
                Some(short) => KeptKey::Short(bytes.len() as u8, short),
                None => KeptKey::Long(bytes.into()),
            },
        }
    }

    /// Whether it is this key. Short bytes are compared at their full width, which takes a few
    /// instructions and no call.
    #[inline]
    pub(super) fn is(&self, key: Key<'_>) -> bool {
        match (self, key) {
            (KeptKey::Number(own), Key::Number(number)) => u128::from_ne_bytes(*own) == number,
            (KeptKey::Short(len, own), Key::Bytes(bytes)) => {
                usize::from(*len) == bytes.len() && short(bytes).is_some_and(|short| short == *own)
            }
            (KeptKey::Long(own), Key::Bytes(bytes)) => **own == *bytes,
            _ => false,
        }
    }

    /// The key.
    #[inline]
    pub(super) fn key(&self) -> Key<'_> {
        match self {
            KeptKey::Number(number) => Key::Number(u128::from_ne_bytes(*number)),
            KeptKey::Short(len, bytes) => Key::Bytes(&bytes[..usize::from(*len)]),
            KeptKey::Long(bytes) => Key::Bytes(bytes),
        }
    }

    /// The bytes that are not in the entry.
    pub(super) fn heap(&self) -> usize {
        match self {
            KeptKey::Number(_) | KeptKey::Short(..) => 0,
            KeptKey::Long(bytes) => bytes.len(),
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
        let mut all: Vec<Key<'_>> = (0..bytes.len())
            .map(|len| Key::Bytes(&bytes[..len]))
            .collect();
        all.extend([0, 1, 7 << 64, u128::MAX].map(Key::Number));
        for (at, key) in all.iter().enumerate() {
            let kept = KeptKey::new(*key);
            assert_eq!(kept.key(), *key);
            for (other, key) in all.iter().enumerate() {
                assert_eq!(kept.is(*key), other == at);
            }
        }
        assert!(!KeptKey::new(Key::Bytes(&[1, 2])).is(Key::Bytes(&[1, 3])));
        assert_eq!(size_of::<KeptKey>(), 24);
    }
}
