//! Times as people write them, as GNU's `date -d` reads them.
//!
//! A phrase is a row of items: a date, a time of day, a day of the week, a zone, each at most once,
//! and any number of distances (`3 days ago`, `next week`, `yesterday`). What a phrase doesn't say
//! is now's; the time of day is midnight where a date or day of the week stands alone. Years,
//! months and days move the date that clocks show; hours and less move the moment.
//!
//! Different from GNU: a signed number before a unit is a distance, never a zone (`01:30 +1 day`); a
//! time of day that clocks skip counts as much later; distances from now keep the time of day over
//! changes of the clock; letters other than Z are no zones; a number alone is seconds since 1970.

use super::Zone;
use super::moment::{Clock, Date, Phrase, once};
use super::words::{Number, Token, Tokens, Unit};

/// Reads a phrase; now is the zone's.
pub(super) fn parse(text: &str, zone: &Zone) -> Option<i64> {
    let mut phrase = Phrase::default();
    let mut tokens = Tokens::new(text);
    if tokens.at_end() {
        return None;
    }
    while !tokens.at_end() {
        phrase.item(tokens.next()?, &mut tokens)?;
    }
    phrase.moment(zone)
}

fn plain(token: Token) -> Option<Number> {
    match token {
        Token::Number(number) if number.sign.is_none() && number.nanos.is_none() => Some(number),
        _ => None,
    }
}

fn signed(token: Token) -> Option<Number> {
    match token {
        Token::Number(number) if number.sign.is_some() && number.nanos.is_none() => Some(number),
        _ => None,
    }
}

fn is(expected: Token) -> impl Fn(Token) -> Option<()> {
    move |token| (token == expected).then_some(())
}

fn unit(token: Token) -> Option<Unit> {
    match token {
        Token::Unit(unit) => Some(unit),
        _ => None,
    }
}

/// A year of two digits is one from 1969 to 2068.
fn year(number: Number) -> i64 {
    match number.value.abs() {
        year @ 0..69 if number.digits == 2 => year + 2000,
        year @ 69..100 if number.digits == 2 => year + 1900,
        year => year,
    }
}

impl Phrase {
    /// Reads the item that begins with a token.
    fn item(&mut self, token: Token, tokens: &mut Tokens<'_>) -> Option<()> {
        match token {
            Token::Number(number) => self.number(number, tokens),
            Token::Month(month) => self.month(month, tokens),
            Token::Weekday(day) => {
                tokens.take(is(Token::Comma));
                once(&mut self.weekday, (day, 0))
            }
            Token::Ordinal(ordinal) => match tokens.next()? {
                Token::Weekday(day) => once(&mut self.weekday, (day, ordinal)),
                Token::Unit(unit) => self.distance(ordinal, None, unit, tokens),
                _ => None,
            },
            Token::Unit(unit) => self.distance(1, None, unit, tokens),
            Token::Days(days) => self.add(days, 0, Unit::Days(1)),
            Token::Zone(east) => {
                let more = self.offset(tokens)?.unwrap_or(0);
                once(&mut self.zone, east + more)
            }
            Token::T if tokens.peek().is_some_and(|next| plain(next).is_some()) => Some(()),
            _ => None,
        }
    }

    /// An item that begins with a number.
    fn number(&mut self, number: Number, tokens: &mut Tokens<'_>) -> Option<()> {
        if let Some(unit) = tokens.take(unit) {
            return self.distance(number.value, number.nanos, unit, tokens);
        }
        if number.sign.is_some() || number.nanos.is_some() {
            return None;
        }
        match tokens.peek() {
            Some(Token::Colon) => self.clock(number.value, tokens),
            Some(Token::Slash) => self.slashes(number, tokens),
            Some(Token::Meridian(_)) => self.set_clock(number.value, 0, 0, 0, tokens),
            Some(Token::Weekday(day)) => {
                let _ = tokens.next();
                once(&mut self.weekday, (day, number.value))
            }
            Some(Token::Month(month)) => {
                let _ = tokens.next();
                self.set_date(Date {
                    year: self.year_behind(tokens),
                    month: month.into(),
                    day: number.value,
                })
            }
            _ => match iso_date(number, tokens) {
                Some(date) => self.set_date(date),
                None => self.digits(number),
            },
        }
    }

    /// A number that nothing beside it explains: a date or time without signs between its parts,
    /// or the year of a date before it.
    fn digits(&mut self, number: Number) -> Option<()> {
        let Number { value, digits, .. } = number;
        if let Some(date @ Date { year: None, .. }) = &mut self.date
            && self.distance.is_none()
            && (self.clock.is_some() || digits > 2)
        {
            date.year = Some(year(number));
            return Some(());
        }
        if digits > 4 {
            return self.set_date(Date {
                year: Some(year(Number {
                    value: value / 10_000,
                    digits: digits - 4,
                    ..number
                })),
                month: value / 100 % 100,
                day: value % 100,
            });
        }
        let (hour, minute) = match digits {
            1 | 2 => (value, 0),
            _ => (value / 100, value % 100),
        };
        once(&mut self.clock, Clock::new(hour, minute, 0, 0)?)
    }

    /// `mar 25`, `mar 25, 2000`, `mar-25-2000`.
    fn month(&mut self, month: u32, tokens: &mut Tokens<'_>) -> Option<()> {
        let day = tokens.take(|token| plain(token).or_else(|| signed(token)));
        let day = day?;
        let year = match tokens.take(is(Token::Comma)) {
            Some(()) => Some(year(tokens.take(plain)?)),
            None => tokens.take(signed).map(year),
        };
        self.set_date(Date {
            year,
            month: month.into(),
            day: day.value.abs(),
        })
    }

    /// The year behind day and month: a number that is not the beginning of something else.
    fn year_behind(&self, tokens: &mut Tokens<'_>) -> Option<i64> {
        tokens.take(is(Token::Comma));
        let mut ahead = *tokens;
        let number = ahead.take(|token| plain(token).or_else(|| signed(token)))?;
        match ahead.peek() {
            Some(Token::Colon | Token::Slash | Token::Meridian(_) | Token::Unit(_)) => None,
            _ => {
                *tokens = ahead;
                Some(year(number))
            }
        }
    }

    /// `3/25`, `3/25/2000`, `2000/3/25`.
    fn slashes(&mut self, first: Number, tokens: &mut Tokens<'_>) -> Option<()> {
        let mut next = || {
            tokens.take(is(Token::Slash))?;
            tokens.take(plain)
        };
        let second = next()?;
        let third = next();
        self.set_date(match third {
            Some(day) if first.digits >= 4 => Date {
                year: Some(first.value),
                month: second.value,
                day: day.value,
            },
            third => Date {
                year: third.map(year),
                month: first.value,
                day: second.value,
            },
        })
    }

    /// A time of day behind its hour.
    fn clock(&mut self, hour: i64, tokens: &mut Tokens<'_>) -> Option<()> {
        tokens.take(is(Token::Colon));
        let minute = tokens.take(plain)?;
        let (mut second, mut nanos) = (0, 0);
        if tokens.take(is(Token::Colon)).is_some() {
            match tokens.next()? {
                Token::Number(number) if number.sign.is_none() => {
                    (second, nanos) = (number.value, number.nanos.unwrap_or(0));
                }
                _ => return None,
            }
        }
        self.set_clock(hour, minute.value, second, nanos, tokens)
    }

    /// Sets the time of day; `am` or `pm` or an offset may follow.
    fn set_clock(
        &mut self,
        hour: i64,
        minute: i64,
        second: i64,
        nanos: i64,
        tokens: &mut Tokens<'_>,
    ) -> Option<()> {
        let meridian = tokens.take(|token| match token {
            Token::Meridian(pm) => Some(pm),
            _ => None,
        });
        let hour = match (meridian, hour) {
            (None, hour) => hour,
            (Some(pm), 1..=12) => hour % 12 + if pm { 12 } else { 0 },
            (Some(_), _) => return None,
        };
        once(&mut self.clock, Clock::new(hour, minute, second, nanos)?)?;
        match self.offset(tokens)? {
            Some(east) => once(&mut self.zone, east),
            None => Some(()),
        }
    }

    /// An offset from universal time, in seconds: `-7`, `-0700`, `-07:00`. A signed number before a
    /// unit is a distance.
    fn offset(&self, tokens: &mut Tokens<'_>) -> Option<Option<i64>> {
        let mut ahead = *tokens;
        let Some(number) = ahead.take(signed) else {
            return Some(None);
        };
        if ahead.peek().is_some_and(|next| unit(next).is_some()) {
            return Some(None);
        }
        let (mut hours, mut minutes) = match number.digits {
            1 | 2 => (number.value.abs(), 0),
            _ => (number.value.abs() / 100, number.value.abs() % 100),
        };
        if ahead.take(is(Token::Colon)).is_some() {
            hours = number.value.abs();
            minutes = ahead.take(plain)?.value;
        }
        *tokens = ahead;
        if hours > 24 || minutes > 59 {
            return None;
        }
        Some(Some(
            number.sign.unwrap_or(1) * (hours * 3600 + minutes * 60),
        ))
    }

    /// A distance behind its unit; `ago` may follow.
    fn distance(
        &mut self,
        count: i64,
        nanos: Option<i64>,
        unit: Unit,
        tokens: &mut Tokens<'_>,
    ) -> Option<()> {
        let direction = tokens.take(|token| match token {
            Token::Direction(direction) => Some(direction),
            _ => None,
        });
        let direction = direction.unwrap_or(1);
        if nanos.is_some() && unit != Unit::Seconds(1) {
            return None;
        }
        let count = count.checked_mul(direction)?;
        self.add(count, nanos.unwrap_or(0) * direction, unit)
    }
}

/// The rest of `2000-03-25` behind its year; none where it is not one, as in `20000325 -1 day`.
fn iso_date(year_number: Number, tokens: &mut Tokens<'_>) -> Option<Date> {
    let negative = |token| signed(token).filter(|number| number.sign == Some(-1));
    let mut ahead = *tokens;
    let month = ahead.take(negative)?;
    let day = ahead.take(negative)?;
    if ahead.peek().is_some_and(|next| unit(next).is_some()) {
        return None;
    }
    *tokens = ahead;
    Some(Date {
        year: Some(year(year_number)),
        month: -month.value,
        day: -day.value,
    })
}

#[cfg(test)]
mod tests;
