//! The conditions that a class of one field leaves possible, by their access tests.
//!
//! The candidates of a class stand side by side, and the lists of the classes that are met most in front,
//! so that what is needed for most rows stays in cache. Ranges over many classes, which would stand in
//! many lists, are in a tree.

use super::stab::Stab;

/// Conditions by ranges of classes.
#[derive(Default)]
pub(super) struct Access {
    /// Where the candidates of each class begin and end.
    spans: Vec<(u32, u32)>,
    /// Those of each class; at the end so many more that a block begins anywhere.
    listed: Vec<u32>,
    wide: Stab,
}

/// So many candidates are listed at most, each in all classes of its range.
const LISTED_MAX: usize = 1 << 19;

/// Lists are copied in blocks of so many: nearly all are shorter, so what is copied does not depend on
/// their length, and no branch is guessed wrong.
pub(super) const BLOCK: usize = 8;

/// The candidates of some rows, one after the other, with the place of their row among the rows.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) conditions: Vec<u32>,
    pub(super) rows: Vec<u16>,
    /// How many there are; what stands behind means nothing.
    pub(super) len: usize,
}

impl Gathered {
    /// Makes room for so many more.
    fn reserve(&mut self, more: usize) {
        let len = self.len + more;
        if len > self.conditions.len() {
            self.conditions.resize(len * 2, 0);
            self.rows.resize(len * 2, 0);
        }
    }

    /// Adds conditions, for a row.
    pub(super) fn extend(&mut self, row: u16, conditions: &[u32]) {
        self.reserve(conditions.len());
        let to = self.len + conditions.len();
        self.conditions[self.len..to].copy_from_slice(conditions);
        self.rows[self.len..to].fill(row);
        self.len = to;
    }
}

impl Access {
    /// Of ranges with both ends in and their conditions; the classes by how often they are met, most
    /// first.
    pub(super) fn new(by_met: &[u32], ranges: &[(u32, u32, u32)]) -> Access {
        Access::with_most(by_met, ranges, LISTED_MAX)
    }

    fn with_most(by_met: &[u32], ranges: &[(u32, u32, u32)], most: usize) -> Access {
        if ranges.is_empty() {
            return Access::default();
        }
        let width = |(low, high, _): &(u32, u32, u32)| (high - low) as usize + 1;
        // The narrowest, as far as there is room.
        let mut by_width: Vec<u32> = (0..ranges.len() as u32).collect();
        by_width.sort_by_key(|at| width(&ranges[*at as usize]));
        let mut left = most;
        let room = by_width.iter().position(|at| {
            let width = width(&ranges[*at as usize]);
            let fits = width <= left;
            left = left.saturating_sub(width);
            !fits
        });
        let (narrow, wide) = by_width.split_at(room.unwrap_or(by_width.len()));
        let range = |at: &u32| ranges[*at as usize];
        let wide: Vec<(u32, u32, u32)> = wide.iter().map(range).collect();
        let count = by_met.len();
        let mut lens = vec![0u32; count];
        for (low, high, _) in narrow.iter().map(range) {
            lens[low as usize..=high as usize]
                .iter_mut()
                .for_each(|len| *len += 1);
        }
        let mut spans = vec![(0, 0); count];
        let mut total = 0;
        for class in by_met {
            spans[*class as usize] = (total, total);
            total += lens[*class as usize];
        }
        let mut listed = vec![0; total as usize + BLOCK];
        for (low, high, condition) in narrow.iter().map(range) {
            for (_, end) in &mut spans[low as usize..=high as usize] {
                listed[*end as usize] = condition;
                *end += 1;
            }
        }
        Access {
            spans,
            listed,
            wide: match wide.is_empty() {
                true => Stab::default(),
                false => Stab::new(count as u32, &wide),
            },
        }
    }

    /// Whether there is no candidate for any class.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Adds the conditions whose range a class is in, for the classes of rows, of which the first has
    /// this place.
    pub(super) fn gather(&self, classes: &[u32], first: usize, out: &mut Gathered) {
        out.reserve((classes.len() + 1) * BLOCK);
        let mut left = classes.iter().zip(first as u16..);
        while let Some((class, row)) = self.gather_short(&mut left, out) {
            let (from, to) = self.spans[class as usize];
            out.extend(row, &self.listed[from as usize..to as usize]);
            out.reserve((classes.len() + 1) * BLOCK);
        }
        if !self.wide.is_empty() {
            for (class, row) in classes.iter().zip(first as u16..) {
                self.wide
                    .for_each(*class, |condition| out.extend(row, &[condition]));
            }
        }
    }

    /// Adds lists up to one that is longer than a block.
    #[inline(always)]
    fn gather_short<'a>(
        &self,
        left: &mut impl Iterator<Item = (&'a u32, u16)>,
        out: &mut Gathered,
    ) -> Option<(u32, u16)> {
        let (conditions, rows) = (out.conditions.as_mut_slice(), out.rows.as_mut_slice());
        let mut len = out.len;
        let mut long = None;
        for (class, row) in left {
            let (from, to) = self.spans[*class as usize];
            let (from, to) = (from as usize, to as usize);
            if to - from > BLOCK {
                long = Some((*class, row));
                break;
            }
            conditions[len..len + BLOCK].copy_from_slice(&self.listed[from..from + BLOCK]);
            rows[len..len + BLOCK].fill(row);
            len += to - from;
        }
        out.len = len;
        long
    }

    /// Calls `each` for the conditions whose range a class is in.
    #[inline]
    pub(super) fn for_each(&self, class: u32, mut each: impl FnMut(u32)) {
        if self.spans.is_empty() {
            return;
        }
        let (from, to) = self.spans[class as usize];
        let listed = &self.listed[from as usize..to as usize];
        listed.iter().for_each(|condition| each(*condition));
        self.wide.for_each(class, each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_that_may_hold_is_found(
            count in 1..70u32,
            ends in prop::collection::vec((0..70u32, 0..70u32), 0..60),
            most in 0..300usize,
        ) {
            let ranges: Vec<(u32, u32, u32)> = ends
                .iter()
                .zip(0..)
                .map(|((a, b), id)| (a.min(b) % count, a.max(b) % count, id))
                .filter(|(a, b, _)| a <= b)
                .collect();
            let mut by_met: Vec<u32> = (0..count).collect();
            by_met.sort_by_key(|class| class * 7 % 5);
            let access = Access::with_most(&by_met, &ranges, most);
            prop_assert_eq!(access.is_empty(), ranges.is_empty());
            prop_assert!(access.listed.len() <= most + BLOCK);
            let mut all = Gathered::default();
            let classes: Vec<u32> = (0..count).chain(0..count).collect();
            if !access.is_empty() {
                access.gather(&classes, 5, &mut all);
            }
            let mut gathered: Vec<(u16, u32)> =
                all.rows.iter().copied().zip(all.conditions.iter().copied()).take(all.len).collect();
            gathered.sort_unstable();
            let mut for_each = Vec::new();
            for (class, row) in classes.iter().zip(5..) {
                access.for_each(*class, |id| for_each.push((row, id)));
            }
            for_each.sort_unstable();
            prop_assert_eq!(gathered, for_each);
            for class in 0..count {
                let mut found = Vec::new();
                access.for_each(class, |id| found.push(id));
                found.sort_unstable();
                let holds = |(a, b, _): &&(u32, u32, u32)| *a <= class && class <= *b;
                let expected: Vec<u32> = ranges.iter().filter(holds).map(|r| r.2).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
