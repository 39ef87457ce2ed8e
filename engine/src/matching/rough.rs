//! What a condition asks of the classes of a row, in 32 bits: nearly all candidates are told by that, and
//! it stands beside them.

use super::bounds::{Bounds, DIMENSIONS};

/// For each dimension the steps that a condition allows, a bit each. Of a row, the steps that its classes
/// are on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rough(u32);

/// The classes of a dimension, in order, as a few steps.
pub(super) struct Scale {
    /// By class the bit of its step.
    bits: Vec<u8>,
    /// All bits of the dimension.
    all: u32,
}

/// Scales of dimensions, as far as they are compared at once; `sums` says for each class of a dimension
/// how often those below it are met, and at its end how often all are.
pub(super) fn scales(sums: &[Vec<u64>]) -> Vec<Scale> {
    let count = sums.len().clamp(1, DIMENSIONS);
    let steps = u32::BITS as usize / count;
    let scale = |(at, sums): (usize, &Vec<u64>)| Scale::new(sums, at * steps, steps);
    sums.iter().take(count).enumerate().map(scale).collect()
}

impl Scale {
    /// Steps that rows are on one as often as another.
    fn new(sums: &[u64], first: usize, steps: usize) -> Scale {
        let total = u128::from(sums.last().copied().unwrap_or(0).max(1));
        let few = sums.len() <= steps;
        let step = |(class, ends): (usize, &[u64])| match few {
            true => class,
            // A class that is met often has a step of its own.
            false => {
                let middle = (u128::from(ends[0]) + u128::from(ends[1])) / 2;
                (middle * (steps as u128 - 1) / total) as usize
            }
        };
        let steps_of = sums.windows(2).enumerate().map(step);
        Scale {
            bits: steps_of.map(|step| (first + step) as u8).collect(),
            all: (u32::MAX >> (u32::BITS as usize - steps)) << first,
        }
    }

    /// The steps from the lowest class to the highest; what does not fit in a narrow class stands at
    /// its end.
    fn between(&self, low: u16, high: u16) -> u32 {
        let last = self.bits.len().saturating_sub(1);
        let bit = |class: u16| {
            self.bits
                .get(usize::from(class).min(last))
                .copied()
                .unwrap_or(0)
        };
        let high = match high {
            u16::MAX => self.all,
            _ => !((u32::MAX << bit(high)) << 1),
        };
        (u32::MAX << bit(low)) & high & self.all
    }
}

impl Rough {
    /// No class is known.
    pub(super) const NOTHING: Rough = Rough(0);

    /// What bounds ask.
    pub(super) fn of(bounds: &Bounds, scales: &[Scale]) -> Rough {
        let mut allowed = u32::MAX;
        for (at, scale) in scales.iter().enumerate() {
            let (low, high) = bounds.of(at);
            allowed &= !scale.all | scale.between(low, high);
        }
        Rough(allowed)
    }

    /// Puts the classes of rows in a dimension.
    pub(super) fn put(rows: &mut [Rough], scale: &Scale, classes: &[u32]) {
        for (rough, class) in rows.iter_mut().zip(classes) {
            rough.0 |= 1 << (scale.bits[*class as usize] & 31);
        }
    }

    /// Whether a row may be within: no branch, so that the next one is looked at meanwhile.
    #[inline(always)]
    pub(super) fn may_hold(self, row: Rough) -> bool {
        row.0 & !self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_within_bounds_may_hold(
            met in prop::collection::vec((0..500usize, 0..1000u64), 0..40),
            count in 1..600usize,
            cuts in prop::collection::vec((0..8u32, 0..600u32, 0..600u32), 0..4),
            row in prop::collection::vec(0..600u32, 8),
        ) {
            let mut sums = vec![0];
            for class in 0..count {
                let often = met.iter().filter(|(at, _)| at % count == class);
                sums.push(sums[class] + 1 + often.map(|(_, n)| n).sum::<u64>());
            }
            let scales = scales(&vec![sums; 7]);
            let class = |class: u32| class % count as u32;
            let mut bounds = Bounds::ANY;
            let mut within = true;
            let mut wanted = [None; 8];
            for (dimension, a, b) in cuts {
                let (low, high) = (class(a).min(class(b)), class(a).max(class(b)));
                bounds.cut(dimension, low, high);
                wanted[dimension as usize] = Some((low, high));
            }
            let mut rows = vec![Rough::NOTHING];
            for (at, wanted) in wanted.iter().enumerate() {
                let own = class(row[at]);
                within &= wanted.is_none_or(|(low, high)| low <= own && own <= high);
                if let Some(scale) = scales.get(at) {
                    Rough::put(&mut rows, scale, &[own]);
                }
            }
            let rough = Rough::of(&bounds, &scales);
            prop_assert!(!within || rough.may_hold(rows[0]));
            // With few classes, and a scale for each, there is nothing else to it.
            if count <= 4 && wanted[7].is_none() {
                prop_assert_eq!(rough.may_hold(rows[0]), within);
            }
        }
    }

    #[test]
    fn a_class_that_is_met_often_has_its_own_step() {
        let mut sums: Vec<u64> = (0..=1000).collect();
        sums[701..].iter_mut().for_each(|sum| *sum += 200);
        let all = scales(&[sums.clone(), sums]);
        for scale in all {
            assert!(scale.bits[699] < scale.bits[700] && scale.bits[700] < scale.bits[701]);
            assert!((0..999).all(|class| scale.bits[class] <= scale.bits[class + 1]));
        }
    }
}
