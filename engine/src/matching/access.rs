//! The conditions that a class of one field leaves possible, by their access tests.
//!
//! The candidates of a class stand side by side, and the lists of the classes that are met most in front,
//! so that what is needed for most rows stays in cache. Ranges over many classes, which would stand in
//! many lists, are in a tree.

use super::rough::Rough;
use super::stab::Stab;
use std::ops::Range;

/// Conditions by ranges of classes.
#[derive(Default)]
pub(super) struct Access {
    /// Where the candidates of each class begin and end in what is [`Listed`].
    spans: Vec<(u32, u32)>,
    wide: Stab,
}

/// Conditions as often as they are in a list, each with what it asks of a row roughly. All of them come
/// first, in order, so that the place of a condition in the order is one in the list too.
#[derive(Default)]
pub(super) struct Listed {
    places: Vec<u32>,
    roughs: Vec<Rough>,
    /// What the conditions ask.
    own: Vec<Rough>,
}

impl Listed {
    /// Of conditions in order.
    pub(super) fn new(own: Vec<Rough>) -> Listed {
        Listed {
            places: (0..own.len() as u32).collect(),
            roughs: own.clone(),
            own,
        }
    }

    /// Adds room for lists; what they are is said with [`Listed::put`].
    fn add(&mut self, len: usize) -> usize {
        let from = self.places.len();
        self.places.resize(from + len, 0);
        self.roughs.resize(from + len, Rough::NOTHING);
        from
    }

    fn put(&mut self, at: u32, place: u32) {
        self.places[at as usize] = place;
        self.roughs[at as usize] = self.own[place as usize];
    }

    /// What is asked by those listed, one by one.
    pub(super) fn roughs(&self) -> &[Rough] {
        &self.roughs
    }

    /// The place of a condition.
    #[inline(always)]
    pub(super) fn place(&self, at: u32) -> u32 {
        self.places[at as usize]
    }
}

/// So many candidates are listed at most for a field, each in all classes of its range.
const LISTED_MAX: usize = 1 << 19;

/// Lists are written down in blocks of so many: nearly all are shorter, so what is written does not
/// depend on their length, and no branch is guessed wrong.
pub(super) const BLOCK: usize = 8;

/// The candidates of some rows, one after the other, with the place of their row among the rows.
#[derive(Default)]
pub(super) struct Gathered {
    /// Where they stand in what is [`Listed`].
    pub(super) listed: Vec<u32>,
    pub(super) rows: Vec<u16>,
    /// How many there are; what stands behind means nothing.
    pub(super) len: usize,
}

impl Gathered {
    /// Makes room for so many more.
    fn reserve(&mut self, more: usize) {
        let len = self.len + more;
        if len > self.listed.len() {
            self.listed.resize(len * 2, 0);
            self.rows.resize(len * 2, 0);
        }
    }

    /// Adds conditions by their places in the order, for a row.
    pub(super) fn extend(&mut self, row: u16, places: &[u32]) {
        self.reserve(places.len());
        let to = self.len + places.len();
        self.listed[self.len..to].copy_from_slice(places);
        self.rows[self.len..to].fill(row);
        self.len = to;
    }

    /// Adds what is listed side by side, for a row.
    fn extend_run(&mut self, row: u16, run: Range<u32>) {
        self.reserve(run.len());
        let to = self.len + run.len();
        let listed = self.listed[self.len..to].iter_mut();
        listed.zip(run).for_each(|(listed, at)| *listed = at);
        self.rows[self.len..to].fill(row);
        self.len = to;
    }
}

impl Access {
    /// Of ranges with both ends in and the places of their conditions; the classes by how often they are
    /// met, most first.
    pub(super) fn new(by_met: &[u32], ranges: &[(u32, u32, u32)], listed: &mut Listed) -> Access {
        Access::with_most(by_met, ranges, LISTED_MAX, listed)
    }

    fn with_most(
        by_met: &[u32],
        ranges: &[(u32, u32, u32)],
        most: usize,
        listed: &mut Listed,
    ) -> Access {
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
        let mut end = listed.add(lens.iter().map(|len| *len as usize).sum()) as u32;
        for class in by_met {
            spans[*class as usize] = (end, end);
            end += lens[*class as usize];
        }
        for (low, high, place) in narrow.iter().map(range) {
            for (_, end) in &mut spans[low as usize..=high as usize] {
                listed.put(*end, place);
                *end += 1;
            }
        }
        Access {
            spans,
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
            out.extend_run(row, from..to);
            out.reserve((classes.len() + 1) * BLOCK);
        }
        if !self.wide.is_empty() {
            for (class, row) in classes.iter().zip(first as u16..) {
                self.wide
                    .for_each(*class, |place| out.extend(row, &[place]));
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
        let (listed, rows) = (out.listed.as_mut_slice(), out.rows.as_mut_slice());
        let mut len = out.len;
        let mut long = None;
        for (class, row) in left {
            let (from, to) = self.spans[*class as usize];
            let count = (to - from) as usize;
            if count > BLOCK {
                long = Some((*class, row));
                break;
            }
            let block = &mut listed[len..len + BLOCK];
            block
                .iter_mut()
                .zip(from..)
                .for_each(|(listed, at)| *listed = at);
            rows[len..len + BLOCK].fill(row);
            len += count;
        }
        out.len = len;
        long
    }

    /// Calls `each` for the places of conditions whose range a class is in.
    #[inline]
    pub(super) fn for_each(&self, class: u32, listed: &Listed, mut each: impl FnMut(u32)) {
        if self.spans.is_empty() {
            return;
        }
        let (from, to) = self.spans[class as usize];
        let listed = &listed.places[from as usize..to as usize];
        listed.iter().for_each(|place| each(*place));
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
            let mut listed = Listed::new(vec![Rough::NOTHING; 60]);
            // Lists of another field stand before.
            Access::new(&by_met, &ranges[..ranges.len() / 2], &mut listed);
            let before = listed.places.len();
            let access = Access::with_most(&by_met, &ranges, most, &mut listed);
            prop_assert_eq!(access.is_empty(), ranges.is_empty());
            prop_assert!(listed.places.len() <= before + most);
            let mut all = Gathered::default();
            let classes: Vec<u32> = (0..count).chain(0..count).collect();
            if !access.is_empty() {
                access.gather(&classes, 5, &mut all);
            }
            let places = all.listed[..all.len].iter().map(|at| listed.place(*at));
            let mut gathered: Vec<(u16, u32)> = all.rows.iter().copied().zip(places).collect();
            gathered.sort_unstable();
            let mut for_each = Vec::new();
            for (class, row) in classes.iter().zip(5..) {
                access.for_each(*class, &listed, |id| for_each.push((row, id)));
            }
            for_each.sort_unstable();
            prop_assert_eq!(gathered, for_each);
            for class in 0..count {
                let mut found = Vec::new();
                access.for_each(class, &listed, |id| found.push(id));
                found.sort_unstable();
                let holds = |(a, b, _): &&(u32, u32, u32)| *a <= class && class <= *b;
                let expected: Vec<u32> = ranges.iter().filter(holds).map(|r| r.2).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
