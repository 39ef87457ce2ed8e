//! All that a condition asks of the classes of a row, side by side: compared at once.

/// Classes of a row by dimension, as far as there are so many. What is higher than fits stands at the
/// end.
pub(super) type Corner = [u16; DIMENSIONS];

/// The dimensions compared; those beyond are looked at later.
pub(super) const DIMENSIONS: usize = 8;

/// A class in a narrower type, in the same order.
#[inline(always)]
pub(super) fn narrow(class: u32) -> u16 {
    class.min(u16::MAX.into()) as u16
}

/// For each dimension the lowest and the highest class that a condition allows.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Bounds {
    low: Corner,
    high: Corner,
}

impl Bounds {
    /// Any class of any dimension.
    pub(super) const ANY: Bounds = Bounds {
        low: [0; DIMENSIONS],
        high: [u16::MAX; DIMENSIONS],
    };

    /// Allows only classes from one to another; false where that is not all that is to be said.
    pub(super) fn cut(&mut self, dimension: u32, low: u32, high: u32) -> bool {
        let at = dimension as usize;
        let told = at < DIMENSIONS && high < u16::MAX.into();
        if at < DIMENSIONS {
            self.low[at] = narrow(low);
            self.high[at] = narrow(high);
        }
        told
    }

    /// Whether a row is within: no branch, so that the next one is looked at meanwhile.
    #[inline(always)]
    pub(super) fn hold(&self, row: &Corner) -> bool {
        let mut outside: Corner = [0; DIMENSIONS];
        for at in 0..DIMENSIONS {
            outside[at] =
                self.low[at].saturating_sub(row[at]) | row[at].saturating_sub(self.high[at]);
        }
        outside == [0; DIMENSIONS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_within_all_bounds_hold(
            cuts in prop::collection::vec((0..9u32, 0..6u32, 0..6u32), 0..5),
            row in prop::collection::vec(0..6u32, 9),
        ) {
            let mut bounds = Bounds::ANY;
            let mut wanted = [(0, u32::MAX); 9];
            for (dimension, a, b) in cuts {
                let (low, high) = (a.min(b), a.max(b));
                prop_assert_eq!(bounds.cut(dimension, low, high), dimension < 8);
                wanted[dimension as usize] = (low, high);
            }
            let mut corner = [0; DIMENSIONS];
            (0..DIMENSIONS).for_each(|at| corner[at] = narrow(row[at]));
            let mut within = row.iter().zip(&wanted[..DIMENSIONS]);
            let within = within.all(|(class, (low, high))| low <= class && class <= high);
            prop_assert_eq!(bounds.hold(&corner), within);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_ruled_out() {
        let mut bounds = Bounds::ANY;
        assert!(!bounds.cut(1, 70_000, 80_000));
        let row = |class: u32| [0, narrow(class), 0, 0, 0, 0, 0, 0];
        assert!(bounds.hold(&row(75_000)));
        assert!(bounds.hold(&row(90_000)));
        assert!(!bounds.hold(&row(65_000)));
    }
}
