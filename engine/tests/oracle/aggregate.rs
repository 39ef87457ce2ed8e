//! Groups of objects, and functions over each group.

use super::expression::key_of;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::{Total, canonical};
use std::cmp::Ordering;
use std::rc::Rc;
use wireq_engine::plan::Aggregate;
use wireq_typesys::{Value, Zone, total_order};

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
    fn result(&self, group: Group) -> Rc<Object> {
        let keys = self.fields_of(&group, 0).into_iter();
        let mut fields: Fields = keys
            .map(|(path, value)| (path, canonical(&value)))
            .collect();
        let names = self.aggregate.functions.iter().map(|f| f.name.clone());
        fields.extend(names.zip(group.totals.into_iter().map(Total::value)));
        let last = group
            .last
            .unwrap_or_else(|| Rc::new(Object::Made(Vec::new())));
        last.annotated(fields).derived()
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
                let group = self.group(around, own);
                self.groups.insert(at, group);
                at
            }
        };
        let group = &mut self.groups[at];
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
                effects.give(self.result(group));
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
            effects.give(self.result(group));
        }
    }
}

/// The order of two tuples, as far as the shorter one goes.
fn order_of_tuples(left: &[Value], right: &[Value]) -> Ordering {
    let orders = left.iter().zip(right).map(|(a, b)| total_order(a, b));
    orders.fold(Ordering::Equal, Ordering::then)
}
