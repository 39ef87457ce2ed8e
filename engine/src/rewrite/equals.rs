//! Which of many things are equal.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hasher};

/// Things of which no two are equal: the number of each, by its hash.
#[derive(Default)]
pub(super) struct Equals {
    known: HashTable<(u64, usize)>,
    hashes: DefaultHashBuilder,
}

impl Equals {
    /// The number of the one that is the same; none where there is none, and it is known as `number` from
    /// now on. What is the same has the same hash.
    pub(super) fn find(
        &mut self,
        number: usize,
        hash: impl FnOnce(&mut <DefaultHashBuilder as BuildHasher>::Hasher),
        same: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut hasher = self.hashes.build_hasher();
        hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.known.find(hash, |(_, known)| same(*known));
        if let Some((_, known)) = known {
            return Some(*known);
        }
        self.known
            .insert_unique(hash, (hash, number), |(hash, _)| *hash);
        None
    }
}
