//! The words and numbers of times as people write them.

use super::read::fraction_nanos;

/// What a phrase about time consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Number(Number),
    /// 1 to 12.
    Month(u32),
    /// 0 is Sunday.
    Weekday(u32),
    Unit(Unit),
    /// `last` is -1, `this` 0, `next` and `first` 1, `third` 3; `second` is a unit.
    Ordinal(i64),
    /// `yesterday` is -1, `today` and `now` 0, `tomorrow` 1.
    Days(i64),
    /// `ago` is -1, `hence` 1.
    Direction(i64),
    /// `am` or `pm`; true is pm.
    Meridian(bool),
    /// A name of a zone, in seconds east of Greenwich.
    Zone(i64),
    Colon,
    Slash,
    Comma,
    /// The T before a time of day.
    T,
}

/// A number of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: i64,
    /// How many digits it was written with.
    pub(super) digits: usize,
    /// The sign, if it has one.
    pub(super) sign: Option<i64>,
    /// The digits behind a point as nanoseconds, with the sign.
    pub(super) nanos: Option<i64>,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Years,
    Months,
    /// So many days.
    Days(i64),
    /// So many seconds.
    Seconds(i64),
}

const HOUR: i64 = 3600;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

static UNITS: &[(&str, Unit)] = &[
    ("year", Unit::Years),
    ("month", Unit::Months),
    ("fortnight", Unit::Days(14)),
    ("week", Unit::Days(7)),
    ("day", Unit::Days(1)),
    ("hour", Unit::Seconds(HOUR)),
    ("minute", Unit::Seconds(60)),
    ("min", Unit::Seconds(60)),
    ("second", Unit::Seconds(1)),
    ("sec", Unit::Seconds(1)),
];

static WORDS: &[(&str, Token)] = &[
    ("last", Token::Ordinal(-1)),
    ("this", Token::Ordinal(0)),
    ("next", Token::Ordinal(1)),
    ("first", Token::Ordinal(1)),
    ("third", Token::Ordinal(3)),
    ("fourth", Token::Ordinal(4)),
    ("fifth", Token::Ordinal(5)),
    ("sixth", Token::Ordinal(6)),
    ("seventh", Token::Ordinal(7)),
    ("eighth", Token::Ordinal(8)),
    ("ninth", Token::Ordinal(9)),
    ("tenth", Token::Ordinal(10)),
    ("eleventh", Token::Ordinal(11)),
    ("twelfth", Token::Ordinal(12)),
    ("yesterday", Token::Days(-1)),
    ("today", Token::Days(0)),
    ("now", Token::Days(0)),
    ("tomorrow", Token::Days(1)),
    ("ago", Token::Direction(-1)),
    ("hence", Token::Direction(1)),
    ("am", Token::Meridian(false)),
    ("pm", Token::Meridian(true)),
    ("sept", Token::Month(9)),
    ("tues", Token::Weekday(2)),
    ("wednes", Token::Weekday(3)),
    ("thur", Token::Weekday(4)),
    ("thurs", Token::Weekday(4)),
    ("t", Token::T),
    ("z", Token::Zone(0)),
    ("utc", Token::Zone(0)),
    ("ut", Token::Zone(0)),
    ("gmt", Token::Zone(0)),
    ("wet", Token::Zone(0)),
    ("west", Token::Zone(HOUR)),
    ("bst", Token::Zone(HOUR)),
    ("cet", Token::Zone(HOUR)),
    ("cest", Token::Zone(2 * HOUR)),
    ("eet", Token::Zone(2 * HOUR)),
    ("eest", Token::Zone(3 * HOUR)),
    ("msk", Token::Zone(3 * HOUR)),
    ("ist", Token::Zone(5 * HOUR + HOUR / 2)),
    ("sgt", Token::Zone(8 * HOUR)),
    ("jst", Token::Zone(9 * HOUR)),
    ("kst", Token::Zone(9 * HOUR)),
    ("nzst", Token::Zone(12 * HOUR)),
    ("nzdt", Token::Zone(13 * HOUR)),
    ("est", Token::Zone(-5 * HOUR)),
    ("edt", Token::Zone(-4 * HOUR)),
    ("cst", Token::Zone(-6 * HOUR)),
    ("cdt", Token::Zone(-5 * HOUR)),
    ("mst", Token::Zone(-7 * HOUR)),
    ("mdt", Token::Zone(-6 * HOUR)),
    ("pst", Token::Zone(-8 * HOUR)),
    ("pdt", Token::Zone(-7 * HOUR)),
    ("akst", Token::Zone(-9 * HOUR)),
    ("akdt", Token::Zone(-8 * HOUR)),
    ("hst", Token::Zone(-10 * HOUR)),
];

/// What of a phrase is still to be read. To look ahead, copy it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Tokens<'a> {
        Tokens {
            rest: text.as_bytes(),
        }
    }

    /// Whether all is read.
    pub(super) fn at_end(&self) -> bool {
        self.rest.trim_ascii_start().is_empty()
    }

    /// The next token; none at the end, and before text that is none.
    pub(super) fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let (first, tail) = self.rest.split_first()?;
        let symbol = match first {
            b'0'..=b'9' => return self.number(None),
            b'+' | b'-' => {
                self.rest = tail;
                self.skip_space();
                return match self.rest.first() {
                    Some(b'0'..=b'9') => self.number(Some(if *first == b'-' { -1 } else { 1 })),
                    // As between the parts of 25-mar-2000.
                    Some(b'a'..=b'z' | b'A'..=b'Z') if *first == b'-' => self.next(),
                    _ => None,
                };
            }
            b'a'..=b'z' | b'A'..=b'Z' => return self.word(),
            b':' => Token::Colon,
            b'/' => Token::Slash,
            b',' => Token::Comma,
            _ => return None,
        };
        self.rest = tail;
        Some(symbol)
    }

    /// The next token, which stays to be read.
    pub(super) fn peek(&self) -> Option<Token> {
        let mut ahead = *self;
        ahead.next()
    }

    /// The next token if `take` makes something of it; else it stays to be read.
    pub(super) fn take<T>(&mut self, take: impl FnOnce(Token) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let taken = take(ahead.next()?)?;
        *self = ahead;
        Some(taken)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn split(&mut self, length: usize) -> &'a [u8] {
        let (front, tail) = self.rest.split_at(length);
        self.rest = tail;
        front
    }

    fn length(&self, of: impl Fn(&u8) -> bool) -> usize {
        self.rest.iter().take_while(|byte| of(byte)).count()
    }

    /// A number behind its sign.
    fn number(&mut self, sign: Option<i64>) -> Option<Token> {
        let digits = self.split(self.length(u8::is_ascii_digit));
        let value = digits.iter().try_fold(0i64, |value, digit| {
            value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        })?;
        let mut nanos = None;
        if let [b'.' | b',', b'0'..=b'9', ..] = self.rest {
            self.split(1);
            let fraction = self.split(self.length(u8::is_ascii_digit));
            nanos = Some(i64::from(fraction_nanos(fraction)));
        }
        Some(Token::Number(Number {
            value: value * sign.unwrap_or(1),
            digits: digits.len(),
            sign,
            nanos: nanos.map(|nanos| nanos * sign.unwrap_or(1)),
        }))
    }

    /// A word; points in it and behind it don't matter.
    fn word(&mut self) -> Option<Token> {
        const LONGEST: usize = 12;
        let text = self.split(self.length(|b| b.is_ascii_alphabetic() || *b == b'.'));
        let mut word = [0; LONGEST];
        let mut length = 0;
        for byte in text.iter().filter(|byte| **byte != b'.') {
            *word.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        find(&word[..length])
    }
}

fn find(word: &[u8]) -> Option<Token> {
    let named = |name: &str| name.as_bytes() == word || name.as_bytes().get(..3) == Some(word);
    if let Some(month) = MONTHS.iter().position(|name| named(name)) {
        return Some(Token::Month(month as u32 + 1));
    }
    if let Some(day) = WEEKDAYS.iter().position(|name| named(name)) {
        return Some(Token::Weekday(day as u32));
    }
    if let Some((_, token)) = WORDS.iter().find(|(name, _)| name.as_bytes() == word) {
        return Some(*token);
    }
    let one = word.strip_suffix(b"s").unwrap_or(word);
    let unit = UNITS.iter().find(|(name, _)| name.as_bytes() == one);
    unit.map(|(_, unit)| Token::Unit(*unit))
}
