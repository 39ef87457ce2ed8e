//! Stretches of time of one length.

use super::calendar::{DAY, SECOND};
use super::support::*;
use super::times::TIME;
use wireq_typesys::{Kind, Value, Zone};

pub(super) static TIME_BUCKET: Function = Function {
    name: "time_bucket",
    summary: "When the stretch of a length began that a time is in.",
    parameters: &[
        one(
            "WIDTH",
            Kind::Duration,
            "How long a stretch is, such as 10m; more than 0.",
        ),
        TIME,
        optional(
            "ORIGIN",
            Kind::Time,
            "When one begins; by clocks in the zone 2000-01-03 00:00, a Monday, unless given.",
        ),
    ],
    strict: true,
    kind: |kinds| takes(&TIME_BUCKET, kinds, Kind::Time),
    call: |values, zone| time_bucket(values, zone).map_or(Value::Absent, Value::Time),
    examples: &[
        (
            "time_bucket('10m', '2000-03-25 12:13:29')",
            "2000-03-25T12:10:00+00:00",
        ),
        (
            "time_bucket('7d', '2000-03-25 12:13:29')",
            "2000-03-20T00:00:00+00:00",
        ),
        (
            "time_bucket('10m', '2000-03-25 12:13:29', '2000-01-01 00:05')",
            "2000-03-25T12:05:00+00:00",
        ),
    ],
};

/// 2000-01-03 as a local second.
const ORIGIN: i64 = 946_857_600;

fn time_bucket(values: &[Value], zone: &Zone) -> Option<i64> {
    let Value::Duration(width @ 1..) = *argument(values, 0) else {
        return None;
    };
    let nanos = time(values, 1)?;
    let within = |since: i128| since.rem_euclid(width.into()) as i64;
    if values.get(2).is_some() {
        let since = i128::from(nanos) - i128::from(time(values, 2)?);
        return nanos.checked_sub(within(since));
    }
    let civil = zone.civil(nanos);
    let offset = i128::from(civil.offset - ORIGIN) * i128::from(SECOND);
    let start = nanos.checked_sub(within(i128::from(nanos) + offset))?;
    if width < DAY * SECOND {
        return Some(start);
    }
    // Where the clock was changed in between, it shows the same at the start as at others.
    let local = start.div_euclid(SECOND) + civil.offset;
    zone.resolve_near(&civil, local, start.rem_euclid(SECOND) as u32)
}

#[cfg(test)]
mod tests {
    use super::super::calendar::{DATE_DIFF, DATE_SUB, DATE_TRUNC};
    use super::*;
    use wireq_typesys::{parse_time, write_time};

    /// Where clocks were put forward at 02:00 on March 31st, and back at 03:00 on October 27th.
    #[test]
    fn days_begin_at_midnight_over_changes_of_the_clock() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let time = |text: &str| Value::Time(parse_time(text, &zone).unwrap());
        let written = |value: Value| match value {
            Value::Time(nanos) => {
                let mut out = Vec::new();
                write_time(nanos, &zone, &mut out);
                String::from_utf8(out).unwrap()
            }
            value => format!("{value:?}"),
        };
        let hours = |hours: i64| Value::Duration(hours * 3600 * SECOND);
        for (function, first, moment, expected) in [
            (
                &DATE_TRUNC,
                Value::text("day"),
                "2024-03-31 12:00",
                "2024-03-31T00:00:00+01:00",
            ),
            (
                &DATE_TRUNC,
                Value::text("month"),
                "2024-04-30 12:00",
                "2024-04-01T00:00:00+02:00",
            ),
            (
                &DATE_TRUNC,
                Value::text("year"),
                "2024-07-01",
                "2024-01-01T00:00:00+01:00",
            ),
            // Both of the hours from 02:00 to 03:00.
            (
                &DATE_TRUNC,
                Value::text("hour"),
                "2024-10-27T02:30+02:00",
                "2024-10-27T02:00:00+02:00",
            ),
            (
                &DATE_TRUNC,
                Value::text("hour"),
                "2024-10-27T02:30+01:00",
                "2024-10-27T02:00:00+01:00",
            ),
            (
                &TIME_BUCKET,
                hours(24),
                "2024-03-31 12:00",
                "2024-03-31T00:00:00+01:00",
            ),
            (
                &TIME_BUCKET,
                hours(24 * 7),
                "2024-04-03 12:00",
                "2024-04-01T00:00:00+02:00",
            ),
            (
                &TIME_BUCKET,
                hours(1),
                "2024-10-27T02:30+01:00",
                "2024-10-27T02:00:00+01:00",
            ),
        ] {
            let given = (function.call)(&[first.clone(), time(moment)], &zone);
            assert_eq!(
                written(given),
                expected,
                "{} {first:?} {moment}",
                function.name
            );
        }
        let (from, to) = (time("2024-03-30 12:00"), time("2024-03-31 12:00"));
        for (function, unit, expected) in [
            (&DATE_DIFF, "day", 1),
            (&DATE_SUB, "day", 1),
            (&DATE_DIFF, "hour", 23),
            (&DATE_SUB, "hour", 23),
        ] {
            let given = (function.call)(&[Value::text(unit), from.clone(), to.clone()], &zone);
            assert_eq!(
                given.as_integer(),
                Some(expected),
                "{} {unit}",
                function.name
            );
        }
    }
}
