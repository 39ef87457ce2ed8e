//! Times: nanoseconds since 1970 as text, in a zone, and back.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const NANOS: i64 = 1_000_000_000;

/// The time zone in which times are shown and read, and the moment that counts as now.
#[derive(Debug)]
pub struct Zone {
    zone: jiff::tz::TimeZone,
    /// The last quarter of an hour asked for and its offset: zones change offset at these only
    /// (since 1972), and asking the zone costs much more than printing the rest of a time.
    cache: AtomicU64,
    /// Nanoseconds since 1970.
    now: i64,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone::new(jiff::tz::TimeZone::UTC)
    }

    /// The zone that `TZ` or the system names.
    pub fn local() -> Zone {
        Zone::new(jiff::tz::TimeZone::system())
    }

    fn new(zone: jiff::tz::TimeZone) -> Zone {
        let now = jiff::Timestamp::now().as_nanosecond();
        Zone {
            zone,
            cache: AtomicU64::new(u64::MAX),
            now: i64::try_from(now).unwrap_or(i64::MAX),
        }
    }

    /// The same zone with another moment as now.
    pub fn at(mut self, now: i64) -> Zone {
        self.now = now;
        self
    }

    /// The moment that counts as now.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The offset from universal time at a moment, in seconds.
    fn offset(&self, seconds: i64) -> i64 {
        let cacheable = (63_072_000..1 << 38).contains(&seconds);
        let quarter = (seconds / 900) as u64;
        let cached = self.cache.load(Relaxed);
        if cacheable && cached >> 24 == quarter {
            return (cached & 0xff_ffff) as i64 - 100_000;
        }
        let Ok(moment) = jiff::Timestamp::from_second(seconds) else {
            return 0;
        };
        // Text forms show offsets in minutes; local mean times of old had seconds.
        let offset = i64::from(self.zone.to_offset(moment).seconds()) / 60 * 60;
        if cacheable {
            self.cache
                .store(quarter << 24 | (offset + 100_000) as u64, Relaxed);
        }
        offset
    }

    /// The moment at which clocks in this zone show a local time, in seconds.
    fn resolve(&self, local: jiff::civil::DateTime) -> Option<i64> {
        Some(
            self.zone
                .to_ambiguous_timestamp(local)
                .compatible()
                .ok()?
                .as_second(),
        )
    }

    /// The parts of a moment as a clock in this zone shows them.
    pub(crate) fn civil(&self, nanos: i64) -> Civil {
        let seconds = nanos.div_euclid(NANOS);
        let offset = self.offset(seconds);
        let local = seconds + offset;
        let (year, month, day) = date_of(local.div_euclid(86_400));
        Civil {
            year,
            month,
            day,
            second_of_day: local.rem_euclid(86_400) as u32,
            nanos: nanos.rem_euclid(NANOS) as u32,
            offset,
        }
    }
}

/// A moment as a calendar and a clock show it.
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) second_of_day: u32,
    pub(crate) nanos: u32,
    /// Seconds east of Greenwich.
    pub(crate) offset: i64,
}

/// The date of a day counted from 1970-01-01 in the Gregorian calendar; source: Howard Hinnant,
/// "chrono-compatible low-level date algorithms".
fn date_of(days: i64) -> (i64, u32, u32) {
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

impl Civil {
    pub(crate) fn write_date(&self, out: &mut Vec<u8>) {
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

    pub(crate) fn write_clock(&self, out: &mut Vec<u8>) {
        two(self.second_of_day / 3600, out);
        out.push(b':');
        two(self.second_of_day / 60 % 60, out);
        out.push(b':');
        two(self.second_of_day % 60, out);
    }
}

fn two(number: u32, out: &mut Vec<u8>) {
    out.extend([b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// Writes a time as RFC 3339 does, in a zone: `2000-03-25T12:13:29.360668-07:00`. The fraction
/// has six digits, nine where it is finer, none where it is zero.
pub fn write_time(nanos: i64, zone: &Zone, out: &mut Vec<u8>) {
    let civil = zone.civil(nanos);
    civil.write_date(out);
    out.push(b'T');
    civil.write_clock(out);
    write_fraction(civil.nanos, out);
    let minutes = (civil.offset.unsigned_abs() / 60) as u32;
    out.push(if civil.offset < 0 { b'-' } else { b'+' });
    two(minutes / 60, out);
    out.push(b':');
    two(minutes % 60, out);
}

/// Writes nanoseconds below a second as a fraction: nothing, six or nine digits.
pub(crate) fn write_fraction(nanos: u32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    two(nanos / 10_000_000, out);
    two(nanos / 100_000 % 100, out);
    two(nanos / 1000 % 100, out);
    if !nanos.is_multiple_of(1000) {
        out.push(b'0' + (nanos / 100 % 10) as u8);
        two(nanos % 100, out);
    }
}

/// Reads a time: RFC 3339 and its relaxed forms (a space for the T, no seconds, no offset: then
/// local), a date alone, or seconds since 1970 with or without `@`.
pub fn parse_time(text: &str, zone: &Zone) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = parse_seconds(text.strip_prefix('@').unwrap_or(text)) {
        return Some(seconds);
    }
    let mut rest = text.as_bytes();
    let negative = rest.first() == Some(&b'-');
    if negative {
        rest = &rest[1..];
    }
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, b"-", 2)?;
    let day = after(&mut rest, b"-", 2)?;
    let (mut hour, mut minute, mut second, mut fraction) = (0, 0, 0, 0);
    if !rest.is_empty() && rest[0] != b'Z' {
        hour = after(&mut rest, b"Tt ", 2)?;
        minute = after(&mut rest, b":", 2)?;
        if rest.first() == Some(&b':') {
            second = after(&mut rest, b":", 2)?;
            if rest.first() == Some(&b'.') {
                fraction = parse_fraction(&mut rest)?;
            }
        }
    }
    let year = if negative {
        -(year as i16)
    } else {
        year as i16
    };
    // A leap second counts as the second after it, as POSIX time does.
    let leap = i64::from(second == 60);
    let local = jiff::civil::DateTime::new(
        year,
        month as i8,
        day as i8,
        hour as i8,
        minute as i8,
        (second as i64 - leap) as i8,
        0,
    )
    .ok()?;
    let seconds = match parse_offset(rest)? {
        Some(offset) => {
            jiff::tz::TimeZone::UTC
                .to_timestamp(local)
                .ok()?
                .as_second()
                - offset
        }
        None => zone.resolve(local)?,
    };
    seconds
        .checked_add(leap)?
        .checked_mul(NANOS)?
        .checked_add(fraction)
}

fn parse_seconds(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let mut nanos = whole.parse::<i64>().ok()?.checked_mul(NANOS)?;
    if !fraction.is_empty() {
        nanos = nanos.checked_add(fraction_nanos(fraction.as_bytes()))?;
    }
    Some(if negative { -nanos } else { nanos })
}

fn fraction_nanos(digits: &[u8]) -> i64 {
    (0..9).fold(0, |nanos, at| {
        nanos * 10 + digits.get(at).map_or(0, |d| i64::from(d - b'0'))
    })
}

fn parse_fraction(rest: &mut &[u8]) -> Option<i64> {
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

    fn text(nanos: i64, zone: &Zone) -> String {
        let mut out = Vec::new();
        write_time(nanos, zone, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn zone(name: &str) -> Zone {
        Zone::new(jiff::tz::TimeZone::get(name).unwrap())
    }

    #[test]
    fn writes_and_reads_back() {
        for zone in [
            Zone::utc(),
            zone("Europe/Vienna"),
            zone("America/Phoenix"),
            zone("Asia/Kathmandu"),
        ] {
            for nanos in [
                0,
                1,
                -1,
                954_011_609_360_668_000,
                1_711_846_800 * NANOS,
                -NANOS * 3_000_000_000,
                i64::MAX,
                i64::MIN + NANOS,
            ] {
                let text = text(nanos, &zone);
                assert_eq!(parse_time(&text, &zone), Some(nanos), "{text}");
            }
        }
    }

    #[test]
    fn writes_in_the_zone_given() {
        let nanos = 954_011_609_360_668_000;
        assert_eq!(
            text(nanos, &zone("America/Phoenix")),
            "2000-03-25T12:13:29.360668-07:00"
        );
        assert_eq!(
            text(nanos, &Zone::utc()),
            "2000-03-25T19:13:29.360668+00:00"
        );
        // Both sides of a change to summer time, in turn: the cached offset must not stick.
        let vienna = zone("Europe/Vienna");
        for _ in 0..2 {
            assert_eq!(
                text(1_711_846_799 * NANOS, &vienna),
                "2024-03-31T01:59:59+01:00"
            );
            assert_eq!(
                text(1_711_846_800 * NANOS, &vienna),
                "2024-03-31T03:00:00+02:00"
            );
        }
    }

    #[test]
    fn reads_relaxed_forms() {
        let phoenix = zone("America/Phoenix");
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
            "2000-01-01T10:00+1",
            "@",
            "1.2.3",
            "99999999999999999999",
        ] {
            assert_eq!(parse_time(bad, &phoenix), None, "{bad}");
        }
    }
}
