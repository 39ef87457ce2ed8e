//! Sets of numbers as ranges: what groups of addresses and ports come to.

/// A number that ranges can be of.
pub trait Bound: Copy + Ord {
    /// The least number.
    const LOWEST: Self;
    /// The greatest number.
    const HIGHEST: Self;
    /// The number behind this one, if there is one.
    fn next(self) -> Option<Self>;
    /// The number before this one, if there is one.
    fn previous(self) -> Option<Self>;
}

macro_rules! bounds {
    ($($type:ty),*) => { $(
        impl Bound for $type {
            const LOWEST: $type = <$type>::MIN;
            const HIGHEST: $type = <$type>::MAX;
            fn next(self) -> Option<$type> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<$type> {
                self.checked_sub(1)
            }
        }
    )* };
}

bounds!(u16, u32, u128);

/// A set of numbers: ranges with both ends in, ascending, with something between each two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ranges<T>(Vec<(T, T)>);

impl<T: Bound> Ranges<T> {
    /// No number.
    pub fn none() -> Ranges<T> {
        Ranges(Vec::new())
    }

    /// Every number.
    pub fn all() -> Ranges<T> {
        Ranges(vec![(T::LOWEST, T::HIGHEST)])
    }

    /// The numbers of any of these ranges.
    pub fn new(mut ranges: Vec<(T, T)>) -> Ranges<T> {
        ranges.retain(|(low, high)| low <= high);
        ranges.sort_unstable();
        let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                // One that goes to the highest number has nothing behind it.
                Some((_, end)) if end.next().is_none_or(|behind| low <= behind) => {
                    *end = high.max(*end);
                }
                _ => merged.push((low, high)),
            }
        }
        Ranges(merged)
    }

    /// The ranges.
    pub fn ranges(&self) -> &[(T, T)] {
        &self.0
    }

    /// Whether there is no number in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all numbers are in it.
    pub fn is_all(&self) -> bool {
        self.0 == [(T::LOWEST, T::HIGHEST)]
    }

    /// Whether a number is in it.
    #[cfg(test)]
    pub fn contains(&self, number: T) -> bool {
        let at = self.0.partition_point(|(_, high)| *high < number);
        self.0.get(at).is_some_and(|(low, _)| *low <= number)
    }

    /// The numbers in any of these sets.
    pub fn any<'a>(sets: impl IntoIterator<Item = &'a Ranges<T>>) -> Ranges<T>
    where
        T: 'a,
    {
        let ranges = sets.into_iter().flat_map(|set| &set.0);
        Ranges::new(ranges.copied().collect())
    }

    /// The numbers that are not in it.
    pub fn not(&self) -> Ranges<T> {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut from = Some(T::LOWEST);
        for (low, high) in &self.0 {
            if let (Some(from), Some(before)) = (from, low.previous()) {
                gaps.push((from, before));
            }
            from = high.next();
        }
        gaps.extend(from.map(|from| (from, T::HIGHEST)));
        Ranges::new(gaps)
    }

    /// The numbers of this one that are not in the other.
    pub fn minus(&self, other: &Ranges<T>) -> Ranges<T> {
        Ranges::any([&self.not(), other]).not()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_as_sets_do() {
        // All sets of the numbers 0 to 4 at the low end, and likewise at the high end.
        for base in [0, u16::MAX - 4] {
            let set = |bits: u32| {
                let members = (0..5).filter(|at| bits >> at & 1 == 1);
                Ranges::new(members.map(|at| (base + at, base + at)).collect())
            };
            for left in 0..32 {
                for right in 0..32 {
                    let (a, b) = (set(left), set(right));
                    for at in 0..5 {
                        let (x, y) = (left >> at & 1 == 1, right >> at & 1 == 1);
                        assert_eq!(a.contains(base + at), x);
                        assert_eq!(Ranges::any([&a, &b]).contains(base + at), x || y);
                        assert_eq!(a.minus(&b).contains(base + at), x && !y);
                        assert_eq!(a.not().contains(base + at), !x);
                    }
                    assert_eq!(a == b, left == right);
                }
            }
        }
        assert!(Ranges::<u128>::none().not().is_all());
        assert!(Ranges::<u128>::all().not().is_empty());
        assert_eq!(
            Ranges::new(vec![(3u16, 9), (1, 2), (20, 10)]).ranges(),
            [(1, 9)]
        );
    }
}
