//! Against the machine's own `date`, and what differs from it on purpose.

use super::super::{NANOS, parse_time, write_time};
use super::*;
use std::process::Command;

const ZONES: [&str; 4] = [
    "UTC",
    "America/Denver",
    "Europe/Berlin",
    "Australia/Lord_Howe",
];

fn zone(name: &str, now: &str) -> Zone {
    let zone = Zone::named(name).unwrap();
    let now = parse_time(now, &zone).unwrap();
    zone.at(now)
}

fn written(moment: Option<i64>, zone: &Zone) -> String {
    let mut out = Vec::new();
    match moment {
        Some(moment) => write_time(moment, zone, &mut out),
        None => return "none".to_owned(),
    }
    String::from_utf8(out).unwrap()
}

/// Seconds, as GNU's `date -d` has it; none where there is another `date`.
fn gnu(zone: &str, text: &str) -> Option<Option<i64>> {
    let version = Command::new("date").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains("GNU") {
        return None;
    }
    let date = Command::new("date")
        .args(["-d", text, "+%s"])
        .env("TZ", zone)
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&date.stdout).trim().parse().ok())
}

/// Checks that each text is read as `date` reads it; says all that are not.
#[track_caller]
fn same_as_date<'a>(name: &str, zone: &Zone, texts: impl IntoIterator<Item = &'a str>) {
    let differs = |text: &str| {
        let expected = gnu(name, text)?;
        let given = seconds(parse_time(text, zone));
        (given != expected).then(|| format!("{name}: {text}: {given:?}, not {expected:?}\n"))
    };
    let differences: Vec<String> = texts.into_iter().filter_map(differs).collect();
    assert!(differences.is_empty(), "\n{}", differences.concat());
}

fn seconds(moment: Option<i64>) -> Option<i64> {
    moment.map(|moment| moment.div_euclid(NANOS))
}

#[test]
fn reads_what_people_write() {
    let denver = zone("America/Denver", "2024-03-12 10:20:30.5");
    for (text, expected) in [
        ("now", "2024-03-12T10:20:30.500000-06:00"),
        ("today", "2024-03-12T10:20:30.500000-06:00"),
        ("Yesterday 14:00", "2024-03-11T14:00:00-06:00"),
        ("3 days ago", "2024-03-09T10:20:30.500000-07:00"),
        ("72 hours ago", "2024-03-09T09:20:30.500000-07:00"),
        ("30 years ago", "1994-03-12T10:20:30.500000-07:00"),
        ("1 fortnight ago", "2024-02-27T10:20:30.500000-07:00"),
        ("last monday", "2024-03-11T00:00:00-06:00"),
        ("tuesday", "2024-03-12T00:00:00-06:00"),
        ("next tuesday", "2024-03-19T00:00:00-06:00"),
        ("next week", "2024-03-19T10:20:30.500000-06:00"),
        ("monday 9am", "2024-03-18T09:00:00-06:00"),
        ("25 mar", "2024-03-25T00:00:00-06:00"),
        ("25 mar 2000 12:15:31", "2000-03-25T12:15:31-07:00"),
        ("20000325 12:15:31", "2000-03-25T12:15:31-07:00"),
        ("20000325 12:15:31 UTC", "2000-03-25T05:15:31-07:00"),
        (
            "Sat, 25 Mar 2000 12:13:29 -0700",
            "2000-03-25T12:13:29-07:00",
        ),
        ("1.25 seconds ago", "2024-03-12T10:20:29.250000-06:00"),
        ("2 days", "2024-03-14T10:20:30.500000-06:00"),
        ("- 1 week", "2024-03-05T10:20:30.500000-07:00"),
        // A distance rather than the zone one hour east.
        ("2024-03-10 01:30 + 1 day", "2024-03-11T01:30:00-06:00"),
        ("2024-03-10 01:30 UTC + 1 day", "2024-03-10T19:30:00-06:00"),
        ("25 mar 3 days ago", "2024-03-22T00:00:00-06:00"),
        ("25 mar 12:15", "2024-03-25T12:15:00-06:00"),
        ("yesterday, 14:00", "none"),
        // What clocks skipped is as much later; what they showed twice is the first.
        ("2024-03-10 02:30", "2024-03-10T03:30:00-06:00"),
        ("2024-11-03 01:30", "2024-11-03T01:30:00-06:00"),
        ("2024-11-02 01:30 1 day", "2024-11-03T01:30:00-06:00"),
        // Numbers alone are seconds since 1970, never hours or years.
        ("12", "1969-12-31T17:00:12-07:00"),
        ("2000", "1969-12-31T17:33:20-07:00"),
        ("-1.5", "1969-12-31T16:59:58.500000-07:00"),
        ("@ 5", "none"),
        ("", "none"),
        ("  ", "none"),
        ("monday tuesday", "none"),
        ("ago", "none"),
        ("29 feb 2023", "none"),
        ("2024-03-10 24:00", "none"),
        ("99999999999 years ago", "none"),
        ("9223372036854775807 fortnights", "none"),
        ("1000 years", "none"),
        ("noon", "none"),
    ] {
        assert_eq!(
            written(parse_time(text, &denver), &denver),
            expected,
            "{text}"
        );
    }
}

#[test]
fn now_is_itself_where_clocks_show_it_twice() {
    for hour in ["08:30", "09:30"] {
        let denver = zone("America/Denver", &format!("2024-11-03T0{}Z", &hour[1..]));
        assert_eq!(parse_time("now", &denver), Some(denver.now()), "{hour}");
    }
}

/// Distances from a moment that is written out, over changes of the clock in all of the zones.
#[test]
fn distances_are_those_of_date() {
    let bases = [
        "2024-03-09 02:30:00",
        "2024-03-30 02:30:00",
        "2024-10-05 02:15:10",
        "2024-01-31 12:00:00",
        "2024-02-29 23:59:59",
        "2000-03-25 12:15:31",
        "1985-07-01 00:00:00",
    ];
    let distances = [
        "1 day",
        "1 day ago",
        "yesterday",
        "tomorrow",
        "2 days ago",
        "next day",
        "last week",
        "1 fortnight ago",
        "fortnight",
        "3 weeks",
        "1 month",
        "1 month ago",
        "next month",
        "last month",
        "13 months ago",
        "1 year",
        "last year",
        "12 years ago",
        "24 hours",
        "24 hours ago",
        "5 min ago",
        "90 minutes",
        "30 secs",
        "third hour",
        "1 year 2 months 3 days ago",
        "1 day 3 hours ago",
        "2 days hence",
    ];
    for name in ZONES {
        let zone = Zone::named(name).unwrap();
        let texts = bases.map(|base| distances.map(|distance| format!("{base} {distance}")));
        same_as_date(name, &zone, texts.iter().flatten().map(String::as_str));
    }
}

/// What stands for itself, whatever the day.
#[test]
fn dates_are_those_of_date() {
    let texts = [
        "2000-03-25 12:15:31 -0700",
        "2000-03-25 12:15:31 -07:00",
        "2000-03-25T12:15:31-07:00",
        "2000-03-25 12:15:31 UTC",
        "2000-03-25 12:15:31Z",
        "2000-03-25 12:15:31 +5",
        "2000-03-25 12:15:31 +05:45",
        "2000-03-25 12:15:31 -0:30",
        "2000-03-25 12:15:31 UTC+3",
        "2000-03-25 12:00 EST",
        "2000-03-25T12:15:31 1 day",
        "2000-03-25 UTC",
        "2000-03-25 T12:15",
        "25 mar 2000 12:15:31",
        "25 March 2000",
        "25-mar-2000",
        "25mar2000",
        "mar 25 2000",
        "mar-25-2000",
        "March 25, 2000 5pm",
        "mar 25 12:00 2003",
        "20000325 12:15:31",
        "20000325 1215",
        "20000325 -1 day",
        "20000325 +1 week",
        "000325 12:00",
        "12:00 240310",
        "3/25/2000",
        "03/25/00 12:30am",
        "2000/3/25",
        "2000-3-5 7:05",
        "69-01-01",
        "68-01-01",
        "Sat Mar 25 12:13:29 MST 2000",
        "Sat, 25 Mar 2000 12:13:29 -0700",
        "Sat 2000-03-25",
        "25 mar 2000 12:30 p.m.",
        "25 mar 2000 12 a.m.",
        "25 mar 2000 3 days ago",
        "2000-03-25 12:15:31.9 -0700",
        "2000-02-30",
        "2/30/2024",
        "25 mar 2000 13pm",
        "2000-03-25 12:60",
        "2000-03-25 2000-03-26",
        "2000-03-25 12:00 13:00",
        "2000-03-25 12:00 UTC EST",
        "2000-03-25 1 day ago ago",
        "2000-03-25 12:00 -25",
        "2000-03-25 xx",
        "2000-03-25 !",
    ];
    for name in ZONES {
        let zone = Zone::named(name).unwrap();
        same_as_date(name, &zone, texts);
    }
}

/// What depends on now: now is taken before and after `date` has its own.
#[test]
fn phrases_from_now_are_those_of_date() {
    let texts = [
        "now",
        "today",
        "yesterday",
        "yesterday 14:00",
        "14:00 yesterday",
        "tomorrow 9am",
        "today 12:00",
        "today 12:00 UTC",
        "12:30:15",
        "5pm",
        "monday",
        "sun",
        "tues 12:00",
        "last monday",
        "next friday",
        "this wednesday",
        "third thursday",
        "2 saturday",
        "last sunday 14:00",
        "monday 3 days ago",
        "thursday 1 week",
        "monday next week",
        "3 hours ago",
        "90 seconds ago",
        "-1 hour",
        "+ 2 hours",
        "now + 3 min",
        "jun 5",
        "5/6",
        "dec 31, 2001",
        "monday tuesday",
    ];
    let now = || jiff::Timestamp::now().as_second();
    for name in ZONES {
        for text in texts {
            let before = now();
            let Some(expected) = gnu(name, text) else {
                return;
            };
            let mut given = (before..=now())
                .map(|now| Zone::named(name).unwrap().at(now * NANOS))
                .map(|zone| seconds(parse_time(text, &zone)));
            assert!(
                given.any(|given| given == expected),
                "{name}: {text}: {expected:?}"
            );
        }
    }
}

#[test]
fn what_is_written_is_read_and_nothing_panics() {
    let words = [
        "1",
        "30",
        "2000",
        "20000325",
        "12:15",
        "12:15:31.9",
        "-07:00",
        "+1",
        "-",
        "@",
        "2024-02-29",
        "T",
        "Z",
        "utc",
        "mar",
        "monday",
        "last",
        "third",
        "day",
        "years",
        "sec",
        "ago",
        "yesterday",
        "now",
        "pm",
        "/",
        ":",
        ",",
        ".",
        "9223372036854775807",
        "-9223372036854775808",
        "\u{e9}",
    ];
    let mut state = 7u64;
    let mut random = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % limit
    };
    for name in ZONES {
        let zone = Zone::named(name).unwrap().at(1_710_000_000 * NANOS);
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..1 + random(6) {
                text += words[random(words.len())];
                text += ["", " "][random(2)];
            }
            if random(4) == 0 {
                let at = random(text.len());
                text = String::from_utf8_lossy(&text.as_bytes()[at..]).into_owned();
                text.push(char::from(random(128) as u8));
            }
            if let Some(moment) = parse_time(&text, &zone) {
                let written = written(Some(moment), &zone);
                assert_eq!(
                    parse_time(&written, &zone),
                    Some(moment),
                    "{text}: {written}"
                );
            }
        }
    }
}
