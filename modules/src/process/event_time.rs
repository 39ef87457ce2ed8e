//! How far data time has come, row by row, whatever its rows are divided into.
//!
//! The watermark follows the latest time seen. A time far beyond it may be a fault of one clock, so
//! it moves nothing until those that follow confirm it.

use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Value;

/// A time that is so much later than all before is not believed at once: an hour.
const FAR: i64 = 3_600_000_000_000;
/// So many in a row are believed.
const CONFIRMED: u64 = 3;

/// The latest time that is believed.
#[derive(Clone, Default)]
pub(super) struct EventTime {
    latest: Option<i64>,
    /// The earliest of those that are not believed yet, and how many they are.
    suspect: Option<(i64, u64)>,
}

impl EventTime {
    /// Takes the time of a row. Gives the latest time that is believed.
    pub(super) fn take(&mut self, time: i64) -> Option<i64> {
        if let Some(latest) = self.latest
            && time <= latest.saturating_add(FAR)
        {
            self.suspect = None;
            self.latest = Some(latest.max(time));
            return self.latest;
        }
        let (earliest, count) = match self.suspect {
            Some((earliest, count)) if is_near(earliest, time) => (earliest.min(time), count + 1),
            _ => (time, 1),
        };
        self.suspect = Some((earliest, count));
        if count >= CONFIRMED {
            self.latest = self.latest.max(Some(earliest));
            self.suspect = None;
        }
        self.latest
    }

    /// Takes what a source says of time: nothing earlier comes any more.
    pub(super) fn advance(&mut self, time: i64) -> Option<i64> {
        self.latest = self.latest.max(Some(time));
        self.latest
    }

    pub(super) fn save(&self, out: &mut Writer) {
        let value = |time: Option<i64>| time.map_or(Value::Absent, Value::Time);
        out.value(&value(self.latest));
        out.value(&value(self.suspect.map(|(earliest, _)| earliest)));
        out.number(self.suspect.map_or(0, |(_, count)| count));
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<EventTime, Error> {
        let time = |value| match value {
            Value::Time(time) => Some(time),
            _ => None,
        };
        let latest = time(from.value()?);
        let earliest = time(from.value()?);
        let count = from.number()?;
        Ok(EventTime {
            latest,
            suspect: earliest.map(|earliest| (earliest, count)),
        })
    }
}

fn is_near(a: i64, b: i64) -> bool {
    a.abs_diff(b) <= FAR.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = FAR;

    fn believed(times: &[i64]) -> Vec<Option<i64>> {
        let mut clock = EventTime::default();
        times.iter().map(|time| clock.take(*time)).collect()
    }

    #[test]
    fn one_time_far_ahead_moves_nothing() {
        // The first ones have to be confirmed too.
        let start = [None, None, Some(1)];
        assert_eq!(believed(&[1, 2, 3]), start);
        let far = 10 * HOUR;
        let times = [1, 2, 3, far, 4, far, far, 5, far, far + 1, far + 2, 6];
        let expected = [
            None,
            None,
            Some(1),
            Some(1),
            Some(4),
            Some(4),
            Some(4),
            Some(5),
            Some(5),
            Some(5),
            Some(far),
            Some(far),
        ];
        assert_eq!(believed(&times), expected);
    }

    #[test]
    fn a_first_time_that_is_wrong_is_forgotten() {
        let far = 100 * HOUR;
        assert_eq!(believed(&[far, 1, 2, 3]), [None, None, None, Some(1)]);
        assert_eq!(believed(&[i64::MAX, i64::MIN, i64::MAX, 0]), [None; 4]);
    }
}
