//! Hashes of keys: keyed, since attackers choose what is in packets.

use super::SHARDS;
use super::keys::{Key, LARGE_MAX, Large, Medium, Short, halves, pack};

/// What keys the hash.
#[derive(Clone, Copy)]
pub(super) struct Seeds(u64, u64);

impl Seeds {
    pub(super) fn new(seed: u64) -> Seeds {
        let mix = |n: u64| fold(seed ^ n, MULTIPLIER ^ n);
        Seeds(mix(0x243f_6a88_85a3_08d3), mix(0x1319_8a2e_0370_7344))
    }

    #[inline(always)]
    pub(super) fn short(self, key: &Short) -> u64 {
        fold(fold(key[0] ^ self.0, key[1] ^ self.1) ^ self.0, MULTIPLIER)
    }

    #[inline(always)]
    pub(super) fn medium(self, key: &Medium) -> u64 {
        let first = fold(key[0] ^ self.0, key[1] ^ self.1);
        fold(fold(key[2] ^ first, self.1) ^ self.0, MULTIPLIER)
    }

    #[inline(always)]
    pub(super) fn large(self, key: &Large) -> u64 {
        let first = fold(key[0] ^ self.0, key[1] ^ self.1);
        let second = fold(key[2] ^ first, key[3] ^ self.1);
        fold(fold(key[4] ^ second, key[5] ^ self.0) ^ self.1, MULTIPLIER)
    }

    pub(super) fn long(self, bytes: &[u8]) -> u64 {
        let mut hash = self.0 ^ bytes.len() as u64;
        for chunk in bytes.chunks(LARGE_MAX) {
            hash = self.large(&pack(chunk)).wrapping_add(fold(hash, self.1));
        }
        fold(hash ^ self.1, MULTIPLIER)
    }

    pub(super) fn key(self, key: &Key<'_>) -> u64 {
        match key {
            Key::Tiny(key) => self.short(&[0, *key]),
            Key::Short(key) => self.short(key),
            Key::Medium(key) => self.medium(key),
            Key::Large(key) => self.large(key),
            Key::Long(bytes) => self.long(bytes),
        }
    }
}

/// The hash of [`Groups`](super::Groups) for tables that keep more beside a key than a number: equal keys have
/// equal hashes, and which keys collide depends on the seed.
#[derive(Clone, Copy)]
pub struct KeyedHash(Seeds);

impl KeyedHash {
    /// The hash of a seed.
    pub fn new(seed: u64) -> KeyedHash {
        KeyedHash(Seeds::new(seed))
    }

    /// The hash of a key.
    #[inline]
    pub fn of(self, key: &[u8]) -> u64 {
        self.0.key(&Key::of(key))
    }

    /// The hash of a key of one number: see [`Layout`](wireq_typesys::key::Layout).
    #[inline]
    pub fn of_number(self, key: u128) -> u64 {
        self.0.short(&halves(key))
    }
}

/// 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Two 64-bit words multiplied and folded: source wyhash, foldhash.
#[inline(always)]
pub(super) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The shard of a hash. The map takes its index from the low bits and its tags from the top
/// seven, so these bits in between are free.
#[inline(always)]
pub(super) fn shard_of(hash: u64) -> usize {
    (hash >> 48) as usize % SHARDS
}
