//! Modules about what came lately: `active`, `changes`, `fifodelay`.

use super::arithmetic::number;
use super::expression::key_of;
use super::follows::nanos;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::exact;
use std::rc::Rc;
use wireq_typesys::{FieldPath, Value, Zone, total_order};

/// How many combinations were seen lately.
pub struct Active {
    /// The fields.
    pub fields: Vec<FieldPath>,
    /// The column of the number.
    pub name: FieldPath,
    /// How long is lately.
    pub period: Option<i128>,
    /// The highest time.
    pub now: Option<i128>,
    /// How many combinations are known at most.
    pub most: usize,
    /// The combinations, each with the latest time at which it was seen; what came last is last.
    pub seen: Vec<(Value, i128)>,
}

impl Active {
    /// Takes a combination in that is seen at a time.
    fn see(&mut self, key: Value, time: i128) {
        let same = |(known, _): &(Value, i128)| total_order(known, &key).is_eq();
        let known = self.seen.iter().position(same);
        let before = known.map(|at| self.seen.remove(at).1);
        self.seen
            .push((key, before.map_or(time, |before| before.max(time))));
        while self.seen.len() > self.most {
            let longest_ago = (0..self.seen.len()).min_by_key(|at| self.seen[*at].1);
            longest_ago.map(|at| self.seen.remove(at));
        }
    }
}

impl Stage for Active {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let values = key_of(&self.fields, &object, effects.zone);
        let time = nanos(
            &object.get(&FieldPath::new("ts"), effects.zone),
            effects.zone,
        );
        let mut active = Value::Absent;
        self.now = self.now.max(time);
        if let (Some(time), Some(now), false) =
            (time, self.now, values.iter().all(Value::is_absent))
        {
            let key = Value::List(values.into());
            self.see(key, time);
            let lately = |latest: i128| self.period.is_none_or(|period| now - latest < period);
            let count = self.seen.iter().filter(|(_, latest)| lately(*latest));
            active = Value::Integer(count.count() as i128);
        }
        effects.give(object.annotated(vec![(self.name.clone(), active)]));
    }
}

/// How far fields are from what is usual for an ID.
pub struct Changes {
    /// The field that says who values belong to.
    pub id: FieldPath,
    /// The fields that are compared.
    pub fields: Vec<FieldPath>,
    /// The column of the severity.
    pub name: FieldPath,
    /// How much of a mean stays when a value above it comes, and when another one comes.
    pub hist: [f64; 2],
    /// How much of a deviation stays.
    pub histdev: f64,
    /// What the severity has to exceed.
    pub threshold: f64,
    /// The base of logarithms that the values are.
    pub base: f64,
    /// Whether what is compared with is attached.
    pub attach: bool,
    /// How many IDs are known at most.
    pub most: usize,
    /// For each ID and field, the mean and the deviation.
    pub usual: Vec<(Value, Vec<Option<(f64, f64)>>)>,
}

impl Changes {
    fn value_of(&self, path: &FieldPath, object: &Object, zone: &Zone) -> Option<f64> {
        let value = match object.get(path, zone) {
            Value::Time(nanos) | Value::Duration(nanos) => nanos as f64 / 1e9,
            value => exact(&[number(&value)?]),
        };
        let value = if self.base == 1.0 {
            value
        } else {
            self.base.powf(value)
        };
        value.is_finite().then_some(value)
    }

    /// How far a value is away; and what is usual from now on.
    fn compared(&self, value: f64, usual: Option<(f64, f64)>) -> (f64, (f64, f64)) {
        let Some((mean, deviation)) = usual else {
            return (0.0, (value, value.abs()));
        };
        let distance = (value - mean).abs();
        let [up, down] = self.hist;
        let counts = up == down || value > mean;
        let stays = if value > mean { up } else { down };
        let far = if counts {
            distance / deviation.max(1.0)
        } else {
            0.0
        };
        let mean = stays * mean + (1.0 - stays) * value;
        let deviation = self.histdev * deviation + (1.0 - self.histdev) * distance;
        (far, (mean, deviation))
    }
}

impl Stage for Changes {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let id = object.get(&self.id, effects.zone);
        let values = self.fields.iter();
        let values: Vec<Option<f64>> = values
            .map(|path| self.value_of(path, &object, effects.zone))
            .collect();
        if id.is_absent() || values.iter().all(Option::is_none) {
            return;
        }
        let same = |(known, _): &(Value, _)| total_order(known, &id).is_eq();
        // What came last is last.
        let known = self.usual.iter().position(same);
        let known = known.map(|at| self.usual.remove(at));
        let (id, mut usual) = known.unwrap_or((id, vec![None; self.fields.len()]));
        let mut severity = 0.0f64;
        let mut attached: Fields = Vec::new();
        for (field, value) in values.iter().enumerate() {
            let known = usual[field];
            if self.attach {
                let [mean, sigma] = ["mean", "sigma"].map(|name| self.fields[field].join(name));
                let number = |number: Option<f64>| number.map_or(Value::Absent, Value::Double);
                attached.push((mean, number(known.map(|(mean, _)| mean))));
                attached.push((sigma, number(known.map(|(_, sigma)| sigma))));
            }
            if let Some(value) = value {
                let (far, changed) = self.compared(*value, known);
                usual[field] = Some(changed);
                severity = severity.hypot(far);
            }
        }
        self.usual.push((id, usual));
        if self.usual.len() > self.most {
            self.usual.remove(0);
        }
        if severity > self.threshold {
            attached.push((self.name.clone(), Value::Double(severity)));
            effects.give(object.annotated(attached));
        }
    }
}

/// Objects in the order of a time, held back for a lag.
pub struct FifoDelay {
    /// How long.
    pub lag: i128,
    /// The time that moves on, and the one that objects are ordered by.
    pub times: [FieldPath; 2],
    /// How many are held back at most.
    pub most: usize,
    /// The highest time so far.
    pub edge: Option<i128>,
    /// What is held back, in order.
    pub waiting: Vec<(i128, Rc<Object>)>,
}

impl Stage for FifoDelay {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let [moves, orders] = &self.times;
        self.edge = self
            .edge
            .max(nanos(&object.get(moves, effects.zone), effects.zone));
        match nanos(&object.get(orders, effects.zone), effects.zone) {
            None => effects.give(object),
            Some(time) => {
                let at = self.waiting.partition_point(|(other, _)| *other <= time);
                self.waiting.insert(at, (time, object));
            }
        }
        let due = |time: i128| self.edge.is_some_and(|edge| time <= edge - self.lag);
        while let Some((time, _)) = self.waiting.first()
            && (due(*time) || self.waiting.len() > self.most)
        {
            effects.give(self.waiting.remove(0).1);
        }
    }

    fn close(&mut self, _close: &Close, _effects: &mut Effects<'_>) {}

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        for (_, object) in self.waiting.drain(..) {
            effects.give(object);
        }
    }
}
