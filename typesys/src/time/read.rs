//! Times as programs write them: numbers and RFC 3339.

use super::civil::{days_in_month, days_of};
use super::{DAY, NANOS, Zone, phrase, to_nanos};

/// Reads a time: RFC 3339 and its relaxed forms (a space for the T, no seconds, no offset: then
/// local), a date alone; a number is seconds since 1970, with or without `@`. All else is read as
/// GNU's `date -d` does, in the zone: "3 hours ago", "yesterday 14:00", "last monday",
/// "25 mar 2000 12:15:31", "2024-03-10 01:30 UTC + 1 day". Calendar units keep the time of day
/// over changes of the clock.
pub fn parse_time(text: &str, zone: &Zone) -> Option<i64> {
    let text = text.trim();
    let (number, marked) = match text.strip_prefix('@') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let seconds = parse_seconds(number);
    if seconds.is_some() || marked {
        return seconds;
    }
    parse_rfc3339(text, zone).or_else(|| phrase::parse(text, zone))
}

fn parse_rfc3339(text: &str, zone: &Zone) -> Option<i64> {
    let mut rest = text.as_bytes();
    let negative = rest.first() == Some(&b'-');
    if negative {
        rest = &rest[1..];
    }
    let year = i64::from(digits(&mut rest, 4)?);
    let year = if negative { -year } else { year };
    let month = after(&mut rest, b"-", 2)?;
    let day = after(&mut rest, b"-", 2)?;
    let (mut hour, mut minute, mut second, mut fraction) = (0, 0, 0, 0);
    if !rest.is_empty() && rest[0] != b'Z' {
        hour = after(&mut rest, b"Tt ", 2)?;
        minute = after(&mut rest, b":", 2)?;
        if rest.first() == Some(&b':') {
            second = after(&mut rest, b":", 2)?;
            if let Some(b'.' | b',') = rest.first() {
                fraction = parse_fraction(&mut rest)?;
            }
        }
    }
    // A leap second counts as the second after it, as POSIX time does.
    let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let time_of_day = i64::from(hour * 3600 + minute * 60 + second);
    let local = days_of(year, month, day.into()) * DAY + time_of_day;
    match parse_offset(rest)? {
        Some(offset) => to_nanos(local - offset, fraction),
        None => zone.resolve(local, fraction),
    }
}

fn parse_seconds(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(NANOS)?;
    let nanos = whole.checked_add(fraction_nanos(fraction.as_bytes()).into())?;
    Some(if negative { -nanos } else { nanos })
}

/// Nanoseconds of the digits behind a point; finer ones are cut off.
pub(super) fn fraction_nanos(digits: &[u8]) -> u32 {
    (0..9).fold(0, |nanos, at| {
        nanos * 10 + digits.get(at).map_or(0, |d| u32::from(d - b'0'))
    })
}

fn parse_fraction(rest: &mut &[u8]) -> Option<u32> {
    let digits = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let nanos = fraction_nanos(&rest[1..1 + digits]);
    *rest = &rest[1 + digits..];
    (digits > 0).then_some(nanos)
}

/// Seconds east of Greenwich; Some(None) where there is no offset.
fn parse_offset(mut rest: &[u8]) -> Option<Option<i64>> {
    while rest.first() == Some(&b' ') {
        rest = &rest[1..];
    }
    match rest {
        b"" => Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), tail @ ..] => {
            let mut tail = tail;
            let hours = i64::from(digits(&mut tail, 2)?);
            if tail.first() == Some(&b':') {
                tail = &tail[1..];
            }
            let minutes = if tail.is_empty() {
                0
            } else {
                i64::from(digits(&mut tail, 2)?)
            };
            let offset = hours * 3600 + minutes * 60;
            (tail.is_empty() && hours < 24 && minutes < 60).then_some(Some(if *sign == b'-' {
                -offset
            } else {
                offset
            }))
        }
        _ => None,
    }
}

fn after(rest: &mut &[u8], separators: &[u8], count: usize) -> Option<u32> {
    let (first, tail) = rest.split_first()?;
    if !separators.contains(first) {
        return None;
    }
    *rest = tail;
    digits(rest, count)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (front, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    front.iter().try_fold(0, |number, b| {
        b.is_ascii_digit()
            .then(|| number * 10 + u32::from(b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_relaxed_forms() {
        let phoenix = Zone::named("America/Phoenix").unwrap();
        for (input, seconds) in [
            ("2000-03-25 12:13:29", 954_011_609),
            ("2000-03-25T12:13:29-07:00", 954_011_609),
            ("2000-03-25 19:13:29Z", 954_011_609),
            ("2000-03-25 19:13:29 UTC", 954_011_609),
            ("2000-03-25 12:13", 954_011_580),
            ("2000-03-25", 953_967_600),
            ("@954011609", 954_011_609),
            ("954011609", 954_011_609),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
        ] {
            assert_eq!(
                parse_time(input, &phoenix),
                Some(seconds * NANOS),
                "{input}"
            );
        }
        assert_eq!(
            parse_time("@954011731.9", &phoenix),
            Some(954_011_731_900_000_000)
        );
        for bad in [
            "",
            "x",
            "2000-13-01",
            "2000-02-30",
            "2000-01-01T25:00",
            "@",
            "1.2.3",
            "99999999999999999999",
        ] {
            assert_eq!(parse_time(bad, &phoenix), None, "{bad}");
        }
    }
}
