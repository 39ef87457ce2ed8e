//! Groups of objects, and functions over each group.

use super::expression::key_of;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::{Total, canonical};
use std::cmp::Ordering;
use std::rc::Rc;
use wireq_engine::plan::Aggregate;
use wireq_typesys::{Names, Value, Zone, total_order};

/// All groups of an aggregate.
pub struct Groups {
    aggregate: Aggregate,
    /// In ascending order of key.
    groups: Vec<Group>,
}

struct Group {
    /// The key of the group around it, then its own.
    around: Vec<Value>,
    own: Vec<Value>,
    /// What numbers among its own key are called.
    names: Vec<Option<&'static Names>>,
    /// None where no object came.
    last: Option<Rc<Object>>,
    totals: Vec<Total>,
}

impl Groups {
    /// No groups yet.
    pub fn new(aggregate: &Aggregate) -> Groups {
        let mut groups = Groups {
            aggregate: aggregate.clone(),
            groups: Vec::new(),
        };
        if aggregate.all && aggregate.keys.is_empty() && aggregate.group.is_none() {
            groups.groups.push(groups.group(Vec::new(), Vec::new()));
        }
        groups
    }

    fn group(&self, around: Vec<Value>, own: Vec<Value>) -> Group {
        Group {
            around,
            names: vec![None; own.len()],
            own,
            last: None,
            totals: self.aggregate.functions.iter().map(Total::new).collect(),
        }
    }

    fn around(&self, object: &Object, zone: &Zone) -> Vec<Value> {
        let group = self.aggregate.group.as_ref();
        match group.map(|group| object.get(&group.column, zone)) {
            Some(Value::List(values)) => values.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The fields that make a group, with their values, without the first `skip`.
    fn fields_of(&self, group: &Group, skip: usize) -> Fields {
        let around = self.aggregate.group.iter().flat_map(|group| &group.keys);
        let names = around.chain(&self.aggregate.keys).cloned();
        let values = group.around.iter().chain(&group.own).cloned();
        names.zip(values).skip(skip).collect()
    }

    /// One object for a group: a new one like its last, with the key and a column for each
    /// function. Keys are there even where a stage took the fields away.
    fn result(&self, group: Group, zone: &Zone) -> Rc<Object> {
        let names = group.around.iter().map(|_| None).chain(group.names.clone());
        let keys = self.fields_of(&group, 0).into_iter().zip(names);
        let mut fields: Fields = keys
            .map(|((path, value), names)| (path, with_names(canonical(&value), names)))
            .collect();
        let last = group
            .last
            .unwrap_or_else(|| Rc::new(Object::Made(Vec::new())));
        // The key is a field that the last object has, not one that hides what was attached to that.
        let mut below = last.attached();
        below.retain(|path| fields.iter().any(|(key, _)| path.is_of(key) && path != key));
        fields.extend(
            below
                .into_iter()
                .map(|path| (path.clone(), last.get(&path, zone))),
        );
        let names = self.aggregate.functions.iter().map(|f| f.name.clone());
        let functions = names.zip(group.totals.into_iter().map(Total::value));
        let functions = functions.collect();
        last.annotated(fields).annotated(functions).derived()
    }
}

impl Stage for Groups {
    /// Takes an object into its group. One that has none of the keys is in no group.
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let zone = effects.zone;
        let own = key_of(&self.aggregate.keys, &object, zone);
        let in_none = !own.is_empty() && own.iter().all(Value::is_absent);
        if in_none && !self.aggregate.all {
            return;
        }
        let around = self.around(&object, zone);
        let order = |group: &Group| {
            order_of_tuples(&group.around, &around).then(order_of_tuples(&group.own, &own))
        };
        let at = match self.groups.binary_search_by(order) {
            Ok(at) => at,
            Err(at) => {
                let group = self.group(around, own.clone());
                self.groups.insert(at, group);
                at
            }
        };
        let group = &mut self.groups[at];
        for (known, value) in group.names.iter_mut().zip(&own) {
            if let Value::Named(_, names) = value
                && known.is_none_or(|known| known.name < names.name)
            {
                *known = Some(names);
            }
        }
        group.last = Some(Rc::clone(&object));
        for (total, function) in group.totals.iter_mut().zip(&self.aggregate.functions) {
            total.take(match &function.spec.field {
                Some(path) => object.get(path, zone),
                None => Value::Absent,
            });
        }
    }

    /// Gives and forgets the groups that are complete. The control goes on where it is about what
    /// makes groups: then it holds for what was given.
    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        let around = self.aggregate.group.as_ref();
        if close.depth() > around.map_or(0, |group| group.column.as_str().len()) {
            return;
        }
        let scope = match &close.scope {
            Some((_, Value::List(values))) => values.to_vec(),
            _ => Vec::new(),
        };
        for group in std::mem::take(&mut self.groups) {
            let within =
                group.around.len() >= scope.len() && order_of_tuples(&group.around, &scope).is_eq();
            if within && close.concerns(&self.fields_of(&group, scope.len())) {
                effects.give(self.result(group, effects.zone));
            } else {
                self.groups.push(group);
            }
        }
        let names = around.iter().flat_map(|group| &group.keys);
        let names = names.chain(&self.aggregate.keys).skip(scope.len());
        if close.is_about(&names.cloned().collect::<Vec<_>>()) {
            effects.pass(close);
        }
    }

    fn reacts(&self) -> bool {
        true
    }

    /// One object for each group, in ascending order of the keys.
    fn finish(&mut self, effects: &mut Effects<'_>) {
        for group in std::mem::take(&mut self.groups) {
            effects.give(self.result(group, effects.zone));
        }
    }
}

fn with_names(value: Value, names: Option<&'static Names>) -> Value {
    match (&value, names) {
        (Value::Integer(number), Some(names)) => match u64::try_from(*number) {
            Ok(number) => Value::Named(number, names),
            Err(_) => value,
        },
        (Value::Named(number, _), Some(names)) => Value::Named(*number, names),
        _ => value,
    }
}

/// The order of two tuples, as far as the shorter one goes.
fn order_of_tuples(left: &[Value], right: &[Value]) -> Ordering {
    let orders = left.iter().zip(right).map(|(a, b)| total_order(a, b));
    orders.fold(Ordering::Equal, Ordering::then)
}
