//! Times: nanoseconds since 1970, as text in a zone, and back.
//!
//! | here | what |
//! |---|---|
//! | [`Zone`] | which zone times are shown and read in, and which moment is now |
//! | [`Civil`] | a moment as a calendar and a clock show it |
//! | [`write_time`] | a moment as RFC 3339 has it |
//! | [`parse_time`] | RFC 3339 and its relatives, seconds since 1970; what these don't read goes to `phrase` |
//! | `phrase` | what people write: "30 years ago", "yesterday 14:00", "25 mar 2000 12:15:31" |

mod civil;
mod moment;
mod phrase;
mod read;
mod words;

pub use civil::{Civil, days_in_month, days_of};
pub use read::parse_time;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

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

    /// The zone of a name such as `Europe/Vienna`.
    pub fn named(name: &str) -> Option<Zone> {
        jiff::tz::TimeZone::get(name).ok().map(Zone::new)
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

    /// What the zone is called at a moment, such as `CET`.
    pub fn abbreviation(&self, nanos: i64) -> String {
        let moment = jiff::Timestamp::from_second(nanos.div_euclid(NANOS)).unwrap_or_default();
        self.zone.to_offset_info(moment).abbreviation().to_owned()
    }

    /// The parts of a moment as a clock in this zone shows them.
    pub fn civil(&self, nanos: i64) -> Civil {
        Civil::new(nanos, self.offset(nanos.div_euclid(NANOS)))
    }

    /// The moment, in nanoseconds, at which clocks in this zone show a local time, given in seconds
    /// since they showed 1970. What they show twice is the first time, what they skip as much
    /// later as they skip.
    pub fn resolve(&self, local: i64, nanos: u32) -> Option<i64> {
        let (year, month, day) = civil::date_of(local.div_euclid(DAY));
        let second = local.rem_euclid(DAY);
        let local = jiff::civil::DateTime::new(
            i16::try_from(year).ok()?,
            month as i8,
            day as i8,
            (second / 3600) as i8,
            (second / 60 % 60) as i8,
            (second % 60) as i8,
            0,
        );
        let moment = self.zone.to_ambiguous_timestamp(local.ok()?).compatible();
        to_nanos(moment.ok()?.as_second(), nanos)
    }

    /// As [`Zone::resolve`] for a local time near a moment: what clocks show twice is the time
    /// with the offset of that moment.
    pub fn resolve_near(&self, near: &Civil, local: i64, nanos: u32) -> Option<i64> {
        let seconds = local.checked_sub(near.offset)?;
        if self.offset(seconds) == near.offset {
            return to_nanos(seconds, nanos);
        }
        self.resolve(local, nanos)
    }
}

/// Nanoseconds since 1970, where they fit.
fn to_nanos(seconds: i64, nanos: u32) -> Option<i64> {
    // Wide, as the first second that fits is not there from its beginning.
    let wide = i128::from(seconds) * i128::from(NANOS) + i128::from(nanos);
    i64::try_from(wide).ok()
}

/// Writes a time as RFC 3339 does, in a zone: `2000-03-25T12:13:29.360668-07:00`. The fraction
/// has six digits, nine where it is finer, none where it is zero.
pub fn write_time(nanos: i64, zone: &Zone, out: &mut Vec<u8>) {
    let civil = zone.civil(nanos);
    civil.write_date(out);
    out.push(b'T');
    civil.write_clock(out);
    write_fraction(civil.nanos, out);
    civil.write_offset(out);
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

fn two(number: u32, out: &mut Vec<u8>) {
    out.extend([b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
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
        Zone::named(name).unwrap()
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
                i64::MIN,
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
}
