//! Modules that attach what depends on the objects before: `delta`, `derivative`, `deskew`,
//! `clock`, `window`.

use super::arithmetic::{arithmetic, number};
use super::object::{Fields, Object};
use super::stage::{Effects, Stage};
use std::rc::Rc;
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_typesys::{FieldPath, Kind, Literal, Value, Zone, parse_time, total_order};

const SECOND: i128 = 1_000_000_000;

/// A value as nanoseconds: times since 1970, durations, numbers as seconds, text as a time.
pub fn nanos(value: &Value, zone: &Zone) -> Option<i128> {
    match value {
        Value::Time(nanos) | Value::Duration(nanos) => Some((*nanos).into()),
        Value::Integer(seconds) => seconds.checked_mul(SECOND),
        Value::Named(seconds, _) => Some(i128::from(*seconds) * SECOND),
        // Beyond 2^100 a double holds no nanoseconds.
        Value::Double(seconds) => {
            let nanos = (seconds * 1e9).round();
            (nanos.abs() < 1e30).then_some(nanos as i128)
        }
        Value::Text(text) => parse_time(std::str::from_utf8(text).ok()?, zone).map(i128::from),
        _ => None,
    }
}

/// The difference from the object before, or that of one field divided by that of another.
pub struct Difference {
    /// The column.
    pub name: FieldPath,
    /// One, or two: a rise and what it is divided by.
    pub fields: Vec<FieldPath>,
    /// Their values in the latest object that had all of them.
    pub before: Option<Vec<Value>>,
}

/// The difference of two values as a number, times and durations in nanoseconds; whether it is
/// in these.
fn rise(now: &Value, before: &Value) -> Option<(f64, bool)> {
    match arithmetic(ArithmeticOp::Subtract, now, before) {
        Value::Integer(integer) => Some((integer as f64, false)),
        Value::Double(double) => Some((double, false)),
        Value::Duration(nanos) => Some((nanos as f64, true)),
        _ => None,
    }
}

fn slope(now: &[Value], before: &[Value]) -> Option<f64> {
    let (y, y_nanos) = rise(&now[0], &before[0])?;
    let (x, x_nanos) = rise(&now[1], &before[1])?;
    let slope = match (y_nanos, x_nanos) {
        (false, true) => y * 1e9 / x,
        (true, false) => y / (x * 1e9),
        (true, true) | (false, false) => y / x,
    };
    (x != 0.0 && !slope.is_nan()).then_some(slope)
}

impl Stage for Difference {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let values = self
            .fields
            .iter()
            .map(|path| object.get(path, effects.zone));
        let now: Vec<Value> = values.collect();
        let is_quantity = |value: &Value| {
            matches!(value, Value::Time(_) | Value::Duration(_)) || number(value).is_some()
        };
        let mut difference = Value::Absent;
        if now.iter().all(is_quantity)
            && let Some(before) = self.before.replace(now.clone())
        {
            difference = match now.len() {
                1 => arithmetic(ArithmeticOp::Subtract, &now[0], &before[0]),
                _ => slope(&now, &before).map_or(Value::Absent, Value::Double),
            };
        }
        effects.give(object.annotated(vec![(self.name.clone(), difference)]));
    }
}

/// Values out of bounds replaced by the latest one within them.
pub struct Deskew {
    /// The field.
    pub field: FieldPath,
    /// What it holds, as far as the plan knows.
    pub kind: Kind,
    /// A field to move by as much.
    pub second: Option<FieldPath>,
    /// The lower bound and the upper one.
    pub bounds: [Option<Literal>; 2],
    /// The latest value within bounds.
    pub good: Value,
}

impl Deskew {
    /// What a value is to be replaced by.
    fn replacement(&mut self, value: &Value, zone: &Zone) -> Option<Value> {
        let kind = match self.kind {
            Kind::Dynamic => value.kind()?,
            kind => kind,
        };
        let [low, high] = self.bounds.each_ref().map(|bound| {
            let read = bound.as_ref()?.read(kind, zone)?;
            (!matches!(read, Value::Prefix(_))).then_some(read)
        });
        let too_low = low
            .as_ref()
            .is_some_and(|low| total_order(value, low).is_lt());
        let too_high = high
            .as_ref()
            .is_some_and(|high| total_order(value, high).is_gt());
        if !too_low && !too_high {
            self.good = value.clone();
            return None;
        }
        match &self.good {
            Value::Absent => low.or(high),
            good => Some(good.clone()),
        }
    }
}

/// A value moved by the difference of two others; between times and numbers that is in seconds,
/// and an integer stays one.
fn moved(value: &Value, by: &Value, zone: &Zone) -> Value {
    match (value, by) {
        (Value::Integer(_) | Value::Named(..), Value::Duration(by)) => {
            let moved = nanos(value, zone).and_then(|nanos| nanos.checked_add((*by).into()));
            moved.map_or(Value::Absent, |nanos| {
                Value::Integer(nanos.div_euclid(SECOND))
            })
        }
        (Value::Double(seconds), Value::Duration(by)) => Value::Double(seconds + *by as f64 / 1e9),
        (Value::Time(_) | Value::Duration(_), Value::Integer(_) | Value::Double(_)) => {
            match nanos(by, zone).and_then(|by| i64::try_from(by).ok()) {
                Some(by) => arithmetic(ArithmeticOp::Add, value, &Value::Duration(by)),
                None => Value::Absent,
            }
        }
        _ => arithmetic(ArithmeticOp::Add, value, by),
    }
}

impl Stage for Deskew {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let zone = effects.zone;
        let value = object.get(&self.field, zone);
        let mut fields: Fields = Vec::new();
        if !value.is_absent()
            && let Some(new) = self.replacement(&value, zone)
        {
            if let Some(second) = &self.second {
                let by = arithmetic(ArithmeticOp::Subtract, &new, &value);
                let other = object.get(second, zone);
                fields.push((second.clone(), moved(&other, &by, zone)));
            }
            fields.push((self.field.clone(), new));
        }
        effects.give(object.annotated(fields));
    }
}

/// The tick that each object stands in.
pub struct Clock {
    /// The field.
    pub field: FieldPath,
    /// Nanoseconds a tick.
    pub period: i128,
    /// The present tick.
    pub tick: Option<i128>,
}

impl Stage for Clock {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let clock = FieldPath::new("clock");
        let nanos = nanos(&object.get(&self.field, effects.zone), effects.zone);
        let Some(tick) = nanos.map(|nanos| nanos.div_euclid(self.period)) else {
            return effects.give(object.annotated(vec![(clock, Value::Absent)]));
        };
        if let Some(old) = self.tick.filter(|old| *old < tick) {
            effects.close(vec![(clock.clone(), Value::Integer(old))]);
        }
        let tick = self.tick.map_or(tick, |old| old.max(tick));
        self.tick = Some(tick);
        effects.give(object.annotated(vec![(clock, Value::Integer(tick))]));
    }
}

/// The windows that each object is in, and which of them are over.
pub struct Window {
    /// The time.
    pub field: FieldPath,
    /// Nanoseconds from one window to the next.
    pub step: i128,
    /// Nanoseconds that a window takes.
    pub length: i128,
    /// Nanoseconds that an object may be late; none where windows stay open.
    pub late: Option<i128>,
    /// The latest time that is believed.
    pub latest: Option<i128>,
    /// Times far beyond it, one behind the other.
    pub suspects: Vec<i128>,
    /// Windows that objects came in and that are not over.
    pub open: Vec<i128>,
}

const HOUR: i128 = 3600 * SECOND;

impl Window {
    fn believe(&mut self, time: i128) {
        if self.latest.is_some_and(|latest| time - latest <= HOUR) {
            self.suspects.clear();
            self.latest = self.latest.max(Some(time));
            return;
        }
        let earliest = self.suspects.iter().min();
        if earliest.is_some_and(|earliest| (time - earliest).abs() > HOUR) {
            self.suspects.clear();
        }
        self.suspects.push(time);
        if self.suspects.len() == 3 {
            self.latest = self.latest.max(self.suspects.iter().min().copied());
            self.suspects.clear();
        }
    }
}

impl Stage for Window {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let window = FieldPath::new("window");
        let Some(time) = nanos(&object.get(&self.field, effects.zone), effects.zone) else {
            return;
        };
        let mut over = i128::MIN;
        if let Some(late) = self.late {
            self.believe(time);
            over = self.latest.map_or(i128::MIN, |latest| latest - late);
            self.open.sort();
            for start in std::mem::take(&mut self.open) {
                match start + self.length <= over {
                    true => effects.close(vec![(window.clone(), Value::Time(start as i64))]),
                    false => self.open.push(start),
                }
            }
        }
        let last = time.div_euclid(self.step) * self.step;
        let mut starts = Vec::new();
        let mut start = last;
        while start + self.length > time {
            starts.push(start);
            start -= self.step;
        }
        starts.reverse();
        for start in starts
            .into_iter()
            .filter(|start| start + self.length > over)
        {
            if !self.open.contains(&start) {
                self.open.push(start);
            }
            let value = Value::Time(start as i64);
            effects.give(Rc::clone(&object).annotated(vec![(window.clone(), value)]));
        }
    }
}
