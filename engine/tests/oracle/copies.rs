//! `group by` over a pipeline: a copy of it for each key, stage by stage.

use super::expression::key_of;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Item, Stage};
use std::rc::Rc;
use wireq_engine::GroupKeys;
use wireq_engine::plan::GroupBy;
use wireq_typesys::{Value, Zone, total_order};

/// Makes a stage as it is before the first object.
pub type Maker = Box<dyn Fn() -> Box<dyn Stage>>;

/// Puts objects into their groups. One that has none of the keys is in no group.
pub struct Grouping(pub GroupBy);

impl Grouping {
    fn key(&self, object: &Object, zone: &Zone) -> Option<Value> {
        let GroupBy { keys, outer, .. } = &self.0;
        let own = key_of(keys, object, zone);
        if own.iter().all(Value::is_absent) {
            return None;
        }
        let around = outer.as_ref().map(|outer| object.get(&outer.column, zone));
        let around = match &around {
            Some(Value::List(values)) => values.to_vec(),
            _ => Vec::new(),
        };
        Some(Value::List([around, own].concat().into()))
    }
}

impl Stage for Grouping {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        if let Some(key) = self.key(&object, effects.zone) {
            effects.give(object.annotated(vec![(self.0.column.clone(), key)]));
        }
    }

    /// What was true within another group of this depth is not said of any of these groups.
    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        if close.depth() < self.0.column.as_str().len() {
            effects.pass(close);
        }
    }
}

/// A copy of a stage for each group.
pub struct Copies {
    group: GroupKeys,
    make: Maker,
    /// In ascending order of key.
    copies: Vec<Copy>,
}

struct Copy {
    /// The values of the group's fields.
    key: Value,
    /// The groups that its objects are in, one within the other.
    groups: Fields,
    stage: Box<dyn Stage>,
}

impl Copies {
    /// No copies yet.
    pub fn new(group: &GroupKeys, make: Maker) -> Copies {
        Copies {
            group: group.clone(),
            make,
            copies: Vec::new(),
        }
    }

    fn copy_of(&mut self, key: Value, object: &Object) -> &mut Copy {
        let known = |copy: &Copy| total_order(&copy.key, &key);
        let at = match self.copies.binary_search_by(known) {
            Ok(at) => at,
            Err(at) => {
                let copy = Copy {
                    key,
                    groups: object.groups(),
                    stage: (self.make)(),
                };
                self.copies.insert(at, copy);
                at
            }
        };
        &mut self.copies[at]
    }

    /// The fields that make a group within the one where a control is true, with their values.
    fn fields_within(&self, close: &Close, copy: &Copy) -> Fields {
        let around = match &close.scope {
            Some((_, Value::List(values))) => values.len(),
            _ => 0,
        };
        let Value::List(values) = &copy.key else {
            panic!("a group is a list of values");
        };
        let keys = self.group.keys.iter().cloned();
        keys.zip(values.iter().cloned()).skip(around).collect()
    }

    /// Whether a control is about the fields that make a group.
    fn is_about_groups(&self, close: &Close) -> bool {
        let around = match &close.scope {
            Some((_, Value::List(values))) => values.len(),
            _ => 0,
        };
        let keys = &self.group.keys[around.min(self.group.keys.len())..];
        !close.fields.is_empty() && close.is_about(keys)
            || close.fields.is_empty() && close.depth() < self.group.column.as_str().len()
    }
}

impl Copy {
    fn is_within(&self, close: &Close) -> bool {
        close.scope.as_ref().is_none_or(|(column, key)| {
            let mut groups = self.groups.iter();
            groups.any(|(own, value)| own == column && total_order(value, key).is_eq())
        })
    }

    /// Lets the copy do something. What it gives belongs to its group, and what it says is true
    /// there.
    fn act(
        &mut self,
        column: &wireq_typesys::FieldPath,
        effects: &mut Effects<'_>,
        act: impl FnOnce(&mut dyn Stage, &mut Effects<'_>),
    ) {
        let mut own = Effects::new(effects.zone);
        act(&mut *self.stage, &mut own);
        effects.texts.append(&mut own.texts);
        for item in own.given {
            match item {
                Item::Row(object) => effects.give(object.annotated(self.groups.clone())),
                Item::Close(close) => effects.pass(&Close {
                    scope: Some((column.clone(), self.key.clone())),
                    ..close
                }),
            }
        }
    }
}

impl Stage for Copies {
    fn take(&mut self, port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let column = self.group.column.clone();
        let key = object.get(&column, effects.zone);
        let copy = self.copy_of(key, &object);
        if copy.stage.wants_more() {
            copy.act(&column, effects, |stage, own| stage.take(port, object, own));
        }
    }

    /// A control about the fields of groups ends these; any other one goes to every copy.
    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        let column = self.group.column.clone();
        if close.depth() > column.as_str().len() {
            // It was said within groups that are no more.
            return;
        }
        if self.is_about_groups(close) {
            for mut copy in std::mem::take(&mut self.copies) {
                let fields = self.fields_within(close, &copy);
                if copy.is_within(close) && close.concerns(&fields) {
                    copy.act(&column, effects, |stage, own| stage.finish(own));
                } else {
                    self.copies.push(copy);
                }
            }
            return effects.pass(close);
        }
        for copy in self.copies.iter_mut().filter(|copy| copy.is_within(close)) {
            copy.act(&column, effects, |stage, own| {
                stage.close(close, own);
                // Whether it goes on is said once for all, below.
                own.given.retain(|item| matches!(item, Item::Row(_)));
            });
        }
        let mut fresh = Effects::new(effects.zone);
        (self.make)().close(close, &mut fresh);
        effects.given.append(&mut fresh.given);
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        let column = self.group.column.clone();
        for copy in &mut self.copies {
            copy.act(&column, effects, |stage, own| stage.finish(own));
        }
    }
}
