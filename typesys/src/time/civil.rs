//! Moments as a calendar and a clock show them: the Gregorian calendar, in all years.

use super::{DAY, NANOS, two};

/// A moment as a calendar and a clock show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year; 0 is the year before 1.
    pub year: i64,
    /// From 1.
    pub month: u32,
    /// The day of the month, from 1.
    pub day: u32,
    /// The day, counted from 1970-01-01.
    pub days: i64,
    /// From 0.
    pub second_of_day: u32,
    /// Below a second.
    pub nanos: u32,
    /// Seconds east of Greenwich.
    pub offset: i64,
}

impl Civil {
    /// What clocks show that are so many seconds ahead of universal time.
    pub(super) fn new(nanos: i64, offset: i64) -> Civil {
        let local = nanos.div_euclid(NANOS) + offset;
        let days = local.div_euclid(DAY);
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            days,
            second_of_day: local.rem_euclid(DAY) as u32,
            nanos: nanos.rem_euclid(NANOS) as u32,
            offset,
        }
    }

    /// The day of the week; 0 is Sunday.
    pub fn weekday(&self) -> u32 {
        weekday(self.days)
    }

    /// The day of the year, from 1.
    pub fn day_of_year(&self) -> u32 {
        (self.days - days_of(self.year, 1, 1) + 1) as u32
    }

    /// Writes the date as in `2000-03-25`.
    pub fn write_date(&self, out: &mut Vec<u8>) {
        let year = self.year.unsigned_abs() as u32;
        if self.year < 0 {
            out.push(b'-');
        }
        two(year / 100, out);
        two(year % 100, out);
        out.push(b'-');
        two(self.month, out);
        out.push(b'-');
        two(self.day, out);
    }

    /// Writes the time of day as in `12:13:29`.
    pub fn write_clock(&self, out: &mut Vec<u8>) {
        two(self.second_of_day / 3600, out);
        out.push(b':');
        two(self.second_of_day / 60 % 60, out);
        out.push(b':');
        two(self.second_of_day % 60, out);
    }

    /// Writes the offset from universal time as in `-07:00`.
    pub fn write_offset(&self, out: &mut Vec<u8>) {
        let minutes = (self.offset.unsigned_abs() / 60) as u32;
        out.push(if self.offset < 0 { b'-' } else { b'+' });
        two(minutes / 60, out);
        out.push(b':');
        two(minutes % 60, out);
    }
}

/// The day of the week of a day counted from 1970-01-01, which was a Thursday; 0 is Sunday.
pub(super) fn weekday(days: i64) -> u32 {
    (days + 4).rem_euclid(7) as u32
}

/// How many days a month has.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The date of a day counted from 1970-01-01; source: Howard Hinnant, "chrono-compatible low-level
/// date algorithms", as the next function.
pub(super) fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    } as u32;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The day of a date, counted from 1970-01-01. The month is one from 1 to 12; the day may be any,
/// and counts on from the first of the month.
pub fn days_of(year: i64, month: u32, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        let mut expected = days_of(-401, 1, 1);
        for year in -401..=2801 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_of(year, month, day.into()), expected);
                    assert_eq!(date_of(expected), (year, month, day));
                    expected += 1;
                }
            }
        }
        assert_eq!(days_of(1970, 1, 1), 0);
    }

    #[test]
    fn days_of_the_week_and_year() {
        let day = |date: (i64, u32, u32)| {
            let days = days_of(date.0, date.1, date.2.into());
            let civil = Civil::new(days * DAY * NANOS, 0);
            (civil.weekday(), civil.day_of_year())
        };
        assert_eq!(day((2000, 3, 25)), (6, 85));
        assert_eq!(day((2024, 12, 31)), (2, 366));
        assert_eq!(day((1969, 12, 28)), (0, 362));
    }
}
