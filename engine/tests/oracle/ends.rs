//! Modules that give objects at the end: `sort`, `tail`, `last`, `top`.

use super::expression::key_of;
use super::follows::nanos;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::canonical;
use std::cmp::Ordering;
use std::rc::Rc;
use wireq_typesys::{FieldPath, Value, total_order};

/// All objects in order.
pub struct Sort {
    /// What they are sorted by.
    pub fields: Vec<FieldPath>,
    /// Whether the order is reversed.
    pub reverse: bool,
    /// For each field, whether it descends and whether objects without it come last.
    pub orders: Vec<(bool, bool)>,
    /// How many are sorted by themselves.
    pub run: Option<usize>,
    /// Those that came, with their keys.
    pub kept: Vec<(Vec<Value>, Rc<Object>)>,
}

impl Sort {
    fn order(&self, left: &[Value], right: &[Value]) -> Ordering {
        let pairs = left.iter().zip(right).zip(&self.orders);
        let orders =
            pairs.map(
                |((a, b), (descends, absent_last))| match (a.is_absent(), b.is_absent()) {
                    (false, false) if *descends => total_order(b, a),
                    (false, false) => total_order(a, b),
                    (a, b) if *absent_last => a.cmp(&b),
                    (a, b) => b.cmp(&a),
                },
            );
        orders.fold(Ordering::Equal, Ordering::then)
    }

    fn give(&mut self, effects: &mut Effects<'_>) {
        let mut kept = std::mem::take(&mut self.kept);
        // Stable: equal ones keep their order.
        kept.sort_by(|(a, _), (b, _)| self.order(a, b));
        if self.reverse {
            kept.reverse();
        }
        kept.into_iter()
            .for_each(|(_, object)| effects.give(object));
    }
}

impl Stage for Sort {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let key = key_of(&self.fields, &object, effects.zone);
        self.kept.push((key, object));
        if Some(self.kept.len()) == self.run {
            self.give(effects);
        }
    }

    fn close(&mut self, _close: &Close, _effects: &mut Effects<'_>) {}

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.give(effects);
    }
}

/// The last objects.
pub struct Tail {
    /// How many.
    pub count: usize,
    /// All that came.
    pub kept: Vec<Rc<Object>>,
}

impl Stage for Tail {
    fn take(&mut self, _port: usize, object: Rc<Object>, _effects: &mut Effects<'_>) {
        self.kept.push(object);
    }

    fn close(&mut self, _close: &Close, _effects: &mut Effects<'_>) {}

    fn reacts(&self) -> bool {
        true
    }

    fn wants_more(&self) -> bool {
        self.count > 0
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        let first = self.kept.len().saturating_sub(self.count);
        self.kept
            .drain(..)
            .skip(first)
            .for_each(|object| effects.give(object));
    }
}

/// The latest object of each tuple.
pub struct Last {
    /// The fields of the tuple.
    pub fields: Vec<FieldPath>,
    /// After how much data time it gives what it has.
    pub period: Option<i128>,
    /// The present interval.
    pub interval: Option<i128>,
    /// In ascending order of tuple.
    pub kept: Vec<(Value, Rc<Object>)>,
}

impl Last {
    /// Whether an object of this time begins a further interval.
    fn begins(&mut self, time: &Value, effects: &Effects<'_>) -> bool {
        let (Some(period), Some(time)) = (self.period, nanos(time, effects.zone)) else {
            return false;
        };
        let interval = time.div_euclid(period);
        let further = self.interval.is_some_and(|present| present < interval);
        self.interval = self.interval.max(Some(interval));
        further
    }

    fn fields_of(&self, key: &Value) -> Fields {
        let Value::List(values) = key else {
            panic!("a tuple is a list");
        };
        self.fields
            .iter()
            .cloned()
            .zip(values.iter().cloned())
            .collect()
    }
}

impl Stage for Last {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let time = object.get(&FieldPath::new("ts"), effects.zone);
        if self.begins(&time, effects) {
            let kept = std::mem::take(&mut self.kept);
            kept.iter()
                .for_each(|(_, object)| effects.give(Rc::clone(object)));
            kept.iter()
                .for_each(|(key, _)| effects.close(self.fields_of(key)));
        }
        let key = Value::List(key_of(&self.fields, &object, effects.zone).into());
        match self
            .kept
            .binary_search_by(|(known, _)| total_order(known, &key))
        {
            Ok(at) => self.kept[at].1 = object,
            Err(at) => self.kept.insert(at, (key, object)),
        }
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        if close.fields.is_empty() || !close.is_about(&self.fields) {
            return;
        }
        for (key, object) in std::mem::take(&mut self.kept) {
            match close.concerns(&self.fields_of(&key)) {
                true => effects.give(object),
                false => self.kept.push((key, object)),
            }
        }
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.kept
            .drain(..)
            .for_each(|(_, object)| effects.give(object));
    }
}

/// The most frequent tuples.
pub struct Top {
    /// The fields of the tuple, each once.
    pub fields: Vec<FieldPath>,
    /// How many are given.
    pub limit: usize,
    /// In ascending order of tuple.
    pub counts: Vec<(Vec<Value>, i128)>,
}

impl Stage for Top {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let key = key_of(&self.fields, &object, effects.zone);
        if key.iter().all(Value::is_absent) {
            return;
        }
        let order = |known: &[Value]| {
            let pairs = known.iter().zip(&key);
            let orders = pairs.map(|(a, b)| total_order(a, b));
            orders.fold(Ordering::Equal, Ordering::then)
        };
        match self.counts.binary_search_by(|(known, _)| order(known)) {
            Ok(at) => self.counts[at].1 += 1,
            Err(at) => self.counts.insert(at, (key, 1)),
        }
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        // Stable: equal counts stay in the order of their tuples.
        self.counts
            .sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (key, count) in self.counts.drain(..).take(self.limit) {
            let key = key.iter().map(canonical);
            let mut fields: Fields = self.fields.iter().cloned().zip(key).collect();
            fields.push((FieldPath::new("count"), Value::Integer(count)));
            effects.give(Rc::new(Object::Made(fields)));
        }
    }
}
