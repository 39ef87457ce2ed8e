//! Times as text of any form, and back.

use super::instants::local_date;
use super::support::*;
use super::times::{DAYS, MONTHS, TIME, day_name, iso_week, iso_weekday, month_name};
use std::io::Write;
use wireq_typesys::{Civil, Kind, Value, Zone, days_of};

const FORMAT: FunctionParameter = one(
    "FORMAT",
    Kind::Text,
    "The form: %Y-%m-%d %H:%M:%S with %f for microseconds, %b and %a for names of months and days, and so on.",
);

pub(super) static STRFTIME: Function = Function {
    name: "strftime",
    summary: "A time in a form of your own, as clocks in the zone show it; absent where the form is none.",
    parameters: &[TIME, FORMAT],
    strict: true,
    kind: |kinds| takes(&STRFTIME, kinds, Kind::Text),
    call: |values, zone| strftime(values, zone).map_or(Value::Absent, Value::Text),
    examples: &[
        (
            "strftime('2000-03-25 12:13:29', '%a, %-d %B %Y - %I:%M:%S %p')",
            "Sat, 25 March 2000 - 12:13:29 PM",
        ),
        (
            "strftime('2000-03-25 12:13:29.360668', '%H:%M:%S.%f')",
            "12:13:29.360668",
        ),
        ("strftime('2000-03-25', '%j %U %V')", "085 12 12"),
    ],
};

/// A directive of a format, and what is behind it: the letter, and whether numbers are not filled up.
fn directive(text: &[u8]) -> Option<(u8, bool, &[u8])> {
    match text {
        [b'-', letter, rest @ ..] => Some((*letter, true, rest)),
        [letter, rest @ ..] => Some((*letter, false, rest)),
        [] => None,
    }
}

fn strftime(values: &[Value], zone: &Zone) -> Option<std::sync::Arc<[u8]>> {
    let (nanos, format) = (time(values, 0)?, text(values, 1)?);
    written(|out| write_strftime(nanos, format.bytes(), zone, out))
}

/// Writes a time in a form of strftime(); none where the form is none.
pub(crate) fn write_strftime(
    nanos: i64,
    format: &[u8],
    zone: &Zone,
    out: &mut Vec<u8>,
) -> Option<()> {
    let civil = zone.civil(nanos);
    let mut rest = format;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let (letter, short, behind) = directive(&rest[at + 1..])?;
        write(&civil, letter, short, out).or_else(|| {
            // Asked only here, as it is a text of its own.
            (letter == b'Z' && !short)
                .then(|| out.extend_from_slice(zone.abbreviation(nanos).as_bytes()))
        })?;
        rest = behind;
    }
    out.extend_from_slice(rest);
    Some(())
}

fn write(civil: &Civil, letter: u8, short: bool, out: &mut Vec<u8>) -> Option<()> {
    let clock = i64::from(civil.second_of_day);
    let hour = clock / 3600;
    let in_week = |first: i64| (i64::from(civil.day_of_year()) + 6 - first) / 7;
    let (number, digits) = match letter {
        b'd' => (civil.day.into(), 2),
        b'm' => (civil.month.into(), 2),
        b'y' => (civil.year.rem_euclid(100), 2),
        b'H' => (hour, 2),
        b'I' => ((hour + 11) % 12 + 1, 2),
        b'M' => (clock / 60 % 60, 2),
        b'S' => (clock % 60, 2),
        b'j' => (civil.day_of_year().into(), 3),
        _ if short => return None,
        b'Y' => (civil.year, 4),
        b'f' => (i64::from(civil.nanos) / 1000, 6),
        b'g' => (i64::from(civil.nanos) / 1_000_000, 3),
        b'n' => (civil.nanos.into(), 9),
        b'w' => (civil.weekday().into(), 1),
        b'u' => (iso_weekday(civil), 1),
        b'U' => (in_week(civil.weekday().into()), 2),
        b'W' => (in_week(iso_weekday(civil) - 1), 2),
        b'V' => (iso_week(civil).1, 2),
        b'G' => (iso_week(civil).0, 4),
        _ => return write_word(civil, letter, out),
    };
    let width = if short { 1 } else { digits };
    write!(out, "{number:0width$}").ok()
}

fn write_word(civil: &Civil, letter: u8, out: &mut Vec<u8>) -> Option<()> {
    let mut name = |name: &str| out.extend_from_slice(name.as_bytes());
    match letter {
        b'a' => name(&day_name(civil)[..3]),
        b'A' => name(day_name(civil)),
        b'b' | b'h' => name(&month_name(civil)[..3]),
        b'B' => name(month_name(civil)),
        b'p' => name(if civil.second_of_day < 43_200 {
            "AM"
        } else {
            "PM"
        }),
        b'%' => name("%"),
        b'x' => civil.write_date(out),
        b'X' => civil.write_clock(out),
        b'c' => {
            civil.write_date(out);
            out.push(b' ');
            civil.write_clock(out);
        }
        b'z' => {
            civil.write_offset(out);
            // Without minutes where there are none.
            if out.ends_with(b":00") {
                out.truncate(out.len() - 3);
            }
        }
        _ => return None,
    }
    Some(())
}

pub(super) static STRPTIME: Function = Function {
    name: "strptime",
    summary: "The time of a text in a form of your own, by clocks in the zone unless %z is there; absent where it is not of the form.",
    parameters: &[one("TEXT", Kind::Text, "The text."), FORMAT],
    strict: true,
    kind: |kinds| takes(&STRPTIME, kinds, Kind::Time),
    call: |values, zone| strptime(values, zone).map_or(Value::Absent, Value::Time),
    examples: &[
        (
            "strptime('25/Mar/2000:12:13:29', '%d/%b/%Y:%H:%M:%S')",
            "2000-03-25T12:13:29+00:00",
        ),
        (
            "strptime('2000-03-25 12:13 +0100', '%Y-%m-%d %H:%M %z')",
            "2000-03-25T11:13:00+00:00",
        ),
        ("strptime('2000-13-25', '%Y-%m-%d')", ""),
    ],
};

/// What is read of a text.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    /// Whether it is after noon, where that is said.
    afternoon: Option<bool>,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
}

fn strptime(values: &[Value], zone: &Zone) -> Option<i64> {
    let (text, format) = (text(values, 0)?, text(values, 1)?);
    let mut fields = Fields {
        year: 1900,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        afternoon: None,
        offset: None,
    };
    let mut rest = text.bytes().trim_ascii_start();
    fields.read(format.bytes(), &mut rest)?;
    rest.trim_ascii().is_empty().then_some(())?;
    fields.moment(zone)
}

impl Fields {
    fn read(&mut self, format: &[u8], rest: &mut &[u8]) -> Option<()> {
        let mut format = format;
        while let Some((first, behind)) = format.split_first() {
            format = behind;
            if *first != b'%' {
                *rest = rest.strip_prefix(std::slice::from_ref(first))?;
                continue;
            }
            let (letter, _, behind) = directive(format)?;
            self.field(letter, rest)?;
            format = behind;
        }
        Some(())
    }

    fn field(&mut self, letter: u8, rest: &mut &[u8]) -> Option<()> {
        match letter {
            b'Y' => self.year = number(rest, 4)?,
            b'y' => {
                let year = number(rest, 2)?;
                self.year = year + if year < 69 { 2000 } else { 1900 };
            }
            b'm' => self.month = number(rest, 2)?,
            b'd' => self.day = number(rest, 2)?,
            b'j' => self.day_of_year = Some(number(rest, 3)?),
            b'H' => self.hour = number(rest, 2)?,
            b'I' => {
                self.hour = number(rest, 2).filter(|hour| (1..=12).contains(hour))? % 12;
                self.afternoon.get_or_insert(false);
            }
            b'M' => self.minute = number(rest, 2)?,
            b'S' => self.second = number(rest, 2)?,
            b'g' => self.nanos = fraction(rest, 3)?,
            b'f' => self.nanos = fraction(rest, 6)?,
            b'n' => self.nanos = fraction(rest, 9)?,
            b'b' | b'h' | b'B' => self.month = named(rest, &MONTHS, letter != b'B')? + 1,
            b'a' | b'A' => {
                named(rest, &DAYS, letter == b'a')?;
            }
            b'p' => self.afternoon = Some(named(rest, &["AM", "PM"], false)? == 1),
            b'z' => self.offset = Some(offset(rest)?),
            b'%' => *rest = rest.strip_prefix(b"%")?,
            b'x' => self.read(b"%Y-%m-%d", rest)?,
            b'X' => self.read(b"%H:%M:%S", rest)?,
            b'c' => self.read(b"%Y-%m-%d %H:%M:%S", rest)?,
            _ => return None,
        }
        Some(())
    }

    fn moment(&self, zone: &Zone) -> Option<i64> {
        let hour = match self.afternoon {
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let date = match self.day_of_year {
            Some(day) if (1..=366).contains(&day) => {
                let days = days_of(self.year, 1, day);
                (days < days_of(self.year + 1, 1, 1)).then_some(days * 86_400)
            }
            Some(_) => None,
            None => local_date(self.year, self.month, self.day),
        };
        let local = date? + hour * 3600 + self.minute * 60 + self.second;
        let nanos = self.nanos as u32;
        match self.offset {
            Some(offset) => {
                let wide = i128::from(local - offset) * 1_000_000_000 + i128::from(nanos);
                i64::try_from(wide).ok()
            }
            None => zone.resolve(local, nanos),
        }
    }
}

/// A number of at least one digit, and at most as many as it may have.
fn number(rest: &mut &[u8], most: usize) -> Option<i64> {
    let digits = rest
        .iter()
        .take(most)
        .take_while(|byte| byte.is_ascii_digit());
    let digits = digits.count();
    let (front, behind) = rest.split_at(digits);
    *rest = behind;
    let push = |number: i64, digit: &u8| number * 10 + i64::from(digit - b'0');
    (digits > 0).then(|| front.iter().fold(0, push))
}

/// Digits behind a point, as nanoseconds.
fn fraction(rest: &mut &[u8], most: usize) -> Option<i64> {
    let before = rest.len();
    let number = number(rest, most)?;
    let digits = before - rest.len();
    Some(number * 10i64.pow(9u32.saturating_sub(digits as u32)))
}

/// Which of some names comes next, in any case; short ones have three letters.
fn named(rest: &mut &[u8], names: &[&str], short: bool) -> Option<i64> {
    for (at, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        let (front, behind) = rest.split_at_checked(name.len()).unwrap_or_default();
        if front.eq_ignore_ascii_case(name.as_bytes()) {
            *rest = behind;
            return Some(at as i64);
        }
    }
    None
}

/// `Z`, `+01`, `-0700` or `+05:45`, in seconds.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let (sign, behind) = rest.split_first()?;
    *rest = behind;
    let sign = match sign {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, 2)?;
    *rest = rest.strip_prefix(b":").unwrap_or(rest);
    let minutes = number(rest, 2).unwrap_or(0);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}
