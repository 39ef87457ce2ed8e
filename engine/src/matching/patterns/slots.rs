//! From the value of a window to a number, in as little memory as can be: what it is looked up in
//! should stay in cache.

use super::window::spread;

/// Values with a number each, which is not 0.
#[derive(Default)]
pub(super) struct Slots {
    /// The value and its number; 0 where there is none. A value stands where its hash says, or
    /// behind.
    slots: Box<[(u32, u32)]>,
    shift: u32,
}

impl Slots {
    /// Of different values.
    pub(super) fn new(values: &[(u32, u32)]) -> Slots {
        if values.is_empty() {
            return Slots::default();
        }
        // A third is free at least.
        let bits = (values.len() * 3 / 2 + 1).ilog2() + 1;
        let mut slots = Slots {
            slots: vec![(0, 0); 1 << bits].into(),
            shift: 32 - bits,
        };
        for (value, number) in values {
            let mut at = slots.place(*value);
            while slots.slots[at].1 != 0 {
                at = slots.next(at);
            }
            slots.slots[at] = (*value, *number);
        }
        slots
    }

    #[inline(always)]
    fn place(&self, value: u32) -> usize {
        (spread(value) >> self.shift) as usize
    }

    #[inline(always)]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The number of a value; 0 where it has none.
    #[inline(always)]
    pub(super) fn get(&self, value: u32) -> u32 {
        if self.slots.is_empty() {
            return 0;
        }
        let mut at = self.place(value);
        loop {
            let (known, number) = self.slots[at];
            if known == value || number == 0 {
                return number;
            }
            at = self.next(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_have_their_numbers(
            mut values in prop::collection::vec(prop_oneof![0..300u32, any::<u32>()], 0..300),
            others in prop::collection::vec(prop_oneof![0..300u32, any::<u32>()], 0..50),
        ) {
            values.sort_unstable();
            values.dedup();
            let numbered: Vec<(u32, u32)> = values.iter().copied().zip(1..).collect();
            let slots = Slots::new(&numbered);
            for (value, number) in &numbered {
                prop_assert_eq!(slots.get(*value), *number);
            }
            for other in others.iter().filter(|other| !values.contains(other)) {
                prop_assert_eq!(slots.get(*other), 0);
            }
        }
    }
}
