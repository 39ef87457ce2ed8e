//! Sequence numbers of messages: what is missing was lost.

use super::fault::{Fault, Faults};

/// A message that is at most so far behind came late; one further behind is of an exporter that
/// began anew.
const LATE_MAX: u32 = 10_000;

/// What the next message's number should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) expected: Option<u32>,
    /// What was counted as lost since the exporter began and did not come late.
    pub(super) missed: u64,
}

impl Sequence {
    /// Takes in the number of a message that counts `own`; counts as `fault` what is missing.
    pub(super) fn take(&mut self, number: u32, own: u32, fault: Fault, faults: &mut Faults) {
        let next = number.wrapping_add(own);
        let Some(expected) = self.expected else {
            self.expected = Some(next);
            return;
        };
        let missing = number.wrapping_sub(expected);
        let behind = expected.wrapping_sub(number);
        if missing == 0 {
            self.expected = Some(next);
        } else if behind <= LATE_MAX {
            // It was counted as lost when the one behind it came.
            faults.count(Fault::Reordered);
            let late = self.missed.min(own.into());
            faults.take_back(fault, late);
            self.missed -= late;
        } else if missing < 1 << 31 {
            faults.add(fault, missing.into());
            self.missed = self.missed.saturating_add(missing.into());
            self.expected = Some(next);
        } else {
            // What the exporter sent before comes no more.
            faults.count(Fault::Reordered);
            (self.expected, self.missed) = (Some(next), 0);
        }
    }

    /// The next message may have any number.
    pub(super) fn forget(&mut self) {
        self.expected = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_losses_and_late_messages_are_not() {
        let (mut sequence, mut faults) = (Sequence::default(), Faults::default());
        let mut take = |number: u32| {
            sequence.take(number, 10, Fault::LostFlows, &mut faults);
            faults.get(Fault::LostFlows)
        };
        assert_eq!([take(100), take(110), take(140)], [0, 0, 20]);
        assert_eq!([take(120), take(150)], [10, 10]);
        // A start far behind, and the end of the numbers.
        assert_eq!(
            [take(100_150), take(5), take(15)],
            [100_000, 100_000, 100_000]
        );
        assert_eq!(faults.get(Fault::Reordered), 2);
        let mut sequence = Sequence::default();
        let mut faults = Faults::default();
        for number in [u32::MAX - 9, 0, 10] {
            sequence.take(number, 10, Fault::LostFlows, &mut faults);
        }
        assert!(faults.list().is_empty());
    }

    #[test]
    fn what_another_one_lost_is_not_taken_back() {
        let (mut one, mut other) = (Sequence::default(), Sequence::default());
        let mut faults = Faults::default();
        for number in [0, 500] {
            one.take(number, 10, Fault::LostFlows, &mut faults);
        }
        // It begins anew, a little behind: nothing of its own was lost.
        for number in [5000, 0, 10, 20] {
            other.take(number, 10, Fault::LostFlows, &mut faults);
        }
        assert_eq!(faults.get(Fault::LostFlows), 490);
        // One that begins anew far behind does not find what it lost before.
        for number in [1_000_000, 0, 100, 30, 40] {
            one.take(number, 10, Fault::LostFlows, &mut faults);
        }
        assert_eq!(faults.get(Fault::LostFlows), 490 + 999_490 + 90 - 20);
    }
}
