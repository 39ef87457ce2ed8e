//! The conditions that a class of one field leaves possible, by their access tests.
//!
//! The candidates of a class stand side by side, each with one more check: most are ruled out by it
//! without a look at anything else. Ranges over many classes, which would stand in many lists, are in
//! a tree.

use super::stab::Stab;

/// A condition that may hold, and a check of it in another dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) condition: u32,
    /// The check: the class of this dimension is in this range.
    pub(super) dimension: u32,
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Candidate {
    /// One without a check.
    pub(super) fn unchecked(condition: u32) -> Candidate {
        Candidate {
            condition,
            dimension: 0,
            low: 0,
            high: u32::MAX,
        }
    }

    #[inline(always)]
    fn may_hold(&self, classes: &[u32]) -> bool {
        let class = classes[self.dimension as usize];
        self.low <= class && class <= self.high
    }
}

/// Candidates by ranges of classes.
#[derive(Default)]
pub(super) struct Access {
    /// Where the candidates of each class begin.
    starts: Vec<u32>,
    listed: Vec<Candidate>,
    wide: Stab,
    wide_ones: Vec<Candidate>,
}

/// So many candidates are listed at most, each in all classes of its range.
const LISTED_MAX: usize = 1 << 19;

impl Access {
    /// Of ranges with both ends in, below `count`.
    pub(super) fn new(count: u32, ranges: &[(u32, u32, Candidate)]) -> Access {
        Access::with_most(count, ranges, LISTED_MAX)
    }

    fn with_most(count: u32, ranges: &[(u32, u32, Candidate)], most: usize) -> Access {
        if ranges.is_empty() {
            return Access::default();
        }
        let width = |(low, high, _): &(u32, u32, Candidate)| (high - low) as usize + 1;
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
        let of = |numbers: &[u32]| -> Vec<(u32, u32, Candidate)> {
            let mut numbers = numbers.to_vec();
            numbers.sort_unstable();
            numbers.iter().map(|at| ranges[*at as usize]).collect()
        };
        let (narrow, wide) = (of(narrow), of(wide));
        let mut starts = vec![0u32; count as usize + 1];
        for (low, high, _) in &narrow {
            for class in *low..=*high {
                starts[class as usize + 1] += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let total = starts.last().copied().unwrap_or(0) as usize;
        let mut listed = vec![Candidate::unchecked(0); total];
        let mut next = starts.clone();
        for (low, high, candidate) in &narrow {
            for class in *low..=*high {
                let at = &mut next[class as usize];
                listed[*at as usize] = *candidate;
                *at += 1;
            }
        }
        let numbered = wide.iter().enumerate();
        let tree: Vec<(u32, u32, u32)> = numbered
            .map(|(number, (low, high, _))| (*low, *high, number as u32))
            .collect();
        Access {
            starts,
            listed,
            wide: match tree.is_empty() {
                true => Stab::default(),
                false => Stab::new(count, &tree),
            },
            wide_ones: wide
                .into_iter()
                .map(|(_, _, candidate)| candidate)
                .collect(),
        }
    }

    /// Calls `each` for the conditions whose range a class is in and whose check holds for a row of
    /// these classes.
    #[inline]
    pub(super) fn for_each(&self, class: u32, classes: &[u32], mut each: impl FnMut(u32)) {
        if self.starts.is_empty() {
            return;
        }
        let (from, to) = (self.starts[class as usize], self.starts[class as usize + 1]);
        for candidate in &self.listed[from as usize..to as usize] {
            if candidate.may_hold(classes) {
                each(candidate.condition);
            }
        }
        self.wide.for_each(class, |number| {
            let candidate = &self.wide_ones[number as usize];
            if candidate.may_hold(classes) {
                each(candidate.condition);
            }
        });
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
            ends in prop::collection::vec((0..70u32, 0..70u32, 0..9u32, 0..9u32), 0..40),
            most in 0..300usize,
            other in 0..9u32,
        ) {
            let candidate = |(id, (_, _, low, high)): (usize, &(u32, u32, u32, u32))| Candidate {
                condition: id as u32,
                dimension: 1,
                low: *low,
                high: *high,
            };
            let ranges: Vec<(u32, u32, Candidate)> = ends
                .iter()
                .enumerate()
                .map(|(id, all)| (all.0.min(all.1) % count, all.0.max(all.1) % count, candidate((id, all))))
                .filter(|(a, b, _)| a <= b)
                .collect();
            let access = Access::with_most(count, &ranges, most);
            prop_assert!(access.listed.len() <= most);
            for class in 0..count {
                let mut found = Vec::new();
                access.for_each(class, &[class, other], |id| found.push(id));
                found.sort_unstable();
                let holds = |(a, b, c): &&(u32, u32, Candidate)| {
                    *a <= class && class <= *b && c.low <= other && other <= c.high
                };
                let expected: Vec<u32> =
                    ranges.iter().filter(holds).map(|range| range.2.condition).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
