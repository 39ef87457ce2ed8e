//! Parts of times as clocks in the zone show them.

use super::support::*;
use wireq_typesys::{Civil, Kind, Value, Zone, days_of};

pub(super) const TIME: FunctionParameter = one("TIME", Kind::Time, "The time.");

/// Declares functions that give a part of a time as clocks in the zone show it.
macro_rules! parts {
    ($($place:ident $name:literal $summary:literal $part:expr, $($example:literal $gives:literal),+;)*) => {$(
        pub(super) static $place: Function = Function {
            name: $name,
            summary: $summary,
            parameters: &[TIME],
            strict: true,
            kind: |kinds| takes(&$place, kinds, Kind::Signed),
            call: |values, zone| part(values, zone, $part),
            examples: &[$(($example, $gives)),+],
        };
    )*};
}

fn part(values: &[Value], zone: &Zone, part: fn(&Civil) -> i64) -> Value {
    time(values, 0).map_or(Value::Absent, |time| {
        Value::Integer(part(&zone.civil(time)).into())
    })
}

parts! {
    YEAR "year" "The year."
        |c| c.year, "year('2000-03-25 12:13:29')" "2000", "year('1969-12-31')" "1969";
    QUARTER "quarter" "The quarter of the year, from 1 to 4."
        |c| (i64::from(c.month) + 2) / 3, "quarter('2000-03-25')" "1", "quarter('2000-12-31')" "4";
    MONTH "month" "The month, from 1 to 12."
        |c| c.month.into(), "month('2000-03-25')" "3", "month('2000-12-31')" "12";
    WEEK "week" "The week of the year by ISO 8601: week 1 has the first Thursday."
        |c| iso_week(c).1, "week('2000-01-01')" "52", "week('2001-12-31')" "1";
    DAY "day" "The day of the month, from 1 to 31."
        |c| c.day.into(), "day('2000-03-25')" "25", "day('2000-12-31')" "31";
    DAY_OF_MONTH "dayofmonth" "The day of the month, from 1 to 31."
        |c| c.day.into(), "dayofmonth('2000-03-25')" "25", "dayofmonth('2000-12-31')" "31";
    DAY_OF_WEEK "dayofweek" "The day of the week; 0 is Sunday."
        |c| c.weekday().into(), "dayofweek('2000-03-25')" "6", "dayofweek('2000-03-26')" "0";
    WEEKDAY "weekday" "The day of the week; 0 is Sunday."
        |c| c.weekday().into(), "weekday('2000-03-25')" "6", "weekday('2000-03-26')" "0";
    ISO_DAY_OF_WEEK "isodow" "The day of the week; 1 is Monday, 7 Sunday."
        iso_weekday, "isodow('2000-03-25')" "6", "isodow('2000-03-26')" "7";
    DAY_OF_YEAR "dayofyear" "The day of the year, from 1 to 366."
        |c| c.day_of_year().into(), "dayofyear('2000-03-25')" "85", "dayofyear('2000-12-31')" "366";
    YEAR_WEEK "yearweek" "The year and week by ISO 8601, as in 200012."
        year_week, "yearweek('2000-03-25')" "200012", "yearweek('2000-01-01')" "199952";
    HOUR "hour" "The hour of the day, from 0 to 23."
        |c| i64::from(c.second_of_day) / 3600, "hour('2000-03-25 12:13:29')" "12", "hour('2000-03-25')" "0";
    MINUTE "minute" "The minute of the hour, from 0 to 59."
        |c| i64::from(c.second_of_day) / 60 % 60, "minute('2000-03-25 12:13:29')" "13", "minute('2000-03-25')" "0";
    SECOND "second" "The second of the minute, from 0 to 59, without its fraction."
        |c| nanos_of_minute(c) / 1_000_000_000, "second('2000-03-25 12:13:29.96')" "29", "second('2000-03-25')" "0";
    MILLISECOND "millisecond" "The millisecond of the minute, with its seconds."
        |c| nanos_of_minute(c) / 1_000_000, "millisecond('2000-03-25 12:13:29.360668')" "29360", "millisecond('2000-03-25')" "0";
    MICROSECOND "microsecond" "The microsecond of the minute, with its seconds."
        |c| nanos_of_minute(c) / 1000, "microsecond('2000-03-25 12:13:29.360668')" "29360668", "microsecond('2000-03-25')" "0";
}

/// 1 is Monday, 7 Sunday.
pub(super) fn iso_weekday(civil: &Civil) -> i64 {
    (i64::from(civil.weekday()) + 6) % 7 + 1
}

/// The year and the week of ISO 8601: those of the Thursday of the week.
pub(super) fn iso_week(civil: &Civil) -> (i64, i64) {
    let thursday = civil.days - iso_weekday(civil) + 4;
    let (mut year, mut first) = (civil.year + 1, days_of(civil.year + 1, 1, 1));
    while first > thursday {
        year -= 1;
        first = days_of(year, 1, 1);
    }
    (year, (thursday - first) / 7 + 1)
}

pub(super) fn year_week(civil: &Civil) -> i64 {
    let (year, week) = iso_week(civil);
    year * 100 + if year < 0 { -week } else { week }
}

pub(super) fn nanos_of_minute(civil: &Civil) -> i64 {
    i64::from(civil.second_of_day % 60) * 1_000_000_000 + i64::from(civil.nanos)
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(super) fn day_name(civil: &Civil) -> &'static str {
    DAYS[civil.weekday() as usize % 7]
}

pub(super) fn month_name(civil: &Civil) -> &'static str {
    MONTHS[(civil.month as usize + 11) % 12]
}

fn name(values: &[Value], zone: &Zone, name: fn(&Civil) -> &'static str) -> Value {
    time(values, 0).map_or(Value::Absent, |time| Value::text(name(&zone.civil(time))))
}

pub(super) static DAY_NAME: Function = Function {
    name: "dayname",
    summary: "The name of the day of the week.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&DAY_NAME, kinds, Kind::Text),
    call: |values, zone| name(values, zone, day_name),
    examples: &[
        ("dayname('2000-03-25')", "Saturday"),
        ("dayname('2000-03-26')", "Sunday"),
    ],
};

pub(super) static MONTH_NAME: Function = Function {
    name: "monthname",
    summary: "The name of the month.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&MONTH_NAME, kinds, Kind::Text),
    call: |values, zone| name(values, zone, month_name),
    examples: &[
        ("monthname('2000-03-25')", "March"),
        ("monthname('2000-12-31')", "December"),
    ],
};
