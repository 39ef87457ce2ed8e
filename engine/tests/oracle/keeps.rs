//! Modules that remember objects to choose among those to come: `uniq`, `head`, `skip`, `sample`,
//! `uniqobj`, `countobj`.

use super::expression::key_of;
use super::object::Object;
use super::stage::{Effects, Stage};
use std::rc::Rc;
use wireq_typesys::{FieldPath, Value};

/// The first object of each tuple.
pub struct Uniq {
    /// The fields of the tuple.
    pub fields: Vec<FieldPath>,
    /// The tuples so far.
    pub seen: Vec<Value>,
}

impl Stage for Uniq {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let tuple = Value::List(key_of(&self.fields, &object, effects.zone).into());
        let same = |other: &Value| wireq_typesys::total_order(other, &tuple).is_eq();
        if !self.seen.iter().any(same) {
            self.seen.push(tuple);
            effects.give(object);
        }
    }
}

/// The first objects.
pub struct Head {
    /// How many are wanted yet.
    pub left: u64,
}

impl Stage for Head {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        self.left -= 1;
        effects.give(object);
    }

    fn wants_more(&self) -> bool {
        self.left > 0
    }
}

/// All objects but the first.
pub struct Skip {
    /// How many are still left out.
    pub left: u64,
}

impl Stage for Skip {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        match self.left {
            0 => effects.give(object),
            _ => self.left -= 1,
        }
    }
}

/// The first object and then every so many.
pub struct Sample {
    /// One of how many.
    pub every: u64,
    /// How many came.
    pub seen: u64,
}

impl Stage for Sample {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        if self.seen.is_multiple_of(self.every) {
            effects.give(object);
        }
        self.seen += 1;
    }
}

/// An object when it comes for the Nth time.
pub struct Identities {
    /// N.
    pub times: usize,
    /// The objects that came. They are kept, so that no other one takes their place in memory.
    pub seen: Vec<Rc<Object>>,
}

impl Stage for Identities {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        self.seen.push(Rc::clone(&object));
        let same = self
            .seen
            .iter()
            .filter(|seen| seen.identity() == object.identity());
        if same.count() == self.times {
            effects.give(object);
        }
    }
}
