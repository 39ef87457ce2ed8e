//! Time stamps in the units of an interface.

const NANOS: i64 = 1_000_000_000;
/// The decimal places of nanoseconds.
const NANO_DIGITS: u32 = 9;

/// What an interface's time stamps count, from when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    unit: Unit,
    /// The largest stamp that is a time of 64 bits of nanoseconds, the offset aside.
    most: u64,
    /// Nanoseconds to be added.
    offset: i64,
    digits: u8,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    /// So many nanoseconds.
    Times(u64),
    /// So many of them are a nanosecond.
    Fraction(u64),
    /// A negative power of two of a second.
    Binary(u32),
}

impl Units {
    /// What holds unless an interface says otherwise.
    pub(super) const MICROSECONDS: Units = Units {
        unit: Unit::Times(1000),
        most: i64::MAX as u64 / 1000,
        offset: 0,
        digits: 6,
    };

    /// The units of the options if_tsresol and if_tsoffset, the latter in seconds.
    pub(super) fn new(resolution: u8, offset: i64) -> Units {
        let power = u32::from(resolution & 0x7f);
        let (unit, most, digits) = if resolution & 0x80 != 0 {
            // 2^-64 of a second and less are below a nanosecond whatever the stamp.
            let power = power.min(127);
            let most = (i128::from(i64::MAX) << power) / i128::from(NANOS);
            let most = if power > 90 {
                u64::MAX
            } else {
                most.try_into().unwrap_or(u64::MAX)
            };
            // So many decimal places tell as much.
            let digits = (f64::from(power) * std::f64::consts::LOG10_2).ceil();
            (Unit::Binary(power), most, digits as u8)
        } else if power <= NANO_DIGITS {
            let nanos = 10u64.pow(NANO_DIGITS - power);
            (Unit::Times(nanos), i64::MAX as u64 / nanos, power as u8)
        } else {
            match 10u64.checked_pow(power - NANO_DIGITS) {
                Some(parts) => {
                    let most = (i64::MAX as u64).saturating_mul(parts);
                    (Unit::Fraction(parts), most, power as u8)
                }
                // No stamp comes up to a nanosecond.
                None => (Unit::Binary(127), u64::MAX, power as u8),
            }
        };
        Units {
            unit,
            most,
            offset: offset.saturating_mul(NANOS),
            digits,
        }
    }

    /// The digits of the fraction of a second.
    pub(super) fn digits(self) -> u8 {
        self.digits
    }

    /// A stamp as nanoseconds since 1970; none where these are too many.
    #[inline(always)]
    pub(crate) fn time(self, ticks: u64) -> Option<i64> {
        if ticks > self.most {
            return None;
        }
        let nanos = match self.unit {
            Unit::Times(nanos) => ticks * nanos,
            _ => self.smaller(ticks),
        };
        self.offset.checked_add_unsigned(nanos)
    }

    /// A time as a stamp, where units are whole nanoseconds from 1970 on; what is below a unit is cut.
    pub(crate) fn ticks(self, ts: i64) -> Option<u64> {
        match self.unit {
            Unit::Times(nanos) if self.offset == 0 => Some(u64::try_from(ts).ok()? / nanos),
            _ => None,
        }
    }

    /// The nanoseconds of units that may be smaller.
    #[cold]
    fn smaller(self, ticks: u64) -> u64 {
        match self.unit {
            Unit::Times(nanos) => ticks * nanos,
            Unit::Fraction(parts) => ticks / parts,
            Unit::Binary(power) => ((u128::from(ticks) * NANOS as u128) >> power) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_the_options_say() {
        for (resolution, offset, ticks, expected) in [
            (6, 0, 1_700_000_000_000_001, Some(1_700_000_000_000_001_000)),
            (9, 0, 5, Some(5)),
            (0, 0, 3, Some(3 * NANOS)),
            (3, -2, 1500, Some(-NANOS / 2)),
            (12, 0, 1_999, Some(1)),
            (127, 0, u64::MAX, Some(0)),
            (0x80 | 10, 1, 512, Some(NANOS + NANOS / 2)),
            (0x80 | 127, 0, u64::MAX, Some(0)),
            (0x80, 0, 2, Some(2 * NANOS)),
            (6, 0, u64::MAX, None),
            (0, i64::MAX, 0, Some(i64::MAX)),
            (0, i64::MAX, 1, None),
            (0, i64::MIN, 0, Some(i64::MIN)),
        ] {
            let units = Units::new(resolution, offset);
            assert_eq!(units.time(ticks), expected, "{resolution} {offset} {ticks}");
        }
        assert_eq!(Units::new(0x80 | 20, 0).digits(), 7);
        assert_eq!(Units::new(9, 0).digits(), 9);
    }

    #[test]
    fn no_stamp_overflows() {
        for resolution in 0..=u8::MAX {
            for offset in [i64::MIN, -1, 0, 1, i64::MAX] {
                let units = Units::new(resolution, offset);
                let most = units.most;
                for ticks in [0, 1, most, most.saturating_add(1), u64::MAX] {
                    let _ = units.time(ticks);
                }
            }
        }
    }
}
