//! Times as numbers, and times and durations of numbers.

use super::cast::{nanos, seconds};
use super::support::*;
use super::times::TIME;
use wireq_typesys::{Kind, Value, Zone, days_in_month, days_of};

/// What a function of nanoseconds gives, as an integer.
fn of_nanos(values: &[Value], function: fn(i64) -> i64) -> Value {
    time(values, 0).map_or(Value::Absent, |nanos| {
        Value::Integer(function(nanos).into())
    })
}

/// Rounded to the nearest unit, halves up.
fn rounded(nanos: i64, unit: i64) -> i64 {
    nanos.div_euclid(unit) + i64::from(nanos.rem_euclid(unit) >= unit / 2)
}

pub(super) static EPOCH: Function = Function {
    name: "epoch",
    summary: "The seconds since 1970, as a double.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&EPOCH, kinds, Kind::Double),
    call: |values, _| time(values, 0).map_or(Value::Absent, |nanos| Value::Double(seconds(nanos))),
    examples: &[
        ("epoch('2000-03-25T12:13:29.360668Z')", "953986409.360668"),
        ("epoch('1970-01-01T00:00:00Z')", "0"),
    ],
};

pub(super) static EPOCH_MS: Function = Function {
    name: "epoch_ms",
    summary: "The milliseconds since 1970, rounded.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&EPOCH_MS, kinds, Kind::Signed),
    call: |values, _| of_nanos(values, |nanos| rounded(nanos, 1_000_000)),
    examples: &[
        ("epoch_ms('2000-03-25T12:13:29.360668Z')", "953986409361"),
        ("epoch_ms('1970-01-01T00:00:00Z')", "0"),
    ],
};

pub(super) static EPOCH_US: Function = Function {
    name: "epoch_us",
    summary: "The microseconds since 1970, rounded.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&EPOCH_US, kinds, Kind::Signed),
    call: |values, _| of_nanos(values, |nanos| rounded(nanos, 1000)),
    examples: &[
        ("epoch_us('2000-03-25T12:13:29.360668Z')", "953986409360668"),
        ("epoch_us('1970-01-01T00:00:00Z')", "0"),
    ],
};

pub(super) static EPOCH_NS: Function = Function {
    name: "epoch_ns",
    summary: "The nanoseconds since 1970.",
    parameters: &[TIME],
    strict: true,
    kind: |kinds| takes(&EPOCH_NS, kinds, Kind::Signed),
    call: |values, _| of_nanos(values, |nanos| nanos),
    examples: &[
        (
            "epoch_ns('2000-03-25T12:13:29.360668Z')",
            "953986409360668000",
        ),
        ("epoch_ns('1970-01-01T00:00:00Z')", "0"),
    ],
};

pub(super) static NOW: Function = Function {
    name: "now",
    summary: "The moment that counts as now: when the run began, or what --now says.",
    parameters: &[],
    strict: true,
    kind: |kinds| takes(&NOW, kinds, Kind::Time),
    call: |_, zone| Value::Time(zone.now()),
    examples: &[
        ("typeof(now())", "time"),
        ("date_diff('day', now(), now())", "0"),
    ],
};

pub(super) static MAKE_TIMESTAMP: Function = Function {
    name: "make_timestamp",
    summary: "The time at which clocks in the zone show a date and a time of day; absent where there is none.",
    parameters: &[
        one("YEAR", Kind::Signed, "The year."),
        one("MONTH", Kind::Signed, "From 1 to 12."),
        one("DAY", Kind::Signed, "From 1 to 31."),
        one("HOUR", Kind::Signed, "From 0 to 24."),
        one("MINUTE", Kind::Signed, "From 0 to 59."),
        one("SECOND", Kind::Double, "From 0 to 60, with a fraction."),
    ],
    strict: true,
    kind: |kinds| takes(&MAKE_TIMESTAMP, kinds, Kind::Time),
    call: |values, zone| make(values, zone).map_or(Value::Absent, Value::Time),
    examples: &[
        (
            "make_timestamp(2000, 3, 25, 12, 13, 29.5)",
            "2000-03-25T12:13:29.500000+00:00",
        ),
        ("make_timestamp(2000, 2, 30, 0, 0, 0)", ""),
    ],
};

fn make(values: &[Value], zone: &Zone) -> Option<i64> {
    let within = |at: usize, most: i64| {
        let number = i64::try_from(integer(values, at)?).ok()?;
        (0..=most).contains(&number).then_some(number)
    };
    let clock = |hour: i64, minute: i64| hour * 3600 + minute * 60;
    let second = (double(values, 5)? * 1e9).round();
    let date = local_date(within(0, 9999)?, within(1, 12)?, within(2, 31)?)?;
    let clock = clock(within(3, 24)?, within(4, 59)?);
    // The ends of a minute and of a day are the beginnings of others.
    if !(0.0..=60e9).contains(&second) || clock > 86_400 || clock == 86_400 && second > 0.0 {
        return None;
    }
    let second = second as i64;
    let local = date + clock + second / 1_000_000_000;
    zone.resolve(local, (second % 1_000_000_000) as u32)
}

/// The local second at which a date begins, if there is one.
pub(super) fn local_date(year: i64, month: i64, day: i64) -> Option<i64> {
    let known = u32::try_from(month)
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let days = i64::from(days_in_month(year, known));
    (1..=days)
        .contains(&day)
        .then(|| days_of(year, known, day) * 86_400)
}

/// Declares functions that give a time or duration of a number of units.
macro_rules! of_numbers {
    ($($place:ident $name:literal $kind:ident $unit:literal $summary:literal, $($example:literal $gives:literal),+;)*) => {$(
        pub(super) static $place: Function = Function {
            name: $name,
            summary: $summary,
            parameters: &[one("NUMBER", Kind::Double, "How many.")],
            strict: true,
            kind: |kinds| takes(&$place, kinds, Kind::$kind),
            call: |values, _| {
                let nanos = scaled(argument(values, 0), $unit);
                nanos.map_or(Value::Absent, Value::$kind)
            },
            examples: &[$(($example, $gives)),+],
        };
    )*};
}

/// A number of units in nanoseconds, where it fits.
fn scaled(number: &Value, unit: i64) -> Option<i64> {
    match number {
        Value::Double(number) => nanos(&Value::Double(number * (unit as f64 / 1e9))),
        number => i64::try_from(number.as_integer()?.checked_mul(unit.into())?).ok(),
    }
}

of_numbers! {
    TO_TIMESTAMP "to_timestamp" Time 1_000_000_000 "The time so many seconds after 1970 began.",
        "to_timestamp(953986409.5)" "2000-03-25T12:13:29.500000+00:00", "epoch(to_timestamp(1))" "1";
    MAKE_TIMESTAMP_MS "make_timestamp_ms" Time 1_000_000 "The time so many milliseconds after 1970 began.",
        "make_timestamp_ms(953986409500)" "2000-03-25T12:13:29.500000+00:00", "epoch(make_timestamp_ms(1500))" "1.5";
    MAKE_TIMESTAMP_NS "make_timestamp_ns" Time 1 "The time so many nanoseconds after 1970 began.",
        "make_timestamp_ns(1)" "1970-01-01T00:00:00.000000001+00:00", "epoch(make_timestamp_ns(1500000000))" "1.5";
    TO_MICROSECONDS "to_microseconds" Duration 1000 "So many microseconds, as a duration.",
        "to_microseconds(2500)" "0.002500", "to_microseconds(-1)" "-0.000001";
    TO_MILLISECONDS "to_milliseconds" Duration 1_000_000 "So many milliseconds, as a duration.",
        "to_milliseconds(250)" "0.250000", "to_milliseconds(1000)" "1";
    TO_SECONDS "to_seconds" Duration 1_000_000_000 "So many seconds, as a duration.",
        "to_seconds(90)" "90", "to_seconds(0.5)" "0.500000";
    TO_MINUTES "to_minutes" Duration 60_000_000_000 "So many minutes, as a duration.",
        "to_minutes(5)" "300", "to_minutes(1.5)" "90";
    TO_HOURS "to_hours" Duration 3_600_000_000_000 "So many hours, as a duration.",
        "to_hours(2)" "7200", "to_hours(0.5)" "1800";
    TO_DAYS "to_days" Duration 86_400_000_000_000 "So many days of 24 hours, as a duration.",
        "to_days(1)" "86400", "to_days(200000)" "";
}
