//! Modules about how objects are distributed: `pdf`, `entropy`, `histogram`, `cumdist`.

use super::arithmetic::number;
use super::expression::key_of;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::{canonical, exact};
use std::rc::Rc;
use wireq_typesys::{FieldPath, Kind, Literal, Value, Zone, total_order};

/// All objects, each with its share of the total of a count.
pub struct Pdf {
    /// The column of the share.
    pub name: FieldPath,
    /// The field that counts.
    pub count: FieldPath,
    /// How many objects are kept at most: the latest ones.
    pub most: usize,
    /// Those that came.
    pub kept: Vec<Rc<Object>>,
}

impl Pdf {
    fn count_of(&self, object: &Object, zone: &Zone) -> Option<Value> {
        let count = match object.get(&self.count, zone) {
            Value::Duration(nanos) => Value::Double(nanos as f64 / 1e9),
            value => number(&value)?,
        };
        total_order(&count, &Value::Integer(0))
            .is_ge()
            .then_some(count)
    }

    fn give(&mut self, effects: &mut Effects<'_>) {
        let kept = std::mem::take(&mut self.kept);
        let counts: Vec<Option<Value>> = kept
            .iter()
            .map(|object| self.count_of(object, effects.zone))
            .collect();
        let all: Vec<Value> = counts.iter().flatten().cloned().collect();
        let total = exact(&all);
        for (object, count) in kept.into_iter().zip(counts) {
            let share = count.filter(|_| total > 0.0);
            let share = share.map_or(Value::Absent, |count| {
                Value::Double(exact(&[count]) / total)
            });
            effects.give(object.annotated(vec![(self.name.clone(), share)]));
        }
    }
}

impl Stage for Pdf {
    fn take(&mut self, _port: usize, object: Rc<Object>, _effects: &mut Effects<'_>) {
        self.kept.push(object);
        if self.kept.len() > self.most {
            self.kept.remove(0);
        }
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        self.give(effects);
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.give(effects);
    }
}

/// The last object, with the entropy of the probabilities of all.
pub struct Entropy {
    /// The field of probabilities.
    pub field: FieldPath,
    /// The probabilities so far.
    pub shares: Vec<f64>,
    /// The last object that had one.
    pub last: Option<Rc<Object>>,
}

impl Entropy {
    fn give(&mut self, effects: &mut Effects<'_>) {
        let shares = std::mem::take(&mut self.shares);
        let parts = shares.iter().filter(|share| **share > 0.0);
        let parts: Vec<Value> = parts.map(|p| Value::Double(-p * p.log2())).collect();
        if let Some(last) = self.last.take() {
            let entropy = Value::Double(exact(&parts));
            effects.give(last.annotated(vec![(FieldPath::new("entropy"), entropy)]));
        }
    }
}

impl Stage for Entropy {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let share = number(&object.get(&self.field, effects.zone)).map(|share| exact(&[share]));
        if let Some(share) = share.filter(|share| (0.0..=1.0).contains(share)) {
            self.shares.push(share);
            self.last = Some(object);
        }
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        self.give(effects);
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.give(effects);
    }
}

/// Tuples with how often each came, in ascending order.
#[derive(Default)]
struct Counts(Vec<(Vec<Value>, i128)>);

impl Counts {
    /// Counts a tuple; of more than `most` the highest is forgotten.
    fn count(&mut self, tuple: Vec<Value>, most: usize) {
        let order = |(known, _): &(Vec<Value>, i128)| {
            let pairs = known.iter().zip(&tuple);
            let orders = pairs.map(|(a, b)| total_order(a, b));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        match self.0.binary_search_by(order) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => self.0.insert(at, (tuple, 1)),
        }
        self.0.truncate(most);
    }
}

/// How often each combination of values came.
pub struct Histogram {
    /// The fields.
    pub fields: Vec<FieldPath>,
    /// The column of the count.
    pub name: FieldPath,
    /// The width of bins of the last field.
    pub width: Option<Literal>,
    /// How many combinations are kept at most: the lowest.
    pub most: usize,
    counts: Counts,
}

impl Histogram {
    /// Nothing counted yet.
    pub fn new(fields: Vec<FieldPath>, name: FieldPath, most: usize) -> Histogram {
        Histogram {
            fields,
            name,
            width: None,
            most,
            counts: Counts::default(),
        }
    }

    fn given(&self, tuple: Vec<Value>, count: i128) -> Rc<Object> {
        let tuple = tuple.iter().map(canonical);
        let mut fields: Fields = self.fields.iter().cloned().zip(tuple).collect();
        fields.push((self.name.clone(), Value::Integer(count)));
        Rc::new(Object::Made(fields))
    }

    /// The fields that a Close may be about: what is in bins is not complete.
    fn whole_fields(&self) -> &[FieldPath] {
        let binned = usize::from(self.width.is_some());
        &self.fields[..self.fields.len() - binned]
    }
}

/// The begin of the bin that a value is in; what has no distance from another is its own bin.
fn bin_of(value: &Value, width: &Literal) -> Value {
    let duration = match width.read(Kind::Duration, &Zone::utc()) {
        Some(Value::Duration(nanos)) => nanos,
        _ => 0,
    };
    let floor = |nanos: i64| nanos.div_euclid(duration).saturating_mul(duration);
    match value {
        Value::Time(nanos) if duration > 0 => Value::Time(floor(*nanos)),
        Value::Duration(nanos) if duration > 0 => Value::Duration(floor(*nanos)),
        Value::Integer(_) | Value::Double(_) | Value::Text(_) => {
            match (number(value), width.natural()) {
                (Some(Value::Integer(integer)), Value::Integer(width)) => {
                    Value::Integer(integer.div_euclid(width) * width)
                }
                (Some(number), width @ (Value::Integer(_) | Value::Double(_))) => {
                    let width = exact(&[width]);
                    Value::Double((exact(&[number]) / width).floor() * width)
                }
                _ => value.clone(),
            }
        }
        _ => value.clone(),
    }
}

impl Stage for Histogram {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let mut tuple = key_of(&self.fields, &object, effects.zone);
        if tuple.iter().all(Value::is_absent) {
            return;
        }
        if let (Some(width), Some(last)) = (&self.width, tuple.last_mut()) {
            *last = bin_of(last, width);
        }
        self.counts.count(tuple, self.most);
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        let whole = self.whole_fields().to_vec();
        if !close.is_about(&whole) {
            return;
        }
        for (tuple, count) in std::mem::take(&mut self.counts.0) {
            let own: Fields = whole.iter().cloned().zip(tuple.iter().cloned()).collect();
            match close.concerns(&own) {
                true => effects.give(self.given(tuple, count)),
                false => self.counts.0.push((tuple, count)),
            }
        }
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        for (tuple, count) in std::mem::take(&mut self.counts.0) {
            effects.give(self.given(tuple, count));
        }
    }
}

/// The values of a field in order, each with the share of objects up to it.
pub struct Cumdist {
    /// The field.
    pub field: FieldPath,
    /// The columns of the count and of the share.
    pub names: [FieldPath; 2],
    /// How many values are kept at most: the lowest.
    pub most: usize,
    counts: Counts,
    objects: i128,
}

impl Cumdist {
    /// Nothing counted yet.
    pub fn new(field: FieldPath, names: [FieldPath; 2], most: usize) -> Cumdist {
        Cumdist {
            field,
            names,
            most,
            counts: Counts::default(),
            objects: 0,
        }
    }

    fn give(&mut self, effects: &mut Effects<'_>) {
        let [count_name, share_name] = &self.names;
        let total = std::mem::take(&mut self.objects);
        let mut so_far = 0;
        for (tuple, count) in std::mem::take(&mut self.counts.0) {
            so_far += count;
            let share = Value::Double(so_far as f64 / total as f64);
            let fields = vec![
                (self.field.clone(), canonical(&tuple[0])),
                (count_name.clone(), Value::Integer(count)),
                (share_name.clone(), share),
            ];
            effects.give(Rc::new(Object::Made(fields)));
        }
    }
}

impl Stage for Cumdist {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let value = object.get(&self.field, effects.zone);
        if !value.is_absent() {
            self.objects += 1;
            self.counts.count(vec![value], self.most);
        }
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        self.give(effects);
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.give(effects);
    }
}
