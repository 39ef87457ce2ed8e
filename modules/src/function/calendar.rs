//! Functions that cut, count and compare times by units of the calendar and the clock.

use super::cast::seconds;
use super::support::*;
use super::times::{TIME, iso_week, iso_weekday, nanos_of_minute, year_week};
use wireq_typesys::{Civil, Kind, Value, Zone, days_in_month, days_of};

pub(super) const DAY: i64 = 86_400;
pub(super) const SECOND: i64 = 1_000_000_000;

/// What may be asked of a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// So many years: 1, 10, 100 or 1000.
    Years(i64),
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    /// So many nanoseconds, less than those of a day.
    Nanos(i64),
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    YearWeek,
    Epoch,
}

/// The names of parts; those in the plural are read too.
static PARTS: &[(&[&str], Part)] = &[
    (&["millennium", "millennia", "mil"], Part::Years(1000)),
    (&["century", "centuries", "cent", "c"], Part::Years(100)),
    (&["decade", "dec"], Part::Years(10)),
    (&["year", "yr", "y"], Part::Years(1)),
    (&["isoyear"], Part::IsoYear),
    (&["quarter"], Part::Quarter),
    (&["month", "mon"], Part::Month),
    (&["week", "w"], Part::Week),
    (&["day", "d", "dayofmonth"], Part::Day),
    (&["hour", "hr", "h"], Part::Nanos(3600 * SECOND)),
    (&["minute", "min", "m"], Part::Nanos(60 * SECOND)),
    (&["second", "sec", "s"], Part::Nanos(SECOND)),
    (&["millisecond", "msec", "ms"], Part::Nanos(1_000_000)),
    (&["microsecond", "usec", "us"], Part::Nanos(1000)),
    (&["dow", "dayofweek", "weekday"], Part::DayOfWeek),
    (&["isodow"], Part::IsoDayOfWeek),
    (&["doy", "dayofyear"], Part::DayOfYear),
    (&["yearweek"], Part::YearWeek),
    (&["epoch"], Part::Epoch),
];

const PART: FunctionParameter = one(
    "PART",
    Kind::Text,
    "A unit: century, decade, year, quarter, month, week, day, hour, minute, second, millisecond or microsecond.",
);

fn part(values: &[Value]) -> Option<Part> {
    let name = text(values, 0)?;
    let is = |known: &str| {
        let bytes = name.bytes();
        let one = bytes.strip_suffix(b"s").filter(|one| one.len() > 1);
        let same = |name: &[u8]| name.eq_ignore_ascii_case(known.as_bytes());
        same(bytes) || one.is_some_and(same)
    };
    let mut parts = PARTS.iter();
    let found = parts.find(|(names, _)| names.iter().any(|name| is(name)));
    found.map(|(_, part)| *part)
}

pub(super) static DATE_PART: Function = Function {
    name: "date_part",
    summary: "A part of a time as clocks in the zone show it.",
    parameters: &[
        one(
            "PART",
            Kind::Text,
            "A unit, or dow, isodow, doy, isoyear, yearweek or epoch.",
        ),
        TIME,
    ],
    strict: true,
    kind: |kinds| takes(&DATE_PART, kinds, Kind::Dynamic),
    call: |values, zone| date_part(values, zone).unwrap_or_default(),
    examples: &[
        ("date_part('hour', '2000-03-25 12:13:29')", "12"),
        ("date_part('doy', '2000-03-25')", "85"),
        ("date_part('century', '2000-03-25')", "20"),
    ],
};

fn date_part(values: &[Value], zone: &Zone) -> Option<Value> {
    let (part, nanos) = (part(values)?, time(values, 1)?);
    let civil = zone.civil(nanos);
    let clock = i64::from(civil.second_of_day);
    Some(Value::Integer(i128::from(match part {
        Part::Years(1) => civil.year,
        Part::Years(10) => civil.year / 10,
        // The first century and millennium begin with year 1.
        Part::Years(years) => (civil.year - 1).div_euclid(years) + 1,
        Part::IsoYear => iso_week(&civil).0,
        Part::Quarter => i64::from(civil.month + 2) / 3,
        Part::Month => civil.month.into(),
        Part::Week => iso_week(&civil).1,
        Part::Day => civil.day.into(),
        Part::Nanos(unit) if unit == 3600 * SECOND => clock / 3600,
        Part::Nanos(unit) if unit == 60 * SECOND => clock / 60 % 60,
        Part::Nanos(unit) => nanos_of_minute(&civil) / unit,
        Part::DayOfWeek => civil.weekday().into(),
        Part::IsoDayOfWeek => iso_weekday(&civil),
        Part::DayOfYear => civil.day_of_year().into(),
        Part::YearWeek => year_week(&civil),
        Part::Epoch => return Some(Value::Double(seconds(nanos))),
    })))
}

pub(super) static DATE_TRUNC: Function = Function {
    name: "date_trunc",
    summary: "When the unit began that a time is in, as clocks in the zone show it; weeks begin on Monday.",
    parameters: &[PART, TIME],
    strict: true,
    kind: |kinds| takes(&DATE_TRUNC, kinds, Kind::Time),
    call: |values, zone| date_trunc(values, zone).map_or(Value::Absent, Value::Time),
    examples: &[
        (
            "date_trunc('hour', '2000-03-25 12:13:29.5')",
            "2000-03-25T12:00:00+00:00",
        ),
        (
            "date_trunc('week', '2000-03-25 12:13:29.5')",
            "2000-03-20T00:00:00+00:00",
        ),
        (
            "date_trunc('quarter', '2000-05-25')",
            "2000-04-01T00:00:00+00:00",
        ),
    ],
};

fn date_trunc(values: &[Value], zone: &Zone) -> Option<i64> {
    let (part, nanos) = (part(values)?, time(values, 1)?);
    let civil = zone.civil(nanos);
    let monday = civil.days - iso_weekday(&civil) + 1;
    let days = match part {
        Part::Years(years) => days_of(civil.year / years * years, 1, 1),
        // The week of January 4th is the first one.
        Part::IsoYear => monday - (iso_week(&civil).1 - 1) * 7,
        Part::Quarter => days_of(civil.year, (civil.month - 1) / 3 * 3 + 1, 1),
        Part::Month => days_of(civil.year, civil.month, 1),
        Part::Week | Part::YearWeek => monday,
        Part::Day | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear => civil.days,
        Part::Nanos(unit) => {
            let local = i128::from(nanos) + i128::from(civil.offset) * i128::from(SECOND);
            return nanos.checked_sub(local.rem_euclid(unit.into()) as i64);
        }
        Part::Epoch => return None,
    };
    zone.resolve_near(&civil, days * DAY, 0)
}

const START: FunctionParameter = one("START", Kind::Time, "From when.");
const END: FunctionParameter = one("END", Kind::Time, "Until when.");

pub(super) static DATE_DIFF: Function = Function {
    name: "date_diff",
    summary: "How many units begin between two times; whole weeks. Below 0 where the end is before the start.",
    parameters: &[PART, START, END],
    strict: true,
    kind: |kinds| takes(&DATE_DIFF, kinds, Kind::Signed),
    call: |values, zone| {
        let difference = date_diff(values, zone);
        difference.map_or(Value::Absent, |count| Value::Integer(count.into()))
    },
    examples: &[
        (
            "date_diff('hour', '2007-01-01 12:59:29', '2007-01-01 14:00')",
            "2",
        ),
        ("date_diff('month', '2007-01-31', '2007-02-01')", "1"),
        ("date_diff('year', '2007-12-31', '2006-01-01')", "-1"),
    ],
};

fn date_diff(values: &[Value], zone: &Zone) -> Option<i64> {
    let (part, from, to) = (part(values)?, time(values, 1)?, time(values, 2)?);
    let (start, end) = (zone.civil(from), zone.civil(to));
    let between = |count: fn(&Civil) -> i64| count(&end) - count(&start);
    Some(match part {
        Part::Years(years) => end.year / years - start.year / years,
        Part::IsoYear => between(|civil| iso_week(civil).0),
        Part::Quarter => between(|civil| months(civil).div_euclid(3)),
        Part::Month => between(months),
        Part::Week | Part::YearWeek => between(|civil| civil.days) / 7,
        Part::Day | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear => {
            between(|civil| civil.days)
        }
        Part::Nanos(unit) => {
            // By the clock that showed the start, so that a change of it counts for nothing.
            let offset = i128::from(start.offset) * i128::from(SECOND);
            let units = |nanos: i64| (i128::from(nanos) + offset).div_euclid(unit.into()) as i64;
            units(to).checked_sub(units(from))?
        }
        Part::Epoch => to.div_euclid(SECOND) - from.div_euclid(SECOND),
    })
}

/// How many months passed since year 0 began.
fn months(civil: &Civil) -> i64 {
    civil.year * 12 + i64::from(civil.month) - 1
}

pub(super) static DATE_SUB: Function = Function {
    name: "date_sub",
    summary: "How many whole units lie between two times; below 0 where the end is before the start.",
    parameters: &[PART, START, END],
    strict: true,
    kind: |kinds| takes(&DATE_SUB, kinds, Kind::Signed),
    call: |values, zone| {
        let difference = date_sub(values, zone);
        difference.map_or(Value::Absent, |count| Value::Integer(count.into()))
    },
    examples: &[
        (
            "date_sub('hour', '2007-01-01 12:59:29', '2007-01-01 14:00')",
            "1",
        ),
        ("date_sub('month', '2007-01-31', '2007-02-28')", "1"),
        ("date_sub('month', '2007-01-31', '2007-03-30')", "1"),
    ],
};

fn date_sub(values: &[Value], zone: &Zone) -> Option<i64> {
    let (part, from, to) = (part(values)?, time(values, 1)?, time(values, 2)?);
    let (start, end) = (zone.civil(from), zone.civil(to));
    let local = |civil: &Civil| {
        let seconds = civil.days * DAY + i64::from(civil.second_of_day);
        i128::from(seconds) * i128::from(SECOND) + i128::from(civil.nanos)
    };
    let days = || ((local(&end) - local(&start)) / i128::from(DAY * SECOND)) as i64;
    let months = || match from <= to {
        true => whole_months(&start, &end),
        false => -whole_months(&end, &start),
    };
    Some(match part {
        Part::Years(years) => months() / 12 / years,
        Part::IsoYear => months() / 12,
        Part::Quarter => months() / 3,
        Part::Month => months(),
        Part::Week | Part::YearWeek => days() / 7,
        Part::Day | Part::DayOfWeek | Part::IsoDayOfWeek | Part::DayOfYear => days(),
        Part::Nanos(unit) => ((i128::from(to) - i128::from(from)) / i128::from(unit)) as i64,
        Part::Epoch => ((i128::from(to) - i128::from(from)) / i128::from(SECOND)) as i64,
    })
}

/// The last day of a month stands for those that the month lacks.
fn whole_months(start: &Civil, end: &Civil) -> i64 {
    let clock = |civil: &Civil| (civil.second_of_day, civil.nanos);
    let last = days_in_month(end.year, end.month);
    let day = if end.day == last {
        start.day.min(last)
    } else {
        start.day
    };
    let begun = (end.day, clock(end)) >= (day, clock(start));
    months(end) - months(start) - i64::from(!begun)
}
