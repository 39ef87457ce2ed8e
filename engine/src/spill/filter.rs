//! A filter that knows most keys that were not added: of a hundred about two it takes for added.
//!
//! Source: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters" (2007): the
//! bits of a key stand in one block, so that asking costs one look at memory.

/// The words of a block: one line of a cache.
const WORDS: usize = 8;
/// Bits for each key.
const BITS: usize = 10;
/// Bits of a block that each key sets.
const SET: u32 = 6;

pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    pub(super) fn new(keys: usize) -> Filter {
        let blocks = keys.saturating_mul(BITS).div_ceil(WORDS * 64).max(1);
        Filter {
            blocks: vec![[0; WORDS]; blocks],
        }
    }

    /// The block of a hash, from its high bits.
    fn block(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize
    }

    /// The word and bit of each of the bits of a hash, nine bits for each from a mix of all of it:
    /// the high ones alone are alike in a block.
    fn bits(hash: u64) -> impl Iterator<Item = (usize, u64)> {
        let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32) ^ hash;
        (0..SET).map(move |at| {
            let bit = mixed >> (at * 9) & 511;
            ((bit >> 6) as usize, 1 << (bit & 63))
        })
    }

    pub(super) fn add(&mut self, hash: u64) {
        let block = self.block(hash);
        for (word, bit) in Filter::bits(hash) {
            self.blocks[block][word] |= bit;
        }
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        let block = &self.blocks[self.block(hash)];
        Filter::bits(hash).all(|(word, bit)| block[word] & bit != 0)
    }

    pub(super) fn memory(&self) -> usize {
        self.blocks.capacity() * size_of::<[u64; WORDS]>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::KeyedHash;

    #[test]
    fn knows_all_that_was_added_and_little_else() {
        let hash = KeyedHash::new(7);
        let of = |number: u32| hash.of(&number.to_be_bytes());
        let mut filter = Filter::new(100_000);
        (0..100_000).for_each(|number| filter.add(of(number)));
        assert!((0..100_000).all(|number| filter.has(of(number))));
        let wrong = (100_000..200_000).filter(|number| filter.has(of(*number)));
        let wrong = wrong.count();
        assert!(wrong < 2_500, "{wrong}");
        assert!(filter.memory() < 130_000);
        assert!(!Filter::new(0).has(of(1)));
    }
}
