//! Which contents a row is searched for, by its classes.
//!
//! Conditions that wait for contents and have the same checks of classes have one head. For each
//! class of each dimension the heads that it leaves possible stand in a set of bits, and the heads
//! that a row leaves possible are what all its classes do (Lakshman and Stiliadis, "High-Speed
//! Policy-based Packet Forwarding Using Efficient Multi-dimensional Range Matching", SIGCOMM 1998).
//! Rows with the same heads are a group: they are searched for the same contents, and no others.

use super::patterns::{Patterns, Wanted};
use hashbrown::HashMap;

/// The heads of conditions, and the groups of rows that were met.
#[derive(Default)]
pub(super) struct Heads {
    /// How many words a set of heads has.
    words: usize,
    /// By dimension, the sets of its classes.
    allowed: Vec<Vec<u64>>,
    /// By text and head, the patterns that are searched for.
    patterns: Vec<Vec<Vec<u32>>>,
    numbers: HashMap<Box<[u64]>, u32>,
    groups: Vec<Group>,
    /// How much memory is left for what is searched for.
    left: usize,
    set: Vec<u64>,
}

/// Rows with the same heads.
struct Group {
    heads: Box<[u64]>,
    /// By text.
    wanted: Vec<Want>,
}

/// What is searched for in a text.
enum Want {
    /// It was not asked for yet.
    Unknown,
    Nothing,
    Some(Box<Wanted>),
    /// What the first group is searched for: everything.
    All,
}

/// A check of a head: the classes of a dimension that it leaves, as ranges.
pub(super) type Ranges = (u32, Vec<(u32, u32)>);

/// The group of rows that are searched for everything: those beyond the others.
const EVERYTHING: u32 = 0;
/// The group of rows that are searched for nothing.
pub(super) const NOTHING: u32 = 1;

/// The most heads that are told apart; fewer, where classes are so many that their sets of heads
/// would take more memory than this. Those beyond share their bits.
const HEADS_MAX: usize = 4096;
const SETS_BYTES_MAX: usize = 8 << 20;
/// The most groups, and the most memory for what they are searched for.
const GROUPS_MAX: usize = 4096;
const WANTED_BYTES_MAX: usize = 32 << 20;

impl Heads {
    /// Of conditions: their checks, the text that each waits for a content in, and the patterns that
    /// may be it. `classes` are the numbers of classes of the dimensions.
    pub(super) fn new<'p>(
        classes: &[u32],
        texts: usize,
        conditions: impl Iterator<Item = (Vec<Ranges>, usize, &'p [u32])>,
    ) -> Heads {
        let mut numbers: HashMap<Vec<Ranges>, usize> = HashMap::new();
        let mut patterns: Vec<Vec<Vec<u32>>> = vec![Vec::new(); texts];
        for (checks, text, some) in conditions {
            let next = numbers.len();
            let head = *numbers.entry(checks).or_insert(next);
            patterns
                .iter_mut()
                .for_each(|of| of.resize(numbers.len(), Vec::new()));
            patterns[text][head].extend(some);
        }
        let all: usize = classes.iter().map(|count| *count as usize).sum();
        let most = (SETS_BYTES_MAX * 8 / all.max(1)).min(HEADS_MAX);
        let words = numbers.len().min(most).div_ceil(64).max(1);
        let allowed = classes.iter().map(|count| vec![0; *count as usize * words]);
        let mut heads = Heads {
            words,
            allowed: allowed.collect(),
            patterns,
            numbers: HashMap::new(),
            groups: Vec::new(),
            left: WANTED_BYTES_MAX,
            set: Vec::new(),
        };
        let mut everything = vec![0; words];
        for (checks, head) in &numbers {
            let head = heads.bit(*head);
            everything[head / 64] |= 1 << (head % 64);
            heads.allow(checks, head);
        }
        heads.group(everything.into());
        heads.group(vec![0; words].into());
        heads
    }

    /// The bit of a head, which is one's own but where they are too many.
    fn bit(&self, head: usize) -> usize {
        head % (64 * self.words)
    }

    fn allow(&mut self, checks: &[Ranges], bit: usize) {
        for (dimension, sets) in (0..).zip(&mut self.allowed) {
            let check = checks.iter().find(|(of, _)| *of == dimension);
            let count = (sets.len() / self.words) as u32;
            let all = [(0, count.saturating_sub(1))];
            for (low, high) in check.map_or(&all[..], |(_, ranges)| ranges) {
                for class in *low..=*high {
                    sets[class as usize * self.words + bit / 64] |= 1 << (bit % 64);
                }
            }
        }
    }

    fn group(&mut self, heads: Box<[u64]>) -> u32 {
        if let Some(known) = self.numbers.get(&heads) {
            return *known;
        }
        if self.groups.len() >= GROUPS_MAX {
            return EVERYTHING;
        }
        let number = self.groups.len() as u32;
        self.numbers.insert(heads.clone(), number);
        let unknown = self.patterns.iter().map(|_| Want::Unknown);
        self.groups.push(Group {
            heads,
            wanted: unknown.collect(),
        });
        number
    }

    /// The group of a row of these classes.
    pub(super) fn group_of(&mut self, classes: &[u32]) -> u32 {
        let mut set = std::mem::take(&mut self.set);
        set.clear();
        set.extend(&*self.groups[EVERYTHING as usize].heads);
        for (class, sets) in classes.iter().zip(&self.allowed) {
            let own = &sets[*class as usize * self.words..][..self.words];
            set.iter_mut().zip(own).for_each(|(all, own)| *all &= own);
        }
        let group = match set.iter().all(|word| *word == 0) {
            true => NOTHING,
            false => match self.numbers.get(&*set) {
                Some(known) => *known,
                None => self.group(set.as_slice().into()),
            },
        };
        self.set = set;
        group
    }

    /// What rows of a group are searched for in a text; none where that is nothing.
    pub(super) fn wanted(
        &mut self,
        group: u32,
        text: usize,
        patterns: &Patterns,
    ) -> Option<&Wanted> {
        let known = &self.groups[group as usize].wanted[text];
        if matches!(known, Want::Unknown) {
            let want = self.want(group, text, patterns);
            self.groups[group as usize].wanted[text] = want;
        }
        let of = |group: u32| &self.groups[group as usize].wanted[text];
        match of(group) {
            Want::Some(wanted) => Some(wanted),
            Want::All => match of(EVERYTHING) {
                Want::Some(wanted) => Some(wanted),
                _ => None,
            },
            Want::Nothing | Want::Unknown => None,
        }
    }

    fn want(&mut self, group: u32, text: usize, patterns: &Patterns) -> Want {
        let heads = &self.groups[group as usize].heads;
        let has = |head: &usize| heads[self.bit(*head) / 64] >> (self.bit(*head) % 64) & 1 != 0;
        let of = &self.patterns[text];
        let mut some: Vec<u32> = (0..of.len())
            .filter(has)
            .flat_map(|head| &of[head])
            .copied()
            .collect();
        some.sort_unstable();
        some.dedup();
        if some.is_empty() {
            return Want::Nothing;
        }
        let wanted = patterns.want(some.iter().copied());
        if group == EVERYTHING {
            return Want::Some(Box::new(wanted));
        }
        match self.left.checked_sub(wanted.size()) {
            Some(left) => {
                self.left = left;
                Want::Some(Box::new(wanted))
            }
            None => {
                self.left = 0;
                self.wanted(EVERYTHING, text, patterns);
                Want::All
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::patterns::{Pattern, Sought};
    use super::*;
    use proptest::prelude::*;

    fn letters(count: u8) -> Patterns {
        let one = |byte| Sought {
            pattern: Pattern {
                bytes: vec![byte],
                nocase: false,
            },
            from: 0,
            until: None,
            at_end: false,
        };
        Patterns::new((0..count).map(one).collect())
    }

    proptest! {
        #[test]
        fn rows_are_searched_for_what_their_classes_leave(
            checks in prop::collection::vec(prop::collection::vec((0..2u32, 0..5u32, 0..5u32), 0..3), 1..100),
            classes in prop::collection::vec((0..5u32, 0..5u32), 1..20),
            left in prop_oneof![Just(0), Just(200), Just(WANTED_BYTES_MAX)],
        ) {
            let ranges = |checks: &Vec<(u32, u32, u32)>| -> Vec<Ranges> {
                let mut of: Vec<Ranges> = checks
                    .iter()
                    .map(|(dimension, a, b)| (*dimension, vec![(*a.min(b), *a.max(b))]))
                    .collect();
                of.sort();
                of.dedup_by_key(|(dimension, _)| *dimension);
                of
            };
            let all: Vec<Vec<Ranges>> = checks.iter().map(ranges).collect();
            let numbers: Vec<u32> = (0..all.len() as u32).collect();
            let conditions = all.iter().cloned().zip(numbers.chunks(1)).map(|(checks, at)| (checks, 0, at));
            let mut patterns = letters(all.len() as u8);
            let mut heads = Heads::new(&[5, 5], 1, conditions);
            heads.left = left;
            for (a, b) in classes {
                let group = heads.group_of(&[a, b]);
                let mut found = Vec::new();
                let text: Vec<u8> = (0..all.len() as u8).collect();
                if let Some(wanted) = heads.wanted(group, 0, &patterns) {
                    let texts = std::iter::once((0, &text[..]));
                    patterns.scan(wanted, texts, |_, pattern, _| found.push(pattern));
                }
                let holds = |checks: &Vec<Ranges>| checks.iter().all(|(dimension, ranges)| {
                    let class = [a, b][*dimension as usize];
                    ranges.iter().any(|(low, high)| *low <= class && class <= *high)
                });
                let expected: Vec<u32> =
                    all.iter().zip(0..).filter(|(checks, _)| holds(checks)).map(|(_, at)| at).collect();
                prop_assert_eq!(group == NOTHING, expected.is_empty());
                prop_assert!(expected.iter().all(|at| found.contains(at)));
            }
        }
    }

    #[test]
    fn heads_and_groups_beyond_the_most_are_searched_for_more() {
        // Each head asks for a class of its own, of more classes than there are groups.
        let count = 2 * HEADS_MAX as u32;
        let numbers: Vec<u32> = (0..8).collect();
        let check = |at: u32| {
            (
                vec![(0, vec![(at, at)])],
                0,
                &numbers[at as usize % 8..][..1],
            )
        };
        let mut heads = Heads::new(&[count], 1, (0..count).map(check));
        let patterns = letters(8);
        for class in 0..count {
            let group = heads.group_of(&[class]);
            assert_ne!(group, NOTHING);
            assert!(heads.wanted(group, 0, &patterns).is_some());
        }
        assert_eq!(heads.groups.len(), GROUPS_MAX);
        assert!(heads.group_of(&[GROUPS_MAX as u32 - 3]) > NOTHING);
        assert_eq!(heads.group_of(&[GROUPS_MAX as u32 - 2]), EVERYTHING);
    }
}
