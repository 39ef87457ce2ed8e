//! Which of many ranges a number is in: all of them, at a cost that grows with their number only
//! as its logarithm.

/// Ranges of class numbers with an id each: a segment tree, flattened.
#[derive(Default)]
pub(super) struct Stab {
    /// How many leaves there are.
    leaves: usize,
    /// For each node, where its ids begin.
    starts: Vec<u32>,
    ids: Vec<u32>,
}

impl Stab {
    /// The tree of ranges, both ends in, below `count`.
    pub(super) fn new(count: u32, ranges: &[(u32, u32, u32)]) -> Stab {
        let leaves = count as usize;
        let mut nodes: Vec<(u32, u32)> = Vec::new();
        for (low, high, id) in ranges {
            let (mut left, mut right) = (*low as usize + leaves, *high as usize + leaves + 1);
            while left < right {
                if left & 1 == 1 {
                    nodes.push((left as u32, *id));
                    left += 1;
                }
                if right & 1 == 1 {
                    right -= 1;
                    nodes.push((right as u32, *id));
                }
                left /= 2;
                right /= 2;
            }
        }
        nodes.sort_unstable();
        let mut starts = vec![0; 2 * leaves + 1];
        for (node, _) in &nodes {
            starts[*node as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Stab {
            leaves,
            starts,
            ids: nodes.into_iter().map(|(_, id)| id).collect(),
        }
    }

    /// Whether there are no ranges.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Calls `each` for the ids of all ranges that a number is in.
    pub(super) fn for_each(&self, number: u32, mut each: impl FnMut(u32)) {
        if self.ids.is_empty() {
            return;
        }
        let mut node = number as usize + self.leaves;
        while node > 0 {
            let range = self.starts[node] as usize..self.starts[node + 1] as usize;
            self.ids[range].iter().for_each(|id| each(*id));
            node /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_ranges_around_a_number_are_found(
            count in 1..70u32,
            ends in prop::collection::vec((0..70u32, 0..70u32), 0..40),
        ) {
            let ranges: Vec<(u32, u32, u32)> = ends
                .iter()
                .enumerate()
                .map(|(id, (a, b))| (a.min(b) % count, a.max(b) % count, id as u32))
                .filter(|(a, b, _)| a <= b)
                .collect();
            let stab = Stab::new(count, &ranges);
            for number in 0..count {
                let mut found = Vec::new();
                stab.for_each(number, |id| found.push(id));
                found.sort_unstable();
                let inside = |(a, b, _): &&(u32, u32, u32)| *a <= number && number <= *b;
                let expected: Vec<u32> = ranges.iter().filter(inside).map(|r| r.2).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
