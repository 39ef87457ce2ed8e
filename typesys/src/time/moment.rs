//! From what a phrase says to the moment that it means.

use super::civil::{date_of, days_in_month, days_of, weekday};
use super::words::Unit;
use super::{DAY, NANOS, Zone, to_nanos};

/// What was read of a phrase.
#[derive(Default)]
pub(super) struct Phrase {
    pub(super) date: Option<Date>,
    pub(super) clock: Option<Clock>,
    /// Which day of the week, and the how manyth.
    pub(super) weekday: Option<(u32, i64)>,
    /// Seconds east of Greenwich.
    pub(super) zone: Option<i64>,
    pub(super) distance: Option<Distance>,
}

#[derive(Clone, Copy)]
pub(super) struct Date {
    pub(super) year: Option<i64>,
    pub(super) month: i64,
    pub(super) day: i64,
}

#[derive(Clone, Copy)]
pub(super) struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Distance {
    years: i64,
    months: i64,
    days: i64,
    seconds: i64,
    nanos: i64,
}

/// Puts a value where there was none before.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

impl Clock {
    pub(super) fn new(hour: i64, minute: i64, second: i64, nanos: i64) -> Option<Clock> {
        let is_clock = hour < 24 && minute < 60 && second <= 60;
        is_clock.then_some(Clock {
            hour,
            minute,
            second,
            nanos,
        })
    }

    fn second_of_day(self) -> i64 {
        self.hour * 3600 + self.minute * 60 + self.second
    }
}

impl Phrase {
    /// Sets the date if it is one and there is none yet.
    pub(super) fn set_date(&mut self, date: Date) -> Option<()> {
        let year = date.year.unwrap_or(2000);
        let month = u32::try_from(date.month).ok()?;
        // Nanoseconds end long before these years do.
        let sensible = (0..=9999).contains(&year) && (1..=12).contains(&month);
        if !sensible || !(1..=i64::from(days_in_month(year, month))).contains(&date.day) {
            return None;
        }
        once(&mut self.date, date)
    }

    /// Adds to the distance.
    pub(super) fn add(&mut self, count: i64, nanos: i64, unit: Unit) -> Option<()> {
        let distance = self.distance.get_or_insert_default();
        let (place, count) = match unit {
            Unit::Years => (&mut distance.years, Some(count)),
            Unit::Months => (&mut distance.months, Some(count)),
            Unit::Days(days) => (&mut distance.days, count.checked_mul(days)),
            Unit::Seconds(seconds) => (&mut distance.seconds, count.checked_mul(seconds)),
        };
        *place = count.and_then(|count| place.checked_add(count))?;
        distance.nanos = distance.nanos.checked_add(nanos)?;
        Some(())
    }

    /// The moment that the phrase means; now is the zone's.
    pub(super) fn moment(&self, zone: &Zone) -> Option<i64> {
        let now = zone.civil(zone.now());
        let days = self.day(now.days, now.year)?;
        let only_distances = self.date.is_none() && self.weekday.is_none();
        let (second, nanos) = match self.clock {
            Some(clock) => (clock.second_of_day(), clock.nanos as u32),
            None if only_distances => (i64::from(now.second_of_day), now.nanos),
            None => (0, 0),
        };
        let local = days * DAY + second;
        let moment = match self.zone {
            Some(east) => to_nanos(local - east, nanos),
            // What clocks show twice today is the one that they show now.
            None if only_distances => zone.resolve_near(&now, local, nanos),
            None => zone.resolve(local, nanos),
        };
        let distance = self.distance.unwrap_or_default();
        let wide = i128::from(moment?)
            + i128::from(distance.seconds) * i128::from(NANOS)
            + i128::from(distance.nanos);
        i64::try_from(wide).ok()
    }

    /// The day that the phrase means, counted from 1970-01-01.
    fn day(&self, today: i64, this_year: i64) -> Option<i64> {
        let mut days = today;
        if let Some(date) = self.date {
            let (year, month) = (date.year.unwrap_or(this_year), date.month as u32);
            if date.day > i64::from(days_in_month(year, month)) {
                return None;
            }
            days = days_of(year, month, date.day);
        } else if let Some((wanted, ordinal)) = self.weekday {
            let ahead = (i64::from(wanted) - i64::from(weekday(days))).rem_euclid(7);
            // The first one from today on: today itself only where no count asks for more.
            let weeks = ordinal - i64::from(ordinal > 0 && ahead != 0);
            days = weeks.checked_mul(7)?.checked_add(days + ahead)?;
        }
        let distance = self.distance.unwrap_or_default();
        if (distance.years, distance.months) != (0, 0) {
            // Beyond this there are no times, and dates need not be computed.
            const MONTHS_MAX: i64 = 10_000 * 12;
            let months = distance.years.checked_mul(12)?;
            let months = months.checked_add(distance.months)?;
            let (year, month, day) = date_of(days);
            let months = months.checked_add(year * 12 + i64::from(month) - 1)?;
            if months.abs() > MONTHS_MAX {
                return None;
            }
            let month = months.rem_euclid(12) as u32 + 1;
            days = days_of(months.div_euclid(12), month, day.into());
        }
        const DAYS_MAX: i64 = 10_000 * 366;
        let days = days.checked_add(distance.days)?;
        (days.abs() <= DAYS_MAX).then_some(days)
    }
}
